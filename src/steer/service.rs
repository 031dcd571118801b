//! Services, pools and nodes as the operator means them, with every default filled in.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use crate::geo::{Coordinates, Network, Place};
use crate::health::{Quorum, Share, Standing, Status, Target};
use crate::wire::Name;

use super::rule::Rule;

/// A name whose addresses are steered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The name it answers for; a wildcard owner answers for every name it covers.
    pub owner: Name,
    /// `zone/service` as the operator writes them: the stem of its nodes' ids.
    pub id: String,
    /// In which order the pools stand for a client.
    pub steer: Steer,
    /// How addresses inside a pool are picked and ordered.
    pub policy: Policy,
    /// How many addresses one answer holds.
    pub answers: Answers,
    /// Labels that the addresses of one answer should not share.
    pub spread: Vec<String>,
    /// Lifetimes of its records.
    pub ttl: Ttl,
    /// What is answered when no pool serves.
    pub when_all_down: WhenAllDown,
    /// How many of those who look at an address must find it down.
    pub quorum: Quorum,
    /// What keeps checks from doing harm.
    pub guard: Guard,
    /// In the operator's order; 1 to [`POOLS_MAX`]. A simple service has one, unnamed.
    pub pools: Vec<Pool>,
    /// Its SRV records, in the operator's order.
    pub srv: Vec<Srv>,
    /// Its HTTPS record.
    pub https: Option<Https>,
    /// Where its answers are explained over DNS itself, and to whom.
    pub explain: Option<Explain>,
}

/// What keeps checks from doing harm; each is off where nothing is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    /// A pool of which less than this serves answers with all it has.
    pub panic: Option<Share>,
    /// How much of the service's weight may leave by its checks within a window.
    pub max_withdraw: Option<MaxWithdraw>,
    /// For how long the weight of a node that has returned climbs.
    pub slow_start: Option<Duration>,
}

/// How much of a service's weight may leave by its checks within a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxWithdraw {
    /// No more than this.
    pub share: Share,
    /// The window.
    pub within: Duration,
}

/// How many pools a service may have: one bit each where it counts.
pub const POOLS_MAX: usize = 64;

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
    /// What it is worth nothing without: where none of a needed service's addresses serves, none
    /// of the pool's does. There is no circle in it.
    pub needs: Vec<Arc<Service>>,
    /// Whom it is for, where the service is steered by `geo`.
    pub places: Vec<Place>,
    /// Where it stands, where the service is steered to the nearest.
    pub at: Option<Coordinates>,
    /// Its part of all clients in percent, where the service is split.
    pub share: u8,
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
    /// Where it stands, where the policy is `nearest`.
    pub at: Option<Coordinates>,
}

/// One address of a node, and what is asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The address that is answered.
    pub ip: IpAddr,
    /// What must pass; nothing where the service has no check.
    pub check: Rule,
    /// What still passes where a node is alive but not ready; nothing where nothing tells.
    pub live: Rule,
}

impl Address {
    /// An address and the targets that must all pass there.
    pub fn new(ip: IpAddr, targets: Vec<Arc<Target>>) -> Self {
        Self { ip, check: Rule::all_of(targets), live: Rule::all_of([]) }
    }

    /// What its checks say together; none where it has no check.
    ///
    /// | `check`  | `live`         | it is    | because                                        |
    /// |----------|----------------|----------|------------------------------------------------|
    /// | down     | up             | draining | it warms up or winds down, and still works     |
    /// | down     | anything else  | down     | it is dead                                     |
    /// | not down | anything       | as it is | what is ready lives                            |
    pub fn standing(&self, of: impl Fn(&Target) -> Standing) -> Option<Standing> {
        let ready = self.check.standing(&of)?;
        match (ready.status, self.live.standing(&of)) {
            (Status::Down, Some(live)) => {
                let lives = live.status == Status::Up;
                let status = if lives { Status::Draining } else { Status::Down };
                let contradicted = ready.contradicted || live.contradicted;
                Some(Standing { status, contradicted })
            }
            (Status::Up | Status::Draining | Status::Unknown, _) | (Status::Down, None) => {
                Some(ready)
            }
        }
    }
}

/// In which order the pools stand for a client; the first that can answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steer {
    /// As written.
    Failover,
    /// Those for the client's place first, the narrowest place before the wider.
    Geo,
    /// By great-circle distance from the client.
    Nearest,
    /// By what probes of their nodes take.
    Fastest,
    /// By shares: a client stays with its pool.
    Split,
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
    /// Each client keeps its nodes; a lost node's clients are shared out.
    Hash,
    /// By great-circle distance from the client.
    Nearest,
    /// By what probes take.
    Fastest,
    /// First places by weight, and weights by what nodes report of their load.
    LeastLoaded,
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

    /// What stands where none is written: one alone keeps a client at its node, since resolvers
    /// change the order of more.
    pub fn default_of(policy: Policy) -> Self {
        if policy == Policy::Hash { Self::UpTo(NonZeroU16::MIN) } else { Self::DEFAULT }
    }
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
    /// What was answered last while a pool served; before there was any, as `Open`.
    LastKnown,
    /// All addresses of this pool that no operator has taken down: a place to say sorry from.
    Pool(usize),
}

/// SRV records of a service. RFC 2782.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Srv {
    /// The name they stand at: `_https._tcp` before the service's.
    pub owner: Name,
    /// Where the service listens on every node.
    pub port: u16,
}

