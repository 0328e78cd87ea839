//! Sample data: marketplace events that nobody's customers are in, for the demo and benchmarks.
//!
//! [`SampleOptions`] come in, a stream of objects goes out. Names
//! and places are in `catalogue`, what happens to an order in `order`, its events' text in `event`,
//! the order of emission in `stream`, the bytes of an object in `object`.
//!
//! The invariant: the same options give the same bytes on every machine, and memory does not grow
//! with the number of orders. Writing the objects somewhere belongs to the verb.

mod catalogue;
mod event;
mod object;
mod options;
mod order;
mod random;
mod stream;
#[cfg(test)]
mod tests;

pub(crate) use options::{SampleCompression, SampleForm, SampleOptions};
pub(crate) use stream::objects;
