//! What a service says beside its addresses, read by foreign decoders: SRV, HTTPS, and the text
//! that explains it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use domain::base::{Message as Decoded, ParsedName, Rtype};
use domain::rdata::AllRecordData;
use hickory_proto::op::Message;

use super::tests::{name, now};
use super::*;
use crate::geo::{Network, Place};
use crate::health::{Ask, Check, HttpAsk, Standing, Status, Target};
use crate::snapshot::{Authored, Publisher, Settings, ZoneModel};
use crate::steer::{
    Address, Answers, Board, Explain, Https, Node, Override, Pool, Service, Srv, Steer, Ttl,
};
use crate::zone::{RecordsBuilder, rdata};

/// Statuses of addresses; those that are not there are up. Nodes by their ids.
#[derive(Clone, Default)]
pub(super) struct Statuses {
    pub(super) of: HashMap<IpAddr, Status>,
    pub(super) forced: HashMap<String, Override>,
}

impl Statuses {
    /// `192.0.2.11=down eu/eu1=drain`: addresses and nodes.
    pub(super) fn read(text: &str) -> Self {
        let mut statuses = Self::default();
        for (what, how) in text.split_whitespace().map(|word| word.split_once('=').unwrap()) {
            match (what.parse(), how) {
                (Ok(ip), "down") => drop(statuses.of.insert(ip, Status::Down)),
                (Ok(ip), _) => drop(statuses.of.insert(ip, Status::Draining)),
                (Err(_), "down") => drop(statuses.forced.insert(what.into(), Override::Down)),
                (Err(_), _) => drop(statuses.forced.insert(what.into(), Override::Drain)),
            }
        }
        statuses
    }
}

impl Board for Statuses {
    fn standing(&self, target: &Target) -> Standing {
        let status = self.of.get(&target.address).copied().unwrap_or(Status::Up);
        Standing { status, contradicted: false }
    }

    fn forced(&self, node: &str) -> Option<Override> {
        self.forced.get(node).copied()
    }

    fn weight(&self, node: &Node) -> u16 {
        node.weight
    }

    fn pace(&self, _: &Target) -> Option<Duration> {
        None
    }
}

fn node(pool: &str, label: &str, weight: u16, addresses: &[&str]) -> Node {
    let ask = Ask::Http(HttpAsk::get(80, "/ready", "app.test"));
    let check = Check::new(ask);
    let address = |text: &&str| {
        let ip = text.parse().unwrap();
        Address::new(ip, vec![Arc::new(Target { address: ip, check: check.clone() })])
    };
    let addresses = addresses.iter().map(address).collect();
    Node { weight, ..Node::new(format!("{pool}/{label}"), label, addresses) }
}

fn network(text: &str) -> Network {
    Network::parse(text).unwrap()
}

/// Two pools: clients of 198.51.100.0/24 get `us`, all others `eu`.
pub(super) fn app() -> Service {
    let eu = vec![
        node("eu", "Eu1", 3, &["192.0.2.12", "2001:db8::12"]),
        node("eu", "eu2", 1, &["192.0.2.11"]),
    ];
    let us = vec![
        node("us", "us1", 2, &["198.51.100.11"]),
        node("us", "us2", 0, &["2001:db8:1::12", "198.51.100.12"]),
    ];
    let places = |text| vec![Place::Network(network(text))];
    let srv = |prefix: &str, port| Srv { owner: name(&format!("{prefix}.app.test")), port };
    Service {
        steer: Steer::Geo,
        ttl: Ttl { calm: 30, alert: 5 },
        srv: vec![srv("_https._tcp", 443), srv("_imaps._tcp", 993)],
        https: Some(Https {
            owner: name("app.test"),
            port: 443,
            alpn: vec!["h2".into(), "h3".into()],
        }),
        explain: Some(Explain { owner: name("_rota.app.test"), to: vec![network("192.0.2.0/24")] }),
        pools: vec![
            Pool { places: places("0.0.0.0/0"), ..Pool::new("eu", eu) },
            Pool { places: places("198.51.100.0/24"), ..Pool::new("us", us) },
        ],
        ..Service::new(name("app.test"), "test/app", Vec::new())
    }
}

