//! The section `[source]`: paths, ages, and what becomes of objects that were taken.

use esteira::{Pipeline, check_together};
use insta::assert_snapshot;

use super::{told, written};

const PATH: &str = "path = \"input/*.json\"";

async fn told_of(source: &str) -> String {
    told(&[("pipeline.toml", PATH, source)]).await
}

#[tokio::test]
async fn every_setting_of_the_source_at_once_is_right() {
    let all = r#"paths = ["input/a/*.json", "input/b/**"]
min_age_seconds = 60
max_age_hours = 48
after = "archive"
archive = "archive/loja"

[source.notifications]
queue = "https://sqs.sa-east-1.amazonaws.com/123456789012/loja"
list_every_seconds = 600"#;
    assert_eq!(told_of(all).await, "");
    assert_eq!(told_of("path = \"input/*\"\nafter = \"archive\"").await, "");
    let named = "path = \"input/*\"\n[source.notifications]\nqueue = \"loja\"";
    assert_eq!(told_of(named).await, "");
}

#[tokio::test]
async fn no_path() {
    assert_snapshot!(told_of("min_age_seconds = 5").await, @r#"
    error: pipeline.toml:3:1: no path says which objects are taken
    hint: add `path = "input/*.json"`, or `paths` with a list of such paths
    "#);
}

#[tokio::test]
async fn path_and_paths() {
    assert_snapshot!(told_of("path = \"a/*\"\npaths = [\"b/*\"]").await, @r"
    error: pipeline.toml:5:9: `path` and `paths` are both given
    hint: keep one of them
    ");
}

#[tokio::test]
async fn paths_that_are_none() {
    assert_snapshot!(told_of("paths = []").await, @r"error: pipeline.toml:4:9: `source.paths` is empty");
}

#[tokio::test]
async fn paths_of_which_some_are_wrong() {
    let paths = "paths = [\"input/*\", \"\", \"in/[a\", \"raw/loja/x/*\"]";
    assert_snapshot!(told_of(paths).await, @r"
    error: pipeline.toml:4:21: a path of `source.paths` is empty
    error: pipeline.toml:4:25: path `in/[a`: a `[` is not closed
    error: pipeline.toml:4:34: the input is in `raw/loja`, where the originals are written: nothing of it is taken
    hint: what a pipeline writes is never its input: name another folder
    ");
}

#[tokio::test]
async fn list_where_one_path_is_expected() {
    assert_snapshot!(told_of("path = [\"a/*\", \"b/*\"]").await, @r"error: pipeline.toml:4:8: invalid type: sequence, expected a string");
}

#[tokio::test]
async fn misspelt_keys() {
    let source = format!(
        "{PATH}\nmin_age_second = 5\nafer = \"keep\"\n[source.notification]\nqueue = \"q\""
    );
    assert_snapshot!(told_of(&source).await, @r"
    error: pipeline.toml:5:1: unknown field `min_age_second`, expected one of `path`, `paths`, `min_age_seconds`, `max_age_hours`, `after`, `archive`, `notifications`
    hint: did you mean `min_age_seconds`?
    error: pipeline.toml:6:1: unknown field `afer`, expected one of `path`, `paths`, `min_age_seconds`, `max_age_hours`, `after`, `archive`, `notifications`
    hint: did you mean `after`?
    error: pipeline.toml:7:9: unknown field `notification`, expected one of `path`, `paths`, `min_age_seconds`, `max_age_hours`, `after`, `archive`, `notifications`
    hint: did you mean `notifications`?
    ");
}

#[tokio::test]
async fn ages_out_of_range() {
    let source = format!("{PATH}\nmin_age_seconds = 9999999\nmax_age_hours = 0");
    assert_snapshot!(told_of(&source).await, @r"
    error: pipeline.toml:5:19: `min_age_seconds` cannot be 9999999
    hint: from 0 to 604800
    error: pipeline.toml:6:17: `max_age_hours` cannot be 0
    hint: from 1 to 876000
    ");
}

#[tokio::test]
async fn ages_that_leave_nothing() {
    let source = format!("{PATH}\nmin_age_seconds = 7200\nmax_age_hours = 2");
    assert_snapshot!(told_of(&source).await, @r"
    error: pipeline.toml:6:17: objects would be too old before they are old enough: nothing is taken
    hint: `max_age_hours` has to be longer than `min_age_seconds`
    ");
}

#[tokio::test]
async fn unknown_way_to_go_on() {
    assert_snapshot!(told_of(&format!("{PATH}\nafter = \"remove\"")).await, @r"error: pipeline.toml:5:9: unknown variant `remove`, expected one of `keep`, `delete`, `archive`");
}

#[tokio::test]
async fn archive_that_nothing_is_moved_to() {
    let source = format!("{PATH}\nafter = \"delete\"\narchive = \"archive\"");
    assert_snapshot!(told_of(&source).await, @r#"
    error: pipeline.toml:6:11: `archive` is given, and nothing is moved to `archive`
    hint: add `after = "archive"`, or leave it out
    "#);
}

#[tokio::test]
async fn archive_that_is_no_folder() {
    let source = format!("{PATH}\nafter = \"archive\"\narchive = \"archive/*\"");
    assert_snapshot!(told_of(&source).await, @r"
    error: pipeline.toml:6:11: `archive/*` cannot be a folder of the bucket: it has a wildcard, a backslash or a control character
    hint: a folder such as `archive/shop`
    ");
}

#[tokio::test]
async fn archive_in_the_input() {
    let source = format!("{PATH}\nafter = \"archive\"\narchive = \"input/done\"");
    assert_snapshot!(told_of(&source).await, @r"
    error: pipeline.toml:6:11: the archive `input/done/` is among what is listed for the input, all of `input/`
    hint: name a folder apart from the input
    ");
}

#[tokio::test]
async fn input_in_the_archive() {
    let source = "path = \"archive/loja/*\"\nafter = \"archive\"";
    assert_snapshot!(told_of(source).await, @r"
    error: pipeline.toml:4:8: the input is in `archive/loja`, where taken objects are written: nothing of it is taken
    hint: what a pipeline writes is never its input: name another folder
    ");
}

#[tokio::test]
async fn archive_among_the_originals() {
    let source = format!("{PATH}\nafter = \"archive\"\narchive = \"raw/loja/done\"");
    assert_snapshot!(told_of(&source).await, @r"
    error: pipeline.toml:6:11: the archive would be in `raw/loja/done`, the originals in `raw/loja`
    hint: give each a folder of its own
    ");
}

#[tokio::test]
async fn notifications_without_a_queue() {
    assert_snapshot!(told_of(&format!("{PATH}\n[source.notifications]")).await, @r"error: pipeline.toml:5:1: missing field `queue`");
}

#[tokio::test]
async fn queues_that_cannot_be() {
    let of = |queue: &str| format!("{PATH}\n[source.notifications]\nqueue = \"{queue}\"");
    assert_snapshot!(told_of(&of("")).await, @r"
    error: pipeline.toml:6:9: `` cannot be a queue
    hint: give the queue's URL as SQS shows it, or its name
    ");
    assert_snapshot!(told_of(&of("arn:aws:sqs:us-east-1:123456789012:loja")).await, @r"
    error: pipeline.toml:6:9: `arn:aws:sqs:us-east-1:123456789012:loja` cannot be a queue
    hint: give the queue's URL as SQS shows it, or its name, not its ARN
    ");
    assert_snapshot!(told_of(&of("ftp://x")).await, @r"
    error: pipeline.toml:6:9: `ftp://x` cannot be a queue
    hint: a URL such as `https://sqs.sa-east-1.amazonaws.com/123456789012/shop`
    ");
    assert_snapshot!(told_of(&of("two words")).await, @r"
    error: pipeline.toml:6:9: `two words` cannot be a queue
    hint: give the queue's URL as SQS shows it, or its name
    ");
}

#[tokio::test]
async fn listing_that_never_comes() {
    let source = format!("{PATH}\n[source.notifications]\nqueue = \"q\"\nlist_every_seconds = 0");
    assert_snapshot!(told_of(&source).await, @r"
    error: pipeline.toml:7:22: `list_every_seconds` cannot be 0
    hint: from 1 to 604800
    ");
}

async fn pipeline(name: &str, source: &str) -> Pipeline {
    let named = format!("name = \"{name}\"");
    let tables = format!("[output]\ntables = \"analytics/{name}\"\n\n[event]");
    let folder = written(&[
        ("pipeline.toml", "name = \"loja\"", &named),
        ("pipeline.toml", PATH, source),
        ("pipeline.toml", "[event]", &tables),
    ]);
    let files = Pipeline::files(folder.path().to_str().unwrap()).unwrap();
    files.load().await.unwrap()
}

#[tokio::test]
async fn pipeline_that_takes_away_what_another_reads() {
    let reader = pipeline("um", "path = \"input/**\"").await;
    let deleting = pipeline("dois", &format!("{PATH}\nafter = \"delete\"")).await;
    let moving = pipeline(
        "tres",
        "paths = [\"x/*\", \"input/a/*\"]\nafter = \"archive\"",
    )
    .await;
    let apart = pipeline("quatro", "path = \"input4/*\"\nafter = \"delete\"").await;
    let together = |pipelines: &[&Pipeline]| check_together(pipelines).join("\n");
    assert_snapshot!(together(&[&reader, &deleting]), @r#"`dois` deletes what it has taken of `input/*.json`, and `um` may not have taken it yet from `input/**`: let it stay (`after = "keep"`), or give each a folder of its own"#);
    assert_snapshot!(together(&[&moving, &reader]), @r#"`tres` moves away what it has taken of `input/a/*`, and `um` may not have taken it yet from `input/**`: let it stay (`after = "keep"`), or give each a folder of its own"#);
    assert_eq!(together(&[&reader, &apart]), "");
    assert_eq!(together(&[&deleting, &moving, &apart]), "");
    let of_archive = pipeline("cinco", "path = \"archive/tres/*\"").await;
    assert_eq!(together(&[&moving, &of_archive]), "");
    let same_archive = "path = \"y/*\"\nafter = \"archive\"\narchive = \"archive/tres\"";
    let same_archive = pipeline("seis", same_archive).await;
    assert_snapshot!(together(&[&moving, &same_archive]), @"the archive of `seis` would be in `archive/tres`, the archive of `tres` in `archive/tres`");
}
