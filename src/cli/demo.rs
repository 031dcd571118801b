//! `rota demo`: the main job on one machine, with nothing else installed.
//!
//! Four real HTTP nodes on loopback addresses, the zone of the README with those addresses, the
//! real server, a real client, and a board. The demo only builds the stage and looks: what answers
//! and what probes is the same code as under `rota run`, reached through [`Server`]. Nothing is
//! written to disk.

use std::io::{self, IsTerminal};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::admin::metrics::Caps;
use crate::config::{ZoneFiles, read_zone};
use crate::daemon::{Heritage, Privileges, Server, Setup, Wanted};
use crate::geo::Atlas;
use crate::health::{Hearing, Suspicion};
use crate::serve::{self, Gate, Limits};
use crate::snapshot::Settings;
use crate::wire::Name;
use crate::zone::Source;

use super::Exit;
use super::board::Hint;
use super::demo_secret;
use super::log::Loudness;
use super::node::{self, Node};
use super::show::Show;
use super::traffic;

/// The zone that the demo serves.
pub const APEX: &str = "thoughtspot.customer.com";
/// Where a server without a configuration has its admin listener.
const ADMIN_PORT: u16 = 9153;
/// Each node's address and weight.
const NODES: [(Ipv4Addr, u16); 4] = [
    (Ipv4Addr::new(127, 0, 0, 11), 4),
    (Ipv4Addr::new(127, 0, 0, 12), 2),
    (Ipv4Addr::new(127, 0, 0, 13), 1),
    (Ipv4Addr::new(127, 0, 0, 14), 1),
];

/// Arguments of `rota demo`.
#[derive(clap::Args, Debug)]
pub struct DemoArgs {
    /// Port of 127.0.0.1 for DNS
    #[arg(long, default_value_t = 5300)]
    pub port: u16,

    /// Port of 127.0.0.1 for the dashboard, and the API
    #[arg(long, default_value_t = ADMIN_PORT)]
    pub admin_port: u16,

    /// Port of the four nodes
    #[arg(long, default_value_t = 8080)]
    pub node_port: u16,

    /// Answer over TLS, HTTPS and QUIC too, with a certificate made for it
    #[arg(long)]
    pub tls: bool,

    /// Port of 127.0.0.1 for DNS over TLS and QUIC
    #[arg(long, default_value_t = 8853)]
    pub tls_port: u16,

    /// Port of 127.0.0.1 for DNS over HTTPS
    #[arg(long, default_value_t = 8443)]
    pub https_port: u16,

    /// Print a line for each change rather than a live board; so it is without a terminal, too
    #[arg(long)]
    pub plain: bool,
}

impl DemoArgs {
    /// True where lines are printed rather than a board.
    pub fn is_plain(&self) -> bool {
        self.plain || !io::stdout().is_terminal()
    }

    /// How loud the log may be: it must not write across the board.
    pub fn loudness(&self) -> Loudness {
        if self.is_plain() || !io::stderr().is_terminal() {
            Loudness::Events
        } else {
            Loudness::Silent
        }
    }
}

/// What is to be served: nodes run already, and nobody listens on these ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// The text of `<apex>.toml`.
    pub zone: String,
    /// Where to answer, UDP and TCP.
    pub dns: SocketAddr,
    /// Where to answer inside TLS.
    pub gates: Vec<Gate>,
    /// Where the admin listener goes.
    pub admin: SocketAddr,
}

/// Builds the stage, starts the server on it and shows what happens until stopped.
pub fn run(args: &DemoArgs) -> anyhow::Result<Exit> {
    super::runtime()?.block_on(perform(args))?;
    Ok(Exit::Good)
}

async fn perform(args: &DemoArgs) -> anyhow::Result<()> {
    let stop = super::stop_signal()?;
    let stage = stage(args)?;
    let mut crew = JoinSet::new();
    start_nodes(args.node_port, &mut crew).await?;
    let dns = stage.dns;
    let server = start(stage).await?;
    let apex = Name::from_text(APEX).context("the demo's own name")?;
    crew.spawn(async move { traffic::run(dns, &apex).await });

    let show = Show::new(args.is_plain(), hints(args));
    tokio::select! {
        () = show.run(&server) => {}
        () = stop => {}
    }
    server.stop().await;
    Ok(())
}

/// The same server as under `rota run`, on a zone that is nowhere written.
async fn start(stage: Stage) -> anyhow::Result<Server> {
    let source = Source { path: format!("{APEX}.toml"), text: stage.zone };
    let files = ZoneFiles {
        apex: Name::from_text(APEX).context("the demo's own name")?,
        toml: Some(Arc::new(source)),
        master: None,
        serial: 1,
    };
    let mut diagnostics = Vec::new();
    let zone = read_zone(&files, &mut diagnostics);
    if let Some(problem) = diagnostics.first() {
        bail!("the demo's own zone: {problem}");
    }
    let limits = Limits { connections: 100, connections_per_client: 100, ..Limits::default() };
    let setup = Setup {
        serve: serve::Options {
            addresses: vec![stage.dns],
            keyring: if stage.gates.is_empty() { Arc::default() } else { demo_secret::keyring()? },
            gates: stage.gates,
            workers: 1,
            limits,
            ..serve::Options::default()
        },
        admin: stage.admin,
        state: None,
        reloads: None,
        token_file: None,
        socket: None,
        seed: crate::daemon::random_seed(),
    };
    let atlas = Arc::new(Atlas::empty());
    let wanted = Wanted {
        zones: vec![zone],
        settings: Settings::default(),
        atlas,
        metrics: Some(Caps::default()),
        suspicion: Suspicion::default(),
        hearing: Hearing::default(),
    };
    let (heritage, privileges) = (Heritage::default(), Privileges::default());
    Ok(Server::start(setup, wanted, heritage, privileges).await?)
}

