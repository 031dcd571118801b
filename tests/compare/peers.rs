//! The four servers, each a child process on a loopback port of its own, serving one world.
//!
//! Whatever the peers let one choose is chosen so that answers can be compared: minimal responses,
//! the same UDP size, no rate limits, no cookies, no recursion, no transfers. They write only into
//! the world's folder and are ended, by process id, when the world ends.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::ask::Asker;
use super::generate::World;

/// The size of UDP responses that all servers are told to keep to.
pub const UDP_SIZE: u16 = 1232;
/// Where servers listen.
const PORTS: std::ops::Range<u16> = 20_000..32_000;
/// How long a server may take to serve its zones on a machine that is merely slow.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whose answer it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Voice {
    /// The one that is judged.
    Rota,
    /// NLnet Labs NSD.
    Nsd,
    /// CZ.NIC Knot DNS.
    Knot,
    /// ISC BIND, asked where the two disagree.
    Bind,
}

impl Voice {
    /// All, Rota first.
    pub const ALL: [Self; 4] = [Self::Rota, Self::Nsd, Self::Knot, Self::Bind];

    fn program(self) -> &'static str {
        match self {
            Self::Rota => env!("CARGO_BIN_EXE_rota"),
            Self::Nsd => "/usr/sbin/nsd",
            Self::Knot => "/usr/sbin/knotd",
            Self::Bind => "/usr/sbin/named",
        }
    }

    /// The Debian package that has it.
    fn package(self) -> &'static str {
        match self {
            Self::Rota => "rota",
            Self::Nsd => "nsd",
            Self::Knot => "knot",
            Self::Bind => "bind9",
        }
    }

    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Rota => &["run", "--strict", "--log", "json", "-c", "rota.toml"],
            Self::Nsd => &["-d", "-c", "nsd.conf"],
            Self::Knot => &["-c", "knot.conf"],
            Self::Bind => &["-g", "-n", "1", "-c", "named.conf"],
        }
    }
}

/// Fails, naming the packages, where a peer is not installed.
pub fn all_installed() -> Result<(), String> {
    let missing: Vec<&str> = Voice::ALL
        .iter()
        .filter(|voice| !Path::new(voice.program()).is_file())
        .map(|voice| voice.package())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!("nothing to compare with; install first: apt-get install {}", missing.join(" ")))
}

/// A server at work.
struct Server {
    voice: Voice,
    child: Child,
    address: SocketAddr,
}

/// The four servers.
pub struct Peers(Vec<Server>);

impl Peers {
    /// Writes the world's zones and the servers' configurations into `folder`, starts all, and
    /// waits until each is authoritative for every zone.
    pub fn start(folder: &Path, world: &World) -> Result<Self, String> {
        let zones = folder.join("zones");
        fs::create_dir_all(&zones).map_err(|error| error.to_string())?;
        for zone in &world.zones {
            let path = zones.join(format!("{}.zone", zone.stem()));
            fs::write(path, zone.to_string()).map_err(|error| error.to_string())?;
        }
        let mut peers = Self(Vec::new());
        for (voice, port) in Voice::ALL.into_iter().zip(spare_ports(world)) {
            peers.0.push(Server::start(voice, port, folder, world)?);
        }
        for server in &mut peers.0 {
            server.wait(folder, world)?;
        }
        Ok(peers)
    }

    /// Where each listens.
    pub fn addresses(&self) -> impl Iterator<Item = (Voice, SocketAddr)> {
        self.0.iter().map(|server| (server.voice, server.address))
    }
}

