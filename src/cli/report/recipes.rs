//! The checks of `rota check`'s report: what is asked, with every default, a kind at a time.

use std::time::Duration;

use super::page::Page;
use super::{guards, quoted, time};
use crate::config::keys::Kind;
use crate::config::tables::{CHECK, DNS_QUESTION, GRPC, HTTP, HTTP_IN_TLS, TLS, WEBSOCKET};
use crate::health::{
    AgentAsk, Ask, BodyTest, Check, DnsAsk, ExecAsk, GrpcAsk, Header, HttpAsk, LoadAt, LoadSays,
    Method, Secure, TcpAsk, TlsAsk, Trust, WebSocketAsk,
};

/// Writes one check of a service with this name.
pub(super) fn write(page: &mut Page, check: &Check, service: &str) {
    match &check.ask {
        Ask::Http(ask) => http(page, ask, service),
        Ask::Tcp(ask) => tcp(page, ask),
        Ask::Tls(ask) => tls(page, ask, service),
        Ask::Grpc(ask) => grpc(page, ask, service),
        Ask::Dns(ask) => dns(page, ask),
        Ask::Agent(ask) => agent(page, ask),
        Ask::Exec(ask) => exec(page, ask),
        Ask::File(ask) => {
            page.resolved(2, "check", &format!("its line in {}", ask.path.display()), false);
        }
        Ask::WebSocket(ask) => websocket(page, ask, service),
    }
    page.setting(3, &CHECK, "every", time(check.every));
    let timeout_default = Duration::from_secs(2).min(check.every);
    page.resolved(3, "timeout", &time(check.timeout), check.timeout == timeout_default);
    if let Some(max) = check.max_latency {
        page.resolved(3, "max_latency", &time(max), false);
    }
    page.setting(3, &CHECK, "fails", check.fails);
    page.setting(3, &CHECK, "passes", check.passes);
    guards::pacing(page, check);
}

fn http(page: &mut Page, ask: &HttpAsk, service: &str) {
    let kind = if ask.tls.is_some() { &HTTP_IN_TLS } else { &HTTP };
    let (method, scheme, port, path) = (&ask.method, ask.scheme(), ask.port, &ask.path);
    let line = format!("{method} {scheme}://<address>:{port}{path}");
    page.resolved(2, "check", &line, false);
    page.resolved(3, "host", &ask.host, ask.host == service);
    if let Method::Post(body) = &ask.method
        && !body.is_empty()
    {
        page.resolved(3, "send", &format!("{} octets", body.len()), false);
    }
    headers(page, &ask.headers);
    let ranges = ask.expect.iter().map(|range| match (range.start(), range.end()) {
        (first, last) if first == last => first.to_string(),
        (first, last) => format!("{first}-{last}"),
    });
    page.setting(3, kind, "expect", format_args!("[{}]", quoted(ranges)));
    if let Some(load) = &ask.load {
        let at = match &load.at {
            LoadAt::Header => "header".to_owned(),
            LoadAt::Json(pointer) => format!("json {pointer:?}"),
            LoadAt::Metric(name) => format!("metric {name:?}"),
        };
        let says = match load.says {
            LoadSays::Load => "full",
            LoadSays::Weight => "whole weight",
        };
        page.resolved(3, "load", &format!("{at}, {says} at {}", load.full), false);
    }
    let body = ask.body.as_ref().map(|test| match test {
        BodyTest::Contains(text) => format!("contains {text:?}"),
        BodyTest::Matches(pattern) => format!("matches {:?}", pattern.text()),
        BodyTest::Json { pointer, is } => format!("has {is} at {pointer:?}"),
    });
    if let Some(body) = body {
        page.resolved(3, "body", &body, false);
    }
    if let Some(tls) = &ask.tls {
        secure(page, tls, kind);
    }
}

fn tcp(page: &mut Page, ask: &TcpAsk) {
    page.resolved(2, "check", &format!("connect to tcp://<address>:{}", ask.port), false);
    if !ask.send.is_empty() {
        page.resolved(3, "send", &format!("{} octets", ask.send.len()), false);
    }
    if !ask.expect.is_empty() {
        page.resolved(3, "expect", &format!("{:?}", ask.expect), false);
    }
}

fn tls(page: &mut Page, ask: &TlsAsk, service: &str) {
    page.resolved(2, "check", &format!("handshake with tls://<address>:{}", ask.port), false);
    page.resolved(3, "host", &ask.host, ask.host == service);
    secure(page, &ask.secure, &TLS);
}

fn grpc(page: &mut Page, ask: &GrpcAsk, service: &str) {
    let line = format!("grpc.health.v1.Health/Check at <address>:{}", ask.port);
    page.resolved(2, "check", &line, false);
    page.setting(3, &GRPC, "service", format_args!("{:?}", ask.service));
    page.resolved(3, "host", &ask.host, ask.host == service);
    page.setting(3, &GRPC, "tls", ask.tls.is_some());
    if let Some(tls) = &ask.tls {
        secure(page, tls, &GRPC);
    }
}

fn dns(page: &mut Page, ask: &DnsAsk) {
    let over = if ask.tcp { "tcp" } else { "udp" };
    let line = format!("ask <address>:{}/{over} for {} {}", ask.port, ask.name, ask.rtype);
    page.resolved(2, "check", &line, false);
    page.setting(3, &DNS_QUESTION, "rcode", format_args!("\"{}\"", ask.rcode));
    if let Some(answer) = &ask.answer {
        page.resolved(3, "answer", &answer.text, false);
    }
}

fn agent(page: &mut Page, ask: &AgentAsk) {
    page.resolved(2, "check", &format!("agent at <address>:{}", ask.port), false);
    if !ask.send.is_empty() {
        page.resolved(3, "send", &format!("{} octets", ask.send.len()), false);
    }
}

fn exec(page: &mut Page, ask: &ExecAsk) {
    page.resolved(2, "check", &format!("run {}", ask.program.display()), false);
    if !ask.arguments.is_empty() {
        page.resolved(3, "arguments", &quoted(&ask.arguments), false);
    }
    if !ask.environment.is_empty() {
        let names: Vec<&str> = ask.environment.iter().map(|it| it.name.as_str()).collect();
        page.resolved(3, "env", &names.join(", "), false);
    }
}

fn websocket(page: &mut Page, ask: &WebSocketAsk, service: &str) {
    let (scheme, port, path) = (ask.scheme(), ask.port, &ask.path);
    page.resolved(2, "check", &format!("open {scheme}://<address>:{port}{path}"), false);
    page.resolved(3, "host", &ask.host, ask.host == service);
    headers(page, &ask.headers);
    if let Some(tls) = &ask.tls {
        secure(page, tls, &WEBSOCKET);
    }
}

/// The names alone: values may be secrets, and this is printed where others read it.
fn headers(page: &mut Page, headers: &[Header]) {
    let names: Vec<&str> = headers.iter().map(|header| header.name.as_str()).collect();
    if !names.is_empty() {
        page.resolved(3, "headers", &names.join(", "), false);
    }
}

/// The TLS keys of a kind.
fn secure(page: &mut Page, tls: &Secure, kind: &Kind) {
    match tls.trust {
        Trust::System => page.resolved(3, "ca", "whom the system trusts", true),
        Trust::Only(_) => page.resolved(3, "ca", "the file's authorities alone", false),
        Trust::Anyone => page.setting(3, kind, "verify", false),
    }
    if tls.identity.is_some() {
        page.resolved(3, "certificate", "shown to nodes that ask", false);
    }
    if tls.trust != Trust::Anyone {
        page.setting(3, kind, "warn_before", time(tls.warn_before));
    }
}