/// The zone `test.` with a service, the names of its nodes and whatever else a service has beside
/// it.
pub(super) fn zone(service: Service) -> Authored {
    let mut records = RecordsBuilder::new(name("test"));
    let host = name("h.test");
    let soa = rdata::soa(&host, &host, 1, 3600, 600, 86400, 60);
    records.add(&name("test"), RecordType::SOA, 300, &soa);
    records.add(&name("test"), RecordType::NS, 300, &rdata::ns(&host));
    let text: Box<[u8]> = Box::from(*b"\x04text");
    records.add(&name("_imaps._tcp.app.test"), RecordType::TXT, 300, &text);
    // The service stands in the place of these.
    records.add(&name("_imaps._tcp.app.test"), RecordType::SRV, 300, &[0; 7]);
    records.add(&name("_rota.app.test"), RecordType::TXT, 300, &text);
    records.add(&name("www.test"), RecordType::CNAME, 300, &rdata::ns(&name("app.test")));
    let tcp = rdata::ns(&name("_https._tcp.app.test"));
    records.add(&name("_https._tcp.www.test"), RecordType::CNAME, 300, &tcp);
    let explain = rdata::ns(&name("_rota.app.test"));
    records.add(&name("why.test"), RecordType::CNAME, 300, &explain);
    for node in service.nodes() {
        for address in &node.addresses {
            let (rtype, rdata) = match address.ip {
                IpAddr::V4(v4) => (RecordType::A, rdata::a(v4)),
                IpAddr::V6(v6) => (RecordType::AAAA, rdata::aaaa(v6)),
            };
            records.add(&service.node_owner(node).unwrap(), rtype, 30, &rdata);
        }
    }
    Authored::Good(Arc::new(ZoneModel {
        records: records.finish(),
        services: vec![Arc::new(service)],
    }))
}

pub(super) struct Bench {
    pub(super) publisher: Publisher,
    pub(super) worker: Worker,
}

impl Bench {
    pub(super) fn new(service: Service, board: &impl Board) -> Self {
        let mut publisher = Publisher::new();
        publisher.publish(&[zone(service)], Settings::default(), board);
        let mut worker = Worker::new(1);
        worker.begin_batch(&publisher.current().load(), now());
        Self { publisher, worker }
    }

    pub(super) fn ask(&mut self, from: From<'_>, qname: &str, rtype: Rtype) -> Vec<u8> {
        self.watch(from, qname, rtype, &mut ())
    }

    fn watch(
        &mut self,
        from: From<'_>,
        qname: &str,
        rtype: Rtype,
        trace: &mut impl Trace,
    ) -> Vec<u8> {
        let mut query = vec![0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1];
        query.extend(name(qname).as_wire());
        query.extend(rtype.to_int().to_be_bytes());
        query.extend([0, 1, 0, 0, 41]);
        query.extend(from.room.to_be_bytes());
        query.extend([0; 5]);
        query.push(from.options.len() as u8);
        query.extend(from.options);
        let addr = (from.ip.parse::<IpAddr>().unwrap(), 53).into();
        let client = Client { addr, transport: from.transport };
        let snapshot = self.publisher.current().load();
        let mut out = vec![0; 65_535];
        let action = respond(&query, &client, &snapshot, &mut self.worker, trace, &mut out);
        let Action::Send(len) = action else { panic!("silence") };
        out.truncate(len);
        out
    }
}

/// Who asks, and how.
#[derive(Clone, Copy)]
pub(super) struct From<'a> {
    pub(super) ip: &'a str,
    /// Octets that it takes.
    pub(super) room: u16,
    pub(super) transport: Transport,
    /// Of its OPT record.
    pub(super) options: &'a [u8],
}

