//! What steering costs: answers of every policy beside static answers of as many addresses.
//!
//! `just bench` prints the tables of `docs/performance.md`. Each case answers some thousand queries
//! of clients from all over a made world in one go; all cases take their turns, for many rounds, and
//! what is printed is the median, so that a busy machine disturbs all alike and seldom counts. The
//! harness is these forty lines rather than a crate, because the interesting number is a difference
//! between two cases, which crates that measure one case after the other do not give.

#![allow(clippy::disallowed_methods, reason = "a benchmark asks the clock")]
#![allow(clippy::print_stdout, reason = "the tables are for people")]

#[path = "../tests/common/engine.rs"]
mod engine;
#[allow(clippy::unwrap_used, reason = "what is written there is known to be well-formed")]
#[path = "../tests/common/mmdb.rs"]
mod writer;

use std::fmt::Write as _;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use rota::geo::{Atlas, Coordinates, File, Place};
use rota::respond::{Action, Client, Transport, Worker, respond};
use rota::snapshot::{Authored, Publisher, Settings, ZoneModel};
use rota::steer::{Address, Answers, Guide, Node, Plan, Policy, Pool, Service, Steer, Unchecked};
use rota::zone::{Source, masterfile};

const ROUNDS: usize = 101;
/// Queries of one case in one go, each by another client.
const BATCH: usize = 2_000;
const NETWORKS: u32 = 100_000;
const COUNTRIES: [&str; 8] = ["DE", "FR", "US", "BR", "JP", "IN", "ZA", "AU"];
/// RFC 7871 §6: IPv4, a source prefix of 24 bits, 20.0.9.0.
const ECS: Option<&[u8]> = Some(b"\x00\x08\x00\x07\x00\x01\x18\x00\x14\x00\x09");
const STATIC: [usize; 5] = [1, 2, 3, 4, 16];

struct Case {
    what: String,
    nodes: usize,
    /// How many addresses an answer holds.
    addresses: usize,
    message: Vec<u8>,
    /// Nanoseconds an answer, by round.
    times: Vec<f64>,
}

fn main() {
    let mut rng = Rng::with_seed(1);
    let mut bench = Bench { services: Vec::new(), cases: Vec::new() };
    bench.cases();
    let mut publisher = Publisher::new();
    publisher.locate(Arc::new(world(&mut rng)));
    publisher.publish(&bench.zone(), Settings::default(), &Unchecked);
    let clients: Vec<SocketAddr> = (0..BATCH)
        .map(|_| Ipv4Addr::from_bits(20 << 24 | rng.u32(..NETWORKS) << 8 | 7))
        .map(|address| SocketAddr::from((address, 4000)))
        .collect();
    let snapshot = publisher.current().load();
    let mut worker = Worker::new(1);
    worker.begin_batch(&snapshot, Instant::now());
    let mut out = vec![0; 65_535];
    let count = bench.cases.len();
    for turn in (0..ROUNDS).flat_map(|round| (0..count).map(move |at| (at + round) % count)) {
        let case = &mut bench.cases[turn];
        let mut batch = || {
            for &addr in &clients {
                let client = Client { addr, transport: Transport::Tcp };
                let message = black_box(&case.message);
                let action = respond(message, &client, &snapshot, &mut worker, &mut (), &mut out);
                assert!(black_box(action) != Action::Drop);
            }
        };
        // First unmeasured, so that no case pays for what the one before it has put into the caches.
        (0..3).for_each(|_| batch());
        let begin = Instant::now();
        batch();
        case.times.push(begin.elapsed().as_nanos() as f64 / BATCH as f64);
    }
    bench.print();
    print_plans();
}

