//! Names that come with a service: SRV, HTTPS, TXT, nodes of their own, all of them.

use std::net::IpAddr;

use super::{check, files, good_in, name, said, service};
use crate::config::Grants;
use crate::config::zone::read_with_records;
use crate::wire::RecordType;
use crate::zone::RecordsBuilder;

const TWO: &str = "nodes = [{ name = \"n1\", address = [\"192.0.2.1\", \"2001:db8::1\"] }, \
                   { name = \"n2\", address = \"192.0.2.2\" }]";

fn with(lines: &str) -> String {
    format!("[service.a]\n{lines}\n{TWO}")
}

#[test]
fn further_names_are_records_with_all_addresses() {
    let check = |lines: &str, expected: &[(&str, &str)]| {
        let model = good_in(&with(lines));
        let mut found = Vec::new();
        for rrset in model.records.rrsets() {
            let owner = rrset.name();
            // The delegation's own.
            if owner.label_count() < 4 {
                continue;
            }
            assert_eq!(rrset.ttl, 30, "{owner} {}", rrset.rtype);
            for rdata in rrset.rdata() {
                let v4 = <[u8; 4]>::try_from(rdata).map(IpAddr::from);
                let ip = v4.or_else(|_| <[u8; 16]>::try_from(rdata).map(IpAddr::from)).unwrap();
                found.push((owner.to_string(), ip.to_string()));
            }
        }
        let expected: Vec<_> =
            expected.iter().map(|(a, b)| (format!("{a}.a.app.test."), (*b).to_owned())).collect();
        assert_eq!(found, expected, "{lines}");
    };
    let ttl = "ttl = { calm = \"30s\" }";
    let all = [("all", "192.0.2.1"), ("all", "192.0.2.2"), ("all", "2001:db8::1")];
    let nodes = [("n1", "192.0.2.1"), ("n1", "2001:db8::1"), ("n2", "192.0.2.2")];
    check(ttl, &[]);
    check(&format!("{ttl}\nnames = []"), &[]);
    check(&format!("{ttl}\nnames = [\"all\"]"), &all);
    check(&format!("{ttl}\nnames = [\"nodes\"]"), &nodes);
    check(&format!("{ttl}\nnames = [\"nodes\", \"all\"]"), &[all, nodes].concat());
    check(&format!("{ttl}\nsrv = {{ \"_https._tcp\" = 443 }}"), &nodes);
}

#[test]
fn srv_https_and_explain_have_owners_and_ports() {
    let a = service(&with(
        "srv = { \"_sip._udp\" = 5060, \"_https._tcp\" = 443 }\nhttps = { port = 8443, alpn = \
         [\"h3\", \"h2\"] }\nexplain = [\"127.0.0.0/8\", \"::1\"]",
    ));
    let srv: Vec<_> = a.srv.iter().map(|srv| (srv.owner.to_string(), srv.port)).collect();
    assert_eq!(
        srv,
        [("_sip._udp.a.app.test.".into(), 5060), ("_https._tcp.a.app.test.".into(), 443)]
    );
    let https = a.https.clone().unwrap();
    assert_eq!((https.owner, https.port), (name("_8443._https.a.app.test"), 8443));
    assert_eq!(https.alpn, ["h3", "h2"]);
    let explain = a.explain.clone().unwrap();
    assert_eq!(explain.owner, name("_rota.a.app.test"));
    let to: Vec<_> = explain.to.iter().map(ToString::to_string).collect();
    assert_eq!(to, ["127.0.0.0/8", "::1/128"]);

    // On port 443 the record stands at the name itself, and so it can under a wildcard.
    for (service_name, written) in
        [("a", "true"), ("a", "{ alpn = [] }"), ("*", "{ port = 443 }"), ("@", "true")]
    {
        let a = service(&format!("[service.\"{service_name}\"]\nhttps = {written}\n{TWO}"));
        let https = a.https.clone().unwrap();
        assert_eq!((https.owner, https.port), (a.owner.clone(), 443), "{written}");
        assert!(https.alpn.is_empty());
    }
    let none = service(&with("https = false"));
    assert_eq!((none.https.is_none(), none.explain.is_none(), none.srv.len()), (true, true, 0));
}

