//! Lines as evidence: where a broken part of a sequence of values ends.
//!
//! Comes in: a text and the start of a value that is broken. Goes out: the end of the broken part,
//! where reading goes on. The rule: a part is given up alone only where the lines prove that the
//! object is one of lines (or of pretty-printed documents); otherwise all that follows is given up.

use std::cell::OnceCell;

use super::json::{self, Found};

/// The lines of one text, and what they have proven so far.
pub(super) struct Lines<'a> {
    text: &'a [u8],
    /// A value that stood alone on its line has been read.
    one_a_line: bool,
    /// Start of the last line that is one complete JSON object.
    last_complete: OnceCell<Option<usize>>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text: text.as_bytes(),
            one_a_line: false,
            last_complete: OnceCell::new(),
        }
    }

    /// Takes note of a complete value that reaches from `start` to `end`.
    pub(super) fn note_value(&mut self, start: usize, end: usize) {
        let before = self.text[..start].iter().rfind(|byte| !is_blank(**byte));
        let behind = self.text[end..].iter().find(|byte| !is_blank(**byte));
        self.one_a_line |= !self.text[start..end].contains(&b'\n')
            && before.is_none_or(|byte| *byte == b'\n')
            && behind.is_none_or(|byte| *byte == b'\n');
    }

    /// Where the part ends whose broken value begins at `start`.
    pub(super) fn end_of_broken(&self, start: usize) -> usize {
        let end = self.end_of_line(start);
        if self.one_a_line || self.last_complete() > Some(start) {
            return if self.text[start] == b'{' && breaks_off(&self.text[start..end]) {
                self.next_object_line(end, |_| true)
            } else {
                end
            };
        }
        if start == 0 || self.text[start - 1] == b'\n' {
            self.next_object_line(end, |previous| previous.starts_with(b"}"))
        } else {
            self.text.len()
        }
    }

    /// Start of the first line behind `end` that begins with `{` and whose previous line, blank
    /// ones left out, is `accepted`; the text's end when there is none.
    fn next_object_line(&self, end: usize, accepted: impl Fn(&[u8]) -> bool) -> usize {
        let mut previous = &self.text[self.start_of_line(end)..end];
        let mut at = end + 1;
        while at < self.text.len() {
            let line = &self.text[at..self.end_of_line(at)];
            if line.starts_with(b"{") && accepted(previous) {
                return at;
            }
            if !json::trim_end(line).is_empty() {
                previous = line;
            }
            at += line.len() + 1;
        }
        self.text.len()
    }

    fn last_complete(&self) -> Option<usize> {
        *self.last_complete.get_or_init(|| {
            let mut end = self.text.len();
            loop {
                let start = self.start_of_line(end);
                if is_complete_object(&self.text[start..end]) {
                    return Some(start);
                }
                end = start.checked_sub(1)?;
            }
        })
    }

    fn start_of_line(&self, at: usize) -> usize {
        let before = self.text[..at].iter().rposition(|&byte| byte == b'\n');
        before.map_or(0, |newline| newline + 1)
    }

    fn end_of_line(&self, at: usize) -> usize {
        let behind = self.text[at..].iter().position(|&byte| byte == b'\n');
        behind.map_or(self.text.len(), |newline| at + newline)
    }
}

/// White space inside a line.
fn is_blank(byte: u8) -> bool {
    byte != b'\n' && json::is_space(byte)
}

fn is_complete_object(line: &[u8]) -> bool {
    let Ok(line) = std::str::from_utf8(json::trim_end(line)) else {
        return false;
    };
    line.starts_with('{') && json::first_value(line) == Found::Value(line)
}

fn breaks_off(line: &[u8]) -> bool {
    std::str::from_utf8(json::trim_end(line)).is_ok_and(json::breaks_off)
}
