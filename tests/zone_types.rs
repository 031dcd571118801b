//! Every record type of a master file: what its text means on the wire, and who agrees.
//!
//! The octets of the table come from the RFCs, by hand where an RFC shows only text. Two others are
//! asked: `domain`'s own master file reader must give the same octets for the types it can read,
//! and hickory must take the octets as a record of that type and give them back.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::Arc;

use domain::base::rdata::ComposeRecordData;
use domain::zonefile::inplace::{Entry, Zonefile};
use hickory_proto::rr::{RData, Record};
use hickory_proto::serialize::binary::{BinDecodable, BinDecoder, BinEncodable};
use rota::wire::{Name, RecordType};
use rota::zone::{Source, masterfile};

const ORIGIN: &str = "example.org";

/// Text, and octets in hexadecimal; a word in `'` stands for its ASCII.
const TYPES: &[(&str, &str)] = &[
    ("A 192.0.2.1", "c0000201"),
    ("NS ns.a.", "02 'ns' 01 'a' 00"),
    ("MD a.", "01 'a' 00"),
    ("MF a.", "01 'a' 00"),
    ("CNAME Case.Kept.", "04 'Case' 04 'Kept' 00"),
    (
        "SOA ns.a. root.b. 2026010100 3600 900 604800 300",
        "02 'ns' 01 'a' 00 04 'root' 01 'b' 00 78c275f4 00000e10 00000384 00093a80 0000012c",
    ),
    ("MB a.", "01 'a' 00"),
    ("MG a.", "01 'a' 00"),
    ("MR a.", "01 'a' 00"),
    (r"NULL \# 2 abcd", "abcd"),
    (r"WKS \# 5 c00002 0106", "c000020106"),
    ("PTR a.", "01 'a' 00"),
    ("HINFO \"PC Intel\" linux", "08 'PC' 20 'Intel' 05 'linux'"),
    ("MINFO a. b.", "01 'a' 00 01 'b' 00"),
    ("MX 10 a.", "000a 01 'a' 00"),
    ("TXT \"a b\" c", "03 'a' 20 'b' 01 'c'"),
    ("RP a. .", "01 'a' 00 00"),
    ("AFSDB 1 a.", "0001 01 'a' 00"),
    ("X25 311061700956", "0c '311061700956'"),
    ("ISDN 150862028003217 004", "0f '150862028003217' 03 '004'"),
    ("ISDN 150862028003217", "0f '150862028003217'"),
    ("RT 2 a.", "0002 01 'a' 00"),
    ("NSAP-PTR a.", "01 'a' 00"),
    ("KEY 256 3 8 AQID", "0100 03 08 010203"),
    ("PX 10 a. b.", "000a 01 'a' 00 01 'b' 00"),
    ("GPOS -32.6882 116.8652 10.0", "08 '-32.6882' 08 '116.8652' 04 '10.0'"),
    ("AAAA 2001:db8::1", "20010db8 00000000 00000000 00000001"),
    ("LOC 42 21 54 N 71 06 18 W -24m 30m", "00 33 16 13 89172dd0 70be15f0 00988d20"),
    ("LOC 0 N 180 E -100000", "00 12 16 13 80000000 a69fb200 00000000"),
    (
        "LOC 52 14 5.125 N 0 8 50 E 10.5m 0 90000000m 0.09m",
        "00 00 99 90 8b355745 80081650 00989a9a",
    ),
    ("SRV 0 5 443 a.", "0000 0005 01bb 01 'a' 00"),
    (
        "NAPTR 100 10 u E2U+sip \"!^.*$!sip:a@b!\" .",
        "0064 000a 01 'u' 07 'E2U+sip' 0e '!^.*$!sip:a@b!' 00",
    ),
    ("KX 1 a.", "0001 01 'a' 00"),
    ("CERT PGP 7 8 AQID", "0003 0007 08 010203"),
    ("CERT 1 0 0 AQ ID", "0001 0000 00 010203"),
    ("DNAME a.", "01 'a' 00"),
    ("APL 1:192.168.32.0/21 !1:192.168.38.0/28", "0001 15 03 c0a820 0001 1c 83 c0a826"),
    (
        "APL 1:224.0.0.0/4 2:FF00:0:0:0:0:0:0:0/8 !1:0.0.0.0/0",
        "0001 04 01 e0 0002 08 01 ff 0001 00 80",
    ),
    ("APL", ""),
    ("WKS 192.0.2.1 tcp 25 80", "c0000201 06 00000040 000000000000 80"),
    ("WKS 192.0.2.1 17 domain", "c0000201 11 000000000000 04"),
    ("WKS 192.0.2.1 TCP", "c0000201 06"),
    (
        "NSAP 0x47.0005.80.005a00.0000.0001.e133.ffffff000161.00",
        "47 0005 80 005a00 0000 0001 e133 ffffff000161 00",
    ),
    ("NXT a. A MX NXT", "0161 00 40010002"),
    (
        "SIG A 5 2 300 20200101000000 20190101000000 1 a. aGk=",
        "0001 05 02 0000012c 5e0be100 5c2aad80 0001 016100 6869",
    ),
    (
        "DS 60485 5 1 2BB183AF 5F22588179A53B0A98631FAD1A292118",
        "ec45 05 01 2bb183af5f22588179a53b0a98631fad1a292118",
    ),
    (
        "SSHFP 2 1 123456789abcdef67890123456789abcdef67890",
        "02 01 123456789abcdef67890123456789abcdef67890",
    ),
    ("IPSECKEY 10 1 2 192.0.2.38 AQID", "0a 01 02 c0000226 010203"),
    ("IPSECKEY 10 3 2 gw.a. AQID", "0a 03 02 02 'gw' 01 'a' 00 010203"),
    (
        "RRSIG A 5 3 86400 20030322173103 20030220173103 2642 a. AQID",
        "0001 05 03 00015180 3e7c9dd7 3e5510d7 0a52 01 'a' 00 010203",
    ),
    (
        "NSEC a. A MX RRSIG NSEC TYPE1234",
        "01 'a' 00 0006 400100000003 041b 000000000000000000000000000000000000000000000000000020",
    ),
    ("DNSKEY 256 3 5 AQID", "0100 03 05 010203"),
    (
        "DHCID AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=",
        "000201636fc0b8271c82825bb1ac5c41cf5351aa69b4febd94e8f17cdb95000da48c40",
    ),
    (
        "NSEC3 1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr A RRSIG",
        "01 01 000c 04 aabbccdd 14 174eb2409fe28bcb4887a1836f957f0a8425e27b 0006 400000000002",
    ),
    ("NSEC3PARAM 1 0 12 aabbccdd", "01 00 000c 04 aabbccdd"),
    ("NSEC3PARAM 1 0 0 -", "01 00 0000 00"),
    ("TLSA 3 1 1 0102 03", "03 01 01 010203"),
    ("SMIMEA 3 1 1 0102 03", "03 01 01 010203"),
    (
        "HIP 2 200100107B1A74DF365639CC39F1D578 AwEAAQ== rvs.a. b.",
        "10 02 0004 200100107b1a74df365639cc39f1d578 03010001 03 'rvs' 01 'a' 00 01 'b' 00",
    ),
    ("NINFO a b", "01 'a' 01 'b'"),
    ("RKEY 0 3 8 AQID", "0000 03 08 010203"),
    ("TALINK . a.", "00 01 'a' 00"),
    ("CDS 0 0 0 00", "0000 00 00 00"),
    ("CDNSKEY 0 3 0 AA==", "0000 03 00 00"),
    ("OPENPGPKEY AQID", "010203"),
    ("CSYNC 66 3 A NS AAAA", "00000042 0003 0004 60000008"),
    ("ZONEMD 2018031500 1 240 0102030405060708090a0b0c", "7848b78c 01 f0 0102030405060708090a0b0c"),
    ("SVCB 0 a.", "0000 01 'a' 00"),
    (
        "SVCB 16 a. alpn=h2,h3-19 mandatory=ipv4hint,alpn ipv4hint=192.0.2.1",
        "0010 01 'a' 00 0000 0004 00010004 0001 0009 02 'h2' 05 'h3-19' 0004 0004 c0000201",
    ),
    (
        "HTTPS 1 . port=\"8443\" ipv6hint=2001:db8::1",
        "0001 00 0003 0002 20fb 0006 0010 20010db8000000000000000000000001",
    ),
    ("SPF \"v=spf1 -all\"", "0b 'v=spf1' 20 '-all'"),
    ("NID 10 0014:4fff:ff20:ee64", "000a 00144fffff20ee64"),
    ("L32 10 10.1.2.0", "000a 0a010200"),
    ("L64 10 2001:0DB8:1140:1000", "000a 20010db811401000"),
    ("LP 10 a.", "000a 01 'a' 00"),
    ("EUI48 00-00-5e-00-53-2a", "00005e00532a"),
    ("EUI64 00-00-5e-ef-10-00-00-2a", "00005eef1000002a"),
    ("URI 10 1 \"ftp://a/p\"", "000a 0001 'ftp://a/p'"),
    ("CAA 0 issue \"ca.example.net; policy=ev\"", "00 05 'issue' 'ca.example.net;' 20 'policy=ev'"),
    ("AVC app-name:x", "0a 'app-name:x'"),
    ("RESINFO qnamemin exterr=15", "08 'qnamemin' 09 'exterr=15'"),
    ("WALLET BTC x", "03 'BTC' 01 'x'"),
    ("TA 1 8 2 0102", "0001 08 02 0102"),
    ("DLV 1 8 2 0102", "0001 08 02 0102"),
    (r"TYPE65534 \# 4 0102 0304", "01020304"),
    (r"TYPE65534 \# 0", ""),
    (r"LOC \# 0", ""),
];

