//! Product reviews: random ones, and what the tables of `pipelines/product_reviews` must hold.
//!
//! Few reviews and few instants, so that ties, late events, removals and returns are the rule. The
//! reference takes all events at once and the plainest way: it sorts and looks.

use std::collections::BTreeMap;

use chrono::DateTime;
use serde_json::{Value, json};

use crate::history::History;
use crate::oracle::{InputObject, Row, instant_text};
use crate::random::Random;
use crate::rows::sort_rows;

/// 2024-03-11T00:00:00Z in microseconds.
const FIRST_WRITTEN: i64 = 1_710_115_200_000_000;

/// Random objects of reviews with about `events` events, one in ten of them broken.
pub fn random(seed: u64, events: usize) -> History {
    let mut random = Random::new(seed);
    let mut objects: Vec<InputObject> = Vec::new();
    let mut written = FIRST_WRITTEN;
    let mut left = events;
    while left > 0 {
        let count = left.min(1 + random.below(5));
        left -= count;
        let lines: Vec<String> = (0..count).map(|_| line(&mut random)).collect();
        let again = random.chance(10) && !objects.is_empty();
        let key = if again {
            objects[random.below(objects.len())].key.clone()
        } else {
            let folder = random.pick(&["", "a/", "B/"]);
            let number = objects.len();
            format!("reviews/{folder}{:02x}-{number}.ndjson", random.below(256))
        };
        let bytes = lines.concat().into_bytes();
        if objects.iter().any(|o| o.key == key && o.bytes == bytes) {
            continue;
        }
        written += 1_000_000;
        objects.push(InputObject {
            key,
            modified_micros: written,
            bytes,
        });
    }
    History { objects }
}

fn line(random: &mut Random) -> String {
    let (product, customer) = (random.below(2), random.below(3));
    if random.chance(10) {
        return format!("{{\"product_id\":\"{product}\",\"customer_id\":\"c-{customer}\"}}\n");
    }
    let status = random.pick(&["PUBLISHED", "PUBLISHED", "HIDDEN", "REMOVED"]);
    let mut review = json!({
        "product_id": product,
        "customer_id": format!("c-{customer}"),
        "rating": 1 + random.below(5),
        "title": random.pick(&["bom", "ótimo", ""]),
        "verified_purchase": random.chance(50),
        "updated_at": format!("2024-05-0{}T12:00:00-03:00", 1 + random.below(7)),
    });
    if random.chance(90) {
        review["status"] = json!(status);
    }
    if random.chance(20) {
        review["lang"] = json!("pt");
    }
    format!("{review}\n")
}

/// What the tables must hold, all rows in canonical order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Expected {
    /// One row a review whose newest event does not remove it.
    pub reviews: Vec<Row>,
    /// One row a version.
    pub review_history: Vec<Row>,
    /// Every event.
    pub review_log: Vec<Row>,
    /// The newest removing event of each review.
    pub reviews_deleted: Vec<Row>,
    /// The greatest removing event of each review and instant.
    pub review_history_deleted: Vec<Row>,
    /// Lines that are no events.
    pub broken: u64,
    /// Lines.
    pub entries: u64,
}