#[test]
fn a_wildcard_has_no_names_below_it() {
    let check = |lines: &str, expected: &[&str]| {
        check(&format!("[service.\"*\"]\n{lines}\n{TWO}"), expected);
    };
    let message = |at: &str, key: &str| {
        format!(
            "{at}: `{key}` needs names of its own, which the wildcard *.app.test. has not (write \
             it in a service with a name of its own)"
        )
    };
    check(
        "srv = { \"_https._tcp\" = 443 }\nnames = [\"all\"]\nexplain = [\"::1\"]",
        &[&message("4:1", "srv"), &message("5:1", "names"), &message("6:1", "explain")],
    );
    check(
        "https = { port = 8443 }",
        &["4:1: HTTPS on port 8443 needs a name that the wildcard *.app.test. has not (leave the \
           port out for 443, or write a service with a name of its own)"],
    );
}

#[test]
fn what_cannot_be_published_is_told() {
    let long = format!("https = {{ alpn = [\"{}\"] }}", "h".repeat(256));
    let too_long = format!(
        "4:20: \"{}\" is not a protocol's id (write 1 to 255 visible ASCII characters: \"h2\")",
        "h".repeat(256)
    );
    for (lines, expected) in [
        (
            "srv = { \"https\" = 443 }",
            "4:9: \"https\" is not a service and its protocol (write \"_https._tcp\")",
        ),
        (
            "srv = { \"_sip._udp.x\" = 5060 }",
            "4:9: \"_sip._udp.x\" is not a service and its protocol (write \"_sip._tcp\")",
        ),
        ("srv = { \"_sip._udp\" = 0 }", "4:23: `_sip._udp` is 0, but must be 1 to 65535"),
        (
            "srv = { \"_sip._udp\" = 1, \"_SIP._udp\" = 2 }",
            "4:26: _SIP._udp.a.app.test. would come from here and from what is written above \
             (choose names that differ)",
        ),
        (
            "srv = { \"_8443._https\" = 1 }\nhttps = { port = 8443 }",
            "5:1: _8443._https.a.app.test. would come from here and from what is written above \
             (choose names that differ)",
        ),
        (
            "https = { alpn = [\"\"] }",
            "4:19: \"\" is not a protocol's id (write 1 to 255 visible ASCII characters: \"h2\")",
        ),
        (&long, &too_long),
        ("https = { alpn = [\"h2\", \"h2\"] }", "4:26: h2 stands twice (remove one)"),
        (
            "explain = [\"home\"]",
            "4:13: \"home\" is not a network: no IPv4 or IPv6 address before the slash (write for \
             example \"192.0.2.0/24\" or \"2001:db8::/32\")",
        ),
        ("names = [\"node\"]", "4:10: `names` knows no \"node\" (did you mean \"nodes\"?)"),
        (
            "names = \"all\"",
            "4:9: `names` takes a list, each item \"nodes\" or \"all\", not text \
          (put it in brackets: [\"all\"])",
        ),
    ] {
        check(&with(lines), &[expected]);
    }
}

