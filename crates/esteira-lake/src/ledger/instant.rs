//! Instants in the ledger's files: RFC 3339, UTC, six digits of a second, so that people can read them.

use chrono::{DateTime, SecondsFormat};
use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

/// Microseconds since 1970-01-01T00:00:00Z as RFC 3339.
pub(super) fn to_text(micros: i64) -> Option<String> {
    DateTime::from_timestamp_micros(micros)
        .map(|instant| instant.to_rfc3339_opts(SecondsFormat::Micros, true))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
pub(super) fn serialize<S: Serializer>(micros: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    match to_text(*micros) {
        Some(text) => serializer.serialize_str(&text),
        None => serializer.serialize_i64(*micros),
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(String),
        Micros(i64),
    }
    match Written::deserialize(deserializer)? {
        Written::Micros(micros) => Ok(micros),
        Written::Text(text) => DateTime::parse_from_rfc3339(&text)
            .map(|instant| instant.timestamp_micros())
            .map_err(D::Error::custom),
    }
}
