//! What the octets of a record's RDATA mean, as far as a name server must know.
//!
//! A server copies most RDATA without looking inside. It looks for three reasons only: names of
//! the types of RFC 1035 may be compressed, and no others (RFC 3597 §4); the addresses of what an
//! NS, MX, SRV or SVCB record names ride along in the additional section; and an SOA carries the
//! serial and the TTL of negative answers. One table says where the names are:
//!
//! ```text
//!   MX     | Bytes(2) preference | Compressible exchange |
//!   SRV    | Bytes(6) priority, weight, port | Name target |
//!   SOA    | Compressible mname | Compressible rname | Rest: serial .. minimum |
//!   A      | (nothing: an empty layout is all Rest)
//! ```
//!
//! RDATA here is complete and uncompressed, as [`Records`](super::Records) keeps it. Readers give
//! `None` rather than panic on octets that are not what their type says.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::wire::{Name, RecordType, name};

/// One stretch of RDATA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// This many octets that are copied.
    Bytes(usize),
    /// A length octet and as many octets after it. RFC 1035 §3.3.
    CharString,
    /// A domain name that must be written as it is. RFC 3597 §4.
    Name,
    /// A domain name that may be compressed. RFC 1035 §4.1.4, RFC 3597 §4.
    Compressible,
    /// All that is left, copied.
    Rest,
}

/// Where the domain names are inside the RDATA of a type; empty where there are none.
///
/// Types that are not known have no names that anybody may see (RFC 3597 §4).
pub fn name_layout(rtype: RecordType) -> &'static [Part] {
    use Part::{Bytes, CharString, Compressible, Name, Rest};
    match rtype.0 {
        // NS, MD, MF, CNAME, MB, MG, MR, PTR. RFC 1035 §3.3.
        2 | 3 | 4 | 5 | 7 | 8 | 9 | 12 => &[Compressible],
        // SOA. RFC 1035 §3.3.13.
        6 => &[Compressible, Compressible, Rest],
        // MINFO. RFC 1035 §3.3.7.
        14 => &[Compressible, Compressible],
        // MX. RFC 1035 §3.3.9.
        15 => &[Bytes(2), Compressible],
        // RP: RFC 1183 §2.2. TALINK: an internet draft in IANA's list.
        17 | 58 => &[Name, Name],
        // AFSDB and RT: RFC 1183 §1, §3.3. KX: RFC 2230 §3. LP: RFC 6742 §2.4.
        18 | 21 | 36 | 107 => &[Bytes(2), Name],
        // SIG: RFC 2535 §4.1. RRSIG: RFC 4034 §3.1.
        24 | 46 => &[Bytes(18), Name, Rest],
        // PX. RFC 2163 §4.
        26 => &[Bytes(2), Name, Name],
        // NXT: RFC 2535 §5.2. NSEC: RFC 4034 §4.1.
        30 | 47 => &[Name, Rest],
        // SRV. RFC 2782.
        33 => &[Bytes(6), Name],
        // NAPTR. RFC 3403 §4.1.
        35 => &[Bytes(4), CharString, CharString, CharString, Name],
        // DNAME. RFC 6672 §2.1.
        39 => &[Name],
        // SVCB, HTTPS. RFC 9460 §2.2.
        64 | 65 => &[Bytes(2), Name, Rest],
        _ => &[],
    }
}

/// True where RDATA is copied as it is: there are no names in it that may be compressed.
pub fn is_copied(rtype: RecordType) -> bool {
    !name_layout(rtype).contains(&Part::Compressible)
}

/// The stretches of one RDATA in order, each with its octets; together they are all of it.
///
/// Where the octets end early or a name is malformed, the remainder comes as [`Part::Rest`].
pub fn pieces(rtype: RecordType, rdata: &[u8]) -> impl Iterator<Item = (Part, &[u8])> {
    let mut rest = rdata;
    let mut layout = name_layout(rtype).iter().copied();
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let part = layout.next().unwrap_or(Part::Rest);
        let len = match part {
            Part::Bytes(len) => Some(len),
            Part::CharString => rest.first().map(|&len| 1 + usize::from(len)),
            Part::Name | Part::Compressible => name::wire_len(rest),
            Part::Rest => Some(rest.len()),
        };
        let Some((piece, after)) = len.and_then(|len| rest.split_at_checked(len)) else {
            return Some((Part::Rest, std::mem::take(&mut rest)));
        };
        rest = after;
        Some((part, piece))
    })
}

