//! `load` of a check: where an answer says how busy its node is.

use crate::config::fields::Fields;
use crate::config::reader::Reader;
use crate::config::tables::LOAD;
use crate::health::{LoadAt, LoadFrom, LoadSays, Method};

use super::AskRecipe;

/// Has the check's answers looked at for a report; only HTTP has one.
pub(super) fn read(fields: &Fields<'_>, ask: &mut AskRecipe, reader: &mut Reader<'_>) {
    let Some(value) = fields.value("load") else { return };
    let from = match value.get_ref().as_table() {
        None => LoadFrom { at: LoadAt::Header, full: 1, says: LoadSays::Load },
        Some(table) => {
            let table = reader.fields(&LOAD, table, value.span());
            if table.written("json") && table.written("metric") {
                let help = "keep one of the two: a node says its load in one place";
                reader.refuse(table.key_span("metric"), "`json` and `metric` in one report", help);
            }
            if table.written("json") && !pointer_fits(&table.word("json")) {
                let help = "write where it stands, from the slash on: \"/load\"";
                reader.refuse(table.value_span("json"), "a JSON pointer begins with a slash", help);
            }
            let at = match (table.word("json"), table.word("metric")) {
                (pointer, _) if !pointer.is_empty() => LoadAt::Json(pointer),
                (_, name) if !name.is_empty() => LoadAt::Metric(name),
                (_, _) => LoadAt::Header,
            };
            // The key's bounds lie within 32 bits.
            let full = u32::try_from(table.number("full")).unwrap_or(u32::MAX);
            let is_weight = table.word("says") == "weight";
            let says = if is_weight { LoadSays::Weight } else { LoadSays::Load };
            LoadFrom { at, full, says }
        }
    };
    let AskRecipe::Http(http) = ask else {
        let help = "ask over `http` or `https`, or leave `load` out";
        reader.refuse(fields.key_span("load"), "only an answer over HTTP has a load", help);
        return;
    };
    if from.needs_body() && http.ask.method == Method::Head {
        let help = "use method = \"GET\", or load = \"header\"";
        reader.refuse(fields.key_span("load"), "an answer to HEAD has no body", help);
    }
    http.ask.load = Some(from);
}

/// RFC 6901 §3.
fn pointer_fits(pointer: &str) -> bool {
    pointer.starts_with('/')
}
