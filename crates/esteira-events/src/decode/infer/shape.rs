//! What the values at one place of the samples have in common.
//!
//! Comes in: values, one after another. Goes out: the narrowest type that takes all of them, or why
//! there is none.

mod additions;

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use jiter::Peek;

pub(super) use self::additions::Place;
use super::{LeftOut, SuggestedField, is_scalar};
use crate::decode::date::parse_date;
use crate::decode::decimal::digits;
use crate::decode::integer::parse_integer;
use crate::decode::issue::excerpt;
use crate::decode::scanner::{Broken, RawKey, Scanner, unescape_key};
use crate::decode::timestamp::parse_timestamp;
use crate::schema::{DataType, Field, NOT_IN_COLUMNS, SchemaProblem, rules};

/// Objects with more keys than this are maps, not structs.
const MOST_FIELDS: usize = 400;
/// How deep values are looked at; well below what a schema may nest.
const DEEPEST: usize = 24;
/// Digits that money and quantities usually get.
const USUAL_PRECISION: i64 = 18;
const USUAL_SCALE: i64 = 2;
const LARGEST_PRECISION: i64 = 38;
/// A number with more digits behind the point is a measurement.
const LARGEST_SCALE: i64 = 12;

/// The values of one place.
#[derive(Debug, Default)]
pub(super) struct Shape {
    nulls: u64,
    booleans: Option<Seen>,
    numbers: Option<Numbers>,
    texts: Option<Texts>,
    lists: Option<Lists>,
    structs: Option<Box<Structs>>,
    /// Hashes of the values, of fields of the event itself.
    distinct: HashSet<u64>,
}

/// Values of one kind.
#[derive(Debug)]
struct Seen {
    count: u64,
    example: String,
}

#[derive(Debug)]
struct Numbers {
    seen: Seen,
    integers: bool,
    doubles: bool,
    /// The most digits before and behind the point.
    whole: i64,
    scale: i64,
}

#[derive(Debug)]
struct Texts {
    seen: Seen,
    timestamps: bool,
    dates: bool,
    empty: bool,
}

#[derive(Debug)]
struct Lists {
    seen: Seen,
    element: Box<Shape>,
}

#[derive(Debug, Default)]
struct Structs {
    count: u64,
    fields: Vec<Member>,
    index: HashMap<String, usize>,
    /// More keys than a struct should have.
    wide: bool,
    /// Nested deeper than is looked at.
    deep: bool,
}

/// A field of the objects at one place.
#[derive(Debug, Default)]
struct Member {
    name: String,
    shape: Shape,
    /// Objects in which it has a value: of a key given twice the last one counts.
    present: u64,
}

impl Seen {
    fn one(example: &str) -> Self {
        Self {
            count: 1,
            example: excerpt(example),
        }
    }
}

/// Puts the second into the first, or in its place.
fn join<T>(one: &mut Option<T>, other: Option<T>, merge: impl FnOnce(&mut T, T)) {
    match (one.as_mut(), other) {
        (Some(one), Some(other)) => merge(one, other),
        (None, other) => *one = other,
        (Some(_), None) => {}
    }
}

impl Shape {
    /// The objects among the values.
    pub(super) fn objects(&self) -> u64 {
        self.structs.as_ref().map_or(0, |structs| structs.count)
    }

    /// Adds what another one has seen.
    pub(super) fn merge(&mut self, other: Self) {
        self.nulls += other.nulls;
        let count = |one: &mut Seen, other: Seen| one.count += other.count;
        join(&mut self.booleans, other.booleans, count);
        join(&mut self.numbers, other.numbers, |one, other| {
            count(&mut one.seen, other.seen);
            one.integers &= other.integers;
            one.doubles &= other.doubles;
            one.whole = one.whole.max(other.whole);
            one.scale = one.scale.max(other.scale);
        });
        join(&mut self.texts, other.texts, |one, other| {
            count(&mut one.seen, other.seen);
            one.timestamps &= other.timestamps;
            one.dates &= other.dates;
            one.empty |= other.empty;
        });
        join(&mut self.lists, other.lists, |one, other| {
            count(&mut one.seen, other.seen);
            one.element.merge(*other.element);
        });
        join(&mut self.structs, other.structs, |one, other| {
            one.count += other.count;
            one.wide |= other.wide;
            one.deep |= other.deep;
            for other in other.fields {
                if let Some(at) = one.place_of(&other.name) {
                    one.fields[at].shape.merge(other.shape);
                    one.fields[at].present += other.present;
                }
            }
        });
        let room = usize::try_from(SuggestedField::MOST_DISTINCT).unwrap_or(usize::MAX);
        let free = room.saturating_sub(self.distinct.len());
        self.distinct.extend(other.distinct.into_iter().take(free));
    }

