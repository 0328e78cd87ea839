//! What was typed. Each verb's arguments are read here and given a meaning in `commands`.

mod authoring;
mod maintenance;

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use esteira_s3::Profile;

pub(crate) use self::authoring::{CheckArguments, InferArguments, InitArguments};
pub(crate) use self::maintenance::{OptimizeArguments, UpgradeArguments, VacuumArguments};
use crate::sample::{SampleCompression, SampleForm};

/// Objects in a bucket become Delta tables, continuously and exactly once.
///
/// S3 is reached with the standard AWS settings: AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID,
/// AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_PROFILE, web identity and instance roles.
#[derive(Debug, Parser)]
#[command(
    name = "esteira",
    version,
    max_term_width = 100,
    after_help = "\
Examples:
  esteira up                                  start the S3 simulator
  esteira bucket create itau-shop
  esteira bucket put itau-shop ./input --to input
  esteira run --once                          take what is there now
  esteira sql \"SELECT stat_pedi, count(*) FROM orders GROUP BY 1\"
  esteira status

Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 wrong pipeline, 4 bucket not usable,
5 another runner, 6 table not ours, 7 question failed, 8 table not what its originals make,
9 event breaks a rule that stops, 10 rows made by other rules than today's, 130 and 143 ended at once by a
second Ctrl-C or SIGTERM."
)]
pub(crate) struct Arguments {
    /// Say more on standard error; twice says everything.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the S3 simulator.
    Up(UpArguments),
    /// Stop the S3 simulator.
    Down(DownArguments),
    /// Create, fill and list buckets, on the simulator or any S3.
    #[command(
        subcommand,
        after_help = "Examples:\n  esteira bucket create itau-shop\n  esteira bucket put itau-shop ./input --to input\n  esteira bucket list itau-shop raw"
    )]
    Bucket(BucketCommand),
    /// Run a pipeline: objects in, tables out.
    Run(RunArguments),
    /// Make a new pipeline's folder, with everything in it explained.
    Init(InitArguments),
    /// Draft a pipeline from sample objects, or lines for the schema of one that has run.
    Infer(InferArguments),
    /// Tell everything that is wrong with a pipeline's folder, without running it.
    Check(CheckArguments),
    /// Ask the tables; a shell when no question is given.
    Sql(SqlArguments),
    /// How a pipeline is doing: the last batch, what waits, how far behind.
    Status(StatusArguments),
    /// The batches that were recorded.
    History(HistoryArguments),
    /// Why a row is what it is: every event of its key, and which of them stands.
    Why(WhyArguments),
    /// Make the tables once more from the originals, elsewhere, and compare every row.
    Verify(VerifyArguments),
    /// Build the tables anew from the originals, beside the live ones or in their place.
    Replay(ReplayArguments),
    /// What could not become an event.
    #[command(
        subcommand,
        after_help = "Examples:\n  esteira quarantine list\n  esteira quarantine show 5f2e9c01ab77\n  esteira quarantine show 5f2e9c01ab77 --original > entry.json"
    )]
    Quarantine(QuarantineCommand),
    /// Merge small files and drop deleted rows for good; no row of a table changes.
    Optimize(OptimizeArguments),
    /// Delete files that no version within the retention needs.
    Vacuum(VacuumArguments),
    /// Bring tables up to the pipeline: types that hold more, deletion vectors.
    Upgrade(UpgradeArguments),
    /// Make sample events of the marketplace.
    Generate(GenerateArguments),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  esteira up                        detached, http://127.0.0.1:4566, data in .esteira-s3
  esteira up --port 9000 --dir /data/s3
  esteira up --foreground           until Ctrl-C, log on standard error
  esteira up --chaos 7              with faults: the same ones for the same seed
  esteira up --chaos 7 --chaos-profile storm")]
