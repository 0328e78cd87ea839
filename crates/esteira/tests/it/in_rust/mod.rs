//! Processes that are written in Rust: what they make, held against the oracles of the folders; what is said
//! of wrong ones; functions in SQL; and the program in `examples/`.

mod fingerprint;
mod functions;
mod orders;
mod port;
mod wrong;
