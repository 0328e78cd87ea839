//! Help and version.

use crate::place::Place;

const VERBS: [&[&str]; 14] = [
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
    assert!(help.contains("Exit codes: 0 done"), "{help}");
}

#[test]
fn version_is_the_programs() {
    let version = Place::new().ask(&["--version"]);
    assert_eq!(
        version,
        concat!("esteira ", env!("CARGO_PKG_VERSION"), "\n")
    );
}
