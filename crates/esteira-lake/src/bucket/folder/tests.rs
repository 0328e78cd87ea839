//! What a local folder promises: which files are objects, and that each is written, copied and removed whole or
//! not at all.

use super::*;

fn folder() -> (tempfile::TempDir, Folder) {
    let root = tempfile::tempdir().unwrap();
    let folder = Folder::new(root.path().to_owned());
    (root, folder)
}

#[test]
fn links_out_of_the_folder_loops_and_pipes_are_no_objects() {
    use std::os::unix::fs::symlink;
    let (root, folder) = folder();
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret"), "s").unwrap();
    let input = root.path().join("input");
    folder.put("input/a.json", b"a").unwrap();
    symlink(outside.path().join("secret"), input.join("b.json")).unwrap();
    symlink(outside.path(), input.join("c")).unwrap();
    symlink("..", input.join("loop")).unwrap();
    symlink("gone", input.join("d.json")).unwrap();
    symlink("a.json", input.join("e.json")).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(input.join("f.json"))
        .status();
    assert!(made.unwrap().success());
    let keys = |folder: &Folder, prefix| -> Vec<String> {
        let listed = folder.list(prefix, "").unwrap();
        let mut keys: Vec<_> = listed.into_iter().map(|object| object.key).collect();
        keys.sort();
        keys
    };
    assert_eq!(keys(&folder, "input/"), ["input/a.json", "input/e.json"]);
    // Who runs the program may put the input elsewhere.
    symlink(outside.path(), root.path().join("other")).unwrap();
    assert_eq!(keys(&folder, "other/"), ["other/secret"]);
}

#[test]
fn any_name_a_file_can_have_is_a_key() {
    let (_root, folder) = folder();
    let names = [
        "a b.json",
        "%2F.json",
        "é🚚.json",
        "line\nend.json",
        "x/y/z.json",
        "#?&+.json",
    ];
    for name in names {
        let key = format!("input/{name}");
        folder.put(&key, name.as_bytes()).unwrap();
        let listed = folder.list(&key, "").unwrap();
        assert_eq!(listed.len(), 1, "{key:?}");
        assert_eq!(listed[0].key, key);
        let read = folder.get(&key, Some(&listed[0].etag)).unwrap();
        assert_eq!(read, Fetched::Bytes(Bytes::from(name)));
    }
    assert_eq!(folder.list("input/", "").unwrap().len(), names.len());
    assert_eq!(folder.list("absent/", "").unwrap(), []);
}

#[test]
fn another_content_is_changed_and_no_content_is_missing() {
    let (_root, folder) = folder();
    folder.put("a", b"1").unwrap();
    let etag = folder.list("a", "").unwrap()[0].etag.clone();
    folder.put("a", b"2").unwrap();
    assert_eq!(folder.get("a", Some(&etag)).unwrap(), Fetched::Changed);
    assert_eq!(folder.get("b", None).unwrap(), Fetched::Missing);
    assert_eq!(folder.get("a/b", None).unwrap(), Fetched::Missing);
}

#[test]
fn put_new_never_replaces_and_leaves_nothing_behind() {
    let (_root, folder) = folder();
    assert_eq!(folder.put_new("x/a", b"1").unwrap(), PutNew::Created);
    assert_eq!(folder.put_new("x/a", b"2").unwrap(), PutNew::Exists);
    assert_eq!(
        folder.get("x/a", None).unwrap(),
        Fetched::Bytes(Bytes::from("1"))
    );
    assert_eq!(folder.list("", "").unwrap().len(), 1);
    let partials = std::fs::read_dir(folder.root.join(PARTIAL)).unwrap();
    assert_eq!(partials.count(), 0);
}

#[test]
fn copy_is_made_once_and_replaces_nothing() {
    let (_root, folder) = folder();
    let long = vec![b'x'; 3 * PIECE + 1];
    folder.put("a", &long).unwrap();
    let etag = folder.list("a", "").unwrap()[0].etag.clone();
    let copy = |from: &str, to: &str| folder.copy_new(from, &etag, to).unwrap();
    assert_eq!(copy("a", "x/b"), Copied::Created);
    assert_eq!(copy("a", "x/b"), Copied::Same);
    assert_eq!(folder.size_of("x/b").unwrap(), Some(long.len() as u64));
    folder.put("c", &long[1..]).unwrap();
    assert_eq!(copy("a", "c"), Copied::Other);
    assert_eq!(copy("absent", "d"), Copied::Missing);
    folder.put("a", b"1").unwrap();
    assert_eq!(copy("a", "d"), Copied::Changed);
    assert_eq!(folder.size_of("d").unwrap(), None);
    assert_eq!(std::fs::read_dir(&folder.partials).unwrap().count(), 0);
}

#[test]
fn file_is_removed_only_as_long_as_it_is_the_one_that_is_meant() {
    let (root, folder) = folder();
    folder.put("in/a", b"1").unwrap();
    let found = folder.find("in/a").unwrap().unwrap();
    assert_eq!(folder.list("in/", "").unwrap().first(), Some(&found));
    let remove = |etag: &str| folder.remove("in/a", etag).unwrap();
    assert_eq!(remove("another"), Removed::Changed);
    assert_eq!(remove(&found.etag), Removed::Done);
    assert_eq!(remove(&found.etag), Removed::Missing);
    assert_eq!(folder.find("in/a").unwrap(), None);
    assert_eq!(folder.find("in").unwrap(), None);

    // A link goes, what it leads to stays.
    folder.put("in/b", b"2").unwrap();
    std::os::unix::fs::symlink("b", root.path().join("in/a")).unwrap();
    let link = folder.find("in/a").unwrap().unwrap();
    assert_eq!(remove(&link.etag), Removed::Done);
    assert_eq!(folder.list("in/", "").unwrap().len(), 1);
    assert_eq!(std::fs::read_dir(&folder.partials).unwrap().count(), 0);
}

#[test]
fn file_that_is_replaced_while_it_is_removed_stays() {
    let (_root, folder) = folder();
    folder.put("a", b"1").unwrap();
    let etag = folder.find("a").unwrap().unwrap().etag;
    let replace = || folder.put("a", b"2").unwrap();
    let removed = folder.remove_after("a", &etag, replace).unwrap();
    assert_eq!(removed, Removed::Changed);
    assert_eq!(folder.get("a", None).unwrap(), Fetched::Bytes("2".into()));
    assert_eq!(std::fs::read_dir(&folder.partials).unwrap().count(), 0);
}

#[test]
fn listing_enters_only_folders_that_begin_with_the_prefix() {
    let (_root, folder) = folder();
    for key in ["in/a1/x", "in/a2/y/z", "in/b/x", "in/a", "inner/a"] {
        folder.put(key, b"1").unwrap();
    }
    let keys = |prefix: &str| {
        let listed = folder.list(prefix, "").unwrap();
        let mut keys: Vec<_> = listed.into_iter().map(|object| object.key).collect();
        keys.sort();
        keys
    };
    assert_eq!(keys("in/a"), ["in/a", "in/a1/x", "in/a2/y/z"]);
    assert_eq!(keys("in/a1/"), ["in/a1/x"]);
    assert_eq!(keys("in").len(), 5);
}

#[test]
fn key_never_leaves_the_folder() {
    let (_root, folder) = folder();
    for key in ["../a", "/etc/passwd", "a/../../b", "", "a/", "a//b", "./a"] {
        assert!(folder.put(key, b"x").is_err(), "{key}");
    }
}
