//! Kinds of table as a user meets them: product reviews from end to end, and what is said of wrong ones.

use insta::assert_snapshot;

use crate::account::without_times;
use crate::place::Place;

fn review(customer: &str, day: u32, status: &str) -> String {
    format!(
        "{{\"product_id\":1,\"customer_id\":\"{customer}\",\"rating\":{day},\"status\":\"{status}\",\
         \"updated_at\":\"2024-05-{day:02}T12:00:00Z\"}}\n"
    )
}

/// Two reviews, one of them edited, the other removed, and an older edit of the latter that came late.
fn shop(place: &Place) -> String {
    let bucket = place.folder_bucket("balde");
    for (name, content) in [
        (
            "a",
            review("ana", 1, "PUBLISHED") + &review("bia", 2, "PUBLISHED") + "{\"product_id\":1}\n",
        ),
        (
            "b",
            review("ana", 4, "HIDDEN") + &review("bia", 5, "REMOVED"),
        ),
        ("late", review("bia", 3, "HIDDEN")),
    ] {
        place.write(&format!("balde/reviews/{name}.ndjson"), content);
        place.ask(&["run", "product_reviews", "--once", "--bucket", &bucket]);
    }
    bucket
}

#[test]
fn reviews_are_in_a_table_of_each_kind() {
    let place = Place::new();
    let bucket = shop(&place);
    let ask = |question: &str| {
        place.ask(&[
            "sql",
            question,
            "--format",
            "csv",
            "--pipeline",
            "product_reviews",
            "--bucket",
            &bucket,
        ])
    };
    assert_snapshot!(ask("SELECT customer_id, status, updated_at FROM reviews"), @r#"
    customer_id,status,updated_at
    ana,HIDDEN,2024-05-04T12:00:00Z
    "#);
    let history =
        "SELECT customer_id, status, valid_from, valid_to FROM review_history ORDER BY 1, 3";
    assert_snapshot!(ask(history), @r#"
    customer_id,status,valid_from,valid_to
    ana,PUBLISHED,2024-05-01T12:00:00Z,2024-05-04T12:00:00Z
    ana,HIDDEN,2024-05-04T12:00:00Z,
    bia,PUBLISHED,2024-05-02T12:00:00Z,2024-05-03T12:00:00Z
    bia,HIDDEN,2024-05-03T12:00:00Z,2024-05-05T12:00:00Z
    "#);
    assert_snapshot!(ask("SELECT count(*) AS events FROM review_log"), @r#"
    events
    5
    "#);
    assert_snapshot!(ask("SELECT customer_id, deleted_at FROM reviews_deleted"), @r#"
    customer_id,deleted_at
    bia,2024-05-05T12:00:00Z
    "#);
    let verified = place.ask(&["verify", "product_reviews", "--bucket", &bucket]);
    assert_snapshot!(without_times(&verified), @r#"
    reviews                1 rows, each what the originals make (digest #)
    reviews_deleted        1 rows, each what the originals make (digest #)
    review_history         4 rows, each what the originals make (digest #)
    review_history_deleted 1 rows, each what the originals make (digest #)
    review_log             5 rows, each what the originals make (digest #)
    quarantine             1 rows, each what the originals make (digest #)
    3 batches, 6 events replayed
    "#);
    let status = place.ask(&["status", "product_reviews", "--bucket", &bucket]);
    let tables: Vec<&str> = status
        .lines()
        .filter(|line| line.starts_with("  "))
        .collect();
    assert_snapshot!(tables.join("\n"), @r#"
    quarantine             version 1
    review_history         version 3
    review_history_deleted version 1
    review_log             version 3
    reviews                version 2
    reviews_deleted        version 1
    "#);
}

#[test]
fn why_knows_deletions_versions_and_single_events() {
    let place = Place::new();
    let bucket = shop(&place);
    let why = |asked: &[&str]| {
        let all = ["why", "--pipeline", "product_reviews", "--bucket", &bucket];
        without_times(&place.ask(&[&all, asked].concat()))
    };
    assert_snapshot!(why(&["reviews", "1", "bia"]), @r#"
    reviews product_id=1 customer_id=bia
      deleted      #  reviews/b.ndjson event 1  batch 2  raw/product_reviews/dt_processamento=#/b.ndjson
      late         #  reviews/late.ndjson event 0  batch 3  raw/product_reviews/dt_processamento=#/late.ndjson
      replaced     #  reviews/a.ndjson event 1  batch 1  raw/product_reviews/dt_processamento=#/a.ndjson
      the table has no row of this key
    "#);
    assert_snapshot!(why(&["review_history", "1", "bia"]), @r#"
    review_history product_id=1 customer_id=bia
      deleted      #  reviews/b.ndjson event 1  batch 2  raw/product_reviews/dt_processamento=#/b.ndjson
      won          #  reviews/late.ndjson event 0  batch 3  raw/product_reviews/dt_processamento=#/late.ndjson
      won          #  reviews/a.ndjson event 1  batch 1  raw/product_reviews/dt_processamento=#/a.ndjson
    "#);
    assert_snapshot!(why(&["review_log", "reviews/a.ndjson", "1"]), @r#"
    review_log _source_file=reviews/a.ndjson _source_position=1
      won          #  reviews/a.ndjson event 1  batch 1  raw/product_reviews/dt_processamento=#/a.ndjson
    "#);
    assert_snapshot!(why(&["review_log", "reviews/a.ndjson", "2"]), @r#"
    review_log _source_file=reviews/a.ndjson _source_position=2
      quarantined  #  reviews/a.ndjson event 2  batch 1  `customer_id` is required, but missing
      the table has no row of this key
    "#);
}

/// What is said to the reviews' pipeline with one change in one file.
fn with(file: &str, from: &str, to: &str) -> String {
    let place = Place::new();
    place.copy_of("product_reviews", "loja", file, |text| {
        text.replacen(from, to, 1)
    });
    let bucket = place.folder_bucket("balde");
    place.failure(&["run", "loja", "--once", "--bucket", &bucket])
}

fn with_config(from: &str, to: &str) -> String {
    with("pipeline.toml", from, to)
}

const CONDITION: &str = "status = 'REMOVED'\"\n\n# One row a version";

#[test]
fn kind_that_does_not_exist_gets_the_nearest() {
    assert_snapshot!(with_config("\"history\"", "\"histroy\""), @r#"
    exit 3
    error: loja/pipeline.toml:22:8: unknown variant `histroy`, expected one of `latest`, `append`, `history`
    hint: did you mean `history`?
    "#);
}

#[test]
fn key_and_head_have_to_fit_the_kind() {
    assert_snapshot!(with_config("\"append\"", "\"history\""), @r#"
    exit 3
    error: loja/pipeline.toml:28:8: table `review_log` needs either a `key` or a `head`
    hint: `key`: one row a key; `head`: all rows of its head's event
    "#);
    assert_snapshot!(with_config("\"append\"", "\"append\"\nkey = [\"product_id\"]"), @r#"
    exit 3
    error: loja/pipeline.toml:30:7: table `review_log` has every event once: it has neither a `key` nor a `head`
    hint: leave it out, or choose another kind
    "#);
    assert_snapshot!(with_config("kind = \"append\"", "head = \"review_history\""), @r#"
    exit 3
    error: loja/pipeline.toml:29:8: table `review_log`: its head `review_history` is a history, which cannot be one
    hint: tables with a `key` are `reviews`
    "#);
    assert_snapshot!(with_config("\"append\"", "\"append\"\nhead = \"reviews\""), @r#"
    exit 3
    error: loja/pipeline.toml:30:8: table `review_log` has every event once: it has neither a `key` nor a `head`
    hint: leave it out, or choose another kind
    "#);
    assert_snapshot!(with_config("\"append\"", "\"history\"\nhead = \"reviews\""), @r#"
    exit 3
    error: loja/pipeline.toml:29:8: table `review_log` has a `head`, which says what it is: it has no `kind`
    hint: leave `kind` out
    "#);
}

#[test]
fn condition_that_is_none_is_told_where_it_stands() {
    let condition = |text: &str| with_config(CONDITION, &format!("{text}\"\n# One row a version"));
    assert_snapshot!(condition("state = 'REMOVED'"), @r"
    exit 3
    error: loja/pipeline.toml:17:15: table `reviews`: `delete_when`: there is no column `state`
    hint: `events` has the columns product_id, customer_id, rating, title, body, status, verified_purchase, updated_at, _rescued_data, _source_file, _source_modified, _source_position
    ");
    assert_snapshot!(condition("status = "), @r"
    exit 3
    error: loja/pipeline.toml:17:15: table `reviews`: `delete_when`: expected: an expression, found: EOF
    hint: `events` has the columns product_id, customer_id, rating, title, body, status, verified_purchase, updated_at, _rescued_data, _source_file, _source_modified, _source_position
    ");
    assert_snapshot!(condition("rating"), @r"
    exit 3
    error: loja/pipeline.toml:17:15: table `reviews`: `delete_when`: the condition is INT, neither true nor false
    hint: write a comparison, for instance `price >= 0`
    ");
    assert_snapshot!(condition("_processed_at > updated_at"), @r"
    exit 3
    error: loja/pipeline.toml:17:15: table `reviews`: `delete_when`: there is no column `_processed_at`
    hint: `events` has the columns product_id, customer_id, rating, title, body, status, verified_purchase, updated_at, _rescued_data, _source_file, _source_modified, _source_position
    ");
    assert_snapshot!(condition("updated_at < now()"), @r"
    exit 3
    error: loja/pipeline.toml:17:15: table `reviews`: `delete_when`: the condition looks beyond its row
    hint: no aggregates, windows, subqueries, nor functions that answer anew each time
    ");
    assert_snapshot!(condition("rating = max(rating)"), @r"
    exit 3
    error: loja/pipeline.toml:17:15: table `reviews`: `delete_when`: the condition looks beyond its row
    hint: no aggregates, windows, subqueries, nor functions that answer anew each time
    ");
    assert_snapshot!(condition("exists (SELECT 1)"), @r"
    exit 3
    error: loja/pipeline.toml:17:15: table `reviews`: `delete_when`: the condition looks beyond its row
    hint: no aggregates, windows, subqueries, nor functions that answer anew each time
    ");
    assert_snapshot!(condition("verified_purchase > updated_at"), @r"
    exit 3
    error: loja/pipeline.toml:17:15: table `reviews`: `delete_when`: expressions have incompatible types
    hint: `events` has the columns product_id, customer_id, rating, title, body, status, verified_purchase, updated_at, _rescued_data, _source_file, _source_modified, _source_position
    ");
}

#[test]
fn deletions_need_a_table_that_can_have_them() {
    let rule = "\ndelete_when = \"rating = 1\"";
    assert_snapshot!(with_config("\"append\"", &format!("\"append\"{rule}")), @r#"
    exit 3
    error: loja/pipeline.toml:30:15: table `review_log` has every event once: nothing can be deleted from it
    hint: leave it out, or choose another kind
    "#);
    assert_snapshot!(with_config("kind = \"append\"", &format!("head = \"reviews\"{rule}")), @r#"
    exit 3
    error: loja/pipeline.toml:30:15: table `review_log` has a `head`: `delete_when` belongs there
    hint: say it in `reviews`: the rows of `review_log` go with its row
    "#);
    assert_snapshot!(with_config("\"review_log\"", "\"reviews_deleted\""), @r#"
    exit 3
    error: loja/pipeline.toml:28:8: no table can be called `reviews_deleted`: it is where `reviews` keeps what was deleted
    hint: give it another name
    "#);
}

#[test]
fn columns_that_a_kind_adds_cannot_be_the_models() {
    let file = "models/review_history.sql";
    assert_snapshot!(with(file, "status", "status, updated_at AS valid_from"), @r#"
    exit 3
    error: loja/models/review_history.sql:1:1: the model of table `review_history` gives column `valid_from`, which a history adds by itself
    hint: give it another name
    "#);
}
