//! Floor 2: zones as operators author them.
//!
//! A zone's ordinary records come from a master file (RFC 1035 §5) or from the `[zone]` table of
//! its TOML file; both end as the same [`Records`]. Nothing here is fast and nothing needs to be:
//! `snapshot` compiles what is here into what the hot path reads.

pub mod check;
pub mod diagnostic;
pub mod masterfile;
pub mod rdata;

use std::collections::BTreeMap;

use crate::wire::{Name, RecordType};

pub use diagnostic::{Diagnostic, Place, Severity, Source};
pub use masterfile::{MasterFile, Places};

/// All records of one owner, class IN, and type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rrset {
    /// One TTL for all of them, in seconds. RFC 2181 §5.2.
    pub ttl: u32,
    /// Each record's RDATA in wire form, names uncompressed; no two alike, in the order written.
    pub rdata: Vec<Box<[u8]>>,
}

/// What became of a record that was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Added {
    /// The TTL of its RRset, where that was another.
    pub other_ttl: Option<u32>,
    /// True where the RRset already had it.
    pub duplicate: bool,
    /// How many records the RRset has now.
    pub records: usize,
}

/// The ordinary records of one zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Records {
    /// The zone's own name, which is exactly the delegated name.
    pub apex: Name,
    /// Every RRset, by owner in canonical order and type. Owners are at or under the apex.
    pub rrsets: BTreeMap<(Name, RecordType), Rrset>,
}

impl Records {
    /// A zone without records.
    pub fn new(apex: Name) -> Self {
        Self { apex, rrsets: BTreeMap::new() }
    }

    /// Adds one record; a duplicate is left out, the lowest TTL of a set wins. RFC 2181 §5.
    pub fn add(&mut self, owner: Name, rtype: RecordType, ttl: u32, octets: Box<[u8]>) -> Added {
        let rrset =
            self.rrsets.entry((owner, rtype)).or_insert_with(|| Rrset { ttl, rdata: Vec::new() });
        let other_ttl = (rrset.ttl != ttl).then_some(rrset.ttl);
        rrset.ttl = rrset.ttl.min(ttl);
        let duplicate = rrset.rdata.iter().any(|known| rdata::same(rtype, known, &octets));
        if !duplicate {
            rrset.rdata.push(octets);
        }
        Added { other_ttl, duplicate, records: rrset.rdata.len() }
    }

    /// The RRset of an owner and type.
    pub fn get(&self, owner: &Name, rtype: RecordType) -> Option<&Rrset> {
        self.rrsets.get(&(owner.clone(), rtype))
    }
}
