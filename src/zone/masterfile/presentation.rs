//! Record types that `domain` cannot read from text; SOA, whose times may have units; and
//! addresses, which are most of what there is to read.
//!
//! Most types are a row of simple fields, so most are one line of a table: the fields in the order
//! of the text, which is also their order on the wire. The few whose text is arranged otherwise
//! (LOC, APL, HIP) have a function each.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use domain::base::iana::SecurityAlgorithm;

use super::fields::{Fault, Fields};
use super::{historic, location, ttl};
use crate::wire::RecordType;

/// One field of a record's text.
#[derive(Clone, Copy)]
enum Field {
    Name,
    U8,
    U16,
    U32,
    /// Seconds, or with units as in `1h`.
    Time,
    Ipv4,
    /// 64 bits in four groups of hexadecimal digits. RFC 6742 §2.1.
    Groups64,
    /// This many pairs of hexadecimal digits with hyphens between. RFC 7043 §3, §4.
    Pairs(usize),
    /// A string of up to 255 octets with its length before it.
    Text,
    /// The same, which may be missing.
    OptionalText,
    /// One or more strings.
    Texts,
    /// A string without a length, not empty. RFC 7553 §4.4.
    Octets,
    /// A DNSSEC algorithm by number or mnemonic. RFC 4034 §A.1.
    Algorithm,
    /// A certificate type by number or mnemonic. RFC 4398 §2.1.
    CertificateType,
    Hex,
    Base64,
    TypeBitmap,
}

/// The fields of a type, if it is one of the simple ones.
fn layout(rtype: RecordType) -> Option<&'static [Field]> {
    use Field::{
        Algorithm, Base64, CertificateType, Groups64, Hex, Ipv4, Name, Octets, OptionalText, Pairs,
        Text, Texts, Time, TypeBitmap, U8, U16, U32,
    };
    Some(match rtype.0 {
        // SOA. RFC 1035 §3.3.13.
        6 => &[Name, Name, U32, Time, Time, Time, Time],
        // AFSDB, RT: RFC 1183. KX: RFC 2230. LP: RFC 6742.
        18 | 21 | 36 | 107 => &[U16, Name],
        // X25, ISDN: RFC 1183.
        19 => &[Text],
        20 => &[Text, OptionalText],
        // NSAP-PTR. RFC 1706 §6.
        23 => &[Name],
        // KEY: RFC 2535 §7.1. RKEY: IANA's list.
        25 | 57 => &[U16, U8, Algorithm, Base64],
        // PX. RFC 2163 §4.
        26 => &[U16, Name, Name],
        // GPOS. RFC 1712 §3.
        27 => &[Text, Text, Text],
        // CERT. RFC 4398 §2.2.
        37 => &[CertificateType, U16, Algorithm, Base64],
        // DHCID. RFC 4701 §3.2.
        49 => &[Base64],
        // SMIMEA. RFC 8162 §2.
        53 => &[U8, U8, U8, Hex],
        // NINFO, SPF (RFC 7208 §3.1), AVC, RESINFO (RFC 9606 §4), WALLET.
        56 | 99 | 258 | 261 | 262 => &[Texts],
        // TALINK.
        58 => &[Name, Name],
        // CSYNC. RFC 7477 §2.1.2.
        62 => &[U32, U16, TypeBitmap],
        // NID, L32, L64. RFC 6742 §2.
        104 | 106 => &[U16, Groups64],
        105 => &[U16, Ipv4],
        // EUI48, EUI64. RFC 7043.
        108 => &[Pairs(6)],
        109 => &[Pairs(8)],
        // URI. RFC 7553 §4.5.
        256 => &[U16, U16, Octets],
        // TA, DLV. RFC 4431.
        32768 | 32769 => &[U16, Algorithm, U8, Hex],
        _ => return None,
    })
}

/// Appends the RDATA of a type to `wire`; false where the type is not one of this file's.
pub(super) fn read(
    rtype: RecordType,
    fields: &mut Fields<'_, '_>,
    wire: &mut Vec<u8>,
) -> Result<bool, Fault> {
    match rtype {
        RecordType::A => return Ok(address::<Ipv4Addr, _>(fields, wire, |it| it.octets())),
        RecordType::AAAA => return Ok(address::<Ipv6Addr, _>(fields, wire, |it| it.octets())),
        RecordType::LOC => location::read(fields, wire)?,
        RecordType::APL => address_prefixes(fields, wire)?,
        RecordType::HIP => host_identity(fields, wire)?,
        simple => match layout(simple) {
            Some(layout) => {
                for &field in layout {
                    read_field(field, fields, wire)?;
                }
            }
            None => return historic::read(simple, fields, wire),
        },
    }
    Ok(true)
}

/// An address as nearly all are written; false for what is written otherwise, with escapes, or is
/// none, of which `domain` tells what is wrong.
fn address<T: FromStr, const LEN: usize>(
    fields: &mut Fields<'_, '_>,
    wire: &mut Vec<u8>,
    octets: impl FnOnce(T) -> [u8; LEN],
) -> bool {
    let address = fields.peek().and_then(|token| token.text.parse().ok());
    let Some(address) = address.filter(|_| fields.token().is_ok()) else { return false };
    wire.extend(octets(address));
    true
}

