//! What hickory's server sends for our engine is what the engine said: every flag, every record in
//! its order, OPT with all that is in it.
//!
//! Two engines with one seed answer the same questions, one of them through the adapter. `domain`
//! reads both responses, so that neither hickory's reader nor ours judges itself.

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

#[path = "common/engine.rs"]
mod engine;

use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::base::rdata::ComposeRecordData;
use domain::base::{Message, ParsedRecord, ToName};
use domain::rdata::AllRecordData;
use hickory_server::Server;
use hickory_server::net::NetError;
use hickory_server::net::runtime::TokioTime;
use hickory_server::net::xfer::Protocol;
use hickory_server::proto::rr::Record;
use hickory_server::proto::serialize::binary::BinEncoder;
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::zone_handler::MessageResponse;
use proptest::prelude::*;
use rota::respond::Transport;
use rota::serve::hickory::Handler;
use rota::snapshot::{Authored, ZoneModel};
use rota::zone::{Source, masterfile};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

use engine::{Engine, NAMES, query};

const SEED: u64 = 7;

/// One owner for each type with a shape of its own, in the order of [`TYPES`]; and large sets.
const RECORDS: &str = r#"
$TTL 300
@    SOA ns1 hostmaster 1 3600 600 86400 60
@    NS  ns1
ns1  A   192.0.2.53
n1   MD    a.ns1
n2   MINFO a.NS1 b.ns1
n3   TXT   "a" "" "b"
n4   RP    ns1 .
n5   LOC   42 21 54 N 71 06 18 W -24m 30m
n6   SRV   0 5 443 ns1
n7   NAPTR 100 10 u E2U+sip "!^.*$!sip:a@b!" .
n8   APL
n9   DS    60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118
n10  SVCB  16 ns1 alpn=h2 port=443
n11  CAA   128 issue "ca.example.org"
n12  URI   10 1 "https://example.org/"
n13  TYPE65305 \# 2 abcd
n14  TYPE65281 \# 0
n15  HINFO "PC" "linux"
n16  HTTPS 0 ns1
n17  RRSIG A 5 3 86400 20030322173103 20030220173103 2642 a. AQID
n18  PTR   Case.Kept.ns1
n19  MX    10 MAIL.ns1
n20  DNAME ns1
$GENERATE 1-26 w A 192.0.2.$
$GENERATE 1-30 one-label-of-many-octets.and-another-one-behind-it.and-yet-one-more A 192.0.2.$
$GENERATE 0-255 many A 198.51.100.$
$GENERATE 1-200 chained.many$ CNAME many
"#;

/// Hickory does not compress names against the question, and this one is long.
const LONG: &str = "one-label-of-many-octets.and-another-one-behind-it.and-yet-one-more.types.test";

const TYPES: [u16; 20] =
    [3, 14, 16, 17, 29, 33, 35, 42, 43, 64, 257, 256, 65305, 65281, 13, 65, 46, 12, 15, 39];

fn zones() -> Vec<Authored> {
    let source = Arc::new(Source { path: "types.test.zone".into(), text: RECORDS.into() });
    let apex = engine::name("types.test");
    let (mut diagnostics, mut none) = (Vec::new(), |_: &str| Err(String::new()));
    let records = masterfile::parse(&source, &apex, &mut none, &mut diagnostics).records.finish();
    assert!(diagnostics.is_empty(), "{diagnostics:#?}");
    let mut zones = engine::zones();
    zones.push(Authored::Good(Arc::new(ZoneModel { records, services: Vec::new() })));
    zones
}

/// An engine, and the adapter over the same zones with the same seed.
fn pair() -> (Engine, Handler) {
    let engine = Engine::with_zones(SEED, &zones());
    let handler = Handler::new(Arc::clone(engine.publisher.current()), SEED);
    (engine, handler)
}

/// A question out of all there are: half of them about the zone of types.
fn question() -> impl Strategy<Value = (String, u16)> {
    let known = |at: usize| (format!("N{}.types.test", at + 1), TYPES[at]);
    let qtype = || prop_oneof![Just(1_u16), Just(28), Just(255), Just(6), Just(2), any::<u16>()];
    prop_oneof![
        (0..NAMES.len(), qtype()).prop_map(|(at, qtype)| (NAMES[at].to_owned(), qtype)),
        (0..TYPES.len()).prop_map(known),
        (0..TYPES.len()).prop_map(move |at| (known(at).0, 255)),
        Just((LONG.to_owned(), 1)),
        prop::sample::select(vec!["w", "many", "chained.many7", "no", ""])
            .prop_flat_map(move |label| (Just(format!("{label}.types.test")), qtype()))
            .prop_map(|(name, qtype)| (name.trim_start_matches('.').to_owned(), qtype)),
    ]
}

/// Everything in a response that a client can see; names written out, in their case.
#[derive(Debug, PartialEq)]
struct Seen {
    header: Vec<u8>,
    question: Vec<u8>,
    sections: [Vec<SeenRecord>; 3],
}

