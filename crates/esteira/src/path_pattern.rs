//! Which objects a pipeline takes: a glob with Hadoop's rules.
//!
//! `*` and `?` stay inside one folder, `**` crosses folders, `[a-z]` and `[^a-z]` are one character,
//! `{a,b}` is either, `\` takes the next character as it is. Matching is case-sensitive. A pattern
//! without any of these names one object, or everything below a folder.

use regex::Regex;
use thiserror::Error;

/// A pattern that cannot be read.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("path `{pattern}`: {reason}")]
pub struct PatternError {
    pattern: String,
    reason: String,
}

/// A compiled pattern.
#[derive(Debug, Clone)]
pub struct PathPattern {
    text: String,
    base: String,
    prefix: String,
    regex: Regex,
}

impl PathPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`PatternError`] when a bracket or brace is not closed, or the pattern is empty.
    pub fn parse(pattern: &str) -> Result<Self, PatternError> {
        let fail = |reason: String| PatternError {
            pattern: pattern.to_owned(),
            reason,
        };
        let trimmed = pattern.trim_start_matches('/');
        if trimmed.is_empty() {
            return Err(fail("it is empty".to_owned()));
        }
        let magic = trimmed.find(['*', '?', '[', '{', '\\']);
        let (base, mut body) = match magic {
            Some(magic) => (
                folder_of(&trimmed[..magic]),
                translate(trimmed).map_err(fail)?,
            ),
            None if trimmed.ends_with('/') => (trimmed, regex::escape(trimmed) + ".*"),
            None => (
                folder_of(trimmed),
                format!("{}(?:/.*)?", regex::escape(trimmed)),
            ),
        };
        body.insert_str(0, "(?s)^");
        body.push('$');
        Ok(Self {
            text: pattern.to_owned(),
            base: base.to_owned(),
            prefix: trimmed[..magic.unwrap_or(trimmed.len())].to_owned(),
            regex: Regex::new(&body).map_err(|error| fail(error.to_string()))?,
        })
    }

    /// The folder all matches are in, with its closing slash; empty for the bucket's root.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// What all matches begin with; empty where they may begin with anything.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether the two certainly have no match in common, going by how their matches begin and end,
    /// and by the folders they are in.
    #[must_use]
    pub fn is_apart_from(&self, other: &Self) -> bool {
        let begin = |one: &str, other: &str| one.starts_with(other) || other.starts_with(one);
        let end = |one: &str, other: &str| one.ends_with(other) || other.ends_with(one);
        let other_depth = |depth| other.depth().is_some_and(|other| other != depth);
        !begin(&self.prefix, &other.prefix)
            || !end(self.suffix(), other.suffix())
            || self.depth().is_some_and(other_depth)
    }

    /// How many folders all matches are in, where that is plain to see.
    fn depth(&self) -> Option<usize> {
        let trimmed = self.text.trim_start_matches('/');
        let is_plain = trimmed.contains(['*', '?'])
            && !trimmed.contains("**")
            && !trimmed.contains(['[', '{', '\\']);
        is_plain.then(|| trimmed.matches('/').count())
    }

    /// What all matches end with, as far as that is plain to see.
    fn suffix(&self) -> &str {
        let trimmed = self.text.trim_start_matches('/');
        // Without a wildcard it may be a folder; a brace or an escape may hide what comes before.
        match trimmed.rfind(['*', '?', ']', '}', '\\']) {
            Some(magic) if !trimmed.contains(['\\', '{']) => &trimmed[magic + 1..],
            _ => "",
        }
    }

    /// Whether the key matches.
    #[must_use]
    pub fn matches(&self, key: &str) -> bool {
        self.regex.is_match(key)
    }

    /// The object's name under the input path.
    #[must_use]
    pub fn name<'a>(&self, key: &'a str) -> &'a str {
        key.strip_prefix(&self.base).unwrap_or(key)
    }
}

impl std::fmt::Display for PathPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

fn folder_of(path: &str) -> &str {
    path.rfind('/').map_or("", |slash| &path[..=slash])
}

