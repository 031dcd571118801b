//! The answer path on a small zone, seen through an independent decoder.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query as Question};
use hickory_proto::rr::{Name as HickoryName, Record, RecordType as HickoryType};

use super::*;
use crate::snapshot::{Authored, Publisher, Settings, ZoneModel};
use crate::steer::{Address, Node, Pool, Service, Unchecked};
use crate::wire::Name;
use crate::zone::{RecordsBuilder, rdata};

pub(super) fn name(text: &str) -> Name {
    Name::from_text(text).unwrap()
}

fn service(owner: &str, addresses: &[&str]) -> Arc<Service> {
    let node = |address: &&str| {
        let one = Address::new(address.parse().unwrap(), Vec::new());
        Node::new(format!("{owner}/{address}"), *address, vec![one])
    };
    let pool = Pool::new("", addresses.iter().map(node).collect());
    Arc::new(Service::new(name(owner), owner, vec![pool]))
}

/// `example.test` with services at `app`, `*.wild` and the apex, and ordinary records beside them;
/// `broken.test` is broken.
pub(super) fn zones() -> Vec<Authored> {
    let mut records = RecordsBuilder::new(name("example.test"));
    let mut add = |owner: &str, rtype: RecordType, rdata: Box<[u8]>| {
        records.add(&name(owner), rtype, 300, &rdata);
    };
    let soa = rdata::soa(
        &name("ns1.example.test"),
        &name("hostmaster.example.test"),
        1,
        3600,
        600,
        86400,
        60,
    );
    let address = |text: &str| match text.parse().unwrap() {
        IpAddr::V4(v4) => rdata::a(v4),
        IpAddr::V6(v6) => rdata::aaaa(v6),
    };
    add("example.test", RecordType::SOA, soa);
    add("example.test", RecordType::NS, rdata::ns(&name("ns1.example.test")));
    add("ns1.example.test", RecordType::A, address("192.0.2.53"));
    add("www.example.test", RecordType::A, address("192.0.2.1"));
    add("www.example.test", RecordType::A, address("192.0.2.2"));
    add("www.example.test", RecordType::TXT, Box::from(*b"\x02hi"));
    add("alias.example.test", RecordType::CNAME, rdata::ns(&name("App.example.test")));
    add("out.example.test", RecordType::CNAME, rdata::ns(&name("www.elsewhere.test")));
    add("gone.example.test", RecordType::CNAME, rdata::ns(&name("nothing.example.test")));
    add("loop.example.test", RecordType::CNAME, rdata::ns(&name("loop.example.test")));
    add("sub.example.test", RecordType::NS, rdata::ns(&name("ns.sub.example.test")));
    add("sub.example.test", RecordType::NS, rdata::ns(&name("ns1.example.test")));
    add("sub.example.test", RecordType::NS, rdata::ns(&name("ns.elsewhere.test")));
    add("ns.sub.example.test", RecordType::A, address("192.0.2.54"));
    add("ns.sub.example.test", RecordType::AAAA, address("2001:db8::54"));
    add("sub.example.test", RecordType::DS, Box::from(*b"\x00\x01\x08\x02abcd"));
    add("old.example.test", RecordType::DNAME, rdata::ns(&name("New.example.test")));
    add("old.example.test", RecordType::TXT, Box::from(*b"\x02me"));
    add("x.new.example.test", RecordType::TXT, Box::from(*b"\x03new"));
    add("ring.example.test", RecordType::DNAME, rdata::ns(&name("ring.ring.example.test")));
    let long = format!("{0}.{0}.{0}.example.test", "l".repeat(63));
    add("long.example.test", RecordType::DNAME, rdata::ns(&name(&long)));
    add("there.example.test", RecordType::CNAME, rdata::ns(&name("back.example.test")));
    add("back.example.test", RecordType::CNAME, rdata::ns(&name("there.example.test")));
    add("a.b.c.example.test", RecordType::TXT, Box::from(*b"\x01x"));
    let many: Box<[u8]> = [255; 256].into();
    for text in 0..8_u8 {
        let mut long = many.clone();
        long[1] = text;
        add("big.example.test", RecordType::TXT, long);
    }
    let services = vec![
        service("example.test", &["198.51.100.1"]),
        service("app.example.test", &["198.51.100.11", "198.51.100.12", "2001:db8::11"]),
        service("*.wild.example.test", &["198.51.100.21"]),
    ];
    let good = Authored::Good(Arc::new(ZoneModel { records: records.finish(), services }));
    vec![good, Authored::Broken(name("broken.test"))]
}

struct Asker {
    publisher: Publisher,
    worker: Worker,
}

