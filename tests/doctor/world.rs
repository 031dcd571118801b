//! A small world of name servers on loopback addresses, all at one spare port.
//!
//! ```text
//!   127.0.0.71  the root                              rota or NSD
//!   127.0.0.72  `test`, which delegates each case     rota or NSD
//!   127.0.0.73  ns1 of the cases                      rota; its files are those of the doctor
//!   127.0.0.74  ns2 of the cases                      rota, with copies, some of them other ones
//!   127.0.0.75  UDP alone, passed on to ns1
//!   127.0.0.76  takes datagrams and says nothing
//!   127.0.0.77  a parent that has no glue
//! ```

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use hickory_proto::op::{Message, MessageType};
use hickory_proto::rr::rdata::NS;
use hickory_proto::rr::{Name, RData, Record};

use super::common::{Folder, Node, Rota, nodes, wait_until};

/// What the doctor may do about one address.
const HOSTS: std::ops::RangeInclusive<u8> = 71..=77;

/// Who the root and `test` are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "each test file uses its part")]
pub(crate) enum Above {
    Rota,
    Nsd,
}

/// Set, this port rather than a spare one: 53, where the test has a network of its own.
const PORT: &str = "ROTA_DOCTOR_PORT";

const ROOT_ZONE: &str = "\
$TTL 3600
.             SOA ns.test. hostmaster.test. 1 3600 600 86400 60
.             NS  a.root-ns.
a.root-ns.    A   127.0.0.71
test.         NS  ns.test.
ns.test.      A   127.0.0.72
";

/// What `test` says of each case.
const TEST_ZONE: &str = "\
$ORIGIN test.
$TTL 3600
@             SOA ns hostmaster 1 3600 600 86400 60
@             NS  ns
ns            A   127.0.0.72
good          NS  ns1.good
good          NS  ns2.good
ns1.good      A   127.0.0.73
ns2.good      A   127.0.0.74
glue          NS  ns1.glue
ns1.glue      A   127.0.0.74
lame          NS  ns1.lame
lame          NS  ns2.lame
ns1.lame      A   127.0.0.73
ns2.lame      A   127.0.0.74
serial        NS  ns1.serial
serial        NS  ns2.serial
ns1.serial    A   127.0.0.73
ns2.serial    A   127.0.0.74
www.above     NS  ns1.www.above
ns1.www.above A   127.0.0.73
below         NS  ns1.below
ns1.below     A   127.0.0.73
tcp           NS  ns1.tcp
ns1.tcp       A   127.0.0.75
silent        NS  ns1.silent
silent        NS  ns2.silent
ns1.silent    A   127.0.0.73
ns2.silent    A   127.0.0.76
alias         CNAME lb.example.net.
";

/// Zones of ns1, which are also the doctor's: name servers of each.
const CASES: &[(&str, &str)] = &[
    ("good", "\"ns1 127.0.0.73\", \"ns2 127.0.0.74\""),
    ("glue", "\"ns1 127.0.0.73\""),
    ("noglue", "\"ns1 127.0.0.73\""),
    ("lame", "\"ns1 127.0.0.73\", \"ns2 127.0.0.74\""),
    ("serial", "\"ns1 127.0.0.73\", \"ns2 127.0.0.74\""),
    ("above", "\"ns1 127.0.0.73\""),
    ("app.below", "\"ns1 127.0.0.73\""),
    ("tcp", "\"ns1 127.0.0.75\""),
    ("silent", "\"ns1 127.0.0.73\", \"ns2 127.0.0.76\""),
    ("alias", "\"ns1 127.0.0.73\""),
];

/// What stands until the end of a test.
pub(crate) struct World {
    pub(crate) port: u16,
    pub(crate) node: Vec<Node>,
    files: Folder,
    _others: [Folder; 3],
    _servers: Vec<Rota>,
    _foreign: Vec<Nsd>,
}

impl World {
    /// Starts all of it, in folders of this name.
    pub(crate) fn start(world: &str, above: Above) -> Self {
        let given = std::env::var(PORT).ok().map(|text| text.parse().unwrap());
        let port = given.unwrap_or_else(spare_port);
        let node = nodes(&[[127, 0, 0, 78]]);
        let zone = |ns: &str| {
            let check = format!("{{ http = \":{}/ready\" }}", node[0].addr.port());
            format!(
                "[zone]\nns = [{ns}]\n[service.\"@\"]\ncheck = {check}\nnodes = [\"127.0.0.78\"]\n\
                 [service.www]\ncheck = {check}\nnodes = [\"127.0.0.78\"]\n"
            )
        };
        let folder = |name: &str, host: u8| {
            let folder = Folder::new(&format!("doctor-{world}-{name}"));
            let listen = format!(
                "[listen]\ndns = [\"127.0.0.{host}:{port}\"]\nadmin = \"127.0.0.1:0\"\nworkers = 1\n"
            );
            folder.write("rota.toml", &listen);
            folder
        };
        let root = folder("root", 71);
        root.write("zones/root.zone", ROOT_ZONE);
        let parent = folder("parent", 72);
        parent.write("zones/test.zone", TEST_ZONE);
        let (files, copies) = (folder("ns1", 73), folder("ns2", 74));
        for (case, ns) in CASES {
            let path = format!("zones/{case}.test.toml");
            files.write(&path, &zone(ns));
            dated(&files, &path, 1_700_000_000);
            if *case != "lame" {
                copies.write(&path, &zone(ns));
                dated(&copies, &path, 1_700_000_000 + u64::from(*case == "serial"));
            }
        }
        let servers = [&files, &copies].map(|folder| Rota::start(&folder.0, &[]));
        let mut servers = Vec::from(servers);
        let mut foreign = Vec::new();
        match above {
            Above::Rota => {
                servers.extend([&root, &parent].map(|folder| Rota::start(&folder.0, &[])));
            }
            Above::Nsd => foreign.extend([
                Nsd::start(&root, host(71, port), ".", "root.zone"),
                Nsd::start(&parent, host(72, port), "test.", "test.zone"),
            ]),
        }
        pass_on(host(75, port), host(73, port));
        keep_silent(host(76, port));
        refer_without_glue(host(77, port));
        Self {
            port,
            node,
            files,
            _others: [copies, root, parent],
            _servers: servers,
            _foreign: foreign,
        }
    }

