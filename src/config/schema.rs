//! The descriptions of [`super::tables`] as JSON Schema (2020-12), for editors.
//!
//! An editor that knows the schema completes keys and words, shows what they mean, and underlines
//! a slip while it is typed. It is the same description that the reader refuses by, so the two
//! agree; but a schema knows shapes only. What keys mean together, and what texts say, is left to
//! `rota check`: whatever that takes, the schema takes, and not the other way round.
//!
//! Only words that older drafts mean alike are used, and a `$ref` stands alone in its object:
//! editors follow different drafts.

use serde_json::{Map, Value, json};
use toml::de::DeValue;

use super::keys::{Fallback, Key, Kind, Takes};
use super::tables::KINDS;
use super::value::number;

/// Durations as `humantime` reads them: numbers, each with its unit, or nothing at all.
const DURATION: &str = r"^(0|(\s*[0-9]+(\.[0-9]+)?\s*[A-Za-zµ]+)+\s*)$";

/// The schema of a file that is one table of this kind.
pub fn schema(root: &Kind) -> Value {
    let mut schema = table(root);
    let mut defs = Map::new();
    let mut queue: Vec<&Kind> = tables_in(root);
    while let Some(kind) = queue.pop() {
        if !defs.contains_key(&kind.slug()) {
            defs.insert(kind.slug(), table(kind));
            queue.extend(tables_in(kind));
        }
    }
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!(root.header);
    schema["$defs"] = Value::Object(defs);
    schema
}

/// The kinds of tables that one may hold.
fn tables_in(kind: &Kind) -> Vec<&'static Kind> {
    fn of(takes: &Takes) -> Vec<&'static Kind> {
        match takes {
            Takes::Table(kind) | Takes::Named(kind) => vec![kind],
            Takes::List(inner) | Takes::Map(inner) => of(inner),
            Takes::Either(all) => all.iter().flat_map(of).collect(),
            Takes::Text(_)
            | Takes::Number { .. }
            | Takes::Flag
            | Takes::Share
            | Takes::Duration { .. }
            | Takes::Words { .. } => Vec::new(),
        }
    }
    kind.keys.iter().flat_map(|key| of(&key.takes)).collect()
}

fn table(kind: &Kind) -> Value {
    let properties: Map<String, Value> =
        kind.keys.iter().map(|key| (key.name.to_owned(), property(key))).collect();
    let required: Vec<&str> = kind
        .keys
        .iter()
        .filter(|key| key.default == Fallback::Required)
        .map(|key| key.name)
        .collect();
    let mut table =
        json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !required.is_empty() {
        table["required"] = json!(required);
    }
    table
}

/// One key.
fn property(key: &Key) -> Value {
    let mut property = value(&key.takes);
    if property.get("$ref").is_some() {
        property = json!({ "allOf": [property] });
    }
    property["description"] = json!(match key.default {
        Fallback::Rule(rule) => format!("{}. Default: {rule}", key.doc),
        Fallback::Value(_) | Fallback::Required => key.doc.to_owned(),
    });
    if let Fallback::Value(text) = key.default {
        let default = DeValue::parse(text).ok().and_then(|value| json(value.get_ref()));
        property["default"] = default.expect("a test reads every default");
    }
    property
}

fn value(takes: &Takes) -> Value {
    match takes {
        Takes::Text(what) => json!({ "type": "string", "title": what }),
        Takes::Number { min, max } => {
            json!({ "type": "integer", "minimum": min, "maximum": max })
        }
        Takes::Flag => json!({ "type": "boolean" }),
        Takes::Share => {
            json!({ "type": "number", "minimum": 0, "maximum": 1, "multipleOf": 0.001 })
        }
        Takes::Duration { .. } => {
            json!({ "type": "string", "title": takes.words(), "pattern": DURATION })
        }
        Takes::Words { words, other } => {
            let words = json!({ "enum": words });
            match other {
                Some(what) => json!({ "anyOf": [words, { "type": "string", "title": what }] }),
                None => words,
            }
        }
        Takes::List(inner) => json!({ "type": "array", "items": value(inner) }),
        Takes::Table(kind) => reference(kind),
        Takes::Named(kind) => json!({ "type": "object", "additionalProperties": reference(kind) }),
        Takes::Map(inner) => json!({ "type": "object", "additionalProperties": value(inner) }),
        Takes::Either(all) => json!({ "anyOf": all.iter().map(value).collect::<Vec<_>>() }),
    }
}

fn reference(kind: &Kind) -> Value {
    debug_assert!(KINDS.iter().any(|known| known.slug() == kind.slug()), "{}", kind.noun);
    json!({ "$ref": format!("#/$defs/{}", kind.slug()) })
}

/// A default in JSON; none where JSON has no such value.
fn json(value: &DeValue<'_>) -> Option<Value> {
    match value {
        DeValue::String(text) => Some(json!(text)),
        DeValue::Integer(_) => number(value).map(|number| json!(number)),
        DeValue::Boolean(flag) => Some(json!(flag)),
        DeValue::Array(all) => all.iter().map(|one| json(one.get_ref())).collect(),
        DeValue::Float(number) => number.as_str().parse::<f64>().ok().map(|number| json!(number)),
        DeValue::Datetime(_) | DeValue::Table(_) => None,
    }
}