/// True where every name and string that the type begins with is there and complete.
pub fn fits_layout(rtype: RecordType, rdata: &[u8]) -> bool {
    let mut found = pieces(rtype, rdata).map(|(part, _)| part);
    // What goes on to the end may be nothing.
    name_layout(rtype).iter().all(|&part| part == Part::Rest || found.next() == Some(part))
}

/// True where two RDATA are the same record: names inside are compared without case.
///
/// RFC 2181 §5 forbids duplicates, RFC 4343 §3 says what makes names equal.
pub fn same(rtype: RecordType, left: &[u8], right: &[u8]) -> bool {
    if !left.eq_ignore_ascii_case(right) {
        return false;
    }
    left == right
        || pieces(rtype, left).zip(pieces(rtype, right)).all(|((part, left), (_, right))| {
            left == right || matches!(part, Part::Name | Part::Compressible)
        })
}

/// The name in wire form whose addresses belong into the additional section, if the type has one.
///
/// RFC 1035 §3.3.9 and §3.3.11 (MX, NS), RFC 1183 (AFSDB, RT), RFC 2230 (KX), RFC 2782 (SRV),
/// RFC 9460 §4.1 (SVCB and HTTPS, where the root stands for the owner itself).
pub fn target(rtype: RecordType, rdata: &[u8]) -> Option<&[u8]> {
    match rtype.0 {
        2 | 15 | 18 | 21 | 33 | 36 | 64 | 65 => pieces(rtype, rdata)
            .find(|(part, _)| matches!(part, Part::Name | Part::Compressible))
            .map(|(_, piece)| piece),
        _ => None,
    }
}

/// The RDATA of an SOA record; times in seconds. RFC 1035 §3.3.13, RFC 2308 §4 for `minimum`.
pub fn soa(
    mname: &Name,
    rname: &Name,
    serial: u32,
    refresh: u32,
    retry: u32,
    expire: u32,
    minimum: u32,
) -> Box<[u8]> {
    let numbers = [serial, refresh, retry, expire, minimum].map(u32::to_be_bytes);
    [mname.as_wire(), rname.as_wire(), numbers.as_flattened()].concat().into()
}

/// The RDATA of an NS record.
pub fn ns(host: &Name) -> Box<[u8]> {
    host.as_wire().into()
}

/// The RDATA of an A record.
pub fn a(address: Ipv4Addr) -> Box<[u8]> {
    Box::new(address.octets())
}

/// The RDATA of an AAAA record.
pub fn aaaa(address: Ipv6Addr) -> Box<[u8]> {
    Box::new(address.octets())
}

/// The primary server that an SOA's RDATA names.
pub fn soa_mname(rdata: &[u8]) -> Option<Name> {
    Name::from_wire(rdata.get(..name::wire_len(rdata)?)?).ok()
}

/// The mailbox that an SOA's RDATA names, its first dot standing for `@`.
pub fn soa_rname(rdata: &[u8]) -> Option<Name> {
    let rest = rdata.get(name::wire_len(rdata)?..)?;
    Name::from_wire(rest.get(..name::wire_len(rest)?)?).ok()
}

/// The serial of an SOA's RDATA.
pub fn soa_serial(rdata: &[u8]) -> Option<u32> {
    soa_number(rdata, 0)
}

/// MINIMUM of an SOA's RDATA: the upper bound of the TTL of negative answers. RFC 2308 §4.
pub fn soa_minimum(rdata: &[u8]) -> Option<u32> {
    soa_number(rdata, 4)
}

