//! `rota demo`: the main job on one machine, with nothing else installed.
//!
//! Four real HTTP nodes on loopback addresses, the zone of the README with those addresses, the
//! real server, a real client, and a board. The demo only builds the stage and looks: what answers
//! and what probes is the same code as under `rota run`, reached through [`Server`]. Nothing is
//! written to disk.

use std::collections::VecDeque;
use std::io::{IsTerminal, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use domain::base::Name;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::health::{Standing, Status, Verdict};

use super::board::{self, Board, Event, Hint, Row};
use super::log::Loudness;
use super::node::{self, Node};
use super::traffic::{self, Tally};

/// The zone that the demo serves.
pub const APEX: &str = "thoughtspot.customer.com";
/// Each node's address and weight.
const NODES: [(Ipv4Addr, u16); 4] = [
    (Ipv4Addr::new(127, 0, 0, 11), 4),
    (Ipv4Addr::new(127, 0, 0, 12), 2),
    (Ipv4Addr::new(127, 0, 0, 13), 1),
    (Ipv4Addr::new(127, 0, 0, 14), 1),
];
/// Lifetime of a service's records where the zone does not say.
const TTL: Duration = Duration::from_secs(5);
/// Between two looks at the server: fast enough to see a change happen.
const REDRAW: Duration = Duration::from_millis(250);
/// Between two lines of shares where there is no board.
const SHARES_EVERY: Duration = Duration::from_secs(10);
/// What happened lately and is still shown.
const EVENTS_MAX: usize = 4;
/// Columns where the terminal does not tell.
const WIDTH_DEFAULT: usize = 100;

/// Arguments of `rota demo`.
#[derive(clap::Args, Debug)]
pub struct DemoArgs {
    /// Port of 127.0.0.1 for DNS
    #[arg(long, default_value_t = 5300)]
    pub port: u16,

    /// Port of 127.0.0.1 for /healthz and /readyz
    #[arg(long, default_value_t = 9153)]
    pub admin_port: u16,

    /// Port of the four nodes
    #[arg(long, default_value_t = 8080)]
    pub node_port: u16,

    /// Print a line for each change rather than a live board; so it is without a terminal, too
    #[arg(long)]
    pub plain: bool,
}

impl DemoArgs {
    /// True where lines are printed rather than a board.
    pub fn is_plain(&self) -> bool {
        self.plain || !std::io::stdout().is_terminal()
    }

    /// How loud the log may be: it must not write across the board.
    pub fn loudness(&self) -> Loudness {
        if self.is_plain() || !std::io::stderr().is_terminal() {
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
    /// Where the admin listener goes.
    pub admin: SocketAddr,
}

/// What the prober knows of one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// How it stands.
    pub standing: Standing,
    /// When it reached its status.
    pub since: Option<Instant>,
    /// The latest verdict.
    pub last: Option<Verdict>,
}

/// What the demo needs of a running server.
pub trait Server {
    /// What the prober knows of an address now; none before it is known at all.
    fn sight(&self, address: IpAddr) -> Option<Sight>;

    /// Stops answering, and ends when all is stopped.
    fn stop(self) -> impl Future<Output = ()>;
}

/// Builds the stage, starts the server on it and shows what happens until stopped.
pub async fn run<S: Server>(
    args: &DemoArgs,
    start: impl AsyncFnOnce(Stage) -> anyhow::Result<S>,
) -> anyhow::Result<()> {
    let stop = super::stop_signal()?;
    let mut crew = JoinSet::new();
    let nodes = start_nodes(args.node_port, &mut crew).await?;
    let stage = stage(args)?;
    let dns = stage.dns;
    let server = start(stage).await?;

    let tally = Tally::default();
    let apex: Name<Vec<u8>> = APEX.parse().context("the demo's own name")?;
    let client = tally.clone();
    crew.spawn(async move { traffic::run(dns, &apex, client).await });
    let show = Show { nodes, tally, hints: hints(args), started: now(), events: VecDeque::new() };
    let shown = tokio::select! {
        shown = show.run(args, &server) => shown,
        () = stop => Ok(()),
    };
    if !args.is_plain() {
        // Whatever the board did to the terminal, what follows begins on a line with a cursor.
        print_raw("\x1b[?25h\n");
    }
    server.stop().await;
    shown
}

/// The zone and the addresses, after making sure that nobody has them.
fn stage(args: &DemoArgs) -> anyhow::Result<Stage> {
    let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let stage =
        Stage { zone: zone(args.node_port), dns: local(args.port), admin: local(args.admin_port) };
    let taken = |what, address: SocketAddr, error: std::io::Error, flag, other: u16| {
        anyhow!(
            "{address} cannot be used for {what}: {error}\n\
             Perhaps another `rota` runs. Choose another port: rota demo {flag} {other}"
        )
    };
    std::net::UdpSocket::bind(stage.dns).map_err(|error| {
        taken("DNS over UDP", stage.dns, error, "--port", args.port.wrapping_add(1))
    })?;
    std::net::TcpListener::bind(stage.dns).map_err(|error| {
        taken("DNS over TCP", stage.dns, error, "--port", args.port.wrapping_add(1))
    })?;
    std::net::TcpListener::bind(stage.admin).map_err(|error| {
        let other = args.admin_port.wrapping_add(1);
        taken("the admin listener", stage.admin, error, "--admin-port", other)
    })?;
    Ok(stage)
}

/// The README's zone with the demo's addresses, probed fast enough to watch.
fn zone(node_port: u16) -> String {
    let nodes: Vec<String> =
        NODES.iter().map(|(address, weight)| format!("\"{address} x{weight}\"")).collect();
    format!(
        "[zone]\n\
         ns = [\"ns1 127.0.0.1\"]\n\
         [service.\"@\"]\n\
         check = {{ http = \":{node_port}/ready\", every = \"1s\", timeout = \"500ms\", \
         fails = 2, passes = 2 }}\n\
         nodes = [{}]\n",
        nodes.join(", ")
    )
}

/// Starts the four nodes; all or none.
async fn start_nodes(
    port: u16,
    crew: &mut JoinSet<std::io::Result<()>>,
) -> anyhow::Result<Vec<Node>> {
    let mut nodes = Vec::new();
    for (at, (address, _)) in NODES.iter().enumerate() {
        let socket = SocketAddr::from((*address, port));
        let listener =
            TcpListener::bind(socket).await.map_err(|error| cannot_bind(socket, &error))?;
        let node = Node::new(&format!("node{}", at + 1));
        crew.spawn(node::serve(listener, node.clone(), std::future::pending()));
        nodes.push(node);
    }
    Ok(nodes)
}

fn cannot_bind(node: SocketAddr, error: &std::io::Error) -> anyhow::Error {
    if error.kind() == std::io::ErrorKind::AddrNotAvailable {
        // macOS gives its loopback 127.0.0.1 alone; Linux gives it all of 127.0.0.0/8.
        return anyhow!(
            "a node cannot listen on {node}: this system has no address {}\n\
             Add the four addresses, and try again:\n  \
             for n in 11 12 13 14; do sudo ifconfig lo0 alias 127.0.0.$n up; done",
            node.ip()
        );
    }
    anyhow!(
        "a node cannot listen on {node}: {error}\n\
         Choose another port for the nodes: rota demo --node-port {}",
        node.port().wrapping_add(1)
    )
}

fn hints(args: &DemoArgs) -> Vec<Hint> {
    let node = SocketAddr::from((NODES[0].0, args.node_port));
    [
        ("ask", format!("dig @127.0.0.1 -p {} {APEX} A", args.port)),
        ("without dig", format!("rota ask {APEX} @127.0.0.1:{}", args.port)),
        ("break node1", format!("curl -X POST http://{node}/fail      (or /hang, /drain)")),
        ("heal node1", format!("curl -X POST http://{node}/heal")),
        ("stop", "Ctrl-C".to_owned()),
    ]
    .map(|(label, command)| Hint { label: label.to_owned(), command })
    .into()
}

/// What is looked at again and again.
struct Show {
    nodes: Vec<Node>,
    tally: Tally,
    hints: Vec<Hint>,
    started: Instant,
    events: VecDeque<(Instant, String)>,
}

impl Show {
    async fn run(mut self, args: &DemoArgs, server: &impl Server) -> anyhow::Result<()> {
        let mut before = vec![Status::Unknown; NODES.len()];
        let mut drawn_lines = 0;
        let mut shares_due = self.started + SHARES_EVERY;
        if args.is_plain() {
            for hint in &self.hints {
                super::print(&format!("{:11}  {}", hint.label, hint.command));
            }
        }
        let mut looks = tokio::time::interval(REDRAW);
        loop {
            looks.tick().await;
            let now = now();
            let board = self.board(server, now, &mut before, args.is_plain());
            if !args.is_plain() {
                drawn_lines = draw(&board, drawn_lines);
            } else if now >= shares_due {
                shares_due = now + SHARES_EVERY;
                super::print(&format!("{:>6}  {}", self.clock(now), shares_line(&board)));
            }
        }
    }

    /// Looks at everything once; what changed since `before` becomes an event.
    fn board(
        &mut self,
        server: &impl Server,
        now: Instant,
        before: &mut [Status],
        plain: bool,
    ) -> Board {
        let shares = self.tally.shares(now);
        let mut rows = Vec::new();
        for (at, (address, weight)) in NODES.iter().enumerate() {
            let address = IpAddr::V4(*address);
            let sight = server.sight(address);
            let standing = sight.as_ref().map(|sight| sight.standing);
            let status = standing.map_or(Status::Unknown, |standing| standing.status);
            let row = Row {
                node: self.nodes[at].name().to_owned(),
                address,
                weight: *weight,
                status,
                contradicted: standing.is_some_and(|standing| standing.contradicted),
                since: sight
                    .as_ref()
                    .and_then(|sight| sight.since)
                    .map(|since| now.saturating_duration_since(since)),
                last: sight.and_then(|sight| sight.last),
                share: shares.of(address),
            };
            if before[at] != status {
                before[at] = status;
                let text = format!("{} ({address}) is {status}", row.node);
                if plain {
                    super::print(&format!("{:>6}  {text}", self.clock(now)));
                }
                self.events.push_front((now, text));
                self.events.truncate(EVENTS_MAX);
            }
            rows.push(row);
        }
        Board {
            service: APEX.to_owned(),
            policy: "weighted".to_owned(),
            ttl: TTL,
            answers_per_second: shares.per_second,
            notice: notice(&rows),
            rows,
            events: self
                .events
                .iter()
                .map(|(at, text)| Event {
                    ago: now.saturating_duration_since(*at),
                    text: text.clone(),
                })
                .collect(),
            hints: self.hints.clone(),
        }
    }

    /// Time since the start, as plain lines begin with it.
    fn clock(&self, now: Instant) -> String {
        board::age(now.saturating_duration_since(self.started))
    }
}

/// What the statuses mean where they mean something special.
fn notice(rows: &[Row]) -> Option<String> {
    rows.iter().all(|row| row.status == Status::Down).then(|| {
        "every address is down: all are answered, as a red board is more often a broken prober"
            .to_owned()
    })
}

fn shares_line(board: &Board) -> String {
    let shares: Vec<String> = board
        .rows
        .iter()
        .map(|row| {
            let share = row.share.map_or("-".to_owned(), |share| format!("{:.0}%", share * 100.0));
            format!("{} {} {share}", row.node, row.status)
        })
        .collect();
    format!("{:.0} answers/s; first in them: {}", board.answers_per_second, shares.join(", "))
}

/// Draws over what was drawn before, and gives the lines drawn.
fn draw(board: &Board, lines_before: usize) -> usize {
    let width = terminal_size::terminal_size()
        .map_or(WIDTH_DEFAULT, |(terminal_size::Width(columns), _)| usize::from(columns));
    let colour = std::env::var_os("NO_COLOR").is_none();
    let text = board::render(board, width, colour);
    let lines = text.lines().count();
    // Hide the cursor; go up over the old board; clear the rest of each line as it is written
    // (clearing first would flicker), and whatever is below the last one.
    let mut out = String::from("\x1b[?25l");
    if lines_before > 0 {
        out += &format!("\x1b[{lines_before}A\r");
    }
    for line in text.lines() {
        out += line;
        out += "\x1b[K\n";
    }
    out += "\x1b[J";
    print_raw(&out);
    lines
}

fn print_raw(text: &str) {
    let mut out = std::io::stdout().lock();
    // A terminal that went away is noticed by the signal that comes with it.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// The one place where the demo asks the clock.
#[expect(clippy::disallowed_methods, reason = "the demo shows what happens now")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
#[path = "demo_tests.rs"]
mod tests;
