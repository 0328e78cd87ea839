//! The public behaviour of the core: objects in, rows and reports out.
#![allow(
    clippy::similar_names,
    reason = "a decoder and what it decoded are what these tests are about"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "the helpers of tests are not test functions themselves"
)]

mod broken;
mod fixture;
mod forms;
mod infer;
mod limits;
mod properties;
mod relation;
mod rescue;
mod rules;
mod values;
