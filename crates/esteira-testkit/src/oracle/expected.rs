//! What goes into the oracle and what comes out of it, and its form as one JSON document.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// An object of the bucket: one version of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputObject {
    /// Full key in the bucket, for instance `input/x.json`.
    pub key: String,
    /// When this content was written, in microseconds since 1970-01-01T00:00:00Z.
    pub modified_micros: i64,
    /// The content as it came, compressed or not.
    pub bytes: Vec<u8>,
}

/// A row in canonical form, column name to value.
///
/// Texts are strings; decimals strings with exactly two digits after the point (`"25.00"`); BIGINT
/// JSON integers; timestamps UTC strings with exactly six digits after the point and `Z`; lists
/// arrays of objects with every field of the schema, null where missing; binary lowercase
/// hexadecimal strings.
pub type Row = BTreeMap<String, Value>;

/// An entry that could not become an event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct QuarantineRow {
    /// Full key of the object it came in.
    pub source_file: String,
    /// Its place among the object's entries, good and bad, from 0.
    pub position: i64,
    /// The reason's code, for instance `wrong_type`.
    pub reason: String,
    /// Its bytes: the whole object as it came when it is the object's only entry, otherwise its
    /// part of the text without white space at the end.
    pub original: Vec<u8>,
}

/// What the tables and the quarantine must hold. All rows are in canonical order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Expected {
    /// One row per order.
    pub orders: Vec<Row>,
    /// One row per item line of each order's winning event.
    pub products: Vec<Row>,
    /// One row per seller.
    pub sellers: Vec<Row>,
    /// One row per order, with its winning event's list, null and empty ones too.
    pub shipments: Vec<Row>,
    /// What did not become an event.
    pub quarantine: Vec<QuarantineRow>,
    /// Good events, those that lost for their order among them.
    pub events: u64,
    /// Good events and quarantined entries together.
    pub entries: u64,
}

impl Expected {
    /// The rows of the table `name`: `orders`, `products`, `sellers` or `shipments`.
    pub fn table(&self, name: &str) -> Option<&[Row]> {
        match name {
            "orders" => Some(&self.orders),
            "products" => Some(&self.products),
            "sellers" => Some(&self.sellers),
            "shipments" => Some(&self.shipments),
            _ => None,
        }
    }

    /// The whole as one JSON document; `original` in the quarantine is lowercase hexadecimal.
    pub fn to_json(&self) -> Value {
        let quarantine: Vec<Row> = self.quarantine.iter().map(QuarantineRow::to_row).collect();
        json!({
            "orders": self.orders,
            "products": self.products,
            "sellers": self.sellers,
            "shipments": self.shipments,
            "quarantine": quarantine,
            "events": self.events,
            "entries": self.entries,
        })
    }
}

impl QuarantineRow {
    /// The entry as a canonical row with the columns `source_file`, `position`, `reason` and
    /// `original`.
    pub fn to_row(&self) -> Row {
        Row::from([
            ("source_file".to_owned(), json!(self.source_file)),
            ("position".to_owned(), json!(self.position)),
            ("reason".to_owned(), json!(self.reason)),
            ("original".to_owned(), json!(hexadecimal(&self.original))),
        ])
    }
}

/// `bytes` as lowercase hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}