#[test]
fn names_that_come_with_a_service_are_nobody_elses() {
    let nodes = |all: &str| format!("[service.a]\nnames = [\"nodes\", \"all\"]\nnodes = [{all}]\n");
    let node = |name: &str, ip: u8| format!("{{ name = \"{name}\", address = \"192.0.2.{ip}\" }}");
    check(
        &nodes(&node("x.y", 1)),
        &["5:10: `names` makes the node's name x.y a label, without dots (write for example \
           \"x-y\")"],
    );
    check(
        &nodes(&node("all", 1)),
        &["4:9: \"all\" would be all.a.app.test., as a node's name is too (choose names that \
           differ)"],
    );
    check(
        &format!(
            "[service.a]\nsrv = {{ \"_x._tcp\" = 1 }}\n[service.a.pool.p]\nnodes = [{}]\n\
             [service.a.pool.q]\nnodes = [{}]",
            node("n", 1),
            node("N", 2)
        ),
        &["8:10: N.a.app.test. would come from here and from what is written above (choose names \
           that differ)"],
    );
    check(
        &format!("{}[service.\"n.a\"]\nnodes = [\"192.0.2.9\"]", nodes(&node("n", 1))),
        &["5:10: `names` makes the name n.a.app.test., which is a service (give one of the two \
           another name)"],
    );
    check(
        "[service.a]\nhttps = { port = 8443 }\nnodes = [\"192.0.2.1\"]\n\
         [service.\"_8443._https.a\"]\nnodes = [\"192.0.2.9\"]",
        &["4:1: `https` makes the name _8443._https.a.app.test., which is a service (give one of \
           the two another name)"],
    );
    check(
        &nodes(&node("ns1", 1)).replace("[service.a]", "[service.\"@\"]"),
        &["5:10: `names` makes the name ns1.app.test., which has A records (remove the records, \
           or choose another name)"],
    );
    let label = "l".repeat(63);
    let owner = [label.as_str(); 3].join(".");
    check(
        &nodes(&node(&label, 1)).replace("[service.a]", &format!("[service.\"{owner}\"]")),
        &[&format!(
            "5:10: `names` needs \"{label}\" before {owner}.app.test., but the name is longer than \
             255 octets (choose shorter names)"
        )],
    );
}

#[test]
fn names_that_come_with_a_service_are_free_in_the_zone() {
    let read = |owner: &str, rtype: RecordType, lines: &str| {
        let mut records = RecordsBuilder::new(name("app.test"));
        records.add(&name("app.test"), RecordType::SOA, 60, &[0; 22]);
        records.add(&name(owner), rtype, 60, b"\0");
        let mut out = Vec::new();
        let mut none = |_: &str| Err(String::from("there are none"));
        read_with_records(
            &files(&with(lines)),
            records,
            true,
            &mut none,
            &Grants::none(),
            None,
            &mut out,
        );
        said(&out)
    };
    let all = "srv = { \"_x._tcp\" = 1 }\nhttps = true\nexplain = [\"::1\"]";
    let help = "remove the records, or choose another name";
    for (owner, rtype, place, key) in [
        ("_x._tcp.a", RecordType::SRV, "2:9", "srv"),
        ("_X._tcp.A", RecordType::CNAME, "2:9", "srv"),
        ("n2.a", RecordType::A, "5:67", "srv"),
        ("n2.a", RecordType::NS, "5:67", "srv"),
        ("a", RecordType::HTTPS, "3:9", "https"),
        ("_rota.a", RecordType::TXT, "4:11", "explain"),
    ] {
        let owner = format!("{owner}.app.test");
        let made = owner.to_ascii_lowercase();
        let message = format!("`{key}` makes the name {made}., which has {rtype} records");
        assert_eq!(read(&owner, rtype, all), [format!("{place}: {message} ({help})")]);
    }
    // Other types stand beside them.
    assert_eq!(read("n2.a.app.test", RecordType::TXT, all), [""; 0]);
    assert_eq!(read("a.app.test", RecordType::TXT, all), [""; 0]);
}

#[test]
fn srv_records_fit_a_message() {
    let node = |n: usize| {
        let (name, ip) = (format!("{}{n}", "n".repeat(50)), std::net::Ipv4Addr::from(n as u32));
        format!("{{ name = \"{name}\", address = \"192.0{}\" }}", &ip.to_string()[3..])
    };
    let nodes = (1..=1000).map(node).collect::<Vec<_>>().join(",");
    let text = format!("[service.a]\nsrv = {{ \"_x._tcp\" = 1 }}\nnodes = [{nodes}]");
    let mut out = Vec::new();
    let text = format!("[zone]\nns = [\"ns1 192.0.2.53\"]\n{text}");
    crate::config::read_zone(&files(&text), &mut out);
    let said = said(&out);
    assert!(said.len() == 1 && said[0].contains("octets: no message can"), "{said:?}");
}
