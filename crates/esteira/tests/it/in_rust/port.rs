//! The program in `examples/port.rs`, on a folder, with its rows written by hand.

#[path = "../../../examples/port.rs"]
#[allow(dead_code, reason = "its `main` is for the command line")]
mod program;

use std::path::Path;
use std::sync::Arc;

use datafusion::assert_batches_eq;
use esteira::{Clock, Fate, Silent, Submit, SystemClock};
use tempfile::TempDir;

/// Two containers whose check digits are right, and one whose last digit is another.
const FIRST: &str = "CSQU3054383";
const SECOND: &str = "MSKU0000011";
const BROKEN: &str = "CSQU3054384";

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("moves")).unwrap();
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn put(&self, name: &str, text: &str) {
        let file = self.path().join("moves").join(format!("{name}.json"));
        std::fs::write(file, text).unwrap();
    }

    fn submit(&self) -> Submit {
        program::on(self.path().to_str().unwrap())
    }

    async fn run(&self) {
        self.submit().once(true).run().await.unwrap();
    }

    async fn ask(&self, question: &str) -> Vec<datafusion::arrow::array::RecordBatch> {
        let lake = self.submit().lake().await.unwrap();
        let session = lake.session().await.unwrap();
        let rows = session.sql(question).await.unwrap();
        rows.collect().await.unwrap()
    }
}

fn of(container: &str, status: &str, terminal: &str, hour: u32, seals: &str) -> String {
    format!(
        "{{\"container\":\"{container}\",\"status\":\"{status}\",\"terminal\":\"{terminal}\",\
         \"gross_kg\":1234.56,\"moved_at\":\"2026-05-01T{hour:02}:00:00Z\",\"seals\":{seals}}}\n"
    )
}

const ONE_SEAL: &str = "[{\"number\":\"BR-1\",\"fixed_by\":\"customs\"}]";
const TWO_SEALS: &str =
    "[{\"number\":\"BR-2\",\"fixed_by\":\"customs\"},{\"number\":\"X-9\",\"fixed_by\":null}]";

/// A container that comes and is moved, one that leaves, one that is none; a late event of each kind.
async fn played() -> Place {
    let place = Place::new();
    place.put("1", &of(FIRST, "IN", "T1", 8, ONE_SEAL));
    place.put("2", &of(SECOND, "IN", "T1", 8, ONE_SEAL));
    place.put("3", &of(BROKEN, "IN", "T1", 8, ONE_SEAL));
    place.run().await;
    place.put("4", &of(FIRST, "MOVED", "T2", 10, TWO_SEALS));
    place.put("5", &of(SECOND, "LEFT", "T1", 10, "null"));
    place.run().await;
    place.put("6", &of(FIRST, "MOVED", "T9", 9, ONE_SEAL));
    place.put("7", &of(SECOND, "MOVED", "T9", 9, ONE_SEAL));
    place.run().await;
    place
}

