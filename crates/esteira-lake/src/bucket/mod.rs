//! One place where objects are: a bucket on S3 (or anything that speaks S3) or a local folder.
//!
//! Comes in: a location as a person writes it and the process environment. Goes out: listing,
//! reading and conditional writing by full key. The invariant: a key is an opaque text; whatever
//! name a producer gave an object, it can be listed, read and preserved. What the objects mean
//! belongs to the other rooms.

mod connect;
mod copy;
mod credentials;
mod error;
mod folder;
mod local_log;
mod local_store;
mod location;
mod open;
mod removal;
mod s3_api;
mod s3_copy;
mod s3_store;
mod s3_wire;
mod table_log;

pub(crate) use connect::{Access, access};
pub use copy::Copied;
pub use error::BucketError;
pub(crate) use error::hint_of_system;
pub use location::BucketLocation;
pub use open::{Bucket, Environment, Fetched, Listed, PutNew};
pub use removal::Removed;
pub(crate) use s3_api::{innermost, without_credentials};
pub(crate) use s3_wire::decode;