#[derive(Debug, PartialEq)]
struct SeenRecord {
    owner: Vec<u8>,
    rtype: u16,
    class: u16,
    ttl: u32,
    rdata: Vec<u8>,
}

fn see(response: &[u8]) -> Seen {
    let message = Message::from_octets(response).unwrap();
    let sections = [message.answer(), message.authority(), message.additional()];
    let question_end = message.answer().unwrap().pos();
    Seen {
        header: response[..12].to_vec(),
        question: response[12..question_end].to_vec(),
        sections: sections.map(|it| it.unwrap().map(|it| see_record(&it.unwrap())).collect()),
    }
}

fn see_record(record: &ParsedRecord<'_, &[u8]>) -> SeenRecord {
    let data = record.to_any_record::<AllRecordData<_, _>>().unwrap();
    let mut rdata = Vec::new();
    data.data().compose_rdata(&mut rdata).unwrap();
    SeenRecord {
        owner: record.owner().to_vec().as_slice().to_vec(),
        rtype: record.rtype().to_int(),
        class: record.class().to_int(),
        ttl: record.ttl().as_secs(),
        rdata,
    }
}

impl Seen {
    /// Octets of the response without any compression.
    fn whole_len(&self) -> usize {
        let records = self.sections.iter().flatten();
        let records = records.map(|record| record.owner.len() + 10 + record.rdata.len());
        12 + self.question.len() + records.sum::<usize>()
    }
}

/// Compares what hickory sends with what the engine says; `limit` is what the client takes.
fn judge(ours: Option<&[u8]>, theirs: Option<&[u8]>, limit: usize) -> Result<(), TestCaseError> {
    let (Some(ours), Some(theirs)) = (ours, theirs) else {
        prop_assert_eq!(ours, theirs, "one of them is silent");
        return Ok(());
    };
    prop_assert!(theirs.len() <= limit, "{} octets of {}", theirs.len(), limit);
    let (mut said, sent) = (see(ours), see(theirs));
    if said == sent {
        return Ok(());
    }
    // The one thing that may differ: names take more room, so that the records have none.
    prop_assert!(said.whole_len() > limit, "it would fit\n{:#?}\n{:#?}", said, sent);
    said.header[2] |= 0x02;
    said.header[6..10].fill(0);
    let opt = said.sections[2].pop().filter(|record| record.rtype == 41);
    said.sections = [vec![], vec![], opt.into_iter().collect()];
    said.header[10..12].copy_from_slice(&(said.sections[2].len() as u16).to_be_bytes());
    prop_assert_eq!(said, sent);
    Ok(())
}

/// Takes the place of hickory's transport: encodes as that does, and keeps the octets.
#[derive(Clone)]
struct Wire {
    udp: bool,
    sent: Arc<Mutex<Option<Vec<u8>>>>,
}

#[async_trait]
impl ResponseHandler for Wire {
    async fn send_response<'a>(
        &mut self,
        response: MessageResponse<
            '_,
            'a,
            impl Iterator<Item = &'a Record> + Send + 'a,
            impl Iterator<Item = &'a Record> + Send + 'a,
            impl Iterator<Item = &'a Record> + Send + 'a,
            impl Iterator<Item = &'a Record> + Send + 'a,
        >,
    ) -> Result<ResponseInfo, NetError> {
        let mut octets = Vec::new();
        let mut encoder = BinEncoder::new(&mut octets);
        let opt_size = response.edns().map_or(512, |edns| edns.max_payload());
        encoder.set_max_size(if self.udp { opt_size } else { u16::MAX });
        let info = response.destructive_emit(&mut encoder)?;
        *self.sent.lock().unwrap() = Some(octets);
        Ok(info)
    }
}

