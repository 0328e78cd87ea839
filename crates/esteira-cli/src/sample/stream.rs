//! The order of emission: orders opened one after another, their events put into line.
//!
//! The clock is the number of orders opened so far. An order's event is due some orders later, so
//! that a bounded window of orders is open at a time and nothing else is held.

use std::collections::BTreeMap;

use super::event::write_event;
use super::object::SampleObject;
use super::options::SampleOptions;
use super::order::order;
use super::random::{Random, mixed};

/// How many orders at most are opened between two states of an order, and before a late one.
const LAG: u64 = 60;

/// The sample that `options` ask for, object by object.
pub(crate) fn objects(options: SampleOptions) -> impl Iterator<Item = SampleObject> {
    Sample::new(options)
}

/// A sample on its way.
#[derive(Debug)]
pub(super) struct Sample {
    options: SampleOptions,
    /// Decides when events are due; apart from what they say, so that the shares of lateness change
    /// no event.
    random: Random,
    /// Events that may still be delivered.
    left: u64,
    /// Orders opened so far.
    opened: u64,
    /// Objects delivered so far.
    delivered: u64,
    /// Events by when they are due; the order's and the state's number make the key unique.
    due: BTreeMap<(u64, u64, usize), String>,
}

impl Sample {
    pub(super) fn new(options: SampleOptions) -> Self {
        let random = Random::new(mixed(options.seed).wrapping_add(options.first_order));
        Self {
            left: options.max_events.unwrap_or(u64::MAX),
            options,
            random,
            opened: 0,
            delivered: 0,
            due: BTreeMap::new(),
        }
    }

    /// How many events wait for their turn.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.due.len()
    }

    fn next_event(&mut self) -> Option<String> {
        self.left = self.left.checked_sub(1)?;
        while self.opened < self.options.orders {
            // Nothing that is opened from here on is due earlier.
            if self
                .due
                .first_key_value()
                .is_some_and(|(due, _)| due.0 < self.opened)
            {
                break;
            }
            self.open();
        }
        self.due.pop_first().map(|(_, event)| event)
    }

    fn open(&mut self) {
        let order = order(&self.options, self.opened);
        let mut due: Vec<u64> = Vec::with_capacity(order.states.len());
        for state in 0..order.states.len() {
            let earliest = if state == 0 {
                self.opened
            } else {
                due[state - 1] + 1
            };
            due.push(earliest + self.random.below(LAG));
        }
        for state in 1..due.len() {
            if self.random.chance(self.options.late_per_mille) {
                due[state - 1] = due[state] + 1 + self.random.below(LAG);
            }
        }
        for (number, (state, due)) in order.states.iter().zip(due).enumerate() {
            let mut event = String::with_capacity(2_048);
            write_event(&mut event, &order, state);
            self.due.insert((due, self.opened, number), event);
        }
        self.opened += 1;
    }
}

impl Iterator for Sample {
    type Item = SampleObject;

    fn next(&mut self) -> Option<SampleObject> {
        let count = self.options.events_per_object.max(1);
        let events: Vec<String> = std::iter::from_fn(|| self.next_event())
            .take(count)
            .collect();
        if events.is_empty() {
            return None;
        }
        let object = SampleObject::new(&self.options, self.delivered, &events);
        self.delivered += 1;
        Some(object)
    }
}
