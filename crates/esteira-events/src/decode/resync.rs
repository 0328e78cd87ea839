//! Where decoding can go on after a syntax error.
//!
//! Comes in: the values met so far, and the start of a broken one. Goes out: where the broken part
//! ends. Parts can be told apart when
//! - an earlier value stood alone on exactly one line, or a later line that starts with `{` is by
//!   itself a complete object: then the broken part is its line, or when that line is only the
//!   beginning of an object, the lines up to the next one that starts with `{`;
//! - the broken value began in column 1, and a later line starts with `{` right behind a line that
//!   starts with `}`, as pretty-printed objects do: then the broken part ends there.
//!
//! Otherwise the broken part is all that follows. Invariant: the work is linear in the text: no
//! line is searched twice for the same evidence, and once much was read again, values are read up
//! to the line where the next could begin only.

use memchr::{memchr, memmem, memrchr};

use super::scanner::value_end;

/// How often the whole text may be read again before values are kept within their lines.
const REREADS: usize = 4;

/// Collects the evidence that parts can be told apart.
pub(super) struct Resync<'t> {
    text: &'t [u8],
    /// Where the first line begins.
    begin: usize,
    /// An earlier value stood alone on its line.
    alone: bool,
    /// A line that is by itself a complete object.
    complete_line: Option<usize>,
    /// How far such a line has been looked for.
    searched: usize,
    /// Bytes that had been read when decoding went back before them.
    reread: usize,
    /// The answer to the last question for a line that starts with `{`: asked from, found at.
    open_line: Option<(usize, usize)>,
}

impl<'t> Resync<'t> {
    pub(super) fn new(text: &'t [u8], begin: usize) -> Self {
        Self {
            text,
            begin,
            alone: false,
            complete_line: None,
            searched: begin,
            reread: 0,
            open_line: None,
        }
    }

    /// How far a value that begins at `start` may reach.
    pub(super) fn limit(&mut self, start: usize) -> usize {
        if self.reread / REREADS <= self.text.len() {
            self.text.len()
        } else if self.text[start] == b'{' {
            self.next_open_line(start)
        } else {
            self.line_end(start)
        }
    }

    /// A complete value was met.
    pub(super) fn complete(&mut self, start: usize, end: usize) {
        self.alone = self.alone || self.is_alone(start, end);
    }

    /// The end of the broken part that begins at `start`; the syntax was found broken at `offset`.
    pub(super) fn broken_part(&mut self, start: usize, offset: usize) -> usize {
        let end = if self.told_apart_by_lines(start) {
            self.end_by_lines(start)
        } else {
            self.closing_line(start).unwrap_or(self.text.len())
        };
        self.reread += offset.saturating_sub(end);
        end
    }

    fn told_apart_by_lines(&mut self, start: usize) -> bool {
        if self.alone || self.complete_line.is_some_and(|line| line > start) {
            return true;
        }
        let mut line = self.next_open_line(self.searched.max(start));
        while line < self.text.len() {
            let end = self.line_end(line);
            self.searched = end;
            if is_complete(&self.text[line..end]) {
                self.complete_line = Some(line);
                return true;
            }
            line = self.next_open_line(end);
        }
        self.searched = self.text.len();
        false
    }

    fn end_by_lines(&mut self, start: usize) -> usize {
        let end = self.line_end(start);
        let line = &self.text[start..end];
        let is_beginning = || value_end(line).is_err_and(|broken| broken.is_end());
        if line.starts_with(b"{") && is_beginning() {
            self.next_open_line(end)
        } else {
            end
        }
    }

    /// The first line that starts with `{` right behind one that starts with `}`.
    fn closing_line(&self, start: usize) -> Option<usize> {
        if start != self.begin && self.text[start - 1] != b'\n' {
            return None;
        }
        let mut line = find_open_line(self.text, start)?;
        loop {
            let before = self.text[..line].trim_ascii_end();
            let previous = memrchr(b'\n', before).map_or(self.begin, |newline| newline + 1);
            if previous > start && self.text[previous] == b'}' {
                return Some(line);
            }
            line = find_open_line(self.text, line)?;
        }
    }

    /// The next line behind `from` that starts with `{`, or the end of the text.
    fn next_open_line(&mut self, from: usize) -> usize {
        if let Some((asked, found)) = self.open_line
            && (asked..found).contains(&from)
        {
            return found;
        }
        let found = find_open_line(self.text, from).unwrap_or(self.text.len());
        self.open_line = Some((from, found));
        found
    }

    fn line_end(&self, from: usize) -> usize {
        memchr(b'\n', &self.text[from..]).map_or(self.text.len(), |length| from + length)
    }

    /// Whether nothing but the value from `start` to `end` is on its line, and it is on one line.
    fn is_alone(&self, start: usize, end: usize) -> bool {
        let is_space = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r');
        let behind = self.text[end..].iter().find(|byte| !is_space(byte));
        let before = self.text[self.begin..start]
            .iter()
            .rev()
            .find(|byte| !is_space(byte));
        behind.is_none_or(|byte| *byte == b'\n')
            && before.is_none_or(|byte| *byte == b'\n')
            && memchr(b'\n', &self.text[start..end]).is_none()
    }
}

fn is_complete(line: &[u8]) -> bool {
    value_end(line).is_ok_and(|end| line[end..].trim_ascii().is_empty())
}

fn find_open_line(text: &[u8], from: usize) -> Option<usize> {
    memmem::find(&text[from..], b"\n{").map(|newline| from + newline + 1)
}
