//! `esteira replay`: the tables anew from the originals, beside the live ones.

use std::sync::Arc;

use super::lake;
use crate::arguments::ReplayArguments;
use crate::output::{self, Bar};

pub(super) async fn run(arguments: ReplayArguments) -> anyhow::Result<()> {
    let target = arguments.target;
    let lake = lake(&target.pipeline, &target.place.bucket).await?;
    let newest = lake.ledger().last_recorded();
    let batches = arguments.until.map_or(newest, |until| until.min(newest));
    let observer = Arc::new(Bar::new("replaying", batches));
    let done = esteira::replay(&lake, &arguments.into, arguments.until, observer.clone()).await;
    observer.end();
    let done = done?;
    output::line(&format!(
        "{} batches, {} objects, {} events are in the tables under {}/{}/",
        done.batches,
        done.objects,
        done.events,
        lake.bucket().location(),
        arguments.into.trim_matches('/'),
    ));
    Ok(())
}
