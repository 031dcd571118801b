//! The zone behind the resolvers, and the servers that lead to it.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};

use super::common::{Folder, Node, Rota, nodes};
use super::peers::{Root, all_installed};

/// The delegated zone.
pub const APEX: &str = "lb.example.org";
/// Who serves what.
pub const ROOT: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 61);
pub const ROTA: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 62);
pub const UNBOUND: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 63);
/// BIND listens on addresses that an interface has by name.
pub const BIND: Ipv4Addr = Ipv4Addr::LOCALHOST;
/// Where resolvers ask from. The first two meet different pools of a split and are in places of
/// their own.
pub const BLUE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 65);
pub const GREEN: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 66);
pub const EVERYWHERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 67);
/// The nodes of `failover`.
pub const PRIMARY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 71);
pub const STANDBY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 72);
/// The addresses of `*.weighted`.
pub const WEIGHTS: [(&str, usize); 3] = [("192.0.2.51", 6), ("192.0.2.52", 3), ("192.0.2.53", 1)];
/// How many nodes `large` has: their records fill more than a datagram. BIND takes no set of more
/// than 100 records (`max-records-per-type`), since 2024.
pub const MANY: usize = 100;
/// The lifetime of all records of services, in seconds.
pub const TTL: u32 = 1;
/// Below the ports that systems give to clients.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// A served zone, its nodes, and the root that delegates it.
pub struct Scene {
    pub folder: Folder,
    pub port: u16,
    pub rota: Rota,
    nodes: Vec<Node>,
    /// Held for as long as resolvers may ask it.
    _root: Root,
}

impl Scene {
    /// Starts the servers; `name` is that of the test.
    pub fn new(name: &str) -> Self {
        if let Err(missing) = all_installed() {
            panic!("{missing}");
        }
        let folder = Folder::new(&format!("resolvers-{name}"));
        let nodes = nodes(&[PRIMARY.octets(), STANDBY.octets()]);
        let port = spare_port(name);
        let listen = format!("dns = [\"{ROTA}:{port}\"]\nadmin = \"{ROTA}:0\"\nworkers = 1\n");
        folder.write("rota.toml", &format!("[listen]\n{listen}"));
        folder.write(&format!("zones/{APEX}.zone"), MASTER);
        folder.write(&format!("zones/{APEX}.toml"), &zone(nodes[0].addr.port()));
        let rota = Rota::start(&folder.0, &["--strict"]);
        let root = Root::start(&folder, port);
        Self { folder, port, rota, nodes, _root: root }
    }

    /// Where one of the servers listens.
    pub fn at(&self, address: Ipv4Addr) -> SocketAddr {
        (address, self.port).into()
    }

    /// The node that `failover` prefers.
    pub fn primary(&self) -> &Node {
        &self.nodes[0]
    }
}

/// A port that is free for all servers over UDP and TCP; each test begins to look elsewhere.
fn spare_port(name: &str) -> u16 {
    let span = PORTS.len() as u64;
    let own: u64 = name.bytes().map(u64::from).sum();
    let start = u64::from(std::process::id()) * 131 + own * 977;
    let is_free = |address: Ipv4Addr, port: u16| {
        TcpListener::bind((address, port)).is_ok() && UdpSocket::bind((address, port)).is_ok()
    };
    let mut order = (0..span).map(|at| PORTS.start + ((start + at) % span) as u16);
    order
        .find(|&port| [ROOT, ROTA, UNBOUND, BIND].iter().all(|&address| is_free(address, port)))
        .expect("some port is spare")
}

const MASTER: &str = "
$TTL 60
@    SOA   ns1 hostmaster 1 3600 600 86400 60
@    NS    ns1
ns1  A     127.0.0.62
www  CNAME hop
hop  CNAME geo
";

fn zone(check_port: u16) -> String {
    let addresses = |network: &str, count: usize| {
        let all: Vec<String> = (1..=count).map(|last| format!("\"{network}.{last}\"")).collect();
        all.join(", ")
    };
    let weighted = WEIGHTS.map(|(address, weight)| format!("\"{address} x{weight}\"")).join(", ");
    let [west, east, rest] =
        ["198.51.100", "203.0.113", "192.0.2"].map(|network| addresses(network, 200));
    let many = addresses("198.51.100", MANY);
    format!(
        r#"
[service.geo]
steer = "geo"
ttl = "{TTL}s"
[service.geo.pool.blue]
place = ["{BLUE}"]
nodes = ["192.0.2.11"]
[service.geo.pool.green]
place = ["{GREEN}"]
nodes = ["192.0.2.21"]
[service.geo.pool.world]
place = ["*"]
nodes = ["192.0.2.31"]

[service."*.split"]
steer = "split"
[service."*.split".pool.blue]
share = 50
nodes = ["192.0.2.11"]
[service."*.split".pool.green]
share = 50
nodes = ["192.0.2.21"]

[service."*.weighted"]
policy = "weighted"
answers = 1
ttl = "1h"
nodes = [{weighted}]

[service.failover]
check = {{ http = ":{check_port}/ready", every = "500ms", timeout = "500ms", fails = 2, passes = 1 }}
steer = "failover"
ttl = "{TTL}s"
[service.failover.pool.primary]
nodes = ["{PRIMARY}"]
[service.failover.pool.standby]
nodes = ["{STANDBY}"]

[service.app]
policy = "weighted"
srv = {{ "_https._tcp" = 8443 }}
https = {{ port = 443, alpn = ["h2"] }}
nodes = [
  {{ name = "a", address = ["192.0.2.41", "2001:db8::41"], weight = 3 }},
  {{ name = "b", address = "192.0.2.42", weight = 1 }},
]

[service.large]
answers = "all"
ttl = "1h"
nodes = [{many}]

[service."*.told"]
steer = "geo"
policy = "shuffle"
answers = 1
ttl = "1h"
[service."*.told".pool.west]
place = ["127.1.0.0/16"]
nodes = [{west}]
[service."*.told".pool.east]
place = ["127.2.0.0/16"]
nodes = [{east}]
[service."*.told".pool.rest]
place = ["*"]
nodes = [{rest}]
"#
    )
}
