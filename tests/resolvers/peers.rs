//! Unbound and BIND, two resolvers, and NSD, a root that delegates to Rota.
//!
//! Each is a child process in the folder of its test and is ended, by process id, with it. They
//! resolve as they do out of the box, apart from what a machine without the world needs: no trust
//! anchor, no local answers for names of documentation, and nodes on loopback.

use std::fmt;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;

use super::ask::try_from;
use super::common::{Folder, PATIENCE};
use super::scene::{APEX, BIND, ROOT, ROTA, Scene, UNBOUND};

/// Which resolver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// NLnet Labs Unbound.
    Unbound,
    /// ISC BIND.
    Bind,
}

/// Whether a resolver tells of its clients' networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subnets {
    /// It keeps them to itself.
    Kept,
    /// RFC 7871: it tells 24 bits of IPv4. Unbound only: BIND as it is built for all has no part
    /// that does.
    Told,
}

impl Kind {
    pub const ALL: [Self; 2] = [Self::Unbound, Self::Bind];

    /// The program, and what goes before its configuration.
    fn program(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::Unbound => (UNBOUND_PROGRAM, &["-d", "-p", "-c"]),
            Self::Bind => (BIND_PROGRAM, &["-4", "-g", "-n", "1", "-c"]),
        }
    }
}

const UNBOUND_PROGRAM: &str = "/usr/sbin/unbound";
const BIND_PROGRAM: &str = "/usr/sbin/named";
const NSD_PROGRAM: &str = "/usr/sbin/nsd";
/// What must be there, and the Debian packages that have it.
const NEEDED: [(&str, &str); 3] =
    [(UNBOUND_PROGRAM, "unbound"), (BIND_PROGRAM, "bind9"), (NSD_PROGRAM, "nsd")];

/// Fails, naming the packages, where one of them is not installed.
pub fn all_installed() -> Result<(), String> {
    let missing = NEEDED.iter().filter(|(program, _)| !Path::new(program).is_file());
    let missing: Vec<&str> = missing.map(|(_, package)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!("no resolvers to ask; install first: apt-get install {}", missing.join(" ")))
}

/// A child that is ended with its owner.
struct Server {
    child: Child,
    log: PathBuf,
}

