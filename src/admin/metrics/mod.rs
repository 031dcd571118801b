//! `GET /metrics`: figures for a scraper, as OpenMetrics text.
//!
//! ```text
//!   workers ─ count ─► Tally, transports' rows     plain numbers of one writer each
//!   control ─ count ─► Ledger                                │
//!                                                            ▼
//!   scrape ── desk ──► control gathers Facts ── a blocking thread adds up and writes the page
//! ```
//!
//! Nothing is made ready for a scrape that may never come, and it takes nothing from the workers:
//! what they count is read where it stands. The control task only hands out what others cannot
//! reach; adding up and writing, which take a moment with thousands of nodes, happen elsewhere.
//!
//! A series costs a scraper memory for good, so labels are bounded: by a fixed set of words, or by
//! [`Caps`], which keep those that came first and add the others up as [`OTHER`].

mod answers;
pub mod document;
pub mod families;
pub mod family;
mod fleet;
mod ledger;
mod page;
mod process;
mod server;

pub use families::FAMILIES;
pub use family::Family;
pub use ledger::{Ledger, Reload};
pub use process::Process;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, text};
use prometheus_client::registry::Registry;
use tokio::task::spawn_blocking;

use crate::health::{Pulse, Status};
use crate::respond::{Tally, Transport};
use crate::snapshot::Snapshot;
use crate::steer;

use super::Desk;
use page::Page;

/// What stands for those beyond a bound; no name of a zone or node is written so.
pub const OTHER: &str = "(other)";

/// Of the format that is written.
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// How many of what an operator can add have rows of their own; those that came first do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Zones.
    pub zones: usize,
    /// Services.
    pub services: usize,
    /// Nodes.
    pub nodes: usize,
}

/// Everything that a page is made of, as it stood at one moment; counts may be a moment newer.
#[derive(Clone, Debug)]
pub struct Facts {
    /// What is in force.
    pub snapshot: Arc<Snapshot>,
    /// What the workers counted.
    pub tallies: Vec<Arc<Tally>>,
    /// What the transports counted.
    pub transports: Vec<Traffic>,
    /// What the control task counted.
    pub ledger: Ledger,
    /// Plans made anew.
    pub plans: u64,
    /// How many targets have each status.
    pub targets: Vec<(Status, usize)>,
    /// How many of them are held down, because they flapped.
    pub held: usize,
    /// Of how many addresses what fails is held in the answers, and of how many the weight climbs.
    pub guarded: (usize, usize),
    /// The control targets are silent too: silence turns no node.
    pub suspect: bool,
    /// Who else says how nodes are.
    pub vantages: Vec<Vantage>,
    /// Targets whose certificate ends soon, and when, in seconds since 1970.
    pub certificates: Vec<(String, u64)>,
    /// The server's own certificates, by their files, and when they end, in seconds since 1970.
    pub own_certificates: Vec<(String, u64)>,
    /// The prober's signs of life.
    pub pulse: Pulse,
    /// When the process began to serve, in seconds since 1970.
    pub started: u64,
    /// What the kernel says; none where it does not.
    pub process: Option<Process>,
    /// How much is shown.
    pub caps: Caps,
}

/// What one vantage has said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vantage {
    /// Its name.
    pub name: String,
    /// How often that requests passed, and that they failed.
    pub said: [u64; 2],
    /// Addresses that are up, down, and unknown to it.
    pub addresses: [usize; 3],
    /// When it said something last, in seconds since 1970.
    pub heard: u64,
}

/// What one transport counted.
#[derive(Clone, Debug)]
pub struct Traffic {
    /// Which.
    pub transport: Transport,
    /// How long some turns took: at most so long; none is without end.
    pub times: Vec<(Option<Duration>, u64)>,
    /// All these times together.
    pub time_sum: Duration,
    /// Responses that could not be sent.
    pub send_errors: u64,
    /// Failed calls to receive or accept.
    pub receive_errors: u64,
    /// Frames taken at a driver and lost, because a worker was away, and because of where they
    /// were; none where nothing can be taken so.
    pub frames_lost: Option<[u64; 2]>,
    /// What its connections did; none where it has no connections.
    pub connections: Option<Connections>,
    /// Requests that were answered without asking, for what they are in HTTP; none where no HTTP
    /// is spoken.
    pub refused_requests: Option<u64>,
    /// Requests that have a stream each; none where they have not.
    pub requests: Option<Requests>,
}

/// Requests with a stream each.
#[derive(Clone, Copy, Debug, Default)]
pub struct Requests {
    /// Begun.
    pub opened: u64,
    /// At their end.
    pub over: u64,
    /// That took the last place of their connection.
    pub filled: u64,
}

/// What the connections of one transport did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Connections {
    /// Taken.
    pub accepted: u64,
    /// Ended.
    pub closed: u64,
    /// Ended to make room.
    pub evicted: u64,
    /// Closed at once: their client had its share.
    pub refused_client: u64,
    /// Closed at once: all seats were taken.
    pub refused_all: u64,
    /// Ended: the handshake took too long.
    pub cut_handshake: u64,
    /// Ended: no answer for too long.
    pub cut_idle: u64,
    /// Ended: a question took too long.
    pub cut_request: u64,
    /// Ended: answers were taken too slowly.
    pub cut_reader: u64,
    /// Ended before a question: no keys were agreed on.
    pub failed_handshakes: u64,
}

impl Default for Caps {
    fn default() -> Self {
        Self { zones: 1000, services: 1000, nodes: 1000 }
    }
}

impl Collector for Facts {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut page = Page(encoder);
        self.write_answers(&mut page)?;
        self.write_fleet(&mut page)?;
        self.write_server(&mut page)
    }
}

impl Facts {
    /// The page.
    pub fn page(self) -> String {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self));
        let mut text = String::new();
        text::encode(&mut text, &registry).expect("a String takes all that is written");
        text
    }
}

fn family_word(family: steer::Family) -> &'static str {
    match family {
        steer::Family::V4 => "ipv4",
        steer::Family::V6 => "ipv6",
    }
}

pub(super) async fn metrics(State(desk): State<Desk>) -> Response {
    let Some(facts) = desk.metrics().await else {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n").into_response();
    };
    let Some(facts) = facts else {
        let why = "switched off: `enabled = false` under [metrics]\n";
        return (StatusCode::NOT_FOUND, why).into_response();
    };
    let page = spawn_blocking(|| Facts { process: Process::read(), ..*facts }.page());
    match page.await {
        Ok(page) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], page).into_response(),
        Err(_panicked) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
