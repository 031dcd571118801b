//! EDNS and class CH on the answer path, octets in and octets out. Cookies, client subnets and the
//! rate limit have files of their own.

mod cookie_tests;
mod limit_tests;
mod subnet_tests;

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use domain::base::Message;
use domain::base::opt::UnknownOptData;

use super::tests::{now, zones};
use super::*;
use crate::geo::Network;
use crate::health::{Standing, Status, Target};
use crate::snapshot::settings::{Clock, Cookies, EcsFrom, Nsid, RateLimit, Version};
use crate::snapshot::{Publisher, Settings};
use crate::steer::{Asker, Board, Node, Override, Unchecked};
use crate::wire::Name;
use crate::wire::cookie::Secrets;

const CLIENT: &str = "192.0.2.99";
/// Any time, in Unix seconds.
const UNIX: u32 = 1_800_000_000;

struct Bench {
    publisher: Publisher,
    worker: Worker,
    start: Instant,
}

fn settings() -> Settings {
    Settings { nsid: Nsid::new("ns1-a"), version: Version::new("rota test"), ..Settings::default() }
}

fn with_cookies(start: Instant) -> Settings {
    let secrets = Secrets { making: [7; 16].into(), also: None };
    Settings {
        cookies: Some(Cookies { secrets, clock: Clock { at: start, unix: UNIX } }),
        ..settings()
    }
}

impl Bench {
    fn new(settings: impl Fn(Instant) -> Settings) -> Self {
        let start = now();
        let (mut publisher, mut worker) = (Publisher::new(), Worker::new(1));
        publisher.publish(&zones(), settings(start), &Unchecked);
        worker.begin_batch(&publisher.current().load(), start);
        Self { publisher, worker, start }
    }

    fn later(&mut self, seconds: u64) {
        let now = self.start + Duration::from_secs(seconds);
        self.worker.begin_batch(&self.publisher.current().load(), now);
    }

    fn send(&mut self, message: &[u8], from: &str, transport: Transport) -> Option<Vec<u8>> {
        let snapshot = self.publisher.current().load();
        let ip: IpAddr = from.parse().unwrap();
        let client = Client { addr: (ip, 5353).into(), transport };
        let mut out = vec![0xee; 65_535];
        match respond(message, &client, &snapshot, &mut self.worker, &mut (), &mut out) {
            Action::Send(len) => Some(out[..len].to_vec()),
            Action::Drop => None,
        }
    }

    fn show(&mut self, message: &[u8], transport: Transport) -> String {
        self.send(message, CLIENT, transport).map_or("silence".into(), |octets| show(&octets))
    }
}

/// A query's octets; flags are octets 2 and 3 of the header.
struct Ask {
    flags: [u8; 2],
    qname: &'static str,
    qtype: u16,
    qclass: u16,
    opt: Option<Vec<u8>>,
}

/// A query for the address of `app.example.test`, with EDNS and these options.
fn ask(options: &[u8]) -> Ask {
    Ask { opt: Some(opt(options)), ..plain("app.example.test", 1) }
}

fn plain(qname: &'static str, qtype: u16) -> Ask {
    Ask { flags: [0, 0], qname, qtype, qclass: 1, opt: None }
}

fn opt(options: &[u8]) -> Vec<u8> {
    let mut record = b"\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00".to_vec();
    record.push(options.len() as u8);
    record.extend(options);
    record
}

fn option(code: u8, data: &[u8]) -> Vec<u8> {
    [&[0, code, 0, data.len() as u8], data].concat()
}

impl Ask {
    fn octets(&self) -> Vec<u8> {
        let [high, low] = self.flags;
        let mut octets = vec![0, 7, high, low, 0, 1, 0, 0, 0, 0, 0, u8::from(self.opt.is_some())];
        octets.extend(Name::from_text(self.qname).unwrap().as_wire());
        octets.extend(self.qtype.to_be_bytes());
        octets.extend(self.qclass.to_be_bytes());
        octets.extend(self.opt.iter().flatten());
        octets
    }
}

