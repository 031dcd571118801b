//! How the cost of an answer grows: with nodes, names, services and workers.
//!
//! `cargo bench --bench growth` draws `docs/growth.svg` and prints the figures. What is measured is
//! the answer path alone, without sockets, as in `answer.rs`: all cases take their turns for many
//! rounds, and the median counts. Names are asked at random, so that what does not fit into the
//! caches shows.

#![allow(clippy::disallowed_methods, reason = "a benchmark asks the clock")]
#![allow(clippy::print_stdout, reason = "the figures are for people")]
#![allow(clippy::unwrap_used, reason = "a benchmark may stop where it stands")]

#[path = "../../tests/common/engine.rs"]
mod engine;
mod plot;

use std::fmt::Write as _;
use std::hint::black_box;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Instant;

use fastrand::Rng;
use plot::{Line, Panel};
use rota::geo::Coordinates;
use rota::respond::{Action, Client, Transport, Worker, respond};
use rota::snapshot::{Authored, Publisher, Settings, Snapshot, ZoneModel};
use rota::steer::{Address, Answers, Node, Policy, Pool, Service, Unchecked};
use rota::zone::{Source, masterfile};

const ROUNDS: usize = 31;
/// Queries of one case in one go.
const BATCH: usize = 4_000;
/// Answers of one thread where several work at once.
const WORKED: usize = 2_000_000;
const NODES: [usize; 6] = [4, 10, 32, 100, 316, 1000];
const NAMES: [usize; 7] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000];
/// A service of four nodes takes some kilobytes, most of them what the operator may say of nodes.
const SERVICES: [usize; 6] = [1, 10, 100, 1_000, 10_000, 100_000];

/// A zone in force, what is asked of it, and how long that took by round.
struct Case {
    publisher: Publisher,
    worker: Worker,
    questions: Vec<Vec<u8>>,
    times: Vec<f64>,
}

impl Case {
    fn new(text: &str, services: Vec<Arc<Service>>, questions: Vec<Vec<u8>>) -> Self {
        let mut publisher = Publisher::new();
        publisher.publish(&zone(text, services), Settings::default(), &Unchecked);
        Self { publisher, worker: Worker::new(1), questions, times: Vec::new() }
    }

    fn round(&mut self) {
        let snapshot = self.publisher.current().load();
        self.worker.begin_batch(&snapshot, Instant::now());
        answer(&self.questions, BATCH / 4, &snapshot, &mut self.worker);
        let begin = Instant::now();
        answer(&self.questions, BATCH, &snapshot, &mut self.worker);
        self.times.push(begin.elapsed().as_nanos() as f64 / BATCH as f64);
    }

    fn median(&self) -> f64 {
        let mut times = self.times.clone();
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    }
}

fn answer(questions: &[Vec<u8>], count: usize, snapshot: &Snapshot, worker: &mut Worker) {
    let mut out = [0; 4096];
    for at in 0..count {
        let client = SocketAddr::from((Ipv4Addr::from_bits(20 << 24 | at as u32), 4000));
        let client = Client { addr: client, transport: Transport::Udp };
        let message = black_box(&questions[at % questions.len()]);
        let action = respond(message, &client, snapshot, worker, &mut (), &mut out);
        assert!(black_box(action) != Action::Drop);
    }
}

fn main() {
    let mut rng = Rng::with_seed(1);
    let policies = [Policy::Rotate, Policy::Weighted, Policy::Hash, Policy::Nearest];
    let nodes: Vec<Line> = policies
        .map(|policy| {
            let cases = NODES.map(|count| of_nodes(policy, count));
            Line { name: policy.word().to_owned(), points: measure(&NODES, cases.into()) }
        })
        .into();
    let names: Vec<_> = NAMES.iter().map(|&count| of_names(count, &mut rng)).collect();
    let names = Line { name: "names with an address".to_owned(), points: measure(&NAMES, names) };
    let services: Vec<_> = SERVICES.iter().map(|&count| of_services(count, &mut rng)).collect();
    let services =
        Line { name: "services of four nodes".to_owned(), points: measure(&SERVICES, services) };
    let panels = [
        Panel { title: "nodes of a service, 2 addresses an answer", lines: nodes },
        Panel { title: "names of a zone, asked at random", lines: vec![names, services] },
    ];
    for panel in &panels {
        println!("{}", panel.title);
        for Line { name, points } in &panel.lines {
            let points: Vec<_> = points.iter().map(|(x, y)| format!("{x}: {y:.0} ns")).collect();
            println!("  {name}: {}", points.join(", "));
        }
    }
    workers();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/growth.svg");
    std::fs::write(path, plot::draw(&panels)).unwrap();
}

