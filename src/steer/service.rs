//! Services, pools and nodes as the operator means them, with every default filled in.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::num::NonZeroU16;
use std::sync::Arc;

use crate::health::Target;
use crate::wire::Name;

/// A name whose addresses are steered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The name it answers for; a wildcard owner answers for every name it covers.
    pub owner: Name,
    /// `zone/service` as the operator writes them: the stem of its nodes' ids.
    pub id: String,
    /// How addresses inside a pool are picked and ordered.
    pub policy: Policy,
    /// How many addresses one answer holds.
    pub answers: Answers,
    /// Lifetimes of its records.
    pub ttl: Ttl,
    /// What is answered when no pool serves.
    pub when_all_down: WhenAllDown,
    /// In the operator's order; at least one. A simple service has one, unnamed.
    pub pools: Vec<Pool>,
}

/// A group of nodes inside a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Empty for the one pool of a simple service.
    pub name: String,
    /// At least one.
    pub nodes: Vec<Node>,
    /// The pool serves while its eligible addresses of a family weigh at least this much together;
    /// 0: while there is any.
    pub min_healthy: u32,
}

/// A machine that serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// `zone/service/pool/name`, or `zone/service/name` in an unnamed pool.
    pub id: String,
    /// Given, or made from its first address (`69-9-64-11`).
    pub name: String,
    /// 0 to 65,535: its share beside the others; 0 is never answered while others stand.
    pub weight: u16,
    /// Each probed and withdrawn by itself, unless `together`.
    pub addresses: Vec<Address>,
    /// One address down takes all of the node's down.
    pub together: bool,
    /// What the node is: rack, site, version.
    pub labels: BTreeMap<String, String>,
}

/// One address of a node, and what is asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The address that is answered.
    pub ip: IpAddr,
    /// All must pass; none where the service has no check.
    pub targets: Vec<Arc<Target>>,
}

/// How addresses inside a pool are picked and ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Each in turn first, exactly.
    Rotate,
    /// First places by weight.
    Weighted,
    /// A new random order for every answer.
    Shuffle,
    /// As written.
    Ordered,
}

/// How many addresses one answer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// At most this many, taking turns.
    UpTo(NonZeroU16),
    /// As many as are eligible, even where that truncates.
    All,
}

impl Answers {
    /// Enough to retry elsewhere, small enough for one datagram of any path.
    pub const DEFAULT: Self = Self::UpTo(NonZeroU16::new(16).expect("16 is not zero"));
}

/// Lifetimes of a service's records, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ttl {
    /// While every member's verdicts agree with its status.
    pub calm: u32,
    /// While any member is falling or rising.
    pub alert: u32,
}

/// What is answered when no pool serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenAllDown {
    /// All addresses of the client's first pool that no operator has taken down: an all-red board
    /// is more often a broken prober than a dead cluster.
    Open,
    /// No address (NODATA).
    Closed,
}

impl Service {
    /// Every target of every node.
    pub fn targets(&self) -> impl Iterator<Item = &Arc<Target>> {
        self.nodes().flat_map(|node| &node.addresses).flat_map(|address| &address.targets)
    }

    /// Every node of every pool.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.pools.iter().flat_map(|pool| &pool.nodes)
    }
}