#[tokio::test(flavor = "multi_thread")]
async fn example_makes_these_rows() {
    let place = played().await;
    assert_batches_eq!(
        [
            "+-------------+----------+----------+----------------------+",
            "| container   | terminal | gross_kg | moved_at             |",
            "+-------------+----------+----------+----------------------+",
            "| CSQU3054383 | T2       | 1234.6   | 2026-05-01T10:00:00Z |",
            "+-------------+----------+----------+----------------------+",
        ],
        &place
            .ask("SELECT container, terminal, gross_kg, moved_at FROM containers")
            .await
    );
    assert_batches_eq!(
        [
            "+-------------+--------+----------+",
            "| container   | number | fixed_by |",
            "+-------------+--------+----------+",
            "| CSQU3054383 | BR-2   | customs  |",
            "| CSQU3054383 | X-9    |          |",
            "+-------------+--------+----------+",
        ],
        &place
            .ask("SELECT container, number, fixed_by FROM seals ORDER BY number")
            .await
    );
    assert_batches_eq!(
        [
            "+-------------+----------+--------+----------+",
            "| container   | is_valid | status | terminal |",
            "+-------------+----------+--------+----------+",
            "| CSQU3054383 | true     | IN     | T1       |",
            "| CSQU3054383 | true     | MOVED  | T9       |",
            "| CSQU3054383 | true     | MOVED  | T2       |",
            "| CSQU3054384 | false    | IN     | T1       |",
            "| MSKU0000011 | true     | IN     | T1       |",
            "| MSKU0000011 | true     | MOVED  | T9       |",
            "| MSKU0000011 | true     | LEFT   | T1       |",
            "+-------------+----------+--------+----------+",
        ],
        &place
            .ask("SELECT container, is_valid, status, terminal FROM moves ORDER BY 1, moved_at")
            .await
    );
    // What the process can call, questions can.
    assert_batches_eq!(
        [
            "+---+", //
            "| n |", "+---+", "| 1 |", "+---+",
        ],
        &place
            .ask("SELECT count(*) AS n FROM moves WHERE NOT valid_container(container)")
            .await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_reads_works_with_a_process_in_rust() {
    let place = played().await;
    let lake = place.submit().lake().await.unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let checked = esteira::verify(&lake, scratch.path(), Arc::new(Silent))
        .await
        .unwrap();
    assert!(checked.holds(), "{checked:#?}");
    assert_eq!(checked.batches_of_other_rules, 0);
    let tables: Vec<&str> = checked.tables.iter().map(|t| t.table.as_str()).collect();
    assert!(
        ["containers", "containers_deleted", "seals", "moves"]
            .iter()
            .all(|t| tables.contains(t))
    );

    let replayed = esteira::replay(&lake, "anew", None, Arc::new(Silent))
        .await
        .unwrap();
    assert_eq!((replayed.batches, replayed.events), (3, 7));

    let fates = async |table: &str, key: &str| -> Vec<Fate> {
        let why = esteira::why(&lake, table, &[key.to_owned()], &Silent)
            .await
            .unwrap();
        assert!(why.agrees(), "{why:#?}");
        why.events.iter().map(|event| event.fate).collect()
    };
    assert_eq!(
        fates("containers", FIRST).await,
        [Fate::Won, Fate::Late, Fate::Replaced]
    );
    assert_eq!(fates("containers", SECOND).await[0], Fate::Deleted);
    assert_eq!(fates("containers", BROKEN).await, [Fate::Dropped]);
    assert_eq!(
        fates("seals", FIRST).await,
        [Fate::Won, Fate::Late, Fate::Replaced]
    );

    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let status = esteira::status(&lake, &clock).await.unwrap();
    assert_eq!(
        (status.process.as_str(), status.waiting_objects),
        ("port", 0)
    );
    let totals = status.last_batch.unwrap().totals;
    assert_eq!(totals.events.discovered, 7);
    assert_eq!(totals.rules["containers.valid_number"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn quarantine_of_a_process_in_rust_is_retried_with_the_rules_of_today() {
    let place = Place::new();
    place.put(
        "1",
        &of(FIRST, "IN", "T1", 8, TWO_SEALS).replace("\"T1\"", "null"),
    );
    place.put("2", &of(SECOND, "IN", "T1", 8, "[]"));
    let strict = place.submit().schema(
        "CREATE TABLE moves (container STRING NOT NULL, status STRING, terminal STRING NOT NULL, \
         gross_kg DECIMAL(9,1), moved_at TIMESTAMP NOT NULL, \
         seals ARRAY<STRUCT<number: STRING, fixed_by: STRING>>)",
    );
    let summary = strict.once(true).run().await.unwrap();
    assert_eq!((summary.events, summary.quarantined), (2, 1));
    let lake = place.submit().lake().await.unwrap();
    let retried = esteira::retry(&lake, &[], Arc::new(Silent)).await.unwrap();
    assert_eq!(
        (retried.entries, retried.events, retried.quarantined),
        (1, 1, 0)
    );
    assert_batches_eq!(
        [
            "+-------------+----------+--------+",
            "| container   | terminal | number |",
            "+-------------+----------+--------+",
            "| CSQU3054383 |          | BR-2   |",
            "| CSQU3054383 |          | X-9    |",
            "| MSKU0000011 | T1       |        |",
            "+-------------+----------+--------+",
        ],
        &place
            .ask(
                "SELECT c.container, terminal, number FROM containers c \
                 LEFT JOIN seals s ON c.container = s.container ORDER BY 1, 3"
            )
            .await
    );
    let lake = place.submit().lake().await.unwrap();
    let mut left = 0;
    esteira::quarantine(&lake, |_| left += 1).await.unwrap();
    assert_eq!(left, 0);
}
