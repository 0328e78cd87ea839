//! One JSON object, read by the declared layout.
//!
//! Comes in: a text that begins with the object. Goes out: its slots in the arena, or the first
//! thing that is wrong with it in document order, or where it stops being JSON. Invariants: of a
//! key given twice only the last value counts, for errors as well; a wrong value never stops the
//! reading, so that what follows the event is found. Making rows of the slots belongs to `columns`.

use jiter::Peek;

use super::arena::{Arena, Chain, Rescued, Slot};
use super::date::parse_date;
use super::decimal::parse_decimal;
use super::integer::parse_integer;
use super::issue::{Issue, Step, excerpt};
use super::layout::{FieldLayout, Kind, StructLayout, json_path};
use super::report::Reason;
use super::scanner::{Broken, RawKey, Scanner, unescape_key};
use super::text::Text;
use super::timestamp::parse_timestamp;

/// Reads one event.
pub(super) struct EventReader<'a, 'j> {
    pub(super) event: &'a StructLayout,
    pub(super) arena: &'a mut Arena,
    /// For each field, and for the start of an object, the field that followed it last time:
    /// producers rarely change the order of their keys.
    pub(super) guesses: &'a mut [usize],
    /// The text, which begins with the event and may go on behind it.
    pub(super) text: &'j str,
    pub(super) scanner: Scanner<'j>,
    /// The most values one event may have.
    pub(super) max_values: usize,
}

impl EventReader<'_, '_> {
    /// Reads the event; the scanner must be at its `{`.
    pub(super) fn read(&mut self) -> Result<Slot, Broken> {
        self.arena.clear();
        self.read_struct(self.event)
    }

    fn read_struct(&mut self, layout: &StructLayout) -> Result<Slot, Broken> {
        let count = layout.fields.len();
        if self.arena.values() + count > self.max_values {
            return self.too_large(Peek::Object);
        }
        let first = self.arena.slots.len();
        self.arena.slots.resize(first + count, Slot::Missing);
        let issues = self.arena.issues.len();
        let mut object = Object { layout, first, previous: count, extras: Chain::default() };
        let mut unknown = false;
        let mut key = self.scanner.first_key()?;
        while let Some(raw) = key {
            match self.field_of(&mut object, &raw)? {
                Ok(field) => self.read_field(&mut object, field)?,
                Err(name) => {
                    unknown = true;
                    let peek = self.scanner.peek()?;
                    let value = Text::plain(self.scanner.skip(peek)?);
                    let rescued = Rescued::Unknown { key: name, value };
                    self.arena.push_extra(&mut object.extras, rescued);
                }
            }
            key = self.scanner.next_key()?;
        }
        self.check_missing(&object);
        if self.arena.issues.len() > issues {
            return Ok(self.first_issue(&object, issues, unknown));
        }
        Ok(self.close(&object, unknown))
    }

    /// The field that a key names, or the key's text when there is none.
    fn field_of(
        &mut self,
        object: &mut Object<'_>,
        key: &RawKey<'_>,
    ) -> Result<Result<usize, Text>, Broken> {
        let guess = &mut self.guesses[object.layout.guesses + object.previous];
        let guessed = object.layout.fields.get(*guess);
        if guessed.is_some_and(|field| field.name.as_bytes() == key.raw) {
            object.previous = *guess;
            return Ok(Ok(*guess));
        }
        let mut name = Text::plain(key.start..key.start + key.raw.len());
        let found = if key.raw.contains(&b'\\') {
            name = unescape_key(self.text.as_bytes(), key, &mut self.arena.tape)?;
            object.layout.find(name.of(self.text, &self.arena.tape).as_bytes())
        } else {
            object.layout.find(key.raw)
        };
        let Some(found) = found else { return Ok(Err(name)) };
        *guess = found;
        object.previous = found;
        Ok(Ok(found))
    }

    fn read_field(&mut self, object: &mut Object<'_>, index: usize) -> Result<(), Broken> {
        let field = &object.layout.fields[index];
        let at = object.first + index;
        let earlier = self.arena.slots[at];
        if matches!(earlier, Slot::Missing) && field.kind.holds_objects() {
            self.arena.push_extra(&mut object.extras, Rescued::Inside { field: index });
        }
        self.arena.path.push(Step::Field(index));
        let peek = self.scanner.peek()?;
        let start = self.scanner.position();
        let value = self.read_value(&field.kind, peek)?;
        let mut value = self.check_rules(field, value, start);
        self.arena.path.pop();
        if let Slot::Wrong(issue) = earlier {
            value = self.replace_issue(issue, value);
        }
        self.arena.slots[at] = value;
        Ok(())
    }

