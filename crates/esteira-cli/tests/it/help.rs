//! Help and version.

use std::collections::BTreeSet;

use crate::place::Place;

const VERBS: [&[&str]; 23] = [
    &[],
    &["up"],
    &["down"],
    &["bucket", "create"],
    &["bucket", "put"],
    &["bucket", "list"],
    &["run"],
    &["sql"],
    &["status"],
    &["history"],
    &["optimize"],
    &["vacuum"],
    &["upgrade"],
    &["generate"],
    &["init"],
    &["infer"],
    &["check"],
    &["why"],
    &["verify"],
    &["replay"],
    &["quarantine", "list"],
    &["quarantine", "show"],
    &["quarantine", "retry"],
];

#[test]
fn help_of_every_verb_has_examples_that_name_it() {
    let place = Place::new();
    for verb in VERBS {
        let help = place.ask(&[verb, &["--help"][..]].concat());
        let (usage, examples) = help
            .split_once("\nExample")
            .unwrap_or_else(|| panic!("no examples: {help}"));
        let command = [&["esteira"][..], verb].concat().join(" ");
        assert!(usage.contains(&format!("Usage: {command}")), "{help}");
        assert!(examples.contains(&format!("\n  {command}")), "{help}");
    }
}

#[test]
fn help_names_every_verb_and_the_exit_codes() {
    let help = Place::new().ask(&["--help"]);
    for verb in VERBS.iter().filter_map(|verb| verb.first()) {
        assert!(help.contains(&format!("\n  {verb} ")), "{verb}: {help}");
    }
    let codes = |text: &str| -> BTreeSet<u16> {
        let words = text.split(|c: char| !c.is_alphanumeric());
        words.filter_map(|word| word.parse().ok()).collect()
    };
    let (_, told) = help.split_once("\nExit codes: ").unwrap();
    let errors = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/errors.md");
    let errors = std::fs::read_to_string(errors).unwrap();
    let (_, table) = errors.split_once("| code | kind |").unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    let first = table.lines().filter_map(|line| line.split('|').nth(1));
    assert_eq!(codes(told), codes(&first.collect::<Vec<_>>().join(" ")));
}

#[test]
fn version_is_the_programs() {
    let version = Place::new().ask(&["--version"]);
    assert_eq!(
        version,
        concat!("esteira ", env!("CARGO_PKG_VERSION"), "\n")
    );
}
