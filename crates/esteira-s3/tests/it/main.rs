//! The simulator as its clients see it: a real S3 client over real connections, and the folder beneath.

mod access;
mod conditions;
mod lists;
mod multipart;
mod names;
mod objects;
mod restart;
mod support;
