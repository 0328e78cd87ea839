//! Which objects the command takes, what it says of those that it leaves, and what becomes of those it took.

use esteira_lake::bucket::{Copied, Removed};
use insta::assert_snapshot;

use crate::objects::{Library, drop_into, event};
use crate::place::Place;
use crate::simulator::shop;

const BUCKET: &str = "s3://itau-shop";
const PATH: &str = "path = \"input/*.json\"";

fn pipeline(place: &Place, source: &str) {
    place.pipeline("loja", "pipeline.toml", |text| text.replace(PATH, source));
}

#[test]
fn object_is_removed_as_long_as_it_is_the_one_that_is_meant() {
    let (_simulator, place) = shop();
    let library = Library::open(&place, BUCKET);
    for key in ["input/a b+%2F?.json", "input/é🚚.json", "input/empty"] {
        library.put(key, b"1");
        let first = library.known(key);
        let found = library.find(key).unwrap();
        assert_eq!((&found.etag, found.size), (&first.etag, 1));
        // The answer to a HEAD has whole seconds.
        assert_eq!(
            found.modified_micros,
            first.modified_micros / 1_000_000 * 1_000_000
        );
        library.put(key, b"22");
        assert_eq!(library.remove(key, &first.etag), Removed::Changed);
        let second = library.known(key);
        assert_eq!(library.remove(key, &second.etag), Removed::Done);
        assert_eq!(library.remove(key, &second.etag), Removed::Missing);
        assert_eq!(library.find(key), None);
    }
    // No URL names it, and it is found all the same.
    library.put("input/x", b"1");
    let dots = "input/../x";
    assert_eq!(library.find(dots), None);

    library.put("input/nothing", b"");
    let nothing = library.known("input/nothing");
    assert_eq!(
        library.copy_new(&nothing, "archive/nothing"),
        Copied::Created
    );
    assert_eq!(library.copy_new(&nothing, "archive/nothing"), Copied::Same);
    library.put("archive/other", b"1");
    assert_eq!(library.copy_new(&nothing, "archive/other"), Copied::Other);
    library.put("input/nothing", b"1");
    assert_eq!(library.copy_new(&nothing, "archive/more"), Copied::Changed);
}

#[test]
fn input_on_s3_is_empty_when_everything_was_taken() {
    for (after, archived) in [("delete", 0), ("archive", 4)] {
        let (_simulator, place) = shop();
        pipeline(&place, &format!("path = \"input/**\"\nafter = \"{after}\""));
        let library = Library::open(&place, BUCKET);
        for key in ["input/a.json", "input/b c+é.json", "input/d/a.json"] {
            library.put(key, event(key).as_bytes());
        }
        library.put("input/empty", b"");
        place.ask(&["run", "loja", "--once", "--bucket", BUCKET]);
        assert_eq!(library.objects("input/").len(), 0, "{after}");
        assert_eq!(library.objects("archive/marketing_place/").len(), archived);
        place.ask(&["verify", "loja", "--bucket", BUCKET]);
        let status = place.ask(&["status", "loja", "--bucket", BUCKET]);
        assert!(!status.contains("clean-up"), "{status}");
    }
}

