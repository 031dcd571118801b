//! What the cold side knows of nodes when it makes a plan, and what that makes of each address.

use std::fmt;
use std::iter;
use std::net::IpAddr;
use std::time::Duration;

use crate::health::{Poll, Quorum, Share, Standing, Status, Target};

use super::eligible::{Duty, Override, Seat, combine};
use super::guide::{point, points};
use super::service::{Address, Node, Policy, Pool, Service, Steer};

/// What the cold side knows of targets and nodes when it makes a plan.
pub trait Board {
    /// What a target's checks say.
    fn standing(&self, target: &Target) -> Standing;

    /// What others than this prober say of an address of a node, by its id.
    fn poll(&self, _node: &str, _ip: IpAddr) -> Poll {
        Poll::default()
    }

    /// What an operator says of a node, by its id.
    fn forced(&self, node: &str) -> Option<Override>;

    /// What a node weighs now: as configured, unless an operator, a ramp after recovery or its load
    /// says otherwise.
    fn weight(&self, node: &Node) -> u16;

    /// How long probes of a target take, smoothed; none where that is not known. It moves in steps
    /// that matter, so that what is ordered by it does not flap.
    fn pace(&self, target: &Target) -> Option<Duration>;

    /// True where a guard holds an address in the answers although it fails.
    fn holds(&self, _node: &Node, _ip: IpAddr) -> bool {
        false
    }

    /// The part of its weight that a node has by the load that a target tells; none where it says
    /// nothing.
    fn load(&self, _target: &Target) -> Option<Share> {
        None
    }

    /// What a node has of its weight: all of it, unless it has just returned.
    fn part(&self, _node: &Node) -> Share {
        Share::WHOLE
    }

    /// A pool's part of all clients in percent, where its service is split: as configured, unless
    /// an operator says otherwise.
    fn share(&self, _service: &Service, pool: &Pool) -> u8 {
        pool.share
    }
}

impl Service {
    /// True where answers go by how fast or how busy nodes are, not by their statuses alone.
    pub fn heeds_paces(&self) -> bool {
        self.goes_by_speed() || self.policy == Policy::LeastLoaded
    }

    fn goes_by_speed(&self) -> bool {
        self.steer == Steer::Fastest || self.policy == Policy::Fastest
    }
}

/// A board before anything was asked: every target is unknown, no node is forced.
#[derive(Clone, Copy, Debug)]
pub struct Unchecked;

impl Board for Unchecked {
    fn standing(&self, _: &Target) -> Standing {
        Standing { status: Status::Unknown, contradicted: false }
    }

    fn forced(&self, _: &str) -> Option<Override> {
        None
    }

    fn weight(&self, node: &Node) -> u16 {
        node.weight
    }

    fn pace(&self, _: &Target) -> Option<Duration> {
        None
    }
}

/// One address with everything that decides whether it answers.
#[derive(Clone, Debug)]
pub(super) struct Judged<'s> {
    pub(super) ip: IpAddr,
    pub(super) node: &'s Node,
    /// Among those of [`points`], where the policy asks for it.
    pub(super) point: Option<u16>,
    pub(super) seat: Seat,
    /// What it would be without guards.
    pub(super) bare: Duty,
    /// Its checks have said something, or it has none.
    pub(super) known: bool,
    /// An operator has said what it is.
    pub(super) forced: bool,
    /// Its verdicts contradict its status.
    pub(super) contradicted: bool,
    /// The slowest of its checks, where the service goes by that.
    pub(super) pace: Option<Duration>,
}

