//! `[dns]`: how the server speaks, and what it says of itself.

use std::num::NonZeroU32;

use toml::de::DeTable;

use super::Dns;
use super::fields::Fields;
use super::reader::Reader;
use super::tables::RATE_LIMIT;
use super::value::{Text, number};
use crate::geo::{Network, NetworkError};
use crate::snapshot::settings::{EcsFrom, Nsid, RateLimit, Version};
use crate::wire::cookie::{Secret, Secrets};

/// A list of networks is walked for every answer, so it is no place for a list of customers.
const NETWORKS_MAX: usize = 64;
/// What `version = true` says.
const OWN_VERSION: &str = concat!("rota ", env!("CARGO_PKG_VERSION"));

/// Reads the table; what is refused has its default, which nobody acts on.
pub(super) fn read_dns(fields: &Fields<'_>, reader: &mut Reader<'_>) -> Dns {
    let cookie_secrets = read_secrets(fields, reader);
    if cookie_secrets.is_some() && !fields.flag("cookies") {
        let help = "remove one of the two";
        reader.refuse(fields.key_span("cookie_secrets"), "cookies are switched off", help);
    }
    Dns {
        // The key's bounds lie within 16 bits.
        udp_size: u16::try_from(fields.number("udp_size")).unwrap_or(u16::MAX),
        nsid: read_nsid(fields, reader),
        version: read_version(fields, reader),
        cookies: fields.flag("cookies"),
        cookie_secrets,
        rate_limit: read_rate_limit(fields, reader),
        ecs: read_ecs(fields, reader),
    }
}

fn read_nsid(fields: &Fields<'_>, reader: &mut Reader<'_>) -> Option<Nsid> {
    let text = fields.value("nsid").and_then(|value| reader.text(value))?;
    let nsid = Nsid::new(&text.text);
    if nsid.is_none() {
        refuse_length("nsid", Nsid::LEN_MAX, &text, reader);
    }
    nsid
}

fn read_version(fields: &Fields<'_>, reader: &mut Reader<'_>) -> Option<Version> {
    let value = fields.value("version")?;
    let Some(text) = reader.text(value) else {
        return fields.flag("version").then(|| Version::new(OWN_VERSION)).flatten();
    };
    let version = Version::new(&text.text);
    if version.is_none() {
        refuse_length("version", Version::LEN_MAX, &text, reader);
    }
    version
}

fn refuse_length(name: &str, max: usize, text: &Text, reader: &mut Reader<'_>) {
    let message = format!("`{name}` has {} octets, but must have 1 to {max}", text.text.len());
    reader.refuse(text.span.clone(), message, "leave it out to tell nothing");
}

fn read_secrets(fields: &Fields<'_>, reader: &mut Reader<'_>) -> Option<Secrets> {
    let texts = fields.value("cookie_secrets").map(|value| reader.texts(value))?;
    let secrets: Vec<Secret> = texts
        .iter()
        .filter_map(|text| {
            let secret = parse_secret(&text.text);
            if secret.is_none() {
                let help = "make one with `openssl rand -hex 16`";
                reader.refuse(text.span.clone(), "a secret has 32 hexadecimal digits", help);
            }
            secret
        })
        .collect();
    match (&secrets[..], texts.len()) {
        (&[making], 1) => Some(Secrets { making, also: None }),
        (&[making, also], 2) => Some(Secrets { making, also: Some(also) }),
        (_, 1 | 2) => None,
        (_, count) => {
            let message = format!("`cookie_secrets` lists {count}, but must list one or two");
            let help = "list the one to make cookies with, and one more while they change";
            reader.refuse(fields.value_span("cookie_secrets"), message, help);
            None
        }
    }
}

fn parse_secret(text: &str) -> Option<Secret> {
    let digits: &[u8; 32] = text.as_bytes().try_into().ok()?;
    let mut octets = [0; 16];
    for (octet, pair) in octets.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        *octet = u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok()?;
    }
    Some(Secret::from(octets))
}

fn read_rate_limit(fields: &Fields<'_>, reader: &mut Reader<'_>) -> Option<RateLimit> {
    let empty = DeTable::new();
    let written = fields.value("rate_limit")?;
    if written.get_ref().as_bool() == Some(false) {
        return None;
    }
    // Of a number, or true, the rest has its defaults.
    let (table, span) = fields.table("rate_limit").unwrap_or_else(|| (&empty, written.span()));
    let limit = reader.fields(&RATE_LIMIT, table, span);
    let number = number(written.get_ref()).unwrap_or_else(|| limit.number("per_second"));
    Some(RateLimit {
        // The bounds of both keys are within their types, and above zero.
        per_second: u32::try_from(number).ok().and_then(NonZeroU32::new)?,
        slip: u8::try_from(limit.number("slip")).unwrap_or(u8::MAX),
        exempt: read_networks("exempt", &limit, reader),
    })
}

fn read_ecs(fields: &Fields<'_>, reader: &mut Reader<'_>) -> EcsFrom {
    let listed = fields.value("ecs").and_then(|value| value.get_ref().as_array());
    match listed {
        Some(list) if list.is_empty() => {
            let help = "write `ecs = false` for nobody's, `ecs = true` for everyone's";
            reader.refuse(fields.value_span("ecs"), "`ecs` lists no network", help);
            EcsFrom::Nobody
        }
        Some(_) => EcsFrom::Networks(read_networks("ecs", fields, reader)),
        None if fields.flag("ecs") => EcsFrom::Everyone,
        None => EcsFrom::Nobody,
    }
}

/// The networks of a key; those that are none are reported and left out.
pub(super) fn read_networks(
    name: &str,
    fields: &Fields<'_>,
    reader: &mut Reader<'_>,
) -> Box<[Network]> {
    let texts = fields.texts(name, reader);
    if texts.len() > NETWORKS_MAX {
        let message = format!("`{name}` lists {}, but at most {NETWORKS_MAX}", texts.len());
        reader.refuse(fields.value_span(name), message, "list larger networks");
    }
    texts.iter().filter_map(|text| read_network(text, reader)).collect()
}

/// A network, wherever one is written.
pub(super) fn read_network(text: &Text, reader: &mut Reader<'_>) -> Option<Network> {
    let (message, help) = match Network::parse(&text.text) {
        Ok(network) => return Some(network),
        Err(error @ (NetworkError::Address | NetworkError::Length { .. })) => (
            format!("\"{}\" is not a network: {error}", text.text),
            "write for example \"192.0.2.0/24\" or \"2001:db8::/32\"".to_owned(),
        ),
        Err(NetworkError::HostBits { network }) => (
            format!("\"{}\" is an address inside of a network", text.text),
            format!("write \"{network}\" for the network, or leave the length out"),
        ),
    };
    reader.refuse(text.span.clone(), message, help);
    None
}
