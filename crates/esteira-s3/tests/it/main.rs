//! The simulator as its clients see it: a real S3 client over real connections, and the folder beneath.

#![allow(
    clippy::unwrap_used,
    reason = "what a test cannot do without has failed the test"
)]

mod access;
mod conditions;
mod lists;
mod multipart;
mod names;
mod objects;
mod restart;
mod support;