    /// The fields of the objects, with what can be said of each.
    pub(super) fn suggested_fields(&self, left_out: &mut Vec<LeftOut>) -> Vec<SuggestedField> {
        let Some(structs) = &self.structs else {
            return Vec::new();
        };
        let typed = structs.typed("$", true, left_out);
        let suggested = typed.into_iter().map(|field| {
            let member = structs
                .index
                .get(&field.name)
                .map(|at| &structs.fields[*at]);
            let shape = member.map(|member| &member.shape);
            let distinct = shape.filter(|_| is_scalar(&field.data_type));
            let distinct = distinct.map_or(0, |shape| shape.distinct.len());
            SuggestedField {
                present: member.map_or(0, |member| member.present),
                distinct: u64::try_from(distinct).unwrap_or(u64::MAX),
                has_empty: shape
                    .and_then(|shape| shape.texts.as_ref())
                    .is_some_and(|texts| texts.empty),
                example: shape.and_then(Shape::example).unwrap_or_default(),
                field,
            }
        });
        suggested.collect()
    }

    /// Whether no value was seen but nulls.
    fn is_empty(&self) -> bool {
        self.booleans.is_none()
            && self.numbers.is_none()
            && self.texts.is_none()
            && self.lists.is_none()
            && self.structs.is_none()
    }

    fn example(&self) -> Option<String> {
        let number = self.numbers.as_ref().map(|numbers| &numbers.seen);
        let text = self.texts.as_ref().map(|texts| &texts.seen);
        let seen = self.booleans.as_ref().or(number).or(text);
        seen.map(|seen| seen.example.clone())
    }

    /// The type that takes every value; else why there is none.
    fn data_type(&self, path: &str, left_out: &mut Vec<LeftOut>) -> Result<DataType, String> {
        let mut kinds: Vec<String> = Vec::new();
        if let Some(seen) = &self.booleans {
            kinds.push(format!("booleans like {}", seen.example));
        }
        if let Some(numbers) = &self.numbers {
            kinds.push(format!("numbers like {}", numbers.seen.example));
        }
        if let Some(texts) = &self.texts {
            kinds.push(format!("strings like {}", texts.seen.example));
        }
        if let Some(lists) = &self.lists {
            kinds.push(format!("arrays like {}", lists.seen.example));
        }
        if self.structs.is_some() {
            kinds.push("objects".to_owned());
        }
        if kinds.len() > 1 {
            return Err(format!("it is of several kinds: {}", kinds.join(", ")));
        }
        if self.booleans.is_some() {
            Ok(DataType::Boolean)
        } else if let Some(numbers) = &self.numbers {
            numbers.data_type()
        } else if let Some(texts) = &self.texts {
            Ok(texts.data_type())
        } else if let Some(lists) = &self.lists {
            let element = &lists.element;
            if element.structs.is_some() && element.nulls > 0 {
                return Err("a null stands among its objects".to_owned());
            }
            if element.is_empty() {
                return Err("no list of it had an element with a value".to_owned());
            }
            let element = element.data_type(&format!("{path}[]"), left_out)?;
            Ok(DataType::Array(Box::new(element)))
        } else if let Some(structs) = &self.structs {
            if structs.deep {
                return Err("it is nested too deeply".to_owned());
            }
            if structs.wide {
                return Err(format!("it has more than {MOST_FIELDS} keys, like a map"));
            }
            match structs.typed(path, false, left_out) {
                fields if fields.is_empty() => Err("none of its keys can be a field".to_owned()),
                fields => Ok(DataType::Struct(fields)),
            }
        } else {
            Err("it is always null".to_owned())
        }
    }
}

