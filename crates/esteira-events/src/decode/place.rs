//! Lines and columns.
//!
//! Comes in: byte offsets, mostly ascending. Goes out: the line and column of each. Invariant:
//! over ascending offsets the whole text is counted once, however many there are.

use memchr::{memchr_iter, memrchr};

/// Knows the line and column of one offset, and counts from there.
#[derive(Debug)]
pub(super) struct PlaceCounter<'t> {
    text: &'t [u8],
    /// Where the first line begins: behind a byte order mark.
    begin: usize,
    offset: usize,
    line: usize,
    column: usize,
}

impl<'t> PlaceCounter<'t> {
    pub(super) fn new(text: &'t [u8], begin: usize) -> Self {
        Self {
            text,
            begin,
            offset: begin,
            line: 1,
            column: 1,
        }
    }

    /// The 1-based line and column (in characters) of a byte offset.
    pub(super) fn place(&mut self, offset: usize) -> (usize, usize) {
        let offset = offset.clamp(self.begin, self.text.len().max(self.begin));
        if offset < self.offset {
            *self = Self::new(self.text, self.begin);
        }
        let passed = &self.text[self.offset..offset];
        match memrchr(b'\n', passed) {
            Some(newline) => {
                self.line += memchr_iter(b'\n', passed).count();
                self.column = 1 + characters(&passed[newline + 1..]);
            }
            None => self.column += characters(passed),
        }
        self.offset = offset;
        (self.line, self.column)
    }
}

/// Characters that begin in these bytes of UTF-8.
fn characters(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .filter(|byte| **byte & 0b1100_0000 != 0b1000_0000)
        .count()
}

#[cfg(test)]
mod tests {
    use super::PlaceCounter;
    use proptest::prelude::*;

    #[test]
    fn place_counts_characters_and_not_the_byte_order_mark() {
        let text = "\u{FEFF}é{\n\"ção\":\r\n😀x".as_bytes();
        let mut places = PlaceCounter::new(text, 3);
        assert_eq!(places.place(0), (1, 1));
        assert_eq!(places.place(3), (1, 1));
        assert_eq!(places.place(5), (1, 2));
        assert_eq!(places.place(7), (2, 1));
        assert_eq!(places.place(text.len() - 1), (3, 2));
        assert_eq!(places.place(usize::MAX), (3, 3));
    }

    proptest! {
        #[test]
        fn place_in_any_order_equals_counting_from_the_start(
            text in "[a\né]{0,40}", offsets in prop::collection::vec(0usize..80, 1..10),
        ) {
            let mut places = PlaceCounter::new(text.as_bytes(), 0);
            for offset in offsets {
                let offset = (0..=offset.min(text.len())).rev()
                    .find(|offset| text.is_char_boundary(*offset)).unwrap();
                let before = &text[..offset];
                let line = before.split('\n').count();
                let column = before.split('\n').next_back().unwrap().chars().count() + 1;
                prop_assert_eq!(places.place(offset), (line, column));
            }
        }
    }
}
