//! A schema file with more fields, and everything else as it was written.
//!
//! Each new field stands behind the last one of its struct. Where that one has a line of its own, so has the
//! new one, and its comment behind it.

use super::{FieldsAt, places};
use crate::schema::SchemaError;

/// A field that a schema file gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewField {
    /// The fields that it is within, from the event on; lists are not counted.
    pub within: Vec<String>,
    /// Its declaration, like `colour STRING`; lines behind the first stand as they are.
    pub declared: String,
    /// What is told of it, on one line.
    pub comment: String,
}

/// The text of a schema file with these fields more; those of a struct that is not there are left out.
pub(in crate::schema) fn extended(
    sql: &str,
    file: &str,
    fields: &[NewField],
) -> Result<String, SchemaError> {
    let (_, places) = places(sql, file)?;
    // From the end on, so that offsets stay what they are.
    let mut insertions: Vec<(usize, String)> = Vec::new();
    for place in &places {
        let of_place: Vec<&NewField> = fields
            .iter()
            .filter(|field| field.within == place.within)
            .collect();
        if !of_place.is_empty() {
            insertions.extend(at(sql, place, &of_place));
        }
    }
    insertions.sort_by_key(|(offset, _)| std::cmp::Reverse(*offset));
    let mut text = sql.to_owned();
    for (offset, inserted) in insertions {
        text.insert_str(offset, &inserted);
    }
    Ok(text)
}

/// What is inserted behind the last field of a list, and where.
fn at(sql: &str, place: &FieldsAt, fields: &[&NewField]) -> Vec<(usize, String)> {
    let behind = &sql[place.last.end..place.close];
    let Some(newline) = behind.rfind('\n') else {
        let fields = fields.iter().map(|field| {
            let lines: Vec<&str> = field.declared.lines().map(str::trim).collect();
            format!(", {}", lines.join(" "))
        });
        return vec![(place.last.end, fields.collect())];
    };
    let line_end = if behind[..newline].ends_with('\r') {
        "\r\n"
    } else {
        "\n"
    };
    let indent = indent(sql, place.last.start);
    let last = fields.len() - 1;
    let lines = fields.iter().enumerate().map(|(index, field)| {
        let comma = if index < last { "," } else { "" };
        let declared = field.declared.replace('\n', &format!("{line_end}{indent}"));
        format!("{indent}{declared}{comma}  -- {}{line_end}", field.comment)
    });
    let lines: String = lines.collect();
    // A comment of several lines may stand before the closing symbol.
    let (offset, lines) = if behind[newline..].trim().is_empty() {
        (place.last.end + newline + 1, lines)
    } else {
        (place.close, format!("{line_end}{lines}"))
    };
    vec![(place.last.end, ",".to_owned()), (offset, lines)]
}

/// The white space that the line of a field begins with.
fn indent(sql: &str, field: usize) -> &str {
    let line = sql[..field].rfind('\n').map_or(0, |newline| newline + 1);
    let before = &sql[line..field];
    let end = before.find(|c: char| !c.is_whitespace());
    &before[..end.unwrap_or(before.len())]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::EventSchema;

    fn field(within: &[&str], declared: &str) -> NewField {
        NewField {
            within: within.iter().map(|name| (*name).to_owned()).collect(),
            declared: declared.to_owned(),
            comment: "seen".to_owned(),
        }
    }

    fn extend(sql: &str, fields: &[NewField]) -> String {
        let text = extended(sql, "schema.sql", fields).unwrap();
        EventSchema::parse(&text, "schema.sql").unwrap();
        text
    }

    #[test]
    fn fields_on_lines_of_their_own_get_lines_of_their_own() {
        let sql = "\u{FEFF}-- head, with )\nCREATE TABLE t (\n  id STRING NOT NULL, -- the id\n  items ARRAY<STRUCT<\n    a: STRING, -- a\n    b: INT  -- b\n  >>  COMMENT 'it''s, ) here'  -- items\n  -- the end\n);\n-- foot\n";
        let text = extend(
            sql,
            &[
                field(&[], "canal STRING"),
                field(&["items"], "cor: STRING"),
                field(&["items"], "t: STRUCT<\n  x: INT\n>"),
                field(&["nowhere"], "lost: STRING"),
            ],
        );
        let shown = text.trim_start_matches('\u{FEFF}');
        assert_ne!(shown, text);
        insta::assert_snapshot!(shown, @r"
        -- head, with )
        CREATE TABLE t (
          id STRING NOT NULL, -- the id
          items ARRAY<STRUCT<
            a: STRING, -- a
            b: INT,  -- b
            cor: STRING,  -- seen
            t: STRUCT<
              x: INT
            >  -- seen
          >>  COMMENT 'it''s, ) here',  -- items
          -- the end
          canal STRING  -- seen
        );
        -- foot
        ");
        let parsed = EventSchema::parse(&text, "schema.sql").unwrap();
        assert_eq!(parsed.fields().len(), 3);
    }

    #[test]
    fn fields_on_one_line_stay_on_it() {
        let sql = "CREATE TABLE t (id STRING, o STRUCT<a: ARRAY<STRUCT<b: INT>>>)";
        assert_eq!(
            extend(
                sql,
                &[
                    field(&["o", "a"], "c: DATE"),
                    field(&["o"], "d: INT"),
                    field(&[], "e INT")
                ]
            ),
            "CREATE TABLE t (id STRING, o STRUCT<a: ARRAY<STRUCT<b: INT, c: DATE>>, d: INT>, e INT)"
        );
    }

    #[test]
    fn line_ends_and_comments_of_several_lines_stay() {
        let sql = "CREATE TABLE t (\r\n\tid STRING\r\n)";
        assert_eq!(
            extend(sql, &[field(&[], "e INT"), field(&[], "f INT")]),
            "CREATE TABLE t (\r\n\tid STRING,\r\n\te INT,  -- seen\r\n\tf INT  -- seen\r\n)"
        );
        let sql = "CREATE TABLE t (\n  id STRING /* the\n  end */ )";
        assert_eq!(
            extend(sql, &[field(&[], "e INT")]),
            "CREATE TABLE t (\n  id STRING, /* the\n  end */ \n  e INT  -- seen\n)"
        );
    }
}
