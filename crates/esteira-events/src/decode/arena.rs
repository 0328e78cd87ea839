//! One decoded event, flat.
//!
//! Comes in: values in document order. Goes out: the same values as a tree of [`Slot`]s in one
//! list, so that an event needs no allocation of its own and becomes rows only once it is known to
//! be good. Invariant: the children of a slot are next to each other, in the layout's order for an
//! object and in the document's for an array.

use super::issue::{Issue, Step};
use super::text::Text;

/// A decoded value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Slot {
    /// A field whose key was not met.
    Missing,
    Null,
    Boolean(bool),
    /// An integer or a date.
    I32(i32),
    /// An integer or a timestamp.
    I64(i64),
    Double(f64),
    /// The unscaled value of a decimal.
    Decimal(i128),
    Text(Text),
    Array {
        first: usize,
        length: usize,
        /// Whether any object inside has fields that the schema does not name.
        rescues: bool,
    },
    Struct {
        first: usize,
        /// The first of its extras.
        extras: Option<Link>,
        /// Whether it or any object inside has fields that the schema does not name.
        rescues: bool,
    },
    /// A value that rejects the event, by the index of its issue.
    Wrong(usize),
}

impl Slot {
    pub(super) fn rescues(self) -> bool {
        matches!(
            self,
            Self::Array { rescues: true, .. } | Self::Struct { rescues: true, .. }
        )
    }
}

/// The index of an extra, counted from one so that none takes no room.
pub(super) type Link = std::num::NonZeroUsize;

/// A key of an object that may have to be rescued, in order of first appearance.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extra {
    pub(super) what: Rescued,
    /// The next one of the same object.
    pub(super) next: Option<Link>,
}

/// What an extra stands for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rescued {
    /// A key that the schema does not name, and its value.
    Unknown { key: Text, value: Text },
    /// A named field that holds objects, which may have such keys.
    Inside { field: usize },
}

/// The extras of one object, while it is read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Chain {
    pub(super) first: Option<Link>,
    last: Option<Link>,
}

/// The memory of one event, reused for the next.
#[derive(Debug, Default)]
pub(super) struct Arena {
    pub(super) slots: Vec<Slot>,
    /// Elements of the arrays being read; they become slots when their array ends.
    pub(super) pending: Vec<Slot>,
    /// Texts whose escapes were undone.
    pub(super) tape: String,
    extras: Vec<Extra>,
    pub(super) issues: Vec<Issue>,
    /// Where in the event the reader is.
    pub(super) path: Vec<Step>,
}

/// What is kept of each list's memory when an event needed more.
const KEPT: usize = 1 << 16;

impl Arena {
    /// Forgets the last event.
    pub(super) fn clear(&mut self) {
        reset(&mut self.slots);
        reset(&mut self.pending);
        reset(&mut self.extras);
        reset(&mut self.issues);
        reset(&mut self.path);
        self.tape.clear();
        self.tape.shrink_to(KEPT);
    }

    /// Values held at this moment.
    pub(super) fn values(&self) -> usize {
        self.slots.len() + self.pending.len()
    }

    /// Appends to the extras of one object.
    pub(super) fn push_extra(&mut self, chain: &mut Chain, what: Rescued) {
        self.extras.push(Extra { what, next: None });
        let link = Link::new(self.extras.len());
        match chain.last {
            Some(last) => self.extras[last.get() - 1].next = link,
            None => chain.first = link,
        }
        chain.last = link;
    }

    /// The extras of one object, in order.
    pub(super) fn extras(&self, first: Option<Link>) -> impl Iterator<Item = Rescued> + '_ {
        let mut next = first;
        std::iter::from_fn(move || {
            let extra = self.extras[next?.get() - 1];
            next = extra.next;
            Some(extra.what)
        })
    }

    /// Makes the pending elements from `base` on the children of an array.
    pub(super) fn close_array(&mut self, base: usize, rescues: bool) -> Slot {
        let first = self.slots.len();
        self.slots.extend_from_slice(&self.pending[base..]);
        self.pending.truncate(base);
        Slot::Array {
            first,
            length: self.slots.len() - first,
            rescues,
        }
    }
}

fn reset<T>(list: &mut Vec<T>) {
    list.clear();
    list.shrink_to(KEPT);
}
