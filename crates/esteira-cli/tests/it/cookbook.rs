//! The recipes of the cookbook, executed as they are written there, and the same in both languages.
//!
//! A recipe is a heading with a number. Its `sh` blocks are run; in its `console` blocks what follows a `$`
//! is run, and what it says has to be what is written below, where `…` stands for anything: within a line
//! for a part of it, on a line of its own for any number of lines.

use std::process::{Command, Stdio};

use crate::place::Place;

const ENGLISH: &str = include_str!("../../../../docs/cookbook.md");
const PORTUGUESE: &str = include_str!("../../../../docs/cookbook.pt-BR.md");

/// Between what two commands say; no text has it.
const SEPARATOR: char = '\u{1e}';

struct Recipe<'a> {
    title: &'a str,
    blocks: Vec<Block<'a>>,
}

#[derive(Debug, PartialEq)]
enum Block<'a> {
    Script(String),
    Console(Vec<Exchange<'a>>),
    /// In another language, or to be read only.
    Other(&'a str, String),
}

/// What is typed, and what is answered.
#[derive(Debug, PartialEq)]
struct Exchange<'a> {
    command: String,
    answer: Vec<&'a str>,
}

fn recipes(page: &str) -> Vec<Recipe<'_>> {
    let mut recipes: Vec<Recipe<'_>> = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(title) = line.strip_prefix("## ") {
            let blocks = Vec::new();
            recipes.push(Recipe { title, blocks });
        } else if let Some(kind) = line.strip_prefix("```") {
            let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            let block = match kind {
                "sh" => Block::Script(text.join("\n")),
                "console" => Block::Console(exchanges(&text)),
                other => Block::Other(other, text.join("\n")),
            };
            // Every block is in a recipe.
            recipes.last_mut().unwrap().blocks.push(block);
        }
    }
    recipes
}

fn exchanges<'a>(lines: &[&'a str]) -> Vec<Exchange<'a>> {
    let mut exchanges: Vec<Exchange<'a>> = Vec::new();
    for line in lines {
        match (line.strip_prefix("$ "), exchanges.last_mut()) {
            (Some(command), _) => exchanges.push(Exchange {
                command: command.to_owned(),
                answer: Vec::new(),
            }),
            (None, Some(last)) if last.answer.is_empty() && last.command.ends_with('\\') => {
                last.command += "\n";
                last.command += line;
            }
            // A command comes first.
            (None, last) => last.unwrap().answer.push(line),
        }
    }
    exchanges
}

/// Runs a recipe, and holds what is said against what is written.
fn cook(number: usize) {
    let recipes = recipes(ENGLISH);
    let recipe = &recipes[number - 1];
    let separate = format!("printf '{SEPARATOR}'");
    let mut script = vec!["set -euo pipefail", "exec 2>&1"];
    for block in &recipe.blocks {
        match block {
            Block::Script(text) => script.push(text),
            Block::Console(exchanges) => {
                for exchange in exchanges {
                    script.extend([separate.as_str(), &exchange.command]);
                }
                // What a script says that follows is not part of the answer.
                script.extend([separate.as_str(), &separate]);
            }
            Block::Other(..) => {}
        }
    }
    let place = Place::new();
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_esteira")).parent();
    let path = format!(
        "{}:{}",
        folder.unwrap().display(),
        std::env::var("PATH").unwrap()
    );
    let output = Command::new("bash")
        .args(["-c", &script.join("\n")])
        .env_clear()
        .env("PATH", path)
        .env("HOME", place.path("."))
        .env("NO_COLOR", "1")
        .current_dir(place.path("."))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}: {said}", recipe.title);
    // Odd pieces that begin an exchange are answers; between two blocks is what scripts say.
    let mut answers = said.split(SEPARATOR);
    answers.next();
    for block in &recipe.blocks {
        let Block::Console(exchanges) = block else {
            continue;
        };
        for exchange in exchanges {
            let answer: Vec<&str> = answers.next().unwrap().lines().collect();
            assert!(
                agree(&exchange.answer, &answer),
                "{}\n$ {}\n--- written\n{}\n--- said\n{}\n",
                recipe.title,
                exchange.command,
                exchange.answer.join("\n"),
                answer.join("\n"),
            );
        }
        assert_eq!(answers.next(), Some(""));
        answers.next();
    }
}

/// Whether what is written stands for what was said.
fn agree(written: &[&str], said: &[&str]) -> bool {
    match (written, said) {
        ([], []) => true,
        (["…", rest @ ..], _) => (0..=said.len()).any(|from| agree(rest, &said[from..])),
        ([line, written @ ..], [answer, said @ ..]) => {
            stands_for(line, answer) && agree(written, said)
        }
        _ => false,
    }
}

fn stands_for(line: &str, answer: &str) -> bool {
    let Some((before, behind)) = line.split_once('…') else {
        return line.trim_end() == answer.trim_end();
    };
    let Some(rest) = answer.strip_prefix(before) else {
        return false;
    };
    let starts = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
    starts.into_iter().any(|at| stands_for(behind, &rest[at..]))
}

#[test]
fn new_kind_of_event() {
    cook(1);
}

#[test]
fn rules_and_what_broke_them() {
    cook(2);
}

#[test]
fn history_and_deletions() {
    cook(3);
}

#[test]
fn field_that_is_new() {
    cook(4);
}

#[test]
fn input_that_stays_small() {
    cook(5);
}

#[test]
fn every_recipe_is_cooked_and_says_the_same_in_both_languages() {
    let (english, portuguese) = (recipes(ENGLISH), recipes(PORTUGUESE));
    assert_eq!((english.len(), portuguese.len()), (5, 5));
    for (one, other) in english.iter().zip(&portuguese) {
        assert!(!one.blocks.is_empty());
        assert_eq!(one.blocks, other.blocks, "{} | {}", one.title, other.title);
        let number = |title: &str| title.split('.').next().map(str::to_owned);
        assert_eq!(number(one.title), number(other.title));
    }
}

#[test]
fn dots_stand_for_anything_else_for_itself() {
    assert!(agree(&["a", "…", "z"], &["a", "b", "c", "z"]));
    assert!(agree(&["a", "…", "z"], &["a", "z"]));
    assert!(agree(&["took … ms, …"], &["took 12 ms, all"]));
    assert!(!agree(&["a", "z"], &["a", "b", "z"]));
    assert!(!agree(&["took … ms"], &["took 12 s"]));
    assert!(!agree(&["a"], &[]));
}
