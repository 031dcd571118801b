//! A service's current answer material, made in the cold.
//!
//! A [`Plan`] says for each address family which addresses answer, in which order they are picked,
//! and holds their records as wire bytes, ready to be copied behind a question:
//!
//! ```text
//!   A     c0 0c  00 01  00 01  ttl  00 04  4 octets     16 octets a record
//!   AAAA  c0 0c  00 1c  00 01  ttl  00 10  16 octets    28 octets a record
//!
//!   rotation of 3:  | r0 | r1 | r2 | r0 | r1 |          turn 2 is one slice: r2 r0 r1
//! ```
//!
//! The owner is a pointer to the question's name, which is right for the service's own name and for
//! every name that a wildcard service covers; behind a CNAME the answer path rewrites it.
//! A plan never changes. When a status does, a new one takes its place.

use std::net::IpAddr;

use crate::health::{Standing, Status, Target};
use crate::wire::{Class, RecordType};

use super::eligible::{Duty, Override, Seat, Tier, choose, combine};
use super::service::{Answers, Node, Policy, Service};
use super::weights::Weights;

/// What the cold side knows of targets and nodes when it makes a plan.
pub trait Board {
    /// What a target's checks say.
    fn standing(&self, target: &Target) -> Standing;
    /// What an operator says of a node, by its id.
    fn forced(&self, node: &str) -> Option<Override>;
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
}

/// An address family, and so a record type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// IPv4, type A.
    V4,
    /// IPv6, type AAAA.
    V6,
}

/// One service's current answer material.
#[derive(Debug)]
pub struct Plan {
    /// One TTL for all types of the service, in seconds.
    pub ttl: u32,
    /// By [`Family`].
    sets: [Set; 2],
}

/// What answers of one family are made of.
#[derive(Debug)]
pub struct Set {
    /// Why these and not others.
    pub tier: Tier,
    /// For each record its address's index among the service's addresses.
    pub members: Box<[u16]>,
    /// How many of them one answer holds; at most as many as there are.
    pub answers: u16,
    /// How they are picked.
    pub order: Order,
    /// Octets of one record.
    pub record_len: usize,
    /// The records, the first `answers - 1` once more behind the last where the order is a
    /// rotation.
    pub records: Box<[u8]>,
}

/// How the records of a set are picked.
#[derive(Debug)]
pub enum Order {
    /// As they stand.
    Fixed,
    /// Each first in turn.
    Rotate,
    /// By chance.
    Draw(Weights),
}

impl Family {
    /// Both.
    pub const ALL: [Self; 2] = [Self::V4, Self::V6];

    /// The family that a record type asks for.
    pub fn of_type(rtype: RecordType) -> Option<Self> {
        match rtype {
            RecordType::A => Some(Self::V4),
            RecordType::AAAA => Some(Self::V6),
            _ => None,
        }
    }

    /// The family of an address.
    pub fn of_address(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }

    /// Its record type.
    pub fn record_type(self) -> RecordType {
        match self {
            Self::V4 => RecordType::A,
            Self::V6 => RecordType::AAAA,
        }
    }

    fn record_len(self) -> usize {
        match self {
            Self::V4 => 16,
            Self::V6 => 28,
        }
    }
}

impl Plan {
    /// Thinks through the truth table for both families and lays the records out.
    pub fn make(service: &Service, board: &impl Board) -> Self {
        let judged = judge(service, board);
        let alert = judged.iter().any(|address| address.contradicted);
        let ttl = if alert { service.ttl.alert } else { service.ttl.calm };
        let serves = |family| {
            judged.iter().any(|address| {
                address.seat.duty == Duty::Serving && Family::of_address(address.ip) == family
            })
        };
        let set = |family, other| Set::make(service, &judged, family, serves(other), ttl);
        Self { ttl, sets: [set(Family::V4, Family::V6), set(Family::V6, Family::V4)] }
    }