fn octets(notation: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    for word in notation.split(' ').filter(|word| !word.is_empty()) {
        match word.strip_prefix('\'').and_then(|word| word.strip_suffix('\'')) {
            Some(text) => octets.extend_from_slice(text.as_bytes()),
            None => octets.extend(
                (0..word.len())
                    .step_by(2)
                    .map(|at| u8::from_str_radix(&word[at..at + 2], 16).unwrap()),
            ),
        }
    }
    octets
}

/// Type and RDATA of a record as our reader has them.
fn ours(text: &str) -> (RecordType, Vec<u8>) {
    let source = Arc::new(Source { path: "z".into(), text: format!("x 60 IN {text}\n") });
    let apex = Name::from_text(ORIGIN).unwrap();
    let mut out = Vec::new();
    let file = masterfile::parse(&source, &apex, &mut |_| Err(String::new()), &mut out);
    assert_eq!(out, [], "{text}");
    let records = file.records.finish();
    let rrset = records.rrsets().next().unwrap();
    (rrset.rtype, rrset.first().to_vec())
}

/// RDATA as `domain`'s own reader of master files has it; none where it cannot read the type.
fn domains(text: &str) -> Option<Vec<u8>> {
    let mut file = Zonefile::from(format!("x.{ORIGIN}. 60 IN {text}\n").as_str());
    file.set_default_class(domain::base::iana::Class::IN);
    let entry = match file.next_entry() {
        Ok(entry) => entry.unwrap(),
        Err(error) => {
            assert!(
                ["concrete data", "expected rtype"]
                    .iter()
                    .any(|end| error.to_string().ends_with(end)),
                "{text}: {error}"
            );
            return None;
        }
    };
    let Entry::Record(record) = entry else { panic!("{text} is no record") };
    let mut octets = Vec::new();
    record.data().compose_rdata(&mut octets).unwrap();
    Some(octets)
}

