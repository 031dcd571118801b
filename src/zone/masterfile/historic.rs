//! Types of another age whose text no library reads any more: WKS, NSAP, NXT.
//!
//! They stand in zone files that nobody has looked at for decades, and a server that refuses the
//! whole file because of one of them is of no use to whoever inherited it. SIG is here in name
//! only: its text is that of RRSIG (RFC 4034 §3.2), and so it is read as one.

use super::fields::{Fault, Fields};
use crate::wire::RecordType;

/// Types in an NXT's bitmap. RFC 2535 §5.2: a longer one has another form, which was never given.
const NXT_TYPES_MAX: u16 = 128;

/// Services that WKS records name. IANA's list as far as RFC 1010 had it, and a few after it.
const SERVICES: [(&str, u16); 22] = [
    ("echo", 7),
    ("discard", 9),
    ("daytime", 13),
    ("ftp-data", 20),
    ("ftp", 21),
    ("ssh", 22),
    ("telnet", 23),
    ("smtp", 25),
    ("time", 37),
    ("domain", 53),
    ("tftp", 69),
    ("gopher", 70),
    ("finger", 79),
    ("http", 80),
    ("pop3", 110),
    ("sunrpc", 111),
    ("nntp", 119),
    ("ntp", 123),
    ("imap", 143),
    ("snmp", 161),
    ("bgp", 179),
    ("https", 443),
];

/// Appends the RDATA of one of these types to `wire`; false for any other type.
pub(super) fn read(
    rtype: RecordType,
    fields: &mut Fields<'_, '_>,
    wire: &mut Vec<u8>,
) -> Result<bool, Fault> {
    match rtype.0 {
        11 => well_known_services(fields, wire)?,
        22 => service_access_point(fields, wire)?,
        30 => next(fields, wire)?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// WKS: an address, a protocol, and a bit for each port. RFC 1035 §3.4.2.
fn well_known_services(fields: &mut Fields<'_, '_>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    let address: std::net::Ipv4Addr =
        fields.word()?.parse().map_err(|_| Fault::new("expected IPv4 address"))?;
    wire.extend(address.octets());
    let protocol = fields.word()?;
    wire.push(match protocol.to_ascii_lowercase().as_str() {
        "tcp" => 6,
        "udp" => 17,
        number => number.parse().map_err(|_| Fault::new("expected tcp, udp or a number"))?,
    });
    let mut ports = Vec::new();
    while fields.peek().is_some() {
        ports.push(port(fields.word()?)?);
    }
    wire.extend(bits(&ports));
    Ok(())
}

fn port(text: &str) -> Result<u16, Fault> {
    SERVICES
        .iter()
        .find(|(name, _)| text.eq_ignore_ascii_case(name))
        .map(|&(_, port)| port)
        .or_else(|| text.parse().ok())
        .ok_or_else(|| Fault::new("expected a port, or a service such as smtp"))
}

/// NSAP: `0x` and hexadecimal digits, with dots wherever they help the eye. RFC 1706 §7.
fn service_access_point(fields: &mut Fields<'_, '_>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    let fault = || Fault::new("expected 0x and pairs of hex digits, with dots between");
    let text = fields.word()?;
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).ok_or_else(fault)?;
    let digits: Option<Vec<u8>> = digits
        .chars()
        .filter(|letter| *letter != '.')
        .map(|letter| letter.to_digit(16).map(|digit| digit as u8))
        .collect();
    let digits = digits.filter(|all| !all.is_empty() && all.len() % 2 == 0).ok_or_else(fault)?;
    wire.extend(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]));
    Ok(())
}

/// NXT: a name, and a bit for each type below 128. RFC 2535 §5.2.
fn next(fields: &mut Fields<'_, '_>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    wire.extend_from_slice(fields.name()?.as_wire());
    let mut types = Vec::new();
    while fields.peek().is_some() {
        let rtype = fields.word()?.parse::<RecordType>().ok();
        let rtype = rtype
            .filter(|rtype| (1..NXT_TYPES_MAX).contains(&rtype.0))
            .ok_or_else(|| Fault::new("expected a type with a number from 1 to 127"))?;
        types.push(rtype.0);
    }
    wire.extend(bits(&types));
    Ok(())
}

/// One bit for each number, the first bit of the first octet being 0; no zeros at the end.
fn bits(numbers: &[u16]) -> Vec<u8> {
    let len = numbers.iter().map(|&number| usize::from(number) / 8 + 1).max().unwrap_or(0);
    let mut octets = vec![0; len];
    for &number in numbers {
        octets[usize::from(number) / 8] |= 0x80 >> (number % 8);
    }
    octets
}