/// `RCODE flags answers | OPT version, size, flags and options`, as the domain library reads it.
fn show(octets: &[u8]) -> String {
    let message = Message::from_octets(octets).unwrap();
    let header = message.header();
    let flags = [
        (header.aa(), " aa"),
        (header.tc(), " tc"),
        (header.rd(), " rd"),
        (header.ra(), " ra"),
        (header.z(), " z"),
        (header.ad(), " ad"),
        (header.cd(), " cd"),
    ];
    let flags: String = flags.iter().filter_map(|(set, flag)| set.then_some(*flag)).collect();
    let answers = message.answer().unwrap().count();
    let Some(opt) = message.opt() else {
        return format!("{}{flags} {answers}", header.rcode());
    };
    let last = message.additional().unwrap().last().unwrap().unwrap();
    assert_eq!(last.rtype().to_int(), 41, "the record stands last");
    let options: Vec<UnknownOptData<_>> =
        opt.opt().iter().map(|option| option.expect("whole options")).collect();
    let hex = |data: &[u8]| data.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
    let options: String = options
        .iter()
        .map(|option| format!(" {}={}", option.code().to_int(), hex(option.as_slice())))
        .collect();
    let dnssec = if opt.dnssec_ok() { " do" } else { "" };
    let (version, size) = (opt.version(), opt.udp_payload_size());
    format!("{}{flags} {answers} | v{version} {size}{dnssec}{options}", opt.rcode(header))
}

#[track_caller]
fn check(message: &[u8], expected: &str) {
    assert_eq!(Bench::new(|_| settings()).show(message, Transport::Udp), expected);
}

#[track_caller]
fn check_tcp(message: &[u8], expected: &str) {
    assert_eq!(Bench::new(|_| settings()).show(message, Transport::Tcp), expected);
}

#[test]
fn an_opt_record_answers_an_opt_record_on_errors_too() {
    check(&ask(b"").octets(), "NOERROR aa 2 | v0 1232");
    check(&plain("app.example.test", 1).octets(), "NOERROR aa 2");
    let mut two = ask(b"").octets();
    two[11] = 2;
    two.extend(opt(b""));
    check(&two, "FORMERR 0 | v0 1232");
    let mut behind = ask(b"").octets();
    behind.push(0);
    check(&behind, "FORMERR 0 | v0 1232");
    check(&ask(b"\0").octets(), "FORMERR 0 | v0 1232");
    let update = Ask { flags: [0x28, 0], ..ask(b"") };
    // 21 is Not Supported.
    check(&update.octets(), "NOTIMP 0 | v0 1232 15=0015");
    let notify = Ask { flags: [0x20, 0], ..plain("example.test", 6) };
    check(&notify.octets(), "NOTIMP 0");
}

#[test]
fn unknown_versions_options_and_flags() {
    let mut later = ask(&option(3, b"")).octets();
    let opt_at = later.len() - 15;
    later[opt_at + 6] = 1;
    check(&later, "BADVERS 0 | v0 1232");
    check(&ask(&option(200, b"whatever")).octets(), "NOERROR aa 2 | v0 1232");
    let mut flags = ask(b"").octets();
    let flags_at = flags.len() - 4;
    flags[flags_at..flags_at + 2].copy_from_slice(&[0xff, 0xff]);
    check(&flags, "NOERROR aa 2 | v0 1232 do");
}

#[test]
fn bits_of_the_header_that_are_not_a_query_s_business_are_clear() {
    // AA, TC, RD; RA, Z, AD, CD and a response code.
    let message = Ask { flags: [0x07, 0xff], ..plain("app.example.test", 1) };
    check(&message.octets(), "NOERROR aa rd 2");
    let response = Ask { flags: [0x80, 0], ..plain("app.example.test", 1) };
    check(&response.octets(), "silence");
}

