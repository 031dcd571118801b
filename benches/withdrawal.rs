//! How soon a node that fails is out of the answers, while the server is busy.
//!
//! `just withdrawal` starts the built binary with a worker for each core and forty nodes, keeps it
//! busy, and has one node after the other say 503, which decides at once (`fails = 1`). Both ends
//! are here, with one clock: the moment in which the node begins to say it, and the moment in which
//! the first answer without the node is in hand.
//!
//! ```text
//!   node writes 503 ─► probe ends: verdict ─► plan in force ─► told in the log
//!         │                                        └─► a question, and the first answer without it
//!         └──────────────────────── what is measured ────────────────────────────┘
//! ```
//!
//! So the figure holds more than what is promised (from the verdict to the answer): the way of the
//! node's last word to the prober, and the way of a question and its answer. Its two parts are
//! printed before it: until the change is told, which is after it is in force, and what the question
//! took that was answered without the node. With fewer cores than threads at work, the one who asks
//! may wait for a core between the two, which only the whole shows. An answer with the node to a
//! question that was asked after the change was told would be a fault, and ends the benchmark.
//!
//! The load is open: so many questions a second, whatever becomes of them.

#![allow(clippy::disallowed_methods, reason = "a benchmark asks the clock")]
#![allow(clippy::print_stdout, reason = "the table is for people")]

#[path = "../tests/common/mod.rs"]
mod common;

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use clap::Parser;
use common::{Client, Folder, PATIENCE, Rota};
use hickory_proto::rr::RecordType;

const SERVICES: u8 = 10;
const NODES: u8 = 4;
/// Clients that make the load: sockets, so that all workers have their part.
const CLIENTS: usize = 16;
/// Questions that are sent in one go.
const BURST: u32 = 16;

/// How soon a node that fails is out of the answers, while the server is busy.
#[derive(Parser)]
struct Args {
    /// Nodes that fail, one after the other
    #[arg(long, default_value_t = 300)]
    withdrawals: usize,
    /// Questions a second
    #[arg(long, default_value_t = 10_000)]
    load: u32,
    /// The binary to measure in place of the one that was built with this
    #[arg(long, default_value = env!("CARGO_BIN_EXE_rota"))]
    rota: String,
    /// What cargo says to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let args = Args::parse();
    let binary = std::path::absolute(&args.rota).expect("the current folder is known");
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a port is spare");
    let port = listener.local_addr().expect("it is bound").port();
    let nodes = Arc::new(Nodes::default());
    let serving = Arc::clone(&nodes);
    thread::spawn(move || serving.serve(&listener));
    let folder = Folder::new("withdrawal");
    let local = "\"127.0.0.1:0\"";
    folder.write("rota.toml", &format!("[listen]\ndns = [{local}]\nadmin = {local}\n"));
    folder.write("zones/bench.test.toml", &zone(port));
    let mut command = Command::new(binary);
    let mut rota =
        Rota::launch(command.args(["run", "--strict", "--log", "json"]).current_dir(&folder.0));
    let load = Load::start(rota.dns, args.load);
    let mut found = Found::default();
    let mut at = (0..SERVICES).flat_map(|of| (0..NODES).map(move |node| (of, node))).cycle();
    while found.gone.len() < args.withdrawals {
        let (service, node) = at.next().expect("it begins anew");
        found.withdraw(service, address(service, node), &nodes, &mut rota);
    }
    let (asked, answered) = load.stop();
    println!("{asked:.0} questions a second, {answered:.0} answered\n");
    println!("| µs | p50 | p99 | p99.9 |\n|---|---:|---:|---:|");
    for (what, times) in [
        ("a question and its answer", found.asked),
        ("the node's 503 to the change told in the log", found.told),
        ("the question answered without the node", found.asked_last),
        ("the node's 503 to the first answer without it", found.gone),
    ] {
        println!("| {what} ({} times) {}", times.len(), quantiles(times));
    }
}

fn zone(port: u16) -> String {
    let mut zone = String::from("[zone]\nns = [\"ns1 127.0.0.1\"]\n");
    for service in 0..SERVICES {
        let nodes = (0..NODES).map(|node| format!("\"{}\"", address(service, node)));
        let nodes = nodes.collect::<Vec<_>>().join(", ");
        let _ = write!(
            zone,
            "[service.s{service}]\nnodes = [{nodes}]\n\
             check = {{ http = \":{port}/ready\", every = \"300ms\", timeout = \"300ms\", \
             fails = 1, passes = 1, hold_down = false }}\n"
        );
    }
    zone
}

fn address(service: u8, node: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 9, 1 + service, 1 + node)
}

/// All nodes: one listener, at most one of them ill.
#[derive(Default)]
struct Nodes {
    /// Its address as a number; 0 where all are well.
    ill: AtomicU32,
    /// When it first said so, in µs; 0 where it has not.
    said: AtomicU64,
}

impl Nodes {
    fn serve(&self, listener: &TcpListener) {
        listener.incoming().flatten().for_each(|stream| self.answer(stream));
    }

    fn answer(&self, mut stream: TcpStream) {
        drop(stream.set_read_timeout(Some(Duration::from_secs(1))));
        let Ok(SocketAddr::V4(own)) = stream.local_addr() else { return };
        let Ok(1..) = stream.read(&mut [0; 1024]) else { return };
        let is_ill = self.ill.load(Ordering::Acquire) == own.ip().to_bits();
        let code = if is_ill { "503 Ill" } else { "200 OK" };
        let answer = format!("HTTP/1.1 {code}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        if is_ill {
            let _ = self.said.compare_exchange(0, now_us(), Ordering::AcqRel, Ordering::Relaxed);
        }
        // The prober may have given up.
        drop(stream.write_all(answer.as_bytes()));
    }
}

