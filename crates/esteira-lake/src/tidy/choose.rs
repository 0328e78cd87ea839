//! Which files of a table are worth rewriting: pure, out of their sizes.
//!
//! Small files are merged in tiers, as log-structured merge trees do: when eight files of about one
//! size are there, they become one of the next size. So a row is rewritten a few times until its file
//! is large, and the number of small files stays bounded. A large file is rewritten when so many of its
//! rows are marked that the rewriting is paid for by them.

/// When files are rewritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TidyRules {
    /// Bytes that files are merged up to. One that reaches a quarter of it is large enough.
    pub target_bytes: u64,
    /// How many files of about one size are merged.
    pub merge_files: usize,
    /// Of a hundred rows of a large file, how many have to be marked.
    pub dead_percent: u64,
}

impl Default for TidyRules {
    fn default() -> Self {
        Self {
            target_bytes: 16 * 1024 * 1024,
            merge_files: 8,
            dead_percent: 50,
        }
    }
}

/// How far tidying goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// What is due, at most one group of files: between two batches.
    Step,
    /// Every small file and every file with at least five marked rows of a hundred.
    Full,
    /// Every small file and every file with a marked row.
    Purge,
}

/// What is known of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sized {
    pub(super) bytes: u64,
    pub(super) rows: u64,
    pub(super) deleted: u64,
}

impl Sized {
    /// Its bytes without the marked rows.
    fn live_bytes(&self) -> u64 {
        let live = u128::from(self.rows.saturating_sub(self.deleted));
        let bytes = u128::from(self.bytes) * live / u128::from(self.rows.max(1));
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    fn dead_percent(&self) -> u64 {
        self.deleted * 100 / self.rows.max(1)
    }
}

/// The smallest tier ends here; each further one at eight times the one before.
const FIRST_TIER: u64 = 16 * 1024;

/// Groups of files, by their places in `files` (oldest first), each to become one file or none.
pub(super) fn choose(files: &[Sized], rules: &TidyRules, effort: Effort) -> Vec<Vec<usize>> {
    let large = rules.target_bytes / 4;
    let is_small = |file: &Sized| file.live_bytes() < large;
    let dead = match effort {
        Effort::Step => rules.dead_percent,
        Effort::Full => 5,
        Effort::Purge => 0,
    };
    let mut groups = Vec::new();
    let small = || (0..files.len()).filter(|&place| is_small(&files[place]));
    if effort == Effort::Step {
        let tiers = small().map(|place| tier(files[place].live_bytes()));
        for wanted in 0..=tiers.max().unwrap_or_default() {
            let of_tier: Vec<usize> = small()
                .filter(|&place| tier(files[place].live_bytes()) == wanted)
                .collect();
            if of_tier.len() >= rules.merge_files {
                groups.extend(cut(&of_tier, files, rules.target_bytes).into_iter().next());
            }
        }
    } else {
        let small: Vec<usize> = small().collect();
        let merges = cut(&small, files, rules.target_bytes).into_iter();
        // A small file alone gains nothing, unless it has marks.
        groups.extend(merges.filter(|group| {
            group.len() > 1 || group.iter().any(|&place| files[place].deleted > 0)
        }));
    }
    groups.extend(
        (0..files.len())
            .filter(|&place| {
                let file = &files[place];
                !is_small(file) && file.deleted > 0 && file.dead_percent() >= dead
            })
            .map(|place| vec![place]),
    );
    groups
}

fn tier(bytes: u64) -> u32 {
    (bytes / FIRST_TIER)
        .checked_ilog(8)
        .map_or(0, |tier| tier + 1)
}

/// Cuts places into groups of at most `target` bytes together.
fn cut(places: &[usize], files: &[Sized], target: u64) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut bytes = 0;
    for &place in places {
        let more = files[place].live_bytes();
        match groups.last_mut() {
            Some(group) if bytes + more <= target => group.push(place),
            _ => {
                groups.push(vec![place]);
                bytes = 0;
            }
        }
        bytes += more;
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: u64 = 1024;
    const MIB: u64 = 1024 * KIB;

    fn file(bytes: u64) -> Sized {
        Sized {
            bytes,
            rows: 100,
            deleted: 0,
        }
    }

    fn marked(bytes: u64, deleted: u64) -> Sized {
        Sized {
            deleted,
            ..file(bytes)
        }
    }

    #[test]
    fn eight_files_of_one_size_are_merged() {
        let rules = TidyRules::default();
        let mut files = vec![file(200 * KIB); 7];
        files.push(file(20 * MIB));
        assert!(choose(&files, &rules, Effort::Step).is_empty());
        files.push(file(150 * KIB));
        let merged = [vec![0, 1, 2, 3, 4, 5, 6, 8]];
        assert_eq!(choose(&files, &rules, Effort::Step), merged);
        assert_eq!(choose(&files, &rules, Effort::Full), merged);
    }

    #[test]
    fn large_file_is_rewritten_when_half_of_it_is_marked() {
        let rules = TidyRules::default();
        let files = [
            marked(20 * MIB, 49),
            marked(20 * MIB, 50),
            marked(20 * MIB, 4),
            file(20 * MIB),
        ];
        assert_eq!(choose(&files, &rules, Effort::Step), [vec![1]]);
        assert_eq!(choose(&files, &rules, Effort::Full), [vec![0], vec![1]]);
        assert_eq!(
            choose(&files, &rules, Effort::Purge),
            [vec![0], vec![1], vec![2]]
        );
    }

    #[test]
    fn group_stays_within_the_target() {
        let rules = TidyRules::default();
        let files = vec![file(5 * MIB / 2); 16];
        let groups = choose(&files, &rules, Effort::Full);
        assert_eq!(groups.iter().map(Vec::len).collect::<Vec<_>>(), [6, 6, 4]);
        let step = choose(&files, &rules, Effort::Step);
        assert_eq!(step.len(), 1, "one group at a time of a tier");
    }

    #[test]
    fn small_file_alone_is_only_rewritten_for_its_marks() {
        let rules = TidyRules::default();
        assert!(choose(&[file(KIB)], &rules, Effort::Purge).is_empty());
        assert_eq!(choose(&[marked(KIB, 1)], &rules, Effort::Full), [vec![0]]);
        assert!(choose(&[], &rules, Effort::Full).is_empty());
    }

    /// Each batch brings a file and marks rows of the others: the number of files stays bounded.
    #[test]
    fn number_of_files_stays_bounded_over_many_batches() {
        let rules = TidyRules::default();
        let mut files: Vec<Sized> = Vec::new();
        let mut most = 0;
        let mut rewritten = 0;
        for _ in 0..5_000 {
            files.push(file(150 * KIB));
            if let Some(group) = choose(&files, &rules, Effort::Step).into_iter().next() {
                let bytes: u64 = group.iter().map(|&place| files[place].live_bytes()).sum();
                rewritten += bytes;
                for place in group.into_iter().rev() {
                    files.remove(place);
                }
                files.push(file(bytes));
            }
            most = most.max(files.iter().filter(|file| file.bytes < 4 * MIB).count());
        }
        assert!(most <= 24, "{most} small files");
        assert!(rewritten <= 4 * 5_000 * 150 * KIB, "{rewritten} bytes");
    }
}
