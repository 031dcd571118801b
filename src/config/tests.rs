//! One table per subject: a zone's text, and all that is said of it.

use std::sync::Arc;
use std::time::Duration;

use toml::de::DeValue;

use super::keys::{Fallback, Takes};
use super::tables::KINDS;
use super::value::as_share;
use super::zone::read_with_records;
use super::{ZoneFiles, read_zone};
use crate::health::{Check, HoldDown, Share};
use crate::snapshot::{Authored, ZoneModel};
use crate::steer::{Answers, Guard, Policy, Service, WhenAllDown};
use crate::wire::{Name, RecordType};
use crate::zone::{Diagnostic, Records, Source};

fn name(text: &str) -> Name {
    Name::from_text(text).unwrap()
}

fn files(text: &str) -> ZoneFiles {
    let source = Source { path: "app.test.toml".to_owned(), text: text.to_owned() };
    ZoneFiles { apex: name("app.test"), toml: Some(Arc::new(source)), master: None, serial: 7 }
}

/// `[zone]`, then the text from line 3 on: what is said, without the file's name.
fn check(text: &str, expected: &[&str]) {
    let text = format!("[zone]\nns = [\"ns1 192.0.2.53\"]\n{text}");
    check_whole(&text, expected);
}

fn check_whole(text: &str, expected: &[&str]) {
    let mut out = Vec::new();
    read_zone(&files(text), &mut out);
    assert_eq!(said(&out), expected, "{text}");
}

fn said(out: &[Diagnostic]) -> Vec<String> {
    out.iter().map(|one| one.to_string().replace("app.test.toml:", "")).collect()
}

fn good(text: &str) -> Arc<ZoneModel> {
    let text = format!("[zone]\nns = [\"ns1 192.0.2.53\"]\n{text}");
    let mut out = Vec::new();
    match read_zone(&files(&text), &mut out) {
        Authored::Good(model) => model,
        Authored::Broken(_) => panic!("{:?}", said(&out)),
    }
}

fn service(text: &str) -> Arc<Service> {
    Arc::clone(&good(text).services[0])
}

#[test]
fn every_default_is_what_its_key_takes() {
    fn fits(takes: &Takes, value: &DeValue<'_>) -> bool {
        match (takes, value) {
            (Takes::Either(all), _) => all.iter().any(|one| fits(one, value)),
            (Takes::List(inner), DeValue::Array(all)) => {
                all.iter().all(|one| fits(inner, one.get_ref()))
            }
            (Takes::Number { min, max }, DeValue::Integer(number)) => {
                number.as_str().parse().is_ok_and(|n: u64| (*min..=*max).contains(&n))
            }
            (Takes::Duration { min, max, .. }, DeValue::String(text)) => {
                humantime::parse_duration(text).is_ok_and(|time| (*min..=*max).contains(&time))
            }
            (Takes::Words { words, .. }, DeValue::String(text)) => {
                words.iter().any(|word| word.name == text)
            }
            (Takes::Share, found) => as_share(found).is_some(),
            (Takes::Text(_), DeValue::String(_)) | (Takes::Flag, DeValue::Boolean(_)) => true,
            _ => false,
        }
    }
    for kind in KINDS {
        for (index, key) in kind.keys.iter().enumerate() {
            let at = format!("{}: {}", kind.noun, key.name);
            assert!(!key.doc.is_empty() && !key.doc.ends_with('.'), "{at}");
            assert!(!kind.keys[..index].iter().any(|other| other.name == key.name), "{at}");
            if let Fallback::Value(text) = key.default {
                let value = DeValue::parse(text).expect(&at).into_inner();
                assert!(fits(&key.takes, &value), "{at} = {text}");
            }
        }
    }
}

#[test]
fn six_lines_have_every_default() {
    let service = service("[service.\"@\"]\nnodes = [\"192.0.2.1\"]\ncheck = { http = \":80\" }");
    assert_eq!(service.owner, name("app.test"));
    assert_eq!(service.id, "app.test/@");
    assert_eq!(service.policy, Policy::Rotate);
    assert_eq!(service.answers, Answers::DEFAULT);
    assert_eq!((service.ttl.calm, service.ttl.alert), (5, 5));
    assert_eq!(service.when_all_down, WhenAllDown::Open);
    let node = service.nodes().next().unwrap();
    assert_eq!((node.id.as_str(), node.weight), ("app.test/@/192-0-2-1", 1));
    let check = &node.addresses[0].targets[0].check;
    assert_eq!((check.every, check.timeout), (Duration::from_secs(5), Duration::from_secs(2)));
    assert_eq!((check.fails, check.passes), (3, 2));
    let crate::health::Ask::Http(http) = &check.ask;
    assert_eq!((http.tls, http.port, http.path.as_str()), (false, 80, "/"));
    assert_eq!((http.host.as_str(), http.expect.as_slice()), ("app.test", &[200..=299][..]));
}

