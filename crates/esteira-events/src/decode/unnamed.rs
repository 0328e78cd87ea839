//! Which fields events have that the schema does not name, and in how many events.
//!
//! Comes in: the rescued data of events, as `rescue` wrote it. Goes out: their paths with counts. Invariant:
//! memory is bounded, whatever keys the events have.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiter::Peek;

use super::layout::{Kind, StructLayout, push_name};
use super::scanner::{Broken, RawKey, Scanner, unescape_key};
use crate::schema::{DataType, EventSchema, Field};

/// So many paths are told apart; what comes later is only counted.
const MOST_PATHS: usize = 1000;
/// A longer path is cut off, and ends in `…`.
const LONGEST_PATH: usize = 200;

/// Counts the fields that a schema does not name.
pub struct UnnamedFields {
    layout: StructLayout,
    events: u64,
    by_path: HashMap<String, Count>,
    beyond: u64,
    path: String,
    tape: String,
}

#[derive(Debug)]
struct Count {
    events: u64,
    /// The event that was counted last: a field of several objects of a list counts once.
    last: u64,
}

impl UnnamedFields {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(schema: &EventSchema) -> Self {
        Self {
            layout: StructLayout::of_event(schema).0,
            events: 0,
            by_path: HashMap::new(),
            beyond: 0,
            path: String::new(),
            tape: String::new(),
        }
    }

    /// Takes the rescued data of one event.
    pub fn count(&mut self, rescued: &str) {
        self.events += 1;
        let mut walk = Walk {
            text: rescued,
            scanner: Scanner::new(rescued.as_bytes(), Vec::new()),
            events: self.events,
            by_path: &mut self.by_path,
            beyond: &mut self.beyond,
            path: &mut self.path,
            tape: &mut self.tape,
        };
        walk.path.clear();
        walk.path.push('$');
        let walked = walk.object(&self.layout);
        debug_assert!(walked.is_ok(), "rescued data is JSON: {rescued}");
    }

    /// The events that had each field, by its path, like `$.items[].colour`.
    #[must_use]
    pub fn by_path(&self) -> BTreeMap<String, u64> {
        let counts = self.by_path.iter();
        counts
            .map(|(path, count)| (path.clone(), count.events))
            .collect()
    }

    /// How often there was a field whose path was not told apart any more.
    #[must_use]
    pub fn beyond(&self) -> u64 {
        self.beyond
    }
}

struct Walk<'a> {
    text: &'a str,
    scanner: Scanner<'a>,
    events: u64,
    by_path: &'a mut HashMap<String, Count>,
    beyond: &'a mut u64,
    path: &'a mut String,
    tape: &'a mut String,
}

impl Walk<'_> {
    fn value(&mut self, kind: &Kind) -> Result<(), Broken> {
        match (kind, self.scanner.peek()?) {
            (Kind::Struct(layout), Peek::Object) => self.object(layout),
            (Kind::Array(element), Peek::Array) => {
                let length = self.path.len();
                self.path.push_str("[]");
                let mut next = self.scanner.array_first()?;
                while next.is_some() {
                    self.value(element)?;
                    next = self.scanner.array_step()?;
                }
                self.path.truncate(length);
                Ok(())
            }
            (_, peek) => self.scanner.skip(peek).map(|_| ()),
        }
    }

    fn object(&mut self, layout: &StructLayout) -> Result<(), Broken> {
        let length = self.path.len();
        let mut key = self.scanner.first_key()?;
        while let Some(raw) = key {
            let known = self.name(&raw, layout)?;
            if let Some(field) = known {
                self.value(&layout.fields[field].kind)?;
            } else {
                self.meet();
                let peek = self.scanner.peek()?;
                self.scanner.skip(peek)?;
            }
            self.path.truncate(length);
            key = self.scanner.next_key()?;
        }
        Ok(())
    }

    /// Goes on to the field of that key; tells which one of the schema's it is.
    fn name(&mut self, key: &RawKey<'_>, layout: &StructLayout) -> Result<Option<usize>, Broken> {
        if key.raw.contains(&b'\\') {
            self.tape.clear();
            let name = unescape_key(self.text.as_bytes(), key, self.tape)?;
            let name = name.of(self.text, self.tape);
            push_name(self.path, name);
            return Ok(layout.find(name.as_bytes()));
        }
        push_name(self.path, &self.text[key.start..key.start + key.raw.len()]);
        Ok(layout.find(key.raw))
    }

    fn meet(&mut self) {
        cut(self.path);
        if let Some(count) = self.by_path.get_mut(self.path.as_str()) {
            if count.last != self.events {
                count.events += 1;
                count.last = self.events;
            }
        } else if self.by_path.len() < MOST_PATHS {
            let first = Count {
                events: 1,
                last: self.events,
            };
            self.by_path.insert(self.path.clone(), first);
        } else {
            *self.beyond += 1;
        }
    }
}

