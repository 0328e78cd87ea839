//! `esteira generate`: sample events of the marketplace in a folder.

use anyhow::Context as _;

use crate::arguments::GenerateArguments;
use crate::output;
use crate::sample::{SampleOptions, objects};

pub(super) fn run(arguments: &GenerateArguments) -> anyhow::Result<()> {
    let out = &arguments.out;
    std::fs::create_dir_all(out)
        .with_context(|| format!("`{}` cannot be created", out.display()))?;
    let options = SampleOptions {
        orders: arguments.orders,
        seed: arguments.seed,
        first_order: arguments.first_order,
        events_per_object: arguments.events_per_object,
        form: arguments.form,
        compression: arguments.compression,
        max_events: arguments.events,
        days: arguments.days,
        ..SampleOptions::default()
    };
    let (mut count, mut bytes) = (0u64, 0u64);
    for object in objects(options) {
        let path = out.join(&object.name);
        std::fs::write(&path, &object.bytes)
            .with_context(|| format!("`{}` cannot be written", path.display()))?;
        count += 1;
        bytes += object.bytes.len() as u64;
    }
    output::line(&format!(
        "wrote {count} objects, {}, to {}",
        output::bytes(bytes),
        out.display()
    ));
    Ok(())
}
