//! Keys to paths and back, for ordinary, odd and arbitrary keys.

use std::collections::HashMap;

use proptest::prelude::*;

use super::{key_of, path_aside, path_of};

#[test]
fn ordinary_key_is_its_own_path() {
    for key in [
        "input/pedido 1.json",
        "a/b/c.json",
        "ação/ñandú/日本.json",
        "x+y=z&w#1?.json",
        "dt_processamento=2024-01-01/.hidden",
        "emoji-🚚.json",
        "...",
    ] {
        assert_eq!(path_of(key), key);
        assert_eq!(key_of(key), Some((key.to_owned(), false)));
    }
}

#[test]
fn odd_key_gets_a_path_that_a_folder_can_hold() {
    for (key, path) in [
        ("a%2Fb", "a%252Fb"),
        ("a\\b\n", "a%5Cb%0A"),
        ("/a", "%-/a"),
        ("a//b", "a/%-/b"),
        ("a/", "a/%-"),
        ("./../x", "%2E/%2E%2E/x"),
        (".esteira/x", "%2Eesteira/x"),
        ("%-", "%25-"),
        ("a%object", "a%25object"),
    ] {
        assert_eq!(path_of(key), path);
        assert_eq!(key_of(path), Some((key.to_owned(), false)), "{path}");
    }
}

#[test]
fn long_segment_is_cut_into_folders_and_never_into_dots() {
    let key = "a".repeat(200) + "..";
    assert_eq!(path_of(&key), "a".repeat(200) + "%+/%2E.");
    assert_eq!(key_of(&path_of(&key)), Some((key, false)));

    let long = "é".repeat(500);
    assert!(path_of(&long).split('/').all(|name| name.len() <= 202));
    assert_eq!(key_of(&path_of(&long)), Some((long, false)));
}

#[test]
fn path_no_key_has_is_told_apart() {
    for path in [
        "100%.json",
        "a%2Fb",
        "a%2fb",
        "%41",
        "a%",
        "a%+",
        "x%+/y",
        "%-%-",
        "a%C3%A9",
    ] {
        assert_eq!(key_of(path), None, "{path}");
    }
}

fn any_key() -> impl Strategy<Value = String> {
    let rough = prop::collection::vec(
        prop_oneof![
            4 => any::<char>().prop_map(String::from),
            4 => "[a-c./%]{1,12}",
            1 => Just("%object".to_owned()),
            1 => Just(".esteira".to_owned()),
            1 => "[a-z]{150,260}",
            1 => Just("/".repeat(40)),
        ],
        1..60,
    );
    rough.prop_map(|pieces| {
        let mut key = pieces.concat();
        let mut end = key.len().min(super::LONGEST_KEY);
        while !key.is_char_boundary(end) {
            end -= 1;
        }
        key.truncate(end);
        key
    })
}

proptest! {
    #[test]
    fn any_key_comes_back_from_both_of_its_paths(key in any_key()) {
        prop_assert_eq!(key_of(&path_of(&key)), Some((key.clone(), false)));
        prop_assert_eq!(key_of(&path_aside(&key)), Some((key, true)));
    }

    #[test]
    fn any_path_has_only_names_a_file_system_takes(key in any_key()) {
        let path = path_aside(&key);
        prop_assert!(path.len() < 3_500);
        for name in path.split('/') {
            prop_assert!(!name.is_empty() && name.len() <= 255 && name != "." && name != ".." && !name.contains('\0'));
        }
    }

    #[test]
    fn distinct_keys_have_distinct_paths(keys in prop::collection::vec(any_key(), 2..12)) {
        let mut owners = HashMap::new();
        for key in keys {
            for path in [path_of(&key), path_aside(&key)] {
                if let Some(owner) = owners.insert(path, key.clone()) {
                    prop_assert_eq!(&owner, &key);
                }
            }
        }
    }
}
