//! How many instructions an answer takes: a count that does not depend on how busy a machine is.
//!
//! `cargo bench --bench instructions` has Valgrind (Debian's `valgrind`) count each case twice, with
//! many answers and with none; the difference, divided, is what one answer takes. It is compared
//! with what `benches/instructions.txt` says, and a rise of more than 2 % fails. Where a rise is
//! meant, or another compiler counts otherwise, `ROTA_RENEW=1` writes the file anew.
//!
//! The harness is these few lines rather than gungraun, because that needs a runner of the very same
//! version to be installed beside it, and what is asked of it here is one subtraction.

#![allow(clippy::print_stdout, reason = "the counts are for people")]
#![allow(clippy::unwrap_used, reason = "a benchmark may stop where it stands")]
#![allow(clippy::disallowed_methods, reason = "a benchmark asks for the time once")]

#[path = "../tests/common/engine.rs"]
mod engine;

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::hint::black_box;
use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Instant;

use rota::geo::Place;
use rota::respond::{Action, Client, Transport, Worker, respond};
use rota::snapshot::{Authored, Publisher, Settings, ZoneModel};
use rota::steer::{Address, Answers, Node, Policy, Pool, Service, Steer, Unchecked};
use rota::zone::{Source, masterfile};

/// Answers of one case: enough that a draw by chance is seen in every form.
const ANSWERS: usize = 2_000;
const RISE_MAX: f64 = 1.02;
const KEPT: &str = "benches/instructions.txt";
/// RFC 7871 §6: IPv4, a source prefix of 24 bits, 10.1.2.0.
const ECS: &[u8] = b"\x00\x08\x00\x07\x00\x01\x18\x00\x0a\x01\x02";
/// A case's name, what is asked, and its type.
const CASES: [(&str, &str, u16); 9] = [
    ("static, 1 address", "h1.example.test", 1),
    ("static, 4 addresses", "www.example.test", 1),
    ("weighted, 1 of 4", "wtd.example.test", 1),
    ("weighted, 4 of 4", "wtdm.example.test", 1),
    ("rotate, 4 of 4", "rot.example.test", 1),
    ("geo of 4 pools, client subnet", "geo.example.test", 1),
    ("no such name", "nothing.example.test", 1),
    ("no such type", "www.example.test", 16),
    ("a delegation", "x.sub.example.test", 1),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().collect();
    if let [_, case, count] = &arguments[..]
        && let Some(case) = CASES.iter().find(|(name, ..)| name == case)
    {
        answer(case, count.parse().unwrap());
        return ExitCode::SUCCESS;
    }
    let Ok(kept) = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(KEPT)) else {
        println!("{KEPT} is missing");
        return ExitCode::FAILURE;
    };
    let before: BTreeMap<&str, f64> = kept
        .lines()
        .filter_map(|line| line.split_once(": "))
        .filter_map(|(name, count)| Some((name, count.parse().ok()?)))
        .collect();
    let mut text = String::new();
    let mut risen = false;
    for (name, ..) in CASES {
        let Some(many) = count(name, ANSWERS).zip(count(name, 0)) else {
            println!("valgrind is missing, or does not count here");
            return ExitCode::FAILURE;
        };
        let each = (many.0 - many.1) / ANSWERS as f64;
        let ratio = before.get(name).map(|before| each / before);
        let shown = ratio.map_or_else(|| "new".to_owned(), |ratio| format!("×{ratio:.3}"));
        println!("{name}: {each:.0} instructions an answer ({shown})");
        risen |= ratio.is_none_or(|ratio| ratio > RISE_MAX);
        let _ = writeln!(text, "{name}: {each:.0}");
    }
    if env::var_os("ROTA_RENEW").is_some() {
        std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(KEPT), text).unwrap();
    } else if risen {
        println!("an answer takes more than {KEPT} says; where that is meant: ROTA_RENEW=1");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// The instructions of this program answering one case so many times; none where nobody counts.
fn count(case: &str, answers: usize) -> Option<f64> {
    let output = Command::new("valgrind")
        .args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"])
        .arg(env::current_exe().ok()?)
        .args([case, &answers.to_string()])
        .stdout(Stdio::null())
        .output()
        .ok()?;
    let told = String::from_utf8_lossy(&output.stderr);
    let line = told.lines().find(|line| line.contains("I") && line.contains("refs:"))?;
    line.rsplit(' ').next()?.replace(',', "").parse().ok()
}

fn answer((_, owner, rtype): &(&str, &str, u16), count: usize) {
    let mut publisher = Publisher::new();
    publisher.publish(&zone(), Settings::default(), &Unchecked);
    let snapshot = publisher.current().load();
    let mut worker = Worker::new(1);
    worker.begin_batch(&snapshot, Instant::now());
    let message = match *owner {
        "geo.example.test" => engine::query_with_options(owner, *rtype, ECS),
        _ => engine::query(7, owner, *rtype, None),
    };
    let client =
        Client { addr: SocketAddr::from(([198, 51, 100, 7], 4000)), transport: Transport::Udp };
    let mut out = vec![0; 4096];
    for _ in 0..count {
        let message = black_box(&message);
        let action = respond(message, &client, &snapshot, &mut worker, &mut (), &mut out);
        assert!(black_box(action) != Action::Drop);
    }
}

fn service(owner: &str, policy: Policy, answers: u16, pools: &[&str]) -> Arc<Service> {
    let node = |at: u8| {
        let address = Address::new([10, 0, 0, at].into(), Vec::new());
        let mut node = Node::new(format!("{owner}/n{at}"), format!("n{at}"), vec![address]);
        node.weight = u16::from(at % 4) + 1;
        node
    };
    let pool = |place: &&str| Pool {
        places: Place::parse(place).into_iter().collect(),
        ..Pool::new(*place, (1..=4).map(node).collect())
    };
    let steer = if pools.len() > 1 { Steer::Geo } else { Steer::Failover };
    let answers = Answers::UpTo(NonZeroU16::new(answers).unwrap());
    let pools = pools.iter().map(pool).collect();
    let owner = engine::name(owner);
    Arc::new(Service {
        policy,
        answers,
        steer,
        ..Service::new(owner.clone(), owner.to_string(), pools)
    })
}

fn zone() -> Vec<Authored> {
    let mut text = "$TTL 300\n@ SOA ns1 hostmaster 1 3600 600 86400 60\n@ NS ns1\n".to_owned();
    text.push_str("ns1 A 192.0.2.53\nsub NS ns.sub\nns.sub A 192.0.2.54\n");
    for at in 1..=4 {
        let _ = writeln!(text, "www A 192.0.2.{at}");
    }
    for at in 0..1000 {
        let _ = writeln!(text, "h{at} A 10.0.{}.{}", at / 256, at % 256);
    }
    let source = Arc::new(Source { path: "example.test.zone".into(), text });
    let (mut diagnostics, mut none) = (Vec::new(), |_: &str| Err(String::new()));
    let apex = engine::name("example.test");
    let file = masterfile::parse(&source, &apex, &mut none, &mut diagnostics);
    assert!(diagnostics.is_empty(), "{diagnostics:#?}");
    let places = ["10.0.0.0/16", "10.1.0.0/16", "10.2.0.0/16", "*"];
    let services = vec![
        service("wtd.example.test", Policy::Weighted, 1, &[""]),
        service("wtdm.example.test", Policy::Weighted, 4, &[""]),
        service("rot.example.test", Policy::Rotate, 4, &[""]),
        service("geo.example.test", Policy::Rotate, 4, &places),
    ];
    let model = ZoneModel { records: file.records.finish(), services };
    vec![Authored::Good(Arc::new(model))]
}