fn translate(pattern: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut chars = pattern.chars().peekable();
    let mut alternatives = 0;
    while let Some(c) = chars.next() {
        match c {
            '*' if chars.peek() == Some(&'*') => {
                chars.next();
                if chars.peek() == Some(&'/') && (out.is_empty() || out.ends_with('/')) {
                    chars.next();
                    out.push_str("(?:.*/)?");
                } else {
                    out.push_str(".*");
                }
            }
            '*' => out.push_str("[^/]*"),
            '?' => out.push_str("[^/]"),
            '[' => out.push_str(&class(&mut chars)?),
            '{' => {
                alternatives += 1;
                out.push_str("(?:");
            }
            '}' if alternatives > 0 => {
                alternatives -= 1;
                out.push(')');
            }
            ',' if alternatives > 0 => out.push('|'),
            '\\' => match chars.next() {
                Some(escaped) => out.push_str(&regex::escape(&escaped.to_string())),
                None => return Err("it ends with a `\\`".to_owned()),
            },
            other => out.push_str(&regex::escape(&other.to_string())),
        }
    }
    if alternatives > 0 {
        return Err("a `{` is not closed".to_owned());
    }
    Ok(out)
}

fn class(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<String, String> {
    let mut out = String::from("[");
    if let Some('^' | '!') = chars.peek() {
        chars.next();
        out.push_str("^/");
    }
    for (index, c) in chars.by_ref().enumerate() {
        match c {
            ']' if index > 0 => {
                out.push(']');
                return Ok(out);
            }
            '-' => out.push('-'),
            other => out.push_str(&regex::escape(&other.to_string())),
        }
    }
    Err("a `[` is not closed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pattern_matches_by_hadoops_rules() {
        let cases: &[(&str, &[&str], &[&str])] = &[
            (
                "input/*.json",
                &[
                    "input/a.json",
                    "input/.json",
                    "input/a b%2F.json",
                    "input/a\nb.json",
                ],
                &[
                    "input/a.JSON",
                    "input/x/a.json",
                    "Input/a.json",
                    "input/a.json.gz",
                ],
            ),
            (
                "input/**",
                &["input/a", "input/x/y/a.json"],
                &["output/a", "input"],
            ),
            (
                "input/**/*.json",
                &["input/a.json", "input/x/y/a.json"],
                &["input/a.txt"],
            ),
            (
                "in/{a,b}?.json",
                &["in/a1.json", "in/bx.json"],
                &["in/c1.json", "in/a.json"],
            ),
            (
                "in/[0-9][^x].json",
                &["in/1a.json"],
                &["in/1x.json", "in/aa.json", "in/1/.json"],
            ),
            ("in/a\\*.json", &["in/a*.json"], &["in/ab.json"]),
            ("in/one.json", &["in/one.json"], &["in/one.jsonx"]),
            ("in", &["in/a", "in/b/c", "in"], &["inx/a"]),
            ("in/", &["in/a", "in/b/c"], &["inx/a"]),
        ];
        for (pattern, yes, no) in cases {
            let compiled = PathPattern::parse(pattern).unwrap();
            for key in *yes {
                assert!(compiled.matches(key), "{pattern} should match {key}");
            }
            for key in *no {
                assert!(!compiled.matches(key), "{pattern} should not match {key}");
            }
        }
    }

    #[test]
    fn name_is_what_follows_the_folder_before_the_first_wildcard() {
        let pattern = PathPattern::parse("input/2026-*/x.json").unwrap();
        assert_eq!(pattern.base(), "input/");
        assert_eq!(pattern.name("input/2026-01/x.json"), "2026-01/x.json");
        assert_eq!(PathPattern::parse("*.json").unwrap().base(), "");
    }

    #[test]
    fn patterns_are_apart_where_no_key_can_match_both() {
        for (one, other, apart) in [
            ("in/a-*.json", "in/b-*.json", true),
            ("in/*-a.json", "in/*-b.json", true),
            ("in/*.json", "in/*.csv", true),
            ("in/*.json", "in/2026/*.json", true),
            ("in/*.json", "in/{2026/,}*.json", false),
            ("in/*.json", "in/**/*.json", false),
            ("in/**", "in/a/x.json", false),
            ("in/a", "in/ab", false),
            ("in/{a,b}.json", "in/*.csv", false),
            ("a/*", "b/*", true),
        ] {
            let parse = |text: &str| PathPattern::parse(text).unwrap();
            assert_eq!(
                parse(one).is_apart_from(&parse(other)),
                apart,
                "{one} {other}"
            );
            assert_eq!(
                parse(other).is_apart_from(&parse(one)),
                apart,
                "{other} {one}"
            );
        }
    }

    #[test]
    fn pattern_that_is_not_closed_says_so() {
        for (pattern, reason) in [
            ("in/[a", "a `[` is not closed"),
            ("in/{a,b", "a `{` is not closed"),
            ("in/a\\", "it ends with a `\\`"),
            ("/", "it is empty"),
        ] {
            assert_eq!(
                PathPattern::parse(pattern).unwrap_err().to_string(),
                format!("path `{pattern}`: {reason}")
            );
        }
    }
}