#[test]
fn the_server_is_named_to_whoever_asks() {
    check(&ask(&option(3, b"")).octets(), "NOERROR aa 2 | v0 1232 3=6e73312d61");
    check(&ask(&option(3, b"junk")).octets(), "NOERROR aa 2 | v0 1232 3=6e73312d61");
    let unnamed = |_| Settings::default();
    let found = Bench::new(unnamed).show(&ask(&option(3, b"")).octets(), Transport::Udp);
    assert_eq!(found, "NOERROR aa 2 | v0 1232");
}

#[test]
fn keepalive_is_for_tcp_and_without_a_value() {
    let (empty, wait) = (ask(&option(11, b"")).octets(), ask(&option(11, b"\x00\x01")).octets());
    // 10 s are 100 units.
    check_tcp(&empty, "NOERROR aa 2 | v0 1232 11=0064");
    check_tcp(&wait, "FORMERR 0 | v0 1232 11=0064");
    check(&empty, "NOERROR aa 2 | v0 1232");
    check(&wait, "NOERROR aa 2 | v0 1232");
    check_tcp(&ask(b"").octets(), "NOERROR aa 2 | v0 1232");
    let patient = |_| Settings { idle: Duration::from_secs(86_400), ..Settings::default() };
    assert_eq!(Bench::new(patient).show(&empty, Transport::Tcp), "NOERROR aa 2 | v0 1232 11=ffff");
}

#[test]
fn keepalive_is_understood_inside_tls_and_nowhere_else_that_is_encrypted() {
    let wait = ask(&option(11, b"\x00\x01")).octets();
    for (transport, expected) in [
        (Transport::Tls, "FORMERR 0 | v0 1232 11=0064"),
        (Transport::Https, "NOERROR aa 2 | v0 1232"),
        (Transport::H3, "NOERROR aa 2 | v0 1232"),
    ] {
        assert_eq!(Bench::new(|_| settings()).show(&wait, transport), expected);
    }
}

/// RFC 8467 §4.1: blocks of 468 octets.
#[test]
fn who_pads_is_padded_for_where_nobody_reads_it() {
    let (padded, plain) = (ask(&option(12, &[0; 20])).octets(), ask(b"").octets());
    for transport in [Transport::Tls, Transport::Https, Transport::Quic, Transport::H3] {
        let mut bench = Bench::new(|_| settings());
        assert_eq!(bench.send(&padded, CLIENT, transport).unwrap().len(), 468);
        assert!(bench.send(&plain, CLIENT, transport).unwrap().len() < 100);
    }
}

#[test]
fn nothing_is_padded_where_others_can_read_it() {
    let padded = ask(&option(12, &[0; 20])).octets();
    check(&padded, "NOERROR aa 2 | v0 1232");
    check_tcp(&padded, "NOERROR aa 2 | v0 1232");
}

#[test]
fn reasons_are_given_where_the_code_alone_says_little() {
    let why = |qname, qtype| Ask { opt: Some(opt(b"")), ..plain(qname, qtype) }.octets();
    let said = |text: &str| text.bytes().map(|octet| format!("{octet:02x}")).collect::<String>();
    check(&why("elsewhere.test", 1), "REFUSED 0 | v0 1232 15=0014");
    let broken = said("the zone's files have errors");
    check(&why("www.broken.test", 1), &format!("SERVFAIL 0 | v0 1232 15=0018{broken}"));
    check(&why("example.test", 252), "REFUSED 0 | v0 1232 15=0015");
    check(&why("example.test", 250), "NOTIMP 0 | v0 1232 15=0015");
    check(&why("nothing.example.test", 1), "NXDOMAIN aa 0 | v0 1232");
    check(&plain("elsewhere.test", 1).octets(), "REFUSED 0");
}

/// Everything is down.
struct AllDown;

impl Board for AllDown {
    fn standing(&self, _: &Target) -> Standing {
        Standing { status: Status::Down, contradicted: false }
    }

    fn forced(&self, _: &str) -> Option<Override> {
        Some(Override::Down)
    }

    fn weight(&self, node: &Node) -> u16 {
        node.weight
    }

