//! EDNS, cookies, class CH and the rate limit on the answer path, octets in and octets out.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use domain::base::Message;
use domain::base::opt::UnknownOptData;

use super::tests::{now, zones};
use super::*;
use crate::geo::Network;
use crate::health::{Standing, Status, Target};
use crate::snapshot::Publisher;
use crate::snapshot::settings::{Clock, Cookies, EcsFrom, Nsid, RateLimit, Version};
use crate::steer::{Asker, Board, Node, Override, Unchecked};
use crate::wire::Name;
use crate::wire::cookie::Secrets;

const CLIENT: &str = "192.0.2.99";
/// A DNAME makes more than 255 octets of it.
const TOO_LONG: &str = "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk.long.example.test";
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

fn limited(start: Instant, per_second: u32, slip: u8) -> Settings {
    let exempt = ["203.0.113.0/24"].map(|text| Network::parse(text).unwrap()).into();
    let per_second = NonZeroU32::new(per_second).unwrap();
    Settings { rate_limit: Some(RateLimit { per_second, slip, exempt }), ..with_cookies(start) }
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

/// The server's half of the cookie in a response.
fn server_half(octets: &[u8]) -> Vec<u8> {
    let message = Message::from_octets(octets).unwrap();
    let options = message.opt().unwrap();
    let mut options = options.opt().iter::<UnknownOptData<_>>().map(Result::unwrap);
    let cookie = options.find(|option| option.code().to_int() == 10).expect("a cookie");
    let (client, server) = cookie.as_slice().split_at(8);
    assert_eq!((client, server.len()), (&b"ABCDEFGH"[..], 16));
    server.to_vec()
}

#[test]
fn a_cookie_is_given_recognised_and_renewed() {
    let mut bench = Bench::new(with_cookies);
    let mut give = |server: &[u8], from: &str| {
        let octets = bench.send(&ask(&cookie(server)).octets(), from, Transport::Udp).unwrap();
        assert!(show(&octets).starts_with("NOERROR aa 2 | v0 1232 10=4142434445464748"));
        server_half(&octets)
    };
    let first = give(b"", CLIENT);
    assert_eq!(first[4..8], UNIX.to_be_bytes());
    assert_eq!(give(&first, CLIENT), first);
    // The same client over a socket for both families.
    assert_eq!(give(&first, "::ffff:192.0.2.99"), first);
    assert_ne!(give(&first, "192.0.2.98"), first);
    assert_eq!(
        (bench.worker.tally().cookies_valid(), bench.worker.tally().cookies_wrong()),
        (2, 1)
    );
    bench.later(1801);
    let octets = bench.send(&ask(&cookie(&first)).octets(), CLIENT, Transport::Tcp).unwrap();
    assert_eq!(server_half(&octets)[4..8], (UNIX + 1801).to_be_bytes());
    assert_eq!(bench.worker.tally().cookies_valid(), 3);
}

#[test]
fn a_cookie_without_a_question_is_answered_where_cookies_are_in_use() {
    let octets = |server: &[u8]| {
        let mut octets = vec![0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        octets.extend(opt(&cookie(server)));
        octets
    };
    let mut bench = Bench::new(with_cookies);
    let given = bench.send(&octets(b""), CLIENT, Transport::Udp).unwrap();
    assert!(show(&given).starts_with("NOERROR 0 | v0 1232 10="));
    let again = bench.show(&octets(&server_half(&given)), Transport::Udp);
    assert!(again.starts_with("NOERROR 0 | v0 1232 10="));
    let wrong = bench.show(&octets(&[1; 16]), Transport::Udp);
    assert!(wrong.starts_with("BADCOOKIE 0 | v0 1232 10="), "{wrong}");
    let tally = bench.worker.tally();
    assert_eq!((tally.outcome(Outcome::CookieGiven), tally.outcome(Outcome::BadCookie)), (2, 1));
    check(&octets(b""), "FORMERR 0 | v0 1232");
}

#[test]
fn cookies_that_are_none_are_an_error_and_those_of_others_are_not() {
    let mut bench = Bench::new(with_cookies);
    for len in [0, 7, 9, 15, 41] {
        let message = ask(&option(10, &vec![1; len])).octets();
        assert_eq!(bench.show(&message, Transport::Udp), "FORMERR 0 | v0 1232", "{len}");
    }
    for len in [8, 16, 24, 40] {
        let found = bench.show(&ask(&option(10, &vec![1; len])).octets(), Transport::Udp);
        assert!(found.starts_with("NOERROR aa 2 | v0 1232 10=0101010101010101"), "{len}: {found}");
    }
    // Not in use: an option like any other that nobody knows.
    check(&ask(&cookie(b"")).octets(), "NOERROR aa 2 | v0 1232");
}

const SUBNET: &[u8] = b"\x00\x01\x18\x00\xc0\x00\x02";

#[test]
fn a_client_subnet_goes_back_with_whatever_is_answered() {
    let asked =
        |qname, qtype| Ask { opt: Some(opt(&option(8, SUBNET))), ..plain(qname, qtype) }.octets();
    check(&asked("app.example.test", 1), "NOERROR aa 2 | v0 1232 8=00011800c00002");
    check(&asked("alias.example.test", 1), "NOERROR aa 3 | v0 1232 8=00011800c00002");
    check(&asked("app.example.test", 16), "NOERROR aa 0 | v0 1232 8=00011800c00002");
    check(&asked("nothing.example.test", 1), "NXDOMAIN aa 0 | v0 1232 8=00011800c00002");
    check(&asked("elsewhere.test", 1), "REFUSED 0 | v0 1232 8=00011800c00002 15=0014");
    check_tcp(&asked("app.example.test", 1), "NOERROR aa 2 | v0 1232 8=00011800c00002");
    let v6 = option(8, b"\x00\x02\x20\x00\x20\x01\x0d\xb8");
    check(&ask(&v6).octets(), "NOERROR aa 2 | v0 1232 8=0002200020010db8");
    for nobody in [b"\0\0\0\0", b"\0\x01\0\0", b"\0\x02\0\0"] {
        let expected = format!("NOERROR aa 2 | v0 1232 8=000{}0000", nobody[1]);
        check(&ask(&option(8, nobody)).octets(), &expected);
    }
}

#[test]
fn a_client_subnet_that_breaks_the_format_is_an_error_and_not_returned() {
    for data in [
        &b""[..],
        b"\x00\x01\x18\x00\xc0\x00",
        b"\x00\x01\x18\x00\xc0\x00\x02\x00",
        b"\x00\x01\x17\x00\xc0\x00\x03",
        b"\x00\x01\x18\x18\xc0\x00\x02",
        b"\x00\x03\x18\x00\xc0\x00\x02",
    ] {
        check(&ask(&option(8, data)).octets(), "FORMERR 0 | v0 1232");
    }
}

/// Writes down for whom an answer is.
struct For(Option<(Asker, bool)>);

impl Trace for For {
    fn step(&mut self, step: Step<'_>) {
        if let Step::Client { asker, untrusted } = step {
            self.0 = Some((asker, untrusted));
        }
    }
}

#[test]
fn an_answer_is_for_the_subnet_of_a_trusted_source_and_for_the_source_otherwise() {
    let listed = || EcsFrom::Networks([Network::parse("192.0.2.0/24").unwrap()].into());
    let (subnet, none) = (option(8, b"\x00\x01\x10\x00\xcb\x00"), option(8, b"\0\x01\0\0"));
    let v6 = option(8, b"\x00\x02\x20\x00\x20\x01\x0d\xb8");
    let source = |text: &str| Asker::source(text.parse().unwrap());
    let prefix = |text: &str, length| Asker::prefix(text.parse().unwrap(), length);
    for (ecs, from, options, expected, untrusted) in [
        (EcsFrom::Everyone, CLIENT, &b""[..], source(CLIENT), false),
        (EcsFrom::Everyone, "::ffff:192.0.2.99", b"", source(CLIENT), false),
        (EcsFrom::Everyone, CLIENT, &subnet, prefix("203.0.0.0", 16), false),
        (EcsFrom::Everyone, CLIENT, &v6, prefix("2001:db8::", 32), false),
        (EcsFrom::Everyone, CLIENT, &none, source(CLIENT), false),
        (EcsFrom::Nobody, CLIENT, &subnet, source(CLIENT), true),
        (listed(), CLIENT, &subnet, prefix("203.0.0.0", 16), false),
        (listed(), "::ffff:192.0.2.99", &subnet, prefix("203.0.0.0", 16), false),
        (listed(), "198.51.100.1", &subnet, source("198.51.100.1"), true),
        (listed(), "198.51.100.1", b"", source("198.51.100.1"), false),
    ] {
        let mut bench = Bench::new(|_| Settings { ecs: ecs.clone(), ..settings() });
        let snapshot = bench.publisher.current().load();
        let ip: IpAddr = from.parse().unwrap();
        let client = Client { addr: (ip, 5353).into(), transport: Transport::Udp };
        let (mut seen, mut out) = (For(None), [0; 512]);
        let message = ask(options).octets();
        let action = respond(&message, &client, &snapshot, &mut bench.worker, &mut seen, &mut out);
        assert_eq!(seen.0, Some((expected, untrusted)), "{ecs:?} {from} {options:02x?}");
        let Action::Send(len) = action else { panic!("silence") };
        let returned = !options.is_empty() && !untrusted;
        assert_eq!(show(&out[..len]).contains(" 8="), returned, "{ecs:?} {from} {options:02x?}");
    }
}

/// What becomes of one message sent so many times: a letter for each.
fn fate(
    bench: &mut Bench,
    message: &[u8],
    from: &str,
    transport: Transport,
    count: usize,
) -> String {
    let mut one = |_| match bench.send(message, from, transport) {
        None => '-',
        Some(octets) => match show(&octets).as_str() {
            "NOERROR tc 0" => 't',
            text if text.starts_with("BADCOOKIE 0 | v0 1232 10=") => 'b',
            text if text.starts_with("BADCOOKIE") || text.contains(" tc") => '?',
            _ => 'a',
        },
    };
    (0..count).map(&mut one).collect()
}

#[test]
fn answers_beyond_the_limit_are_truncated_badcookie_or_silence() {
    let mut bench = Bench::new(|start| limited(start, 2, 2));
    let query = plain("app.example.test", 1).octets();
    assert_eq!(fate(&mut bench, &query, CLIENT, Transport::Udp, 6), "aa-t-t");
    // The same network and name with cookies: none yet, and a wrong one.
    assert_eq!(fate(&mut bench, &ask(&cookie(b"")).octets(), CLIENT, Transport::Udp, 4), "-b-b");
    let wrong = ask(&cookie(&[1; 16])).octets();
    assert_eq!(fate(&mut bench, &wrong, CLIENT, Transport::Udp, 2), "-b");
    let tally = bench.worker.tally();
    let found = [Outcome::Answered, Outcome::Limited, Outcome::Slipped, Outcome::BadCookie]
        .map(|outcome| tally.outcome(outcome));
    assert_eq!((found, tally.packets(), tally.truncated()), ([2, 5, 2, 3], 12, 2));
    let snapshot = bench.publisher.current().load();
    let (_, zone) = snapshot.zones().next().unwrap();
    let firsts: u64 = zone.services()[1].addresses.iter().map(|&slot| tally.first(slot)).sum();
    assert_eq!(firsts, 2, "what was not sent was first in nothing");
    drop(snapshot);
    bench.later(1);
    assert_eq!(fate(&mut bench, &query, CLIENT, Transport::Udp, 3), "aa-");
}

#[test]
fn tcp_valid_cookies_and_exempt_networks_are_not_limited() {
    let mut bench = Bench::new(|start| limited(start, 1, 0));
    let query = plain("app.example.test", 1).octets();
    let given = bench.send(&ask(&cookie(b"")).octets(), CLIENT, Transport::Udp).unwrap();
    assert_eq!(fate(&mut bench, &query, CLIENT, Transport::Udp, 3), "---");
    assert_eq!(fate(&mut bench, &query, CLIENT, Transport::Tcp, 3), "aaa");
    assert_eq!(fate(&mut bench, &query, "203.0.113.7", Transport::Udp, 3), "aaa");
    let known = ask(&cookie(&server_half(&given))).octets();
    assert_eq!(fate(&mut bench, &known, CLIENT, Transport::Udp, 3), "aaa");
    assert_eq!(fate(&mut bench, &known, "192.0.2.98", Transport::Udp, 3), "---");
    let mut unlimited = Bench::new(with_cookies);
    assert_eq!(fate(&mut unlimited, &query, CLIENT, Transport::Udp, 9), "aaaaaaaaa");
}

/// One answer a second: what each of these gets, asked in turn.
#[track_caller]
fn check_together(questions: &[(&'static str, u16)], expected: &str) {
    let mut bench = Bench::new(|start| limited(start, 1, 0));
    let fates = questions.iter().map(|&(qname, qtype)| {
        fate(&mut bench, &plain(qname, qtype).octets(), CLIENT, Transport::Udp, 1)
    });
    assert_eq!(fates.collect::<String>(), expected, "{questions:?}");
}

#[test]
fn names_that_are_made_up_are_counted_together() {
    // A name, whatever its type and case; another one has its own count.
    check_together(
        &[("app.example.test", 1), ("APP.example.test", 28), ("www.example.test", 1)],
        "a-a",
    );
    // A wildcard for all that it stands in for.
    check_together(&[("a.wild.example.test", 1), ("b.wild.example.test", 1)], "a-");
    // The zone for all names that are not there.
    check_together(&[("x.example.test", 1), ("y.www.example.test", 1)], "a-");
    // The cut for all below it.
    check_together(&[("a.sub.example.test", 1), ("b.c.sub.example.test", 1)], "a-");
    // All errors are one.
    check_together(&[("elsewhere.test", 1), ("other.test", 1), ("www.broken.test", 1)], "a--");
    // An alias is the name that was asked.
    check_together(
        &[("alias.example.test", 1), ("app.example.test", 1), ("gone.example.test", 1)],
        "aaa",
    );
}

#[test]
fn a_name_that_is_too_long_beyond_the_limit_is_truncated_like_any_answer() {
    let mut bench = Bench::new(|start| limited(start, 1, 2));
    let query = plain(TOO_LONG, 1).octets();
    assert_eq!(fate(&mut bench, &query, CLIENT, Transport::Udp, 5), "a-t-t");
}

#[test]
fn errors_beyond_the_limit_slip_as_they_are() {
    let mut bench = Bench::new(|start| limited(start, 1, 2));
    let query = plain("elsewhere.test", 1).octets();
    assert_eq!(fate(&mut bench, &query, CLIENT, Transport::Udp, 5), "a-a-a");
    assert_eq!(bench.worker.tally().outcome(Outcome::Refused), 3);
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
