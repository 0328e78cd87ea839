//! How much a pipeline takes at once and how its tables are kept small: the sections `[limits]` and
//! `[maintenance]` with their defaults.

use std::time::Duration;

use esteira_lake::tidy::TidyRules;

use super::PipelineError;
use super::file::{LimitsSection, MaintenanceSection, PipelineFile};
use super::places::Places;

const MIB: u64 = 1024 * 1024;

/// How much is taken at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Objects in a batch at most.
    pub objects_per_batch: usize,
    /// Bytes of objects in a batch at most; one larger object is a batch of its own.
    pub bytes_per_batch: u64,
    /// How long to wait before looking again when there was nothing new.
    pub poll: Duration,
    /// Requests to the bucket at the same time.
    pub requests_at_once: usize,
    /// Bytes that one object may have, unpacked if it is compressed.
    pub decompressed_bytes_per_object: usize,
    /// Bytes that one event may have.
    pub event_bytes: usize,
    /// Bytes of what is remembered of the tables' files: bounds, Bloom filters, deletion vectors.
    pub file_cache_bytes: usize,
}

/// How tables are kept small while the job runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Maintenance {
    /// Whether small files and files with many deleted rows are rewritten between batches.
    pub compact: bool,
    /// Whether files that nothing needs are deleted with the first batch of each day (UTC).
    pub vacuum: bool,
    /// How long a version of a table can be read after it was replaced.
    pub retention: Duration,
    /// Which files are rewritten.
    pub rules: TidyRules,
}

impl Default for Maintenance {
    fn default() -> Self {
        Self {
            compact: true,
            vacuum: true,
            retention: Duration::from_hours(7 * 24),
            rules: TidyRules::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            objects_per_batch: 10_000,
            bytes_per_batch: 64 * MIB,
            poll: Duration::from_secs(1),
            requests_at_once: 32,
            decompressed_bytes_per_object: 128 * 1024 * 1024,
            event_bytes: 32 * 1024 * 1024,
            file_cache_bytes: 96 * 1024 * 1024,
        }
    }
}

/// What is out of range, and what is dangerous.
pub(super) fn check(
    config: &PipelineFile,
    places: &Places<'_>,
    errors: &mut Vec<PipelineError>,
    doubts: &mut Vec<PipelineError>,
) {
    let (limits, maintenance) = (&config.limits, &config.maintenance);
    let wide = |value: Option<usize>| value.map(|value| u64::try_from(value).unwrap_or(u64::MAX));
    for (key, value, least, most) in [
        (
            "limits.objects_per_batch",
            wide(limits.objects_per_batch),
            1,
            1_000_000,
        ),
        (
            "limits.mebibytes_per_batch",
            limits.mebibytes_per_batch,
            1,
            16_384,
        ),
        (
            "limits.poll_milliseconds",
            limits.poll_milliseconds,
            1,
            86_400_000,
        ),
        (
            "limits.requests_at_once",
            wide(limits.requests_at_once),
            1,
            1024,
        ),
        (
            "limits.decompressed_mebibytes_per_object",
            wide(limits.decompressed_mebibytes_per_object),
            1,
            16_384,
        ),
        (
            "limits.event_mebibytes",
            wide(limits.event_mebibytes),
            1,
            1024,
        ),
        (
            "limits.file_cache_mebibytes",
            wide(limits.file_cache_mebibytes),
            0,
            1_048_576,
        ),
        (
            "maintenance.target_mebibytes",
            maintenance.target_mebibytes,
            1,
            1024,
        ),
    ] {
        errors.extend(value.and_then(|value| out_of_range(places, key, value, least, most)));
    }
    if maintenance.retention_hours == Some(0) {
        doubts.push(no_retention(places, "maintenance.retention_hours"));
    }
}

