//! What the cold side knows of nodes when it makes a plan, and what that makes of each address.

use std::net::IpAddr;
use std::time::Duration;

use crate::health::{Standing, Status, Target};

use super::eligible::{Duty, Override, Seat, combine};
use super::service::{Address, Node, Service};

/// What the cold side knows of targets and nodes when it makes a plan.
pub trait Board {
    /// What a target's checks say.
    fn standing(&self, target: &Target) -> Standing;

    /// What an operator says of a node, by its id.
    fn forced(&self, node: &str) -> Option<Override>;

    /// What a node weighs now: as configured, unless an operator, a ramp after recovery or its load
    /// says otherwise.
    fn weight(&self, node: &Node) -> u16;

    /// How long probes of a target take, smoothed; none where that is not known. It moves in steps
    /// that matter, so that what is ordered by it does not flap.
    fn pace(&self, target: &Target) -> Option<Duration>;
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
pub(super) struct Judged {
    pub(super) ip: IpAddr,
    pub(super) seat: Seat,
    /// Its verdicts contradict its status.
    pub(super) contradicted: bool,
    /// The slowest of its checks.
    pub(super) pace: Option<Duration>,
}

/// Row 1 of the truth table for every address of the service, in the order of its addresses;
/// `answered` tells which of them were in the answers when a pool served last.
pub(super) fn judge(
    service: &Service,
    board: &impl Board,
    answered: impl Fn(usize) -> bool,
) -> Vec<Judged> {
    let mut judged = Vec::new();
    for (pool, nodes) in service.pools.iter().map(|pool| &pool.nodes).enumerate() {
        for node in nodes {
            let (forced, weight) = (board.forced(&node.id), board.weight(node));
            let together = node.together.then(|| node_standing(node, board));
            for address in &node.addresses {
                let standing = together.unwrap_or_else(|| standing(address, board));
                let duty = Duty::of(standing, forced);
                let answered = answered(judged.len());
                judged.push(Judged {
                    ip: address.ip,
                    seat: Seat { pool, duty, weight, full: weight, answered },
                    contradicted: standing.is_some_and(|standing| standing.contradicted),
                    pace: address.targets.iter().filter_map(|target| board.pace(target)).max(),
                });
            }
        }
    }
    judged
}

fn standing(address: &Address, board: &impl Board) -> Option<Standing> {
    address.standing(|target| board.standing(target))
}

fn node_standing(node: &Node, board: &impl Board) -> Option<Standing> {
    combine(node.addresses.iter().filter_map(|address| standing(address, board)))
}
