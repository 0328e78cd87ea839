//! A record: what a batch did, written when all of its tables have committed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::instant;

/// What became of things that were discovered. Every one of them ends in exactly one place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Everything found.
    pub discovered: u64,
    /// Changed at least one table.
    pub applied: u64,
    /// Lost against something newer everywhere.
    pub superseded: u64,
    /// Went to the quarantine.
    pub quarantined: u64,
    /// Was there already.
    pub duplicate: u64,
}

impl Counts {
    /// The invariant: discovered = applied + superseded + quarantined + duplicate.
    #[must_use]
    pub fn add_up(&self) -> bool {
        self.discovered == self.applied + self.superseded + self.quarantined + self.duplicate
    }

    /// These counts without the others, which are part of them.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        Self {
            discovered: self.discovered.saturating_sub(other.discovered),
            applied: self.applied.saturating_sub(other.applied),
            superseded: self.superseded.saturating_sub(other.superseded),
            quarantined: self.quarantined.saturating_sub(other.quarantined),
            duplicate: self.duplicate.saturating_sub(other.duplicate),
        }
    }

    /// The counts of both.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            discovered: self.discovered + other.discovered,
            applied: self.applied + other.applied,
            superseded: self.superseded + other.superseded,
            quarantined: self.quarantined + other.quarantined,
            duplicate: self.duplicate + other.duplicate,
        }
    }
}

/// The two accounts of a batch, or of all batches.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accounts {
    /// Objects. One with an applied event counts as applied, else one with a superseded event as
    /// superseded, else one with a duplicate event as duplicate, else as quarantined. An object that
    /// was replaced or removed before it could be read is superseded.
    pub objects: Counts,
    /// Events and quarantined entries.
    pub events: Counts,
    /// Quarantined entries by reason.
    #[serde(default)]
    pub reasons: BTreeMap<String, u64>,
    /// How often each rule of the pipeline was broken, by `table.rule`: events that went to the quarantine
    /// for it, or rows.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rules: BTreeMap<String, u64>,
}

impl Accounts {
    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// These accounts without the others, which are part of them.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let difference = |one: &BTreeMap<String, u64>, other: &BTreeMap<String, u64>| {
            let mut left = one.clone();
            for (name, count) in other {
                if let Some(left) = left.get_mut(name) {
                    *left = left.saturating_sub(*count);
                }
            }
            left.retain(|_, count| *count > 0);
            left
        };
        Self {
            objects: self.objects.minus(&other.objects),
            events: self.events.minus(&other.events),
            reasons: difference(&self.reasons, &other.reasons),
            rules: difference(&self.rules, &other.rules),
        }
    }

    /// The sum of both.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        let sum = |one: &BTreeMap<String, u64>, other: &BTreeMap<String, u64>| {
            let mut sum = one.clone();
            for (name, count) in other {
                *sum.entry(name.clone()).or_default() += count;
            }
            sum
        };
        Self {
            objects: self.objects.plus(&other.objects),
            events: self.events.plus(&other.events),
            reasons: sum(&self.reasons, &other.reasons),
            rules: sum(&self.rules, &other.rules),
        }
    }
}

/// What a batch did to one table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableRecord {
    /// The Delta version that holds this batch. The versions of one record are a consistent view.
    pub version: u64,
    /// Rows written.
    pub rows_added: u64,
    /// Rows replaced or removed.
    pub rows_removed: u64,
    /// Data files of that version.
    #[serde(default)]
    pub files: u64,
    /// Bytes of these files.
    #[serde(default)]
    pub bytes: u64,
    /// Rows in them that deletion vectors mark as deleted.
    #[serde(default)]
    pub deleted_rows: u64,
}

/// How old objects were when their rows could be read, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freshness {
    /// Half of the objects were at most this old.
    pub p50: i64,
    /// Ninety-nine of a hundred were at most this old.
    pub p99: i64,
    /// The oldest.
    pub max: i64,
}

impl Freshness {
    /// Percentiles of ages in milliseconds; zeros when there are none.
    #[must_use]
    pub fn of(mut ages: Vec<i64>) -> Self {
        ages.sort_unstable();
        let at = |percent: usize| {
            let rank = (ages.len() * percent).div_ceil(100).max(1) - 1;
            ages.get(rank).copied().unwrap_or_default()
        };
        Self {
            p50: at(50),
            p99: at(99),
            max: ages.last().copied().unwrap_or_default(),
        }
    }
}

/// Where the time of a batch went, in milliseconds. Fetching the next batch overlaps committing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timings {
    /// Reading, preserving and decoding.
    pub prepare: u64,
    /// Running the models and choosing winners.
    pub transform: u64,
    /// Finding and replacing rows, and the commits.
    pub commit: u64,
}

/// Fields that events had and the schema did not name. They are in the rescued data.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rescued {
    /// By path, like `$.items[].colour`: those of most events, at most [`Rescued::MOST`].
    pub fields: BTreeMap<String, RescuedField>,
    /// How often there were others.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub others: u64,
}

/// A field that the schema did not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RescuedField {
    /// Events that had it.
    pub events: u64,
    /// The first batch with such an event.
    pub since: u64,
}

impl Rescued {
    /// So many fields are told apart.
    pub const MOST: usize = 100;

    /// Those of a batch: events by path, and how often there were others.
    #[must_use]
    pub fn of(batch: u64, events: BTreeMap<String, u64>, others: u64) -> Self {
        let field = |events| RescuedField {
            events,
            since: batch,
        };
        let fields = events.into_iter();
        Self {
            fields: fields.map(|(path, events)| (path, field(events))).collect(),
            others,
        }
        .bounded()
    }

