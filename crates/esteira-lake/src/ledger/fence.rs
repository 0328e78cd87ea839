//! The fence between two runners of one process: the create-if-absent write of a plan.
//!
//! Both may list the same new objects and both may try to plan batch N. The bucket lets one of them
//! create `plans/N.json`; the other finds a plan that is not its own and leaves. A request that was
//! repeated after a lost answer finds its own plan and goes on.

use bytes::Bytes;

use super::{LedgerError, Plan};
use crate::bucket::{Bucket, Fetched, PutNew};

/// Writes the plan if its number is free, or is ours already.
///
/// # Errors
/// [`LedgerError::AnotherRunner`] when somebody else planned this batch, [`LedgerError::Retried`] when it
/// is a retry of the quarantine, [`LedgerError::Switching`] when it is a switch; the bucket's errors.
pub async fn acquire(bucket: &Bucket, key: &str, plan: &Plan) -> Result<(), LedgerError> {
    let unreadable = |reason: String| LedgerError::Unreadable {
        key: key.to_owned(),
        reason,
    };
    let body = serde_json::to_vec(plan).map_err(|error| unreadable(error.to_string()))?;
    if bucket.put_new(key, Bytes::from(body)).await? == PutNew::Created {
        return Ok(());
    }
    if let Fetched::Bytes(bytes) = bucket.get(key, None).await? {
        let written: Plan =
            serde_json::from_slice(&bytes).map_err(|error| unreadable(error.to_string()))?;
        if written == *plan {
            return Ok(());
        }
        if written.switch.is_some() {
            return Err(LedgerError::Switching {
                process: plan.process.clone(),
                batch: plan.batch,
            });
        }
        if written.retry.is_some() {
            return Err(LedgerError::Retried {
                process: plan.process.clone(),
                batch: plan.batch,
            });
        }
    }
    Err(LedgerError::AnotherRunner {
        process: plan.process.clone(),
        batch: plan.batch,
    })
}