pub(super) const CLIENT: From<'_> =
    From { ip: "192.0.2.99", room: 1232, transport: Transport::Udp, options: b"" };
pub(super) const AMERICAN: From<'_> = From { ip: "198.51.100.7", ..CLIENT };

/// `RCODE flags | answer | authority | additional`, without the owner `app.test`.
fn show(octets: &[u8]) -> String {
    let message = Decoded::from_octets(octets).unwrap();
    let header = message.header();
    let mut shown = header.rcode().to_string();
    for (flag, is_set) in [(" aa", header.aa()), (" tc", header.tc())] {
        shown += if is_set { flag } else { "" };
    }
    let sections = [message.answer(), message.authority(), message.additional()];
    for section in sections {
        let records = section.unwrap().map(|record| record.unwrap());
        let show = |record: domain::base::ParsedRecord<'_, &[u8]>| {
            let record = record.to_any_record::<AllRecordData<_, ParsedName<_>>>().unwrap();
            let (owner, ttl) = (record.owner(), record.ttl().as_secs());
            format!("{owner} {ttl} {} {}", record.rtype(), record.data())
        };
        let shown_records: Vec<String> =
            records.filter(|record| record.rtype() != Rtype::OPT).map(show).collect();
        shown = format!("{shown} | {}", shown_records.join("; "));
    }
    shown
}

/// A question with these statuses.
#[track_caller]
fn check(statuses: &str, from: From<'_>, qname: &str, rtype: Rtype, expected: &str) {
    let mut bench = Bench::new(app(), &Statuses::read(statuses));
    let found = show(&bench.ask(from, qname, rtype));
    assert_eq!(found, expected, "{qname} {rtype} {statuses}");
}

const SOA: &str = "SOA h.test. h.test. 1 3600 600 86400 60";

#[test]
fn srv_leads_to_the_nodes_of_the_client_s_pool() {
    let listed = |statuses, from, nodes: &[&str]| {
        let owner = "_https._tcp.app.test";
        let shown =
            show(&Bench::new(app(), &Statuses::read(statuses)).ask(from, owner, Rtype::SRV));
        let answer = shown.split(" | ").nth(1).unwrap();
        let expected: Vec<String> =
            nodes.iter().map(|node| format!("{owner} 30 SRV 0 {node}.app.test")).collect();
        assert_eq!(answer, expected.join("; "), "{statuses}");
    };
    listed("", CLIENT, &["768 443 Eu1", "256 443 eu2"]);
    listed("", AMERICAN, &["512 443 us1", "0 443 us2"]);
    listed("192.0.2.12=down", CLIENT, &["768 443 Eu1", "256 443 eu2"]);
    listed(
        "192.0.2.12=down 2001:db8::12=down",
        CLIENT,
        &["256 443 eu2", "512 443 us1", "0 443 us2"],
    );
    listed("192.0.2.11=draining", CLIENT, &["768 443 Eu1", "0 443 eu2"]);
    listed("eu/Eu1=drain", CLIENT, &["0 443 Eu1", "256 443 eu2", "512 443 us1", "0 443 us2"]);
    listed("eu/Eu1=down eu/eu2=down", CLIENT, &["512 443 us1", "0 443 us2"]);
    listed("us/us1=down us/us2=down", AMERICAN, &["768 443 Eu1", "256 443 eu2"]);
    let drained = "eu/Eu1=drain eu/eu2=drain us/us1=down us/us2=down";
    listed(drained, CLIENT, &["0 443 Eu1", "0 443 eu2"]);
    // All down, and open: what answers counts as serving.
    let down = "192.0.2.11=down 192.0.2.12=down 2001:db8::12=down us/us1=down us/us2=down";
    listed(down, CLIENT, &["768 443 Eu1", "256 443 eu2"]);
    let all = "eu/Eu1=down eu/eu2=down us/us1=down us/us2=down";
    let nodata = format!("NOERROR aa |  | test 30 {SOA} | ");
    check(all, CLIENT, "_https._tcp.app.test", Rtype::SRV, &nodata);
    check(all, CLIENT, "app.test", Rtype::HTTPS, &nodata);
}

