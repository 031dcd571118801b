//! The answer path in process, over a zone that has something of everything.

#![allow(unreachable_pub, reason = "each test file is a crate of its own")]
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::disallowed_methods, reason = "any time will do")]

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Instant;

use rota::geo::{Coordinates, Network, Place};
use rota::respond::{Action, Client, Transport, Worker, respond};
use rota::snapshot::settings::{Clock, Cookies, Nsid, RateLimit, Sampling, Version};
use rota::snapshot::{Authored, Publisher, Settings, ZoneModel};
use rota::steer::{
    Address, Answers, Explain, Https, Node, Policy, Pool, Service, Srv, Steer, Unchecked,
};
use rota::wire::Name;
use rota::wire::cookie::Secrets;
use rota::zone::{Source, masterfile};

pub const ZONE: &str = r#"
$TTL 300
@        SOA   ns1 hostmaster 1 3600 600 86400 60
@        NS    ns1
@        NS    ns.elsewhere.test.
@        MX    10 mail
ns1      A     192.0.2.53
ns1      AAAA  2001:db8::53
mail     A     192.0.2.25
www      A     192.0.2.1
www      A     192.0.2.2
www      A     192.0.2.3
text     TXT   "some text" "and more of it"
big      TXT   ( "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" )
big      TXT   ( "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"
                 "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy" )
big      TXT   ( "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"
                 "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz" )
big      TXT   ( "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww"
                 "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww" )
alias    CNAME rotated
chain    CNAME alias
out      CNAME www.elsewhere.test.
loop     CNAME loop
*.wild   TXT   "anything"
a.b.c    TXT   "below empty names"
_sip._tcp SRV  0 5 5060 mail
sub      NS    ns.sub
sub      NS    ns1
ns.sub   A     192.0.2.54
odd      TYPE65280 \# 4 01020304
n0.typed A     10.0.0.0
n1.typed AAAA  2001:db8::1
"#;

/// Every name that the zone knows, and some that it does not.
pub const NAMES: &[&str] = &[
    "example.test",
    "www.example.test",
    "text.example.test",
    "big.example.test",
    "mail.example.test",
    "alias.example.test",
    "chain.example.test",
    "out.example.test",
    "loop.example.test",
    "x.wild.example.test",
    "b.c.example.test",
    "_sip._tcp.example.test",
    "sub.example.test",
    "deep.in.sub.example.test",
    "odd.example.test",
    "nothing.example.test",
    "rotated.example.test",
    "weighted.example.test",
    "shuffled.example.test",
    "ordered.example.test",
    "name.many.example.test",
    "typed.example.test",
    "_https._tcp.typed.example.test",
    "_tcp.typed.example.test",
    "_8443._https.typed.example.test",
    "_rota.typed.example.test",
    "_rota.untold.example.test",
    "_https._tcp.untold.example.test",
    "untold.example.test",
    "hashed.example.test",
    "hashes.example.test",
    "nearest.example.test",
    "fastest.example.test",
    "least.example.test",
    "apart.example.test",
    "drawn.apart.example.test",
    "hashed.apart.example.test",
    "split.example.test",
    "placed.example.test",
    "www.broken.test",
    "elsewhere.test",
];

pub fn name(text: &str) -> Name {
    Name::from_text(text).expect("a name")
}

fn service(label: &str, policy: Policy, count: usize) -> Arc<Service> {
    let node = |index: usize| {
        let texts =
            [format!("10.0.{}.{}", index / 250, index % 250), format!("2001:db8::{index:x}")];
        let address = |text: &String| Address::new(text.parse().expect("an address"), Vec::new());
        let addresses = texts.iter().map(address).collect();
        let node = Node::new(format!("{label}/{index}"), format!("n{index}"), addresses);
        Node { weight: (index % 5 + 1) as u16, ..node }
    };
    let pool = Pool::new("", (0..count).map(node).collect());
    Arc::new(Service {
        policy,
        answers: if count > 100 { Answers::All } else { Answers::DEFAULT },
        ..Service::new(name(&format!("{label}.example.test")), label, vec![pool])
    })
}

/// A service with something for every type: HTTPS at a name of its own where `port` is not 443.
fn typed(label: &str, count: usize, port: u16, told: &str) -> Arc<Service> {
    let below = |prefix: &str| name(&format!("{prefix}{label}.example.test"));
    let prefix = if port == 443 { "" } else { "_8443._https." };
    let to = vec![Network::parse(told).expect("a network")];
    Arc::new(Service {
        srv: vec![Srv { owner: below("_https._tcp."), port }],
        https: Some(Https { owner: below(prefix), port, alpn: vec!["h2".into()] }),
        explain: Some(Explain { owner: below("_rota."), to }),
        ..(*service(label, Policy::Rotate, count)).clone()
    })
}

/// The same whose nodes stand in three racks, two of which are one site.
fn apart(label: &str, policy: Policy, count: usize) -> Arc<Service> {
    let mut service = Service::clone(&service(label, policy, count));
    for (index, node) in service.pools[0].nodes.iter_mut().enumerate() {
        node.labels.insert("rack".into(), ["a", "b", "c"][index % 3].into());
        node.labels.insert("site".into(), ["x", "x", "y"][index % 3].into());
    }
    Arc::new(Service { spread: vec!["site".into(), "rack".into()], ..service })
}

/// Two halves of one, each for somebody.
fn halves(label: &str, steer: Steer, policy: Policy, places: [&str; 2]) -> Arc<Service> {
    let whole = Service::clone(&service(label, policy, 12));
    let half = |at: usize| Pool {
        share: 50,
        places: vec![Place::parse(places[at]).expect("a place")],
        at: Coordinates::new(0.0, 90.0 * at as f64),
        ..Pool::new(places[at], whole.pools[0].nodes[6 * at..][..6].to_vec())
    };
    Arc::new(Service { steer, pools: vec![half(0), half(1)], ..whole })
}

