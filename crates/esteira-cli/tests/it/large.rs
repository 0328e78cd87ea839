//! Objects that are too large to be held.

use esteira_lake::bucket::Copied;
use insta::assert_snapshot;

use crate::objects::{Library, event};
use crate::place::Place;
use crate::simulator::shop;

#[test]
fn service_copies_an_object_once_and_replaces_nothing() {
    let (_simulator, place) = shop();
    let library = Library::open(&place, "s3://itau-shop");
    for key in ["in/a.json", "in/ó+ %.json", "in/a b/x.json"] {
        library.put(key, b"content");
        let known = library.known(key);
        let to = format!("raw/{key}");
        assert_eq!(library.copy_new(&known, &to), Copied::Created, "{key}");
        assert_eq!(library.copy_new(&known, &to), Copied::Same, "{key}");
        assert_eq!(library.objects(&to)[0].bytes, b"content", "{key}");
    }
    let known = library.known("in/a.json");
    library.put("other", b"anothe!");
    assert_eq!(library.copy_new(&known, "other"), Copied::Other);
    assert_eq!(library.objects("other")[0].bytes, b"anothe!");
    library.put("in/a.json", b"changed");
    assert_eq!(library.copy_new(&known, "new"), Copied::Changed);
    let mut absent = known;
    absent.key.push('x');
    assert_eq!(library.copy_new(&absent, "new"), Copied::Missing);
    assert!(library.objects("new").is_empty());
}

#[test]
fn object_that_is_too_large_is_refused_by_name_and_kept() {
    let (_simulator, place) = shop();
    place.pipeline("loja", "pipeline.toml", |text| {
        text + "\n[limits]\ndecompressed_mebibytes_per_object = 1\nevent_mebibytes = 1\n"
    });
    let library = Library::open(&place, "s3://itau-shop");
    let large = vec![b' '; 3 << 20];
    library.put("input/a.json", &large);
    library.put("input/b.json", event("b").as_bytes());
    place.ask(&["run", "loja", "--once"]);
    assert_eq!(
        refusals(&place),
        "input/a.json event 0  too_large: the object has 3145728 bytes, more than the 1048576 that `limits.decompressed_mebibytes_per_object` allows; raise it"
    );
    let kept = library.objects("raw/marketing_place/");
    assert_eq!(kept.len(), 2);
    assert!(kept[0].key.ends_with("/a.json") && kept[0].bytes == large);

    let listed = place.ask(&["quarantine", "list", "loja"]);
    let id = listed.split_whitespace().next().unwrap();
    let mut shown = place.failure(&["quarantine", "show", id, "loja", "--original"]);
    let day = kept[0].key.split('/').nth(2).unwrap();
    shown = shown.replace(day, "<day>");
    assert_snapshot!(shown, @r"
    exit 1
    error: the entry has too many bytes to be kept in the quarantine
    hint: `raw/marketing_place/<day>/a.json` in the bucket has them
    ");
    place.ask(&["verify", "loja"]);
}

/// What `quarantine list` says behind the batch.
fn refusals(place: &Place) -> String {
    let listed = place.ask(&["quarantine", "list", "loja"]);
    let lines = listed
        .lines()
        .map(|line| line.splitn(5, ' ').nth(4).unwrap().trim());
    lines.collect::<Vec<_>>().join("\n")
}
