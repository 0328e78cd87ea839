//! Which objects are new: everything listed, or looked at because a message named it, that no plan holds.
//!
//! There is no cursor by name or time, so an object that appears late or sorts early is found all
//! the same.

use bytes::Bytes;
use esteira_lake::bucket::{Fetched, Listed};
use esteira_lake::ledger::{Ledger, PlannedObject, Seen};
use esteira_lake::raw::is_md5;

use super::clean::Taken;
use super::stages::Context;
use crate::{Error, Pipeline};

/// What is to be done with an object that is in the bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is to be taken.
    New,
    /// Some plan holds this content.
    Seen,
    /// It is too young until this instant.
    Young(i64),
    /// It is too old.
    Old,
    /// It is none of the pipeline's.
    Foreign,
}

impl Standing {
    /// Of this object, at the instant `now`.
    pub(crate) fn of(pipeline: &Pipeline, seen: &Seen, now: i64, object: &Listed) -> Self {
        let micros =
            |time: std::time::Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
        let rules = &pipeline.source;
        if !pipeline.takes(object) {
            return Self::Foreign;
        }
        if seen.contains(&object.key, &object.etag) {
            return Self::Seen;
        }
        let since = now.saturating_sub(object.modified_micros);
        if !rules.min_age.is_zero() && since < micros(rules.min_age) {
            let old_enough = object.modified_micros.saturating_add(micros(rules.min_age));
            return Self::Young(old_enough);
        }
        match rules.max_age {
            Some(most) if since > micros(most) => Self::Old,
            _ => Self::New,
        }
    }
}

/// What a look gave.
#[derive(Debug, Default)]
pub(super) struct Discovered {
    /// To be taken, the longest waiting first.
    pub(super) new: Vec<PlannedObject>,
    /// Keys of objects that are too young, with the instant from which on they are not.
    pub(super) young: Vec<(i64, String)>,
    /// How many were too old.
    pub(super) old: u64,
    /// How many of those that were looked at are none of the pipeline's.
    pub(super) foreign: u64,
    /// What some plan holds and is still there.
    pub(super) seen: Vec<PlannedObject>,
    /// What was written again with the content it had.
    pub(super) again: Vec<Taken>,
}

/// Lists the input.
pub(super) async fn list(context: &Context, ledger: &mut Ledger) -> Result<Discovered, Error> {
    let mut listed = Vec::new();
    for prefix in context.pipeline.input.prefixes() {
        listed.extend(context.bucket.list(prefix).await?);
    }
    judge(context, ledger, listed).await
}

/// Sorts objects by what is to be done with them.
pub(super) async fn judge(
    context: &Context,
    ledger: &mut Ledger,
    listed: Vec<Listed>,
) -> Result<Discovered, Error> {
    let now = context.clock.now_micros();
    let mut found = Discovered::default();
    for object in listed {
        let standing = Standing::of(&context.pipeline, ledger.seen(), now, &object);
        let planned = |object: Listed| PlannedObject {
            key: object.key,
            etag: object.etag,
            size: object.size,
            modified: object.modified_micros,
        };
        match standing {
            Standing::New => found.new.push(planned(object)),
            Standing::Seen if context.cleans() => found.seen.push(planned(object)),
            Standing::Seen => {}
            Standing::Young(until) => found.young.push((until, object.key)),
            Standing::Old => found.old += 1,
            Standing::Foreign => found.foreign += 1,
        }
    }
    leave_out_same_contents(context, ledger, &mut found).await?;
    found
        .new
        .sort_unstable_by(|a, b| (a.modified, &a.key).cmp(&(b.modified, &b.key)));
    Ok(found)
}

/// An object that was written again with the content it had is not a new object, even where its
/// entity tag is another one: a touched file, or another way of uploading.
async fn leave_out_same_contents(
    context: &Context,
    ledger: &mut Ledger,
    found: &mut Discovered,
) -> Result<(), Error> {
    // What is too large to be held is not compared, either: it is refused again.
    let most = context.pipeline.limits.decompressed_bytes_per_object as u64;
    let again = |object: &PlannedObject, ledger: &Ledger| {
        !is_md5(&object.etag) && object.size <= most && ledger.seen().contains_key(&object.key)
    };
    if !found.new.iter().any(|object| again(object, ledger)) {
        return Ok(());
    }
    let kept = context.raw.list().await?;
    let mut fresh = Vec::with_capacity(found.new.len());
    for object in found.new.drain(..) {
        let name = context.pipeline.input.name(&object.key);
        if again(&object, ledger)
            && let Some(bytes) = content(context, &object).await?
            && let Some(original) = context.raw.holds(&kept, name, &bytes).await?
        {
            ledger.remember(&object.key, &object.etag);
            found.again.push(Taken { object, original });
        } else {
            fresh.push(object);
        }
    }
    found.new = fresh;
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