    /// Whether there were none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The fields of both.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        let mut sum = self.clone();
        for (path, field) in &other.fields {
            let known = sum.fields.entry(path.clone()).or_insert(RescuedField {
                events: 0,
                since: field.since,
            });
            known.events += field.events;
            known.since = known.since.min(field.since);
        }
        sum.others += other.others;
        sum.bounded()
    }

    fn bounded(mut self) -> Self {
        if self.fields.len() > Self::MOST {
            let mut ranked: Vec<(String, RescuedField)> = self.fields.into_iter().collect();
            // Stable: of those with as many events the first by name stay.
            ranked.sort_by_key(|(_, field)| std::cmp::Reverse(field.events));
            let beyond = ranked.split_off(Self::MOST);
            self.others += beyond.iter().map(|(_, field)| field.events).sum::<u64>();
            self.fields = ranked.into_iter().collect();
        }
        self
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde asks for")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// What became of a switch to tables that were made anew.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switched {
    /// Why nothing was switched, if nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_up: Option<String>,
    /// Fingerprints of the rules that the tables were made by before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaced: Vec<String>,
}

/// What a finished batch did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Version of this format: 1.
    pub format: u32,
    /// The batch's number.
    pub batch: u64,
    /// The process it belongs to.
    pub process: String,
    /// Fingerprint of the rules that made its rows.
    pub pipeline: String,
    /// The first batch of those in a row that these rules made; none where older records do not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules_since: Option<u64>,
    /// When it was planned, in microseconds since 1970-01-01T00:00:00Z.
    #[serde(with = "instant")]
    pub planned_at: i64,
    /// When all tables had committed, in microseconds since 1970-01-01T00:00:00Z.
    #[serde(with = "instant")]
    pub recorded_at: i64,
    /// When the newest object of this and all earlier batches was last written.
    #[serde(with = "instant")]
    pub newest_object: i64,
    /// Bytes of its objects as they were in the bucket.
    pub bytes: u64,
    /// By table name.
    pub tables: BTreeMap<String, TableRecord>,
    /// What its originals' names leave out of the objects' keys at the start.
    #[serde(default)]
    pub input: String,
    /// Where the originals of its objects are, by their place in the plan, as far as that is not the
    /// usual key; nothing for an object that was replaced or removed before it could be read.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub originals: BTreeMap<u32, Option<String>>,
    /// What became of its objects and events.
    #[serde(flatten)]
    pub accounts: Accounts,
    /// Fields of its events that the schema did not name.
    #[serde(default, skip_serializing_if = "Rescued::is_empty")]
    pub rescued: Rescued,
    /// The batch whose quarantined entries this one took once more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<u64>,
    /// What the accounts of earlier batches say of these entries and their objects: it no longer counts.
    #[serde(default, skip_serializing_if = "Accounts::is_empty")]
    pub withdrawn: Accounts,
    /// What became of the switch that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switch: Option<Switched>,
    /// The newest batch up to this one that was a switch, and was not given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switched_in: Option<u64>,
    /// The accounts of this and all earlier batches, without what was withdrawn.
    pub totals: Accounts,
    /// Fields of the events of this and all earlier batches that the schema does not name.
    #[serde(default, skip_serializing_if = "Rescued::is_empty")]
    pub rescued_totals: Rescued,
    /// Age of its objects when it was recorded.
    pub freshness_ms: Freshness,
    /// Where the time went.
    pub timings_ms: Timings,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freshness_of_a_hundred_ages_takes_the_ranks() {
        let ages = Freshness::of((1..=100).rev().collect());
        assert_eq!((ages.p50, ages.p99, ages.max), (50, 99, 100));
        assert_eq!(Freshness::of(Vec::new()), Freshness::default());
    }

    #[test]
    fn rescued_fields_add_up_and_stay_few() {
        let events = |of: &[(&str, u64)]| of.iter().map(|(p, n)| ((*p).to_owned(), *n)).collect();
        let first = Rescued::of(3, events(&[("$.a", 2), ("$.b", 1)]), 0);
        let sum = first.plus(&Rescued::of(5, events(&[("$.a", 4), ("$.c", 1)]), 2));
        assert_eq!(
            sum.fields["$.a"],
            RescuedField {
                events: 6,
                since: 3
            }
        );
        assert_eq!(
            sum.fields["$.c"],
            RescuedField {
                events: 1,
                since: 5
            }
        );
        assert_eq!(sum.others, 2);
        let many = (0..150).map(|key| (format!("$.k{key:03}"), 1)).collect();
        let all = sum.plus(&Rescued::of(6, many, 0));
        assert_eq!(all.fields.len(), Rescued::MOST);
        assert_eq!(all.fields["$.a"].events, 6, "those of most events stay");
        let counted: u64 = all.fields.values().map(|field| field.events).sum();
        assert_eq!(counted + all.others, 6 + 1 + 1 + 2 + 150);
        assert!(Rescued::of(1, BTreeMap::new(), 0).is_empty());
    }

    #[test]
    fn counts_that_miss_one_do_not_add_up() {
        let mut counts = Counts {
            discovered: 3,
            applied: 1,
            quarantined: 1,
            ..Counts::default()
        };
        assert!(!counts.add_up());
        counts.duplicate = 1;
        assert!(counts.plus(&counts).add_up());
    }
}
