//! Gathers the records of a zone, in whatever order they are written.
//!
//! Nothing is allocated for a single record: what is gathered lies in a few long arrays, which go
//! back to the system as they came when the zone is laid out. Records of one RRset are a chain from
//! the last to the first, for they may stand anywhere in a file.
//!
//! ```text
//!   octets  [ owner | 00 04 192.0.2.1 | 00 04 192.0.2.2 | … ]
//!                        ^                 ^
//!   links       [ before: none, at ] <── [ before, at ] <── sets[ … ].last
//! ```

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use super::rdata;
use super::records::{Records, Set, unpack};
use crate::wire::name::canonical_order;
use crate::wire::{Name, RecordType};

/// The hash is fixed: what is gathered is the operator's.
const HASH: FixedState = FixedState::with_seed(0x7a_6f6e);

/// What became of a record that was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Added {
    /// Its RRset, by a number: they are counted from 0 as they come.
    pub rrset: usize,
    /// The TTL of its RRset, where that was another.
    pub other_ttl: Option<u32>,
    /// True where the RRset already had it.
    pub duplicate: bool,
    /// How many records the RRset has now.
    pub records: usize,
}

/// Records of one zone, as they come in.
#[derive(Clone, Debug)]
pub struct RecordsBuilder {
    /// The zone's own name.
    pub apex: Name,
    sets: Vec<Gathered>,
    links: Vec<Link>,
    octets: Vec<u8>,
    index: HashTable<u32>,
    /// The RRset that was added to last: files mostly have the records of one together.
    latest: usize,
}

#[derive(Clone, Copy, Debug)]
struct Gathered {
    owner_at: u32,
    owner_len: u8,
    rtype: RecordType,
    count: u32,
    ttl: u32,
    last: u32,
}

/// A record, and the one of the same RRset that came before it.
#[derive(Clone, Copy, Debug)]
struct Link {
    before: u32,
    at: u32,
}

/// In place of the link before the first.
const NONE: u32 = u32::MAX;

impl RecordsBuilder {
    /// Nothing gathered yet.
    pub fn new(apex: Name) -> Self {
        Self {
            apex,
            sets: Vec::new(),
            links: Vec::new(),
            octets: Vec::new(),
            index: HashTable::new(),
            latest: 0,
        }
    }

    /// Adds one record; a duplicate is left out, the lowest TTL of a set wins. RFC 2181 §5.
    pub fn add(&mut self, owner: &Name, rtype: RecordType, ttl: u32, octets: &[u8]) -> Added {
        let at = self.set(owner.as_wire(), rtype, ttl);
        let duplicate = self.chain(at).any(|known| rdata::same(rtype, known, octets));
        let set = &mut self.sets[at];
        let other_ttl = (set.ttl != ttl).then_some(set.ttl);
        set.ttl = set.ttl.min(ttl);
        if !duplicate {
            self.links.push(Link { before: set.last, at: self.octets.len() as u32 });
            set.last = self.links.len() as u32 - 1;
            set.count += 1;
            // RDATA has at most 65,535 octets: its length on the wire has two.
            self.octets.extend((octets.len() as u16).to_be_bytes());
            self.octets.extend_from_slice(octets);
        }
        Added { rrset: at, other_ttl, duplicate, records: set.count as usize }
    }

    /// The RDATA of an owner's records of a type, in the order written; nothing where it has none.
    pub fn get(&self, owner: &Name, rtype: RecordType) -> Vec<&[u8]> {
        let found = self.find(owner.as_wire(), rtype);
        let mut all: Vec<_> = found.into_iter().flat_map(|at| self.chain(at)).collect();
        all.reverse();
        all
    }

    /// Whether an owner has records of a type.
    pub fn has(&self, owner: &Name, rtype: RecordType) -> bool {
        self.find(owner.as_wire(), rtype).is_some()
    }