/// The zone `example.test`, and a broken one beside it.
pub fn zones() -> Vec<Authored> {
    let source = Arc::new(Source { path: "example.test.zone".into(), text: ZONE.into() });
    let mut diagnostics = Vec::new();
    let mut no_includes = |_: &str| Err(String::from("there is nothing to include"));
    let file =
        masterfile::parse(&source, &name("example.test"), &mut no_includes, &mut diagnostics);
    assert!(diagnostics.is_empty(), "{diagnostics:#?}");
    let services = vec![
        service("rotated", Policy::Rotate, 4),
        service("weighted", Policy::Weighted, 4),
        service("shuffled", Policy::Shuffle, 40),
        service("ordered", Policy::Ordered, 3),
        service("*.many", Policy::Weighted, 200),
        typed("typed", 4, 8443, "192.0.2.0/24"),
        typed("untold", 40, 443, "203.0.113.0/24"),
        service("hashed", Policy::Hash, 4),
        service("hashes", Policy::Hash, 10),
        halves("nearest", Steer::Nearest, Policy::Nearest, ["192.0.2.0/24", "*"]),
        service("fastest", Policy::Fastest, 40),
        service("least", Policy::LeastLoaded, 40),
        apart("apart", Policy::Rotate, 40),
        apart("drawn.apart", Policy::Weighted, 40),
        apart("hashed.apart", Policy::Hash, 9),
        halves("split", Steer::Split, Policy::Hash, ["192.0.2.0/24", "*"]),
        halves("placed", Steer::Geo, Policy::Rotate, ["192.0.2.0/24", "*"]),
    ];
    let model = ZoneModel { records: file.records.finish(), services };
    vec![Authored::Good(Arc::new(model)), Authored::Broken(name("broken.test"))]
}

/// A worker over a published snapshot.
pub struct Engine {
    pub publisher: Publisher,
    pub worker: Worker,
    /// Where queries come from.
    pub client: SocketAddr,
}

impl Engine {
    pub fn new(seed: u64) -> Self {
        Self::with(seed, &zones(), Settings::default())
    }

    pub fn with_zones(seed: u64, zones: &[Authored]) -> Self {
        Self::with(seed, zones, Settings::default())
    }

    pub fn with_settings(seed: u64, settings: Settings) -> Self {
        Self::with(seed, &zones(), settings)
    }

    fn with(seed: u64, zones: &[Authored], settings: Settings) -> Self {
        let mut publisher = Publisher::new();
        publisher.publish(zones, settings, &Unchecked);
        let client = ([192, 0, 2, 99], 4000).into();
        let mut engine = Self { publisher, worker: Worker::new(seed), client };
        engine.restart(seed);
        engine
    }

    /// A worker that has answered nothing yet.
    pub fn restart(&mut self, seed: u64) {
        self.worker = Worker::new(seed);
        self.worker.begin_batch(&self.publisher.current().load(), Instant::now());
    }

    /// One message through the answer path; the response's length, or none for silence.
    pub fn respond(
        &mut self,
        message: &[u8],
        transport: Transport,
        out: &mut [u8],
    ) -> Option<usize> {
        let snapshot = self.publisher.current().load();
        let client = Client { addr: self.client, transport };
        match respond(message, &client, &snapshot, &mut self.worker, &mut (), out) {
            Action::Send(len) => Some(len),
            Action::Drop => None,
        }
    }
}

/// Everything switched on that a query can ask for; one client gets this many answers a second.
pub fn everything(per_second: u32) -> Settings {
    let secrets = Secrets { making: [7; 16].into(), also: Some([8; 16].into()) };
    Settings {
        nsid: Nsid::new(&"n".repeat(Nsid::LEN_MAX)),
        version: Version::new("some version"),
        cookies: Some(Cookies { secrets, clock: Clock { at: Instant::now(), unix: 1 } }),
        rate_limit: NonZeroU32::new(per_second).map(|per_second| RateLimit {
            per_second,
            slip: 2,
            exempt: Box::new([Network::parse("203.0.113.0/24").expect("a network")]),
        }),
        sampling: NonZeroU32::new(2).map(|every| Sampling { every, bits: [24, 56], file: None }),
        ..Settings::default()
    }
}

/// A query whose OPT record has these octets of options.
pub fn query_with_options(qname: &str, qtype: u16, options: &[u8]) -> Vec<u8> {
    let mut message = query(7, qname, qtype, Some(1232));
    message.truncate(message.len() - 2);
    message.extend((options.len() as u16).to_be_bytes());
    message.extend(options);
    message
}

/// A query's bytes; `opt` is the UDP size that the client offers.
pub fn query(id: u16, qname: &str, qtype: u16, opt: Option<u16>) -> Vec<u8> {
    query_of(id, &name(qname), qtype, opt)
}

/// The same for a name that is one already.
pub fn query_of(id: u16, qname: &Name, qtype: u16, opt: Option<u16>) -> Vec<u8> {
    let mut message = id.to_be_bytes().to_vec();
    message.extend([0, 0, 0, 1, 0, 0, 0, 0, 0, u8::from(opt.is_some())]);
    message.extend(qname.as_wire());
    message.extend(qtype.to_be_bytes());
    message.extend([0, 1]);
    if let Some(size) = opt {
        message.extend([0, 0, 41]);
        message.extend(size.to_be_bytes());
        message.extend([0; 6]);
    }
    message
}
