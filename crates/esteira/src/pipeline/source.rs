//! Which objects a pipeline takes and what becomes of them afterwards: the section `[source]`.

use std::time::Duration;

use super::PipelineError;
use super::file::{AfterName, PipelineFile, SourceSection};
use super::outputs::{Outputs, unusable_path};
use super::places::Places;
use crate::input_paths::InputPaths;
use crate::path_pattern::PathPattern;

/// Which objects are taken among those that the paths match, and what becomes of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceRules {
    /// A younger object is left for a later look: somebody may still be writing it.
    pub min_age: Duration,
    /// An older object is not taken.
    pub max_age: Option<Duration>,
    /// What becomes of an object once its batch is recorded and its original is safe.
    pub after: After,
    /// Where the bucket tells of new objects.
    pub notifications: Option<Notifications>,
}

/// What becomes of an object that was taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum After {
    /// It stays.
    #[default]
    Keep,
    /// It is deleted.
    Delete,
    /// It is moved to another folder of the bucket.
    Archive {
        /// That folder.
        folder: String,
    },
}

/// A queue in which the bucket tells of new objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notifications {
    /// Its URL, or its name.
    pub queue: String,
    /// How often the input is listed all the same: messages get lost.
    pub list_every: Duration,
}

const LIST_EVERY: u64 = 3600;

pub(super) fn of(section: &SourceSection, outputs: &Outputs) -> SourceRules {
    SourceRules {
        min_age: Duration::from_secs(section.min_age_seconds.unwrap_or(0)),
        max_age: section.max_age_hours.map(Duration::from_hours),
        after: match (section.after, &outputs.archive) {
            (AfterName::Archive, Some(folder)) => After::Archive {
                folder: folder.clone(),
            },
            (AfterName::Delete, _) => After::Delete,
            (AfterName::Keep | AfterName::Archive, _) => After::Keep,
        },
        notifications: section.notifications.as_ref().map(|given| Notifications {
            queue: given.queue.clone(),
            list_every: Duration::from_secs(given.list_every_seconds.unwrap_or(LIST_EVERY)),
        }),
    }
}

/// The paths, each with the setting it is in; what is wrong with them is told.
pub(super) fn paths(
    section: &SourceSection,
    places: &Places<'_>,
    errors: &mut Vec<PipelineError>,
) -> Vec<(String, PathPattern)> {
    let given: Vec<(String, &String)> =
        match (&section.path, &section.paths) {
            (Some(_), Some(_)) => {
                errors.push(places.wrong(
                    "source.paths",
                    "`path` and `paths` are both given",
                    Some("keep one of them".to_owned()),
                ));
                return Vec::new();
            }
            (Some(path), None) => vec![("source.path".to_owned(), path)],
            (None, Some(paths)) if paths.is_empty() => {
                errors.push(places.wrong("source.paths", "`source.paths` is empty", None));
                return Vec::new();
            }
            (None, Some(paths)) => {
                let place = |at| format!("source.paths.{at}");
                let paths = paths.iter().enumerate();
                paths.map(|(at, path)| (place(at), path)).collect()
            }
            (None, None) => {
                let is_told = ["source.path", "source.paths"]
                    .iter()
                    .any(|key| places.is_given(key));
                // Of a section that is not there, and of a value that is no text, has been told.
                if places.is_given("source") && !is_told {
                    errors.push(places.wrong(
                    "source",
                    "no path says which objects are taken",
                    Some(
                        "add `path = \"input/*.json\"`, or `paths` with a list of such paths"
                            .to_owned(),
                    ),
                ));
                }
                return Vec::new();
            }
        };
    let mut patterns = Vec::new();
    for (key, path) in given {
        if path.is_empty() {
            let name = key.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
            let message = if name == key {
                format!("`{name}` is empty")
            } else {
                format!("a path of `{name}` is empty")
            };
            errors.push(places.wrong(&key, message, None));
            continue;
        }
        match PathPattern::parse(path) {
            Ok(pattern) => patterns.push((key, pattern)),
            Err(error) => errors.push(places.wrong(&key, error.to_string(), None)),
        }
    }
    patterns
}

