//! The versions of a key one after another, each valid until the next: pure, no table, no bucket.
//!
//! Of several events of one key and instant the greatest version stands. One that deletes has no row,
//! but ends what was valid before it.

use esteira_events::EventVersion;

use super::EventOrder;
use super::decide::Verdict;
use super::find::Stored;

/// What has to be done to a history, each by the place in what was given.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Intervals {
    /// What became of each candidate.
    pub(super) verdicts: Vec<Verdict>,
    /// Candidates that become rows, and the ends of these.
    pub(super) added: Vec<(usize, Option<i64>)>,
    /// Stored rows whose end is another one now.
    pub(super) moved: Vec<(usize, Option<i64>)>,
    /// Stored rows that stand no more.
    pub(super) gone: Vec<usize>,
}

/// A new event of a key: the key's number, and the event's index in the batch.
pub(super) type Candidate = (u32, usize);

/// One of the events that a key is known to have. Of the very same event, known in several ways, the
/// last of these counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Known {
    New(usize),
    Stored(usize),
    Deleted,
}

/// Puts the candidates among what is stored and what is remembered as deleted of their keys.
///
/// `deletes` tells which events delete; these are in `remembered` already. `replayed`: this batch has
/// already committed to this table; then the same event in the table is this batch's own work.
pub(super) fn intervals(
    candidates: &[Candidate],
    stored: &[Stored],
    remembered: &[Stored],
    order: &EventOrder,
    deletes: impl Fn(usize) -> bool,
    replayed: bool,
) -> Intervals {
    let new = candidates
        .iter()
        .enumerate()
        .map(|(place, (key, event))| (*key, order.version(*event), Known::New(place)));
    let rows = stored
        .iter()
        .enumerate()
        .map(|(place, row)| (row.key, row.version(), Known::Stored(place)));
    let gone = remembered
        .iter()
        .map(|row| (row.key, row.version(), Known::Deleted));
    let mut points: Vec<(u32, EventVersion<'_>, Known)> = new.chain(rows).chain(gone).collect();
    points.sort_unstable();
    let mut done = Intervals {
        verdicts: vec![Verdict::Superseded; candidates.len()],
        ..Intervals::default()
    };
    for key in points.chunk_by(|one, other| one.0 == other.0) {
        // The last first: what is later says where the earlier ends.
        let mut end = None;
        let mut rest = key;
        while let Some((_, version, winner)) = rest.last() {
            let instant = version.instant_micros;
            let first = rest.partition_point(|(_, v, _)| v.instant_micros < instant);
            let (earlier, competing) = rest.split_at(first);
            for (_, own, known) in competing {
                match *known {
                    Known::New(place) if own == version => {
                        done.verdicts[place] = match winner {
                            _ if deletes(candidates[place].1) => Verdict::Applied,
                            Known::Stored(_) if !replayed => Verdict::Duplicate,
                            Known::Deleted => Verdict::Duplicate,
                            _ => Verdict::Applied,
                        };
                    }
                    Known::Stored(place) if known != winner => done.gone.push(place),
                    _ => {}
                }
            }
            match *winner {
                Known::New(place) if !deletes(candidates[place].1) => done.added.push((place, end)),
                Known::Stored(place) if stored[place].end != end => done.moved.push((place, end)),
                _ => {}
            }
            end = Some(instant);
            rest = earlier;
        }
    }
    done
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
    use esteira_events::{SOURCE_FILE, SOURCE_MODIFIED, SOURCE_POSITION};
    use proptest::prelude::*;

    use super::*;
    use crate::upsert::find::{RowAt, Version};

    /// An event of a key, and whether it deletes.
    type Event = (u32, Version, bool);

    fn order(events: &[Event]) -> EventOrder {
        if events.is_empty() {
            return EventOrder::default();
        }
        let instants = |of: fn(&Version) -> i64| -> ArrayRef {
            let all: TimestampMicrosecondArray = events.iter().map(|e| Some(of(&e.1))).collect();
            Arc::new(all.with_timezone("UTC"))
        };
        let files: StringArray = events.iter().map(|e| Some(e.1.1.as_str())).collect();
        let positions: Int64Array = events.iter().map(|e| Some(e.1.3)).collect();
        let columns: [(&str, ArrayRef); 4] = [
            ("at", instants(|version| version.0)),
            (SOURCE_FILE, Arc::new(files)),
            (SOURCE_MODIFIED, instants(|version| version.2)),
            (SOURCE_POSITION, Arc::new(positions)),
        ];
        EventOrder::of(&[RecordBatch::try_from_iter(columns).unwrap()], "at").unwrap()
    }

    fn stored(key: u32, version: &Version, end: Option<i64>) -> Stored {
        Stored {
            key,
            at: RowAt { file: 0, row: 0 },
            version: Some(version.clone()),
            end,
        }
    }

    /// Rows of a history and all deletions, as the tables hold them.
    #[derive(Default)]
    struct Held {
        rows: Vec<(u32, Version, Option<i64>)>,
        gone: Vec<(u32, Version)>,
    }

    impl Held {
        fn take(&mut self, events: &[Event], replayed: bool) -> Intervals {
            let deleting = events.iter().filter(|event| event.2);
            self.gone
                .extend(deleting.map(|(key, version, _)| (*key, version.clone())));
            self.gone.sort();
            self.gone.dedup();
            let candidates: Vec<Candidate> = events
                .iter()
                .enumerate()
                .map(|(number, event)| (event.0, number))
                .collect();
            let rows: Vec<Stored> = self
                .rows
                .iter()
                .map(|(k, v, end)| stored(*k, v, *end))
                .collect();
            let gone: Vec<Stored> = self.gone.iter().map(|(k, v)| stored(*k, v, None)).collect();
            let deletes = |event: usize| events[event].2;
            let order = order(events);
            let done = intervals(&candidates, &rows, &gone, &order, deletes, replayed);
            for (place, end) in &done.moved {
                assert_ne!(self.rows[*place].2, *end, "moved to where it was");
                self.rows[*place].2 = *end;
            }
            let mut place = 0;
            self.rows.retain(|_| {
                place += 1;
                !done.gone.contains(&(place - 1))
            });
            for (place, end) in &done.added {
                let (key, version, _) = &events[*place];
                self.rows.push((*key, version.clone(), *end));
            }
            self.rows.sort();
            done
        }
    }

    /// What a history of all these events is: looked up, one by one.
    fn history(events: &[Event]) -> Vec<(u32, Version, Option<i64>)> {
        let mut standing: BTreeMap<(u32, i64), (&Version, bool)> = BTreeMap::new();
        for (key, version, deletes) in events {
            let best = standing
                .entry((*key, version.0))
                .or_insert((version, *deletes));
            if version > best.0 {
                *best = (version, *deletes);
            }
        }
        let next = |key: u32, at: i64| {
            let later = standing
                .keys()
                .filter(|(k, other)| *k == key && *other > at);
            later.map(|(_, other)| *other).min()
        };
        let rows = standing.iter().filter(|(_, (_, deletes))| !deletes);
        rows.map(|((key, at), (version, _))| (*key, (*version).clone(), next(*key, *at)))
            .collect()
    }

    fn events() -> impl Strategy<Value = Vec<Vec<Event>>> {
        let event = (0..3u32, 0..5i64, "[ab]", 0..2i64, any::<bool>(), 0..4u8);
        let batch = prop::collection::vec(event, 0..6);
        prop::collection::vec(batch, 1..6).prop_map(|batches| {
            let mut position = 0;
            let with_position = |batch: Vec<_>| {
                let events = batch
                    .into_iter()
                    .map(|(key, at, file, modified, _, chance)| {
                        position += 1;
                        (key, (at, file, modified, position), chance == 0)
                    });
                events.collect()
            };
            batches.into_iter().map(with_position).collect()
        })
    }

    proptest! {
        #[test]
        fn history_is_the_same_however_its_events_come(batches in events()) {
            let mut held = Held::default();
            let mut all: Vec<Event> = Vec::new();
            for batch in &batches {
                all.extend(batch.iter().cloned());
                held.take(batch, false);
                prop_assert_eq!(&held.rows, &history(&all));
            }
            // Any of them once more changes nothing, whoever did it.
            for (batch, replayed) in batches.iter().zip([true, false].into_iter().cycle()) {
                let done = held.take(batch, replayed);
                prop_assert_eq!((&done.added, &done.moved, &done.gone), (&vec![], &vec![], &vec![]));
                for (event, verdict) in batch.iter().zip(&done.verdicts) {
                    let stands = held.rows.iter().any(|(k, v, _)| (k, v) == (&event.0, &event.1));
                    let was = if replayed { Verdict::Applied } else { Verdict::Duplicate };
                    prop_assert_eq!(*verdict == was && !event.2, stands);
                }
            }
        }
    }
}