#[test]
fn long_nodes_have_names_families_labels_and_ties() {
    let service = service(
        "[service.app]\ntogether = true\npolicy = \"ordered\"\nanswers = \"all\"\n\
         when_all_down = \"closed\"\nttl = { calm = \"30s\" }\nnodes = [\n\
         { name = \"eu1\", address = [\"192.0.2.11\", \"2001:db8::11\"], labels = { rack = \
         \"a\" } },\n\
         { address = \"2001:db8::12\", together = false, weight = 1 } ]",
    );
    let nodes: Vec<_> = service.nodes().collect();
    assert_eq!(nodes[0].id, "app.test/app/eu1");
    assert_eq!(nodes[0].addresses.len(), 2);
    assert_eq!(nodes[0].labels["rack"], "a");
    assert_eq!((nodes[0].together, nodes[1].together), (true, false));
    assert_eq!(nodes[1].name, "2001-db8--12");
    assert_eq!((service.policy, service.answers), (Policy::Ordered, Answers::All));
    assert_eq!((service.ttl.calm, service.ttl.alert), (30, 5));
    assert_eq!(service.when_all_down, WhenAllDown::Closed);
    assert_eq!(service.targets().count(), 0);
}

#[test]
fn names_of_services_are_relative_absolute_or_wild() {
    for (written, owner, id) in [
        ("@", "app.test", "app.test/@"),
        ("WWW", "www.app.test", "app.test/www"),
        ("www.app.test.", "www.app.test", "app.test/www"),
        ("*.eu", "*.eu.app.test", "app.test/*.eu"),
    ] {
        let service = service(&format!("[service.\"{written}\"]\nnodes = [\"192.0.2.1\"]"));
        assert_eq!((service.owner.clone(), service.id.as_str()), (name(owner), id));
    }
    let node = "nodes = [\"192.0.2.1\"]";
    check(
        &format!("[service.a]\n{node}\n[service.A]\n{node}\n[service.\"b.\"]\n[service.\"c..d\"]"),
        &[
            "5:10: \"A\" is the same name as \"a\" above (keep one of the two)",
            "7:10: the service b. lies outside the zone app.test. (names that end with a dot are \
             complete; others lie under the zone)",
            "8:10: \"c..d\" is not a name: a label is empty (two dots in a row, or a leading dot) \
             (write labels of 1 to 63 characters with dots between them)",
        ],
    );
    check(
        &format!("[service.\"www.app.test\"]\n{node}"),
        &["3:10: this is the service www.app.test.app.test. (the zone's name is added to names \
           without a final dot: leave it out here)"],
    );
}

#[test]
fn names_that_no_client_could_ask_for_are_refused() {
    for (written, expected) in [
        ("bücher", "it has letters beyond ASCII (write it in its \"xn--\" form)"),
        ("my app", "it has a space in it (write one name)"),
        (
            "a*",
            "its star would match only a star (a star stands for whole labels and comes first: \
          \"*.app\")",
        ),
    ] {
        let expected = format!("3:10: \"{written}\" is not a name: {expected}");
        check(&format!("[service.\"{written}\"]\nnodes = [\"192.0.2.1\"]"), &[&expected]);
    }
    check_whole(
        "[zone]\nns = [\"* 192.0.2.53\"]",
        &["2:8: a name server cannot be a wildcard (write its own name: \"ns1\")"],
    );
}

