//! Decides what happens to each request, and counts what happened.
//!
//! Comes in: a request's name and kind. Goes out: a fault or none. Invariant: a decision depends on the
//! requests of the same name alone, and on nothing else that happens.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use hyper::Request;

use super::{
    Chaos, Dice, Kind,
    dice::hash,
    fault::{Fault, OddPage},
    name::{Asked, name_of},
    profile::Weights,
};

/// After so many faults in a row on one name the next request of that name is served as if all were well.
pub const MOST_IN_A_ROW: u8 = 3;

/// Most entries of a short page.
const MOST_ON_A_SHORT_PAGE: u64 = 3;

/// The faults of one simulator.
#[derive(Debug)]
pub(crate) struct Weather {
    pub(crate) chaos: Chaos,
    weights: Weights,
    /// What was decided so far, by the hash of the name: names are many and long.
    names: Mutex<HashMap<u64, Past>>,
    counts: [AtomicU64; Kind::ALL.len()],
}

#[derive(Debug, Default, Clone, Copy)]
struct Past {
    /// Requests of the name.
    requests: u64,
    /// Faults since one was last served as it should be.
    in_a_row: u8,
}

impl Weather {
    pub(crate) fn of(chaos: Chaos) -> Self {
        Self::with(chaos, chaos.profile.weights())
    }

    pub(super) fn with(chaos: Chaos, weights: Weights) -> Self {
        Self {
            chaos,
            weights,
            names: Mutex::default(),
            counts: <_>::default(),
        }
    }

    /// What is to happen to this request.
    pub(super) fn decide<B>(&self, request: &Request<B>) -> Option<Fault> {
        self.decide_for(&name_of(request), Asked::of(request))
    }

    pub(super) fn decide_for(&self, name: &str, asked: Asked) -> Option<Fault> {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let past = names.entry(hash(name)).or_default();
        let turn = past.requests;
        past.requests += 1;
        let fault = self
            .draw(Dice::of(self.chaos.seed, name, turn), asked)
            .filter(|_| past.in_a_row < MOST_IN_A_ROW);
        past.in_a_row = if fault.is_some() {
            past.in_a_row + 1
        } else {
            0
        };
        fault
    }

    /// One throw decides: each kind that can happen has its share of 10,000.
    fn draw(&self, mut dice: Dice, asked: Asked) -> Option<Fault> {
        let mut throw = dice.between(0, 9_999);
        for (kind, rate) in Kind::ALL.into_iter().zip(self.weights.rates) {
            if !kind.can_happen_to(asked) {
                continue;
            }
            if throw < rate {
                return Some(self.particulars(kind, &mut dice));
            }
            throw -= rate;
        }
        None
    }

    fn particulars(&self, kind: Kind, dice: &mut Dice) -> Fault {
        let Weights { hang, pause, .. } = &self.weights;
        match kind {
            Kind::SlowDown => Fault::SlowDown,
            Kind::InternalError => Fault::InternalError,
            Kind::ResetBefore => Fault::ResetBefore,
            Kind::ResetAfter => Fault::ResetAfter,
            Kind::ErrorAfter => Fault::ErrorAfter,
            Kind::Timeout => Fault::Timeout(Duration::from_millis(
                dice.between(*hang.start(), *hang.end()),
            )),
            Kind::Truncated => Fault::Truncated(dice.between(0, 999)),
            Kind::SlowBody => Fault::SlowBody {
                pieces: dice.between(2, 6),
                pause: Duration::from_millis(dice.between(*pause.start(), *pause.end())),
            },
            Kind::Conflict => Fault::Conflict,
            Kind::ShortPage => {
                let most = dice.between(1, MOST_ON_A_SHORT_PAGE);
                Fault::Page(OddPage {
                    limit: usize::try_from(most).unwrap_or(1),
                })
            }
            Kind::EmptyPage => Fault::Page(OddPage { limit: 0 }),
        }
    }

    pub(super) fn count(&self, kind: Kind) {
        for (known, count) in Kind::ALL.into_iter().zip(&self.counts) {
            if known == kind {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// How many faults happened so far, by the name of their kind; without those that never did.
    pub(crate) fn faults(&self) -> BTreeMap<String, u64> {
        Kind::ALL
            .into_iter()
            .zip(&self.counts)
            .map(|(kind, count)| (kind.name().to_owned(), count.load(Ordering::Relaxed)))
            .filter(|(_, count)| *count > 0)
            .collect()
    }
}