/// One of the five numbers after the two names.
fn soa_number(rdata: &[u8], index: usize) -> Option<u32> {
    let (_, numbers) = pieces(RecordType::SOA, rdata).nth(2)?;
    let (numbers, odd) = numbers.as_chunks::<4>();
    if numbers.len() != 5 || !odd.is_empty() {
        return None;
    }
    Some(u32::from_be_bytes(numbers[index]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::from_text(text).unwrap()
    }

    #[test]
    fn only_types_whose_names_may_be_compressed_are_looked_into() {
        for rtype in [RecordType::A, RecordType::AAAA, RecordType::TXT, RecordType::SRV] {
            assert!(is_copied(rtype), "{rtype}");
        }
        for rtype in [RecordType::NS, RecordType::CNAME, RecordType::MX, RecordType::SOA] {
            assert!(!is_copied(rtype), "{rtype}");
        }
    }

    #[test]
    fn reads_back_the_soa_that_it_builds() {
        let rdata = soa(&name("ns1.example.org"), &name("a.b"), 7, 3600, 600, 86400, 60);
        assert_eq!(soa_mname(&rdata), Some(name("ns1.example.org")));
        assert_eq!(soa_rname(&rdata), Some(name("a.b")));
        assert_eq!(soa_serial(&rdata), Some(7));
        assert_eq!(soa_minimum(&rdata), Some(60));
        for cut in 0..rdata.len() {
            assert_eq!(soa_minimum(&rdata[..cut]), None, "{cut} octets");
        }
    }

    #[test]
    fn names_that_are_missing_or_cut_do_not_fit() {
        for (rtype, octets, expected) in [
            (RecordType::NS, &b"\x01a\x00"[..], true),
            (RecordType::NS, b"\x01a", false),
            (RecordType::NS, b"", false),
            (RecordType::AFSDB, b"\0\0", false),
            (RecordType::NSEC, b"\0", true),
            (RecordType::A, b"", true),
        ] {
            assert_eq!(fits_layout(rtype, octets), expected, "{rtype} {octets:?}");
        }
    }

    #[test]
    fn names_inside_rdata_are_the_same_in_any_case() {
        for (rtype, left, right, expected) in [
            (RecordType::NS, &b"\x01a\x00"[..], &b"\x01A\x00"[..], true),
            (RecordType::NS, b"\x01a\x00", b"\x01b\x00", false),
            (RecordType::TXT, b"\x01a", b"\x01A", false),
            (RecordType::MX, b"a1\x01a\x00", b"A1\x01a\x00", false),
            (RecordType::MX, b"a1\x01a\x00", b"a1\x01A\x00", true),
            (RecordType(65534), b"\x01a\x00", b"\x01A\x00", false),
            (RecordType(65534), b"", b"", true),
        ] {
            assert_eq!(same(rtype, left, right), expected, "{rtype} {left:?} {right:?}");
        }
    }

    #[test]
    fn finds_the_names_inside_rdata() {
        fn check(rtype: RecordType, rdata: &[u8], expected: &[(Part, usize)], target_at: usize) {
            let found: Vec<(Part, usize)> =
                pieces(rtype, rdata).map(|(part, piece)| (part, piece.len())).collect();
            assert_eq!(found, expected, "{rtype}");
            let expected = (target_at < rdata.len()).then(|| &rdata[target_at..][..3]);
            assert_eq!(target(rtype, rdata), expected, "{rtype}");
        }
        const NONE: usize = usize::MAX;
        check(RecordType::A, b"\xc0\x00\x02\x01", &[(Part::Rest, 4)], NONE);
        check(RecordType::NS, b"\x01a\x00", &[(Part::Compressible, 3)], 0);
        check(RecordType::CNAME, b"\x01a\x00", &[(Part::Compressible, 3)], NONE);
        check(
            RecordType::MX,
            b"\0\x0a\x01a\x00",
            &[(Part::Bytes(2), 2), (Part::Compressible, 3)],
            2,
        );
        check(RecordType::SRV, b"123456\x01a\x00", &[(Part::Bytes(6), 6), (Part::Name, 3)], 6);
        check(
            RecordType::HTTPS,
            b"\0\x01\x01a\x00\0\x01\0\0",
            &[(Part::Bytes(2), 2), (Part::Name, 3), (Part::Rest, 4)],
            2,
        );
        check(
            RecordType::NAPTR,
            b"\0\x01\0\x02\x01u\x00\x02!!\x01a\x00",
            &[
                (Part::Bytes(4), 4),
                (Part::CharString, 2),
                (Part::CharString, 1),
                (Part::CharString, 3),
                (Part::Name, 3),
            ],
            NONE,
        );
        // Octets that are not what the type says are still all there.
        check(RecordType::MX, b"\0", &[(Part::Rest, 1)], NONE);
        check(RecordType::NS, b"\xc0\x0c", &[(Part::Rest, 2)], NONE);
        check(RecordType(65534), b"\x01a\x00", &[(Part::Rest, 3)], NONE);
    }
}
