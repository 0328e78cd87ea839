//! What reaches a terminal: colours only where somebody sees them, and nothing that an object's content
//! or name could steer it with. That nothing reaches a pipe is asserted for every command of every
//! test, in `place`.

use std::process::Command;

use crate::objects::{Library, event};
use crate::place::{Place, Running};
use crate::simulator::shop;

/// What the command says on a terminal; none where there is no program to play one.
fn on_a_terminal(place: &Place, arguments: &str, no_color: Option<&str>) -> Option<String> {
    let line = format!("'{}' {arguments}", env!("CARGO_BIN_EXE_esteira"));
    let mut script = Command::new("script");
    script
        .args(["-q", "-e", "-c", &line, "/dev/null"])
        .env_clear();
    script
        .env("HOME", place.path(""))
        .env("TERM", "xterm")
        .env("SHELL", "/bin/sh");
    script.envs(place.settings()).current_dir(place.path(""));
    script.stdin(std::process::Stdio::null());
    if let Some(value) = no_color {
        script.env("NO_COLOR", value);
    }
    let Ok(output) = script.output() else {
        eprintln!("skipped: there is no `script` to play a terminal");
        return None;
    };
    Some(String::from_utf8(output.stdout).unwrap())
}

/// util-linux and BSD disagree about the arguments of `script`.
#[cfg(target_os = "linux")]
#[test]
fn errors_are_coloured_on_a_terminal_unless_told_otherwise() {
    let place = Place::new();
    let Some(coloured) = on_a_terminal(&place, "run nada", None) else {
        return;
    };
    assert!(
        coloured.contains("\x1b[1;31merror:\x1b[0m pipeline `nada`"),
        "{coloured:?}"
    );
    let empty = on_a_terminal(&place, "run nada", Some("")).unwrap();
    assert!(
        empty.contains('\x1b'),
        "an empty NO_COLOR says nothing: {empty:?}"
    );
    for arguments in [
        "run nada",
        "nada",
        "--help",
        "down --port 1",
        "-vv run nada",
    ] {
        let plain = on_a_terminal(&place, arguments, Some("1")).unwrap();
        assert!(!plain.is_empty(), "{arguments}");
        assert!(!plain.contains('\x1b'), "{arguments}: {plain:?}");
    }
}

#[test]
fn run_without_a_terminal_is_plain_also_when_asked_for_live_progress() {
    let place = Place::new();
    let bucket = place.folder_bucket("balde");
    place.write("balde/input/a.json", event("pedido-1"));
    let said = place.ask(&["run", "--once", "--log", "live", "--bucket", &bucket]);
    assert_eq!(
        said,
        "1 batches: 1 objects, 1 events, 0 of them quarantined\n"
    );
}

#[test]
fn escape_sequences_in_contents_are_shown_not_sent() {
    let (_simulator, place) = shop();
    let library = Library::open(&place, "s3://itau-shop");
    let order = event("pedido-1").replace("CRIADO", r"\u001b[31mvermelho\u009b2J\u0007");
    library.put("input/\u{1b}]0;x\u{7}.json", order.as_bytes());
    library.put("input/lixo.json", b"\x1b[2J");
    place.ask(&["run", "--once"]);
    // `ask` fails when one gets through; the rest is to see that there was one.
    let table = place.ask(&["sql", "SELECT stat_pedi, _source_file FROM orders"]);
    assert!(
        table.contains(r"\u{1b}[31mvermelho\u{9b}2J\u{7}"),
        "{table}"
    );
    assert!(table.contains(r"input/\u{1b}]0;x\u{7}.json"), "{table}");
    let quarantine = place.ask(&["sql", "SELECT reason, message, original FROM quarantine"]);
    assert!(quarantine.contains("syntax"), "{quarantine}");
    let listed = place.ask(&["bucket", "list", "itau-shop", "input"]);
    assert!(listed.contains(r"input/\u{1b}]0;x\u{7}.json"), "{listed}");
    let json = place.ask(&["bucket", "list", "itau-shop", "input", "--format", "json"]);
    assert!(json.contains(r"input/\u001b]0;x\u0007.json"), "{json}");
    let failure = place.failure(&["bucket", "list", "itau-shop", "\x1b[31m"]);
    assert!(
        failure.contains(r"Path does not exist: s3://itau-shop/\u{1b}[31m"),
        "{failure}"
    );
}

#[test]
fn reader_that_goes_away_is_no_error() {
    let place = Place::new();
    let bucket = place.folder_bucket("balde");
    for number in 0..200 {
        place.write(&format!("balde/input/{number}.json"), "{}");
    }
    let line = format!(
        "'{}' bucket list '{bucket}' | head -n 1",
        env!("CARGO_BIN_EXE_esteira")
    );
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &line]);
    let answer = Running::new(shell).end();
    assert_eq!(answer.out.lines().count(), 1);
    assert_eq!(answer.err, "");
}