#[test]
fn addresses_of_nodes_ride_along_with_srv_as_far_as_there_is_room() {
    let expected = "NOERROR aa | _imaps._tcp.app.test 30 SRV 0 768 993 Eu1.app.test; \
                    _imaps._tcp.app.test 30 SRV 0 256 993 eu2.app.test |  | \
                    Eu1.app.test 30 A 192.0.2.12; Eu1.app.test 30 AAAA 2001:db8::12; \
                    eu2.app.test 30 A 192.0.2.11";
    check("", CLIENT, "_imaps._tcp.app.test", Rtype::SRV, expected);
    let crowd = |count: usize| {
        let nodes = (0..count).map(|index| {
            let addresses = [format!("192.0.2.{index}"), format!("2001:db8::{index:x}")];
            node("", &format!("n{index}"), 1, &[&addresses[0], &addresses[1]])
        });
        Service { steer: Steer::Failover, pools: vec![Pool::new("", nodes.collect())], ..app() }
    };
    // Answer and additional records, and TC, at this count of nodes in 512 octets.
    let room = |count, from, expected: (usize, usize, bool)| {
        let mut bench = Bench::new(crowd(count), &Statuses::default());
        let octets = bench.ask(from, "_https._tcp.app.test", Rtype::SRV);
        let message = Message::from_vec(&octets).unwrap();
        let found = (message.answers.len(), message.additionals.len());
        assert_eq!((found.0, found.1, message.metadata.truncation), expected, "{count}");
    };
    let small = From { room: 512, ..CLIENT };
    room(5, small, (5, 10, false));
    room(10, small, (10, 6, false));
    room(14, small, (14, 1, false));
    room(15, small, (0, 0, true));
    room(200, From { transport: Transport::Tcp, ..CLIENT }, (200, 400, false));
}

#[test]
fn targets_are_never_compressed() {
    let octets =
        Bench::new(app(), &Statuses::default()).ask(CLIENT, "_https._tcp.app.test", Rtype::SRV);
    let target = name("Eu1.app.test");
    assert!(octets.windows(target.as_wire().len()).any(|window| window == target.as_wire()));
}

#[test]
fn https_says_what_is_spoken_and_hints_at_the_client_s_addresses() {
    let own = |params: &str| format!("NOERROR aa | app.test 30 HTTPS 1 . alpn=h2,h3{params} |  | ");
    let hinted =
        |statuses, from, params| check(statuses, from, "app.test", Rtype::HTTPS, &own(params));
    hinted("", CLIENT, " ipv4hint=192.0.2.11,192.0.2.12 ipv6hint=2001:db8::12");
    // One of weight 0 is not answered while there is another.
    hinted("", AMERICAN, " ipv4hint=198.51.100.11 ipv6hint=2001:db8:1::12");
    hinted("192.0.2.12=down", CLIENT, " ipv4hint=192.0.2.11 ipv6hint=2001:db8::12");
    hinted("2001:db8::12=down us/us2=down", CLIENT, " ipv4hint=192.0.2.11,192.0.2.12");
    let aliased = "NOERROR aa | www.test 300 CNAME app.test.; app.test 30 HTTPS 1 . alpn=h2,h3 \
                   ipv4hint=192.0.2.11,192.0.2.12 ipv6hint=2001:db8::12 |  | ";
    check("", CLIENT, "www.test", Rtype::HTTPS, aliased);
}

#[test]
fn https_has_no_hint_where_an_answer_holds_only_a_part() {
    let answers = Answers::UpTo(NonZeroU16::new(1).unwrap());
    let mut bench = Bench::new(Service { answers, ..app() }, &Statuses::default());
    let expected = "NOERROR aa | app.test 30 HTTPS 1 . alpn=h2,h3 ipv6hint=2001:db8::12 |  | ";
    assert_eq!(show(&bench.ask(CLIENT, "app.test", Rtype::HTTPS)), expected);
}

