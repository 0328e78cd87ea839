//! A file per verb.

mod bucket;
mod check;
mod down;
mod generate;
mod history;
mod infer;
mod init;
mod optimize;
mod quarantine;
mod replay;
mod run;
mod sql;
mod status;
mod up;
mod upgrade;
mod vacuum;
mod verify;
mod why;

use esteira::{DraftError, Lake, Pipeline};
use esteira_lake::bucket::{Bucket, Environment};

use crate::arguments::Command;
use crate::failure::Failure;

/// Does what was typed.
pub(crate) async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Up(arguments) => up::run(arguments).await,
        Command::Down(arguments) => down::run(&arguments).await,
        Command::Bucket(command) => bucket::run(command).await,
        Command::Run(arguments) => run::run(arguments).await,
        Command::Init(arguments) => init::run(&arguments),
        Command::Infer(arguments) => infer::run(arguments).await,
        Command::Check(arguments) => check::run(arguments).await,
        Command::Sql(arguments) => sql::run(arguments).await,
        Command::Status(arguments) => status::run(arguments).await,
        Command::History(arguments) => history::run(arguments).await,
        Command::Why(arguments) => why::run(arguments).await,
        Command::Verify(arguments) => verify::run(arguments).await,
        Command::Replay(arguments) => replay::run(arguments).await,
        Command::Quarantine(command) => quarantine::run(command).await,
        Command::Optimize(arguments) => optimize::run(arguments).await,
        Command::Vacuum(arguments) => vacuum::run(arguments).await,
        Command::Upgrade(arguments) => upgrade::run(arguments).await,
        Command::Generate(arguments) => generate::run(&arguments),
    }
}

/// A draft that was not made, on the terminal.
fn drafted(error: &DraftError) -> anyhow::Error {
    let code = match error {
        DraftError::Name(_) | DraftError::BuiltIn => 2,
        _ => 1,
    };
    let mut failure = Failure::new(error.to_string()).code(code);
    failure.hint = error.hint();
    failure.into()
}

/// The tables of a pipeline in a bucket, for reading.
async fn lake(pipeline: &str, bucket: &str) -> Result<Lake, esteira::Error> {
    let pipeline = Pipeline::files(pipeline)?.load().await?;
    let bucket = Bucket::open(bucket, &Environment::of_process())?;
    Lake::open(pipeline, bucket).await
}
