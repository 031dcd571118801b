//! `grpc` of a check: a port, or a table.

use super::files::Files;
use super::{host_of, port, read_host, read_port, secure};
use crate::config::reader::Reader;
use crate::config::tables::GRPC;
use crate::config::value::Value;
use crate::health::GrpcAsk;
use crate::health::ask::SERVICE_LEN_MAX;
use crate::wire::Name;

const HELP: &str = "write \":50051\", or grpc = { port = 50051, service = \"…\" }";

/// A call that may still want its host.
#[derive(Clone, Debug)]
pub(super) struct GrpcRecipe {
    /// With the host, where one was given.
    ask: GrpcAsk,
    hosted: bool,
}

impl GrpcRecipe {
    /// Text like ":50051", or a table.
    pub(super) fn read(
        value: &Value<'_>,
        files: &mut Files<'_>,
        reader: &mut Reader<'_>,
    ) -> Option<Self> {
        let Some(table) = value.get_ref().as_table() else {
            let text = reader.text(value)?;
            if text.text.is_empty() {
                reader.refuse(value.span(), "there is no usual port for gRPC", HELP);
                return None;
            }
            let port = read_port(&text, 0, HELP, reader)?;
            let (host, service) = (String::new(), String::new());
            return Some(Self { ask: GrpcAsk { tls: None, port, host, service }, hosted: false });
        };
        let fields = reader.fields(&GRPC, table, value.span());
        let service = fields.word("service");
        if service.len() > SERVICE_LEN_MAX {
            let message = format!("a service's name has no {} octets", service.len());
            let help = format!("write its package and name, at most {SERVICE_LEN_MAX} octets");
            reader.refuse(fields.value_span("service"), message, help);
            return None;
        }
        let host = read_host(&fields, reader);
        let tls = secure::by_choice(&fields, files, reader);
        let (host, tls, port) = (host.ok()?, tls.ok()?, port(&fields));
        let hosted = host.is_some();
        let host = host.unwrap_or_default();
        Some(Self { ask: GrpcAsk { tls, port, host, service }, hosted })
    }

    /// The call for a service; none where that would have to be the host and cannot be.
    pub(super) fn applied(self, owner: &Name) -> Option<GrpcAsk> {
        if self.hosted {
            return Some(self.ask);
        }
        Some(GrpcAsk { host: host_of(owner)?, ..self.ask })
    }
}