impl Asker {
    fn new() -> Self {
        let mut publisher = Publisher::new();
        publisher.publish(&zones(), Settings::default(), &Unchecked);
        let mut worker = Worker::new(1);
        worker.begin_batch(&publisher.current().load(), now());
        Self { publisher, worker }
    }

    fn send(&mut self, message: &[u8], transport: Transport) -> Option<Vec<u8>> {
        let snapshot = self.publisher.current().load();
        let client = Client { addr: ([192, 0, 2, 99], 5353).into(), transport };
        let mut out = vec![0; 65_535];
        match respond(message, &client, &snapshot, &mut self.worker, &mut (), &mut out) {
            Action::Send(len) => Some(out[..len].to_vec()),
            Action::Drop => None,
        }
    }

    fn ask(&mut self, qname: &str, qtype: HickoryType, edns: Option<u16>) -> Message {
        let mut query = Message::new(77, MessageType::Query, OpCode::Query);
        query.add_query(Question::query(HickoryName::from_ascii(qname).unwrap(), qtype));
        if let Some(size) = edns {
            let mut opt = Edns::new();
            opt.set_max_payload(size);
            query.set_edns(opt);
        }
        let response = self.send(&query.to_vec().unwrap(), Transport::Udp).expect("a response");
        assert!(response.len() <= usize::from(edns.unwrap_or(512)).max(512));
        let message = Message::from_vec(&response).expect("hickory reads it");
        assert_eq!(message.metadata.id, 77);
        assert_eq!(message.queries, query.queries, "the question comes back in its own case");
        message
    }
}

fn section(records: &[Record]) -> String {
    let show = |record: &Record| {
        format!("{} {} {} {}", record.name, record.ttl, record.record_type(), record.data)
    };
    records.iter().map(show).collect::<Vec<_>>().join("; ")
}

/// `RCODE flags | answer | authority | additional`.
fn show(message: &Message) -> String {
    let flags: String = [
        (message.metadata.authoritative, " aa"),
        (message.metadata.truncation, " tc"),
        (message.edns.is_some(), " opt"),
    ]
    .iter()
    .filter_map(|(set, flag)| set.then_some(*flag))
    .collect();
    format!(
        "{:?}{flags} | {} | {} | {}",
        message.metadata.response_code,
        section(&message.answers),
        section(&message.authorities),
        section(&message.additionals)
    )
}

fn check(qname: &str, qtype: HickoryType, expected: &str) {
    let found = show(&Asker::new().ask(qname, qtype, None));
    assert_eq!(found, expected, "{qname} {qtype}");
}

const SOA: &str = "example.test. 60 SOA ns1.example.test. hostmaster.example.test. \
                   1 3600 600 86400 60";
const SOA_OF_SERVICE: &str = "example.test. 5 SOA ns1.example.test. hostmaster.example.test. \
                              1 3600 600 86400 60";

#[test]
fn services_and_static_records_answer() {
    check("example.test.", HickoryType::A, "NoError aa | example.test. 5 A 198.51.100.1 |  | ");
    check(
        "APP.example.test.",
        HickoryType::A,
        "NoError aa | APP.example.test. 5 A 198.51.100.11; \
         APP.example.test. 5 A 198.51.100.12 |  | ",
    );
    check(
        "app.example.test.",
        HickoryType::AAAA,
        "NoError aa | app.example.test. 5 AAAA 2001:db8::11 |  | ",
    );
    check(
        "any.thing.wild.example.test.",
        HickoryType::A,
        "NoError aa | any.thing.wild.example.test. 5 A 198.51.100.21 |  | ",
    );
    check(
        "example.test.",
        HickoryType::NS,
        "NoError aa | example.test. 300 NS ns1.example.test. |  | ",
    );
    check("www.example.test.", HickoryType::TXT, "NoError aa | www.example.test. 300 TXT hi |  | ");
}

#[test]
fn negative_answers_carry_the_soa() {
    let nodata = format!("NoError aa |  | {SOA} | ");
    let nxdomain = format!("NXDomain aa |  | {SOA} | ");
    let service = format!("NoError aa |  | {SOA_OF_SERVICE} | ");
    check("www.example.test.", HickoryType::AAAA, &nodata);
    check("b.c.example.test.", HickoryType::A, &nodata);
    check("example.test.", HickoryType::AAAA, &service);
    check("app.example.test.", HickoryType::TXT, &service);
    check("nothing.example.test.", HickoryType::A, &nxdomain);
    check("x.www.example.test.", HickoryType::A, &nxdomain);
}

