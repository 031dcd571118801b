//! The `body` of an HTTP check: what the answer must say.

use std::ops::Range;

use serde_json::Value as Json;
use toml::de::{DeTable, DeValue};

use crate::config::reader::Reader;
use crate::config::tables::BODY;
use crate::config::value::{Value, integer};
use crate::health::{BodyTest, Pattern};

/// Reads a `body`; none where there were errors.
pub(super) fn read(
    table: &DeTable<'_>,
    span: Range<usize>,
    reader: &mut Reader<'_>,
) -> Option<BodyTest> {
    let fields = reader.fields(&BODY, table, span);
    if fields.written("is") && !fields.written("json") {
        let help = "write where to look: { json = \"/status\", is = … }";
        reader.refuse(fields.key_span("is"), "`is` goes with `json`", help);
    }
    let tests = ["contains", "matches", "json"];
    let written: Vec<&str> = tests.into_iter().filter(|test| fields.written(test)).collect();
    let test = match written[..] {
        [test] => test,
        [] => {
            // Where `is` stands alone, that has been said.
            if !fields.written("is") {
                let help = "write contains = \"…\", matches = \"…\", or json = \"/…\" with is = …";
                reader.refuse(fields.span.clone(), "the body may say anything", help);
            }
            return None;
        }
        [first, second, ..] => {
            let message = format!("`{first}` and `{second}` of one body");
            let help = "keep one; two checks, both named in `check`, ask for both";
            reader.refuse(fields.key_span(second), message, help);
            return None;
        }
    };
    let text = reader.text(fields.value(test)?)?;
    match test {
        "contains" if text.text.is_empty() => {
            let help = "write what the body must contain, or leave `body` out";
            reader.refuse(text.span, "every body contains nothing", help);
            None
        }
        "contains" => Some(BodyTest::Contains(text.text)),
        "matches" => match Pattern::new(&text.text) {
            Ok(pattern) => Some(BodyTest::Matches(pattern)),
            Err(why) => {
                let message = format!("this is no regular expression that can be used: {why}");
                let help = "write one like \"status: (ok|up)\"; \\\\d and \\\\w are ASCII";
                reader.refuse(text.span, message, help);
                None
            }
        },
        _ => {
            if !text.text.is_empty() && !text.text.starts_with('/') {
                let help =
                    format!("write \"/{}\"; inner members follow after more slashes", text.text);
                reader.refuse(text.span.clone(), "a JSON pointer begins with a slash", help);
            }
            if !fields.written("is") {
                let help = "write the value: { json = \"/status\", is = \"ok\" }";
                reader.refuse(fields.span.clone(), "`json` needs `is`", help);
            }
            let is = json(fields.value("is")?)?;
            Some(BodyTest::Json { pointer: text.text, is })
        }
    }
}

/// A TOML value of the types that `is` takes, as JSON.
fn json(value: &Value<'_>) -> Option<Json> {
    match value.get_ref() {
        DeValue::String(text) => Some(Json::from(text.as_ref())),
        DeValue::Integer(number) => integer(number).map(Json::from),
        DeValue::Boolean(flag) => Some(Json::from(*flag)),
        // Reported as being of the wrong type.
        DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    }
}
