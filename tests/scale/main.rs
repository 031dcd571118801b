//! Many zones and one large zone load and answer rightly, and ten thousand clients that say nothing
//! are borne.
//!
//! Takes a gigabyte and some minutes, so `cargo test` leaves it out; it is run by its name:
//!
//! ```text
//! cargo build --release
//! ROTA_BINARY=target/release/rota cargo test --test scale -- --nocapture --test-threads 1
//! ```
//!
//! What is asserted is that the answers are right. Times and memory are printed for whoever runs it:
//! they depend on the machine, but must grow with what is loaded and not faster, and the time of an
//! answer must hardly grow at all. So each size stands beside a tenth of it.

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]
#![allow(clippy::disallowed_methods, reason = "the outside of the program has a clock")]
#![allow(clippy::print_stdout, reason = "times and memory are for the reader")]

#[path = "../common/mod.rs"]
mod common;
mod idle;

use std::fmt::Write;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use common::{Client, Folder, a_records};
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{RData, RecordType};

/// The built binary to ask instead of the one that was built with this test.
const BINARY: &str = "ROTA_BINARY";
/// Longer than any load takes, in a build without optimisation too.
const LOAD_MAX: Duration = Duration::from_secs(900);
/// Names asked in each run.
const SAMPLES: usize = 10_000;

/// The server, and what its start has cost.
struct Served {
    child: Child,
    dns: SocketAddr,
}

impl Served {
    fn start(folder: &Folder) -> Self {
        folder.write(
            "rota.toml",
            "[listen]\ndns = [\"127.0.0.1:0\"]\nadmin = \"127.0.0.1:0\"\nworkers = 1\n",
        );
        let here = env!("CARGO_MANIFEST_DIR");
        let binary = std::env::var(BINARY).map_or_else(
            |_| env!("CARGO_BIN_EXE_rota").into(),
            |path| std::path::Path::new(here).join(path),
        );
        let start = Instant::now();
        let mut child = Command::new(binary)
            .args(["run", "--log", "json", "--strict"])
            .current_dir(&folder.0)
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (found, dns) = mpsc::channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let value: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
                if let Some(dns) = value["dns"].as_str() {
                    // Nobody listens any more after the first.
                    let _ = found.send(dns.parse().unwrap());
                } else {
                    eprintln!("rota: {line}");
                }
            }
        });
        let dns = dns.recv_timeout(LOAD_MAX);
        let served = Self { child, dns: dns.unwrap_or_else(|_| ([0; 4], 0).into()) };
        assert_ne!(served.dns.port(), 0, "the server has ended, or does not come to an end");
        println!("  serving after {:.2} s", start.elapsed().as_secs_f64());
        served
    }

    /// Resident memory in mebibytes: now, and at most so far.
    fn memory(&self) -> (u64, u64) {
        let status = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(status).unwrap();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
        };
        (field("VmRSS:"), field("VmHWM:"))
    }

    /// Asks `SAMPLES` times; each question and its judge come from a number below `size`.
    fn sample(&self, size: usize, mut ask: impl FnMut(&mut Client, usize)) {
        let mut client = Client::new(self.dns);
        // The first and the last, and others far apart: a prime step meets every residue.
        let numbers = (0..SAMPLES).map(|at| at.wrapping_mul(7_368_787) % size);
        let start = Instant::now();
        for number in [0, size - 1].into_iter().chain(numbers) {
            ask(&mut client, number);
        }
        let each = start.elapsed() / SAMPLES as u32;
        let (now, most) = self.memory();
        println!("  {SAMPLES} names asked one after the other, {each:?} each");
        println!("  {now} MiB resident, {most} MiB at most");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Zone `number` of many: seven records.
fn small_zone(number: usize) -> String {
    let [a, b, c] = octets(number);
    format!(
        "$TTL 300\n\
         @ SOA ns1 hostmaster {number} 3600 600 86400 60\n\
         @ NS ns1\n\
         @ MX 10 mail\n\
         ns1 A 192.0.2.53\n\
         www A 10.{a}.{b}.{c}\n\
         mail A 11.{a}.{b}.{c}\n\
         *.wild TXT \"{number}\"\n"
    )
}

/// The three low octets.
fn octets(number: usize) -> [u8; 3] {
    let [.., a, b, c] = number.to_be_bytes();
    [a, b, c]
}

fn many_zones(count: usize) {
    println!("{count} zones of 7 records");
    let folder = Folder::new(&format!("scale-zones-{count}"));
    for number in 0..count {
        folder.write(&format!("zones/z{number}.example.org.zone"), &small_zone(number));
    }
    let served = Served::start(&folder);
    served.sample(count, |client, number| {
        let [a, b, c] = octets(number);
        let apex = format!("z{number}.example.org.");
        match number % 5 {
            0 => {
                let answer = client.ask(&format!("www.{apex}"), RecordType::A);
                assert_eq!(a_records(&answer), [Ipv4Addr::new(10, a, b, c)], "{apex}");
                assert!(answer.metadata.authoritative);
            }
            1 => {
                let answer = client.ask(&apex, RecordType::SOA);
                let [record] = &answer.answers[..] else { panic!("{answer}") };
                let RData::SOA(soa) = &record.data else { panic!("{answer}") };
                assert_eq!(soa.serial as usize, number);
            }
            2 => {
                let answer = client.ask(&format!("a.b.wild.{apex}"), RecordType::TXT);
                let text = answer.answers[0].data.to_string();
                assert_eq!(text.trim_matches('"'), number.to_string());
            }
            3 => {
                let answer = client.ask(&format!("no.{apex}"), RecordType::A);
                assert_eq!(answer.metadata.response_code, ResponseCode::NXDomain);
                assert_eq!(answer.authorities[0].name.to_string(), apex);
            }
            _ => {
                let answer = client.ask(&format!("x{apex}"), RecordType::A);
                assert_eq!(answer.metadata.response_code, ResponseCode::Refused);
            }
        }
    });
}

fn one_zone(count: usize) {
    println!("one zone of {count} A records");
    let folder = Folder::new(&format!("scale-zone-{count}"));
    let mut text = String::from(
        "$TTL 300\n@ SOA ns1 hostmaster 1 3600 600 86400 60\n@ NS ns1\nns1 A 192.0.2.53\n",
    );
    for number in 0..count {
        let [a, b, c] = octets(number);
        writeln!(text, "h{number} A 10.{a}.{b}.{c}").unwrap();
    }
    folder.write("zones/large.test.zone", &text);
    let served = Served::start(&folder);
    served.sample(count, |client, number| {
        let [a, b, c] = octets(number);
        let name = format!("h{number}.large.test.");
        match number % 3 {
            0 => {
                let answer = client.ask(&name, RecordType::A);
                assert_eq!(a_records(&answer), [Ipv4Addr::new(10, a, b, c)], "{name}");
            }
            1 => {
                let answer = client.ask(&name, RecordType::AAAA);
                assert_eq!(answer.metadata.response_code, ResponseCode::NoError);
                assert!(answer.answers.is_empty());
                assert_eq!(answer.authorities.len(), 1);
            }
            _ => {
                let answer = client.ask(&format!("no.{name}"), RecordType::A);
                assert_eq!(answer.metadata.response_code, ResponseCode::NXDomain);
                assert_eq!(answer.authorities.len(), 1);
            }
        }
    });
}

#[test]
fn a_hundred_thousand_zones_load_and_answer() {
    many_zones(10_000);
    many_zones(100_000);
}

#[test]
fn a_million_records_load_and_answer() {
    one_zone(100_000);
    one_zone(1_000_000);
}
