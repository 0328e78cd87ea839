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

pub(crate) use format::{batches, bytes, duration, inline, instant, safe};
pub(crate) use log::{JsonLog, start_log};
pub(crate) use progress::{Bar, LiveLines};
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
    for (index, text) in texts.iter().enumerate() {
        let (label, colour) = match index {
            0 => ("error:", "1;31"),
            _ => ("caused by:", "1"),
        };
        labelled(label, colour, text);
    }
    advise(hint);
}

/// Something that is most likely not meant, and the way out.
pub(crate) fn warning(text: &str, hint: Option<&str>) {
    labelled("warning:", "1;33", text);
    advise(hint);
}

fn advise(hint: Option<&str>) {
    if let Some(hint) = hint {
        labelled("hint:", "1;36", hint);
    }
}

fn labelled(label: &str, colour: &str, text: &str) {
    let text = format::safe(text);
    if colours() {
        eprintln!("\x1b[{colour}m{label}\x1b[0m {text}");
    } else {
        eprintln!("{label} {text}");
    }
}

fn colours() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}
