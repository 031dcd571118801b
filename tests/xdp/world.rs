//! Two network namespaces with a cable between them: a server's and a client's.
//!
//! ```text
//!   server   vs  10.99.0.1/24  2001:db8:99::1/64  ════ veth ════  vc  .2  ::2   client
//! ```
//!
//! A thread can move into one of them, and so can a program that `ip netns exec` starts. Names are
//! of this process and this test; what was made goes when the world is dropped.

use std::fs::File;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query};
use hickory_proto::rr::{Name, RecordType};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::common::{Folder, Rota};

pub(crate) const V4: &str = "10.99.0.1";
pub(crate) const V6: &str = "2001:db8:99::1";
/// Longer than any answer takes here; of a query that nobody will answer.
const SILENCE: Duration = Duration::from_secs(2);

/// Two namespaces and a server's folder.
pub(crate) struct World {
    server: String,
    client: String,
    pub(crate) folder: Folder,
}

impl World {
    /// With so many queues at each end of the cable.
    pub(crate) fn new(name: &str, queues: usize) -> Self {
        let id = std::process::id();
        let (server, client) = (format!("rota-{id}-{name}-s"), format!("rota-{id}-{name}-c"));
        let world = Self { server, client, folder: Folder::new(&format!("xdp-{name}")) };
        let World { server, client, .. } = &world;
        ip(&format!("netns add {server}"));
        ip(&format!("netns add {client}"));
        let many = format!("numrxqueues {queues} numtxqueues {queues}");
        ip(&format!(
            "link add vs netns {server} {many} type veth peer name vc netns {client} {many}"
        ));
        for (netns, link, number) in [(server, "vs", 1), (client, "vc", 2)] {
            ip(&format!("-n {netns} addr add 10.99.0.{number}/24 dev {link}"));
            ip(&format!("-n {netns} addr add 2001:db8:99::{number}/64 dev {link} nodad"));
            ip(&format!("-n {netns} link set lo up"));
            ip(&format!("-n {netns} link set {link} up"));
        }
        world
    }

    /// `ip`, in the server's namespace.
    pub(crate) fn ip(&self, line: &str) -> String {
        ip(&format!("-n {} {line}", self.server))
    }

    /// Whether `ip` can do that in the server's namespace.
    pub(crate) fn can(&self, line: &str) -> bool {
        let words = format!("-n {} {line}", self.server);
        let output = Command::new("ip").args(words.split(' ')).output().expect("ip runs");
        output.status.success()
    }

    /// `ip`, in the client's.
    pub(crate) fn ip_of_client(&self, line: &str) -> String {
        ip(&format!("-n {} {line}", self.client))
    }

    /// A program in the server's namespace.
    pub(crate) fn program(&self, words: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.server]).args(words).current_dir(&self.folder.0);
        command
    }

    /// A program in the client's.
    pub(crate) fn clients_program(&self, words: &[&str]) -> Output {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.client]).args(words).output().expect("ip runs")
    }

    /// A configuration that takes `vs`, with more lines under `[listen]` and after it.
    pub(crate) fn configure(&self, dns: &str, workers: usize, more: &str) {
        let text = format!(
            "[listen]\ndns = [{dns}]\nadmin = \"127.0.0.1:0\"\nxdp = [\"vs\"]\nworkers = {workers}\n{more}"
        );
        self.folder.write("rota.toml", &text);
    }

    /// A zone whose service is at these addresses, as `app.test`.
    pub(crate) fn zone(&self, nodes: &str) {
        let text = format!("[zone]\nns = [\"ns1 {V4}\"]\n[service.\"@\"]\n{nodes}\n");
        self.folder.write("zones/app.test.toml", &text);
    }

    /// Starts the server, and waits until it answers below its sockets; gives how.
    pub(crate) fn start(&self, arguments: &[&str]) -> (Rota, String) {
        let mut rota = self.launch(arguments);
        let mode = rota.wait_for_log("the interface is taken", |line| {
            (line["message"] == "listening" && line["xdp"].is_string())
                .then(|| format!("{}, {} queues", line["mode"].as_str().unwrap(), line["queues"]))
        });
        (rota, mode)
    }

    /// Starts the server.
    pub(crate) fn launch(&self, arguments: &[&str]) -> Rota {
        let rota = [env!("CARGO_BIN_EXE_rota"), "run", "--log", "json"];
        let mut command = self.program(&[&rota, arguments].concat());
        Rota::launch(command.env("ROTA_LOG", "info,rota::serve=debug"))
    }

    /// Runs something on a thread in the client's namespace.
    pub(crate) fn as_client<T: Send + 'static>(&self, f: impl FnOnce() -> T + Send + 'static) -> T {
        within(&self.client, f).join().expect("the client's thread")
    }

    /// The same in the server's.
    pub(crate) fn as_server<T: Send + 'static>(&self, f: impl FnOnce() -> T + Send + 'static) -> T {
        within(&self.server, f).join().expect("the server's thread")
    }

    /// One question from a new socket, and its answer.
    pub(crate) fn ask(&self, server: &str) -> Option<Message> {
        let server: SocketAddr = server.parse().unwrap();
        self.as_client(move || Asker::new(server).ask("app.test.", RecordType::A, 1232))
    }

    /// Datagrams that the server's sockets have been given.
    pub(crate) fn given_to_sockets(&self) -> u64 {
        self.as_server(|| {
            let read = |path| std::fs::read_to_string(path).unwrap();
            // Of IPv4 a line of names and one of numbers, of which the first counts datagrams in.
            let old = read("/proc/thread-self/net/snmp");
            let line = old.lines().filter(|line| line.starts_with("Udp:")).nth(1).unwrap();
            let v4: u64 = line.split_ascii_whitespace().nth(1).unwrap().parse().unwrap();
            let new = read("/proc/thread-self/net/snmp6");
            let line = new.lines().find(|line| line.starts_with("Udp6InDatagrams")).unwrap();
            let v6: u64 = line.split_ascii_whitespace().nth(1).unwrap().parse().unwrap();
            v4 + v6
        })
    }

    /// Clients that ask all the time, one question after the other, and rest so long between two.
    pub(crate) fn clients(&self, server: &str, count: usize, rest: Duration) -> Clients {
        let server: SocketAddr = server.parse().unwrap();
        let mut clients = Clients::default();
        for _ in 0..count {
            let (stop, answered, lost) = (
                Arc::clone(&clients.stop),
                Arc::clone(&clients.answered),
                Arc::clone(&clients.lost),
            );
            clients.threads.push(within(&self.client, move || {
                let mut asker = Asker::new(server);
                while !stop.load(Ordering::Acquire) {
                    let answer = asker.ask("app.test.", RecordType::A, 1232);
                    let count = if answer.is_some() { &answered } else { &lost };
                    count.fetch_add(1, Ordering::Relaxed);
                    std::thread::sleep(rest);
                }
            }));
        }
        clients
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for netns in [&self.server, &self.client] {
            drop(Command::new("ip").args(["netns", "del", netns]).output());
        }
    }
}