#[test]
fn aliases_are_followed_inside_our_zones() {
    check(
        "alias.example.test.",
        HickoryType::A,
        "NoError aa | alias.example.test. 300 CNAME App.example.test.; \
         App.example.test. 5 A 198.51.100.11; App.example.test. 5 A 198.51.100.12 |  | ",
    );
    check(
        "alias.example.test.",
        HickoryType::CNAME,
        "NoError aa | alias.example.test. 300 CNAME App.example.test. |  | ",
    );
    check(
        "out.example.test.",
        HickoryType::A,
        "NoError aa | out.example.test. 300 CNAME www.elsewhere.test. |  | ",
    );
    let gone =
        format!("NXDomain aa | gone.example.test. 300 CNAME nothing.example.test. | {SOA} | ");
    check("gone.example.test.", HickoryType::A, &gone);
    check(
        "loop.example.test.",
        HickoryType::A,
        "NoError aa | loop.example.test. 300 CNAME loop.example.test. |  | ",
    );
    check(
        "there.example.test.",
        HickoryType::A,
        "NoError aa | there.example.test. 300 CNAME back.example.test.; \
         back.example.test. 300 CNAME there.example.test. |  | ",
    );
}

/// `New.example.test.` as hickory shows the RDATA of types that it does not read.
const TO_NEW: &str = "A05ldwdleGFtcGxlBHRlc3QA";

#[test]
fn dname_renames_what_is_below_it() {
    let answered = format!(
        "NoError aa | old.example.test. 300 DNAME {TO_NEW}; \
         X.old.example.test. 300 CNAME X.New.example.test."
    );
    let found = format!("{answered}; X.New.example.test. 300 TXT new |  | ");
    check("X.old.example.test.", HickoryType::TXT, &found);
    check("X.old.example.test.", HickoryType::CNAME, &format!("{answered} |  | "));
    check("old.example.test.", HickoryType::TXT, "NoError aa | old.example.test. 300 TXT me |  | ");
    check(
        "old.example.test.",
        HickoryType::from(39),
        &format!("NoError aa | old.example.test. 300 DNAME {TO_NEW} |  | "),
    );
    let missing = format!(
        "NXDomain aa | old.example.test. 300 DNAME {TO_NEW}; \
         y.z.old.example.test. 300 CNAME y.z.New.example.test. | {SOA} | "
    );
    check("y.z.old.example.test.", HickoryType::A, &missing);

    let kept = "k".repeat(50);
    let long = show(&Asker::new().ask(&format!("{kept}.long.example.test."), HickoryType::A, None));
    assert!(long.starts_with("YXDomain aa | long.example.test. 300 DNAME "), "{long}");
    assert!(!long.contains("CNAME "), "{long}");
    let ring = Asker::new().ask("a.ring.example.test.", HickoryType::A, Some(1232));
    assert!(ring.answers.len() <= 2 * (ALIAS_CHAIN_MAX + 1));
}

#[test]
fn ds_is_answered_on_the_side_of_the_parent() {
    let found = show(&Asker::new().ask("sub.example.test.", HickoryType::DS, None));
    assert!(found.starts_with("NoError aa | sub.example.test. 300 DS AAEIAmFiY2Q= | "), "{found}");
    // Below the cut it is the child's business; at our own apex we have no parent to ask.
    let below = show(&Asker::new().ask("x.sub.example.test.", HickoryType::DS, None));
    assert!(below.starts_with("NoError |  | sub.example.test. 300 NS"), "{below}");
    check("example.test.", HickoryType::DS, &format!("NoError aa |  | {SOA_OF_SERVICE} | "));
}

#[test]
fn delegations_are_referred_with_glue() {
    let expected = "NoError |  | sub.example.test. 300 NS ns.sub.example.test.; \
         sub.example.test. 300 NS ns1.example.test.; sub.example.test. 300 NS ns.elsewhere.test. | \
         ns.sub.example.test. 300 A 192.0.2.54; ns.sub.example.test. 300 AAAA 2001:db8::54; \
         ns1.example.test. 300 A 192.0.2.53";
    check("sub.example.test.", HickoryType::A, expected);
    check("deep.in.sub.example.test.", HickoryType::TXT, expected);
    check("ns.sub.example.test.", HickoryType::A, expected);
}

#[test]
fn other_names_and_broken_zones_are_refused() {
    check("elsewhere.test.", HickoryType::A, "Refused |  |  | ");
    check(".", HickoryType::NS, "Refused |  |  | ");
    check("www.broken.test.", HickoryType::A, "ServFail |  |  | ");
    check("example.test.", HickoryType::AXFR, "Refused |  |  | ");
    check("example.test.", HickoryType::from(250), "NotImp |  |  | ");
}