    /// The material of one family.
    pub fn set(&self, family: Family) -> &Set {
        &self.sets[family as usize]
    }
}

impl Set {
    fn make(
        service: &Service,
        judged: &[Judged],
        family: Family,
        other_family_serves: bool,
        ttl: u32,
    ) -> Self {
        let ours: Vec<usize> =
            (0..judged.len()).filter(|&i| Family::of_address(judged[i].ip) == family).collect();
        let seats: Vec<Seat> = ours.iter().map(|&index| judged[index].seat).collect();
        let min_healthy: Vec<u32> = service.pools.iter().map(|pool| pool.min_healthy).collect();
        let (tier, chosen) =
            choose(&seats, &min_healthy, other_family_serves, service.when_all_down);
        let members: Vec<usize> = chosen.into_iter().map(|seat| ours[seat]).collect();
        let count = members.len();
        let answers = match service.answers {
            Answers::All => count,
            Answers::UpTo(most) => count.min(usize::from(most.get())),
        };
        let order = match service.policy {
            _ if count < 2 => Order::Fixed,
            Policy::Ordered => Order::Fixed,
            Policy::Rotate => Order::Rotate,
            Policy::Shuffle => Order::Draw(Weights::equal(count)),
            Policy::Weighted => {
                Order::Draw(Weights::new(members.iter().map(|&i| judged[i].seat.weight)))
            }
        };
        let again = if matches!(order, Order::Rotate) { answers - 1 } else { 0 };
        let mut records = Vec::with_capacity((count + again) * family.record_len());
        for &member in members.iter().chain(members.iter().take(again)) {
            push_record(&mut records, judged[member].ip, ttl);
        }
        Self {
            tier,
            // Services of more than 65,535 addresses are refused where the configuration is read.
            members: members.iter().map(|&member| member as u16).collect(),
            answers: answers as u16,
            order,
            record_len: family.record_len(),
            records: records.into(),
        }
    }

    /// How many records there are to pick from.
    pub fn count(&self) -> usize {
        self.members.len()
    }
}

/// One address with everything that decides whether it answers.
struct Judged {
    ip: IpAddr,
    seat: Seat,
    contradicted: bool,
}

/// Row 1 of the truth table for every address of the service, in the order of its addresses.
fn judge(service: &Service, board: &impl Board) -> Vec<Judged> {
    let mut judged = Vec::new();
    for (pool, nodes) in service.pools.iter().map(|pool| &pool.nodes).enumerate() {
        for node in nodes {
            let forced = board.forced(&node.id);
            let together = node.together.then(|| node_standing(node, board));
            for address in &node.addresses {
                let own = || combine(address.targets.iter().map(|target| board.standing(target)));
                let standing = together.unwrap_or_else(own);
                judged.push(Judged {
                    ip: address.ip,
                    seat: Seat { pool, duty: Duty::of(standing, forced), weight: node.weight },
                    contradicted: standing.is_some_and(|standing| standing.contradicted),
                });
            }
        }
    }
    judged
}

fn node_standing(node: &Node, board: &impl Board) -> Option<Standing> {
    let targets = node.addresses.iter().flat_map(|address| &address.targets);
    combine(targets.map(|target| board.standing(target)))
}

/// One record whose owner is a pointer to the question's name, at octet 12.
fn push_record(records: &mut Vec<u8>, address: IpAddr, ttl: u32) {
    let rtype = Family::of_address(address).record_type();
    records.extend([0xc0, 0x0c]);
    records.extend(rtype.0.to_be_bytes());
    records.extend(Class::IN.0.to_be_bytes());
    records.extend(ttl.to_be_bytes());
    match address {
        IpAddr::V4(v4) => {
            records.extend([0, 4]);
            records.extend(v4.octets());
        }
        IpAddr::V6(v6) => {
            records.extend([0, 16]);
            records.extend(v6.octets());
        }
    }
}
