//! What an event holds beyond its schema, kept as JSON text.
//!
//! Comes in: a decoded event. Goes out: an object that mirrors the event's structure and has only
//! the keys that the schema does not name, in order of first appearance, each with its last value
//! as it was written; nothing when there are none. A list appears when any of its objects has such
//! keys, with `{}` for those that have not. Invariant: it is never an error.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::Write;

use super::arena::{Link, Rescued, Slot};
use super::columns::DecodedEvent;
use super::layout::{Kind, StructLayout};
use super::text::Text;

/// Renders rescued fields into one buffer.
#[derive(Debug, Default)]
pub(super) struct Rescue {
    buffer: String,
}

impl Rescue {
    /// The JSON text of what the schema does not name.
    pub(super) fn render(
        &mut self,
        layout: &StructLayout,
        event: DecodedEvent<'_>,
    ) -> Option<&str> {
        if !event.root.rescues() {
            return None;
        }
        self.buffer.clear();
        if let Slot::Struct { first, extras, .. } = event.root {
            Renderer {
                event,
                out: &mut self.buffer,
            }
            .object(layout, first, extras);
        }
        Some(&self.buffer)
    }
}

struct Renderer<'r> {
    event: DecodedEvent<'r>,
    out: &'r mut String,
}

impl<'r> Renderer<'r> {
    fn value(&mut self, kind: &Kind, slot: Slot) {
        match (kind, slot) {
            (Kind::Struct(layout), Slot::Struct { first, extras, .. }) => {
                self.object(layout, first, extras);
            }
            (Kind::Array(element), Slot::Array { first, length, .. }) => {
                self.out.push('[');
                let arena = self.event.arena;
                for (index, slot) in arena.slots[first..first + length].iter().enumerate() {
                    self.out.push_str(if index == 0 { "" } else { "," });
                    self.value(element, *slot);
                }
                self.out.push(']');
            }
            _ => self.out.push_str("null"),
        }
    }

    fn object(&mut self, layout: &StructLayout, first: usize, extras: Option<Link>) {
        let arena = self.event.arena;
        let is_unknown = |extra: &Rescued| matches!(extra, Rescued::Unknown { .. });
        self.out.push('{');
        let inside = self.out.len();
        if arena.extras(extras).filter(is_unknown).count() < 2 {
            for extra in arena.extras(extras) {
                self.member(layout, first, inside, extra);
            }
        } else {
            for extra in self.last_values(extras) {
                self.member(layout, first, inside, extra);
            }
        }
        self.out.push('}');
    }

    fn member(&mut self, layout: &StructLayout, first: usize, inside: usize, extra: Rescued) {
        let separator = if self.out.len() == inside { "" } else { "," };
        match extra {
            Rescued::Unknown { key, value } => {
                self.out.push_str(separator);
                self.key(key);
                self.out.push_str(self.text(value));
            }
            Rescued::Inside { field } => {
                let slot = self.event.arena.slots[first + field];
                if slot.rescues() {
                    let field = &layout.fields[field];
                    self.out.push_str(separator);
                    self.plain_key(&field.name);
                    self.value(&field.kind, slot);
                }
            }
        }
    }

    /// The extras of an object, each unknown key once, where it came first, with its last value.
    fn last_values(&self, extras: Option<Link>) -> Vec<Rescued> {
        let mut members: Vec<Rescued> = Vec::new();
        let mut by_name: HashMap<&str, usize> = HashMap::new();
        for extra in self.event.arena.extras(extras) {
            let Rescued::Unknown { key, .. } = extra else {
                members.push(extra);
                continue;
            };
            match by_name.entry(self.text(key)) {
                Entry::Occupied(earlier) => members[*earlier.get()] = extra,
                Entry::Vacant(unmet) => {
                    unmet.insert(members.len());
                    members.push(extra);
                }
            }
        }
        members
    }

    fn key(&mut self, key: Text) {
        let name = self.text(key);
        if key.is_unescaped() {
            push_quoted(self.out, name);
            self.out.push(':');
        } else {
            self.plain_key(name);
        }
    }

    /// A key that needs no escapes: it was written without, or the schema names it.
    fn plain_key(&mut self, name: &str) {
        self.out.push('"');
        self.out.push_str(name);
        self.out.push_str("\":");
    }

    fn text(&self, text: Text) -> &'r str {
        text.of(self.event.text, &self.event.arena.tape)
    }
}

/// Appends `name` as a JSON string (RFC 8259 §7), with the shortest escape where one is needed.
fn push_quoted(out: &mut String, name: &str) {
    out.push('"');
    for c in name.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\u{0}'..='\u{1f}' => {
                // writing to a string cannot fail
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::push_quoted;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn quoted_name_equals_what_it_is_read_back_as(name in any::<String>()) {
            let mut quoted = String::new();
            push_quoted(&mut quoted, &name);
            prop_assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), name);
        }
    }
}