impl Server {
    /// Writes a configuration and starts a program on it; `name` is what its files are called.
    fn start(
        folder: &Folder,
        name: &str,
        (program, arguments): (&str, &[&str]),
        configuration: &str,
    ) -> Self {
        let home = folder.0.join(name);
        fs::create_dir_all(&home).expect("the temporary folder is writable");
        let path = home.join("conf");
        fs::write(&path, configuration).expect("the temporary folder is writable");
        let log = home.join("log");
        let file = File::create(&log).expect("the temporary folder is writable");
        let child = Command::new(program)
            .args(arguments)
            .arg(&path)
            .current_dir(&home)
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("a file can be shared"))
            .stderr(file)
            .spawn()
            .expect("what is installed starts");
        Self { child, log }
    }

    /// Waits until a name that is there is answered.
    #[expect(clippy::disallowed_methods, reason = "the outside of the servers has a clock")]
    fn wait(&mut self, address: SocketAddr, name: &str) {
        let end = Instant::now() + PATIENCE;
        let answers = || {
            let heard = try_from(Ipv4Addr::LOCALHOST, address, name, RecordType::A);
            heard.is_some_and(|heard| heard.rcode == ResponseCode::NoError)
        };
        while !answers() {
            let ended = self.child.try_wait().expect("a child can be asked");
            let log = || fs::read_to_string(&self.log).unwrap_or_default();
            assert!(ended.is_none(), "{address} ended ({ended:?}): {}", log());
            assert!(Instant::now() < end, "{address} does not answer {name}: {}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Server {
    /// SIGTERM, so that children of the child end too.
    fn drop(&mut self) {
        drop(Command::new("kill").arg(self.child.id().to_string()).status());
        drop(self.child.wait());
    }
}

/// The root of a small world: it delegates one zone.
pub struct Root(#[expect(dead_code, reason = "it is ended when this is dropped")] Server);

impl Root {
    pub fn start(folder: &Folder, port: u16) -> Self {
        let zone = format!(
            "$TTL 3600
. SOA ns.root. hostmaster.root. 1 3600 600 86400 60
. NS ns.root.
ns.root. A {ROOT}
{APEX}. NS ns1.{APEX}.
ns1.{APEX}. A {ROTA}
"
        );
        folder.write("root.zone", &zone);
        let program: (&str, &[&str]) = (NSD_PROGRAM, &["-d", "-c"]);
        let mut server = Server::start(folder, "root", program, &nsd(port));
        // A referral: no error, and no answer.
        server.wait((ROOT, port).into(), "ns1");
        Self(server)
    }
}

/// A resolver at work.
pub struct Resolver {
    kind: Kind,
    source: Ipv4Addr,
    pub address: SocketAddr,
    _server: Server,
}

impl Resolver {
    /// Starts a resolver that asks from `source`.
    pub fn start(scene: &Scene, kind: Kind, source: Ipv4Addr, subnets: Subnets) -> Self {
        let (address, text) = match kind {
            Kind::Unbound => (UNBOUND, unbound(scene.port, source, subnets)),
            Kind::Bind => {
                let hints = format!(". 3600 NS ns.root.\nns.root. 3600 A {ROOT}\n");
                scene.folder.write("root.hints", &hints);
                (BIND, bind(scene.port, source))
            }
        };
        let address = scene.at(address);
        let name = format!("{kind:?}-{source}");
        let mut server = Server::start(&scene.folder, &name, kind.program(), &text);
        server.wait(address, "ns1");
        Self { kind, source, address, _server: server }
    }
}

impl fmt::Display for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} asking from {}", self.kind, self.source)
    }
}

fn nsd(port: u16) -> String {
    format!(
        "server:
  ip-address: {ROOT}
  port: {port}
  do-ip6: no
  username: \"\"
  server-count: 1
  pidfile: \"pid\"
  database: \"\"
  zonelistfile: \"zones\"
  xfrdfile: \"xfrd\"
  xfrdir: \".\"
  zonesdir: \".\"
remote-control:
  control-enable: no
zone:
  name: \".\"
  zonefile: \"../root.zone\"
"
    )
}

/// BIND asks servers at the port on which it listens.
fn bind(port: u16, source: Ipv4Addr) -> String {
    format!(
        "options {{
  directory \".\";
  port {port};
  listen-on port {port} {{ {BIND}; }};
  query-source address {source};
  recursion yes;
  dnssec-validation no;
  empty-zones-enable no;
  pid-file \"pid\";
  session-keyfile \"key\";
  managed-keys-directory \".\";
}};
controls {{ }};
zone \".\" {{ type hint; file \"../root.hints\"; }};
"
    )
}

fn unbound(port: u16, source: Ipv4Addr, subnets: Subnets) -> String {
    let tells = match subnets {
        Subnets::Kept => "module-config: \"iterator\"".to_owned(),
        Subnets::Told => format!(
            "module-config: \"subnetcache iterator\"
  send-client-subnet: {ROTA}
  client-subnet-always-forward: yes
  max-client-subnet-ipv4: 24"
        ),
    };
    format!(
        "server:
  directory: \".\"
  chroot: \"\"
  username: \"\"
  use-syslog: no
  num-threads: 1
  interface: {UNBOUND}
  port: {port}
  outgoing-interface: {source}
  do-ip6: no
  do-not-query-localhost: no
  access-control: 127.0.0.0/8 allow
  {tells}
remote-control:
  control-enable: no
stub-zone:
  name: \"{APEX}\"
  stub-addr: {ROTA}@{port}
"
    )
}
