//! What the black-box tests share: nodes that can be broken, the built binary, and a client that is
//! not ours.

#![allow(unreachable_pub, reason = "each test file is a crate of its own")]
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::disallowed_methods, reason = "the outside of the program has a clock")]

pub mod operator;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query};
use hickory_proto::rr::{Name, RData, RecordType};

/// Nothing that a test waits for takes longer on a machine that is merely slow.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How a node behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Mode {
    /// 200.
    Ready,
    /// 503.
    Unready,
    /// Takes the connection and says nothing.
    Hang,
    /// Takes the connection and resets it.
    Reset,
}

/// An HTTP node on a loopback address of its own, or nothing where it refuses.
pub struct Node {
    pub addr: SocketAddr,
    mode: Arc<AtomicU8>,
    probes: Arc<AtomicU64>,
    listening: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
}

impl Node {
    /// Listens on `ip` and `port`.
    fn start(listener: TcpListener) -> Self {
        let addr = listener.local_addr().expect("a bound listener has an address");
        let mut node = Self {
            addr,
            mode: Arc::new(AtomicU8::new(Mode::Ready as u8)),
            probes: Arc::default(),
            listening: None,
        };
        node.listen(listener);
        node
    }

    fn listen(&mut self, listener: TcpListener) {
        let stop = Arc::new(AtomicBool::new(false));
        let (mode, probes, stopped) =
            (Arc::clone(&self.mode), Arc::clone(&self.probes), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let mut hung = Vec::new();
            for stream in listener.incoming() {
                if stopped.load(Ordering::Acquire) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                probes.fetch_add(1, Ordering::Relaxed);
                match mode.load(Ordering::Acquire) {
                    mode if mode == Mode::Hang as u8 => hung.push(stream),
                    mode if mode == Mode::Reset as u8 => {
                        let socket = socket2::SockRef::from(&stream);
                        socket.set_linger(Some(Duration::ZERO)).expect("linger can be set");
                    }
                    mode => answer(stream, mode == Mode::Ready as u8),
                }
            }
        });
        self.listening = Some((stop, thread));
    }

    /// Behaves otherwise from the next connection on.
    pub fn set(&self, mode: Mode) {
        self.mode.store(mode as u8, Ordering::Release);
    }

    /// Stops listening: connections are refused.
    pub fn refuse(&mut self) {
        let Some((stop, thread)) = self.listening.take() else { return };
        stop.store(true, Ordering::Release);
        drop(TcpStream::connect(self.addr));
        thread.join().expect("a node does not panic");
    }

    /// Listens again.
    pub fn accept(&mut self) {
        let listener = TcpListener::bind(self.addr).expect("the node's port is still free");
        self.listen(listener);
    }

    /// How many connections it has taken.
    pub fn probes(&self) -> u64 {
        self.probes.load(Ordering::Relaxed)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.refuse();
    }
}

fn answer(mut stream: TcpStream, ready: bool) {
    let mut request = [0; 1024];
    drop(stream.set_read_timeout(Some(Duration::from_secs(1))));
    let Ok(len) = stream.read(&mut request) else { return };
    let asked = request[..len].starts_with(b"GET /ready HTTP/1.1\r\n");
    let status = if ready && asked { "200 OK" } else { "503 Service Unavailable" };
    let reply = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    drop(stream.write_all(reply.as_bytes()));
}

/// Nodes on neighbouring addresses of one spare port.
pub fn nodes(ips: &[[u8; 4]]) -> Vec<Node> {
    for _ in 0..50 {
        let first = TcpListener::bind((Ipv4Addr::from(ips[0]), 0)).expect("loopback can be bound");
        let port = first.local_addr().expect("it is bound").port();
        let rest: Result<Vec<TcpListener>, _> =
            ips[1..].iter().map(|&ip| TcpListener::bind((Ipv4Addr::from(ip), port))).collect();
        if let Ok(rest) = rest {
            return std::iter::once(first).chain(rest).map(Node::start).collect();
        }
    }
    panic!("no port is spare on all of {ips:?}");
}