fn median(times: &[f64]) -> f64 {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

struct Bench {
    services: Vec<Arc<Service>>,
    cases: Vec<Case>,
}

impl Bench {
    fn cases(&mut self) {
        for addresses in STATIC {
            let label = format!("static{addresses}");
            self.case("static", addresses, addresses, &label, None);
            if addresses < 3 {
                self.case("static, ECS", addresses, addresses, &label, ECS);
            }
        }
        for policy in Policy::ALL {
            for (count, answers) in
                [4, 100, 1000].into_iter().flat_map(|count| [1, 2, 16].map(|it| (count, it)))
            {
                self.service(policy.word(), count, service(policy, count, answers));
            }
        }
        for answers in [1, 2] {
            let places = ["*", "*"];
            let halves = |policy| pools(&service(policy, 8, answers), &places);
            let of = |policy| Service { steer: Steer::Split, ..halves(policy) };
            self.service("split of 2 pools, rotate", 8, of(Policy::Rotate));
            self.service("split of 2 pools, hash", 8, of(Policy::Hash));
            let placed = pools(&service(Policy::Rotate, 8, answers), &["DE", "US", "BR", "*"]);
            let placed = Service { steer: Steer::Geo, ..placed };
            self.service("geo of 4 pools, rotate", 8, placed.clone());
            let owner = self.services.last().map(|service| service.owner.to_string());
            let owner = owner.expect("it was just added");
            self.case("geo of 4 pools, rotate, ECS", 8, answers.into(), &owner, ECS);
            let near = pools(&service(Policy::Rotate, 8, answers), &["DE", "US", "BR", "*"]);
            self.service("nearest of 4 pools", 8, Service { steer: Steer::Nearest, ..near });
        }
        let racks = |service: Service| Service { spread: vec!["rack".into()], ..service };
        for policy in [Policy::Rotate, Policy::Weighted, Policy::Hash] {
            for (count, answers) in [(4, 2), (100, 3), (1000, 3), (1000, 16)] {
                let what = format!("{}, spread over 5 racks", policy.word());
                self.service(&what, count, racks(service(policy, count, answers)));
            }
        }
    }

    fn service(&mut self, what: &str, count: usize, service: Service) {
        let label = format!("s{}", self.services.len());
        let owner = engine::name(&format!("{label}.example.test"));
        let least = service.pools.iter().map(|pool| pool.nodes.len()).min().unwrap_or(0);
        let addresses = match service.answers {
            Answers::UpTo(most) => usize::from(most.get()).min(least),
            Answers::All => least,
        };
        self.services.push(Arc::new(Service { owner, id: label.clone(), ..service }));
        self.case(what, count, addresses, &format!("{label}.example.test"), None);
    }

    fn case(&mut self, what: &str, nodes: usize, addresses: usize, at: &str, ecs: Option<&[u8]>) {
        let at = if at.contains('.') { at.to_owned() } else { format!("{at}.example.test") };
        let message = match ecs {
            Some(ecs) => engine::query_with_options(&at, 1, ecs),
            None => engine::query(7, &at, 1, None),
        };
        let (what, times) = (what.to_owned(), Vec::with_capacity(ROUNDS));
        self.cases.push(Case { what, nodes, addresses, message, times });
    }

    /// The zone with all of it.
    fn zone(&self) -> Vec<Authored> {
        let mut text = "$TTL 300\n@ SOA ns1 hostmaster 1 3600 600 86400 60\n@ NS ns1\n".to_owned();
        for addresses in STATIC {
            for at in 0..addresses {
                let _ = writeln!(text, "static{addresses} A 192.0.2.{at}");
            }
        }
        let source = Arc::new(Source { path: "example.test.zone".into(), text });
        let (mut diagnostics, mut none) = (Vec::new(), |_: &str| Err(String::new()));
        let apex = engine::name("example.test");
        let file = masterfile::parse(&source, &apex, &mut none, &mut diagnostics);
        assert!(diagnostics.is_empty(), "{diagnostics:#?}");
        let model = ZoneModel { records: file.records.finish(), services: self.services.clone() };
        vec![Authored::Good(Arc::new(model))]
    }

    fn print(&self) {
        let base = |addresses: usize, what: &str| {
            let what = if what.ends_with("ECS") { "static, ECS" } else { "static" };
            let alike = |case: &&Case| case.what == what && case.addresses == addresses;
            self.cases.iter().find(alike).map(|case| median(&case.times))
        };
        println!("| case | nodes | addresses | ns | over static | goal |");
        println!("|---|---:|---:|---:|---:|---:|");
        for case in &self.cases {
            let time = median(&case.times);
            // The first address may cost 50 ns beside a static answer's, each further one 10.
            let goal = 50 + 10 * (case.addresses - 1);
            let over = base(case.addresses, &case.what).map(|base| format!("{:+.0}", time - base));
            let (what, nodes, addresses) = (&case.what, case.nodes, case.addresses);
            let over = over.unwrap_or_default();
            println!("| {what} | {nodes} | {addresses} | {time:.0} | {over} | {goal} |");
        }
    }
}

/// Networks everywhere, each in a country and at a place of its own.
fn world(rng: &mut Rng) -> Atlas {
    let mut writer = writer::Writer::new(4, 32);
    for net in 0..NETWORKS {
        let address = Ipv4Addr::from_bits(20 << 24 | net << 8);
        let record = writer::Value::Map(vec![
            ("country_code", COUNTRIES[rng.usize(..COUNTRIES.len())].into()),
            ("latitude", writer::Value::Double(rng.f64() * 180.0 - 90.0)),
            ("longitude", writer::Value::Double(rng.f64() * 360.0 - 180.0)),
        ]);
        writer.say(&format!("{address}/24"), &record);
    }
    let bytes = writer.finish();
    Atlas::read(&[File { name: "world.mmdb", bytes: &bytes }]).expect("it was just written")
}

/// Nodes of some weights in five racks, at up to 64 places.
fn service(policy: Policy, count: usize, answers: u16) -> Service {
    let node = |at: usize| {
        let ip = IpAddr::V4(Ipv4Addr::from_bits(10 << 24 | at as u32));
        let addresses = vec![Address::new(ip, Vec::new())];
        let mut node = Node::new(format!("test/n{at}"), format!("n{at}"), addresses);
        node.weight = 1 + (at % 7) as u16;
        node.labels.insert("rack".into(), (at % 5).to_string());
        let place = (at % 64) as f64;
        node.at = Coordinates::new(place * 2.5 - 80.0, place * 47.0 % 360.0 - 180.0);
        node
    };
    let answers = Answers::UpTo(NonZeroU16::new(answers).expect("an answer holds something"));
    let pool = Pool::new("", (0..count).map(node).collect());
    Service { policy, answers, ..Service::new(engine::name("app.test"), "", vec![pool]) }
}

/// The same in pools of equal size and share, each for a place.
fn pools(whole: &Service, places: &[&str]) -> Service {
    let nodes = &whole.pools[0].nodes;
    let pool = |(nodes, place): (&[Node], &&str)| Pool {
        share: (100 / places.len()) as u8,
        places: vec![Place::parse(place).expect("a place")],
        at: nodes[0].at,
        ..Pool::new(format!("{} {place}", nodes[0].name), nodes.to_vec())
    };
    let pools = nodes.chunks(nodes.len() / places.len()).zip(places).map(pool).collect();
    Service { pools, ..whole.clone() }
}

/// What a change of status costs in the cold: a plan of one family, laid out anew.
fn print_plans() {
    println!("\n| plan of | nodes | answers | ms |\n|---|---:|---:|---:|");
    for policy in [Policy::Rotate, Policy::Weighted, Policy::Hash] {
        for (count, answers) in [(4, 16), (20, 16), (100, 1), (100, 16), (1000, 1), (1000, 16)] {
            let service = service(policy, count, answers);
            let mut times: Vec<Duration> = (0..5)
                .map(|_| {
                    let begin = Instant::now();
                    black_box(Plan::make(&service, Guide::default(), &Unchecked, |_| false));
                    begin.elapsed()
                })
                .collect();
            times.sort();
            let ms = times[2].as_secs_f64() * 1e3;
            println!("| {} | {count} | {answers} | {ms:.2} |", policy.word());
        }
    }
}
