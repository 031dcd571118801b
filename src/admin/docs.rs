//! The documents of the API: what goes out as JSON, and what may come in.
//!
//! They are plain values in fields, filled in by whoever owns the statuses, and read back by the
//! command line and the dashboard: nobody else lays out what the API says. Times are Unix seconds,
//! durations say their unit in their name, ids are those of the configuration
//! (`zone/service/pool/node`). Fields are only ever added.

mod answer;
mod cached;
mod certificate;
mod guards;
mod reloaded;
mod words;

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::reports::OpinionDoc;

pub use answer::AnswerDoc;
pub use cached::{CachedDoc, LeavingDoc, LeftDoc, PointDoc};
pub use certificate::CertificateDoc;
pub use guards::{GuardDoc, GuardWord, SuspectDoc};
pub use reloaded::{DiagnosticDoc, ReloadedDoc};
pub use words::age;

/// How everything stands at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StatusDoc {
    /// The server's version.
    pub version: String,
    /// When this was told.
    pub now: u64,
    /// When the process started.
    pub started: u64,
    /// How many snapshots were published before the one in force.
    pub generation: u64,
    /// What an operator should know about the server itself, in words.
    pub notices: Vec<String>,
    /// All zones.
    pub zones: Vec<ZoneDoc>,
    /// All services of all zones.
    pub services: Vec<ServiceDoc>,
    /// What operators have said, the oldest first.
    pub overrides: Vec<OverrideDoc>,
    /// The control targets are silent too: silence turns no node.
    #[serde(default)]
    pub suspect: Option<SuspectDoc>,
    /// What this server shows to clients inside TLS, in the order of preference.
    #[serde(default)]
    pub certificates: Vec<CertificateDoc>,
}

/// One zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ZoneDoc {
    /// Its name, without a final dot; the root is a dot.
    pub apex: String,
    /// False where its files have errors and its names get SERVFAIL.
    pub served: bool,
    /// The serial of its SOA.
    pub serial: Option<u32>,
    /// The ids of its services.
    pub services: Vec<String>,
}

/// One service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ServiceDoc {
    /// `zone/service`.
    pub id: String,
    /// The name that clients ask for, without a final dot.
    pub owner: String,
    /// Lifetime of its records now, in seconds.
    pub ttl: u32,
    /// What orders its pools.
    pub steer: String,
    /// What picks among a pool's nodes.
    pub policy: String,
    /// How each family that it has is answered.
    pub families: Vec<FamilyDoc>,
    /// In the order written; a simple service has one, without a name.
    pub pools: Vec<PoolDoc>,
}

/// The answers of one family.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FamilyDoc {
    /// `A` or `AAAA`.
    pub family: String,
    /// The row of the truth table that answers: `serving` where all is well.
    pub row: String,
    /// The row in words.
    pub why: String,
    /// The names of the pools that can answer.
    pub pools: Vec<String>,
    /// Those of them that answer with all they have, as too little of them serves.
    #[serde(default)]
    pub panicking: Vec<String>,
}

/// One pool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PoolDoc {
    /// Empty for the one pool of a simple service.
    pub name: String,
    /// Its part of all clients in percent, where the service is split.
    pub share: Option<u8>,
    /// The same as configured.
    pub share_configured: Option<u8>,
    /// In the order written.
    pub nodes: Vec<NodeDoc>,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NodeDoc {
    /// `zone/service/pool/node`, or `zone/service/node` in a pool without a name.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it weighs now.
    pub weight: u16,
    /// What it weighs as configured.
    pub weight_configured: u16,
    /// The ids of the overrides that hold for it.
    pub overrides: Vec<u64>,
    /// In the order written.
    pub addresses: Vec<AddressDoc>,
    /// What resolvers may still hold of a node that is not answered now; none for one that is.
    #[serde(default)]
    pub cached: Option<CachedDoc>,
}

/// One address of a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AddressDoc {
    /// The address.
    #[schema(value_type = String)]
    pub address: IpAddr,
    /// What its checks say, and others who look at it, by the service's quorum.
    pub real: Status,
    /// What holds: an operator's word where there is one, else what is real.
    pub effective: Status,
    /// Verdicts against the real status are being counted.
    pub turning: bool,
    /// It is among the addresses that answers are picked from.
    pub answering: bool,
    /// When it reached the real status; none where that is not known.
    pub since: Option<u64>,
    /// The latest verdict.
    pub last: Option<VerdictDoc>,
    /// What others say who look at it, as long as that lasts.
    #[serde(default)]
    pub vantages: Vec<OpinionDoc>,
    /// How long its latest probes took in milliseconds, oldest first; null where one failed.
    pub latencies_ms: Vec<Option<f64>>,
    /// How many answers it was first in, since the process started.
    pub firsts: u64,
    /// What a guard does to it; none where nothing does.
    #[serde(default)]
    pub guard: Option<GuardDoc>,
}

