//! The `esteira` command.
//!
//! # Layout
//!
//! - `arguments`: what was typed
//! - `commands/`: a file per verb; each turns what was typed into a call of the library
//! - `output/`: everything that is written to the terminal, and only there
//! - `sample/`: the generator of sample events
//! - `failure`: errors on the terminal, hints, exit codes

use clap::Parser as _;

/// Batches fill and free hundreds of megabytes in pieces of every size, on several threads; the C
/// library's allocator keeps twice of that.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

mod arguments;
mod commands;
mod failure;
mod output;
mod sample;

fn main() -> std::process::ExitCode {
    let arguments = arguments::Arguments::parse();
    output::start_log(arguments.verbose);
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return failure::report(&error.into()),
    };
    match runtime.block_on(commands::run(arguments.command)) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => failure::report(&error),
    }
}
