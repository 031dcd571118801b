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
use std::net::IpAddr;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use super::rdata;
use super::records::{Records, Set, unpack};
use crate::wire::name::{canonical_order, canonical_start};
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
    index: HashTable<Slot>,
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

/// Where the index leads to, with the hash that leads there: to make the index larger takes no look
/// at what it is of.
#[derive(Clone, Copy, Debug)]
struct Slot {
    hash: u32,
    set: u32,
}

impl Slot {
    /// The table goes by the highest bits and the lowest.
    fn spread(hash: u32) -> u64 {
        u64::from(hash) << 32 | u64::from(hash)
    }
}

/// Lines that room is made for beforehand: a file can have many more, and nothing in them.
const LINES_MAX: usize = 1 << 22;
/// In place of the link before the first.
const NONE: u32 = u32::MAX;

impl RecordsBuilder {
    /// Nothing gathered yet.
    pub fn new(apex: Name) -> Self {
        Self::with_room_for(apex, "")
    }

    /// Nothing gathered yet, and room for what a master file says. What is not used of it is never
    /// written to, and so is no memory yet.
    pub fn with_room_for(apex: Name, text: &str) -> Self {
        let lines = text.bytes().filter(|octet| *octet == b'\n').count().min(LINES_MAX);
        Self {
            apex,
            sets: Vec::with_capacity(lines),
            links: Vec::with_capacity(lines),
            octets: Vec::with_capacity(text.len()),
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

    /// Adds an address record.
    pub fn add_address(&mut self, owner: &Name, ttl: u32, address: IpAddr) {
        match address {
            IpAddr::V4(v4) => self.add(owner, RecordType::A, ttl, &v4.octets()),
            IpAddr::V6(v6) => self.add(owner, RecordType::AAAA, ttl, &v6.octets()),
        };
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
        // All owners end alike: what is before that orders them.
        let apex_len = self.apex.as_wire().len();
        let below = |set| {
            let owner = self.owner(set);
            &owner[..owner.len().saturating_sub(apex_len)]
        };
        let sets = self.sets.iter().zip(0_u32..);
        let mut order: Vec<_> = sets.map(|(set, at)| (canonical_start(below(set)), at)).collect();
        order.sort_unstable_by(|(start, one), (other_start, other)| {
            start.cmp(other_start).then_with(|| {
                let (one, other) = (&self.sets[*one as usize], &self.sets[*other as usize]);
                let owners = canonical_order(below(one), below(other));
                owners.then(one.rtype.0.cmp(&other.rtype.0))
            })
        });
        let mut octets: Vec<u8> = Vec::with_capacity(self.octets.len());
        let mut sets: Vec<Set> = Vec::with_capacity(order.len());
        let mut chain = Vec::new();
        for (_, at) in order {
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
        if self.is_latest(owner, rtype) {
            return self.latest;
        }
        let hash = hash(owner, rtype) as u32;
        if let Some(at) = self.find_by(hash, owner, rtype) {
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
        let slot = Slot { hash, set: at as u32 };
        self.index.insert_unique(Slot::spread(hash), slot, |slot| Slot::spread(slot.hash));
        self.latest = at;
        at
    }

    fn find(&self, owner: &[u8], rtype: RecordType) -> Option<usize> {
        self.find_by(hash(owner, rtype) as u32, owner, rtype)
    }

    fn find_by(&self, hash: u32, owner: &[u8], rtype: RecordType) -> Option<usize> {
        let same = |slot: &Slot| slot.hash == hash && self.is(slot.set as usize, owner, rtype);
        self.index.find(Slot::spread(hash), same).map(|slot| slot.set as usize)
    }

    fn is_latest(&self, owner: &[u8], rtype: RecordType) -> bool {
        self.latest < self.sets.len() && self.is(self.latest, owner, rtype)
    }

    fn is(&self, set: usize, owner: &[u8], rtype: RecordType) -> bool {
        let set = &self.sets[set];
        set.rtype == rtype && self.owner(set).eq_ignore_ascii_case(owner)
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
pub(super) fn hash(owner: &[u8], rtype: RecordType) -> u64 {
    let mut folded = [0; crate::wire::name::NAME_LEN_MAX];
    let folded = &mut folded[..owner.len()];
    folded.copy_from_slice(owner);
    folded.make_ascii_lowercase();
    HASH.hash_one((&*folded, rtype.0))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use fastrand::Rng;

    use super::*;

    /// A TTL, and RDATA in the order added.
    type Plain = (u32, Vec<Vec<u8>>);

    fn name(text: &str) -> Name {
        Name::from_text(text).unwrap()
    }

    /// Owners of a few labels in either case, some of them above or below others.
    fn owner(rng: &mut Rng) -> Name {
        let label = |rng: &mut Rng| ["a", "A", "b", "aa", "*", "z-9", "_tcp"][rng.usize(..7)];
        let labels: Vec<_> = (0..rng.usize(..4)).map(|_| label(rng)).collect();
        name([labels.join("."), "Example.Test".to_owned()].join(".").trim_start_matches('.'))
    }

    #[test]
    fn what_is_gathered_is_laid_out_in_order_whatever_order_it_came_in() {
        for seed in 0..200 {
            let mut rng = Rng::with_seed(seed);
            let mut builder = RecordsBuilder::new(name("example.test"));
            let mut naive: BTreeMap<(Name, u16), Plain> = BTreeMap::new();
            for _ in 0..rng.usize(..200) {
                let (owner, rtype, ttl) = (owner(&mut rng), rng.u16(1..4), rng.u32(1..3));
                let rdata = vec![rng.u8(..); rng.usize(..3)];
                let known = naive.entry((owner.clone(), rtype)).or_insert((ttl, Vec::new()));
                let other_ttl = (known.0 != ttl).then_some(known.0);
                known.0 = known.0.min(ttl);
                let duplicate = known.1.contains(&rdata);
                if !duplicate {
                    known.1.push(rdata.clone());
                }
                let added = builder.add(&owner, RecordType(rtype), ttl, &rdata);
                let found = (added.other_ttl, added.duplicate, added.records);
                assert_eq!(found, (other_ttl, duplicate, known.1.len()), "seed {seed}");
                assert_eq!(builder.get(&owner, RecordType(rtype)), known.1, "seed {seed}");
                assert!(!builder.has(&owner, RecordType(9)));
            }
            let records = builder.finish();
            let laid_out: Vec<_> = records
                .rrsets()
                .map(|it| {
                    let rdata: Vec<_> = it.rdata().map(<[u8]>::to_vec).collect();
                    assert_eq!(usize::from(it.count), rdata.len());
                    ((it.name(), it.rtype.0), (it.ttl, rdata))
                })
                .collect();
            for ((owner, rtype), (_, rdata)) in &laid_out {
                let found = records.get(owner, RecordType(*rtype)).unwrap();
                assert!(found.rdata().eq(rdata.iter().map(Vec::as_slice)), "seed {seed}");
                assert_eq!(records.from(owner).next().unwrap().name(), *owner);
            }
            assert_eq!(laid_out, naive.into_iter().collect::<Vec<_>>(), "seed {seed}");
        }
    }
}