/// Row 1 of the truth table for every address of the service, in the order of its addresses;
/// `answered` tells which of them were in the answers when a pool served last.
pub(super) fn judge<'s>(
    service: &'s Service,
    board: &impl Board,
    answered: impl Fn(usize) -> bool,
) -> Vec<Judged<'s>> {
    let (mut judged, mut parts) = (Vec::new(), Vec::new());
    let points = if service.policy == Policy::Nearest { points(service) } else { Vec::new() };
    let pace = |address: &Address| {
        let targets = address.check.targets().into_iter();
        targets.filter_map(|target| board.pace(target)).max()
    };
    let paces = service.goes_by_speed().then_some(pace);
    for (number, pool) in service.pools.iter().enumerate() {
        let need = pool.needs.iter().map(|needed| need(needed, board)).reduce(worst);
        for node in &pool.nodes {
            let at = point(pool, node);
            let at = at.and_then(|at| points.iter().position(|&it| it == at));
            let (forced, full) = (board.forced(&node.id), board.weight(node));
            let load = Some(node).filter(|_| service.policy == Policy::LeastLoaded);
            let load = load.and_then(|node| node_load(node, board)).unwrap_or(Share::WHOLE);
            parts.push((board.part(node).of_share(load), node.addresses.len()));
            let of = |address: &Address| standing(service.quorum, node, address, board);
            let together = node.together.then(|| combine(node.addresses.iter().filter_map(of)));
            for address in &node.addresses {
                let standing = together.unwrap_or_else(|| of(address));
                let own = Duty::of(standing, forced);
                let needy = need.filter(|_| forced.is_none() && own != Duty::Failed);
                let bare = needy.map_or(own, |need| worst((own, false), need).0);
                let held = bare == Duty::Failed && board.holds(node, address.ip);
                let duty = if held { Duty::Serving } else { bare };
                let answered = answered(judged.len());
                judged.push(Judged {
                    ip: address.ip,
                    node,
                    point: at.map(|at| at as u16),
                    seat: Seat { pool: number, duty, weight: full, full, answered },
                    bare,
                    known: standing.is_none_or(|it| it.status != Status::Unknown),
                    forced: forced.is_some(),
                    contradicted: standing.is_some_and(|standing| standing.contradicted)
                        || need.is_some_and(|(_, contradicted)| contradicted),
                    pace: paces.and_then(|pace| pace(address)),
                });
            }
        }
    }
    weigh(&mut judged, &parts);
    judged
}

/// Gives each address its share of clients. Weights are small numbers (all 1, mostly), so where
/// any node has but a part of its own, all of them are first made as large as they can be.
fn weigh(judged: &mut [Judged<'_>], parts: &[(Share, usize)]) {
    if parts.iter().all(|(part, _)| *part == Share::WHOLE) {
        return;
    }
    let parts = parts.iter().flat_map(|&(part, count)| iter::repeat_n(part, count));
    let shares: Vec<u64> = judged
        .iter()
        .zip(parts)
        .map(|(one, part)| u64::from(one.seat.full) * u64::from(part.count()))
        .collect();
    let largest = shares.iter().max().copied().unwrap_or(0).max(1);
    for (one, share) in judged.iter_mut().zip(shares) {
        // Who weighs anything stays in the draw.
        let least = u64::from(one.seat.full.min(1));
        let weight = (share * u64::from(u16::MAX) / largest).max(least);
        one.seat.weight = u16::try_from(weight).unwrap_or(u16::MAX);
    }
}

/// What is said of one address of a node: by its checks, and by others who look at it. None where
/// nobody says anything.
pub fn standing(
    quorum: Quorum,
    node: &Node,
    address: &Address,
    board: &impl Board,
) -> Option<Standing> {
    let own = address.standing(|target| board.standing(target));
    quorum.combine(own, board.poll(&node.id, address.ip))
}

/// A service that a pool needs and that does not serve.
#[derive(Clone, Copy, Debug)]
pub struct Lack<'p> {
    needed: &'p Service,
    duty: Duty,
}

/// The worst that a pool lacks of what it needs; none where all of that serves.
pub fn lack<'p>(pool: &'p Pool, board: &impl Board) -> Option<Lack<'p>> {
    let lacks = pool.needs.iter().map(|it| Lack { needed: it, duty: need(it, board).0 });
    lacks
        .filter(|lack| lack.duty != Duty::Serving)
        .reduce(|a, b| if worst((a.duty, false), (b.duty, false)).0 == a.duty { a } else { b })
}

impl fmt::Display for Lack<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = if self.duty == Duty::Draining { "which drains" } else { "where nothing serves" };
        write!(f, "its pool needs {}, {how}", self.needed.id)
    }
}

/// What a service is to those that need it: as good as the best of its addresses, and whether the
/// verdicts of any of them contradict their status.
fn need(needed: &Service, board: &impl Board) -> (Duty, bool) {
    let judged = judge(needed, board, |_| false);
    let any = |duty| judged.iter().any(|one| one.seat.duty == duty);
    let best = [Duty::Serving, Duty::Draining].into_iter().find(|&duty| any(duty));
    (best.unwrap_or(Duty::Failed), judged.iter().any(|one| one.contradicted))
}

/// The worse of two; whether either is contradicted.
fn worst(a: (Duty, bool), b: (Duty, bool)) -> (Duty, bool) {
    let badness = |duty| match duty {
        Duty::Serving => 0,
        Duty::Draining => 1,
        Duty::Failed => 2,
        Duty::Barred => 3,
    };
    (if badness(a.0) >= badness(b.0) { a.0 } else { b.0 }, a.1 || b.1)
}

/// What the load of a node leaves it; where it says several things, the busiest counts.
fn node_load(node: &Node, board: &impl Board) -> Option<Share> {
    let targets = node.addresses.iter().flat_map(|address| address.check.targets());
    targets.filter_map(|target| board.load(target)).min()
}