#[test]
fn https_on_another_port_stands_at_a_name_of_its_own() {
    let owner = name("_8443._https.app.test");
    let https = Some(Https { owner, port: 8443, alpn: Vec::new() });
    let mut bench =
        Bench::new(Service { https, ..app() }, &Statuses::read("2001:db8::12=down us/us2=down"));
    let mut check = |qname, expected: &str| {
        assert_eq!(show(&bench.ask(CLIENT, qname, Rtype::HTTPS)), expected, "{qname}");
    };
    let record = "HTTPS 1 app.test. ipv4hint=192.0.2.11,192.0.2.12";
    let answer = format!("NOERROR aa | _8443._https.app.test 30 {record} |  | ");
    check("_8443._https.app.test", &answer);
    check("_https.app.test", &format!("NOERROR aa |  | test 60 {SOA} | "));
    check("app.test", &format!("NOERROR aa |  | test 30 {SOA} | "));
}

#[test]
fn other_types_and_names_between_are_nodata() {
    let of_service = format!("NOERROR aa |  | test 30 {SOA} | ");
    let of_zone = format!("NOERROR aa |  | test 60 {SOA} | ");
    for (qname, rtype, expected) in [
        ("app.test", Rtype::SRV, &of_service),
        ("_https._tcp.app.test", Rtype::A, &of_service),
        ("_https._tcp.app.test", Rtype::HTTPS, &of_service),
        ("_rota.app.test", Rtype::AAAA, &of_service),
        ("_tcp.app.test", Rtype::SRV, &of_zone),
        ("x._https._tcp.app.test", Rtype::SRV, &format!("NXDOMAIN aa |  | test 60 {SOA} | ")),
    ] {
        check("", CLIENT, qname, rtype, expected);
    }
}

#[test]
fn records_of_the_operator_s_stand_beside_what_the_service_has() {
    let text = "NOERROR aa | _imaps._tcp.app.test 300 TXT \"text\" |  | ";
    for rtype in [Rtype::TXT, Rtype::ANY] {
        check("", CLIENT, "_imaps._tcp.app.test", rtype, text);
    }
    let answered = |qname| {
        let mut bench = Bench::new(app(), &Statuses::default());
        let shown = show(&bench.ask(CLIENT, qname, Rtype::ANY));
        shown.split(' ').nth(5).map(str::to_owned)
    };
    assert_eq!(answered("_https._tcp.app.test").as_deref(), Some("SRV"));
    assert_eq!(answered("_rota.app.test").as_deref(), Some("TXT"));
    assert_eq!(answered("app.test").as_deref(), Some("A"));
}

#[test]
fn aliases_lead_to_srv() {
    let mut bench =
        Bench::new(app(), &Statuses::read("192.0.2.12=down 2001:db8::12=down us/us2=down"));
    let expected = "NOERROR aa | _https._tcp.www.test 300 CNAME _https._tcp.app.test.; \
                    _https._tcp.app.test 30 SRV 0 256 443 eu2.app.test |  | \
                    eu2.app.test 30 A 192.0.2.11";
    assert_eq!(show(&bench.ask(CLIENT, "_https._tcp.www.test", Rtype::SRV)), expected);
}

/// The lines that explain the service, and what else there is of the response.
fn explained(statuses: &str, from: From<'_>, qname: &str) -> Vec<String> {
    let mut bench = Bench::new(app(), &Statuses::read(statuses));
    let shown = show(&bench.ask(from, qname, Rtype::TXT));
    shown.split('"').map(str::to_owned).filter(|part| part != " ").collect()
}

