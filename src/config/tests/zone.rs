//! `[zone]`: the delegation that it makes, and what would not resolve.

use super::{check_whole, files, name};
use crate::config::read_zone;
use crate::snapshot::Authored;
use crate::wire::RecordType;

#[test]
fn zone_makes_the_delegation() {
    let model = read_zone(
        &files(
            "[zone]\nns = [\"ns1 192.0.2.53 2001:db8::53\", \"ns.other.test.\"]\n\
                contact = \"dns.team@example.org\"",
        ),
        &mut Vec::new(),
    );
    let Authored::Good(model) = model else { panic!("the text is right") };
    let apex = name("app.test");
    let rdata = |owner: &str, rtype| -> Vec<&[u8]> {
        model.records.get(&name(owner), rtype).unwrap().rdata().collect()
    };
    assert_eq!(model.records.rrsets().len(), 4);
    assert_eq!(
        rdata("app.test", RecordType::NS),
        [b"\x03ns1\x03app\x04test\0".as_slice(), b"\x02ns\x05other\x04test\0"]
    );
    assert_eq!(rdata("ns1.app.test", RecordType::A), [[192, 0, 2, 53]]);
    assert_eq!(rdata("ns1.app.test", RecordType::AAAA)[0].len(), 16);
    let soa = model.records.get(&apex, RecordType::SOA).unwrap();
    assert_eq!(soa.ttl, 3600);
    assert_eq!(
        soa.first(),
        b"\x03ns1\x03app\x04test\0\x08dns.team\x07example\x03org\0\
           \0\0\0\x07\0\0\x0e\x10\0\0\x02\x58\0\x12\x75\0\0\0\0\x3c"
    );
}

#[test]
fn zone_refuses_what_would_not_resolve() {
    for (text, expected) in [
        (
            "ns = []",
            "2:6: the zone has no name server (write for example ns = [\"ns1 \
          192.0.2.53\"], with this server's public address)",
        ),
        (
            "ns = \"ns1\"",
            "2:6: `ns` takes a list, each item a name and its addresses (\"ns1 \
          192.0.2.53\"), not text (put it in brackets: [\"ns1\"])",
        ),
        (
            "ns = [\"ns1\"]",
            "2:8: the name server ns1.app.test. has no address (add it: \"ns1 \
          192.0.2.53\")",
        ),
        (
            "ns = [\"ns.other.test\"]",
            "2:8: the name server ns.other.test.app.test. has no address \
          (add it: \"ns.other.test 192.0.2.53\"; for a name outside the zone, end it with a dot: \
          \"ns.other.test.\")",
        ),
        (
            "ns = [\"192.0.2.53\"]",
            "2:8: a name server needs a name (write a name first: \"ns1 \
          192.0.2.53\")",
        ),
        (
            "ns = [\"ns1 192.0.2.53:53\"]",
            "2:12: \"192.0.2.53:53\" is not an address (write IPv4 or \
          IPv6 addresses after the name, without ports)",
        ),
        (
            "ns = [\"ns.other.test. 192.0.2.53\"]",
            "2:8: ns.other.test. lies outside the zone, so its \
          address is not ours to say (leave the address out; its own zone has it)",
        ),
        (
            "ns = [\"ns1 192.0.2.53\"]\ncontact = \"me\"",
            "3:12: \"me\" is not a mail address (write \
          it as mail has it: \"dns@example.org\")",
        ),
        (
            "",
            "1:1: [zone] needs `ns` (write `ns = …`: a list, each item a name and its addresses \
          (\"ns1 192.0.2.53\"))",
        ),
    ] {
        check_whole(&format!("[zone]\n{text}"), &[expected.replace("1:1", "1:2").as_str()]);
    }
    check_whole(
        "",
        &["1:1: the zone app.test. has no name servers (write [zone] with ns = [\"ns1 \
                      192.0.2.53\"]: each server's name and public address)"],
    );
}
