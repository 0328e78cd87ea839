//! What is typed to tidy tables: `optimize`, `vacuum`, `upgrade`.

use clap::Args;

use super::{ListFormat, Target};

/// Which tables of a pipeline.
#[derive(Debug, Args)]
pub(crate) struct Tables {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Only this table; may be given several times. All of them when it is not given.
    #[arg(long = "table", value_name = "TABLE")]
    pub(crate) only: Vec<String>,
    /// Text for people, one JSON object a table for scripts.
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    pub(crate) format: ListFormat,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  esteira optimize
  esteira optimize --table orders --table products
  esteira optimize --purge --bucket file:///data/shop")]
pub(crate) struct OptimizeArguments {
    #[command(flatten)]
    pub(crate) tables: Tables,
    /// Rewrite every file with a deleted row, not only those with at least five of a hundred.
    #[arg(long)]
    pub(crate) purge: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  esteira vacuum --dry-run
  esteira vacuum --retain-hours 24
  esteira vacuum --format json | jq -r '.files[].key'")]
pub(crate) struct VacuumArguments {
    #[command(flatten)]
    pub(crate) tables: Tables,
    /// Only tell what would be deleted.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How long a version of a table can still be read after it was replaced; the pipeline's
    /// `retention_hours` when it is not given. What the newest record names always stays.
    #[arg(long, value_name = "HOURS")]
    pub(crate) retain_hours: Option<u32>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  esteira upgrade
  esteira upgrade --table orders

Columns whose type holds more in the pipeline than in the table (INT to BIGINT, more digits of a DECIMAL) get
it: all files of the table are written again, in one commit. Stop the job while it is done.

Deletion vectors are turned on: afterwards the table can only be read by software that knows them (Delta
reader version 3). Not in a table that says `copy_on_write = true` in `pipeline.toml`.")]
pub(crate) struct UpgradeArguments {
    #[command(flatten)]
    pub(crate) tables: Tables,
}
