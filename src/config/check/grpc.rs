//! `grpc` of a check: a port, or a table.

use super::files::Files;
use super::hosted::Hosted;
use super::{port, read_host, read_port, secure};
use crate::config::reader::Reader;
use crate::config::tables::GRPC;
use crate::config::value::Value;
use crate::health::GrpcAsk;
use crate::health::ask::SERVICE_LEN_MAX;

const HELP: &str = "write \":50051\", or grpc = { port = 50051, service = \"…\" }";

/// Text like ":50051", or a table.
pub(super) fn read(
    value: &Value<'_>,
    files: &mut Files<'_>,
    reader: &mut Reader<'_>,
) -> Option<Hosted<GrpcAsk>> {
    let Some(table) = value.get_ref().as_table() else {
        let text = reader.text(value)?;
        if text.text.is_empty() {
            reader.refuse(value.span(), "there is no usual port for gRPC", HELP);
            return None;
        }
        let port = read_port(&text, 0, HELP, reader)?;
        let (host, service) = (String::new(), String::new());
        return Some(Hosted::new(GrpcAsk { tls: None, port, host, service }, None));
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
    Some(Hosted::new(GrpcAsk { tls, port, host: String::new(), service }, host))
}