pub(crate) struct UpArguments {
    /// The folder that holds the buckets; it survives restarts.
    #[arg(long, default_value = ".esteira-s3")]
    pub(crate) dir: PathBuf,
    /// The port to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 4566)]
    pub(crate) port: u16,
    /// The address to listen on. Anything but loopback lets others in.
    #[arg(long, default_value = "127.0.0.1")]
    pub(crate) host: IpAddr,
    /// Stay in the foreground.
    #[arg(long)]
    pub(crate) foreground: bool,
    /// Make faults: errors, lost answers, cut connections, odd pages, wrong clocks. The same seed makes
    /// the same ones.
    #[arg(long, value_name = "SEED")]
    pub(crate) chaos: Option<u64>,
    /// How often and how hard: light, rough or storm.
    #[arg(long, value_name = "PROFILE", default_value_t = Profile::Rough, requires = "chaos")]
    pub(crate) chaos_profile: Profile,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  esteira down --port 9000")]
pub(crate) struct DownArguments {
    /// The port it listens on.
    #[arg(long, default_value_t = 4566)]
    pub(crate) port: u16,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BucketCommand {
    /// Create a bucket.
    #[command(after_help = "Example:\n  esteira bucket create itau-shop")]
    Create {
        /// Its name, `s3://name`, or `file:///folder`.
        bucket: String,
    },
    /// Upload a file, or all files of a folder.
    #[command(after_help = "Example:\n  esteira bucket put itau-shop ./input --to input")]
    Put {
        /// The bucket.
        bucket: String,
        /// A file or a folder.
        source: PathBuf,
        /// The folder in the bucket.
        #[arg(long, default_value = "")]
        to: String,
    },
    /// List buckets, or what is in one.
    #[command(after_help = "\
Examples:
  esteira bucket list
  esteira bucket list itau-shop
  esteira bucket list itau-shop analytics/orders")]
    List {
        /// The bucket; all buckets when it is not given.
        bucket: Option<String>,
        /// A folder in it.
        path: Option<String>,
        /// Text for people, JSON lines for scripts.
        #[arg(long, value_enum, default_value_t = ListFormat::Text)]
        format: ListFormat,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    Text,
    Json,
}

/// Which pipeline, where.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// A pipeline's folder, or the name of a built-in one.
    #[arg(default_value = "marketing_place")]
    pub(crate) pipeline: String,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Debug, Args)]
pub(crate) struct Place {
    /// The bucket: `s3://name` or `file:///folder`.
    #[arg(long, env = "ESTEIRA_BUCKET", default_value = "s3://itau-shop")]
    pub(crate) bucket: String,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  esteira run --once
  esteira run --bucket file:///data/shop
  esteira run pipelines/refunds --bucket s3://refunds --log json
  esteira run pipelines/orders pipelines/refunds

Of several pipelines each has its own ledger. With `--once` each runs to its end, whatever happens to
the others; otherwise the others finish what is in hand when one ends with an error.")]
pub(crate) struct RunArguments {
    /// Folders of pipelines, or names of built-in ones; several run side by side.
    #[arg(default_value = "marketing_place", value_name = "PIPELINE")]
    pub(crate) pipelines: Vec<String>,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Take what is there now, and end.
    #[arg(long)]
    pub(crate) once: bool,
    /// Which objects to take, instead of the pipeline's paths: a glob such as `input/**/*.json`; may be given
    /// several times.
    #[arg(long)]
    pub(crate) input: Vec<String>,
    /// How to tell what happens: live on a terminal, one JSON line a batch otherwise.
    #[arg(long, value_enum, default_value_t = LogFormat::Auto)]
    pub(crate) log: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Auto,
    Live,
    Json,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  esteira sql \"SELECT * FROM orders LIMIT 5\"
  esteira sql --format csv \"SELECT * FROM products\" > products.csv
  esteira sql                       a shell; \\d lists the tables, \\q leaves")]
pub(crate) struct SqlArguments {
    /// The question.
    pub(crate) query: Option<String>,
    /// The pipeline whose tables are meant.
    #[arg(long, default_value = "marketing_place")]
    pub(crate) pipeline: String,
    #[command(flatten)]
    pub(crate) place: Place,
    /// How to print the answer.
    #[arg(long, value_enum, default_value_t = RowFormat::Table)]
    pub(crate) format: RowFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RowFormat {
    /// For people.
    Table,
    /// RFC 4180, with a header.
    Csv,
    /// One JSON object a line.
    Json,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  esteira status --format json | jq .behind_ms")]
pub(crate) struct StatusArguments {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Text for people, JSON for scripts.
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    pub(crate) format: ListFormat,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  esteira history --last 5 --format json")]
pub(crate) struct HistoryArguments {
    #[command(flatten)]
    pub(crate) target: Target,
    /// How many batches, the newest last.
    #[arg(long, default_value_t = 20)]
    pub(crate) last: u64,
    /// Text for people, one JSON record a line for scripts.
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    pub(crate) format: ListFormat,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  esteira why orders 1234567890
  esteira why sellers 42 --format json | jq .events
  esteira why review_log reviews/a.ndjson 3 --pipeline product_reviews

A table where every event is a row has no key; there it is the object's key and the event's number in
it. It reads all originals: minutes where there are many.")]
pub(crate) struct WhyArguments {
    /// The table.
    pub(crate) table: String,
    /// The key: the value of each of its columns, in order.
    #[arg(required = true)]
    pub(crate) key: Vec<String>,
    /// The pipeline whose table is meant.
    #[arg(long, default_value = "marketing_place")]
    pub(crate) pipeline: String,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Text for people, JSON for scripts.
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    pub(crate) format: ListFormat,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  esteira verify
  esteira verify --scratch /data/tmp --format json | jq '.tables[].differences'

It reads all originals and writes all tables once to the scratch folder, which is emptied afterwards.
Compared are the versions that the newest record names. Nothing in the bucket changes. Exit code 8: a row is not what the
originals make; 10: only rows whose batch was made by other rules than the pipeline has now.")]
pub(crate) struct VerifyArguments {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Where there is room for all tables once; the system's temporary folder when it is not given.
    #[arg(long, value_name = "DIR")]
    pub(crate) scratch: Option<PathBuf>,
    /// Text for people, JSON for scripts.
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    pub(crate) format: ListFormat,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  esteira replay --switch
  esteira replay --into analytics-anew
  esteira replay --into before-the-incident --until 1200

Without --switch the live tables, the originals and the ledger stay as they are. With it every table gets the
replayed rows, and the pipeline's columns, in one commit; it may be done while the job runs, and what was
there before stays readable as older versions. All batches are taken: a row depends on every one before.")]
pub(crate) struct ReplayArguments {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Put the tables in the place of the live ones.
    #[arg(long)]
    pub(crate) switch: bool,
    /// The folder in the bucket for the new tables and their quarantine; nothing may be there. With --switch
    /// it may be left out.
    #[arg(long, value_name = "PATH", required_unless_present = "switch")]
    pub(crate) into: Option<String>,
    /// With --switch: leave the new tables where they were made, too.
    #[arg(long, requires_all = ["switch", "into"])]
    pub(crate) keep: bool,
    /// The last batch to take; the newest when it is not given.
    #[arg(long, value_name = "BATCH", conflicts_with = "switch")]
    pub(crate) until: Option<u64>,
    /// Text for people, JSON for scripts.
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    pub(crate) format: ListFormat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum QuarantineCommand {
    /// List the entries.
    #[command(after_help = "Example:\n  esteira quarantine list --format json | jq -r .message")]
    List {
        #[command(flatten)]
        target: Target,
        /// Text for people, one JSON object an entry for scripts.
        #[arg(long, value_enum, default_value_t = ListFormat::Text)]
        format: ListFormat,
    },
    /// Show one entry: the reason, where, and its bytes.
    #[command(
        after_help = "Example:\n  esteira quarantine show 5f2e9c01ab77 --original > entry.json"
    )]
    Show {
        /// Its id, as `list` shows it, or the beginning of it.
        id: String,
        #[command(flatten)]
        target: Target,
        /// Write only its bytes, as they are.
        #[arg(long)]
        original: bool,
    },
    /// Take entries once more, from their originals, with the rules of today.
    ///
    /// Afterwards tables, quarantine and totals (but for how often rules were broken) are those of a run that had
    /// these rules from the start. What is rejected as before stays as it is; doing it again changes nothing. May
    /// be done while the job runs.
    #[command(
        after_help = "Examples:\n  esteira quarantine retry\n  esteira quarantine retry 5f2e9c01ab77 --pipeline pipelines/refunds"
    )]
    Retry {
        /// Only objects that hold an entry with one of these ids, or beginnings of ids.
        ids: Vec<String>,
        /// The pipeline whose quarantine is meant.
        #[arg(long, default_value = "marketing_place")]
        pipeline: String,
        #[command(flatten)]
        place: Place,
        /// Text for people, JSON for scripts.
        #[arg(long, value_enum, default_value_t = ListFormat::Text)]
        format: ListFormat,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  esteira generate --orders 1000 --out input
  esteira generate --orders 100000 --events-per-object 10000 --form ndjson --out input")]
pub(crate) struct GenerateArguments {
    /// Orders; each has two to five events.
    #[arg(long, default_value_t = 1000)]
    pub(crate) orders: u64,
    /// The same seed makes the same bytes.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// The number of the first order, to continue an earlier run with new ones.
    #[arg(long, default_value_t = 1)]
    pub(crate) first_order: u64,
    /// The folder to write to; it is created.
    #[arg(long, default_value = "input")]
    pub(crate) out: PathBuf,
    /// Events in an object.
    #[arg(long, default_value_t = 1)]
    pub(crate) events_per_object: usize,
    /// How an object holds its events.
    #[arg(long, value_enum, default_value_t = SampleForm::Json)]
    pub(crate) form: SampleForm,
    /// Compress the objects.
    #[arg(long, value_enum)]
    pub(crate) compression: Option<SampleCompression>,
    /// Stop after this many events, whatever the orders.
    #[arg(long)]
    pub(crate) events: Option<u64>,
    /// Over how many days the orders are spread.
    #[arg(long, default_value_t = 30)]
    pub(crate) days: u32,
}
