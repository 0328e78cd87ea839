//! The library from outside: objects in, tables out, held against the oracle.

mod bad_inputs;
mod crashes;
mod orders;
mod real_events;
mod world;