/// All cases in turns; the median of each, by its size.
fn measure(sizes: &[usize], mut cases: Vec<Case>) -> Vec<(f64, f64)> {
    for _ in 0..ROUNDS {
        cases.iter_mut().for_each(Case::round);
    }
    sizes.iter().zip(&cases).map(|(&size, case)| (size as f64, case.median())).collect()
}

fn of_nodes(policy: Policy, count: usize) -> Case {
    let questions = vec![engine::query(7, "app.example.test", 1, None)];
    Case::new("", vec![service("app.example.test", policy, count)], questions)
}

fn of_names(count: usize, rng: &mut Rng) -> Case {
    let mut text = String::new();
    for at in 0..count {
        let _ = writeln!(text, "n{at} A 10.0.0.1");
    }
    Case::new(&text, Vec::new(), questions(count, rng))
}

fn of_services(count: usize, rng: &mut Rng) -> Case {
    let service = |at| service(&format!("n{at}.example.test"), Policy::Weighted, 4);
    Case::new("", (0..count).map(service).collect(), questions(count, rng))
}

/// For names out of so many: no two after one another alike, so that each is looked up anew.
fn questions(names: usize, rng: &mut Rng) -> Vec<Vec<u8>> {
    let name = |_| format!("n{}.example.test", rng.usize(..names));
    (0..1 << 16).map(name).map(|name| engine::query(7, &name, 1, None)).collect()
}

/// The same answers by one thread, and by two at the same time: what one adds to the other's.
fn workers() {
    let Case { publisher, questions, .. } = of_nodes(Policy::Weighted, 4);
    let current = Arc::clone(publisher.current());
    let time = |threads: usize| {
        let barrier = Barrier::new(threads);
        let work = |seed: usize| {
            let mut worker = Worker::new(seed as u64);
            barrier.wait();
            let begin = Instant::now();
            for _ in 0..WORKED / 64 {
                let snapshot = current.load();
                worker.begin_batch(&snapshot, begin);
                answer(&questions, 64, &snapshot, &mut worker);
            }
            begin.elapsed().as_nanos() as f64 / WORKED as f64
        };
        thread::scope(|scope| {
            let work = &work;
            let all: Vec<_> = (0..threads).map(|seed| scope.spawn(move || work(seed))).collect();
            let all: Vec<f64> = all.into_iter().map(|one| one.join().unwrap()).collect();
            all.iter().sum::<f64>() / threads as f64
        })
    };
    let (mut one, mut two): (Vec<_>, Vec<_>) = (0..9).map(|_| (time(1), time(2))).unzip();
    one.sort_by(f64::total_cmp);
    two.sort_by(f64::total_cmp);
    println!("workers, each its own answers");
    println!("  one: {:.0} ns an answer; two at once: {:.0} ns each", one[4], two[4]);
}

fn service(owner: &str, policy: Policy, count: usize) -> Arc<Service> {
    let node = |at: usize| {
        let address = Address::new(Ipv4Addr::from_bits(10 << 24 | at as u32).into(), Vec::new());
        let mut node = Node::new(format!("{owner}/n{at}"), format!("n{at}"), vec![address]);
        node.weight = (at % 7) as u16 + 1;
        let place = (at % 64) as f64;
        node.at = Coordinates::new(place * 2.5 - 80.0, place * 47.0 % 360.0 - 180.0);
        node
    };
    let pool = Pool::new("", (0..count).map(node).collect());
    let answers = Answers::UpTo(NonZeroU16::new(2).unwrap());
    let whole = Service::new(engine::name(owner), owner.to_owned(), vec![pool]);
    Arc::new(Service { policy, answers, ..whole })
}

fn zone(records: &str, services: Vec<Arc<Service>>) -> Vec<Authored> {
    let text =
        format!("$TTL 300\n@ SOA ns1 host 1 1h 5m 1d 1m\n@ NS ns1\nns1 A 192.0.2.53\n{records}");
    let source = Arc::new(Source { path: "example.test.zone".into(), text });
    let (mut diagnostics, mut none) = (Vec::new(), |_: &str| Err(String::new()));
    let apex = engine::name("example.test");
    let file = masterfile::parse(&source, &apex, &mut none, &mut diagnostics);
    assert!(diagnostics.is_empty(), "{diagnostics:#?}");
    vec![Authored::Good(Arc::new(ZoneModel { records: file.records.finish(), services }))]
}