/// What is out of range, and what does not go together.
pub(super) fn check(
    config: &PipelineFile,
    input: Option<&InputPaths>,
    outputs: &Outputs,
    places: &Places<'_>,
    errors: &mut Vec<PipelineError>,
) {
    let section = &config.source;
    let notifications = section.notifications.as_ref();
    for (key, value, least, most) in [
        (
            "source.min_age_seconds",
            section.min_age_seconds,
            0,
            604_800,
        ),
        ("source.max_age_hours", section.max_age_hours, 1, 876_000),
        (
            "source.notifications.list_every_seconds",
            notifications.and_then(|given| given.list_every_seconds),
            1,
            604_800,
        ),
    ] {
        if let Some(value) = value.filter(|value| !(least..=most).contains(value)) {
            let name = key.rsplit('.').next().unwrap_or(key);
            errors.push(places.wrong(
                key,
                format!("`{name}` cannot be {value}"),
                Some(format!("from {least} to {most}")),
            ));
        }
    }
    if let (Some(least), Some(most)) = (section.min_age_seconds, section.max_age_hours)
        && most > 0
        && least >= most.saturating_mul(3600)
    {
        errors.push(places.wrong(
            "source.max_age_hours",
            "objects would be too old before they are old enough: nothing is taken",
            Some("`max_age_hours` has to be longer than `min_age_seconds`".to_owned()),
        ));
    }
    archive(config, input, outputs, places, errors);
    if let Some(given) = notifications {
        let key = "source.notifications.queue";
        let (message, hint) = match unusable_queue(&given.queue) {
            None => return,
            Some(_) if given.queue.is_empty() && !places.is_given(key) => return,
            Some(hint) => (format!("`{}` cannot be a queue", given.queue), hint),
        };
        errors.push(places.wrong(key, message, Some(hint.to_owned())));
    }
}

fn archive(
    config: &PipelineFile,
    input: Option<&InputPaths>,
    outputs: &Outputs,
    places: &Places<'_>,
    errors: &mut Vec<PipelineError>,
) {
    let key = "source.archive";
    let given = config.source.archive.as_deref();
    if let Some(given) = given
        && config.source.after != AfterName::Archive
    {
        errors.push(places.wrong(
            key,
            format!("`archive` is given, and nothing is moved to `{given}`"),
            Some("add `after = \"archive\"`, or leave it out".to_owned()),
        ));
        return;
    }
    if let Some(reason) = given.and_then(unusable_path) {
        errors.push(places.wrong(
            key,
            format!(
                "`{}` cannot be a folder of the bucket: {reason}",
                given.unwrap_or_default()
            ),
            Some("a folder such as `archive/shop`".to_owned()),
        ));
        return;
    }
    if let (Some(folder), Some(input)) = (&outputs.archive, input)
        && let Some(message) = listed_again(folder, input)
    {
        let hint = "name a folder apart from the input";
        errors.push(places.wrong(key, message, Some(hint.to_owned())));
    }
}

/// In words, when what is archived would be listed again and again.
pub(super) fn listed_again(folder: &str, input: &InputPaths) -> Option<String> {
    let folder = format!("{folder}/");
    let prefixes = input.prefixes();
    let around = prefixes
        .iter()
        .find(|prefix| folder.starts_with(**prefix))?;
    Some(format!(
        "the archive `{folder}` is among what is listed for the input, all of `{around}`"
    ))
}

/// The way out, when nothing can be a queue that is called so.
fn unusable_queue(queue: &str) -> Option<&'static str> {
    if queue.starts_with("arn:") {
        return Some("give the queue's URL as SQS shows it, or its name, not its ARN");
    }
    if let Some((scheme, rest)) = queue.split_once("://") {
        let fits = matches!(scheme, "http" | "https") && !rest.is_empty();
        let is_plain = !queue.contains(|c: char| c.is_whitespace() || c.is_control());
        return (!fits || !is_plain)
            .then_some("a URL such as `https://sqs.sa-east-1.amazonaws.com/123456789012/shop`");
    }
    let name = queue.strip_suffix(".fifo").unwrap_or(queue);
    let fits = (1..=80).contains(&name.len())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    (!fits).then_some("give the queue's URL as SQS shows it, or its name")
}
