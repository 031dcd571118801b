//! One set of addresses that answers together, made in the cold: records as wire bytes and the
//! order in which they are picked.
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

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::wire::{Class, RecordType};

use super::board::Judged;
use super::points::Points;
use super::ranks::{Library, Ranks};
use super::rendezvous::Rendezvous;
use super::service::{Answers, Policy, Service};
use super::spread::Spread;
use super::weights::Weights;

/// Keeps what `hash` decides apart from the shares of pools: the salts differ.
const HASH_SALT: u64 = 0x6861_7368;
/// How many of a client's nodes are known beforehand at least, where some may have to wait because
/// they share a label.
const SPREAD_DEPTH_MIN: usize = 16;

/// An address family, and so a record type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// IPv4, type A.
    V4,
    /// IPv6, type AAAA.
    V6,
}

/// What answers of one family from one pool are made of.
#[derive(Debug)]
pub struct Set {
    /// The pool that its addresses are from, by its place among the service's.
    pub pool: u16,
    /// For each record its address's index among the service's addresses.
    pub members: Box<[u16]>,
    /// How many of them one answer holds; at most as many as there are.
    pub answers: u16,
    /// How they are picked.
    pub order: Order,
    /// Who of them should not be in one answer; none where nobody is kept apart.
    pub spread: Option<Spread>,
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
    /// As each client has ranked them for good.
    Hash(Arc<Ranks>),
    /// The nearest to the client first.
    Nearest(Points),
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

impl Set {
    /// Lays out the members, indexes of addresses of one family and pool; there is at least one.
    pub(super) fn make(
        service: &Service,
        judged: &[Judged<'_>],
        mut members: Vec<usize>,
        ttl: u32,
        library: &mut Library,
    ) -> Self {
        let count = members.len();
        let first = &judged[members[0]];
        let (family, pool) = (Family::of_address(first.ip), first.seat.pool as u16);
        let answers = match service.answers {
            Answers::All => count,
            Answers::UpTo(most) => count.min(usize::from(most.get())),
        };
        match service.policy {
            Policy::Fastest => {
                members.sort_by_key(|&member| judged[member].pace.unwrap_or(Duration::MAX));
            }
            Policy::Nearest => {
                members.sort_by_key(|&member| judged[member].point.unwrap_or(u16::MAX));
            }
            Policy::Rotate
            | Policy::Weighted
            | Policy::Shuffle
            | Policy::Ordered
            | Policy::Hash
            | Policy::LeastLoaded => {}
        }
        let all = members.iter().map(|&member| &judged[member]);
        let spread = match answers {
            1 => None,
            _ => Spread::make(&service.spread, all.clone().map(|one| one.node)),
        };
        let order = match service.policy {
            _ if count < 2 => Order::Fixed,
            Policy::Ordered | Policy::Fastest => Order::Fixed,
            Policy::Rotate => Order::Rotate,
            Policy::Shuffle => Order::Draw(Weights::equal(count)),
            Policy::Weighted | Policy::LeastLoaded => {
                Order::Draw(Weights::new(all.map(|one| one.seat.weight)))
            }
            Policy::Hash => {
                let names = all.map(|one| (one.node.name.as_str(), one.seat.weight.into()));
                let least = if spread.is_some() { SPREAD_DEPTH_MIN } else { 1 };
                let depth = answers.max(least).min(count);
                Order::Hash(library.ranks(Rendezvous::new(HASH_SALT, names), depth))
            }
            Policy::Nearest => {
                Order::Nearest(Points::new(&all.map(|one| one.point).collect::<Vec<_>>()))
            }
        };
        let again = match (&order, &spread) {
            (Order::Rotate, None) => answers - 1,
            _ => 0,
        };
        let mut records = Vec::with_capacity((count + again) * family.record_len());
        for &member in members.iter().chain(members.iter().take(again)) {
            push_record(&mut records, judged[member].ip, ttl);
        }
        Self {
            pool,
            // Services of more than 65,535 addresses are refused where the configuration is read.
            members: members.iter().map(|&member| member as u16).collect(),
            answers: answers as u16,
            order,
            spread,
            record_len: family.record_len(),
            records: records.into(),
        }
    }

    /// How many records there are to pick from.
    pub fn count(&self) -> usize {
        self.members.len()
    }
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