/// Clients at work.
#[derive(Default)]
pub(crate) struct Clients {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    lost: Arc<AtomicU64>,
    threads: Vec<JoinHandle<()>>,
}

impl Clients {
    /// How many answers there were so far.
    pub(crate) fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// Waits until there are so many answers more.
    pub(crate) fn go_on(&self, more: u64) {
        let until = self.answered() + more;
        super::common::wait_until("answers go on", || self.answered() >= until);
    }

    /// Ends them; gives how many questions were answered, and how many were not.
    pub(crate) fn finish(self) -> (u64, u64) {
        self.stop.store(true, Ordering::Release);
        self.threads.into_iter().for_each(|thread| thread.join().unwrap());
        (self.answered.load(Ordering::Relaxed), self.lost.load(Ordering::Relaxed))
    }
}

/// A socket that asks.
pub(crate) struct Asker {
    socket: UdpSocket,
    id: u16,
}

impl Asker {
    pub(crate) fn new(server: SocketAddr) -> Self {
        let any: IpAddr = if server.is_ipv4() { [0; 4].into() } else { [0; 16].into() };
        let socket = UdpSocket::bind((any, 0)).unwrap();
        socket.set_read_timeout(Some(SILENCE)).unwrap();
        socket.connect(server).unwrap();
        Self { socket, id: 0 }
    }

    /// A question, whose sender says that it takes so many octets.
    pub(crate) fn question(&mut self, name: &str, rtype: RecordType, size: u16) -> Vec<u8> {
        self.id = self.id.wrapping_add(1);
        let mut query = Message::new(self.id, MessageType::Query, OpCode::Query);
        query.add_query(Query::query(Name::from_ascii(name).unwrap(), rtype));
        let mut edns = Edns::new();
        edns.set_max_payload(size);
        query.set_edns(edns);
        query.to_vec().unwrap()
    }

    /// Sends octets.
    pub(crate) fn send(&self, octets: &[u8]) -> std::io::Result<usize> {
        self.socket.send(octets)
    }

    /// Sends octets, and waits for what comes back.
    pub(crate) fn exchange(&mut self, octets: &[u8]) -> std::io::Result<Vec<u8>> {
        self.socket.send(octets)?;
        self.receive()
    }

    fn receive(&mut self) -> std::io::Result<Vec<u8>> {
        let mut buffer = vec![0; 4096];
        let len = self.socket.recv(&mut buffer)?;
        buffer.truncate(len);
        Ok(buffer)
    }

    /// An answer, if one comes.
    pub(crate) fn ask(&mut self, name: &str, rtype: RecordType, size: u16) -> Option<Message> {
        let question = self.question(name, rtype, size);
        let mut answer = self.exchange(&question).ok()?;
        loop {
            let message = Message::from_vec(&answer).expect("hickory reads the answer");
            if message.metadata.id == self.id {
                return Some(message);
            }
            // The answer to a question that was given up has come late.
            answer = self.receive().ok()?;
        }
    }
}

fn within<T: Send + 'static>(netns: &str, f: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    let file = File::open(format!("/run/netns/{netns}")).expect("the namespace was made");
    std::thread::spawn(move || {
        let kind = Some(LinkNameSpaceType::Network);
        move_into_link_name_space(file.as_fd(), kind).expect("root may move");
        f()
    })
}

#[track_caller]
fn ip(line: &str) -> String {
    let output = Command::new("ip").args(line.split(' ')).output().expect("ip runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "ip {line}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
