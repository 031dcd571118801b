//! `[zone]`: SOA, NS and glue without a master file.
//!
//! ```text
//! ns = ["ns1 192.0.2.53"]   ->   @    NS  ns1            the delegation, as the parent has it
//!                                ns1  A   192.0.2.53     glue
//!                                @    SOA ns1 hostmaster <serial> …
//! ```
//!
//! The serial is the newest time of the zone's files, so it rises with every edit and is the same
//! on every server that has the same files.

use std::net::IpAddr;

use super::fields::Fields;
use super::names;
use super::reader::Reader;
use super::value::Text;
use crate::wire::{Name, RecordType};
use crate::zone::RecordsBuilder;

/// How long name servers and their addresses are kept: they change by plan, not by health.
const NS_TTL: u32 = 3600;
/// RFC 2308 §5: how long "no such name" is kept; as short as a mistake should last.
const SOA_MINIMUM: u32 = 60;
/// RFC 1035 §3.3.13, for secondaries that may come: ask hourly, again after ten minutes.
const SOA_REFRESH: u32 = 3600;
const SOA_RETRY: u32 = 600;
/// Two weeks: how long a secondary may serve on without us.
const SOA_EXPIRE: u32 = 1_209_600;

/// Adds the records that `[zone]` means.
pub(super) fn add(
    fields: &Fields<'_>,
    serial: u32,
    records: &mut RecordsBuilder,
    reader: &mut Reader<'_>,
) {
    let apex = records.apex.clone();
    let mut servers: Vec<Name> = Vec::new();
    let written = fields.texts("ns", reader);
    if written.is_empty() && fields.sound(&["ns"]) {
        let help = "write for example ns = [\"ns1 192.0.2.53\"], with this server's public address";
        reader.refuse(fields.value_span("ns"), "the zone has no name server", help);
    }
    for entry in &written {
        let Some((name, addresses)) = name_server(entry, records, reader) else { continue };
        if servers.contains(&name) {
            let message = format!("the name server {name} is listed twice");
            let help = "write all its addresses in one entry: \"ns1 192.0.2.53 2001:db8::53\"";
            reader.refuse(entry.span.clone(), message, help);
            continue;
        }
        records.add(&apex, RecordType::NS, NS_TTL, name.as_wire());
        for address in addresses {
            records.add_address(&name, NS_TTL, address);
        }
        servers.push(name);
    }
    let contact = contact(fields, &apex, reader);
    if let (Some(first), Some(contact)) = (servers.first(), contact) {
        let mut soa = [first.as_wire(), contact.as_wire()].concat();
        for field in [serial, SOA_REFRESH, SOA_RETRY, SOA_EXPIRE, SOA_MINIMUM] {
            soa.extend_from_slice(&field.to_be_bytes());
        }
        records.add(&apex, RecordType::SOA, NS_TTL, &soa);
    }
}

/// One entry: a name, and its addresses where it lies in the zone.
fn name_server(
    entry: &Text,
    records: &RecordsBuilder,
    reader: &mut Reader<'_>,
) -> Option<(Name, Vec<IpAddr>)> {
    let apex = &records.apex;
    let mut words = entry.text.split_ascii_whitespace();
    let written = words.next().unwrap_or_default();
    let span = entry.part(written).span;
    if written.is_empty() || written.parse::<IpAddr>().is_ok() {
        let help = "write a name first: \"ns1 192.0.2.53\"";
        reader.refuse(span, "a name server needs a name", help);
        return None;
    }
    let name = match names::read(written, apex) {
        Ok(name) => name,
        Err((why, help)) => {
            reader.refuse(span, why, help);
            return None;
        }
    };
    if name.is_wildcard() {
        reader.refuse(span, "a name server cannot be a wildcard", "write its own name: \"ns1\"");
        return None;
    }
    let mut addresses = Vec::new();
    let mut sound = true;
    for word in words {
        match word.parse::<IpAddr>() {
            Ok(address) if addresses.contains(&address) => {
                reader.refuse(entry.part(word).span, format!("{address} stands twice"), "");
            }
            Ok(address) => addresses.push(address),
            Err(_) => {
                sound = false;
                let message = format!("\"{word}\" is not an address");
                let help = "write IPv4 or IPv6 addresses after the name, without ports";
                reader.refuse(entry.part(word).span, message, help);
            }
        }
    }
    let inside = name.is_at_or_under(apex);
    let known = [RecordType::A, RecordType::AAAA].iter().any(|t| records.has(&name, *t));
    if inside && sound && addresses.is_empty() && !known {
        let message = format!("the name server {name} has no address");
        let help = if written.contains('.') {
            format!(
                "add it: \"{written} 192.0.2.53\"; for a name outside the zone, end it with a dot: \
                 \"{written}.\""
            )
        } else {
            format!("add it: \"{written} 192.0.2.53\"")
        };
        reader.refuse(span.clone(), message, help);
    }
    if !inside && !addresses.is_empty() {
        let message = format!("{name} lies outside the zone, so its address is not ours to say");
        reader.warn(span, message, "leave the address out; its own zone has it");
        addresses.clear();
    }
    Some((name, addresses))
}

/// The SOA's RNAME. RFC 1035 §8: the part before the at sign becomes the first label.
fn contact(fields: &Fields<'_>, apex: &Name, reader: &mut Reader<'_>) -> Option<Name> {
    let Some(text) = fields.value("contact").and_then(|value| reader.text(value)) else {
        // An apex so long that nothing fits in front of it: then the apex itself.
        return Name::from_text_under("hostmaster", apex)
            .or_else(|_| Ok::<_, ()>(apex.clone()))
            .ok();
    };
    let name = text.text.split_once('@').and_then(|(user, domain)| {
        let domain = Name::from_text(domain).ok().filter(|domain| !domain.is_root())?;
        Name::from_text_under(&user.replace('\\', "\\\\").replace('.', "\\."), &domain).ok()
    });
    if name.is_none() {
        let message = format!("\"{}\" is not a mail address", text.text);
        reader.refuse(text.span, message, "write it as mail has it: \"dns@example.org\"");
    }
    name
}
