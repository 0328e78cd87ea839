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
