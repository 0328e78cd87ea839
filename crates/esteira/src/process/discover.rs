//! Which objects are new: everything listed that no plan holds.
//!
//! There is no cursor by name or time, so an object that appears late or sorts early is found all
//! the same.

use std::collections::VecDeque;

use esteira_lake::ledger::{PlannedObject, Seen};

use super::stages::Context;
use crate::Error;

/// The new objects, the longest waiting first.
pub(super) async fn discover(
    context: &Context,
    seen: &Seen,
) -> Result<VecDeque<PlannedObject>, Error> {
    let pipeline = &context.pipeline;
    let mut found: Vec<PlannedObject> = context
        .bucket
        .list(pipeline.input.base())
        .await?
        .into_iter()
        .filter(|object| pipeline.input.matches(&object.key) && !pipeline.is_output(&object.key))
        // A folder's marker is no object of anybody's.
        .filter(|object| !(object.key.ends_with('/') && object.size == 0))
        .filter(|object| !seen.contains(&object.key, &object.etag))
        .map(|object| PlannedObject {
            key: object.key,
            etag: object.etag,
            size: object.size,
            modified: object.modified_micros,
        })
        .collect();
    found.sort_unstable_by(|a, b| (a.modified, &a.key).cmp(&(b.modified, &b.key)));
    Ok(found.into())
}
