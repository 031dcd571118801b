//! `websocket` of a check: a short text, or a table.

use super::files::Files;
use super::hosted::Hosted;
use super::http::{read_headers, read_path, read_port_and_path};
use super::{port, read_host, secure};
use crate::config::reader::Reader;
use crate::config::tables::WEBSOCKET;
use crate::config::value::Value;
use crate::health::WebSocketAsk;

const WS_PORT: u16 = 80;
const WSS_PORT: u16 = 443;
const HELP: &str = "write \":8080/chat\"; the address is each node's own, and another host goes \
                    into websocket = { port = 8080, path = \"/chat\", host = \"…\" }";
/// Headers that an opening writes beyond those of every request.
const OWN_HEADERS: [(&str, &str); 3] = [
    ("upgrade", "leave it out: it is always websocket"),
    ("sec-websocket-key", "leave it out: each probe has its own"),
    ("sec-websocket-version", "leave it out: it is 13"),
];

/// Text like ":8080/chat", or a table.
pub(super) fn read(
    value: &Value<'_>,
    files: &mut Files<'_>,
    reader: &mut Reader<'_>,
) -> Option<Hosted<WebSocketAsk>> {
    let Some(table) = value.get_ref().as_table() else {
        let text = reader.text(value)?;
        let (port, path) = read_port_and_path(&text, WS_PORT, HELP, reader)?;
        let (tls, host, headers) = (None, String::new(), Vec::new());
        let ask = WebSocketAsk { tls, port, path, host, headers };
        return Some(Hosted::new(ask, None));
    };
    let fields = reader.fields(&WEBSOCKET, table, value.span());
    let path = read_path(&fields, reader);
    let host = read_host(&fields, reader);
    let headers = read_headers(&fields, &OWN_HEADERS, reader);
    let tls = secure::by_choice(&fields, files, reader);
    let (host, tls) = (host.ok()?, tls.ok()?);
    let port = match (fields.written("port"), &tls) {
        (true, _) => port(&fields),
        (false, None) => WS_PORT,
        (false, Some(_)) => WSS_PORT,
    };
    let ask = WebSocketAsk { tls, port, path, host: String::new(), headers };
    Some(Hosted::new(ask, host))
}