/// The record on the wire, read and written again by hickory; true where it knows the type.
fn survives_hickory(rtype: RecordType, rdata: &[u8]) -> bool {
    let mut wire = b"\x01x\x00".to_vec();
    wire.extend(rtype.0.to_be_bytes());
    wire.extend([0, 1, 0, 0, 0, 60]);
    wire.extend((rdata.len() as u16).to_be_bytes());
    wire.extend_from_slice(rdata);
    let record = Record::read(&mut BinDecoder::new(&wire)).unwrap();
    assert_eq!(record.to_bytes().unwrap(), wire, "{rtype}");
    !matches!(record.data, RData::Unknown { .. })
}

#[test]
fn text_becomes_the_octets_of_the_rfcs() {
    for (text, expected) in TYPES {
        let (_, rdata) = ours(text);
        assert_eq!(rdata, octets(expected), "{text}: {rdata:02x?}");
    }
}

#[test]
fn domain_reads_the_same_octets() {
    // `domain`'s reader takes an empty quoted string for a number, `@` for a label; none is here.
    let agreed: Vec<&str> = TYPES
        .iter()
        .filter(|(text, _)| {
            domains(text).is_some_and(|theirs| {
                assert_eq!(ours(text).1, theirs, "{text}");
                true
            })
        })
        .map(|(text, _)| text.split(' ').next().unwrap())
        .collect();
    assert!(agreed.len() > 40, "{agreed:?}");
}

#[test]
fn hickory_takes_and_returns_the_octets() {
    let known = TYPES
        .iter()
        .filter(|(_, expected)| !expected.is_empty())
        .filter(|(text, _)| {
            let (rtype, rdata) = ours(text);
            survives_hickory(rtype, &rdata)
        })
        .count();
    assert!(known > 20, "{known}");
}

#[test]
fn the_generic_form_means_the_same() {
    for (text, _) in TYPES {
        let (rtype, rdata) = ours(text);
        let hex: String = rdata.iter().map(|octet| format!("{octet:02x}")).collect();
        let generic = format!("TYPE{} \\# {} {hex}", rtype.0, rdata.len());
        assert_eq!(ours(&generic), (rtype, rdata), "{generic}");
    }
}