    fn check_rules(&mut self, field: &FieldLayout, value: Slot, start: usize) -> Slot {
        match value {
            Slot::Null if field.required => {
                let message = format!("`{}` is required, but null", field.name);
                self.wrong(start, Reason::MissingRequired, message)
            }
            Slot::Text(text) if field.not_empty && text.is_empty() => {
                let message = format!("`{}` must not be empty", field.name);
                self.wrong(start, Reason::EmptyValue, message)
            }
            value => value,
        }
    }

    /// The later value of a key counts: its issue takes the place of the earlier one's, and without
    /// one nothing points to the earlier any more.
    fn replace_issue(&mut self, earlier: usize, value: Slot) -> Slot {
        let last = self.arena.issues.len() - 1;
        match value {
            Slot::Wrong(later) if later == last => {
                self.arena.issues.swap_remove(earlier);
                Slot::Wrong(earlier)
            }
            value => {
                if earlier == last {
                    self.arena.issues.pop();
                }
                value
            }
        }
    }

    fn check_missing(&mut self, object: &Object<'_>) {
        for index in &object.layout.required {
            let at = object.first + index;
            if matches!(self.arena.slots[at], Slot::Missing) {
                let brace = self.scanner.position() - 1;
                let message =
                    format!("`{}` is required, but missing", object.layout.fields[*index].name);
                self.arena.path.push(Step::Field(*index));
                self.arena.slots[at] = self.wrong(brace, Reason::MissingRequired, message);
                self.arena.path.pop();
            }
        }
    }

    /// Of the issues since `base` keeps the first in document order that still counts.
    fn first_issue(&mut self, object: &Object<'_>, base: usize, unknown: bool) -> Slot {
        let issues = &mut self.arena.issues;
        let fields = &self.arena.slots[object.first..object.first + object.layout.fields.len()];
        let wrong = fields.iter().filter_map(|slot| match slot {
            Slot::Wrong(issue) => Some(*issue),
            _ => None,
        });
        let Some(first) = wrong.min_by_key(|issue| issues[*issue].offset) else {
            issues.truncate(base);
            return self.close(object, unknown);
        };
        issues.swap(base, first);
        issues.truncate(base + 1);
        Slot::Wrong(base)
    }

    fn close(&self, object: &Object<'_>, unknown: bool) -> Slot {
        let inside = |rescued| match rescued {
            Rescued::Inside { field } => self.arena.slots[object.first + field].rescues(),
            Rescued::Unknown { .. } => true,
        };
        let extras = object.extras.first;
        let rescues = unknown || self.arena.extras(extras).any(inside);
        Slot::Struct { first: object.first, extras, rescues }
    }

    fn read_array(&mut self, element: &Kind) -> Result<Slot, Broken> {
        let base = self.arena.pending.len();
        let issues = self.arena.issues.len();
        let (mut wrong, mut rescues) = (false, false);
        let mut next = self.scanner.array_first()?;
        for index in 0.. {
            let Some(peek) = next else { break };
            self.arena.path.push(Step::Element(index));
            let start = self.scanner.position();
            let mut value = if self.arena.values() < self.max_values {
                self.read_value(element, peek)?
            } else {
                self.too_large(peek)?
            };
            if matches!((value, element), (Slot::Null, Kind::Struct(_))) {
                value = self.wrong_type(start, element, peek);
            }
            self.arena.path.pop();
            if matches!(value, Slot::Wrong(_)) {
                // elements are not overridden: the first wrong one is the array's
                wrong = true;
                self.arena.issues.truncate(issues + 1);
            } else if !wrong {
                rescues |= value.rescues();
                self.arena.pending.push(value);
            }
            next = self.scanner.array_step()?;
        }
        if wrong {
            self.arena.pending.truncate(base);
            return Ok(Slot::Wrong(issues));
        }
        Ok(self.arena.close_array(base, rescues))
    }