/// The same for values that Rust says, whose units are its own.
pub(super) fn check_values(
    limits: &Limits,
    maintenance: &Maintenance,
    places: &Places<'_>,
    errors: &mut Vec<PipelineError>,
    doubts: &mut Vec<PipelineError>,
) {
    let wide = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
    let poll = u64::try_from(limits.poll.as_millis()).unwrap_or(u64::MAX);
    let rules = &maintenance.rules;
    for (key, value, least, most) in [
        (
            "limits.objects_per_batch",
            wide(limits.objects_per_batch),
            1,
            1_000_000,
        ),
        (
            "limits.bytes_per_batch",
            limits.bytes_per_batch,
            1,
            16_384 * MIB,
        ),
        ("limits.poll in milliseconds", poll, 1, 86_400_000),
        (
            "limits.requests_at_once",
            wide(limits.requests_at_once),
            1,
            1024,
        ),
        (
            "limits.decompressed_bytes_per_object",
            wide(limits.decompressed_bytes_per_object),
            1,
            16_384 * MIB,
        ),
        (
            "limits.event_bytes",
            wide(limits.event_bytes),
            1,
            1024 * MIB,
        ),
        (
            "limits.file_cache_bytes",
            wide(limits.file_cache_bytes),
            0,
            1_048_576 * MIB,
        ),
        (
            "maintenance.rules.target_bytes",
            rules.target_bytes,
            1,
            1024 * MIB,
        ),
        (
            "maintenance.rules.merge_files",
            wide(rules.merge_files),
            2,
            u64::MAX,
        ),
        ("maintenance.rules.dead_percent", rules.dead_percent, 1, 100),
    ] {
        errors.extend(out_of_range(places, key, value, least, most));
    }
    if maintenance.retention.is_zero() {
        doubts.push(no_retention(places, "maintenance.retention"));
    }
}

fn out_of_range(
    places: &Places<'_>,
    key: &str,
    value: u64,
    least: u64,
    most: u64,
) -> Option<PipelineError> {
    let name = key.rsplit('.').next().unwrap_or(key);
    (!(least..=most).contains(&value)).then(|| {
        places.wrong(
            key,
            format!("`{name}` cannot be {value}"),
            Some(format!("from {least} to {most}")),
        )
    })
}

fn no_retention(places: &Places<'_>, key: &str) -> PipelineError {
    places.wrong(
        key,
        "without a retention, whoever reads a version that was just replaced may lose its files",
        Some("an hour is enough where clocks agree".to_owned()),
    )
}

pub(super) fn limits(section: &LimitsSection) -> Limits {
    let default = Limits::default();
    Limits {
        objects_per_batch: section
            .objects_per_batch
            .unwrap_or(default.objects_per_batch),
        bytes_per_batch: section
            .mebibytes_per_batch
            .map_or(default.bytes_per_batch, |mib| mib.saturating_mul(MIB)),
        poll: section
            .poll_milliseconds
            .map_or(default.poll, Duration::from_millis),
        requests_at_once: section.requests_at_once.unwrap_or(default.requests_at_once),
        decompressed_bytes_per_object: section
            .decompressed_mebibytes_per_object
            .map_or(default.decompressed_bytes_per_object, mebibytes),
        event_bytes: section
            .event_mebibytes
            .map_or(default.event_bytes, mebibytes),
        file_cache_bytes: section
            .file_cache_mebibytes
            .map_or(default.file_cache_bytes, mebibytes),
    }
}

fn mebibytes(count: usize) -> usize {
    count.saturating_mul(1024 * 1024)
}

pub(super) fn maintenance(section: &MaintenanceSection) -> Maintenance {
    let default = Maintenance::default();
    Maintenance {
        compact: section.compact.unwrap_or(default.compact),
        vacuum: section.vacuum.unwrap_or(default.vacuum),
        retention: section.retention_hours.map_or(default.retention, |hours| {
            Duration::from_hours(hours.into())
        }),
        rules: TidyRules {
            target_bytes: section
                .target_mebibytes
                .map_or(default.rules.target_bytes, |mib| mib * MIB),
            ..default.rules
        },
    }
}