fn cut(path: &mut String) {
    if path.len() > LONGEST_PATH {
        let end = (0..=LONGEST_PATH)
            .rev()
            .find(|at| path.is_char_boundary(*at));
        path.truncate(end.unwrap_or_default());
        path.push('…');
    }
}

/// The paths of all fields that the schema names, as [`UnnamedFields`] would have them.
#[must_use]
pub fn named_paths(schema: &EventSchema) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    of_fields("$", schema.fields(), &mut paths);
    paths
}

fn of_fields(above: &str, fields: &[Field], paths: &mut BTreeSet<String>) {
    for field in fields {
        let mut path = above.to_owned();
        push_name(&mut path, &field.name);
        let mut inside = path.clone();
        let mut data_type = &field.data_type;
        while let DataType::Array(element) = data_type {
            inside.push_str("[]");
            data_type = element;
        }
        if let DataType::Struct(fields) = data_type {
            of_fields(&inside, fields, paths);
        }
        cut(&mut path);
        paths.insert(path);
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn schema() -> EventSchema {
        EventSchema::parse(
            "CREATE TABLE t (id STRING, items ARRAY<STRUCT<a: STRING, deep: STRUCT<b: INT>>>, o STRUCT<c: INT>)",
            "schema.sql",
        )
        .unwrap()
    }

    #[test]
    fn fields_are_counted_once_an_event_wherever_they_are() {
        let mut fields = UnnamedFields::new(&schema());
        fields.count(r#"{"canal":{"id":1},"items":[{"cor":1},{},{"cor":2,"deep":{"é":0}}]}"#);
        fields.count(r#"{"can\u0061l":[{"x":1}],"o":{"a b":null,"it's":1}}"#);
        let paths = fields.by_path();
        let found: Vec<_> = paths.iter().map(|(path, n)| (path.as_str(), *n)).collect();
        assert_eq!(
            found,
            [
                ("$.canal", 2),
                ("$.items[].cor", 1),
                ("$.items[].deep.é", 1),
                (r"$.o['a b']", 1),
                (r"$.o['it\'s']", 1),
            ]
        );
        assert_eq!(fields.beyond(), 0);
    }

    #[test]
    fn memory_is_bounded_whatever_the_keys() {
        let mut fields = UnnamedFields::new(&schema());
        let mut text = "{".to_owned();
        for key in 0..MOST_PATHS + 7 {
            write!(text, "\"{key:0300}\":1,").unwrap();
        }
        text.push_str("\"é\":1}");
        fields.count(&text);
        assert_eq!(fields.by_path().len(), 2, "they begin in the same way");
        let many: Vec<String> = (0..MOST_PATHS + 7)
            .map(|key| format!("\"k{key}\":1"))
            .collect();
        fields.count(&format!("{{{}}}", many.join(",")));
        assert_eq!(fields.by_path().len(), MOST_PATHS);
        assert_eq!(fields.beyond(), 9);
        assert!(
            fields
                .by_path()
                .keys()
                .all(|path| path.len() < LONGEST_PATH + 8)
        );
    }

    #[test]
    fn what_the_schema_names_has_the_same_paths() {
        let paths = named_paths(&schema());
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        assert_eq!(
            paths,
            [
                "$.id",
                "$.items",
                "$.items[].a",
                "$.items[].deep",
                "$.items[].deep.b",
                "$.o",
                "$.o.c"
            ]
        );
    }
}
