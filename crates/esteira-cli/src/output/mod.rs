//! Everything that is written to the terminal.
//!
//! Answers go to standard output, everything about how it goes to standard error. Text that came from
//! outside (names of objects, contents of tables) is shown with its control characters escaped, so
//! that nobody's object can steer a terminal.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is the printer"
)]

mod format;
mod log;
mod progress;
mod rows;

pub(crate) use format::{bytes, duration, inline, instant, safe};
pub(crate) use log::{JsonLog, start_log};
pub(crate) use progress::{Bar, Live};
pub(crate) use rows::rows;

use std::io::{IsTerminal as _, Write as _};

/// A line on standard output. A reader that went away is no error, as for other commands.
pub(crate) fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{}", format::safe(text)).is_err() {
        std::process::exit(0);
    }
}

/// How wide a column of these names is.
pub(crate) fn width<'a>(names: impl Iterator<Item = &'a str>) -> usize {
    names
        .map(|name| name.chars().count())
        .max()
        .unwrap_or(0)
        .max(12)
}

/// A remark on standard error.
pub(crate) fn note(text: &str) {
    eprintln!("{}", format::safe(text));
}

/// An error, its causes and the way out.
pub(crate) fn error(texts: &[String], hint: Option<&str>) {
    let (error, cause, advice) = if colours() {
        (
            "\x1b[1;31merror:\x1b[0m",
            "\x1b[1mcaused by:\x1b[0m",
            "\x1b[1;36mhint:\x1b[0m",
        )
    } else {
        ("error:", "caused by:", "hint:")
    };
    for (index, text) in texts.iter().enumerate() {
        let label = if index == 0 { error } else { cause };
        eprintln!("{label} {}", format::safe(text));
    }
    if let Some(hint) = hint {
        eprintln!("{advice} {}", format::safe(hint));
    }
}

fn colours() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}