#[test]
fn large_answers_are_truncated_by_what_the_client_takes() {
    let mut asker = Asker::new();
    let mut show_at = |edns| show(&asker.ask("big.example.test.", HickoryType::TXT, edns));
    assert_eq!(show_at(None), "NoError aa tc |  |  | ");
    assert_eq!(show_at(Some(100)), "NoError aa tc opt |  |  | ");
    // 8 records of 268 octets are more than our own limit of 1232 too.
    assert_eq!(show_at(Some(4096)), "NoError aa tc opt |  |  | ");
    let mut query = Message::new(1, MessageType::Query, OpCode::Query);
    let big = HickoryName::from_ascii("big.example.test.").unwrap();
    query.add_query(Question::query(big, HickoryType::TXT));
    let stream = asker.send(&query.to_vec().unwrap(), Transport::Tcp).unwrap();
    assert_eq!(Message::from_vec(&stream).unwrap().answers.len(), 8);
    assert_eq!(asker.worker.tally().truncated(), 3);
}

#[test]
fn unknown_versions_get_badvers() {
    let mut query = Message::new(1, MessageType::Query, OpCode::Query);
    query.add_query(Question::query(
        HickoryName::from_ascii("app.example.test.").unwrap(),
        HickoryType::A,
    ));
    let mut edns = Edns::new();
    edns.set_version(1);
    query.set_edns(edns);
    let bytes = Asker::new().send(&query.to_vec().unwrap(), Transport::Udp).unwrap();
    // 16 is BADVERS in an OPT record and BADSIG in TSIG; hickory shows the latter name.
    assert_eq!(show(&Message::from_vec(&bytes).unwrap()), "BADSIG opt |  |  | ");
}

#[test]
fn rotation_is_exact_per_service_type_and_static_set() {
    let mut asker = Asker::new();
    let mut first = |qname: &str| {
        let message = asker.ask(qname, HickoryType::A, None);
        message.answers[0].data.to_string()
    };
    let app: Vec<String> = (0..4).map(|_| first("app.example.test.")).collect();
    assert_eq!(app, ["198.51.100.11", "198.51.100.12", "198.51.100.11", "198.51.100.12"]);
    let www: Vec<String> = (0..4).map(|_| first("www.example.test.")).collect();
    assert_eq!(www, ["192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.2"]);
}

#[test]
fn every_packet_ends_in_one_outcome_and_first_places_are_counted() {
    let mut asker = Asker::new();
    for qname in ["app.example.test.", "nothing.example.test.", "elsewhere.test."] {
        asker.ask(qname, HickoryType::A, None);
    }
    asker.send(b"runt", Transport::Udp);
    let tally = asker.worker.tally();
    let mut found = HashMap::new();
    for outcome in Outcome::ALL {
        found.insert(outcome, tally.outcome(outcome));
    }
    found.retain(|_, count| *count > 0);
    let each = [Outcome::Answered, Outcome::NxDomain, Outcome::Refused, Outcome::Dropped];
    assert_eq!(found, each.into_iter().map(|outcome| (outcome, 1)).collect());
    assert_eq!(tally.packets(), 4);
    let snapshot = asker.publisher.current().load();
    let (_, zone) = snapshot.zones().next().unwrap();
    let app = &zone.services()[1];
    let firsts: Vec<u64> = app.addresses.iter().map(|&slot| tally.first(slot)).collect();
    assert_eq!(firsts, [1, 0, 0]);
}

#[test]
fn the_trace_tells_the_steps() {
    struct Steps(Vec<String>);
    impl Trace for Steps {
        fn step(&mut self, step: Step<'_>) {
            self.0.push(format!("{step:?}"));
        }
    }
    let mut asker = Asker::new();
    let mut query = Message::new(1, MessageType::Query, OpCode::Query);
    let alias = HickoryName::from_ascii("alias.example.test.").unwrap();
    query.add_query(Question::query(alias, HickoryType::A));
    let snapshot = asker.publisher.current().load();
    let client = Client { addr: ([192, 0, 2, 99], 5353).into(), transport: Transport::Udp };
    let mut steps = Steps(Vec::new());
    let message = query.to_vec().unwrap();
    let mut out = [0; 512];
    respond(&message, &client, &snapshot, &mut asker.worker, &mut steps, &mut out);
    let kinds: Vec<&str> =
        steps.0.iter().map(|step| step.split([' ', '(']).next().unwrap()).collect();
    let expected =
        ["Client", "Zone", "Lookup", "Alias", "Zone", "Lookup", "Service", "Picked", "Picked"];
    assert_eq!(kinds, expected);
}

#[expect(clippy::disallowed_methods, reason = "any time will do: nothing here depends on it")]
pub(super) fn now() -> Instant {
    Instant::now()
}