fn read_field(field: Field, fields: &mut Fields<'_, '_>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    match field {
        Field::Name => wire.extend_from_slice(fields.name()?.as_wire()),
        Field::U8 => wire.push(fields.number()?),
        Field::U16 => wire.extend(fields.number::<u16>()?.to_be_bytes()),
        Field::U32 => wire.extend(fields.number::<u32>()?.to_be_bytes()),
        Field::Time => {
            let time = ttl::seconds(fields.word()?)
                .ok_or_else(|| Fault::new("expected a time, such as 3600 or 1h"))?;
            wire.extend(time.to_be_bytes());
        }
        Field::Ipv4 => {
            let address: Ipv4Addr =
                fields.word()?.parse().map_err(|_| Fault::new("expected IPv4 address"))?;
            wire.extend(address.octets());
        }
        Field::Groups64 => {
            let groups = hex_groups(fields.word()?, ':', 4, 1..=4)
                .ok_or_else(|| Fault::new("expected four groups of hex digits, 0:0:0:0"))?;
            wire.extend(groups.into_iter().flat_map(u16::to_be_bytes));
        }
        Field::Pairs(count) => {
            let pairs = hex_groups(fields.word()?, '-', count, 2..=2)
                .ok_or_else(|| Fault::new(format!("expected {count} pairs of hex digits, 00-…")))?;
            wire.extend(pairs.into_iter().map(|pair| pair as u8));
        }
        Field::Text => text(fields, wire)?,
        Field::OptionalText if fields.peek().is_none() => {}
        Field::OptionalText => text(fields, wire)?,
        Field::Texts => {
            text(fields, wire)?;
            while fields.peek().is_some() {
                text(fields, wire)?;
            }
        }
        Field::Octets => {
            let octets = fields.octets()?;
            if octets.is_empty() {
                return Err(Fault::new("an empty string where a value is expected"));
            }
            wire.extend(octets);
        }
        Field::Algorithm => {
            let found: Result<SecurityAlgorithm, _> = fields.word()?.parse();
            wire.push(found.map_err(|_| Fault::new("expected an algorithm's number"))?.to_int());
        }
        Field::CertificateType => wire.extend(certificate_type(fields.word()?)?.to_be_bytes()),
        Field::Hex => wire.extend(fields.hex_to_end()?),
        Field::Base64 => wire.extend(fields.base64_to_end()?),
        Field::TypeBitmap => wire.extend(fields.type_bitmap()?),
    }
    Ok(())
}

fn text(fields: &mut Fields<'_, '_>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    let octets = fields.octets()?;
    let length =
        u8::try_from(octets.len()).map_err(|_| Fault::new("a string of more than 255 octets"))?;
    wire.push(length);
    wire.extend(octets);
    Ok(())
}

fn hex_groups(
    text: &str,
    separator: char,
    count: usize,
    digits: std::ops::RangeInclusive<usize>,
) -> Option<Vec<u16>> {
    let groups: Option<Vec<u16>> = text
        .split(separator)
        .map(|group| {
            let good = digits.contains(&group.len())
                && group.bytes().all(|digit| digit.is_ascii_hexdigit());
            good.then(|| u16::from_str_radix(group, 16).ok())?
        })
        .collect();
    groups.filter(|groups| groups.len() == count)
}

fn certificate_type(text: &str) -> Result<u16, Fault> {
    const MNEMONICS: [(&str, u16); 10] = [
        ("PKIX", 1),
        ("SPKI", 2),
        ("PGP", 3),
        ("IPKIX", 4),
        ("ISPKI", 5),
        ("IPGP", 6),
        ("ACPKIX", 7),
        ("IACPKIX", 8),
        ("URI", 253),
        ("OID", 254),
    ];
    MNEMONICS
        .iter()
        .find(|(mnemonic, _)| text.eq_ignore_ascii_case(mnemonic))
        .map(|&(_, number)| number)
        .or_else(|| text.parse().ok())
        .ok_or_else(|| Fault::new("expected a certificate type, such as PKIX or 1"))
}

/// HIP: lengths come first on the wire, and names may follow. RFC 8005 §5, §6.
fn host_identity(fields: &mut Fields<'_, '_>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    let algorithm: u8 = fields.number()?;
    let tag = fields.hex()?;
    let tag_length = u8::try_from(tag.len()).map_err(|_| Fault::new("the tag is too long"))?;
    let key = fields.base64()?;
    let key_length = u16::try_from(key.len()).map_err(|_| Fault::new("the key is too long"))?;
    wire.extend([tag_length, algorithm]);
    wire.extend(key_length.to_be_bytes());
    wire.extend(tag);
    wire.extend(key);
    while fields.peek().is_some() {
        wire.extend_from_slice(fields.name()?.as_wire());
    }
    Ok(())
}

/// APL: items `[!]family:address/prefix`; zeros at an address's end are not sent. RFC 3123 §4, §5.
fn address_prefixes(fields: &mut Fields<'_, '_>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    while fields.peek().is_some() {
        let item = fields.word()?;
        let (negated, rest) = match item.strip_prefix('!') {
            Some(rest) => (0x80, rest),
            None => (0, item),
        };
        let (family, address, prefix) = address_prefix(rest)
            .ok_or_else(|| Fault::new("expected 1:address/prefix, or 2: for IPv6"))?;
        let octets = match address {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        let used = octets.iter().rposition(|&octet| octet != 0).map_or(0, |last| last + 1);
        wire.extend(family.to_be_bytes());
        wire.extend([prefix, negated | used as u8]);
        wire.extend_from_slice(&octets[..used]);
    }
    Ok(())
}

fn address_prefix(text: &str) -> Option<(u16, IpAddr, u8)> {
    let (family, rest) = text.split_once(':')?;
    let (address, prefix) = rest.split_once('/')?;
    let prefix: u8 = prefix.parse().ok()?;
    let (family, address, bits) = match family {
        "1" => (1, IpAddr::V4(address.parse().ok()?), 32),
        "2" => (2, IpAddr::V6(address.parse().ok()?), 128),
        _ => return None,
    };
    (prefix <= bits).then_some((family, address, prefix))
}