    fn pace(&self, _: &Target) -> Option<Duration> {
        None
    }
}

#[test]
fn an_answer_made_while_all_is_down_says_so() {
    let mut bench = Bench::new(|_| settings());
    bench.publisher = Publisher::new();
    bench.publisher.publish(&zones(), settings(), &AllDown);
    bench.later(0);
    let said = |text: &str| text.bytes().map(|octet| format!("{octet:02x}")).collect::<String>();
    let found = bench.show(&ask(b"").octets(), Transport::Udp);
    assert_eq!(found, format!("NOERROR aa 0 | v0 1232 15=0000{}", said("all down")));
}

#[test]
fn other_classes_than_in() {
    let of_class = |qname, qtype, qclass| Ask { qclass, ..plain(qname, qtype) }.octets();
    // Any class: from IN, and never authoritative.
    check(&of_class("app.example.test", 1, 255), "NOERROR 2");
    check(&of_class("nothing.example.test", 1, 255), "NXDOMAIN 0");
    check(&of_class("version.bind", 16, 255), "REFUSED 0");
    for class in [0, 2, 4, 254, 65_280] {
        check(&of_class("app.example.test", 1, class), "REFUSED 0");
    }
    for (qname, qtype, expected) in [
        ("version.bind", 16, "NOERROR 1"),
        ("VERSION.server", 255, "NOERROR 1"),
        ("id.server", 16, "NOERROR 1"),
        ("hostname.bind", 16, "NOERROR 1"),
        ("version.bind", 1, "REFUSED 0"),
        ("authors.bind", 16, "REFUSED 0"),
        ("x.version.bind", 16, "REFUSED 0"),
        ("app.example.test", 1, "REFUSED 0"),
    ] {
        check(&of_class(qname, qtype, 3), expected);
        let silent =
            Bench::new(|_| Settings::default()).show(&of_class(qname, qtype, 3), Transport::Udp);
        assert_eq!(silent, "REFUSED 0", "{qname}: nothing was allowed to be told");
    }
    let octets = Bench::new(|_| settings())
        .send(&of_class("Version.BIND", 16, 3), CLIENT, Transport::Udp)
        .unwrap();
    let record = b"\xc0\x0c\x00\x10\x00\x03\x00\x00\x00\x00\x00\x0a\x09rota test";
    assert_eq!(&octets[12 + 18..], record);
}

#[test]
fn types_that_are_no_data_are_not_there_as_with_nsd_and_knot() {
    for qtype in [0, 41, 128, 200, 248] {
        check(&plain("www.example.test", qtype).octets(), "NOERROR aa 0");
    }
}

/// A COOKIE option with the client's half `ABCDEFGH`.
fn cookie(server: &[u8]) -> Vec<u8> {
    option(10, &[b"ABCDEFGH", server].concat())
}

#[test]
fn room_for_options_is_kept_when_an_answer_is_cut() {
    let mut bench = Bench::new(|start| Settings {
        nsid: Nsid::new(&"n".repeat(Nsid::LEN_MAX)),
        ..with_cookies(start)
    });
    let subnet = [&b"\x00\x02\x80\x00"[..], &[0x20; 16]].concat();
    let options = [option(3, b""), cookie(b""), option(8, &subnet)].concat();
    for size in [512_u16, 600, 700, 1232] {
        for (qname, qtype) in [("www.example.test", 1), ("big.example.test", 16)] {
            let mut record = opt(&options);
            record[3..5].copy_from_slice(&size.to_be_bytes());
            let message = Ask { opt: Some(record), ..plain(qname, qtype) }.octets();
            let octets = bench.send(&message, CLIENT, Transport::Udp).unwrap();
            assert!(octets.len() <= usize::from(size));
            let found = show(&octets);
            assert!([" 10=", " 3=", " 8="].iter().all(|code| found.contains(code)), "{found}");
            assert_eq!(found.contains(" tc"), qtype == 16, "{found}");
        }
    }
}
