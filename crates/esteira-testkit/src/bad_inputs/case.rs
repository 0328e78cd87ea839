//! Cases read from their files.
//!
//! A file is an array of objects with these members:
//! - `name`: unique, for messages
//! - `content`: see [`Content`]
//! - `key` (optional): the object's name below `input/`, itself a content; made from the number of
//!   the case otherwise
//! - `good` (optional): `[order id, position]` of every good event, by position
//! - `quarantine` (optional): `[position, reason]` of every quarantined entry, by position; `a|b`
//!   where the contract leaves the reason open
//! - `originals` (optional): the content of each quarantined entry, where the whole object is not
//!   what is kept
//! - `tables` (optional): table name to rows, each with the columns that matter, in canonical form
//! - `limit` (optional): how many unpacked bytes are accepted

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;

use serde_json::Value;

use super::content::Content;
use crate::oracle::{DEFAULT_LIMIT, InputObject, Row};

/// One bad (or barely good) input.
#[derive(Debug, Clone)]
pub struct BadInput {
    /// What is odd about it.
    pub name: String,
    /// Full key in the bucket, `input/…`.
    pub key: String,
    /// What the object holds.
    pub content: Content,
    /// Order id and position of every good event.
    pub good: Vec<(String, i64)>,
    /// Position and accepted reasons of every quarantined entry.
    pub quarantine: Vec<(i64, Vec<String>)>,
    /// The bytes kept of every quarantined entry.
    pub originals: Vec<Content>,
    /// Rows that the tables must hold, with the columns that matter.
    pub tables: BTreeMap<String, Vec<Row>>,
    /// Accepted unpacked bytes.
    pub limit: u64,
}

impl BadInput {
    /// The object, written at `modified_micros`.
    pub fn object(&self, modified_micros: i64) -> InputObject {
        InputObject {
            key: self.key.clone(),
            modified_micros,
            bytes: self.content.bytes(),
        }
    }

    /// Whether the case needs another limit of unpacked bytes than the default.
    pub fn has_own_limit(&self) -> bool {
        self.limit != DEFAULT_LIMIT
    }
}

/// A case that is not written as it must be.
#[derive(Debug)]
#[non_exhaustive]
pub enum BadInputError {
    /// The file is no JSON array.
    File(&'static str, serde_json::Error),
    /// A member of a case is missing or of a wrong form.
    Member {
        /// The file.
        file: &'static str,
        /// The case's number in it, from 0.
        case: usize,
        /// The member.
        member: &'static str,
    },
}

impl fmt::Display for BadInputError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file, _) => write!(out, "`{file}` is not an array of cases"),
            Self::Member { file, case, member } => {
                write!(
                    out,
                    "`{file}`: `{member}` of case {case} is missing or malformed"
                )
            }
        }
    }
}

impl Error for BadInputError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::File(_, problem) => Some(problem),
            Self::Member { .. } => None,
        }
    }
}

const FILES: [(&str, &str); 8] = [
    (
        "structure.json",
        include_str!("../../bad_inputs/structure.json"),
    ),
    (
        "sequences.json",
        include_str!("../../bad_inputs/sequences.json"),
    ),
    ("types.json", include_str!("../../bad_inputs/types.json")),
    (
        "numbers.json",
        include_str!("../../bad_inputs/numbers.json"),
    ),
    (
        "timestamps.json",
        include_str!("../../bad_inputs/timestamps.json"),
    ),
    ("texts.json", include_str!("../../bad_inputs/texts.json")),
    (
        "compression.json",
        include_str!("../../bad_inputs/compression.json"),
    ),
    ("keys.json", include_str!("../../bad_inputs/keys.json")),
];

/// All cases.
///
/// # Errors
/// A file or a case in it is malformed.
pub fn bad_inputs() -> Result<Vec<BadInput>, BadInputError> {
    let mut cases = Vec::new();
    for (file, text) in FILES {
        let values: Vec<Value> =
            serde_json::from_str(text).map_err(|problem| BadInputError::File(file, problem))?;
        for (number, value) in values.iter().enumerate() {
            let read = read(value, cases.len());
            cases.push(read.map_err(|member| BadInputError::Member {
                file,
                case: number,
                member,
            })?);
        }
    }
    Ok(cases)
}

/// The case, or the member that is wrong.
fn read(case: &Value, number: usize) -> Result<BadInput, &'static str> {
    const MEMBERS: [&str; 8] = [
        "name",
        "content",
        "key",
        "good",
        "quarantine",
        "originals",
        "tables",
        "limit",
    ];
    let members = case.as_object().ok_or("name")?;
    if members
        .keys()
        .any(|member| !MEMBERS.contains(&member.as_str()))
    {
        return Err("unknown member");
    }
    let name = case["name"].as_str().ok_or("name")?.to_owned();
    let key = match members.get("key") {
        Some(key) => Content::read(key).and_then(|key| String::from_utf8(key.bytes()).ok()),
        None => Some(format!("bad-{number:03}.json")),
    };
    let list = |member| {
        members.get(member).map_or(Some([].as_slice()), |list| {
            list.as_array().map(Vec::as_slice)
        })
    };
    let all = |member| list(member).ok_or(member);
    Ok(BadInput {
        name,
        key: format!("input/{}", key.ok_or("key")?),
        content: Content::read(&case["content"]).ok_or("content")?,
        good: all("good")?
            .iter()
            .map(good)
            .collect::<Option<_>>()
            .ok_or("good")?,
        quarantine: all("quarantine")?
            .iter()
            .map(quarantined)
            .collect::<Option<_>>()
            .ok_or("quarantine")?,
        originals: all("originals")?
            .iter()
            .map(Content::read)
            .collect::<Option<_>>()
            .ok_or("originals")?,
        tables: members
            .get("tables")
            .map_or(Some(BTreeMap::new()), tables)
            .ok_or("tables")?,
        limit: members
            .get("limit")
            .map_or(Some(DEFAULT_LIMIT), Value::as_u64)
            .ok_or("limit")?,
    })
}

fn good(entry: &Value) -> Option<(String, i64)> {
    Some((entry[0].as_str()?.to_owned(), entry[1].as_i64()?))
}

fn quarantined(entry: &Value) -> Option<(i64, Vec<String>)> {
    let reasons = entry[1].as_str()?.split('|').map(str::to_owned).collect();
    Some((entry[0].as_i64()?, reasons))
}

fn tables(tables: &Value) -> Option<BTreeMap<String, Vec<Row>>> {
    let rows = |rows: &Value| rows.as_array()?.iter().map(row).collect::<Option<Vec<_>>>();
    tables
        .as_object()?
        .iter()
        .map(|(name, table)| Some((name.clone(), rows(table)?)))
        .collect()
}

fn row(row: &Value) -> Option<Row> {
    Some(
        row.as_object()?
            .iter()
            .map(|(column, value)| (column.clone(), value.clone()))
            .collect(),
    )
}
