//! The ordinary records of a zone, packed and in order.
//!
//! A zone can have a million records, and what is kept of each for the whole life of a process is
//! what answers need: its octets, one behind the other.
//!
//! ```text
//!   sets     [ www A ][ www AAAA ][ … ]            in canonical order of owners, then by type
//!               |  |      |
//!   octets   [ 03www… | 00 04 192.0.2.1 | 00 04 192.0.2.2 | 00 10 2001:db8::1 | … ]
//!              owner    length, RDATA
//! ```
//!
//! Records are gathered by a [`RecordsBuilder`](super::RecordsBuilder) and do not change after it.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::wire::name::canonical_order;
use crate::wire::{Name, RecordType};

/// The ordinary records of one zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Records {
    /// The zone's own name, which is exactly the delegated name.
    pub apex: Name,
    pub(super) sets: Box<[Set]>,
    pub(super) octets: Arc<[u8]>,
}

/// Where the parts of an RRset lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Set {
    pub(super) owner_at: u32,
    pub(super) owner_len: u8,
    pub(super) rtype: RecordType,
    pub(super) count: u16,
    pub(super) ttl: u32,
    pub(super) rdata_at: u32,
    pub(super) rdata_len: u32,
}

/// All records of one owner, class IN, and type.
#[derive(Clone, Copy, Debug)]
pub struct Rrset<'r> {
    /// The owner in wire form, as it was written first.
    pub owner: &'r [u8],
    /// Its type.
    pub rtype: RecordType,
    /// One TTL for all of them, in seconds. RFC 2181 §5.2.
    pub ttl: u32,
    /// How many records, no two alike.
    pub count: u16,
    /// Where the packed records start among the zone's octets.
    pub at: u32,
    packed: &'r [u8],
}

impl Records {
    /// A zone without records.
    pub fn none(apex: Name) -> Self {
        Self { apex, sets: Box::default(), octets: Arc::default() }
    }

    /// The RRset of an owner and type.
    pub fn get(&self, owner: &Name, rtype: RecordType) -> Option<Rrset<'_>> {
        let at = self.seek(owner, rtype);
        let found = self.sets.get(at).map(|set| self.rrset(set))?;
        (found.rtype == rtype && found.owner.eq_ignore_ascii_case(owner.as_wire())).then_some(found)
    }

    /// Every RRset, by owner in canonical order (RFC 4034 §6.1) and type. Owners are at or under
    /// the apex.
    pub fn rrsets(&self) -> impl DoubleEndedIterator<Item = Rrset<'_>> + ExactSizeIterator {
        self.sets.iter().map(|set| self.rrset(set))
    }

    /// The RRsets from those of this owner on.
    pub fn from(&self, owner: &Name) -> impl Iterator<Item = Rrset<'_>> {
        self.sets[self.seek(owner, RecordType(0))..].iter().map(|set| self.rrset(set))
    }

    /// The octets that RRsets point into: each record is two octets of length and its RDATA.
    pub fn octets(&self) -> &Arc<[u8]> {
        &self.octets
    }

    /// Where the RRset of an owner and type is, or would be.
    fn seek(&self, owner: &Name, rtype: RecordType) -> usize {
        self.sets.partition_point(|set| {
            let order = canonical_order(self.owner(set), owner.as_wire());
            order.then(set.rtype.0.cmp(&rtype.0)) == Ordering::Less
        })
    }

    fn owner(&self, set: &Set) -> &[u8] {
        &self.octets[set.owner_at as usize..][..usize::from(set.owner_len)]
    }

    fn rrset(&self, set: &Set) -> Rrset<'_> {
        Rrset {
            owner: self.owner(set),
            rtype: set.rtype,
            ttl: set.ttl,
            count: set.count,
            at: set.rdata_at,
            packed: &self.octets[set.rdata_at as usize..][..set.rdata_len as usize],
        }
    }
}

impl<'r> Rrset<'r> {
    /// Each record's RDATA in wire form, names uncompressed, in the order written.
    pub fn rdata(self) -> impl Iterator<Item = &'r [u8]> {
        unpack(self.packed)
    }

    /// The first record's RDATA.
    pub fn first(self) -> &'r [u8] {
        self.rdata().next().unwrap_or_default()
    }

    /// The owner.
    pub fn name(&self) -> Name {
        Name::from_wire(self.owner).unwrap_or_else(|_| Name::root())
    }
}

/// The RDATA of packed records, one after the other, to the end of the octets.
pub fn unpack(packed: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = packed;
    std::iter::from_fn(move || {
        let (length, tail) = rest.split_first_chunk()?;
        let (record, after) = tail.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        rest = after;
        Some(record)
    })
}
