//! Winners: good events in, the rows of the four tables out.
//!
//! The invariant: the greatest version wins, by its instant, then its object's key byte by byte,
//! then the time the object was written, then its position. The order of the objects is never
//! looked at.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::event::{Event, rescued_value};
use super::expected::{Expected, InputObject, QuarantineRow, Row};
use super::scalar::instant_text;
use super::split::{Entry, split};
use super::unpack::unpack;
use crate::rows::sort_rows;

/// How many unpacked bytes of a compressed object are accepted unless told otherwise.
pub const DEFAULT_LIMIT: u64 = 1 << 30;

/// What the tables and the quarantine must hold once `objects` are ingested.
///
/// The same content under the same key counts once, whenever it was written; other content under
/// the same key is another object.
pub fn expected(objects: &[InputObject]) -> Expected {
    expected_within(objects, DEFAULT_LIMIT)
}

/// As [`expected`], with at most `limit` unpacked bytes in a compressed object.
pub fn expected_within(objects: &[InputObject], limit: u64) -> Expected {
    let mut distinct: BTreeMap<(&str, &[u8]), &InputObject> = BTreeMap::new();
    for object in objects {
        let first = distinct
            .entry((&object.key, &object.bytes))
            .or_insert(object);
        if object.modified_micros < first.modified_micros {
            *first = object;
        }
    }
    let mut told = Told::default();
    for object in distinct.into_values() {
        told.read(object, limit);
    }
    told.into_expected()
}

/// (`dat_atui`, key, written, position): the order of the fields is the order of comparison.
type Version<'a> = (i64, &'a str, i64, i64);

/// What the objects told.
#[derive(Default)]
struct Told<'a> {
    events: Vec<(Version<'a>, Event)>,
    quarantine: Vec<QuarantineRow>,
}

impl<'a> Told<'a> {
    fn read(&mut self, object: &'a InputObject, limit: u64) {
        let text = match unpack(&object.bytes, limit) {
            Ok(text) => text,
            Err(reason) => return self.reject(object, 0, reason, &object.bytes),
        };
        let entries = split(&text);
        if entries.is_empty() {
            return self.reject(object, 0, "no_events", &object.bytes);
        }
        let alone = entries.len() == 1;
        for (position, entry) in (0i64..).zip(entries) {
            let (reason, part) = match entry {
                Entry::Broken(reason, part) => (reason, part),
                Entry::Value(value) => match Event::read(value) {
                    Ok(event) => {
                        let version = (
                            event.instant(),
                            &*object.key,
                            object.modified_micros,
                            position,
                        );
                        self.events.push((version, event));
                        continue;
                    }
                    Err(reason) => (reason, value.as_bytes()),
                },
            };
            let whole = alone || part.is_empty();
            self.reject(
                object,
                position,
                reason,
                if whole { &object.bytes } else { part },
            );
        }
    }

    fn reject(&mut self, object: &InputObject, position: i64, reason: &str, original: &[u8]) {
        self.quarantine.push(QuarantineRow {
            source_file: object.key.clone(),
            position,
            reason: reason.to_owned(),
            original: original.to_vec(),
        });
    }

    fn into_expected(mut self) -> Expected {
        let mut expected = Expected {
            events: count(self.events.len()),
            entries: count(self.events.len() + self.quarantine.len()),
            ..Expected::default()
        };
        self.quarantine.sort();
        expected.quarantine = self.quarantine;

        // Later versions overwrite earlier ones.
        self.events.sort_by_key(|(version, _)| *version);
        let mut winners = BTreeMap::new();
        let mut sellers = BTreeMap::new();
        for (version, event) in &self.events {
            winners.insert(event.order(), (version, event));
            for item in event.items() {
                if let Some(seller) = item["idt_venr"].as_str().filter(|id| !id.is_empty()) {
                    sellers.insert(seller, (version, event, item));
                }
            }
        }
        for (version, event) in winners.into_values() {
            expected.orders.push(order(event, version));
            expected.products.extend(
                event
                    .items()
                    .iter()
                    .map(|item| product(event, item, version)),
            );
            expected.shipments.push(shipment(event, version));
        }
        for (version, event, item) in sellers.into_values() {
            expected.sellers.push(seller(event, item, version));
        }
        for rows in [
            &mut expected.orders,
            &mut expected.products,
            &mut expected.sellers,
            &mut expected.shipments,
        ] {
            sort_rows(rows);
        }
        expected
    }
}

fn order(event: &Event, version: &Version<'_>) -> Row {
    let mut row = keyed(event, version);
    for name in ["cod_idef_clie", "stat_pgto", "stat_pedi"] {
        row.insert(name.to_owned(), event.fields[name].clone());
    }
    let created = event.fields["dat_hor_tran"].as_i64().map(instant_text);
    row.insert("dat_hor_tran".to_owned(), json!(created));
    let rescued = event.rescued.as_deref().map(rescued_value);
    row.insert("_rescued_data".to_owned(), json!(rescued));
    row
}

fn product(event: &Event, item: &Value, version: &Version<'_>) -> Row {
    let mut row = keyed(event, version);
    let columns = item.as_object().into_iter().flatten();
    row.extend(columns.map(|(name, value)| (name.clone(), value.clone())));
    row
}

/// One row an order, whatever its list is: null stays null and empty stays empty.
fn shipment(event: &Event, version: &Version<'_>) -> Row {
    let mut row = keyed(event, version);
    row.insert("list_envo".to_owned(), event.fields["list_envo"].clone());
    row
}

fn seller(event: &Event, item: &Value, version: &Version<'_>) -> Row {
    let mut row = keyed(event, version);
    row.remove("txt_detl_idt_pedi_pgto");
    for name in ["idt_venr", "nom_venr"] {
        row.insert(name.to_owned(), item[name].clone());
    }
    row
}

/// The columns that the tables share: the order's id, the last update and the lineage.
fn keyed(event: &Event, (_, key, modified, position): &Version<'_>) -> Row {
    Row::from([
        ("txt_detl_idt_pedi_pgto".to_owned(), json!(event.order())),
        ("dat_atui".to_owned(), json!(instant_text(event.instant()))),
        ("_source_file".to_owned(), json!(key)),
        (
            "_source_modified".to_owned(),
            json!(instant_text(*modified)),
        ),
        ("_source_position".to_owned(), json!(position)),
    ])
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