impl Numbers {
    fn data_type(&self) -> Result<DataType, String> {
        if self.integers {
            return Ok(DataType::BigInt);
        }
        // Of money in whole tens of cents the next may be in cents.
        let scale = match self.scale {
            0 => 0,
            scale => scale.max(USUAL_SCALE),
        };
        let precision = USUAL_PRECISION.max(self.whole.saturating_add(scale));
        if precision <= LARGEST_PRECISION && scale <= LARGEST_SCALE {
            let as_digits = |digits: i64| u8::try_from(digits).map_err(|error| error.to_string());
            return Ok(DataType::Decimal {
                precision: as_digits(precision)?,
                scale: as_digits(scale)?,
            });
        }
        if self.doubles {
            return Ok(DataType::Double);
        }
        Err(format!(
            "no type holds numbers as large as {}",
            self.seen.example
        ))
    }
}

impl Texts {
    fn data_type(&self) -> DataType {
        if self.timestamps {
            DataType::Timestamp
        } else if self.dates {
            DataType::Date
        } else {
            DataType::String
        }
    }
}

impl Structs {
    /// The place of the field of that name, unless there are too many.
    fn place_of(&mut self, name: &str) -> Option<usize> {
        match self.index.get(name) {
            Some(at) => Some(*at),
            None if self.fields.len() >= MOST_FIELDS => {
                self.wide = true;
                None
            }
            None => {
                self.index.insert(name.to_owned(), self.fields.len());
                self.fields.push(Member {
                    name: name.to_owned(),
                    ..Member::default()
                });
                Some(self.fields.len() - 1)
            }
        }
    }

    /// The fields that can be some.
    fn typed(&self, path: &str, outermost: bool, left_out: &mut Vec<LeftOut>) -> Vec<Field> {
        self.typed_beside(&[], path, outermost, left_out)
    }

    /// The fields that can be some, without those that are known.
    fn typed_beside(
        &self,
        known: &[Field],
        path: &str,
        outermost: bool,
        left_out: &mut Vec<LeftOut>,
    ) -> Vec<Field> {
        let mut fields = known.to_vec();
        for Member { name, shape, .. } in &self.fields {
            if known.iter().any(|field| field.name == *name) {
                continue;
            }
            let path = format!("{path}.{name}");
            let named = rules::check_name(name)
                .and_then(|()| rules::check_unique(&fields, name))
                .and_then(|()| {
                    if outermost {
                        rules::check_reserved(name)
                    } else {
                        Ok(())
                    }
                })
                .map_err(|problem| match problem {
                    SchemaProblem::DuplicateName { .. } => {
                        "another key differs from it only in upper and lower case".to_owned()
                    }
                    other => other.to_string(),
                })
                .and_then(|()| {
                    if name.contains(NOT_IN_COLUMNS) {
                        Err("no column can have such a name".to_owned())
                    } else {
                        Ok(())
                    }
                });
            match named.and_then(|()| shape.data_type(&path, left_out)) {
                Ok(data_type) => fields.push(Field::new(name, data_type)),
                Err(reason) => left_out.push(LeftOut { path, reason }),
            }
        }
        fields.split_off(known.len())
    }
}

/// Takes values from a text.
pub(super) struct Taker<'j> {
    text: &'j str,
    scanner: Scanner<'j>,
    depth: usize,
}

impl<'j> Taker<'j> {
    pub(super) fn new(text: &'j str, scanner: Scanner<'j>) -> Self {
        Self {
            text,
            scanner,
            depth: 0,
        }
    }

    /// The offset of the next byte to read.
    pub(super) fn position(&self) -> usize {
        self.scanner.position()
    }