    /// The records in order, packed.
    pub fn finish(self) -> Records {
        let mut order: Vec<u32> = (0..self.sets.len() as u32).collect();
        // All owners end alike: what is before that orders them.
        let apex_len = self.apex.as_wire().len();
        let below = |set| {
            let owner = self.owner(set);
            &owner[..owner.len().saturating_sub(apex_len)]
        };
        order.sort_unstable_by(|&one, &other| {
            let (one, other) = (&self.sets[one as usize], &self.sets[other as usize]);
            let owners = canonical_order(below(one), below(other));
            owners.then(one.rtype.0.cmp(&other.rtype.0))
        });
        let mut octets: Vec<u8> = Vec::with_capacity(self.octets.len());
        let mut sets: Vec<Set> = Vec::with_capacity(order.len());
        let mut chain = Vec::new();
        for at in order {
            let gathered = &self.sets[at as usize];
            let owner = self.owner(gathered);
            let again = sets.last().filter(|before| {
                octets[before.owner_at as usize..][..usize::from(before.owner_len)] == *owner
            });
            let owner_at = again.map_or(octets.len() as u32, |before| before.owner_at);
            if again.is_none() {
                octets.extend_from_slice(owner);
            }
            let rdata_at = octets.len();
            chain.extend(self.chain(at as usize));
            for record in chain.drain(..).rev() {
                octets.extend((record.len() as u16).to_be_bytes());
                octets.extend_from_slice(record);
            }
            sets.push(Set {
                owner_at,
                owner_len: gathered.owner_len,
                rtype: gathered.rtype,
                // A file that has more in one RRset is refused (`masterfile::RRSET_RECORDS_MAX`).
                count: u16::try_from(gathered.count).unwrap_or(u16::MAX),
                ttl: gathered.ttl,
                rdata_at: rdata_at as u32,
                rdata_len: (octets.len() - rdata_at) as u32,
            });
        }
        Records { apex: self.apex, sets: sets.into(), octets: octets.into() }
    }

    /// The RRset of an owner and type, which is made where there is none.
    fn set(&mut self, owner: &[u8], rtype: RecordType, ttl: u32) -> usize {
        if let Some(at) = self.find(owner, rtype) {
            self.latest = at;
            return at;
        }
        let at = self.sets.len();
        self.sets.push(Gathered {
            owner_at: self.octets.len() as u32,
            // A name has at most 255 octets.
            owner_len: owner.len() as u8,
            rtype,
            count: 0,
            ttl,
            last: NONE,
        });
        self.octets.extend_from_slice(owner);
        let Self { index, sets, octets, .. } = self;
        let rehash = |&at: &u32| {
            let set: &Gathered = &sets[at as usize];
            hash(&octets[set.owner_at as usize..][..usize::from(set.owner_len)], set.rtype)
        };
        index.insert_unique(hash(owner, rtype), at as u32, rehash);
        self.latest = at;
        at
    }

    fn find(&self, owner: &[u8], rtype: RecordType) -> Option<usize> {
        let same =
            |set: &Gathered| set.rtype == rtype && self.owner(set).eq_ignore_ascii_case(owner);
        if self.sets.get(self.latest).is_some_and(same) {
            return Some(self.latest);
        }
        let found = self.index.find(hash(owner, rtype), |&at| same(&self.sets[at as usize]));
        found.map(|&at| at as usize)
    }

    fn owner(&self, set: &Gathered) -> &[u8] {
        &self.octets[set.owner_at as usize..][..usize::from(set.owner_len)]
    }

    /// The records of an RRset, the last first.
    fn chain(&self, set: usize) -> impl Iterator<Item = &[u8]> {
        let mut next = self.sets[set].last;
        std::iter::from_fn(move || {
            let link = self.links.get(next as usize)?;
            next = link.before;
            unpack(&self.octets[link.at as usize..]).next()
        })
    }
}

/// The same for every spelling of an owner. RFC 4343.
fn hash(owner: &[u8], rtype: RecordType) -> u64 {
    let mut folded = [0; crate::wire::name::NAME_LEN_MAX];
    let folded = &mut folded[..owner.len()];
    folded.copy_from_slice(owner);
    folded.make_ascii_lowercase();
    HASH.hash_one((&*folded, rtype.0))
}
