//! `agent` of a check: a port, or a table with what is said first.

use super::{port, read_port};
use crate::config::reader::Reader;
use crate::config::tables::AGENT;
use crate::config::value::Value;
use crate::health::AgentAsk;

const HELP: &str = "write \":7777\", or agent = { port = 7777, send = \"…\" }";

/// Text like ":7777", or a table.
pub(super) fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<AgentAsk> {
    let Some(table) = value.get_ref().as_table() else {
        let text = reader.text(value)?;
        if text.text.is_empty() {
            reader.refuse(value.span(), "there is no usual port for agents", HELP);
            return None;
        }
        return Some(AgentAsk { port: read_port(&text, 0, HELP, reader)?, send: String::new() });
    };
    let fields = reader.fields(&AGENT, table, value.span());
    Some(AgentAsk { port: port(&fields), send: fields.word("send") })
}
