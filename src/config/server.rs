//! `rota.toml`: what belongs to the server.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::de::DeTable;

use super::admin::{judge_reach, read_admin};
use super::dns::read_dns;
use super::fields::Fields;
use super::geo;
use super::listen::read_listen;
use super::log::read_log;
use super::reader::Reader;
use super::tables::{
    ADMIN, CHECKS, DNS, GEO, GUARD, LISTEN, LOG, METRICS, RELOAD, REPORTS, SECRET, SERVER,
};
use super::tls::{judge_certificates, read_tls};
use super::{Checks, Doubt, Server, sort_by_place, syntax};
use crate::admin::metrics::Caps;
use crate::health::vantage::{self, VANTAGES_MAX};
use crate::health::{Counts, Hearing};
use crate::zone::diagnostic::has_errors;
use crate::zone::{Diagnostic, Source};

/// Reads `rota.toml`; an empty text gives every default.
///
/// Folders and files that are not absolute are relative to `base`, the folder of `rota.toml`. The
/// zones folder comes back even where the server is refused, so that one run tells the problems of
/// both.
pub fn read_server(
    source: &Arc<Source>,
    base: &Path,
    out: &mut Vec<Diagnostic>,
) -> (PathBuf, Option<Server>) {
    let before = out.len();
    let empty = DeTable::new();
    let tree = syntax::parse(source, out);
    let mut reader = Reader::new(source, out);
    let table = tree.as_ref().map_or(&empty, |tree| tree.get_ref());
    let server = reader.fields(&SERVER, table, 0..0);
    let (table, span) = server.table("listen").unwrap_or((&empty, 0..0));
    let listen = reader.fields(&LISTEN, table, span);
    let (listen_fields, listen) = (&listen, read_listen(&listen, &mut reader));
    let (table, span) = server.table("tls").unwrap_or((&empty, 0..0));
    let tls = reader.fields(&SECRET, table, span);
    let tls = read_tls(&tls, base, &mut reader);
    let (table, span) = server.table("dns").unwrap_or((&empty, 0..0));
    let dns = reader.fields(&DNS, table, span);
    let dns = read_dns(&dns, &mut reader);
    let (table, span) = server.table("guard").unwrap_or((&empty, 0..0));
    let guard = reader.fields(&GUARD, table, span);
    let guard = read_guard(&guard, &mut reader);
    let (table, span) = server.table("checks").unwrap_or((&empty, 0..0));
    let checks = reader.fields(&CHECKS, table, span);
    let checks = Checks {
        exec: checks.written("exec").then(|| base.join(checks.word("exec"))),
        exec_as_root: checks.flag("exec_as_root"),
        states: base.join(match checks.written("states") {
            true => checks.word("states"),
            false => server.word("zones"),
        }),
    };
    let (table, span) = server.table("reports").unwrap_or((&empty, 0..0));
    let reports = reader.fields(&REPORTS, table, span);
    let reports = read_reports(&reports, &mut reader);
    let (table, span) = server.table("geo").unwrap_or((&empty, 0..0));
    let geo = reader.fields(&GEO, table, span);
    let geo = geo::read_files(&geo, base, &mut reader);
    let (table, span) = server.table("metrics").unwrap_or((&empty, 0..0));
    let metrics = read_metrics(&reader.fields(&METRICS, table, span));
    let (table, span) = server.table("log").unwrap_or((&empty, 0..0));
    let log = reader.fields(&LOG, table, span);
    let sampling = read_log(&log, base, &mut reader);
    let (table, span) = server.table("reload").unwrap_or((&empty, 0..0));
    let watch = reader.fields(&RELOAD, table, span).flag("watch");
    let user = server.texts("user", &reader).pop();
    if let Some(text) = user.as_ref().filter(|text| text.text.is_empty()) {
        let help = "write a user's name, or leave the key out";
        reader.refuse(text.span.clone(), "a user has a name", help);
    }
    let user = user.map(|text| text.text);
    let (zones, state) = (base.join(server.word("zones")), base.join(server.word("state")));
    let (table, span) = server.table("admin").unwrap_or((&empty, 0..0));
    let admin = reader.fields(&ADMIN, table, span);
    let admin = read_admin(&admin, &state, base, &mut reader);
    if let Some(listen) = &listen {
        judge_reach(listen, &admin, listen_fields, &mut reader);
        judge_certificates(listen, &tls, listen_fields, &mut reader);
    }
    sort_by_place(&mut out[before..]);
    let folder = zones.clone();
    let listen = listen.filter(|_| !has_errors(&out[before..]));
    let server = listen.map(|listen| Server {
        zones,
        state,
        user,
        listen,
        tls,
        admin,
        dns,
        checks,
        guard,
        reports,
        geo,
        metrics,
        sampling,
        watch,
    });
    (folder, server)
}

fn read_metrics(fields: &Fields<'_>) -> Option<Caps> {
    let (zones, services) = (count(fields, "zones"), count(fields, "services"));
    let caps = Caps { zones, services, nodes: count(fields, "nodes") };
    fields.flag("enabled").then_some(caps)
}

fn read_guard(fields: &Fields<'_>, reader: &mut Reader<'_>) -> Doubt {
    let mut control = Vec::new();
    for text in fields.texts("control", reader) {
        match text.text.parse::<SocketAddr>() {
            Ok(socket) if control.contains(&socket) => {
                reader.refuse(text.span, format!("{socket} is listed twice"), "remove one");
            }
            Ok(socket) => control.push(socket),
            Err(_) => {
                let message = format!("\"{}\" is not an address and port", text.text);
                let help = "write for example the gateway's: \"192.0.2.1:80\"; any answer will do";
                reader.refuse(text.span, message, help);
            }
        }
    }
    Doubt { control, freeze: fields.duration("freeze") }
}

fn read_reports(fields: &Fields<'_>, reader: &mut Reader<'_>) -> Hearing {
    let mut names: Vec<String> = Vec::new();
    for text in fields.texts("from", reader) {
        let (name, span) = (text.text, text.span);
        if !vantage::is_name(&name) {
            let help = "write letters, digits, dots, dashes and underscores, at most 64 of them";
            reader.refuse(span, format!("{name:?} is not a vantage's name"), help);
        } else if names.contains(&name) {
            reader.refuse(span, format!("{name} is listed twice"), "remove one");
        } else {
            names.push(name);
        }
    }
    if fields.written("from") && names.is_empty() && fields.sound(&["from"]) {
        let help = "name who is heard, or leave the key out; changes need the token of [admin]";
        reader.refuse(fields.value_span("from"), "`from` names nobody", help);
    }
    if names.len() > VANTAGES_MAX {
        let message = format!("{} vantages are more than {VANTAGES_MAX}", names.len());
        reader.refuse(fields.value_span("from"), message, "let some report under one name");
    }
    // The keys' bounds lie within 32 bits.
    let number = |name| u32::try_from(fields.number(name)).unwrap_or(u32::MAX);
    let (fails, passes) = (number("fails"), number("passes"));
    Hearing { names, counts: Counts { fails, passes, lasts: fields.duration("lasts") } }
}

pub(super) fn count(fields: &Fields<'_>, name: &str) -> usize {
    // Every bound of these keys is far below what any machine counts to.
    usize::try_from(fields.number(name)).unwrap_or(usize::MAX)
}
