//! `http` and `https` of a check: a short text, or a table.

use std::ops::RangeInclusive;
use std::sync::Arc;

use hyper::header::{HeaderName, HeaderValue};
use toml::de::DeValue;

use super::files::Files;
use super::hosted::Hosted;
use super::{body, port, read_host, read_port, secure};
use crate::config::fields::Fields;
use crate::config::reader::Reader;
use crate::config::tables::{HTTP, HTTP_IN_TLS};
use crate::config::value::{Text, Value, in_order, number};
use crate::health::{Header, HttpAsk, Method, Secure};

const HTTP_PORT: u16 = 80;
const HTTPS_PORT: u16 = 443;
/// Headers that a probe writes itself, with what to do for another value.
const OWN_HEADERS: [(&str, &str); 4] = [
    ("host", "write `host = …` beside `headers`"),
    ("connection", "leave it out: every probe closes its connection"),
    ("content-length", "leave it out: it follows from `send`"),
    ("transfer-encoding", "leave it out: what `send` says has a length"),
];

/// The `http` of a check.
pub(super) fn read_plain(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Hosted<HttpAsk>> {
    match value.get_ref().as_table() {
        Some(table) => {
            let fields = reader.fields(&HTTP, table, value.span());
            read_table(&fields, None, reader)
        }
        None => read_text(&reader.text(value)?, HTTP_PORT, None, reader),
    }
}

/// The `https` of a check.
pub(super) fn read_in_tls(
    value: &Value<'_>,
    files: &mut Files<'_>,
    reader: &mut Reader<'_>,
) -> Option<Hosted<HttpAsk>> {
    match value.get_ref().as_table() {
        Some(table) => {
            let fields = reader.fields(&HTTP_IN_TLS, table, value.span());
            let tls = secure::read(&fields, files, reader);
            read_table(&fields, tls, reader)
        }
        None => {
            let tls = Some(secure::plain(&HTTP_IN_TLS));
            read_text(&reader.text(value)?, HTTPS_PORT, tls, reader)
        }
    }
}

/// Text like ":8080/ready".
fn read_text(
    text: &Text,
    port_default: u16,
    tls: Option<Arc<Secure>>,
    reader: &mut Reader<'_>,
) -> Option<Hosted<HttpAsk>> {
    let help = "write \":8080/ready\"; the address is each node's own, and another host \
                    goes into http = { port = 8080, path = \"/ready\", host = \"…\" }";
    let (port, path) = read_port_and_path(text, port_default, help, reader)?;
    let ask = HttpAsk { tls, ..HttpAsk::get(port, &path, "") };
    Some(Hosted::new(ask, None))
}

fn read_table(
    fields: &Fields<'_>,
    tls: Option<Arc<Secure>>,
    reader: &mut Reader<'_>,
) -> Option<Hosted<HttpAsk>> {
    let path = read_path(fields, reader);
    let host = read_host(fields, reader);
    let headers = read_headers(fields, &[], reader);
    let method = read_method(fields, reader);
    let expect = read_expect(fields.value("expect"), reader);
    let body = fields.table("body").map(|(table, span)| body::read(table, span, reader));
    if fields.written("body") && method == Method::Head {
        let help = "use method = \"GET\", or leave `body` out";
        reader.refuse(fields.key_span("body"), "an answer to HEAD has no body", help);
    }
    let body = match body {
        Some(read) => Some(read?),
        None => None,
    };
    let host = host.ok()?;
    let ask =
        HttpAsk { tls, method, headers, expect, body, ..HttpAsk::get(port(fields), &path, "") };
    Some(Hosted::new(ask, host))
}

fn read_method(fields: &Fields<'_>, reader: &mut Reader<'_>) -> Method {
    let method = match fields.word("method").as_str() {
        "HEAD" => Method::Head,
        "OPTIONS" => Method::Options,
        "POST" => return Method::Post(fields.word("send")),
        // Not written, or refused.
        _ => Method::Get,
    };
    if fields.written("send") && fields.sound(&["method"]) {
        let message = format!("`send` goes with method = \"POST\", not with {method}");
        reader.refuse(fields.key_span("send"), message, "write the method, or leave `send` out");
    }
    method
}

/// Text like ":8080/ready"; `help` says what to write instead of what is none.
pub(super) fn read_port_and_path(
    text: &Text,
    port_default: u16,
    help: &str,
    reader: &mut Reader<'_>,
) -> Option<(u16, String)> {
    let (port, path) = match text.text.find('/') {
        Some(slash) => text.text.split_at(slash),
        None => (text.text.as_str(), "/"),
    };
    let port = read_port(&text.part(port), port_default, help, reader)?;
    let path = text.part(path);
    judge_path(&path, reader);
    Some((port, path.text))
}

/// The `path` of a table.
pub(super) fn read_path(fields: &Fields<'_>, reader: &mut Reader<'_>) -> String {
    if let Some(path) = fields.value("path").and_then(|value| reader.text(value)) {
        judge_path(&path, reader);
    }
    fields.word("path")
}

/// The `headers` of a table; `more` are those that its kind of probe writes beyond those of all.
pub(super) fn read_headers(
    fields: &Fields<'_>,
    more: &[(&str, &str)],
    reader: &mut Reader<'_>,
) -> Vec<Header> {
    let mut headers: Vec<Header> = Vec::new();
    for (name, value) in fields.table("headers").into_iter().flat_map(|(it, _)| in_order(it)) {
        let written = name.get_ref().to_string();
        let Some(text) = reader.text(value) else { continue };
        let mut own = OWN_HEADERS.iter().chain(more);
        let own = own.find(|(own, _)| written.eq_ignore_ascii_case(own));
        if let Some((_, help)) = own {
            reader.refuse(name.span(), format!("a probe writes `{written}` itself"), *help);
        } else if HeaderName::try_from(&written).is_err() {
            let message = format!("\"{written}\" is not a header's name");
            reader.refuse(name.span(), message, "write letters, digits and hyphens: \"X-Probe\"");
        } else if headers.iter().any(|one| one.name.eq_ignore_ascii_case(&written)) {
            let message = format!("`{written}` stands here twice: case makes no difference");
            reader.refuse(name.span(), message, "keep one of the two");
        } else if HeaderValue::from_str(&text.text).is_err() {
            let message = format!("the value of `{written}` holds what a header cannot");
            reader.refuse(text.span, message, "write visible ASCII characters and spaces");
        } else {
            headers.push(Header { name: written, value: text.text });
        }
    }
    headers
}

/// What a request line can carry as it stands: RFC 3986 §3.3, §3.4.
fn judge_path(path: &Text, reader: &mut Reader<'_>) {
    if !path.text.starts_with('/') {
        let help = format!("write \"/{}\"", path.text);
        reader.refuse(path.span.clone(), "a path begins with a slash", help);
    }
    let odd = |c: &char| !c.is_ascii_graphic() || "#\"<>\\^`{|}".contains(*c);
    if let Some(odd) = path.text.chars().find(odd) {
        let message = format!("a path cannot hold {odd:?}");
        reader.refuse(path.span.clone(), message, "write it percent-encoded, like %20");
    }
}

/// Response codes: numbers, or "200-299"; without a value the default of the key.
fn read_expect(value: Option<&Value<'_>>, reader: &mut Reader<'_>) -> Vec<RangeInclusive<u16>> {
    let Some(all) = value.and_then(|value| value.get_ref().as_array()) else {
        return vec![200..=299];
    };
    let mut expect = Vec::new();
    for one in all.iter() {
        match one.get_ref() {
            DeValue::Integer(_) => {
                let code = number(one.get_ref()).and_then(|code| u16::try_from(code).ok());
                // Out of bounds has been reported with the key's other bounds.
                expect.extend(code.map(|code| code..=code));
            }
            DeValue::String(text) => match codes(text) {
                Some(range) => expect.push(range),
                None => {
                    let message = format!("\"{text}\" is no range of response codes");
                    reader.refuse(one.span(), message, "write \"200-299\", or one code: 204");
                }
            },
            // Reported as being of the wrong type.
            DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => {}
        }
    }
    if let (true, Some(value)) = (all.is_empty(), value) {
        let help = "write which: [\"200-299\"], or leave the key out for that";
        reader.refuse(value.span(), "no response code would pass", help);
    }
    expect
}

fn codes(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (100 <= first && first <= last && last <= 599).then_some(first..=last)
}
