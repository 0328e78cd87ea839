//! Writers that meet on one key at the same instant. Threads wait for each other right before the put, because
//! requests over HTTP are too far apart to tell a condition that is checked beforehand from one checked in place.

use std::{
    sync::Barrier,
    thread::{self, ScopedJoinHandle},
};

use s3s::checksum::ChecksumHasher;
use tempfile::TempDir;

use super::*;
use crate::store::{Digests, Drafts, Tag};

const WRITERS: usize = 8;
const ROUNDS: usize = 150;

struct Shelf {
    bucket: Bucket,
    drafts: Drafts,
    _dir: TempDir,
}

impl Shelf {
    fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("bucket");
        fs::create_dir(&folder).unwrap();
        Self {
            bucket: Bucket::open(folder, dir.path().join("journal.jsonl"), Clock::default())
                .unwrap(),
            drafts: Drafts::open(dir.path().join("drafts")).unwrap(),
            _dir: dir,
        }
    }

    fn draft(&self, text: &str) -> Draft {
        let mut writer = self
            .drafts
            .begin(Digests::new(ChecksumHasher::default()))
            .unwrap();
        writer.write(text.as_bytes()).unwrap();
        writer.finish()
    }

    fn put(
        &self,
        key: &str,
        draft: Draft,
        condition: &WriteCondition,
    ) -> Result<String, StoreError> {
        let etag = draft.digest.etag();
        self.bucket
            .put(key, draft, etag, None, condition)
            .map(|object| object.etag.clone())
    }

    /// Lets many writers put at the same instant, each a text of its own; the ETags of those that won.
    fn race(&self, key: &str, condition: &WriteCondition) -> Vec<String> {
        let start = Barrier::new(WRITERS);
        thread::scope(|scope| {
            let writers: Vec<ScopedJoinHandle<'_, _>> = (0..WRITERS)
                .map(|writer| {
                    let start = &start;
                    scope.spawn(move || {
                        let draft = self.draft(&format!("{key} {writer} {condition:?}"));
                        start.wait();
                        self.put(key, draft, condition)
                    })
                })
                .collect();
            writers
                .into_iter()
                .filter_map(|writer| writer.join().unwrap().ok())
                .collect()
        })
    }
}

#[test]
fn of_creators_at_the_same_instant_exactly_one_wins() {
    let shelf = Shelf::open();
    let create = WriteCondition {
        if_none_match: Some(Tag::Any),
        ..WriteCondition::default()
    };
    for round in 0..ROUNDS {
        let key = format!("plan-{round}");
        let winners = shelf.race(&key, &create);
        assert_eq!(winners, [shelf.bucket.find(&key).unwrap().etag.clone()]);
    }
}

#[test]
fn of_updaters_at_the_same_instant_exactly_one_wins() {
    let shelf = Shelf::open();
    let mut etag = shelf
        .put("head", shelf.draft("first"), &WriteCondition::default())
        .unwrap();
    for _ in 0..ROUNDS {
        let update = WriteCondition {
            if_match: Some(Tag::Is(etag.clone())),
            ..WriteCondition::default()
        };
        let mut winners = shelf.race("head", &update);
        assert_eq!(winners.len(), 1);
        etag = winners.remove(0);
    }
}

#[test]
fn bucket_deleted_under_a_writer_refuses_the_write() {
    let shelf = Shelf::open();
    shelf.bucket.close_if_empty().unwrap();
    let put = shelf.put("late", shelf.draft("x"), &WriteCondition::default());
    assert!(matches!(put, Err(StoreError::NoSuchBucket)));
}
