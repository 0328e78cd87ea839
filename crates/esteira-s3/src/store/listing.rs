//! One page of a listing, taken from a sorted map: prefix, delimiter, where to go on, how many.
//!
//! Invariant: pages that follow each other by [`Page::next`] hold every entry once, in byte order, whatever
//! the page size. Source: ListObjectsV2 in the Amazon S3 API Reference.

use std::{collections::BTreeMap, ops::Bound};

/// What to list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Query<'a> {
    pub(crate) prefix: &'a str,
    /// Keys with this text after the prefix are rolled up into one entry; empty counts as none.
    pub(crate) delimiter: &'a str,
    /// Only keys and common prefixes behind this one.
    pub(crate) after: &'a str,
    pub(crate) limit: usize,
}

/// One page of entries, in byte order.
#[derive(Debug)]
pub(crate) struct Page<V> {
    pub(crate) entries: Vec<Entry<V>>,
    /// The `after` of the next page; `None` at the end.
    pub(crate) next: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Entry<V> {
    Object(String, V),
    CommonPrefix(String),
}

impl<V> Entry<V> {
    fn name(&self) -> &str {
        match self {
            Self::Object(name, _) | Self::CommonPrefix(name) => name,
        }
    }
}

/// Takes one page; costs in proportion to the page, not to what is rolled up or left out.
pub(crate) fn page<V: Clone>(index: &BTreeMap<Box<str>, V>, query: Query<'_>) -> Page<V> {
    let mut page = Page {
        entries: Vec::new(),
        next: None,
    };
    if query.limit == 0 {
        return page;
    }
    let start = if query.after >= query.prefix && !query.after.is_empty() {
        Bound::Excluded(query.after)
    } else {
        Bound::Included(query.prefix)
    };
    let mut rest = index.range::<str, _>((start, Bound::Unbounded));
    while let Some((key, value)) = rest.next() {
        if !key.starts_with(query.prefix) {
            break;
        }
        let common = common_prefix(key, query);
        let listed = common.is_some_and(|common| common == query.after || page.ends_with(common));
        if !listed {
            if page.entries.len() == query.limit {
                page.next = page.entries.last().map(|entry| entry.name().to_owned());
                break;
            }
            page.entries.push(match common {
                Some(common) => Entry::CommonPrefix(common.to_owned()),
                None => Entry::Object(String::from(&**key), value.clone()),
            });
        }
        if let Some(common) = common {
            // Jumps over what was rolled up. Keys that go on with the last character there is lie behind
            // the landing place; they are walked over one by one.
            let landing = format!("{common}{}", char::MAX);
            if **key <= *landing {
                rest = index.range::<str, _>((Bound::Excluded(landing.as_str()), Bound::Unbounded));
            }
        }
    }
    page
}

impl<V> Page<V> {
    fn ends_with(&self, common: &str) -> bool {
        matches!(self.entries.last(), Some(Entry::CommonPrefix(last)) if last == common)
    }
}

fn common_prefix<'k>(key: &'k str, query: Query<'_>) -> Option<&'k str> {
    if query.delimiter.is_empty() {
        return None;
    }
    let below = &key[query.prefix.len()..];
    let at = below.find(query.delimiter)?;
    Some(&key[..query.prefix.len() + at + query.delimiter.len()])
}

#[cfg(test)]
mod tests;