#[test]
fn weights_choose_the_policy_unless_it_is_written() {
    for (nodes, policy) in [
        ("[\"192.0.2.1\", \"192.0.2.2\"]", Policy::Rotate),
        ("[\"192.0.2.1 x2\", \"192.0.2.2 x2\"]", Policy::Rotate),
        ("[\"192.0.2.1 x2\", \"192.0.2.2\"]", Policy::Weighted),
        ("[\"192.0.2.1 x0\", \"192.0.2.2\"]", Policy::Weighted),
    ] {
        assert_eq!(service(&format!("[service.a]\nnodes = {nodes}")).policy, policy, "{nodes}");
    }
    check(
        "[service.a]\npolicy = \"rotate\"\nnodes = [\"192.0.2.1 x2\", \"192.0.2.2\"]",
        &["4:10: `policy = \"rotate\"` takes no notice of weights (write policy = \
            \"weighted\", or \
           leave the key out)"],
    );
    check(
        "[service.a]\nnodes = [\"192.0.2.1 x0\"]",
        &["4:9: every node has weight 0, so none would be answered (give at least one of them a \
           weight above 0)"],
    );
}

#[test]
fn nodes_are_addresses_that_clients_can_use() {
    let two = "write the address that clients connect to";
    for (node, expected) in [
        (
            "\"192.0.2.1:80\"",
            "4:11: \"192.0.2.1:80\" is not an address (leave the port out: DNS \
          answers carry addresses only, and a check has its own port)"
                .to_owned(),
        ),
        (
            "\"web1\"",
            "4:11: \"web1\" is not an address (write its address: host names of nodes are \
          not yet built)"
                .to_owned(),
        ),
        (
            "\"192.0.2.0/24\"",
            "4:11: \"192.0.2.0/24\" is not an address (write one address, not a \
          network)"
                .to_owned(),
        ),
        (
            "\"0.0.0.0\"",
            format!("4:11: 0.0.0.0 cannot be a node's address: it is no machine's ({two})"),
        ),
        (
            "\"::ffff:192.0.2.1\"",
            format!(
                "4:11: ::ffff:192.0.2.1 cannot be a node's address: it is \
          IPv4 written as IPv6 ({two})"
            ),
        ),
        (
            "\"192.0.2.1 x70000\"",
            "4:21: \"x70000\" is not a weight of x0 to x65535 (write \
          \"192.0.2.1 x3\")"
                .to_owned(),
        ),
        (
            "\"192.0.2.1 4\"",
            "4:21: \"4\" is not a weight of x0 to x65535 (write \"192.0.2.1 x3\")".to_owned(),
        ),
        (
            "{ name = \"a/b\", address = \"192.0.2.1\" }",
            "4:20: \"a/b\" cannot be a node's name (use \
          1 to 63 letters, digits, dashes, underscores and dots)"
                .to_owned(),
        ),
        (
            "{ weight = 65536, address = \"192.0.2.1\" }",
            "4:21: `weight` is 65536, but must be 0 to 65535".to_owned(),
        ),
    ] {
        check(&format!("[service.a]\nnodes = [{node}]"), &[&expected]);
    }
    check(
        "[service.a]\nnodes = [\n\"192.0.2.1\",\n\"192.0.2.1 x2\",\n\
         { name = \"n\", address = \"192.0.2.2\" },\n{ name = \"N\", address = \"192.0.2.3\" } ]",
        &[
            "6:2: 192.0.2.1 is already an address of the node 192-0-2-1 (keep one; for a larger \
             share give that one a weight)",
            "8:1: another node is already called N (give each node a name of its own)",
        ],
    );
}