#[test]
fn a_service_explains_itself_to_those_who_may_know() {
    #[track_caller]
    fn check(statuses: &str, from: From<'_>, expected: &[&str]) {
        let lines = explained(statuses, from, "_rota.app.test");
        let head = "NOERROR aa | _rota.app.test 0 TXT ";
        let service = "service test/app: steer geo, policy rotate";
        let expected = [&[head, service], expected, &[" |  | "]].concat();
        assert_eq!(lines, expected, "{statuses}");
    }
    check(
        "192.0.2.12=down",
        CLIENT,
        &[
            "client 192.0.2.99",
            "A: 1 of 2 addresses of pool eu, 1 an answer: pools serve",
            "AAAA: 1 of 1 addresses of pool eu, 1 an answer: pools serve",
            "ttl 30",
            "scope 6",
        ],
    );
    // A client subnet: 198.51.100.0/24.
    let told = From { options: b"\x00\x08\x00\x07\x00\x01\x18\x00\xc6\x33\x64", ..CLIENT };
    check(
        "2001:db8::12=down us/us2=down",
        told,
        &[
            "client 198.51.100.0/24, told by 192.0.2.99",
            "A: 1 of 2 addresses of pool us, 1 an answer: pools serve",
            "AAAA: none: nothing of this family serves: clients are left to the other one",
            "ttl 30",
            "scope 24",
        ],
    );
    check(
        "192.0.2.11=down 192.0.2.12=down us/us1=down us/us2=down eu/Eu1=down",
        CLIENT,
        &[
            "client 192.0.2.99",
            "A: 1 of 2 addresses of pool eu, 1 an answer: \
             nothing serves: open, so all addresses answer",
            "AAAA: none: nothing serves: open, so all addresses answer",
            "ttl 30",
            "scope 6",
        ],
    );
}

#[test]
fn others_are_not_told_whatever_they_say_of_their_client() {
    // A client subnet: 192.0.2.0/24.
    let told = From { options: b"\x00\x08\x00\x07\x00\x01\x18\x00\xc0\x00\x02", ..AMERICAN };
    for from in [AMERICAN, told] {
        for qname in ["_rota.app.test", "why.test"] {
            assert_eq!(explained("", from, qname), ["REFUSED |  |  | "], "{qname}");
        }
    }
    let mut bench = Bench::new(app(), &Statuses::default());
    let octets = bench.ask(AMERICAN, "_rota.app.test", Rtype::TXT);
    // Extended error 18: Prohibited. RFC 8914 §4.19.
    assert!(octets.ends_with(&[0, 15, 0, 2, 0, 18]), "{octets:02x?}");
    bench.ask(CLIENT, "_rota.app.test", Rtype::TXT);
    let tally = bench.worker.tally();
    assert_eq!((tally.outcome(Outcome::Refused), tally.outcome(Outcome::Told)), (1, 1));
    assert_eq!(tally.packets(), 2);
}

#[test]
fn the_trace_tells_what_is_listed_and_hinted_at() {
    struct Steps(Vec<String>);
    impl Trace for Steps {
        fn step(&mut self, step: Step<'_>) {
            match step {
                Step::Service { family, set, .. } => self.0.push(format!("{family:?} {set:?}")),
                Step::Listed { node, weight } => self.0.push(format!("{node} x{weight}")),
                Step::Hinted { family, count, given } => {
                    self.0.push(format!("{family:?} {count} {given}"));
                }
                Step::Client { .. }
                | Step::Zone(_)
                | Step::Lookup(_)
                | Step::Alias(_)
                | Step::Picked(_) => {}
            }
        }
    }
    let check = |qname, rtype, expected: &[&str]| {
        let mut steps = Steps(Vec::new());
        Bench::new(app(), &Statuses::default()).watch(CLIENT, qname, rtype, &mut steps);
        let sets = ["V4 Some(SetId(0))", "V6 Some(SetId(2))"];
        assert_eq!(steps.0, [&sets[..], expected].concat(), "{qname}");
    };
    check("_https._tcp.app.test", Rtype::SRV, &["Eu1.app.test. x768", "eu2.app.test. x256"]);
    check("app.test", Rtype::HTTPS, &["V4 2 true", "V6 1 true"]);
    check("_rota.app.test", Rtype::TXT, &[]);
}