impl Expected {
    /// The tables by their names.
    pub fn tables(&self) -> [(&'static str, &[Row]); 5] {
        [
            ("reviews", &self.reviews),
            ("review_history", &self.review_history),
            ("review_log", &self.review_log),
            ("reviews_deleted", &self.reviews_deleted),
            ("review_history_deleted", &self.review_history_deleted),
        ]
    }
}

/// (instant, object, when it was written, position): compared in this order.
type Version = (i64, String, i64, i64);

/// What the tables must hold once `objects` are ingested. The same content under the same key counts
/// once.
pub fn expected(objects: &[InputObject]) -> Expected {
    let mut distinct: BTreeMap<(&str, &[u8]), i64> = BTreeMap::new();
    for object in objects {
        let written = distinct
            .entry((&object.key, &object.bytes))
            .or_insert(object.modified_micros);
        *written = object.modified_micros.min(*written);
    }
    let mut told = Expected::default();
    let mut by_review: BTreeMap<(i64, String), Vec<(Version, Value)>> = BTreeMap::new();
    for ((key, bytes), written) in distinct {
        let text = String::from_utf8_lossy(bytes);
        for (position, line) in (0i64..).zip(text.lines()) {
            told.entries += 1;
            let review: Value = serde_json::from_str(line).unwrap_or_default();
            let at = review["updated_at"].as_str();
            let at = at.and_then(|text| DateTime::parse_from_rfc3339(text).ok());
            let (Some(product), Some(at)) = (review["product_id"].as_i64(), at) else {
                told.broken += 1;
                continue;
            };
            let customer = review["customer_id"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            let version = (at.timestamp_micros(), key.to_owned(), written, position);
            told.review_log.push(log(&review, &version));
            let of_review = by_review.entry((product, customer)).or_default();
            of_review.push((version, review));
        }
    }
    for mut events in by_review.into_values() {
        events.sort_by(|one, other| one.0.cmp(&other.0));
        told.take(&events);
    }
    for rows in [
        &mut told.reviews,
        &mut told.review_history,
        &mut told.review_log,
        &mut told.reviews_deleted,
        &mut told.review_history_deleted,
    ] {
        sort_rows(rows);
    }
    told
}

impl Expected {
    /// The events of one review, oldest first.
    fn take(&mut self, events: &[(Version, Value)]) {
        let removes = |review: &Value| review["status"] == "REMOVED";
        if let Some((version, review)) = events.last().filter(|(_, review)| !removes(review)) {
            self.reviews.push(shown(review, version));
        }
        let removing = |(_, review): &&(Version, Value)| removes(review);
        if let Some((version, review)) = events.iter().rfind(removing) {
            self.reviews_deleted.push(deleted(review, version));
        }
        // Later ones of an instant overwrite earlier ones.
        let instants: BTreeMap<i64, &(Version, Value)> =
            events.iter().map(|event| (event.0.0, event)).collect();
        let removals: BTreeMap<i64, &(Version, Value)> = events
            .iter()
            .filter(removing)
            .map(|event| (event.0.0, event))
            .collect();
        for (version, review) in removals.into_values() {
            self.review_history_deleted.push(deleted(review, version));
        }
        for (instant, (version, review)) in &instants {
            if removes(review) {
                continue;
            }
            let mut row = keyed(review, version);
            row.insert("rating".to_owned(), review["rating"].clone());
            row.insert("status".to_owned(), review["status"].clone());
            row.insert("valid_from".to_owned(), json!(instant_text(*instant)));
            let next = instants.keys().find(|other| *other > instant);
            let next = next.map(|instant| instant_text(*instant));
            row.insert("valid_to".to_owned(), json!(next));
            self.review_history.push(row);
        }
    }
}

fn keyed(review: &Value, (_, key, written, position): &Version) -> Row {
    Row::from([
        ("product_id".to_owned(), review["product_id"].clone()),
        ("customer_id".to_owned(), review["customer_id"].clone()),
        ("_source_file".to_owned(), json!(key)),
        ("_source_modified".to_owned(), json!(instant_text(*written))),
        ("_source_position".to_owned(), json!(position)),
    ])
}

fn deleted(review: &Value, version: &Version) -> Row {
    let mut row = keyed(review, version);
    row.insert("deleted_at".to_owned(), json!(instant_text(version.0)));
    row
}

fn log(review: &Value, version: &Version) -> Row {
    let mut row = keyed(review, version);
    row.insert("status".to_owned(), review["status"].clone());
    row.insert("rating".to_owned(), review["rating"].clone());
    row.insert("updated_at".to_owned(), json!(instant_text(version.0)));
    row
}

fn shown(review: &Value, version: &Version) -> Row {
    let mut row = log(review, version);
    for name in ["title", "body", "verified_purchase"] {
        row.insert(name.to_owned(), review[name].clone());
    }
    let rescued = match &review["lang"] {
        Value::Null => Value::Null,
        lang => json!({ "lang": lang }),
    };
    row.insert("_rescued_data".to_owned(), rescued);
    row
}

#[cfg(test)]
mod tests {
    use super::{Expected, expected, random};

    #[test]
    fn reviews_many_seeds_reach_everything() {
        let told: Vec<_> = (0..40)
            .map(|seed| expected(&random(seed, 40).objects))
            .collect();
        for (table, rows) in told.iter().flat_map(Expected::tables) {
            assert!(told.len() > 1 && !rows.is_empty(), "{table}");
        }
        assert!(told.iter().any(|told| told.broken > 0));
        // Removed and brought back; two events of one instant.
        assert!(
            told.iter()
                .any(|told| told.reviews.len() + told.reviews_deleted.len() > 6)
        );
        assert!(
            told.iter()
                .all(|told| told.review_history.len() < told.review_log.len())
        );
    }

    #[test]
    fn reviews_in_any_order_are_the_same() {
        for seed in 0..30 {
            let history = random(seed, 40);
            let told = expected(&history.objects);
            assert_eq!(expected(&history.permuted(seed)), told);
            assert_eq!(expected(&history.arrivals(seed).concat()), told);
        }
    }
}
