//! Pages against the plainest listing there is.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{Entry, Query, page};

fn index(keys: &[&str]) -> BTreeMap<Box<str>, u8> {
    keys.iter().map(|key| (Box::from(*key), 0)).collect()
}

fn names(index: &BTreeMap<Box<str>, u8>, query: Query<'_>) -> Vec<String> {
    page(index, query)
        .entries
        .iter()
        .map(|entry| entry.name().to_owned())
        .collect()
}

const ALL: Query<'_> = Query {
    prefix: "",
    delimiter: "",
    after: "",
    limit: 1_000,
};

#[test]
fn delimiter_rolls_up_what_lies_below_the_prefix() {
    let index = index(&["a", "a/1", "a/2", "a/b/3", "b", "c/4"]);
    let top = Query {
        delimiter: "/",
        ..ALL
    };
    assert_eq!(names(&index, top), ["a", "a/", "b", "c/"]);
    assert_eq!(
        names(
            &index,
            Query {
                prefix: "a/",
                ..top
            }
        ),
        ["a/1", "a/2", "a/b/"]
    );
    assert_eq!(names(&index, Query { after: "a/", ..top }), ["b", "c/"]);
    assert_eq!(
        names(
            &index,
            Query {
                after: "a/1",
                ..top
            }
        ),
        ["a/", "b", "c/"]
    );
}

#[test]
fn common_prefix_is_sorted_with_its_delimiter() {
    let index = index(&["a", "a-b/4", "a/1", "a0"]);
    assert_eq!(
        names(
            &index,
            Query {
                delimiter: "/",
                ..ALL
            }
        ),
        ["a", "a-b/", "a/", "a0"]
    );
}

#[test]
fn zero_keys_asked_for_yields_an_empty_last_page() {
    let page = page(&index(&["a"]), Query { limit: 0, ..ALL });
    assert!(page.entries.is_empty() && page.next.is_none());
}

#[test]
fn full_last_page_promises_no_more() {
    let page = page(&index(&["a", "b"]), Query { limit: 2, ..ALL });
    assert_eq!((page.entries.len(), page.next), (2, None));
}

proptest! {
    #[test]
    fn pages_of_any_size_hold_every_entry_once(
        keys in prop::collection::btree_set("[ab/\u{10FFFF}é-]{1,6}", 0..60),
        prefix in "[ab/]{0,2}",
        delimiter in prop_oneof![Just(""), Just("/"), Just("b"), Just("a/")],
        limit in 1_usize..5,
    ) {
        let index = keys.iter().map(|key| (Box::from(key.as_str()), 0_u8)).collect::<BTreeMap<_, _>>();
        let mut expected = BTreeSet::new();
        for key in keys.iter().filter(|key| key.starts_with(&prefix)) {
            let below = &key[prefix.len()..];
            expected.insert(match below.find(delimiter) {
                Some(at) if !delimiter.is_empty() => Entry::CommonPrefix::<()>(key[..prefix.len() + at + delimiter.len()].to_owned()),
                _ => Entry::Object(key.clone(), ()),
            }.name().to_owned());
        }
        let mut seen = Vec::new();
        let mut after = String::new();
        loop {
            let page = page(&index, Query { prefix: &prefix, delimiter, after: &after, limit });
            prop_assert!(page.entries.len() <= limit);
            seen.extend(page.entries.iter().map(|entry| entry.name().to_owned()));
            match page.next {
                Some(next) => after = next,
                None => break,
            }
        }
        prop_assert_eq!(seen, expected.into_iter().collect::<Vec<_>>());
    }
}
