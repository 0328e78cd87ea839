//! `esteira upgrade`: deletion vectors for tables that were created without.

use serde_json::json;

use super::lake;
use crate::arguments::{ListFormat, UpgradeArguments};
use crate::output;

pub(super) async fn run(arguments: UpgradeArguments) -> anyhow::Result<()> {
    let tables = arguments.tables;
    let lake = lake(&tables.target.pipeline, &tables.target.place.bucket).await?;
    let all = esteira::upgrade(&lake, &tables.only).await?;
    let width = output::width(all.iter().map(|(table, _)| table.as_str()));
    for (table, upgraded) in all {
        match tables.format {
            ListFormat::Json => {
                output::line(&json!({"table": table, "upgraded": upgraded}).to_string());
            }
            ListFormat::Text => output::line(&format!(
                "{table:<width$} {}",
                if upgraded {
                    "uses deletion vectors from now on"
                } else {
                    "stays as it is"
                }
            )),
        }
    }
    Ok(())
}
