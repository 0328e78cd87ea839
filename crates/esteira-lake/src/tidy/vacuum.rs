//! Deleting what nothing needs: files of attempts that were lost, files and deletion vectors of versions
//! older than the retention.

use std::collections::{HashMap, HashSet};

use futures::{StreamExt as _, TryStreamExt as _};

use super::tombstones;
use crate::bucket::{Bucket, Listed};
use crate::files::{self, path_in_table};
use crate::tables::{LakeTable, TableError};

const DELETES_AT_ONCE: usize = 16;
/// How long a file may be there before its commit, in microseconds.
const UNCOMMITTED: i64 = 3_600_000_000;

/// What may be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VacuumRules {
    /// What the table held at this instant or later can still be read afterwards, in microseconds since
    /// 1970-01-01T00:00:00Z. Files written after it stay, whatever they are.
    pub readable_since: i64,
    /// The time now, in the same unit. A file that the log never named stays for an hour: somebody may be
    /// about to commit it.
    pub now: i64,
    /// A version that stays readable however old it is.
    pub kept_version: Option<u64>,
    /// Only tell what would be deleted.
    pub dry_run: bool,
}

/// A file that nothing needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Litter {
    /// Its key in the bucket.
    pub key: String,
    /// Its size.
    pub bytes: u64,
}

/// What a vacuum did to a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vacuum {
    /// What was deleted, or would be.
    pub litter: Vec<Litter>,
    /// Entries of the log that were older than the log's own retention.
    pub log_entries: u64,
}

/// Deletes the files under the table's folder that no version since `readable_since` needs. Folders and
/// files whose names start with `_` or `.` are not touched, as in every Delta vacuum.
///
/// # Errors
/// [`TableError`] of the table or its bucket.
pub async fn vacuum(
    table: &mut LakeTable,
    bucket: &Bucket,
    rules: &VacuumRules,
) -> Result<Vacuum, TableError> {
    // Listed first: what is committed from here on is too young to be deleted.
    let folder = format!("{}/", table.spec().path);
    let listed = bucket.list(&folder).await.map_err(|e| failed(table, &e))?;
    table.refresh().await?;
    let removed = tombstones::removed(table).await?;
    let needed = needed(table, bucket, &removed, rules).await?;
    let litter: Vec<Litter> = listed
        .into_iter()
        .filter(|object| is_litter(object, &folder, &needed, &removed, rules))
        .map(|object| Litter {
            key: object.key,
            bytes: object.size,
        })
        .collect();
    let mut log_entries = 0;
    if !rules.dry_run {
        let deletes: Vec<_> = litter.iter().map(|file| bucket.delete(&file.key)).collect();
        futures::stream::iter(deletes)
            .buffer_unordered(DELETES_AT_ONCE)
            .try_collect::<()>()
            .await
            .map_err(|e| failed(table, &e))?;
        log_entries = table.clean_log().await?;
    }
    Ok(Vacuum {
        litter,
        log_entries,
    })
}

async fn needed(
    table: &LakeTable,
    bucket: &Bucket,
    removed: &HashMap<String, i64>,
    rules: &VacuumRules,
) -> Result<HashSet<String>, TableError> {
    let recent = removed
        .iter()
        .filter(|(_, time)| **time >= rules.readable_since / 1000);
    let mut needed: HashSet<String> = recent.map(|(path, _)| path.clone()).collect();
    add_files(table, &mut needed).await?;
    if let Some(version) = rules.kept_version.filter(|v| *v < table.version()) {
        let spec = table.spec().clone();
        let kept = LakeTable::open_as_it_is(bucket, spec, Some(version)).await?;
        add_files(&kept, &mut needed).await?;
    }
    Ok(needed)
}

/// The files of the loaded version, deletion vectors included.
async fn add_files(table: &LakeTable, needed: &mut HashSet<String>) -> Result<(), TableError> {
    for file in files::files(table).await? {
        if let Some(vector) = file.vector() {
            let kind = vector.storage_type.as_ref();
            needed.extend(path_in_table(kind, &vector.path_or_inline_dv));
        }
        needed.insert(file.path().to_owned());
    }
    Ok(())
}

fn is_litter(
    object: &Listed,
    folder: &str,
    needed: &HashSet<String>,
    removed: &HashMap<String, i64>,
    rules: &VacuumRules,
) -> bool {
    let Some(path) = object.key.strip_prefix(folder) else {
        return false;
    };
    let hidden = path
        .split('/')
        .any(|part| part.is_empty() || part.starts_with(['_', '.']));
    let settled = removed.contains_key(path) || object.modified_micros < rules.now - UNCOMMITTED;
    let old = object.modified_micros < rules.readable_since;
    !hidden && settled && old && !needed.contains(path)
}

fn failed(table: &LakeTable, error: &crate::bucket::BucketError) -> TableError {
    TableError::Data {
        table: table.name().to_owned(),
        reason: error.to_string(),
        transient: error.is_transient(),
    }
}
