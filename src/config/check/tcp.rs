//! `tcp` of a check: a port, or a table with what is said and expected.

use super::{port, read_port};
use crate::config::reader::Reader;
use crate::config::tables::TCP;
use crate::config::value::Value;
use crate::health::TcpAsk;
use crate::health::ask::ANSWER_LEN_MAX;

/// Text like ":6379", or a table.
pub(super) fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<TcpAsk> {
    let Some(table) = value.get_ref().as_table() else {
        let text = reader.text(value)?;
        if text.text.is_empty() {
            reader.refuse(value.span(), "there is no usual port for TCP", HELP);
            return None;
        }
        let port = read_port(&text, 0, HELP, reader)?;
        return Some(TcpAsk { port, send: String::new(), expect: String::new() });
    };
    let fields = reader.fields(&TCP, table, value.span());
    let expect = fields.word("expect");
    if expect.len() > ANSWER_LEN_MAX {
        let message = format!("the text has {} octets, and so much is not read", expect.len());
        let help = format!("write a part of it, at most {ANSWER_LEN_MAX} octets");
        reader.refuse(fields.value_span("expect"), message, help);
    }
    Some(TcpAsk { port: port(&fields), send: fields.word("send"), expect })
}

const HELP: &str =
    "write \":6379\", or tcp = { port = 6379, send = \"PING\\r\\n\", expect = \"PONG\" }";
