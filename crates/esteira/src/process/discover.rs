//! Which objects are new: everything listed that no plan holds.
//!
//! There is no cursor by name or time, so an object that appears late or sorts early is found all
//! the same.

use std::collections::VecDeque;

use bytes::Bytes;
use esteira_lake::bucket::Fetched;
use esteira_lake::ledger::{Ledger, PlannedObject};
use esteira_lake::raw::is_md5;

use super::stages::Context;
use crate::Error;

/// The new objects, the longest waiting first.
pub(super) async fn discover(
    context: &Context,
    ledger: &mut Ledger,
) -> Result<VecDeque<PlannedObject>, Error> {
    let pipeline = &context.pipeline;
    let seen = ledger.seen();
    let mut found: Vec<PlannedObject> = context
        .bucket
        .list(pipeline.input.base())
        .await?
        .into_iter()
        .filter(|object| pipeline.takes(object))
        .filter(|object| !seen.contains(&object.key, &object.etag))
        .map(|object| PlannedObject {
            key: object.key,
            etag: object.etag,
            size: object.size,
            modified: object.modified_micros,
        })
        .collect();
    leave_out_same_contents(context, ledger, &mut found).await?;
    found.sort_unstable_by(|a, b| (a.modified, &a.key).cmp(&(b.modified, &b.key)));
    Ok(found.into())
}

/// An object that was written again with the content it had is not a new object, even where its
/// entity tag is another one: a touched file, or another way of uploading.
async fn leave_out_same_contents(
    context: &Context,
    ledger: &mut Ledger,
    found: &mut Vec<PlannedObject>,
) -> Result<(), Error> {
    // What is too large to be held is not compared, either: it is refused again.
    let most = context.pipeline.limits.decompressed_bytes_per_object as u64;
    let again = |object: &PlannedObject, ledger: &Ledger| {
        !is_md5(&object.etag) && object.size <= most && ledger.seen().contains_key(&object.key)
    };
    if !found.iter().any(|object| again(object, ledger)) {
        return Ok(());
    }
    let kept = context.raw.list().await?;
    let mut fresh = Vec::with_capacity(found.len());
    for object in found.drain(..) {
        if again(&object, ledger)
            && let Some(bytes) = content(context, &object).await?
            && context
                .raw
                .holds(&kept, context.pipeline.input.name(&object.key), &bytes)
                .await?
        {
            ledger.remember(&object.key, &object.etag);
        } else {
            fresh.push(object);
        }
    }
    *found = fresh;
    Ok(())
}

async fn content(context: &Context, object: &PlannedObject) -> Result<Option<Bytes>, Error> {
    Ok(
        match context.bucket.get(&object.key, Some(&object.etag)).await? {
            Fetched::Bytes(bytes) => Some(bytes),
            Fetched::Changed | Fetched::Missing => None,
        },
    )
}
