//! The fingerprint of a pipeline: another one says that rows may be made in another way.
//!
//! Comes in: a pipeline that was read. Goes out: 16 hexadecimal digits. Of a folder it is over its files. Of
//! a process in Rust it is over what makes rows, as far as that can be seen: schema, version, tables, keys,
//! SQL, the plans of models that are functions, conditions, the names and signatures of functions. What a
//! function does cannot be seen; that is what a revision is for.

use super::reader::{Reader, Written};
use super::{Condition, Pipeline, TableRules};

/// The fingerprint of what was read; `schema_is_submitted` when it is not the process's own.
pub(super) fn of(
    mut reader: Reader<'_>,
    pipeline: &Pipeline,
    schema_is_submitted: bool,
    revision: &str,
) -> String {
    let is_rust = matches!(reader.written(), Written::Rust(_));
    if is_rust || schema_is_submitted {
        for field in pipeline.schema.fields() {
            reader.remember(&format!("{field:?}"));
        }
    }
    if is_rust {
        reader.remember(&pipeline.version);
        for table in &pipeline.tables {
            remember_table(&mut reader, table);
        }
    }
    for signature in pipeline.functions.signatures() {
        reader.remember(&signature);
    }
    if !revision.is_empty() {
        reader.remember(revision);
    }
    reader.fingerprint()
}

fn remember_table(reader: &mut Reader<'_>, table: &TableRules) {
    let delete_when = table.delete_when.as_ref().map(Condition::text);
    reader.remember(&table.name);
    reader.remember(&format!("{:?} {:?}", table.kind, table.key));
    reader.remember(&table.model.text());
    reader.remember(delete_when.unwrap_or_default());
    for rule in &table.rules {
        let parts = [&rule.name, &rule.condition, rule.action.as_str()];
        reader.remember(&format!("{parts:?}"));
    }
}