impl Server {
    fn start(voice: Voice, port: u16, folder: &Path, world: &World) -> Result<Self, String> {
        let said = |error: std::io::Error| format!("{voice:?} cannot be started: {error}");
        let (file, text) = configuration(voice, port, world);
        let home = folder.join(format!("{voice:?}"));
        fs::create_dir_all(&home).map_err(said)?;
        fs::write(folder.join(file), text).map_err(said)?;
        let log = File::create(folder.join(format!("{voice:?}.log"))).map_err(said)?;
        let child = Command::new(voice.program())
            .args(voice.arguments())
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(said)?)
            .stderr(log)
            .spawn()
            .map_err(said)?;
        Ok(Self { voice, child, address: SocketAddr::from(([127, 0, 0, 1], port)) })
    }

    /// Waits until every zone is served.
    #[expect(clippy::disallowed_methods, reason = "the outside of the servers has a clock")]
    fn wait(&mut self, folder: &Path, world: &World) -> Result<(), String> {
        let end = Instant::now() + PATIENCE;
        let mut asker = Asker::new([(self.voice, self.address)].into_iter());
        for zone in &world.zones {
            while !asker.serves(&zone.apex) {
                let ended = self.child.try_wait().ok().flatten();
                if ended.is_some() || Instant::now() > end {
                    let log = folder.join(format!("{:?}.log", self.voice));
                    let log = fs::read_to_string(log).unwrap_or_default();
                    return Err(format!(
                        "seed {}: {:?} does not serve {} ({ended:?}):\n{log}",
                        world.seed, self.voice, zone.apex
                    ));
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        Ok(())
    }
}

impl Drop for Server {
    /// SIGTERM, so that children of the child end too.
    fn drop(&mut self) {
        drop(Command::new("kill").arg(self.child.id().to_string()).status());
        drop(self.child.wait());
    }
}

/// Ports that are free over UDP and TCP, all different, and below those that systems give to
/// clients: what connects meanwhile cannot take them before the server does.
fn spare_ports(world: &World) -> Vec<u16> {
    let span = PORTS.len() as u64;
    let start = (u64::from(std::process::id()) * 131 + world.seed * 17) % span;
    let order = (0..span).map(|at| PORTS.start + ((start + at) % span) as u16);
    let is_free = |port: &u16| {
        TcpListener::bind(("127.0.0.1", *port)).is_ok()
            && UdpSocket::bind(("127.0.0.1", *port)).is_ok()
    };
    order.filter(is_free).take(Voice::ALL.len()).collect()
}

/// The name of a server's configuration file, and its text; all paths are below the working folder.
fn configuration(voice: Voice, port: u16, world: &World) -> (&'static str, String) {
    let zones = |each: fn(&str, &str) -> String| -> String {
        world.zones.iter().map(|zone| each(&zone.apex.to_string(), &zone.stem())).collect()
    };
    match voice {
        Voice::Rota => ("rota.toml", rota(port)),
        Voice::Nsd => (
            "nsd.conf",
            nsd(port)
                + &zones(|apex, stem| {
                    format!("zone:\n  name: \"{apex}\"\n  zonefile: \"zones/{stem}.zone\"\n")
                }),
        ),
        Voice::Knot => (
            "knot.conf",
            knot(port)
                + &zones(|apex, stem| {
                    format!("  - domain: \"{apex}\"\n    file: \"{stem}.zone\"\n")
                }),
        ),
        Voice::Bind => (
            "named.conf",
            bind(port)
                + &zones(|apex, stem| {
                    format!("zone \"{apex}\" {{ type primary; file \"zones/{stem}.zone\"; }};\n")
                }),
        ),
    }
}

fn rota(port: u16) -> String {
    format!(
        "zones = \"zones\"
state = \"Rota\"
[listen]
dns = [\"127.0.0.1:{port}\"]
admin = \"127.0.0.1:0\"
workers = 1
[dns]
udp_size = {UDP_SIZE}
"
    )
}

fn nsd(port: u16) -> String {
    format!(
        "server:
  ip-address: 127.0.0.1
  port: {port}
  do-ip6: no
  username: \"\"
  server-count: 1
  pidfile: \"Nsd/pid\"
  database: \"\"
  zonelistfile: \"Nsd/zones\"
  xfrdfile: \"Nsd/xfrd\"
  xfrdir: \"Nsd\"
  zonesdir: \".\"
  minimal-responses: yes
  refuse-any: no
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
  ipv4-edns-size: {UDP_SIZE}
  hide-version: yes
  hide-identity: yes
remote-control:
  control-enable: no
"
    )
}

fn knot(port: u16) -> String {
    format!(
        "server:
  listen: \"127.0.0.1@{port}\"
  rundir: \"Knot\"
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
  udp-max-payload: {UDP_SIZE}
control:
  listen: \"control\"
database:
  storage: \"Knot\"
log:
  - target: stderr
    any: warning
template:
  - id: default
    storage: \"zones\"
    semantic-checks: off
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
zone:
"
    )
}

fn bind(port: u16) -> String {
    format!(
        "options {{
  directory \".\";
  listen-on port {port} {{ 127.0.0.1; }};
  listen-on-v6 {{ none; }};
  pid-file \"Bind/pid\";
  session-keyfile \"Bind/session.key\";
  managed-keys-directory \"Bind\";
  recursion no;
  minimal-responses yes;
  minimal-any no;
  max-udp-size {UDP_SIZE};
  edns-udp-size {UDP_SIZE};
  nocookie-udp-size {UDP_SIZE};
  answer-cookie no;
  empty-zones-enable no;
  dnssec-validation no;
  notify no;
  version none;
  check-names primary ignore;
  check-integrity no;
  check-mx ignore;
  check-mx-cname ignore;
  check-srv-cname ignore;
  check-wildcard no;
  check-sibling no;
  check-dup-records ignore;
}};
controls {{ }};
"
    )
}