/// One node with all that is known of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NodeDetailDoc {
    /// The node.
    #[serde(flatten)]
    pub node: NodeDoc,
    /// Its service's id.
    pub service: String,
    /// Its pool's name; empty for the one pool of a simple service.
    pub pool: String,
    /// What it is: rack, site, version.
    pub labels: BTreeMap<String, String>,
    /// Every check of every address.
    pub checks: Vec<CheckDoc>,
    /// About how many resolvers will hold an answer that names it, from now on, if it is in no
    /// further one: at most 61 points.
    #[serde(default)]
    pub curve: Vec<PointDoc>,
    /// Since when it is out of the answers, and who has held it since; none for a node that is
    /// answered and meant to be, and for one that nobody has taken out and nobody holds.
    #[serde(default)]
    pub left: Option<LeftDoc>,
}

/// One check of one address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CheckDoc {
    /// The address that is asked.
    #[schema(value_type = String)]
    pub address: IpAddr,
    /// What is asked there.
    pub asks: String,
    /// What its verdicts say.
    pub status: Status,
    /// Verdicts against the status are being counted.
    pub turning: bool,
    /// When it reached the status; none where that is not known.
    pub since: Option<u64>,
    /// How long its probes take in milliseconds, smoothed.
    pub pace_ms: Option<f64>,
    /// The latest verdicts, oldest first.
    pub history: Vec<VerdictDoc>,
}

/// What one probe said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct VerdictDoc {
    /// How long ago, in milliseconds.
    pub ago_ms: u64,
    /// What it was.
    pub outcome: OutcomeWord,
    /// Why it did not pass.
    pub reason: Option<String>,
    /// What it warns of although it passed.
    pub warning: Option<String>,
    /// How long it took, in milliseconds.
    pub latency_ms: f64,
}

/// Pass or fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeWord {
    /// The target answered as it should.
    Pass,
    /// It did not.
    Fail,
    /// The prober itself could not try.
    NoVerdict,
}

/// How an address stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Its checks pass.
    Up,
    /// Its checks fail.
    Down,
    /// No new clients while others stand.
    Draining,
    /// No verdict yet.
    Unknown,
    /// It has no check.
    Unchecked,
}

/// One thing that an operator has said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OverrideDoc {
    /// The higher, the newer.
    pub id: u64,
    /// A node, pool or service by its id, or a pattern.
    pub scope: String,
    /// What was said.
    pub says: Says,
    /// Why.
    pub reason: Option<String>,
    /// Who said it.
    pub author: String,
    /// When.
    pub since: u64,
    /// When it ends; none where it holds until it is lifted.
    pub until: Option<u64>,
    /// How many nodes it matches; 0 where the configuration has none of them any more.
    pub nodes: usize,
}

/// What an override says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Says {
    /// Serve it whatever its checks say.
    Up,
    /// Never serve it.
    Down,
    /// No new clients while others stand.
    Drain,
    /// It weighs this.
    Weight(u16),
    /// The pools' parts of all clients, in percent.
    Shares(BTreeMap<String, u8>),
}

/// What an operator wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeForm {
    /// Nodes, pools and services: by id, by the end of an id that is unique, a node by its address,
    /// a service by the name that clients ask for, or nodes by a pattern with `*`. All or none are
    /// changed.
    pub scopes: Vec<String>,
    /// What is to hold for them.
    pub set: Wish,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
    /// Who says it; without it the peer of the connection.
    #[serde(default)]
    pub author: Option<String>,
    /// For how long; without it until it is lifted.
    #[serde(default)]
    pub for_seconds: Option<u64>,
}

/// What is to hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// Serve it whatever its checks say.
    Up,
    /// Never serve it.
    Down,
    /// No new clients while others stand.
    Drain,
    /// What was drained is drained no more.
    Undrain,
    /// All that was said of it is lifted.
    Auto,
    /// It weighs this.
    Weight(u16),
    /// The pools' parts of all clients in percent, together 100, of a service that is split.
    Shares(BTreeMap<String, u8>),
}

/// What a change has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChangedDoc {
    /// What holds from now on.
    pub given: Vec<OverrideDoc>,
    /// What holds no more.
    pub lifted: Vec<OverrideDoc>,
    /// Nodes that were meant but for which something else holds still, with what that is.
    pub outranked: Vec<OutrankedDoc>,
}

/// A node for which something else holds than what was just said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OutrankedDoc {
    /// The node's id.
    pub node: String,
    /// What holds for it.
    pub by: OverrideDoc,
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorDoc {
    /// What is wrong.
    pub error: String,
    /// What to do instead.
    pub help: Option<String>,
}

impl ServiceDoc {
    /// Every address of every node, in the order written.
    pub fn addresses(&self) -> impl Iterator<Item = &AddressDoc> {
        self.pools.iter().flat_map(|pool| &pool.nodes).flat_map(|node| &node.addresses)
    }

    /// How many answers each address was first in, in the order written.
    pub fn firsts(&self) -> Vec<u64> {
        self.addresses().map(|address| address.firsts).collect()
    }
}

impl StatusDoc {
    /// Every node with its service and pool.
    pub fn nodes(&self) -> impl Iterator<Item = (&ServiceDoc, &PoolDoc, &NodeDoc)> {
        self.services.iter().flat_map(|service| {
            let pools = service.pools.iter();
            pools.flat_map(move |pool| pool.nodes.iter().map(move |node| (service, pool, node)))
        })
    }
}
