//! `dns` of a check: a name, or a table with what to ask and what must come.

use std::sync::Arc;

use domain::base::iana::Rcode;

use super::port;
use crate::config::fields::Fields;
use crate::config::reader::Reader;
use crate::config::tables::DNS_QUESTION;
use crate::config::value::{Text, Value};
use crate::health::DnsAsk;
use crate::health::ask::ExpectedRecord;
use crate::wire::{Name, RecordType};
use crate::zone::Source;
use crate::zone::masterfile::parse;

const DNS_PORT: u16 = 53;

/// A name, or a table.
pub(super) fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<DnsAsk> {
    let Some(table) = value.get_ref().as_table() else {
        let name = read_name(&reader.text(value)?, reader)?;
        let (rtype, rcode) = (RecordType::A, Rcode::NOERROR);
        return Some(DnsAsk { port: DNS_PORT, tcp: false, name, rtype, rcode, answer: None });
    };
    let fields = reader.fields(&DNS_QUESTION, table, value.span());
    let name = text(&fields, "name", reader).and_then(|text| read_name(&text, reader));
    let rtype = read_type(&fields, reader);
    let rcode = read_rcode(&fields, reader);
    let rtype = rtype?;
    let answer = match text(&fields, "answer", reader) {
        Some(text) => Some(read_answer(&text, rtype, reader)?),
        None => None,
    };
    let (port, tcp) = (port(&fields), fields.flag("tcp"));
    Some(DnsAsk { port, tcp, name: name?, rtype, rcode: rcode?, answer })
}

fn text(fields: &Fields<'_>, key: &str, reader: &Reader<'_>) -> Option<Text> {
    fields.value(key).and_then(|value| reader.text(value))
}

fn read_name(text: &Text, reader: &mut Reader<'_>) -> Option<Name> {
    let name = Name::from_text(&text.text);
    if let Err(error) = &name {
        let message = format!("\"{}\" is not a name: {error}", text.text);
        let help = "write a complete name: \"www.example.org\", or \".\" for the root";
        reader.refuse(text.span.clone(), message, help);
    }
    name.ok()
}

fn read_type(fields: &Fields<'_>, reader: &mut Reader<'_>) -> Option<RecordType> {
    let written = fields.word("type");
    let rtype = written.parse::<RecordType>();
    match rtype {
        // The answer to a transfer is no single message, and OPT is no question.
        Ok(RecordType::AXFR | RecordType::IXFR | RecordType::OPT) | Err(_) => {
            let message = format!("\"{written}\" is no record type that can be asked for");
            let help = "write for example A, AAAA, SOA or TXT";
            reader.refuse(fields.value_span("type"), message, help);
            None
        }
        Ok(rtype) => Some(rtype),
    }
}

fn read_rcode(fields: &Fields<'_>, reader: &mut Reader<'_>) -> Option<Rcode> {
    let written = fields.word("rcode");
    let rcode = written.to_ascii_uppercase().parse::<Rcode>().ok();
    if rcode.is_none() {
        let message = format!("\"{written}\" is no response code");
        let help = "write NOERROR, NXDOMAIN, REFUSED or another of RFC 1035 §4.1.1";
        reader.refuse(fields.value_span("rcode"), message, help);
    }
    rcode
}

/// The data of one record, read as in a master file.
fn read_answer(text: &Text, rtype: RecordType, reader: &mut Reader<'_>) -> Option<ExpectedRecord> {
    let line = Source { path: String::new(), text: format!("@ 0 IN {rtype} {}\n", text.text) };
    let mut none = |_: &str| Err(String::from("a record includes nothing"));
    let mut problems = Vec::new();
    let file = parse(&Arc::new(line), &Name::root(), &mut none, &mut problems);
    let found = file.records.get(&Name::root(), rtype);
    if let ([], [octets]) = (&problems[..], &found[..]) {
        return Some(ExpectedRecord { text: text.text.clone(), octets: octets.to_vec().into() });
    }
    let why = problems.first().map_or("more than one", |problem| &problem.message);
    let message = format!("\"{}\" is not the data of one {rtype} record: {why}", text.text);
    let help = "write it as in a master file: \"192.0.2.1\", or \"10 mail.example.org.\" for an MX";
    reader.refuse(text.span.clone(), message, help);
    None
}
