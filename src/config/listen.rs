//! `[listen]`: where queries come in, and what their connections may cost.

use std::net::SocketAddr;
use std::num::NonZeroU32;

use super::Listen;
use super::dns::read_networks;
use super::fields::Fields;
use super::reader::Reader;
use super::server::count;
use super::value::Text;
use crate::serve::{Gate, Limits, Proxies, Way};

/// The longest name of an interface, in octets.
const INTERFACE_LEN_MAX: usize = 15;

/// The ports that are usual for what is spoken there.
fn usual_port(way: Way) -> u16 {
    match way {
        Way::Dns => 53,
        Way::Tls | Way::Quic => 853,
        Way::Https | Way::H3 => 443,
        Way::Http => 8053,
    }
}

/// Reads the table; none where there is no telling where to listen.
pub(super) fn read_listen(fields: &Fields<'_>, reader: &mut Reader<'_>) -> Option<Listen> {
    if fields.texts("dns", reader).is_empty() && fields.sound(&["dns"]) {
        let help = "write an address and port, or leave the key out for port 5300 of this machine";
        reader.refuse(fields.value_span("dns"), "`dns` lists no address to listen on", help);
    }
    let mut gates: Vec<Gate> = Vec::new();
    for way in Way::ALL {
        if !is_built(way) && fields.written(way.word()) {
            let message = format!("this build of Rota does not have `{way}`");
            let help = format!("leave it out, or build with --features {}", feature(way));
            reader.refuse(fields.key_span(way.word()), message, help);
            continue;
        }
        for text in &fields.texts(way.word(), reader) {
            let Some(address) = socket(text, usual_port(way), reader) else { continue };
            let gate = Gate { way, address };
            let taken = gates.iter().find(|other| clash(other, &gate));
            match taken {
                Some(other) if other.way == way => {
                    let message = format!("{address} is listed twice");
                    reader.refuse(text.span.clone(), message, "remove one");
                }
                Some(other) => {
                    let message = format!("{address} is listed for `{}` already", other.way);
                    reader.refuse(
                        text.span.clone(),
                        message,
                        "choose another port for one of them",
                    );
                }
                None => gates.push(gate),
            }
        }
    }
    let (dns, gates): (Vec<Gate>, Vec<Gate>) =
        gates.into_iter().partition(|gate| gate.way == Way::Dns);
    let admin = fields.texts("admin", reader).first().and_then(|text| socket(text, 9153, reader));
    let proxies = Proxies {
        protocol: read_networks("proxy_protocol", fields, reader),
        forwarded: read_networks("forwarded", fields, reader),
    };
    let trusts = !proxies.protocol.is_empty() || !proxies.forwarded.is_empty();
    if gates.iter().any(|gate| gate.way == Way::Http) && !trusts {
        let help = "list the networks of the proxies in `forwarded`, or in `proxy_protocol`";
        let message = "nobody may come in at `http`: without TLS it is for proxies alone";
        reader.refuse(fields.key_span("http"), message, help);
    }
    let (path, limits) = (read_path(fields, reader), read_limits(fields, reader));
    Some(Listen {
        dns: dns.into_iter().map(|gate| gate.address).collect(),
        gates,
        xdp: read_interfaces(fields, reader),
        path,
        admin: admin?,
        workers: count(fields, "workers"),
        proxies,
        limits,
        lame_duck: fields.duration("lame_duck"),
    })
}

/// Names as the kernel takes them: it refuses no others, and so the driver is not asked for them.
fn read_interfaces(fields: &Fields<'_>, reader: &mut Reader<'_>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for Text { text, span } in fields.texts("xdp", reader) {
        let plain = |octet: u8| octet.is_ascii_graphic() && !b"/:".contains(&octet);
        let fits = (1..=INTERFACE_LEN_MAX).contains(&text.len()) && ![".", ".."].contains(&&*text);
        if !fits || !text.bytes().all(plain) {
            let message = format!("{text:?} is not the name of an interface");
            reader.refuse(span, message, "write it as `ip link` shows it: \"eth0\"");
        } else if names.contains(&text) {
            reader.refuse(span, format!("{text} is listed twice"), "remove one");
        } else {
            names.push(text);
        }
    }
    names
}

/// True where two sockets would be bound to one port; 0 is another each time.
fn clash(one: &Gate, other: &Gate) -> bool {
    let again = one.way == other.way;
    one.address == other.address && (again || one.address.port() != 0 && one.way.meets(other.way))
}

fn is_built(way: Way) -> bool {
    match way {
        Way::Dns | Way::Tls | Way::Https | Way::Http => true,
        Way::Quic => cfg!(feature = "doq"),
        Way::H3 => cfg!(feature = "doh3"),
    }
}

fn feature(way: Way) -> &'static str {
    if way == Way::H3 { "doh3" } else { "doq" }
}

fn read_limits(fields: &Fields<'_>, reader: &mut Reader<'_>) -> Limits {
    let (all, per_client) = (fields.number("connections"), fields.number("connections_per_client"));
    if fields.written("connections_per_client")
        && per_client > all
        && fields.sound(&["connections", "connections_per_client"])
    {
        reader.refuse(
            fields.value_span("connections_per_client"),
            format!("{per_client} connections of one client are more than the {all} in all"),
            "lower this, or raise `connections`",
        );
    }
    // The bounds of both keys are within the type, and above zero.
    let small = |name| u32::try_from(fields.number(name)).unwrap_or(u32::MAX);
    Limits {
        connections: count(fields, "connections"),
        connections_per_client: count(fields, "connections_per_client")
            .min(count(fields, "connections")),
        idle: fields.duration("idle_time"),
        handshake: fields.duration("handshake_time"),
        request: fields.duration("request_time"),
        in_flight: small("requests_in_flight"),
        rate: NonZeroU32::new(small("read_rate")).unwrap_or(NonZeroU32::MIN),
    }
}

fn read_path(fields: &Fields<'_>, reader: &mut Reader<'_>) -> String {
    let path = fields.word("doh_path");
    let plain = |octet: u8| octet.is_ascii_graphic() && !b"?#{}<>\"\\^`|%".contains(&octet);
    if !path.starts_with('/') || !path.bytes().all(plain) {
        let message = format!("\"{path}\" is not the path of an address");
        let help = "write a path alone, from its slash: \"/dns-query\"; clients add ?dns=… to it";
        reader.refuse(fields.value_span("doh_path"), message, help);
    }
    path
}

fn socket(text: &Text, port: u16, reader: &mut Reader<'_>) -> Option<SocketAddr> {
    match text.text.parse() {
        Ok(address) => Some(address),
        Err(_) => {
            let help = format!("write for example \"0.0.0.0:{port}\" or \"[::]:{port}\"");
            let message = format!("\"{}\" is not an address and port", text.text);
            reader.refuse(text.span.clone(), message, help);
            None
        }
    }
}
