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

/// Where a value belongs. Values are written there at once rather than handed back: this is the
/// innermost loop, and a slot is too large to be handed back in registers.
#[derive(Clone, Copy)]
enum Place {
    /// A slot: the event itself, or a field of an object.
    Slot(usize),
    /// A pending element of an array.
    Pending(usize),
}

impl EventReader<'_, '_> {
    /// Reads the event; the scanner must be at its `{`.
    pub(super) fn read(&mut self) -> Result<Slot, Broken> {
        self.arena.clear();
        self.arena.slots.push(Slot::Missing);
        self.read_struct(self.event, Place::Slot(0))?;
        Ok(self.arena.slots[0])
    }

    fn read_struct(&mut self, layout: &StructLayout, place: Place) -> Result<(), Broken> {
        let count = layout.fields.len();
        if self.arena.values() + count > self.max_values {
            return self.too_large(Peek::Object, place);
        }
        let first = self.arena.slots.len();
        self.arena.slots.resize(first + count, Slot::Missing);
        let issues = self.arena.issues.len();
        let mut object = Object {
            layout,
            first,
            previous: count,
            extras: Chain::default(),
        };
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
        if self.arena.issues.len() == issues || !self.keep_first_issue(&object, issues, place) {
            self.close(&object, unknown, place);
        }
        Ok(())
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
            object
                .layout
                .find(name.of(self.text, &self.arena.tape).as_bytes())
        } else {
            object.layout.find(key.raw)
        };
        let Some(found) = found else {
            return Ok(Err(name));
        };
        *guess = found;
        object.previous = found;
        Ok(Ok(found))
    }

    fn read_field(&mut self, object: &mut Object<'_>, index: usize) -> Result<(), Broken> {
        let field = &object.layout.fields[index];
        let at = object.first + index;
        let place = Place::Slot(at);
        let earlier_issue = match self.arena.slots[at] {
            Slot::Missing => {
                if field.kind.holds_objects() {
                    self.arena
                        .push_extra(&mut object.extras, Rescued::Inside { field: index });
                }
                None
            }
            Slot::Wrong(issue) => Some(issue),
            _ => None,
        };
        self.arena.path.push(Step::Field(index));
        let peek = self.scanner.peek()?;
        let start = self.scanner.position();
        self.read_value(&field.kind, peek, place)?;
        if field.required || field.not_empty {
            self.check_rules(field, start, at);
        }
        self.arena.path.pop();
        if let Some(earlier) = earlier_issue {
            self.replace_issue(earlier, at);
        }
        Ok(())
    }

    fn check_rules(&mut self, field: &FieldLayout, start: usize, at: usize) {
        match self.arena.slots[at] {
            Slot::Null if field.required => {
                let message = format!("`{}` is required, but null", field.name);
                self.wrong(start, Reason::MissingRequired, message, Place::Slot(at));
            }
            Slot::Text(text) if field.not_empty && text.is_empty() => {
                let message = format!("`{}` must not be empty", field.name);
                self.wrong(start, Reason::EmptyValue, message, Place::Slot(at));
            }
            _ => {}
        }
    }

    /// The later value of a key counts: its issue takes the place of the earlier one's, and without
    /// one nothing points to the earlier any more.
    fn replace_issue(&mut self, earlier: usize, at: usize) {
        let last = self.arena.issues.len() - 1;
        if matches!(self.arena.slots[at], Slot::Wrong(_)) {
            self.arena.issues.swap_remove(earlier);
            self.arena.slots[at] = Slot::Wrong(earlier);
        } else if earlier == last {
            self.arena.issues.pop();
        }
    }

    fn check_missing(&mut self, object: &Object<'_>) {
        for index in &object.layout.required {
            let at = object.first + index;
            if matches!(self.arena.slots[at], Slot::Missing) {
                let brace = self.scanner.position() - 1;
                let message = format!(
                    "`{}` is required, but missing",
                    object.layout.fields[*index].name
                );
                self.arena.path.push(Step::Field(*index));
                self.wrong(brace, Reason::MissingRequired, message, Place::Slot(at));
                self.arena.path.pop();
            }
        }
    }

    /// Of the issues since `base` keeps the first in document order that still counts, as the
    /// object's; tells whether there is one.
    fn keep_first_issue(&mut self, object: &Object<'_>, base: usize, place: Place) -> bool {
        let issues = &mut self.arena.issues;
        let fields = &self.arena.slots[object.first..object.first + object.layout.fields.len()];
        let wrong = fields.iter().filter_map(|slot| match slot {
            Slot::Wrong(issue) => Some(*issue),
            _ => None,
        });
        let Some(first) = wrong.min_by_key(|issue| issues[*issue].offset) else {
            issues.truncate(base);
            return false;
        };
        issues.swap(base, first);
        issues.truncate(base + 1);
        self.put(place, Slot::Wrong(base));
        true
    }

    fn close(&mut self, object: &Object<'_>, unknown: bool, place: Place) {
        let inside = |rescued| match rescued {
            Rescued::Inside { field } => self.arena.slots[object.first + field].rescues(),
            Rescued::Unknown { .. } => true,
        };
        let extras = object.extras.first;
        let rescues = unknown || self.arena.extras(extras).any(inside);
        self.put(
            place,
            Slot::Struct {
                first: object.first,
                extras,
                rescues,
            },
        );
    }

    fn read_array(&mut self, element: &Kind, place: Place) -> Result<(), Broken> {
        let base = self.arena.pending.len();
        let issues = self.arena.issues.len();
        let (mut wrong, mut rescues) = (false, false);
        let mut next = self.scanner.array_first()?;
        for index in 0.. {
            let Some(peek) = next else { break };
            self.arena.path.push(Step::Element(index));
            let at = self.arena.pending.len();
            self.arena.pending.push(Slot::Missing);
            self.read_element(element, peek, at)?;
            self.arena.path.pop();
            match self.arena.pending[at] {
                // elements are not overridden: the first wrong one is the array's
                Slot::Wrong(_) => {
                    wrong = true;
                    self.arena.issues.truncate(issues + 1);
                }
                value => rescues |= value.rescues(),
            }
            if wrong {
                self.arena.pending.truncate(base);
            }
            next = self.scanner.array_step()?;
        }
        let array = if wrong {
            Slot::Wrong(issues)
        } else {
            self.arena.close_array(base, rescues)
        };
        self.put(place, array);
        Ok(())
    }

    fn read_element(&mut self, element: &Kind, peek: Peek, at: usize) -> Result<(), Broken> {
        let place = Place::Pending(at);
        if self.arena.values() > self.max_values {
            return self.too_large(peek, place);
        }
        let start = self.scanner.position();
        self.read_value(element, peek, place)?;
        if peek == Peek::Null && matches!(element, Kind::Struct(_)) {
            self.wrong_type(start, element, peek, place);
        }
        Ok(())
    }

    fn read_value(&mut self, kind: &Kind, peek: Peek, place: Place) -> Result<(), Broken> {
        match (kind, peek) {
            (_, Peek::Null) => {
                self.scanner.null()?;
                self.put(place, Slot::Null);
            }
            (Kind::String, Peek::String) => {
                let text = self.scanner.string(&mut self.arena.tape)?;
                self.put(place, Slot::Text(text));
            }
            (Kind::Date | Kind::Timestamp, Peek::String) => self.read_time(kind, place)?,
            (Kind::Boolean, Peek::True | Peek::False) => {
                let value = self.scanner.boolean(peek)?;
                self.put(place, Slot::Boolean(value));
            }
            (Kind::Int | Kind::BigInt | Kind::Double | Kind::Decimal { .. }, number)
                if number.is_num() =>
            {
                self.read_number(kind, number, place)?;
            }
            (Kind::Array(element), Peek::Array) => self.read_array(element, place)?,
            (Kind::Struct(layout), Peek::Object) => self.read_struct(layout, place)?,
            _ => {
                let start = self.scanner.position();
                self.scanner.skip(peek)?;
                self.wrong_type(start, kind, peek, place);
            }
        }
        Ok(())
    }

    fn read_time(&mut self, kind: &Kind, place: Place) -> Result<(), Broken> {
        let start = self.scanner.position();
        let tape = self.arena.tape.len();
        let text = self.scanner.string(&mut self.arena.tape)?;
        let value = text.of(self.text, &self.arena.tape);
        let slot = if matches!(kind, Kind::Date) {
            parse_date(value.as_bytes()).map(Slot::I32)
        } else {
            parse_timestamp(value.as_bytes()).map(Slot::I64)
        };
        if let Some(slot) = slot {
            self.put(place, slot);
        } else {
            let (reason, fault) = fault_of(kind);
            let message = format!("{} {fault}", excerpt(value));
            self.wrong(start, reason, message, place);
        }
        self.arena.tape.truncate(tape);
        Ok(())
    }

    fn read_number(&mut self, kind: &Kind, peek: Peek, place: Place) -> Result<(), Broken> {
        let range = self.scanner.number(peek)?;
        let start = range.start;
        let number = &self.text[range];
        let slot = match kind {
            Kind::Int => parse_integer(number).map(Slot::I32),
            Kind::BigInt => parse_integer(number).map(Slot::I64),
            Kind::Decimal { precision, scale } => {
                parse_decimal(number.as_bytes(), *precision, *scale).map(Slot::Decimal)
            }
            _ => number
                .parse()
                .ok()
                .filter(|double: &f64| double.is_finite())
                .map(Slot::Double),
        };
        if let Some(slot) = slot {
            self.put(place, slot);
        } else {
            let (reason, fault) = fault_of(kind);
            let message = format!("{} {fault}", excerpt(number));
            self.wrong(start, reason, message, place);
        }
        Ok(())
    }

    #[inline]
    fn put(&mut self, place: Place, slot: Slot) {
        match place {
            Place::Slot(at) => self.arena.slots[at] = slot,
            Place::Pending(at) => self.arena.pending[at] = slot,
        }
    }

    /// Skips a value that there is no room for.
    fn too_large(&mut self, peek: Peek, place: Place) -> Result<(), Broken> {
        let start = self.scanner.position();
        self.scanner.skip(peek)?;
        let message = format!("the event has more than {} values", self.max_values);
        self.wrong(start, Reason::EventTooLarge, message, place);
        Ok(())
    }

    fn wrong_type(&mut self, start: usize, kind: &Kind, found: Peek, place: Place) {
        let message = format!("expected {}, found {}", kind.expected(), name_of(found));
        self.wrong(start, Reason::WrongType, message, place);
    }

    #[cold]
    fn wrong(&mut self, offset: usize, reason: Reason, message: String, place: Place) {
        let path = json_path(self.event, &self.arena.path);
        self.arena.issues.push(Issue {
            offset,
            reason,
            message,
            path,
        });
        self.put(place, Slot::Wrong(self.arena.issues.len() - 1));
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

/// Why a text or number of the right JSON type is no value of the declared type.
fn fault_of(kind: &Kind) -> (Reason, String) {
    let fault = |reason, fault: &str| (reason, fault.to_owned());
    match kind {
        Kind::Date => fault(Reason::InvalidDate, "is not a date `YYYY-MM-DD`"),
        Kind::Timestamp => fault(
            Reason::InvalidTimestamp,
            "is not an RFC 3339 timestamp with an offset",
        ),
        Kind::Int => fault(Reason::InvalidInteger, "is not an integer of 32 bits"),
        Kind::BigInt => fault(Reason::InvalidInteger, "is not an integer of 64 bits"),
        Kind::Decimal { precision, scale } => (
            Reason::InvalidDecimal,
            format!("does not fit DECIMAL({precision},{scale})"),
        ),
        _ => fault(Reason::InvalidDouble, "is beyond the range of a double"),
    }
}

/// The kind of JSON value that begins so, as part of a sentence.
pub(super) fn name_of(value: Peek) -> &'static str {
    match value {
        Peek::Null => "null",
        Peek::True | Peek::False => "a boolean",
        Peek::String => "a string",
        Peek::Array => "an array",
        Peek::Object => "an object",
        _ => "a number",
    }
}
