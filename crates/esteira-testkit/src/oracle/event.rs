//! What one JSON object means: its text in, the event or the reason why it is none out.
//!
//! The schema is the marketplace's, written down here once more. The invariant: of a key given
//! twice the last value alone is looked at, and of several errors the first in the text counts.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{json, scalar};

/// A good event.
#[derive(Debug)]
pub(super) struct Event {
    /// Its fields, all of the schema's in the schema's order; timestamps in microseconds.
    pub(super) fields: Map<String, Value>,
    /// What the schema does not name, as JSON text.
    pub(super) rescued: Option<String>,
}

impl Event {
    /// Reads a complete JSON value.
    pub(super) fn read(text: &str) -> Result<Self, &'static str> {
        if !text.starts_with('{') {
            return Err("not_an_object");
        }
        let (fields, rescued) = record(text, EVENT)?;
        Ok(Self { fields, rescued })
    }

    /// The last update, in microseconds.
    pub(super) fn instant(&self) -> i64 {
        self.fields["dat_atui"].as_i64().unwrap_or_default()
    }

    /// The order's id.
    pub(super) fn order(&self) -> &str {
        self.fields["txt_detl_idt_pedi_pgto"]
            .as_str()
            .unwrap_or_default()
    }

    /// The item lines; none for a null list as for an empty one.
    pub(super) fn items(&self) -> &[Value] {
        self.fields["list_item_pedi"]
            .as_array()
            .map_or(&[], Vec::as_slice)
    }
}

/// Rescued data in a form that compares by structure: parsed, keys sorted. Where it cannot be
/// parsed (nested too deep, a number no float holds) it is its own text.
pub fn rescued_value(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(value) => sorted(value),
        Err(_) => Value::String(text.to_owned()),
    }
}

enum Kind {
    Text,
    Instant,
    Money,
    Count,
    List(&'static [Field]),
}

struct Field {
    name: &'static str,
    kind: Kind,
    required: bool,
}

const fn field(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        required: false,
    }
}

const fn required(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        required: true,
    }
}

const EVENT: &[Field] = &[
    required("txt_detl_idt_pedi_pgto", Kind::Text),
    field("cod_idef_clie", Kind::Text),
    field("dat_hor_tran", Kind::Instant),
    field("stat_pgto", Kind::Text),
    field("stat_pedi", Kind::Text),
    required("dat_atui", Kind::Instant),
    field("list_item_pedi", Kind::List(ITEM)),
    field("list_envo", Kind::List(SHIPMENT)),
];

const ITEM: &[Field] = &[
    field("nom_item", Kind::Text),
    field("cod_ofrt_ineo_requ", Kind::Text),
    field("vlr_oril", Kind::Money),
    field("vlr_prod", Kind::Money),
    field("vlr_prod_ofrt_desc", Kind::Money),
    field("qtd_item_pedi", Kind::Count),
    field("idt_venr", Kind::Text),
    field("nom_venr", Kind::Text),
    field("idt_vrne_venr", Kind::Text),
    field("cod_vrne_prod", Kind::Text),
];

const SHIPMENT: &[Field] = &[
    field("cod_tipo_entg", Kind::Text),
    field("cod_venr", Kind::Text),
    field("nom_stat_entg", Kind::Text),
    field("dat_emis_cpvt", Kind::Text),
    field("list_item_envo", Kind::List(SHIPPED_ITEM)),
];

const SHIPPED_ITEM: &[Field] = &[
    field("cod_prod", Kind::Text),
    field("cod_prod_venr", Kind::Text),
    field("stat_entg", Kind::Text),
    field("qtd_prod", Kind::Count),
];

/// A value as the schema sees it, and what the schema does not name in it.
type Read<T> = Result<(T, Option<String>), &'static str>;

fn record(object: &str, schema: &[Field]) -> Read<Map<String, Value>> {
    let members = json::members(object);
    let last: HashMap<&str, usize> = members
        .iter()
        .enumerate()
        .map(|(at, (key, _))| (key.as_str(), at))
        .collect();
    let mut known: HashMap<&str, Value> = HashMap::new();
    let mut unknown: HashMap<&str, String> = HashMap::new();
    for (at, (key, text)) in members.iter().enumerate() {
        if last[key.as_str()] != at {
            continue;
        }
        let Some(field) = schema.iter().find(|field| field.name == key.as_str()) else {
            unknown.insert(key, (*text).to_owned());
            continue;
        };
        let (value, rescued) = value(text, field)?;
        known.insert(key, value);
        if let Some(rescued) = rescued {
            unknown.insert(key, rescued);
        }
    }
    let mut fields = Map::new();
    for field in schema {
        let value = known.remove(field.name);
        if value.is_none() && field.required {
            return Err("missing_required");
        }
        fields.insert(field.name.to_owned(), value.unwrap_or(Value::Null));
    }
    // In the order in which the keys first appear; each is there once because it is taken out.
    let rescued: Vec<String> = members
        .iter()
        .filter_map(|(key, _)| Some((key, unknown.remove(key.as_str())?)))
        .map(|(key, text)| format!("{}:{text}", json!(key)))
        .collect();
    let rescued = (!rescued.is_empty()).then(|| format!("{{{}}}", rescued.join(",")));
    Ok((fields, rescued))
}