    /// Takes the value that begins with `peek`.
    pub(super) fn take(&mut self, shape: &mut Shape, peek: Peek) -> Result<(), Broken> {
        let start = self.scanner.position();
        let mut seen = Shape::default();
        match peek {
            Peek::Null => {
                self.scanner.null()?;
                seen.nulls = 1;
            }
            Peek::True | Peek::False => {
                let value = self.scanner.boolean(peek)?;
                seen.booleans = Some(Seen::one(if value { "true" } else { "false" }));
            }
            Peek::String => {
                let mut tape = String::new();
                let text = self.scanner.string(&mut tape)?;
                let text = text.of(self.text, &tape);
                seen.texts = Some(Texts {
                    timestamps: parse_timestamp(text.as_bytes()).is_some(),
                    dates: parse_date(text.as_bytes()).is_some(),
                    empty: text.is_empty(),
                    seen: Seen::one(text),
                });
                self.remember(&mut seen, text);
            }
            Peek::Array => {
                let mut element = Shape::default();
                self.list(&mut element)?;
                let text = &self.text[start..self.scanner.position()];
                seen.lists = Some(Lists {
                    seen: Seen::one(text),
                    element: Box::new(element),
                });
            }
            // An object's fields are taken where they are.
            Peek::Object => return self.object(shape),
            _ => {
                let range = self.scanner.number(peek)?;
                let text = &self.text[range];
                let (whole, scale) = digits(text.as_bytes());
                seen.numbers = Some(Numbers {
                    integers: parse_integer::<i64>(text).is_some(),
                    doubles: text.parse().is_ok_and(|double: f64| double.is_finite()),
                    whole,
                    scale,
                    seen: Seen::one(text),
                });
                self.remember(&mut seen, text);
            }
        }
        shape.merge(seen);
        Ok(())
    }

    /// Only what is a field of the event itself can be a key.
    fn remember(&self, seen: &mut Shape, text: &str) {
        if self.depth == 1 {
            let mut hasher = DefaultHasher::new();
            text.hash(&mut hasher);
            seen.distinct.insert(hasher.finish());
        }
    }

    fn list(&mut self, element: &mut Shape) -> Result<(), Broken> {
        self.depth += 1;
        let mut next = self.scanner.array_first()?;
        while let Some(peek) = next {
            if self.depth > DEEPEST {
                self.too_deep(element, peek)?;
            } else {
                self.take(element, peek)?;
            }
            next = self.scanner.array_step()?;
        }
        self.depth -= 1;
        Ok(())
    }

    fn object(&mut self, shape: &mut Shape) -> Result<(), Broken> {
        self.depth += 1;
        let structs = shape.structs.get_or_insert_default();
        structs.count += 1;
        let mut given: Vec<(usize, bool)> = Vec::new();
        let mut key = self.scanner.first_key()?;
        while let Some(raw) = key {
            let name = self.name(&raw)?;
            let peek = self.scanner.peek()?;
            match structs.place_of(&name) {
                None => {
                    self.scanner.skip(peek)?;
                }
                Some(at) => {
                    let shape = &mut structs.fields[at].shape;
                    if self.depth > DEEPEST {
                        self.too_deep(shape, peek)?;
                    } else {
                        self.take(shape, peek)?;
                    }
                    given.retain(|(other, _)| *other != at);
                    given.push((at, peek != Peek::Null));
                }
            }
            key = self.scanner.next_key()?;
        }
        for (at, has_value) in given {
            structs.fields[at].present += u64::from(has_value);
        }
        self.depth -= 1;
        Ok(())
    }

    fn too_deep(&mut self, shape: &mut Shape, peek: Peek) -> Result<(), Broken> {
        self.scanner.skip(peek)?;
        shape.structs.get_or_insert_default().deep = true;
        Ok(())
    }

    fn name(&mut self, key: &RawKey<'_>) -> Result<String, Broken> {
        if key.raw.contains(&b'\\') {
            let mut tape = String::new();
            let name = unescape_key(self.text.as_bytes(), key, &mut tape)?;
            return Ok(name.of(self.text, &tape).to_owned());
        }
        Ok(self.text[key.start..key.start + key.raw.len()].to_owned())
    }
}