#[test]
fn checks_are_tables_names_or_lists() {
    let recipe = "[check.ready]\nhttps = \"/r?x=1\"\nevery = \"1s\"\n\
                  [check.live]\nhttp = { port = 81, host = \"h.test.\", expect = [204, \
                  \"301-302\"] }\n";
    let nodes = "nodes = [\"192.0.2.1\"]";
    let service = service(&format!("{recipe}[service.a]\ncheck = [\"ready\", \"live\"]\n{nodes}"));
    let checks: Vec<_> = service.targets().map(|target| &target.check).collect();
    let crate::health::Ask::Http(ready) = &checks[0].ask;
    assert_eq!((ready.tls, ready.port, ready.path.as_str()), (true, 443, "/r?x=1"));
    assert_eq!(ready.host, "a.app.test");
    // Not longer than the time to the next probe, which here is less than two seconds.
    assert_eq!(checks[0].timeout, Duration::from_secs(1));
    let crate::health::Ask::Http(live) = &checks[1].ask;
    assert_eq!((live.host.as_str(), live.port), ("h.test", 81));
    assert_eq!(live.expect, [204..=204, 301..=302]);

    for (written, expected) in [
        (
            "\"redy\"",
            "4:10: there is no check \"redy\" (write a table [check.redy] with what to ask)",
        ),
        (
            "\":80/x\"",
            "4:10: there is no check \":80/x\" (write it as a check: check = { http = \
          \":80/x\" })",
        ),
        (
            "{ }",
            "4:9: the check asks nothing (write what to ask: http = \":8080/ready\", or https = …)",
        ),
        (
            "{ http = \"ready\" }",
            "4:19: \"ready\" is not a port of 1 to 65535 with a colon before it \
          (write \":8080/ready\"; the address is each node's own, and another host goes \
          into http = \
          { port = 8080, path = \"/ready\", host = \"…\" })",
        ),
        (
            "{ http = \":80/a b\" }",
            "4:22: a path cannot hold ' ' (write it percent-encoded, like %20)",
        ),
        (
            "{ http = \"/\", every = \"1s\", timeout = \"2s\" }",
            "4:47: `timeout` is 2s, longer than \
          `every`, 1s (a probe must end before the next begins: lower `timeout` or raise `every`)",
        ),
        (
            "{ http = \"/\", rise = 2 }",
            "4:23: a check has no key `rise` (here it is called `passes`)",
        ),
        (
            "{ http = { expect = [\"2xx\"] } }",
            "4:30: \"2xx\" is no range of response codes (write \
          \"200-299\", or one code: 204)",
        ),
        (
            "{ http = { expect = [] } }",
            "4:29: no response code would pass (write which: \
          [\"200-299\"], or leave the key out for that)",
        ),
    ] {
        check(&format!("[service.a]\ncheck = {written}\n{nodes}"), &[expected]);
    }
    check(
        &format!("[service.\"*\"]\ncheck = {{ http = \"/\" }}\n{nodes}"),
        &["4:9: the check needs a host, because *.app.test. is not one (write which: http \
            = { port \
           = 8080, path = \"/ready\", host = \"…\" })"],
    );
    check(
        "[check.a]\nhttp = \"/\"",
        &["3:8: no service uses the check \"a\" (write check = \"a\" in one)"],
    );
}

