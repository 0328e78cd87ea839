//! Where in a bucket's folder the bytes of a key live, and back: the only place that knows file names.
//!
//! Comes in: an object key (any UTF-8, 1 to 1,024 bytes). Goes out: a relative path. Invariants: an
//! ordinary key is its own path; distinct keys have distinct paths; [`key_of`] undoes [`path_of`] exactly;
//! no name is longer than 255 bytes. The rules, per `/`-separated segment:
//! - `%`, `\` and control characters are written `%XX`; so are the dots of `.` and `..`, and the first dot
//!   of a segment that starts with `.esteira`
//! - an empty segment (a leading, doubled or final `/`) is `%-`
//! - a name that would pass 200 bytes ends in `%+` and goes on in the folder of that name
//!
//! A file system cannot hold a file and a folder of one name, a bucket can hold `a` beside `a/b`: the file
//! that must give way gets the ending `%object`. Which one that is depends on what is stored, so it is not
//! decided here. No ordinary name contains a bare `%`, therefore none of the marks can be mistaken.

use crate::hex;

/// Longest name before the marks, in bytes; 255 is the limit of common file systems.
const LONGEST_NAME: usize = 200;
const CONTINUES: &str = "%+";
const EMPTY: &str = "%-";
const ASIDE: &str = "%object";

/// Longest key in bytes, see "Object key naming guidelines" in the Amazon S3 User Guide.
pub(crate) const LONGEST_KEY: usize = 1024;

/// The path of a key's file, relative to its bucket's folder, with `/` between names.
pub(crate) fn path_of(key: &str) -> String {
    let mut path = String::with_capacity(key.len() + 8);
    for (position, segment) in key.split('/').enumerate() {
        if position > 0 {
            path.push('/');
        }
        push_segment(&mut path, segment);
    }
    path
}

/// The path of a key's file when a folder has taken its ordinary path.
pub(crate) fn path_aside(key: &str) -> String {
    path_of(key) + ASIDE
}

/// The key whose file is at `path`, and whether it stepped aside; `None` when no key has that path.
pub(crate) fn key_of(path: &str) -> Option<(String, bool)> {
    let (plain, aside) = match path.strip_suffix(ASIDE) {
        Some(plain) => (plain, true),
        None => (path, false),
    };
    let mut key = String::with_capacity(plain.len());
    let mut names = plain.split('/').peekable();
    while let Some(name) = names.next() {
        let (name, continues) = match name.strip_suffix(CONTINUES) {
            Some(name) => (name, true),
            None => (name, false),
        };
        if name != EMPTY {
            unescape(name, &mut key)?;
        }
        if names.peek().is_some() && !continues {
            key.push('/');
        }
    }
    // Other spellings decode to the same key; only the one we would write counts as that key's path.
    (key.len() <= LONGEST_KEY && path_of(&key) == plain).then_some((key, aside))
}

/// The keys that would have to be folders for `key` to be stored: `a` and `a/b` for `a/b/c`.
pub(crate) fn ancestors(key: &str) -> impl Iterator<Item = &str> {
    key.match_indices('/').map(|(at, _)| &key[..at])
}

fn push_segment(path: &mut String, segment: &str) {
    if segment.is_empty() {
        path.push_str(EMPTY);
        return;
    }
    let only_dots = matches!(segment, "." | "..");
    // A name that begins with a dot could be `.` or `..` once a long segment is cut, so it never does then.
    let mut hide_dot = only_dots || segment.starts_with(".esteira");
    let mut room = LONGEST_NAME;
    for character in segment.chars() {
        let escape = |hide_dot: bool| {
            matches!(character, '%' | '\\')
                || character.is_ascii_control()
                || (hide_dot && character == '.')
        };
        let width = if escape(hide_dot) {
            3
        } else {
            character.len_utf8()
        };
        if width > room {
            path.push_str(CONTINUES);
            path.push('/');
            room = LONGEST_NAME;
            hide_dot = true;
        }
        if escape(hide_dot) {
            push_escaped(path, character);
            room -= 3;
        } else {
            path.push(character);
            room -= character.len_utf8();
        }
        hide_dot = only_dots;
    }
}

/// Writes one ASCII character as `%XX`.
fn push_escaped(path: &mut String, character: char) {
    let mut code = [0; 1];
    path.push('%');
    path.push_str(&hex::encode(character.encode_utf8(&mut code).as_bytes()).to_ascii_uppercase());
}

fn unescape(name: &str, key: &mut String) -> Option<()> {
    let mut pieces = name.split('%');
    key.push_str(pieces.next()?);
    for piece in pieces {
        let code = *hex::decode(piece.get(..2)?)?.first()?;
        key.push(char::from(code));
        key.push_str(&piece[2..]);
    }
    Some(())
}

#[cfg(test)]
mod tests;