#[test]
fn check_tells_what_becomes_of_objects_and_where_new_ones_are_told() {
    let place = Place::new();
    let source = "paths = [\"input/a/*.json\", \"late/**\"]\nafter = \"archive\"\n\n\
                  [source.notifications]\nqueue = \"shop\"";
    pipeline(&place, source);
    let said = place.ask(&["check", "loja"]);
    let head: Vec<&str> = said.lines().take(3).collect();
    assert_snapshot!(head.join("\n"), @r"
    marketing_place: input/a/*.json, late/** → analytics/, originals in raw/marketing_place/
      objects that were taken are moved to archive/marketing_place/
      new objects are told by the queue shop, and listed every 3600 s
    ");
    pipeline(&place, &format!("{PATH}\nafter = \"delete\""));
    let said = place.ask(&["check", "loja"]);
    assert_eq!(
        said.lines().nth(1),
        Some("  objects that were taken are deleted from the input")
    );
}

#[test]
fn objects_that_are_left_out_are_told_of() {
    let place = Place::new();
    let bucket = place.folder_bucket("balde");
    let balde = place.path("balde");
    pipeline(
        &place,
        &format!("{PATH}\nmin_age_seconds = 3600\nmax_age_hours = 48"),
    );
    for (name, hours) in [("young", 0), ("good", 24), ("old", 100), ("older", 1000)] {
        let key = format!("input/{name}.json");
        drop_into(&balde, &key, event(name).as_bytes());
        let file = std::fs::File::open(balde.join(key)).unwrap();
        let age = std::time::Duration::from_hours(hours);
        file.set_modified(std::time::SystemTime::now() - age)
            .unwrap();
    }
    let answer = place.run(&["run", "loja", "--once", "--bucket", &bucket]);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert_snapshot!(answer.err, @r"
    1 objects are younger than `min_age_seconds` and left for a later run
    2 objects are older than `max_age_hours` and not taken
    ");
    let status = place.ask(&["status", "loja", "--bucket", &bucket]);
    let left: Vec<&str> = status
        .lines()
        .filter(|line| line.starts_with("left out") || line.starts_with("freshness"))
        .collect();
    assert_snapshot!(left.join("\n"), @r"
    freshness    everything that is there is in the tables
    left out     1 objects are younger than `min_age_seconds`: they are taken later
    left out     2 objects are older than `max_age_hours`: they are not taken
    ");
    // What was taken before the rule was there goes with the next run.
    pipeline_again(
        &place,
        &format!("{PATH}\nafter = \"delete\"\nmax_age_hours = 48"),
    );
    let status = place.ask(&["status", "loja", "--bucket", &bucket]);
    assert!(
        status.contains(
            "clean-up     1 objects were taken and are still in the input; the job takes them away"
        ),
        "{status}"
    );
    let said = place.ask(&[
        "run", "loja", "--once", "--log", "live", "--bucket", &bucket,
    ]);
    assert_eq!(
        said,
        "1 batches: 1 objects, 1 events, 0 of them quarantined; 2 objects deleted from the input\n"
    );
    assert!(
        balde.join("input/old.json").exists(),
        "what was not taken stays"
    );
}

fn pipeline_again(place: &Place, source: &str) {
    std::fs::remove_dir_all(place.path("loja")).unwrap();
    pipeline(place, source);
}

#[test]
fn several_inputs_are_taken_instead_of_the_pipelines_own() {
    let place = Place::new();
    let bucket = place.folder_bucket("balde");
    for key in ["input/a.json", "b/x.json", "c/x.json", "d/x.json"] {
        drop_into(&place.path("balde"), key, event(key).as_bytes());
    }
    let inputs = ["--input", "b/*", "--input", "c/*.json"];
    let run = ["run", "--once", "--log", "live", "--bucket", &bucket];
    let said = place.ask(&[&run[..], &inputs[..]].concat());
    assert!(said.starts_with("1 batches: 2 objects, 2 events"), "{said}");
    let refused = place.run(&[
        "run",
        "--once",
        "--bucket",
        &bucket,
        "--input",
        "b/*",
        "--input",
        "raw/marketing_place/**",
    ]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
}

#[test]
fn run_with_a_pipeline_that_takes_away_what_another_reads_is_refused() {
    let place = Place::new();
    let bucket = place.folder_bucket("balde");
    pipeline(&place, &format!("{PATH}\nafter = \"delete\""));
    place.copy_of("marketing_place", "outra", "pipeline.toml", |text| {
        text.replace("name = \"marketing_place\"", "name = \"outra\"\n")
            .replace(
                "[event]",
                "[output]\ntables = \"analytics/outra\"\n\n[event]",
            )
    });
    assert_snapshot!(place.failure(&["run", "loja", "outra", "--once", "--bucket", &bucket]), @r#"
    exit 3
    error: `marketing_place` deletes what it has taken of `input/*.json`, and `outra` may not have taken it yet from `input/*.json`: let it stay (`after = "keep"`), or give each a folder of its own
    hint: `esteira check` with the same pipelines tells all of it
    "#);
}

#[test]
fn queue_of_a_folder_is_refused() {
    let place = Place::new();
    let bucket = place.folder_bucket("balde");
    pipeline(
        &place,
        &format!("{PATH}\n\n[source.notifications]\nqueue = \"shop\""),
    );
    let place = place
        .with("AWS_ACCESS_KEY_ID", "a")
        .with("AWS_SECRET_ACCESS_KEY", "b");
    assert_snapshot!(place.failure(&["run", "loja", "--bucket", &bucket]), @r"
    exit 4
    error: `file://<dir>/balde` cannot tell a queue of new objects: it is not on S3
    hint: leave `[source.notifications]` out: a folder is listed at every look
    ");
}