/// The HTTPS record of a service. RFC 9460 §9.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Https {
    /// The service's own name on port 443; else `_8443._https` before it (RFC 9460 §9.1).
    pub owner: Name,
    /// Where the service listens on every node.
    pub port: u16,
    /// Protocols that it speaks beside HTTP/1.1, the preferred first.
    pub alpn: Vec<String>,
}

/// A TXT record that says how the service answers whoever asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explain {
    /// `_rota` before the service's name.
    pub owner: Name,
    /// Who is told; all others are refused.
    pub to: Vec<Network>,
}

impl Steer {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Failover, Self::Geo, Self::Nearest, Self::Fastest, Self::Split];

    /// What the operator writes for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Failover => "failover",
            Self::Geo => "geo",
            Self::Nearest => "nearest",
            Self::Fastest => "fastest",
            Self::Split => "split",
        }
    }
}

impl MaxWithdraw {
    /// Half of the service within a minute.
    pub const DEFAULT: Self =
        Self { share: Share::thousandths(500), within: Duration::from_secs(60) };
}

impl Policy {
    /// True where nodes of more weight get more clients.
    pub fn heeds_weights(self) -> bool {
        match self {
            Self::Weighted | Self::Hash | Self::LeastLoaded => true,
            Self::Rotate | Self::Shuffle | Self::Ordered | Self::Nearest | Self::Fastest => false,
        }
    }

    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Rotate,
        Self::Weighted,
        Self::Shuffle,
        Self::Ordered,
        Self::Hash,
        Self::Nearest,
        Self::Fastest,
        Self::LeastLoaded,
    ];

    /// What the operator writes for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Rotate => "rotate",
            Self::Weighted => "weighted",
            Self::Shuffle => "shuffle",
            Self::Ordered => "ordered",
            Self::Hash => "hash",
            Self::Nearest => "nearest",
            Self::Fastest => "fastest",
            Self::LeastLoaded => "least-loaded",
        }
    }
}

impl Node {
    /// A node of weight 1, each of its addresses by itself.
    pub fn new(id: impl Into<String>, name: impl Into<String>, addresses: Vec<Address>) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            weight: 1,
            addresses,
            together: false,
            labels: BTreeMap::new(),
            at: None,
        }
    }
}

impl Pool {
    /// A pool for everybody that serves while it has any healthy address.
    pub fn new(name: impl Into<String>, nodes: Vec<Node>) -> Self {
        Self {
            name: name.into(),
            nodes,
            min_healthy: 0,
            needs: Vec::new(),
            places: Vec::new(),
            at: None,
            share: 0,
        }
    }
}

impl Service {
    /// A service with everything as it is where nothing else is written.
    pub fn new(owner: Name, id: impl Into<String>, pools: Vec<Pool>) -> Self {
        Self {
            owner,
            id: id.into(),
            steer: Steer::Failover,
            policy: Policy::Rotate,
            answers: Answers::DEFAULT,
            spread: Vec::new(),
            ttl: Ttl { calm: 5, alert: 5 },
            when_all_down: WhenAllDown::Open,
            quorum: Quorum::ANY,
            guard: Guard::default(),
            pools,
            srv: Vec::new(),
            https: None,
            explain: None,
        }
    }

    /// Every target that decides what is answered: those of its nodes, what tells of those that
    /// live, and those of the services that it needs.
    pub fn targets(&self) -> impl Iterator<Item = &Arc<Target>> {
        let mut all = Vec::new();
        self.gather(&mut all);
        all.into_iter()
    }

    fn gather<'s>(&'s self, all: &mut Vec<&'s Arc<Target>>) {
        let addresses = self.nodes().flat_map(|node| &node.addresses);
        let rules = addresses.flat_map(|address| [&address.check, &address.live]);
        all.extend(rules.flat_map(Rule::targets));
        self.pools.iter().flat_map(|pool| &pool.needs).for_each(|needed| needed.gather(all));
    }

    /// The name of one node: its own before the service's. None where that is no name; it is
    /// refused where the configuration is read.
    pub fn node_owner(&self, node: &Node) -> Option<Name> {
        Name::from_text_under(&node.name, &self.owner)
            .ok()
            .filter(|name| *name != self.owner && name.is_at_or_under(&self.owner))
    }

    /// Every node of every pool.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.pools.iter().flat_map(|pool| &pool.nodes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::{Ask, Check, HttpAsk};

    #[test]
    fn who_is_not_ready_but_lives_is_draining() {
        use Status::{Down, Draining, Unknown, Up};
        let target = |path: &str| {
            let check = Check::new(Ask::Http(HttpAsk::get(80, path, "app.test")));
            vec![Arc::new(Target { address: [192, 0, 2, 1].into(), check })]
        };
        let address = Address::new([192, 0, 2, 1].into(), target("/ready"));
        let watched = Address { live: Rule::all_of(target("/live")), ..address.clone() };
        let is_live = |target: &Target| target.place().to_string().contains("/live");
        for (ready, live, expected) in [
            (Down, Up, Draining),
            (Down, Down, Down),
            (Down, Unknown, Down),
            (Down, Draining, Down),
            (Up, Down, Up),
            (Unknown, Down, Unknown),
            (Draining, Down, Draining),
        ] {
            let of = |target: &Target| {
                let status = if is_live(target) { live } else { ready };
                Standing { status, contradicted: false }
            };
            let told = watched.standing(of).unwrap();
            assert_eq!(told.status, expected, "{ready} {live}");
            assert_eq!(address.standing(of).unwrap().status, ready);
        }
    }
}