/// The zone and the addresses, after making sure that nobody has them. Whatever is taken is told at
/// once, with the one command line that mends all of it.
fn stage(args: &DemoArgs) -> anyhow::Result<Stage> {
    let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let (dns, admin) = (local(args.port), local(args.admin_port));
    let tcp = |address: SocketAddr| std::net::TcpListener::bind(address).map(drop);
    let udp = |address: SocketAddr| std::net::UdpSocket::bind(address).map(drop);
    let node = SocketAddr::from((NODES[0].0, args.node_port));
    let gates = match args.tls {
        true => demo_secret::gates(args.tls_port, args.https_port),
        false => Vec::new(),
    };
    let mut tried = vec![
        ("--port", args.port, "DNS", dns, udp(dns).and_then(|()| tcp(dns))),
        ("--admin-port", args.admin_port, "the admin listener", admin, tcp(admin)),
        ("--node-port", args.node_port, "a node", node, tcp(node)),
    ];
    if args.tls {
        let (tls, https) = (local(args.tls_port), local(args.https_port));
        let secret = udp(tls).and_then(|()| tcp(tls));
        tried.push(("--tls --tls-port", args.tls_port, "TLS", tls, secret));
        tried.push(("--tls --https-port", args.https_port, "HTTPS", https, tcp(https)));
    }
    let (mut problems, mut way_out) = (String::new(), String::from("rota demo"));
    for (flag, port, what, address, result) in tried {
        match result {
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => {
                return Err(no_such_address(address.ip()));
            }
            Err(error) => {
                problems += &format!("{address} cannot be used for {what}: {error}\n");
                way_out += &format!(" {flag} {}", port.wrapping_add(1));
            }
            Ok(()) => {}
        }
    }
    if !problems.is_empty() {
        bail!("{problems}Perhaps another `rota demo` runs. Choose other ports: {way_out}");
    }
    Ok(Stage { zone: zone(args.node_port), dns, gates, admin })
}

/// The README's zone with the demo's addresses and a name for each, probed fast enough to watch.
fn zone(node_port: u16) -> String {
    let node = |(at, (address, weight)): (usize, &(Ipv4Addr, u16))| {
        let name = node_name(at);
        format!("  {{ name = \"{name}\", address = \"{address}\", weight = {weight} }},\n")
    };
    let nodes: String = NODES.iter().enumerate().map(node).collect();
    format!(
        "[zone]\n\
         ns = [\"ns1 127.0.0.1\"]\n\
         [service.\"@\"]\n\
         check = {{ http = \":{node_port}/ready\", every = \"1s\", timeout = \"500ms\", \
         fails = 2, passes = 2 }}\n\
         nodes = [\n{nodes}]\n"
    )
}

fn node_name(at: usize) -> String {
    format!("node{}", at + 1)
}

/// Starts the four nodes; all or none.
async fn start_nodes(port: u16, crew: &mut JoinSet<io::Result<()>>) -> anyhow::Result<()> {
    for (at, (address, _)) in NODES.iter().enumerate() {
        let socket = SocketAddr::from((*address, port));
        let listener = TcpListener::bind(socket)
            .await
            .with_context(|| format!("a node cannot listen on {socket} (see --node-port)"))?;
        let node = Node::new(&node_name(at));
        crew.spawn(node::serve(listener, node, std::future::pending()));
    }
    Ok(())
}

/// macOS gives its loopback 127.0.0.1 alone; Linux gives it all of 127.0.0.0/8.
fn no_such_address(ip: IpAddr) -> anyhow::Error {
    anyhow!(
        "a node cannot listen: this system has no address {ip}\n\
         Add the four addresses, and try again:\n  \
         for n in 11 12 13 14; do sudo ifconfig lo0 alias 127.0.0.$n up; done"
    )
}

fn hints(args: &DemoArgs) -> Vec<Hint> {
    let node = SocketAddr::from((NODES[0].0, args.node_port));
    // As this was called, so that it can be typed again; and where its server is not looked for.
    let rota = std::env::args().next().unwrap_or_else(|| "rota".to_owned());
    let at = match args.admin_port {
        ADMIN_PORT => String::new(),
        other => format!(" --admin 127.0.0.1:{other}"),
    };
    let secret = [
        ("over TLS", format!("kdig +tls @127.0.0.1 -p {} {APEX} A", args.tls_port)),
        ("over HTTPS", format!("dig +https @127.0.0.1 -p {} {APEX} A", args.https_port)),
    ];
    let secret = secret.into_iter().filter(|_| args.tls);
    let plain = [
        ("ask", format!("dig @127.0.0.1 -p {} {APEX} A", args.port)),
        ("without dig", format!("{rota} ask {APEX} @127.0.0.1:{}", args.port)),
        ("break node1", format!("curl -X POST http://{node}/fail      (or /hang, /drain)")),
        ("heal node1", format!("curl -X POST http://{node}/heal")),
        ("drain node3", format!("{rota} drain node3 --wait{at}      (then undrain)")),
        ("say why", format!("{rota} explain {APEX}{at}")),
        ("look at it", format!("http://127.0.0.1:{}/", args.admin_port)),
        ("stop", "Ctrl-C".to_owned()),
    ];
    let hint = |(label, command): (&str, String)| Hint { label: label.to_owned(), command };
    secret.chain(plain).map(hint).collect()
}

#[cfg(test)]
#[path = "demo_tests.rs"]
mod tests;
