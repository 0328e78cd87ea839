//! Footers and deletion vectors that were read once and may be needed for every batch.
//!
//! A file never changes, and neither does a deletion vector, so what is kept here is never stale; what
//! belongs to files that left the table is let go. What does not fit the budget is read again when it
//! is needed: everything in turn would push everything out.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Footer, Marks};

/// What is known of the data files of some tables, at most so many bytes of it.
#[derive(Debug)]
pub struct FileCache {
    budget: usize,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    tables: HashMap<String, OfTable>,
    used: usize,
}

#[derive(Debug, Default)]
struct OfTable {
    footers: HashMap<String, Sized<Footer>>,
    /// By the vector's unique id (Delta protocol, *Deletion Vector Descriptor Schema*).
    marks: HashMap<String, Sized<Marks>>,
}

#[derive(Debug)]
struct Sized<T> {
    value: Arc<T>,
    bytes: usize,
}

impl FileCache {
    /// A cache of at most `budget` bytes.
    #[must_use]
    pub fn new(budget: usize) -> Self {
        Self {
            budget,
            known: Mutex::default(),
        }
    }

    /// The bytes it holds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.known().used
    }

    pub(super) fn footer(&self, table: &str, path: &str) -> Option<Arc<Footer>> {
        let known = self.known();
        let footer = known.tables.get(table)?.footers.get(path)?;
        Some(Arc::clone(&footer.value))
    }

    pub(super) fn marks(&self, table: &str, id: &str) -> Option<Arc<Marks>> {
        let known = self.known();
        let marks = known.tables.get(table)?.marks.get(id)?;
        Some(Arc::clone(&marks.value))
    }

    pub(super) fn keep_footer(&self, table: &str, path: &str, footer: &Arc<Footer>) {
        let bytes = footer.bytes();
        self.keep(
            table,
            bytes,
            |of_table, value| of_table.footers.insert(path.to_owned(), value),
            Arc::clone(footer),
        );
    }

    pub(super) fn keep_marks(&self, table: &str, id: &str, marks: &Arc<Marks>) {
        let bytes = marks.serialized_size();
        self.keep(
            table,
            bytes,
            |of_table, value| of_table.marks.insert(id.to_owned(), value),
            Arc::clone(marks),
        );
    }

    /// Lets go of everything of the table but these files and vectors.
    pub(crate) fn retain(&self, table: &str, paths: &HashSet<&str>, ids: &HashSet<String>) {
        let mut known = self.known();
        let Some(of_table) = known.tables.get_mut(table) else {
            return;
        };
        of_table
            .footers
            .retain(|path, _| paths.contains(path.as_str()));
        of_table.marks.retain(|id, _| ids.contains(id));
        known.used = known.tables.values().map(OfTable::bytes).sum();
    }

    fn keep<T>(
        &self,
        table: &str,
        bytes: usize,
        insert: impl FnOnce(&mut OfTable, Sized<T>) -> Option<Sized<T>>,
        value: Arc<T>,
    ) {
        let mut known = self.known();
        if known.used + bytes > self.budget {
            return;
        }
        let of_table = known.tables.entry(table.to_owned()).or_default();
        let before = insert(of_table, Sized { value, bytes });
        known.used += bytes;
        known.used -= before.map_or(0, |before| before.bytes);
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OfTable {
    fn bytes(&self) -> usize {
        let footers: usize = self.footers.values().map(|footer| footer.bytes).sum();
        let marks: usize = self.marks.values().map(|marks| marks.bytes).sum();
        footers + marks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(rows: u64) -> Arc<Marks> {
        Arc::new((0..rows).collect())
    }

    #[test]
    fn cache_holds_what_fits_and_what_is_alive() {
        let one = marks(100).serialized_size();
        let cache = FileCache::new(2 * one + one / 2);
        for id in ["a", "b", "c"] {
            cache.keep_marks("orders", id, &marks(100));
        }
        assert_eq!(cache.bytes(), 2 * one);
        assert!(cache.marks("orders", "b").is_some());
        assert!(cache.marks("orders", "c").is_none(), "it did not fit");
        assert!(cache.marks("products", "a").is_none());
        cache.retain("orders", &HashSet::new(), &HashSet::from(["b".to_owned()]));
        assert_eq!(cache.bytes(), one);
        cache.keep_marks("orders", "b", &marks(100));
        assert_eq!(cache.bytes(), one, "kept twice is kept once");
        cache.keep_marks("orders", "c", &marks(100));
        assert!(cache.marks("orders", "c").is_some());
        assert!(cache.marks("orders", "a").is_none());
    }
}
