//! Tables from outside: what other programs wrote, read and tidied here.

#![allow(clippy::unwrap_used, reason = "a test that fails says so by panicking")]

mod spark;
