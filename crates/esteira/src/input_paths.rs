//! The objects that a pipeline takes: all that one of its paths matches.
//!
//! With several paths the name of an object is its key without the folder that all paths have in common, so
//! that no two keys have one name.

use crate::path_pattern::{PathPattern, PatternError};

/// One path or several.
#[derive(Debug, Clone)]
pub struct InputPaths {
    paths: Vec<PathPattern>,
    base: String,
}

impl InputPaths {
    /// Reads the paths.
    ///
    /// # Errors
    /// [`PatternError`] of the first that cannot be read, or when there is none.
    pub fn parse<T: AsRef<str>>(paths: &[T]) -> Result<Self, PatternError> {
        if paths.is_empty() {
            return PathPattern::parse("").map(Self::from);
        }
        let paths = paths.iter().map(|path| PathPattern::parse(path.as_ref()));
        Ok(Self::of(paths.collect::<Result<_, _>>()?))
    }

    fn of(paths: Vec<PathPattern>) -> Self {
        let mut bases = paths.iter().map(PathPattern::base);
        let first = bases.next().unwrap_or_default();
        let base = bases.fold(first, common_folder).to_owned();
        Self { paths, base }
    }

    /// The paths.
    #[must_use]
    pub fn paths(&self) -> &[PathPattern] {
        &self.paths
    }

    /// The folder all matches are in, with its closing slash; empty for the bucket's root.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// What has to be listed to find all matches: beginnings of keys, none of which begins with another.
    #[must_use]
    pub fn prefixes(&self) -> Vec<&str> {
        let mut all: Vec<&str> = self.paths.iter().map(PathPattern::prefix).collect();
        all.sort_unstable();
        all.dedup_by(|later, earlier| later.starts_with(*earlier));
        all
    }

    /// Whether one of the paths matches the key.
    #[must_use]
    pub fn matches(&self, key: &str) -> bool {
        self.paths.iter().any(|path| path.matches(key))
    }

    /// The object's name under the input: no other key that matches has it.
    #[must_use]
    pub fn name<'a>(&self, key: &'a str) -> &'a str {
        key.strip_prefix(&self.base).unwrap_or(key)
    }
}

impl From<PathPattern> for InputPaths {
    fn from(path: PathPattern) -> Self {
        Self::of(vec![path])
    }
}

impl std::fmt::Display for InputPaths {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let paths: Vec<String> = self.paths.iter().map(ToString::to_string).collect();
        f.write_str(&paths.join(", "))
    }
}

fn common_folder<'a>(one: &'a str, other: &str) -> &'a str {
    let same = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b);
    // The end of a folder is the end of a character.
    let end = one.as_bytes()[..same.count()]
        .iter()
        .rposition(|byte| *byte == b'/');
    end.map_or("", |slash| &one[..=slash])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_path_gives_the_names_it_always_gave() {
        for path in ["input/*.json", "in/2026-*/x", "**", "in", "in/", "a/b.json"] {
            let (alone, path) = (
                InputPaths::parse(&[path]).unwrap(),
                PathPattern::parse(path).unwrap(),
            );
            for key in ["input/a.json", "in/2026-01/x", "in/x", "a/b.json", "x"] {
                assert_eq!(alone.name(key), path.name(key), "{path} {key}");
            }
            assert_eq!(alone.base(), path.base());
        }
    }

    #[test]
    fn several_paths_share_the_folder_that_names_leave_out() {
        let base = |paths: &[&str]| InputPaths::parse(paths).unwrap().base().to_owned();
        assert_eq!(base(&["in/a/*.json", "in/b/*.json"]), "in/");
        assert_eq!(base(&["in/ab/*", "in/ac/*"]), "in/");
        assert_eq!(base(&["in/é/*", "in/è/*"]), "in/");
        assert_eq!(base(&["in/*", "late/*"]), "");
        assert_eq!(base(&["in/a/*", "in/a/b/*"]), "in/a/");
    }

    #[test]
    fn overlapping_paths_are_listed_once() {
        let listed = |paths: &[&str]| {
            let paths = InputPaths::parse(paths).unwrap();
            let prefixes = paths.prefixes().into_iter().map(str::to_owned);
            prefixes.collect::<Vec<_>>()
        };
        assert_eq!(listed(&["in/2026-*/x", "in/2026-01/*"]), ["in/2026-"]);
        assert_eq!(listed(&["in/b/*", "in/a/*", "in/b/*"]), ["in/a/", "in/b/"]);
        assert_eq!(listed(&["in/a", "**", "x/*"]), [""]);
        assert_eq!(listed(&["in/a", "in/a.json"]), ["in/a"]);
    }

    #[test]
    fn no_path_is_no_input() {
        assert!(InputPaths::parse::<&str>(&[]).is_err());
        assert!(InputPaths::parse(&["in/*", "in/["]).is_err());
    }

    proptest! {
        /// Whatever the paths: names tell keys apart, and a listing has every match.
        #[test]
        fn keys_that_match_have_names_of_their_own_and_are_listed(
            paths in prop::collection::vec("([ab]/){0,3}[ab*?]{1,3}", 1..4),
            keys in prop::collection::hash_set("([ab]/){0,3}[ab]{1,3}", 1..30),
        ) {
            let paths = InputPaths::parse(&paths).unwrap();
            let prefixes = paths.prefixes();
            let mut names = std::collections::HashSet::new();
            for key in keys.iter().filter(|key| paths.matches(key)) {
                prop_assert!(names.insert(paths.name(key)));
                let listing = prefixes.iter().filter(|prefix| key.starts_with(**prefix));
                prop_assert_eq!(listing.count(), 1);
            }
        }
    }
}