/// What was measured, in µs.
#[derive(Default)]
struct Found {
    asked: Vec<u64>,
    told: Vec<u64>,
    asked_last: Vec<u64>,
    gone: Vec<u64>,
}

impl Found {
    /// Has a node fail, asks until it is gone, has it heal, and waits until it is back.
    fn withdraw(&mut self, service: u8, ip: Ipv4Addr, nodes: &Nodes, rota: &mut Rota) {
        let mut asker = Asker::new(rota.dns, service, ip);
        let fell_ill = now_us();
        nodes.said.store(0, Ordering::Release);
        nodes.ill.store(ip.to_bits(), Ordering::Release);
        let end = Instant::now() + PATIENCE;
        let mut asked_with_it = 0;
        let (asked, gone) = loop {
            assert!(Instant::now() < end, "{ip} is still answered");
            let begin = now_us();
            let is_answered = asker.finds();
            let heard = now_us();
            if !is_answered {
                break (begin, heard);
            }
            asked_with_it = begin;
            self.asked.push(heard.saturating_sub(begin));
        };
        let said = nodes.said.load(Ordering::Acquire);
        let told = rota.wait_for_log("a line that tells of it", |line| {
            let at = humantime::parse_rfc3339(line["timestamp"].as_str()?).ok().map(us)?;
            let is_it = line["target"].as_str()?.contains(&format!("//{ip}:"));
            (is_it && line["to"] == "down" && at >= fell_ill).then_some(at)
        });
        // A probe that timed out for want of a core may take it out before it says anything.
        if (1..told).contains(&said) {
            assert!(asked_with_it <= told, "{ip} was answered after it was told to be down");
            self.told.push(told - said);
            self.asked_last.push(gone.saturating_sub(asked));
            self.gone.push(gone.saturating_sub(said));
        }
        nodes.ill.store(0, Ordering::Release);
        while !asker.finds() {
            assert!(Instant::now() < end, "{ip} does not come back");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Asks for a service again and again.
struct Asker {
    socket: UdpSocket,
    question: Vec<u8>,
    /// The end of the A record that is looked for: its RDLENGTH and its address.
    record: [u8; 6],
}

impl Asker {
    fn new(server: SocketAddr, service: u8, ip: Ipv4Addr) -> Self {
        let [a, b, c, d] = ip.octets();
        let socket = connect(server);
        socket.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        Self { socket, question: question(server, service), record: [0, 4, a, b, c, d] }
    }

    /// Whether the node is in the answer.
    fn finds(&mut self) -> bool {
        let mut answer = [0; 4096];
        self.socket.send(&self.question).expect("loopback takes a datagram");
        let length = self.socket.recv(&mut answer).expect("an answer in time");
        answer[..length].windows(6).any(|octets| octets == self.record)
    }
}

fn connect(server: SocketAddr) -> UdpSocket {
    let any: IpAddr = Ipv4Addr::LOCALHOST.into();
    let socket = UdpSocket::bind((any, 0)).expect("loopback can be bound");
    socket.connect(server).expect("loopback can be connected");
    socket
}

fn question(server: SocketAddr, service: u8) -> Vec<u8> {
    Client::new(server).question(&format!("s{service}.bench.test."), RecordType::A).0
}

/// Questions at an even pace, from a thread of its own.
struct Load {
    stop: Arc<AtomicBool>,
    asking: JoinHandle<(f64, f64)>,
}

impl Load {
    fn start(server: SocketAddr, per_second: u32) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let asking = thread::spawn(move || ask_evenly(server, per_second, &stopped));
        Self { stop, asking }
    }

    /// Questions and answers a second.
    fn stop(self) -> (f64, f64) {
        self.stop.store(true, Ordering::Release);
        self.asking.join().expect("the load does not panic")
    }
}

fn ask_evenly(server: SocketAddr, per_second: u32, stopped: &AtomicBool) -> (f64, f64) {
    let questions: Vec<Vec<u8>> = (0..SERVICES).map(|at| question(server, at)).collect();
    let clients: Vec<UdpSocket> = (0..CLIENTS).map(|_| connect(server)).collect();
    for client in &clients {
        client.set_nonblocking(true).expect("a socket can be told not to wait");
    }
    let (begin, mut asked, mut answered) = (Instant::now(), 0_u32, 0_u32);
    let mut turns = questions.iter().cycle().zip(clients.iter().cycle());
    while !stopped.load(Ordering::Acquire) {
        let due = begin + Duration::from_secs(1) * asked / per_second.max(1);
        thread::sleep(due.saturating_duration_since(Instant::now()));
        for (question, client) in turns.by_ref().take(BURST as usize) {
            asked += u32::from(client.send(question).is_ok());
        }
        let mut answer = [0; 4096];
        for client in &clients {
            while client.recv(&mut answer).is_ok() {
                answered += 1;
            }
        }
    }
    let seconds = begin.elapsed().as_secs_f64();
    (f64::from(asked) / seconds, f64::from(answered) / seconds)
}

fn now_us() -> u64 {
    us(SystemTime::now())
}

fn us(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).expect("the clock is set");
    u64::try_from(since.as_micros()).expect("half a million years")
}

/// Cells of the table.
fn quantiles(mut times: Vec<u64>) -> String {
    times.sort_unstable();
    let of = |part: f64| times[((times.len() - 1) as f64 * part).ceil() as usize];
    format!("| {} | {} | {} |", of(0.5), of(0.99), of(0.999))
}
