//! Replacing all rows of a table by those of a table that was made anew elsewhere, in one commit.
//!
//! Comes in: a live table and a table of the same process in another folder, at a version. Goes out: the
//! live table with the rows and the columns of the other. The invariant: a reader sees the rows from before or
//! those from after; the files are in the live table's own folder, and what it held before stays readable as
//! an older version.
//!
//! The files are copied by the service, into a folder of their own each time: an attempt that is lost
//! against another commit deletes what it copied, and must not delete what a second hand on the same
//! switch has committed. Deletion vectors go with their files: their place is told by a prefix (Delta
//! protocol, *Deletion Vector Descriptor Schema*, storage type `u`).

use std::collections::{BTreeMap, BTreeSet};

use deltalake::kernel::{Action, Add, MetadataExt as _};
use esteira_events::SOURCE_FILE;
use futures::{StreamExt as _, TryStreamExt as _};
use uuid::Uuid;

use crate::bucket::{Bucket, BucketError, Copied, Listed};
use crate::files::{self, FileCache, TableFile, TableSize, path_in_table};
use crate::tables::{Commit, LakeTable, Outcome, TableError, TableSpec};
use crate::upsert::{ATTEMPTS, app_id, merge_operation};

const COPIES_AT_ONCE: usize = 16;

/// A live table and the one that takes its place.
#[derive(Debug, Clone)]
pub struct Switch {
    /// The table's name.
    pub table: String,
    /// The process that owns both.
    pub process: String,
    /// Where the live table is.
    pub live: String,
    /// Where the other one is.
    pub made: String,
    /// Its version.
    pub version: u64,
    /// The batch's number, which the live table remembers.
    pub batch: u64,
}

/// What became of a table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Replaced {
    /// The live table's version that holds the rows.
    pub version: u64,
    /// Rows it holds now.
    pub rows_added: u64,
    /// Rows it held before; 0 when another hand was faster.
    pub rows_removed: u64,
    /// How large it is now.
    pub size: TableSize,
}

impl Switch {
    /// Replaces the rows once, however often it is done. A table that is not there is created.
    ///
    /// # Errors
    /// [`TableError::Foreign`] and [`TableError::Unsupported`] when the table must not be written;
    /// [`TableError::Contended`] when others kept changing it; the bucket's and the library's errors.
    pub async fn apply(&self, bucket: &Bucket) -> Result<Replaced, TableError> {
        let app_id = app_id(&self.process, &self.table);
        for _ in 0..ATTEMPTS {
            // Asked of the version that is committed on: a hand that is behind must not undo later batches.
            let mut live = self.open_or_create(bucket).await?;
            let old = files::files(&live).await?;
            let mut done = Replaced::default();
            let committed = live.transaction(&app_id).await?;
            if committed.is_some_and(|number| number >= self.batch) {
                done.version = live.version();
                done.rows_added = rows(&old);
                done.size = files::size(&live).await?;
                return Ok(done);
            }
            let made = self.open_made(bucket).await?;
            let new = files::files(&made).await?;
            (done.rows_added, done.rows_removed) = (rows(&new), rows(&old));
            let mut actions = columns(&live, &made)?;
            actions.extend(old.iter().map(|file| Action::Remove(file.remove(true))));
            let adds = self.copy(bucket, &live, &new).await?;
            actions.extend(adds.into_iter().map(Action::Add));
            let commit = Commit {
                actions,
                operation: merge_operation(),
                transaction: Some((app_id.clone(), self.batch)),
            };
            if live.commit(commit).await? == Outcome::Committed {
                done.version = live.version();
                done.size = files::size(&live).await?;
                return Ok(done);
            }
        }
        Err(TableError::Contended {
            table: self.table.clone(),
            batch: self.batch,
            attempts: ATTEMPTS,
        })
    }

    fn spec(&self, path: String) -> TableSpec {
        TableSpec {
            name: self.table.clone(),
            path,
            process: self.process.clone(),
            schema: arrow::datatypes::Schema::empty().into(),
            key: Vec::new(),
            fixed: Vec::new(),
            copy_on_write: false,
        }
    }

    /// The live table, whatever it is by now.
    async fn open(&self, bucket: &Bucket) -> Result<LakeTable, TableError> {
        // With a key: rows are taken out of it.
        let key = vec![SOURCE_FILE.to_owned()];
        let spec = TableSpec {
            key,
            ..self.spec(self.live.clone())
        };
        LakeTable::open_to_replace(bucket, spec).await
    }

    async fn open_made(&self, bucket: &Bucket) -> Result<LakeTable, TableError> {
        let spec = self.spec(self.made.clone());
        match LakeTable::open_as_it_is(bucket, spec, Some(self.version)).await {
            // Another hand may have finished, and cleaned up.
            Err(TableError::Missing { .. }) => {
                Err(self.failed("the table that was made anew is gone", true))
            }
            opened => opened,
        }
    }