    /// Exit code and text of the doctor, beginning at the root of this world.
    pub(crate) fn doctor(&self, arguments: &[&str]) -> (Option<i32>, String) {
        self.doctor_from("127.0.0.71", arguments)
    }

    /// The same, beginning elsewhere.
    pub(crate) fn doctor_from(&self, root: &str, arguments: &[&str]) -> (Option<i32>, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_rota"))
            .args(["doctor", "--root", root, "--port", &self.port.to_string()])
            .args(arguments)
            .current_dir(&self.files.0)
            .output()
            .unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.code(), text)
    }

    /// Makes the files of a zone newer than what is served.
    pub(crate) fn touch(&self, case: &str) {
        dated(&self.files, &format!("zones/{case}.test.toml"), 1_700_000_100);
    }
}

/// An NSD that serves one zone.
struct Nsd(Child);

impl Nsd {
    /// Starts it in a folder, and waits until it answers.
    fn start(folder: &Folder, at: SocketAddr, apex: &str, file: &str) -> Self {
        let (ip, port) = (at.ip(), at.port());
        folder.write(
            "nsd.conf",
            &format!(
                "server:\n  ip-address: {ip}@{port}\n  username: \"\"\n  chroot: \"\"\n  \
                 server-count: 1\n  zonesdir: \"zones\"\n  pidfile: \"nsd.pid\"\n  \
                 database: \"\"\n  zonelistfile: \"nsd.list\"\n  xfrdfile: \"nsd.xfrd\"\n  \
                 xfrdir: \".\"\nremote-control:\n  control-enable: no\nzone:\n  \
                 name: \"{apex}\"\n  zonefile: \"{file}\"\n"
            ),
        );
        let child = Command::new("/usr/sbin/nsd")
            .args(["-d", "-c", "nsd.conf"])
            .current_dir(&folder.0)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nsd is installed");
        let nsd = Self(child);
        wait_until("nsd answers", || TcpStream::connect(at).is_ok());
        nsd
    }
}

impl Drop for Nsd {
    fn drop(&mut self) {
        // Asked to end rather than killed: then it takes its children along.
        let pid = self.0.id().to_string();
        drop(Command::new("kill").args(["-TERM", &pid]).status());
        drop(self.0.wait());
    }
}

fn host(host: u8, port: u16) -> SocketAddr {
    (Ipv4Addr::new(127, 0, 0, host), port).into()
}

/// Serials are made of files' times.
fn dated(folder: &Folder, path: &str, seconds: u64) {
    let file = File::options().write(true).open(folder.0.join(path)).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
}

/// A port that nobody has, at any of the addresses.
fn spare_port() -> u16 {
    for _ in 0..50 {
        let first = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = first.local_addr().unwrap().port();
        let free = |number: u8| {
            let address = host(number, port);
            TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok()
        };
        if HOSTS.into_iter().all(free) {
            return port;
        }
    }
    panic!("no port is spare");
}

/// Answers datagrams with what another server says, and has no TCP.
fn pass_on(from: SocketAddr, to: SocketAddr) {
    let socket = UdpSocket::bind(from).unwrap();
    std::thread::spawn(move || {
        let beyond = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut buffer = [0; 4096];
        while let Ok((len, client)) = socket.recv_from(&mut buffer) {
            beyond.send_to(&buffer[..len], to).unwrap();
            let len = beyond.recv(&mut buffer).unwrap();
            socket.send_to(&buffer[..len], client).unwrap();
        }
    });
}

fn keep_silent(at: SocketAddr) {
    let socket = UdpSocket::bind(at).unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 512];
        while socket.recv_from(&mut buffer).is_ok() {}
    });
}

/// Refers every question to a server in the zone itself, whose address it does not tell: a mistake
/// that Rota would not load.
fn refer_without_glue(at: SocketAddr) {
    let socket = UdpSocket::bind(at).unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 512];
        while let Ok((len, client)) = socket.recv_from(&mut buffer) {
            let mut message = Message::from_vec(&buffer[..len]).unwrap();
            message.metadata.message_type = MessageType::Response;
            message.edns = None;
            let name = |text: &str| Name::from_ascii(text).unwrap();
            let ns = RData::NS(NS(name("ns1.noglue.test.")));
            message.authorities.push(Record::from_rdata(name("noglue.test."), 3600, ns));
            socket.send_to(&message.to_vec().unwrap(), client).unwrap();
        }
    });
}
