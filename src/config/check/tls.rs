//! `tls` of a check: a port, or a table with the name and whom to trust.

use super::files::Files;
use super::hosted::Hosted;
use super::{port, read_host, read_port, secure};
use crate::config::reader::Reader;
use crate::config::tables::TLS;
use crate::config::value::Value;
use crate::health::TlsAsk;

const HELP: &str = "write \":443\", or tls = { port = 443, host = \"…\" }";
const TLS_PORT: u16 = 443;

/// Text like ":443", or a table.
pub(super) fn read(
    value: &Value<'_>,
    files: &mut Files<'_>,
    reader: &mut Reader<'_>,
) -> Option<Hosted<TlsAsk>> {
    let Some(table) = value.get_ref().as_table() else {
        let port = read_port(&reader.text(value)?, TLS_PORT, HELP, reader)?;
        let (host, secure) = (String::new(), secure::plain(&TLS));
        return Some(Hosted::new(TlsAsk { port, host, secure }, None));
    };
    let fields = reader.fields(&TLS, table, value.span());
    let secure = secure::read(&fields, files, reader);
    let host = read_host(&fields, reader);
    let (host, port) = (host.ok()?, port(&fields));
    Some(Hosted::new(TlsAsk { port, host: String::new(), secure: secure? }, host))
}