    async fn open_or_create(&self, bucket: &Bucket) -> Result<LakeTable, TableError> {
        match self.open(bucket).await {
            Err(TableError::Missing { .. }) => {}
            opened => return opened,
        }
        let made = self.open_made(bucket).await?;
        let uses_vectors = made.uses_deletion_vectors()?;
        let spec = TableSpec {
            schema: made.spec().schema.clone(),
            key: vec![SOURCE_FILE.to_owned()],
            copy_on_write: !uses_vectors,
            ..self.spec(self.live.clone())
        };
        LakeTable::open_or_create(bucket, spec, FileCache::new(0).into()).await?;
        self.open(bucket).await
    }

    /// Copies the files into a new folder of the live table; gives the actions that add them.
    async fn copy(
        &self,
        bucket: &Bucket,
        live: &LakeTable,
        files: &[TableFile],
    ) -> Result<Vec<Add>, TableError> {
        let marked = files.iter().any(|file| file.vector().is_some());
        if marked && !live.uses_deletion_vectors()? {
            return Err(self.failed(
                "it takes no deletion vectors, and there are some to take; `esteira upgrade` turns them on",
                false,
            ));
        }
        let of_bucket = |error: BucketError| self.failed(&error.to_string(), error.is_transient());
        let folder = Uuid::new_v4().simple().to_string()[..8].to_owned();
        let listed = bucket.list(&format!("{}/", self.made)).await;
        let sources: BTreeMap<String, Listed> = listed
            .map_err(of_bucket)?
            .into_iter()
            .map(|object| (object.key.clone(), object))
            .collect();
        let mut adds = Vec::with_capacity(files.len());
        let mut paths = BTreeSet::new();
        for file in files {
            let mut add = file.add();
            add.data_change = true;
            paths.insert(add.path.clone());
            if let Some(vector) = &mut add.deletion_vector {
                let path = path_in_table(vector.storage_type.as_ref(), &vector.path_or_inline_dv);
                if let Some(path) = path {
                    paths.insert(path);
                    vector.path_or_inline_dv = format!("{folder}{}", vector.path_or_inline_dv);
                }
            }
            add.path = format!("{folder}/{}", add.path);
            adds.push(add);
        }
        let pending: Vec<_> = paths
            .iter()
            .map(|path| {
                let source = sources.get(&format!("{}/{path}", self.made));
                let to = format!("{}/{folder}/{path}", self.live);
                async move {
                    let gone = || {
                        self.failed(
                            &format!("`{path}` of the table that was made anew is gone"),
                            true,
                        )
                    };
                    let source = source.ok_or_else(gone)?;
                    let copied = bucket
                        .copy_new(&source.key, &source.etag, source.size, &to)
                        .await;
                    match copied.map_err(of_bucket)? {
                        Copied::Created | Copied::Same => Ok(to),
                        Copied::Changed | Copied::Missing | Copied::Other => Err(gone()),
                    }
                }
            })
            .collect();
        let copied: BTreeSet<String> = futures::stream::iter(pending)
            .buffer_unordered(COPIES_AT_ONCE)
            .try_collect()
            .await?;
        // What took more than an hour may have been vacuumed.
        let there = bucket.list(&format!("{}/{folder}/", self.live)).await;
        let there: BTreeSet<String> = there
            .map_err(of_bucket)?
            .into_iter()
            .map(|o| o.key)
            .collect();
        if !copied.is_subset(&there) {
            return Err(self.failed("files that were copied into it are gone", true));
        }
        Ok(adds)
    }

    fn failed(&self, reason: &str, transient: bool) -> TableError {
        TableError::Data {
            table: self.table.clone(),
            reason: reason.to_owned(),
            transient,
        }
    }
}

/// The action that gives the live table the other's columns, where it has others.
fn columns(live: &LakeTable, made: &LakeTable) -> Result<Vec<Action>, TableError> {
    let snapshot = |table: &LakeTable| {
        let state = table.inner().snapshot().map_err(|e| table.delta(e))?;
        Ok::<_, TableError>((state.metadata().clone(), state.schema()))
    };
    let ((metadata, old), (_, new)) = (snapshot(live)?, snapshot(made)?);
    if old == new {
        return Ok(Vec::new());
    }
    let changed = metadata.with_schema(new.as_ref());
    Ok(vec![Action::Metadata(
        changed.map_err(|e| live.delta(e.into()))?,
    )])
}

fn rows(files: &[TableFile]) -> u64 {
    let live = |file: &TableFile| {
        let rows = file.rows().unwrap_or_default();
        rows.saturating_sub(file.deleted())
    };
    files.iter().map(live).sum()
}