/// One message through the engine and through the adapter, without sockets.
fn check(message: &[u8], transport: Transport, limit: usize) -> Result<(), TestCaseError> {
    static PAIR: LazyLock<Mutex<(Engine, Handler)>> = LazyLock::new(|| Mutex::new(pair()));
    let protocol = match transport {
        Transport::Udp => Protocol::Udp,
        Transport::Tcp => Protocol::Tcp,
        Transport::Tls | Transport::Https | Transport::Quic | Transport::H3 => {
            unreachable!("this build of hickory has none of them")
        }
    };
    let client = ([192, 0, 2, 99], 4000).into();
    // What hickory cannot read it answers by itself, and nobody is asked.
    let Ok(request) = Request::from_bytes(message.to_vec(), client, protocol) else {
        return Ok(());
    };
    let mut pair = PAIR.lock().unwrap_or_else(PoisonError::into_inner);
    let (engine, handler) = &mut *pair;
    let mut out = vec![0; 65_535];
    let ours = engine.respond(message, transport, &mut out);
    let sent = Arc::new(Mutex::new(None));
    let wire = Wire { udp: transport == Transport::Udp, sent: Arc::clone(&sent) };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let info = runtime.block_on(handler.handle_request::<_, TokioTime>(&request, wire));
    let theirs = sent.lock().unwrap().take();
    if let Some(theirs) = &theirs {
        prop_assert_eq!(info.id.to_be_bytes(), &theirs[..2]);
        prop_assert_eq!(u16::from(info.truncation), u16::from(theirs[2] & 2 != 0));
    }
    judge(ours.map(|len| &out[..len]), theirs.as_deref(), limit)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn the_adapter_sends_what_the_engine_says(
        (name, qtype) in question(),
        opt in prop::option::of(prop_oneof![512..=1232_u16, any::<u16>()]),
        opcode_and_flags in prop_oneof![Just(0_u8), Just(1), any::<u8>()],
        octet_3 in any::<u8>(),
        qclass in prop_oneof![4 => Just(1_u16), 1 => any::<u16>()],
    ) {
        let mut message = query(7, &name, qtype, opt);
        (message[2], message[3]) = (opcode_and_flags, octet_3);
        let class_at = 12 + engine::name(&name).as_wire().len() + 2;
        message[class_at..class_at + 2].copy_from_slice(&qclass.to_be_bytes());
        let limit = opt.map_or(512, |size| usize::from(size.clamp(512, 1232)));
        check(&message, Transport::Udp, limit)?;
        check(&message, Transport::Tcp, 65_535)?;
    }

    #[test]
    fn damaged_queries_get_what_the_engine_says(
        (name, qtype) in question(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut message = query(7, &name, qtype, Some(1232));
        for (place, octet) in damage {
            let place = place.index(message.len());
            message[place] = octet;
        }
        check(&message, Transport::Udp, 1232)?;
        check(&message, Transport::Tcp, 65_535)?;
    }
}

#[test]
fn every_type_of_the_zone_passes() {
    for (at, qtype) in TYPES.into_iter().enumerate() {
        let message = query(7, &format!("n{}.types.test", at + 1), qtype, Some(1232));
        let (mut engine, _) = pair();
        let mut out = [0; 1232];
        let len = engine.respond(&message, Transport::Udp, &mut out).unwrap();
        assert_eq!(see(&out[..len]).sections[0].len(), 1, "type {qtype} is there");
        check(&message, Transport::Udp, 1232).unwrap();
    }
}

#[test]
fn no_response_is_larger_than_its_client_takes() {
    for size in 512..=1232 {
        check(&query(7, LONG, 1, Some(size)), Transport::Udp, usize::from(size)).unwrap();
    }
    check(&query(7, LONG, 1, None), Transport::Udp, 512).unwrap();
}

/// The same over hickory's own UDP and TCP on the loopback.
#[test]
fn hickorys_transports_carry_what_the_engine_says() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (mut engine, handler) = pair();
        let mut server = Server::new(handler);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let udp_address = socket.local_addr().unwrap();
        server.register_socket(socket);
        server.register_listener(listener, Duration::from_secs(5), 128);

        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect(udp_address).await.unwrap();
        engine.client = socket.local_addr().unwrap();
        let mut stream = TcpStream::connect(address).await.unwrap();
        let (mut out, mut theirs) = (vec![0; 65_535], vec![0; 65_535]);
        let known = TYPES.into_iter().enumerate();
        let known = known.map(|(at, qtype)| (format!("N{}.types.test", at + 1), qtype));
        // What a service explains depends on where the query came from: that differs here.
        let names = NAMES.iter().filter(|name| !name.starts_with("_rota.typed."));
        let others = names.flat_map(|name| [1, 28, 16, 33, 65, 255].map(|it| (*name, it)));
        let others = others.chain([("many.types.test", 1), ("chained.many7.types.test", 1)]);
        let others = others.map(|(name, qtype)| (name.to_owned(), qtype));
        for (at, (name, qtype)) in known.chain(others).enumerate() {
            for opt in [None, Some(1232)] {
                let message = query(at as u16, &name, qtype, opt);
                let ours = engine.respond(&message, Transport::Udp, &mut out).unwrap();
                socket.send(&message).await.unwrap();
                let len = within_time(socket.recv(&mut theirs)).await;
                let limit = usize::from(opt.unwrap_or(512));
                judge(Some(&out[..ours]), Some(&theirs[..len]), limit).unwrap();

                let ours = engine.respond(&message, Transport::Tcp, &mut out).unwrap();
                let prefix = (message.len() as u16).to_be_bytes();
                stream.write_all(&[&prefix[..], &message].concat()).await.unwrap();
                let len = usize::from(within_time(stream.read_u16()).await);
                within_time(stream.read_exact(&mut theirs[..len])).await;
                judge(Some(&out[..ours]), Some(&theirs[..len]), 65_535).unwrap();
            }
        }
        drop(stream);
        within_time(server.shutdown_gracefully()).await;
    });
}

/// A thing that takes a moment, given ten seconds.
async fn within_time<T, E: std::fmt::Debug>(wait: impl Future<Output = Result<T, E>>) -> T {
    tokio::time::timeout(Duration::from_secs(10), wait).await.expect("in time").unwrap()
}