#[test]
fn types_and_bounds_are_told_with_what_to_write() {
    let nodes = "nodes = [\"192.0.2.1\"]";
    for (line, expected) in [
        (
            "ttl = 5",
            "4:7: `ttl` takes a duration (like \"5s\") or a table { calm, alert }, not a \
          number (write the unit: \"5s\")",
        ),
        (
            "ttl = \"1500ms\"",
            "4:7: `ttl` is 1500ms, but must be a multiple of 1s (write a number \
          and a unit: \"500ms\", \"5s\", \"1m30s\")",
        ),
        (
            "ttl = { calm = \"5s\", alert = \"6s\" }",
            "4:30: `alert` is longer than `calm`, but \
          answers must age faster in trouble (lower `alert`, or raise `calm`)",
        ),
        ("answers = 0", "4:11: `answers` is 0, but must be 1 to 65535"),
        ("answers = \"al\"", "4:11: `answers` knows no \"al\" (did you mean \"all\"?)"),
        ("policy = \"hsh\"", "4:10: `policy` knows no \"hsh\" (did you mean \"hash\"?)"),
        (
            "policy = \"hash\"",
            "4:10: `policy = \"hash\"` is not yet built (use \"rotate\" or \
          \"weighted\")",
        ),
        (
            "when_all_down = \"eu\"",
            "4:17: `when_all_down = \"eu\"` (a pool's name) is not yet built \
          (use \"open\" or \"closed\")",
        ),
        ("together = 1", "4:12: `together` takes true or false, not a number"),
        ("members = []", "4:1: a service has no key `members` (here it is called `nodes`)"),
        (
            "every = \"5s\"",
            "4:1: a service has no key `every` (`every` belongs to a check: \
          [check.<name>], or in check = { … })",
        ),
    ] {
        check(&format!("[service.a]\n{line}\n{nodes}"), &[expected]);
    }
}

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
    let rdata = |owner: &str, rtype| model.records.get(&name(owner), rtype).unwrap().rdata.clone();
    assert_eq!(model.records.rrsets.len(), 4);
    assert_eq!(
        *rdata("app.test", RecordType::NS),
        [b"\x03ns1\x03app\x04test\0".as_slice().into(), b"\x02ns\x05other\x04test\0"[..].into()]
    );
    assert_eq!(*rdata("ns1.app.test", RecordType::A), [[192, 0, 2, 53].as_slice().into()]);
    assert_eq!(rdata("ns1.app.test", RecordType::AAAA)[0].len(), 16);
    let soa = model.records.get(&apex, RecordType::SOA).unwrap();
    assert_eq!(soa.ttl, 3600);
    assert_eq!(
        *soa.rdata[0],
        *b"\x03ns1\x03app\x04test\0\x08dns.team\x07example\x03org\0\
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

#[test]
fn services_and_records_of_one_name_must_agree() {
    let apex = name("app.test");
    let mut records = Records::new(apex.clone());
    let soa: Box<[u8]> = [0; 22].into();
    records.add(apex, RecordType::SOA, 60, soa);
    records.add(name("www.app.test"), RecordType::A, 60, [192, 0, 2, 1].into());
    records.add(name("www.app.test"), RecordType::AAAA, 60, [0x20; 16].into());
    records.add(name("old.app.test"), RecordType::CNAME, 60, b"\0".as_slice().into());
    let read = |text: &str| {
        let mut out = Vec::new();
        let model = read_with_records(&files(text), records.clone(), true, &mut out).unwrap();
        (model, said(&out))
    };

    let (model, said) = read("[service.www]");
    assert_eq!(said, [""; 0]);
    let nodes: Vec<_> = model.services[0].nodes().map(|node| node.name.as_str()).collect();
    assert_eq!(nodes, ["192-0-2-1", "2020-2020-2020-2020-2020-2020-2020-2020"]);
    assert_eq!(model.records, records);

    let (_, said) = read(
        "[zone]\nns = [\"ns1 192.0.2.53\"]\n[service.www]\nnodes = [\"192.0.2.2\"]\n\
         [service.old]\nnodes = [\"192.0.2.3\"]\n[service.new]",
    );
    assert_eq!(
        said,
        [
            "1:2: [zone] stands beside the master file's SOA record (keep one of the two: both say \
             which name servers the zone has)",
            "4:1: www.app.test. has `nodes` here and address records in the zone too (keep one of \
             the two)",
            "5:10: old.app.test. has a CNAME record, so it cannot be a service (remove the record \
             or the service: beside a CNAME nothing else can stand)",
            "7:10: the service new.app.test. has no nodes (write nodes = [\"192.0.2.11\", \
             \"192.0.2.12\"], or address records of this name in the zone's master file)",
        ]
    );
}

#[test]
fn equal_files_make_equal_zones() {
    let text = "[service.a]\nnodes = [\"192.0.2.1\"]\ncheck = { http = \"/\" }";
    assert_eq!(good(text), good(text));
}

proptest::proptest! {
    /// A slip anywhere is a report, never a panic, and every place in it can be shown.
    #[test]
    fn any_slip_is_a_report(
        at in 0..EXAMPLE.len(),
        len in 0..40_usize,
        instead in proptest::string::string_regex("[a-z0-9\\[\\]{}\"'=.,:#\n é*@x-]{0,6}").unwrap(),
    ) {
        let mut text = EXAMPLE.to_owned();
        text.replace_range(at..(at + len).min(EXAMPLE.len()), &instead);
        let mut out = Vec::new();
        let zone = read_zone(&files(&text), &mut out);
        let broken = matches!(zone, Authored::Broken(_));
        proptest::prop_assert_eq!(broken, crate::zone::diagnostic::has_errors(&out));
        proptest::prop_assert_eq!(super::render(&out, false).is_empty(), out.is_empty());
    }
}

/// Something of every kind, in ASCII so that it can be cut anywhere.
const EXAMPLE: &str = r#"[zone]
ns = ["ns1 192.0.2.53", "ns2.other.test."]
contact = "dns.team@example.org"
[check.ready]
http = { port = 8080, path = "/ready", host = "app.test", expect = ["200-299", 404] }
every = "5s"
timeout = "500ms"
[service."*.app"]
check = ["ready", { https = { host = "h.test" }, fails = 2 }]
ttl = { calm = "30s", alert = "5s" }
answers = 2
nodes = [
  "192.0.2.11 x4",
  { name = "eu1", address = ["192.0.2.12", "2001:db8::11"], labels = { rack = "a" } },
]
[service."@"]
check = { http = ":8080/ready" }
policy = "rotate"
when_all_down = "last-known"
srv = { "_https._tcp" = 443 }
nodes = ["192.0.2.13"]
"#;

#[test]
fn the_pace_of_a_check_is_judged_as_a_whole() {
    let nodes = "nodes = [\"192.0.2.1\"]";
    for (written, expected) in [
        (
            "fast = \"6s\"",
            "4:30: `fast` is 6s, longer than `every`, 5s (it is the pace while \
            verdicts are being counted: lower it, or leave it out)",
        ),
        (
            "idle = \"1s\"",
            "4:30: `idle` is 1s, shorter than `every`, 5s (it is the pace of what \
            has been up for long: raise it, or leave it out)",
        ),
        ("hold_down = { after = 0 }", "4:45: `after` is 0, but must be 1 to 20"),
        (
            "hold_down = { max = \"11m\" }",
            "4:43: `max` can never be reached: falls are forgotten \
            after 10m (lower `max`, or raise `within`)",
        ),
    ] {
        check(&format!("[service.a]\ncheck = {{ http = \"/\", {written} }}\n{nodes}"), &[expected]);
    }
}

#[test]
fn the_pace_of_a_check_is_what_was_written() {
    let check = |written: &str| {
        let text =
            format!("[service.a]\nnodes = [\"192.0.2.1\"]\ncheck = {{ http = \"/\"{written} }}");
        let service = service(&text);
        service.targets().next().unwrap().check.clone()
    };
    let default = check("");
    assert_eq!(default, Check::new(default.ask.clone()));
    assert_eq!(check(", hold_down = true"), default);
    assert_eq!(check(", hold_down = false").hold_down, None);
    let written = check(", fast = \"1s\", idle = \"30s\", hold_down = { after = 2, max = \"1m\" }");
    let (second, hold_down) = (Duration::from_secs(1), HoldDown::DEFAULT);
    assert_eq!((written.fast, written.idle), (Some(second), Some(30 * second)));
    assert_eq!(written.hold_down, Some(HoldDown { after: 2, max: 60 * second, ..hold_down }));
}

#[test]
fn guards_are_judged_with_their_service() {
    let nodes = "nodes = [\"192.0.2.1\"]";
    for (written, expected) in [
        (
            "panic = 1.5",
            "5:9: `panic` is no part of a whole (write 0 to 1, with up to three digits \
            behind the point: 0.5)",
        ),
        (
            "panic = \"50%\"",
            "5:9: `panic` takes a part of a whole (like 0.5), not text (write a \
            number: 0.5)",
        ),
    ] {
        check(&format!("[service.a]\n{nodes}\n{written}"), &[expected]);
    }
}

#[test]
fn guards_are_what_was_written() {
    let guard =
        |text: &str| service(&format!("[service.a]\nnodes = [\"192.0.2.1\"]\n{text}")).guard;
    assert_eq!(guard(""), Guard::default());
    assert_eq!(guard("panic = 0").panic, None);
    assert_eq!(guard("panic = 0.5").panic, Some(Share::thousandths(500)));
    assert_eq!(guard("panic = 1").panic, Some(Share::WHOLE));
}

#[test]
fn what_tells_of_life_stands_beside_what_tells_of_readiness() {
    let nodes = "nodes = [\"192.0.2.1\"]";
    let help = "(write `check` too: `live` says whether a node that fails it is still alive)";
    let alone = format!("[service.a]\n{nodes}\nlive = {{ http = \"/live\" }}");
    check(&alone, &[&format!("5:1: `live` stands without `check` {help}")]);
    let same = "[check.a]\nhttp = \"/\"\n[service.a]\ncheck = \"a\"\nlive = [\"a\"]\n";
    let said = "7:8: `live` asks the same as `check` (ask what a node that is not ready still \
                answers, or leave `live` out)";
    check(&format!("{same}{nodes}"), &[said]);
    let both = "[service.a]\ncheck = { http = \"/ready\" }\nlive = { http = \"/live\" }\n";
    let service = service(&format!("{both}{nodes}"));
    let address = &service.pools[0].nodes[0].addresses[0];
    assert_eq!((address.targets.len(), address.live.len(), service.targets().count()), (1, 1, 2));
}
