//! The new commits in a table's log in a local folder, without a look at the commits of weeks.
//!
//! The kernel asks at every commit what is behind the checkpoint it knows. Versions have no gaps (Delta
//! protocol, *Delta Log Entries*), so whoever knows the first asks for one after the other. The answer lacks
//! checkpoints that are newer than the one known. They are no news: the commits say the same.

use super::Listed;
use super::folder::Folder;

const HINT: &str = "_last_checkpoint";

/// The commits from the version that `after` names, or nothing where only the whole folder can tell: when a
/// table is loaded, which begins at its newest checkpoint, whatever the files of that are called; and when the
/// first commit is not there, for there may be none, or an old log was cleaned away.
pub(super) fn behind(
    folder: &Folder,
    log: &str,
    after: &str,
) -> std::io::Result<Option<Vec<Listed>>> {
    let start = after.strip_prefix(log).filter(|name| name.len() == 20);
    let Some(start) = start.and_then(|name| name.parse::<u64>().ok()) else {
        return Ok(None);
    };
    if checkpoint(folder, log)?.is_none_or(|known| start <= known) {
        return Ok(None);
    }
    let mut commits = Vec::new();
    for version in start.. {
        match folder.find(&format!("{log}{version:020}.json"))? {
            Some(commit) => commits.push(commit),
            None => break,
        }
    }
    Ok((!commits.is_empty()).then_some(commits))
}

/// The version of the newest checkpoint, as far as the log's own hint tells (Delta protocol, *Last Checkpoint
/// File*).
fn checkpoint(folder: &Folder, log: &str) -> std::io::Result<Option<u64>> {
    let super::Fetched::Bytes(hint) = folder.get(&format!("{log}{HINT}"), None)? else {
        return Ok(None);
    };
    // A hint that cannot be read is none.
    let hint: Option<serde_json::Value> = serde_json::from_slice(&hint).ok();
    Ok(hint.and_then(|hint| hint["version"].as_u64()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(found: Option<Vec<Listed>>) -> Option<Vec<String>> {
        let name = |listed: Listed| listed.key.trim_start_matches("t/_delta_log/").to_owned();
        found.map(|found| found.into_iter().map(name).collect())
    }

    #[test]
    fn only_commits_behind_a_known_checkpoint_are_asked_for() {
        let root = tempfile::tempdir().unwrap();
        let log = root.path().join("t/_delta_log");
        std::fs::create_dir_all(&log).unwrap();
        for version in [3, 4, 5, 6, 8] {
            std::fs::write(log.join(format!("{version:020}.json")), "{}").unwrap();
        }
        let folder = Folder::new(root.path().to_owned());
        let from = |version: u64| {
            let after = format!("t/_delta_log/{version:020}");
            names(behind(&folder, "t/_delta_log/", &after).unwrap())
        };
        // Without a hint a checkpoint may be anywhere.
        assert_eq!(from(5), None);
        std::fs::write(log.join(HINT), "{\"version\":3,\"size\":9}").unwrap();
        let commit = |version: u64| format!("{version:020}.json");
        assert_eq!(from(4), Some(vec![commit(4), commit(5), commit(6)]));
        assert_eq!(from(6), Some(vec![commit(6)]));
        // A load, which looks for the files of the checkpoint, and what is not there.
        assert_eq!(from(3), None);
        assert_eq!(from(7), None);
        // Names that are no versions.
        for after in [
            "",
            "t/_delta_log/",
            "t/_delta_log/00000000000000000004.json",
            "u",
        ] {
            assert_eq!(
                names(behind(&folder, "t/_delta_log/", after).unwrap()),
                None
            );
        }
    }
}
