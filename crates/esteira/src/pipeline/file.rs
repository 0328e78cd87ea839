//! `pipeline.toml` as it is written.

use serde::Deserialize;

use super::RuleAction;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PipelineFile {
    pub(super) name: String,
    pub(super) source: SourceSection,
    #[serde(default)]
    pub(super) output: OutputSection,
    pub(super) event: EventSection,
    #[serde(default)]
    pub(super) limits: LimitsSection,
    #[serde(default)]
    pub(super) maintenance: MaintenanceSection,
    #[serde(rename = "table")]
    pub(super) tables: Vec<TableSection>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceSection {
    pub(super) path: Option<String>,
    pub(super) paths: Option<Vec<String>>,
    pub(super) min_age_seconds: Option<u64>,
    pub(super) max_age_hours: Option<u64>,
    #[serde(default)]
    pub(super) after: AfterName,
    pub(super) archive: Option<String>,
    pub(super) notifications: Option<NotificationsSection>,
}

/// What becomes of objects that were taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum AfterName {
    #[default]
    Keep,
    Delete,
    Archive,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NotificationsSection {
    pub(super) queue: String,
    pub(super) list_every_seconds: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OutputSection {
    pub(super) tables: Option<String>,
    pub(super) raw: Option<String>,
    pub(super) quarantine: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventSection {
    pub(super) schema: String,
    pub(super) version: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitsSection {
    pub(super) objects_per_batch: Option<usize>,
    pub(super) mebibytes_per_batch: Option<u64>,
    pub(super) poll_milliseconds: Option<u64>,
    pub(super) requests_at_once: Option<usize>,
    pub(super) decompressed_mebibytes_per_object: Option<usize>,
    pub(super) event_mebibytes: Option<usize>,
    pub(super) file_cache_mebibytes: Option<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MaintenanceSection {
    pub(super) compact: Option<bool>,
    pub(super) vacuum: Option<bool>,
    pub(super) retention_hours: Option<u32>,
    pub(super) target_mebibytes: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TableSection {
    pub(super) name: String,
    pub(super) model: Option<String>,
    pub(super) kind: Option<KindName>,
    pub(super) key: Option<Vec<String>>,
    pub(super) head: Option<String>,
    pub(super) delete_when: Option<String>,
    #[serde(default)]
    pub(super) copy_on_write: bool,
    #[serde(default, rename = "rule")]
    pub(super) rules: Vec<RuleSection>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleSection {
    pub(super) name: String,
    pub(super) condition: String,
    #[serde(default)]
    pub(super) action: RuleAction,
}

/// What a table without a head can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum KindName {
    Latest,
    Append,
    History,
}

/// The line and column of a byte offset, both from 1.
pub(super) fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    (line, column)
}

/// Below this similarity a name is not a misspelling of another.
const SIMILAR: f64 = 0.7;

/// The library names what is unknown and what it expected, all between backticks, the unknown one
/// first; the nearest of the others is most likely what was meant.
pub(super) fn nearest(message: &str) -> Option<String> {
    if !message.starts_with("unknown ") {
        return None;
    }
    let mut names = message.split('`').skip(1).step_by(2);
    let unknown = names.next()?;
    nearest_of(unknown, names).map(|best| format!("did you mean `{best}`?"))
}

/// From 0 to 1. Short names with two letters in the wrong order have little in common but that.
pub(super) fn similarity(one: &str, other: &str) -> f64 {
    match strsim::osa_distance(one, other) {
        1 => strsim::jaro_winkler(one, other).max(0.9),
        _ => strsim::jaro_winkler(one, other),
    }
}

/// The most similar of `names`, if any is similar at all.
pub(super) fn nearest_of<'a>(
    name: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    names
        .into_iter()
        .map(|known| (similarity(name, known), known))
        .filter(|(similarity, _)| *similarity >= SIMILAR)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_name_is_one_that_is_like_it() {
        let names = ["name", "model", "key", "head"];
        assert_eq!(nearest_of("kye", names), Some("key"));
        assert_eq!(nearest_of("modle", names), Some("model"));
        assert_eq!(nearest_of("hed", names), Some("head"));
        assert_eq!(nearest_of("colour", names), None);
    }
}
