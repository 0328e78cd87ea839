//! Random small order histories: a seed in, events and the objects that carry them out.
//!
//! Few orders, few sellers and few instants, so that ties, late events and shared sellers are the
//! rule. What an event holds is decided in `events`, how events become an object's bytes in
//! `render`, which objects there are and how they arrive in `objects`.
//!
//! The invariant: the same seed and shape give the same bytes everywhere. What must come of them is
//! [`crate::oracle`]'s to say; bad input of every kind is in [`crate::bad_inputs`].

mod events;
mod objects;
mod render;

pub use objects::{History, Shape};
pub use render::{Form, Packing, render};
