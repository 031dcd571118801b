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
use terminal_size::{Height, Width};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::daemon::control::{AddressView, ServiceView};
use crate::health::{Status, Verdict};
use crate::steer::Policy;

use super::board::{self, Board, Event, Hint, Row};
use super::log::Loudness;
use super::node::{self, Node};
use super::traffic::{self, Shares, Window};

/// The zone that the demo serves.
pub const APEX: &str = "thoughtspot.customer.com";
/// Each node's address and weight.
const NODES: [(Ipv4Addr, u16); 4] = [
    (Ipv4Addr::new(127, 0, 0, 11), 4),
    (Ipv4Addr::new(127, 0, 0, 12), 2),
    (Ipv4Addr::new(127, 0, 0, 13), 1),
    (Ipv4Addr::new(127, 0, 0, 14), 1),
];
/// Between two looks at the server: fast enough to see a change happen.
const REDRAW: Duration = Duration::from_millis(250);
/// Between two lines of shares where there is no board.
const SHARES_EVERY: Duration = Duration::from_secs(10);
/// What happened lately and is still shown.
const EVENTS_MAX: usize = 4;
/// Columns and lines where the terminal does not tell.
const SIZE_DEFAULT: (usize, usize) = (100, 24);

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

/// What the demo needs of a running server.
pub trait Server {
    /// How the demo's service stands now; none where the server does not say.
    fn view(&self) -> impl Future<Output = Option<ServiceView>>;

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
    start_nodes(args.node_port, &mut crew).await?;
    let stage = stage(args)?;
    let dns = stage.dns;
    let server = start(stage).await?;
    let apex: Name<Vec<u8>> = APEX.parse().context("the demo's own name")?;
    crew.spawn(async move { traffic::run(dns, &apex).await });

    tokio::select! {
        () = Show::new(args).run(&server) => {}
        () = stop => {}
    }
    if !args.is_plain() {
        // What follows begins below the board, and with a cursor.
        print_raw("\x1b[?25h\n");
    }
    server.stop().await;
    Ok(())
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
async fn start_nodes(port: u16, crew: &mut JoinSet<std::io::Result<()>>) -> anyhow::Result<()> {
    for (at, (address, _)) in NODES.iter().enumerate() {
        let socket = SocketAddr::from((*address, port));
        let listener =
            TcpListener::bind(socket).await.map_err(|error| cannot_bind(socket, &error))?;
        let node = Node::new(&format!("node{}", at + 1));
        crew.spawn(node::serve(listener, node, std::future::pending()));
    }
    Ok(())
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
    plain: bool,
    hints: Vec<Hint>,
    started: Instant,
    window: Window,
    before: Vec<Status>,
    /// The newest first.
    events: VecDeque<(Instant, String)>,
}

impl Show {
    fn new(args: &DemoArgs) -> Self {
        Self {
            plain: args.is_plain(),
            hints: hints(args),
            started: now(),
            window: Window::default(),
            before: Vec::new(),
            events: VecDeque::new(),
        }
    }

    async fn run(mut self, server: &impl Server) {
        let mut drawn_lines = 0;
        let mut shares_due = self.started + SHARES_EVERY;
        if self.plain {
            for hint in &self.hints {
                super::print(&format!("{:11}  {}", hint.label, hint.command));
            }
        }
        let mut looks = tokio::time::interval(REDRAW);
        loop {
            looks.tick().await;
            let Some(view) = server.view().await else { continue };
            let now = now();
            let board = self.look(&view, now);
            if !self.plain {
                drawn_lines = draw(&board, drawn_lines);
            } else if now >= shares_due {
                shares_due = now + SHARES_EVERY;
                super::print(&format!("{:>6}  {}", self.clock(now), shares_line(&board)));
            }
        }
    }

    /// Makes a board of a view; a status that is another than before becomes an event.
    fn look(&mut self, view: &ServiceView, now: Instant) -> Board {
        let counts = view.addresses.iter().map(|address| address.firsts).collect();
        let shares = self.window.note(now, counts);
        let rows = rows(view, &shares);
        let before = std::mem::replace(&mut self.before, statuses(&rows));
        for (at, Row { node, address, status, .. }) in rows.iter().enumerate() {
            if before.get(at).copied().unwrap_or(Status::Unknown) != *status {
                self.happened(now, format!("{node} ({address}) is {status}"));
            }
        }
        Board {
            service: view.owner.trim_end_matches('.').to_owned(),
            policy: policy(view.policy).to_owned(),
            ttl: Duration::from_secs(view.ttl.into()),
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

    fn happened(&mut self, now: Instant, text: String) {
        if self.plain {
            super::print(&format!("{:>6}  {text}", self.clock(now)));
        }
        self.events.push_front((now, text));
        self.events.truncate(EVENTS_MAX);
    }

    /// Time since the start, as plain lines begin with it.
    fn clock(&self, now: Instant) -> String {
        board::age(now.saturating_duration_since(self.started))
    }
}

fn rows(view: &ServiceView, shares: &Shares) -> Vec<Row> {
    let row = |(at, seen): (usize, &AddressView)| Row {
        node: name_of(seen),
        address: seen.ip,
        weight: seen.weight,
        status: seen.standing.map_or(Status::Unknown, |standing| standing.status),
        contradicted: seen.standing.is_some_and(|standing| standing.contradicted),
        since: seen.since,
        last: seen
            .last
            .as_ref()
            .map(|(outcome, latency)| Verdict { outcome: outcome.clone(), latency: *latency }),
        share: shares.of[at],
    };
    view.addresses.iter().enumerate().map(row).collect()
}

fn statuses(rows: &[Row]) -> Vec<Status> {
    rows.iter().map(|row| row.status).collect()
}

/// The demo's nodes have the names that they answer with; in its zone they are addresses alone.
fn name_of(seen: &AddressView) -> String {
    match NODES.iter().position(|(address, _)| IpAddr::V4(*address) == seen.ip) {
        Some(at) => format!("node{}", at + 1),
        None => seen.node.clone(),
    }
}

fn policy(policy: Policy) -> &'static str {
    match policy {
        Policy::Rotate => "rotate",
        Policy::Weighted => "weighted",
        Policy::Shuffle => "shuffle",
        Policy::Ordered => "ordered",
    }
}

/// What the statuses mean where they mean something special.
fn notice(rows: &[Row]) -> Option<String> {
    let red = !rows.is_empty() && rows.iter().all(|row| row.status == Status::Down);
    red.then(|| {
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
    let (width, height) = terminal_size::terminal_size()
        .map_or(SIZE_DEFAULT, |(Width(width), Height(height))| (width.into(), height.into()));
    let colour = std::env::var_os("NO_COLOR").is_none();
    let text = board::render(board, width, colour);
    // A board that is higher than the terminal would scroll, and could not be drawn over.
    let lines = text.lines().count().min(height.saturating_sub(1));
    // Hide the cursor; go up over the old board; clear the rest of each line as it is written
    // (clearing first would flicker), and whatever is below the last one.
    let mut out = String::from("\x1b[?25l");
    if lines_before > 0 {
        out += &format!("\x1b[{lines_before}A\r");
    }
    for line in text.lines().take(lines) {
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