    fn read_value(&mut self, kind: &Kind, peek: Peek) -> Result<Slot, Broken> {
        match (kind, peek) {
            (_, Peek::Null) => self.scanner.null().map(|()| Slot::Null),
            (Kind::String, Peek::String) => {
                self.scanner.string(&mut self.arena.tape).map(Slot::Text)
            }
            (Kind::Date | Kind::Timestamp, Peek::String) => self.read_time(kind),
            (Kind::Boolean, Peek::True | Peek::False) => {
                self.scanner.boolean(peek).map(Slot::Boolean)
            }
            (Kind::Int | Kind::BigInt | Kind::Double | Kind::Decimal { .. }, number)
                if number.is_num() =>
            {
                self.read_number(kind, number)
            }
            (Kind::Array(element), Peek::Array) => self.read_array(element),
            (Kind::Struct(layout), Peek::Object) => self.read_struct(layout),
            _ => {
                let start = self.scanner.position();
                self.scanner.skip(peek)?;
                Ok(self.wrong_type(start, kind, peek))
            }
        }
    }

    fn read_time(&mut self, kind: &Kind) -> Result<Slot, Broken> {
        let start = self.scanner.position();
        let tape = self.arena.tape.len();
        let text = self.scanner.string(&mut self.arena.tape)?;
        let value = text.of(self.text, &self.arena.tape);
        let (slot, reason, what) = if matches!(kind, Kind::Date) {
            let days = parse_date(value.as_bytes()).map(Slot::I32);
            (days, Reason::InvalidDate, "a date `YYYY-MM-DD`")
        } else {
            let micros = parse_timestamp(value.as_bytes()).map(Slot::I64);
            (micros, Reason::InvalidTimestamp, "an RFC 3339 timestamp with an offset")
        };
        let message = slot.is_none().then(|| format!("{} is not {what}", excerpt(value)));
        self.arena.tape.truncate(tape);
        Ok(slot.unwrap_or_else(|| self.wrong(start, reason, message.unwrap_or_default())))
    }

    fn read_number(&mut self, kind: &Kind, peek: Peek) -> Result<Slot, Broken> {
        let range = self.scanner.number(peek)?;
        let start = range.start;
        let number = &self.text[range];
        let slot = match kind {
            Kind::Int => parse_integer(number).map(Slot::I32),
            Kind::BigInt => parse_integer(number).map(Slot::I64),
            Kind::Decimal { precision, scale } => {
                parse_decimal(number.as_bytes(), *precision, *scale).map(Slot::Decimal)
            }
            _ => number.parse().ok().filter(|double: &f64| double.is_finite()).map(Slot::Double),
        };
        Ok(slot.unwrap_or_else(|| {
            let (reason, fault) = number_fault(kind);
            self.wrong(start, reason, format!("{} {fault}", excerpt(number)))
        }))
    }

    /// Skips a value that there is no room for.
    fn too_large(&mut self, peek: Peek) -> Result<Slot, Broken> {
        let start = self.scanner.position();
        self.scanner.skip(peek)?;
        let message = format!("the event has more than {} values", self.max_values);
        Ok(self.wrong(start, Reason::TooLarge, message))
    }

    fn wrong_type(&mut self, start: usize, kind: &Kind, found: Peek) -> Slot {
        let found = match found {
            Peek::Null => "null",
            Peek::True | Peek::False => "a boolean",
            Peek::String => "a string",
            Peek::Array => "an array",
            Peek::Object => "an object",
            _ => "a number",
        };
        let message = format!("expected {}, found {found}", kind.expected());
        self.wrong(start, Reason::WrongType, message)
    }

    fn wrong(&mut self, offset: usize, reason: Reason, message: String) -> Slot {
        let path = json_path(self.event, &self.arena.path);
        self.arena.issues.push(Issue { offset, reason, message, path });
        Slot::Wrong(self.arena.issues.len() - 1)
    }
}

/// An object while it is read.
struct Object<'a> {
    layout: &'a StructLayout,
    /// Where its slots begin.
    first: usize,
    /// The field met last; the number of fields before the first one.
    previous: usize,
    extras: Chain,
}

fn number_fault(kind: &Kind) -> (Reason, String) {
    match kind {
        Kind::Int => (Reason::InvalidInteger, "is not an integer of 32 bits".to_owned()),
        Kind::BigInt => (Reason::InvalidInteger, "is not an integer of 64 bits".to_owned()),
        Kind::Decimal { precision, scale } => {
            (Reason::InvalidDecimal, format!("does not fit DECIMAL({precision},{scale})"))
        }
        _ => (Reason::InvalidDouble, "is beyond the range of a double".to_owned()),
    }
}
