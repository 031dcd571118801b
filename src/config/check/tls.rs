//! `tls` of a check: a port, or a table with the name and whom to trust.

use std::sync::Arc;

use super::files::Files;
use super::{host_of, port, read_host, read_port, secure};
use crate::config::reader::Reader;
use crate::config::tables::TLS;
use crate::config::value::Value;
use crate::health::{Secure, TlsAsk};
use crate::wire::Name;

const HELP: &str = "write \":443\", or tls = { port = 443, host = \"…\" }";
const TLS_PORT: u16 = 443;

/// A handshake that may still want its host.
#[derive(Clone, Debug)]
pub(super) struct TlsRecipe {
    port: u16,
    host: Option<String>,
    secure: Arc<Secure>,
}

impl TlsRecipe {
    /// Text like ":443", or a table.
    pub(super) fn read(
        value: &Value<'_>,
        files: &mut Files<'_>,
        reader: &mut Reader<'_>,
    ) -> Option<Self> {
        let Some(table) = value.get_ref().as_table() else {
            let port = read_port(&reader.text(value)?, TLS_PORT, HELP, reader)?;
            return Some(Self { port, host: None, secure: secure::plain(&TLS) });
        };
        let fields = reader.fields(&TLS, table, value.span());
        let secure = secure::read(&fields, files, reader);
        let host = read_host(&fields, reader);
        Some(Self { port: port(&fields), host: host.ok()?, secure: secure? })
    }

    /// The handshake for a service; none where that would have to be the host and cannot be.
    pub(super) fn applied(self, owner: &Name) -> Option<TlsAsk> {
        let Self { port, host, secure } = self;
        Some(TlsAsk { port, host: host.or_else(|| host_of(owner))?, secure })
    }
}