fn value(text: &str, field: &Field) -> Read<Value> {
    if text == "null" {
        return if field.required {
            Err("missing_required")
        } else {
            Ok((Value::Null, None))
        };
    }
    let number = text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    let value = match &field.kind {
        Kind::Text => {
            let text = json::string(text).ok_or("wrong_type")?;
            if text.is_empty() && field.required {
                return Err("empty_value");
            }
            Value::String(text)
        }
        Kind::Instant => {
            let text = json::string(text).ok_or("wrong_type")?;
            json!(scalar::instant(&text).ok_or("invalid_timestamp")?)
        }
        Kind::Money if number => json!(scalar::money(text).ok_or("invalid_decimal")?),
        Kind::Count if number => json!(scalar::integer(text).ok_or("invalid_integer")?),
        Kind::List(schema) if text.starts_with('[') => return list(text, schema),
        _ => return Err("wrong_type"),
    };
    Ok((value, None))
}

fn list(array: &str, schema: &[Field]) -> Read<Value> {
    let mut values = Vec::new();
    let mut rescued = Vec::new();
    for element in json::elements(array) {
        if !element.starts_with('{') {
            return Err("wrong_type");
        }
        let (fields, unknown) = record(element, schema)?;
        values.push(Value::Object(fields));
        rescued.push(unknown);
    }
    let rescued = rescued.iter().any(Option::is_some).then(|| {
        let elements: Vec<&str> = rescued
            .iter()
            .map(|unknown| unknown.as_deref().unwrap_or("{}"))
            .collect();
        format!("[{}]", elements.join(","))
    });
    Ok((Value::Array(values), rescued))
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<(String, Value)> = members.into_iter().collect();
            members.sort_by(|one, other| one.0.cmp(&other.0));
            members
                .into_iter()
                .map(|(key, value)| (key, sorted(value)))
                .collect()
        }
        Value::Array(elements) => elements.into_iter().map(sorted).collect(),
        scalar => scalar,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Event;

    fn read(members: &str) -> Result<Event, &'static str> {
        Event::read(&format!(
            r#"{{"txt_detl_idt_pedi_pgto":"a","dat_atui":"1970-01-01T00:00:00.000001Z"{members}}}"#
        ))
    }

    #[test]
    fn read_smallest_event_has_every_field() {
        let event = read("").unwrap();
        assert_eq!((event.order(), event.instant()), ("a", 1));
        assert_eq!(event.fields.len(), 8);
        assert_eq!(event.fields["list_envo"], json!(null));
        assert_eq!(event.rescued, None);
    }

    #[test]
    fn read_first_error_in_the_text_counts() {
        let bad = |text| Event::read(text).unwrap_err();
        assert_eq!(
            bad(r#"{"dat_atui":"x","txt_detl_idt_pedi_pgto":""}"#),
            "invalid_timestamp"
        );
        assert_eq!(
            bad(r#"{"txt_detl_idt_pedi_pgto":"","dat_atui":"x"}"#),
            "empty_value"
        );
        assert_eq!(bad(r#"{"dat_atui":5}"#), "wrong_type");
        assert_eq!(bad(r#"{"dat_atui":null}"#), "missing_required");
        assert_eq!(bad("[]"), "not_an_object");
    }

    #[test]
    fn read_repeated_key_last_value_alone_counts() {
        let event = read(r#","stat_pgto":1,"stat_pgto":"b","x":1,"y":0,"x":[2 ]"#).unwrap();
        assert_eq!(event.fields["stat_pgto"], "b");
        assert_eq!(event.rescued.as_deref(), Some(r#"{"x":[2 ],"y":0}"#));
        assert_eq!(
            read(r#","stat_pgto":"b","stat_pgto":1"#).unwrap_err(),
            "wrong_type"
        );
        assert_eq!(
            read(
                r#","list_item_pedi":[null],"list_item_pedi":[{"x":1,"vlr_prod":"","vlr_prod":1}]"#
            )
            .unwrap()
            .rescued
            .as_deref(),
            Some(r#"{"list_item_pedi":[{"x":1}]}"#)
        );
    }

    #[test]
    fn read_unknown_fields_mirror_the_structure() {
        let event = read(
            r#","list_envo":[{"list_item_envo":[{},{"\u0061\"":1.10}]}],"list_item_pedi":[{"f":8.34},{}]"#,
        )
        .unwrap();
        assert_eq!(
            event.rescued.as_deref(),
            Some(
                r#"{"list_envo":[{"list_item_envo":[{},{"a\"":1.10}]}],"list_item_pedi":[{"f":8.34},{}]}"#
            )
        );
    }
}