/// A folder that goes when the test ends.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("rota-test-{}-{name}", std::process::id()));
        drop(std::fs::remove_dir_all(&path));
        std::fs::create_dir_all(path.join("zones")).expect("the temporary folder is writable");
        Self(path)
    }

    pub fn write(&self, path: &str, text: &str) {
        std::fs::write(self.0.join(path), text).expect("the temporary folder is writable");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// The built binary, serving.
pub struct Rota {
    child: Child,
    pub dns: SocketAddr,
    pub admin: SocketAddr,
    log: Arc<Mutex<Vec<serde_json::Value>>>,
}

impl Rota {
    /// Starts `rota run` in a folder and waits until it listens.
    pub fn start(folder: &Path, arguments: &[&str]) -> Self {
        Self::launch(Self::command(folder).args(arguments))
    }

    /// `rota run` in a folder.
    pub fn command(folder: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rota"));
        command.args(["run", "--log", "json"]).current_dir(folder);
        command
    }

    /// Runs such a command and waits until it listens.
    pub fn launch(command: &mut Command) -> Self {
        let mut child = command
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("the built binary starts");
        let stderr = child.stderr.take().expect("stderr is piped");
        let log = Arc::new(Mutex::new(Vec::new()));
        let lines = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if let Ok(value) = serde_json::from_str(&line) {
                    lines.lock().expect("no reader panics").push(value);
                } else {
                    eprintln!("rota: {line}");
                }
            }
        });
        let nowhere = SocketAddr::from(([0; 4], 0));
        let mut rota = Self { child, dns: nowhere, admin: nowhere, log };
        for (field, to) in [("dns", true), ("admin", false)] {
            let text = rota
                .wait_for_log(&format!("a line that tells where {field} listens"), |line| {
                    line[field].as_str().map(String::from)
                });
            let addr = text.parse().expect("an address");
            if to { rota.dns = addr } else { rota.admin = addr }
        }
        rota
    }

    /// Waits for a line of the log.
    pub fn wait_for_log<T>(
        &mut self,
        what: &str,
        find: impl Fn(&serde_json::Value) -> Option<T>,
    ) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = self.log.lock().expect("no reader panics").iter().find_map(&find) {
                return found;
            }
            let ended = self.child.try_wait().expect("the child can be asked");
            let log = || format!("{:#?}", self.log.lock().expect("no reader panics"));
            assert!(ended.is_none(), "rota ended ({ended:?}) before {what}: {}", log());
            assert!(Instant::now() < end, "no {what} in {}", log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// How many lines of the log have this message.
    pub fn logged(&self, message: &str) -> usize {
        let log = self.log.lock().expect("no reader panics");
        log.iter().filter(|line| line["message"] == message).count()
    }

    /// The number of its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &pid]).status();
        assert!(sent.expect("kill runs").success());
    }

    /// Sends SIGTERM and waits for the end.
    pub fn stop(self) -> ExitStatus {
        self.signal("TERM");
        self.ended()
    }

    /// Waits for its end.
    pub fn ended(mut self) -> ExitStatus {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("the child can be asked") {
                return status;
            }
            assert!(Instant::now() < end, "rota does not stop");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Rota {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A client with a socket of its own: one worker answers all that it asks.
pub struct Client {
    socket: UdpSocket,
    server: SocketAddr,
    next_id: u16,
}

impl Client {
    pub fn new(server: SocketAddr) -> Self {
        let any: IpAddr = if server.is_ipv4() { [127, 0, 0, 1].into() } else { [0; 16].into() };
        let socket = UdpSocket::bind((any, 0)).expect("loopback can be bound");
        socket.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        Self { socket, server, next_id: 1 }
    }

    /// One question over UDP, and its answer.
    pub fn ask(&mut self, name: &str, rtype: RecordType) -> Message {
        let (bytes, id) = self.question(name, rtype);
        self.socket.send_to(&bytes, self.server).expect("loopback takes a datagram");
        let mut buffer = [0; 4096];
        let (len, from) = self.socket.recv_from(&mut buffer).expect("an answer in time");
        assert_eq!(from, self.server);
        let message = Message::from_vec(&buffer[..len]).expect("hickory reads the answer");
        assert_eq!(message.metadata.id, id);
        message
    }

    /// The addresses of a name, in the order of the answer.
    pub fn addresses(&mut self, name: &str) -> Vec<Ipv4Addr> {
        a_records(&self.ask(name, RecordType::A))
    }

    /// All questions in one write over one TCP connection, and their answers in order.
    pub fn ask_stream(&mut self, names: &[&str], rtype: RecordType) -> Vec<Message> {
        let mut stream = TcpStream::connect(self.server).expect("TCP is listened on");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        let mut bytes = Vec::new();
        for name in names {
            let (question, _) = self.question(name, rtype);
            bytes.extend((question.len() as u16).to_be_bytes());
            bytes.extend(question);
        }
        stream.write_all(&bytes).expect("the server reads");
        let mut answers = Vec::new();
        for _ in names {
            let mut len = [0; 2];
            stream.read_exact(&mut len).expect("an answer's length");
            let mut answer = vec![0; usize::from(u16::from_be_bytes(len))];
            stream.read_exact(&mut answer).expect("an answer");
            answers.push(Message::from_vec(&answer).expect("hickory reads the answer"));
        }
        answers
    }

    /// The bytes of a question, and its id.
    pub fn question(&mut self, name: &str, rtype: RecordType) -> (Vec<u8>, u16) {
        let id = self.next_id;
        self.next_id = self.next_id.wrapping_add(1);
        let mut query = Message::new(id, MessageType::Query, OpCode::Query);
        query.add_query(Query::query(Name::from_ascii(name).expect("a name"), rtype));
        let mut edns = Edns::new();
        edns.set_max_payload(1232);
        query.set_edns(edns);
        (query.to_vec().expect("a query can be written"), id)
    }
}

/// The A records of an answer, in order.
pub fn a_records(message: &Message) -> Vec<Ipv4Addr> {
    let address = |data: &RData| if let RData::A(a) = data { Some(a.0) } else { None };
    message.answers.iter().filter_map(|record| address(&record.data)).collect()
}

/// Asks until the condition holds.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < end, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The status code of a `GET`.
pub fn http_status(server: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(server).expect("the admin listener accepts");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("the admin listener reads");
    let mut response = String::new();
    stream.read_to_string(&mut response).expect("a response");
    response.split(' ').nth(1).unwrap_or_default().to_owned()
}
