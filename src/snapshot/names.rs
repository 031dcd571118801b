//! A zone's names as a hash table.
//!
//! Keys are names in lower case without the apex (`03 w w w` for `www.example.org` in
//! `example.org`; nothing for the apex itself). Every name that exists has an entry, the empty
//! non-terminals too (RFC 4592 §2.2.2), so the closest encloser is the first ancestor found. What
//! an ancestor decides for names below it (a cut, a wildcard) is noted in the entries when the
//! table is made: an answer about an existing name costs one look-up, one about a missing name one
//! more for each label that is missing.

use std::hash::{BuildHasher, Hasher};
use std::num::NonZeroU32;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use crate::wire::Folded;
use crate::wire::name::{labels, suffixes};

use super::roles::Steered;

/// The hash is fixed: what is in the table is the operator's, and a query inserts nothing.
const HASH: FixedState = FixedState::with_seed(0x726f_7461);

/// The hash of a name, complete or not, in lower case. Where it ends is a part of every key, so the
/// length need not be.
#[inline]
pub(super) fn hash(key: &[u8]) -> u64 {
    let mut hasher = HASH.build_hasher();
    hasher.write(key);
    hasher.finish()
}

/// An entry's place in its table, from one: so that none is nothing, and takes no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryId(NonZeroU32);

impl EntryId {
    fn of(at: usize) -> Self {
        Self(NonZeroU32::MIN.saturating_add(at as u32))
    }

    fn at(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// What there is at one name.
#[derive(Clone, Debug)]
pub struct Entry {
    key_at: u32,
    key_len: u8,
    /// Its RRsets: first and count among the zone's, ordered by type.
    pub rrsets: (u32, u16),
    /// What a service answers here.
    pub steered: Option<Steered>,
    /// The zone cut that this name is at or below.
    pub cut: Option<EntryId>,
    /// The DNAME that this name is at or below; none below a cut.
    pub dname: Option<EntryId>,
    /// The `*` directly below this name.
    pub wildcard: Option<EntryId>,
}

/// What is told of a name when the table is made.
#[derive(Clone, Copy, Debug, Default)]
pub struct Content {
    /// As in [`Entry`].
    pub rrsets: (u32, u16),
    /// As in [`Entry`].
    pub steered: Option<Steered>,
    /// The name is delegated: it has NS records and is not the apex.
    pub is_cut: bool,
    /// The name has a DNAME: what would be below it is below another name.
    pub is_dname: bool,
}

/// What a look-up finds. RFC 1034 §4.3.2, RFC 4592 §2.2, RFC 6672 §3.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// The name exists.
    Exact(EntryId),
    /// The name does not exist; a wildcard stands in for it.
    Wildcard {
        /// The wildcard's own entry.
        source: EntryId,
        /// The ancestor that it is the child of.
        encloser: EntryId,
    },
    /// The name does not exist.
    Missing {
        /// Its longest existing ancestor.
        encloser: EntryId,
    },
    /// The name is delegated away, or lies below one that is.
    Cut(EntryId),
    /// The name lies below one with a DNAME.
    Renamed(EntryId),
}

/// All names of a zone.
#[derive(Debug)]
pub struct NameTable {
    table: HashTable<u32>,
    entries: Vec<Entry>,
    keys: Vec<u8>,
}

/// A table while names are put into it.
pub struct Growing {
    table: NameTable,
    /// From the apex to the name that was put in last.
    path: Vec<EntryId>,
}

impl Growing {
    /// Puts in a name, relative to the apex and in lower case, labels from the left. Names come in
    /// canonical order, so ancestors before their descendants; those that are left out are made.
    pub fn insert(&mut self, key: &[u8], content: &Content) {
        let labels = labels(key).count();
        let shared = self.path.iter().skip(1).zip(1..).take_while(|(id, depth)| {
            *depth <= labels && self.table.key(**id) == suffix(key, labels - depth)
        });
        let shared = shared.count();
        self.path.truncate(shared + 1);
        for depth in shared + 1..=labels {
            let id = self.table.add(suffix(key, labels - depth), self.path.last().copied());
            self.path.push(id);
        }
        if let Some(&id) = self.path.last() {
            self.table.fill(id, content);
        }
    }

    /// The table, no larger than what is in it.
    pub fn finish(self) -> NameTable {
        let NameTable { mut table, mut entries, mut keys } = self.table;
        entries.shrink_to_fit();
        keys.shrink_to_fit();
        table.shrink_to_fit(|&at| hash(key_of(&keys, &entries[at as usize])));
        NameTable { table, entries, keys }
    }
}

impl NameTable {
    /// A table with the apex alone, and room for so many names.
    pub fn with_room_for(names: usize) -> Growing {
        let mut table = Self {
            table: HashTable::with_capacity(names),
            entries: Vec::with_capacity(names),
            keys: Vec::new(),
        };
        let apex = table.add(&[], None);
        Growing { table, path: vec![apex] }
    }

    fn add(&mut self, key: &[u8], parent: Option<EntryId>) -> EntryId {
        let id = EntryId::of(self.entries.len());
        let key_at = self.keys.len();
        self.keys.extend_from_slice(key);
        if let Some(parent) = parent
            && labels(key).next() == Some(b"*")
        {
            self.entries[parent.at()].wildcard = Some(id);
        }
        let above = parent.map(|parent| self.entry(parent));
        let (cut, dname) = above.map_or((None, None), |above| (above.cut, above.dname));
        self.entries.push(Entry {
            key_at: key_at as u32,
            key_len: key.len() as u8,
            rrsets: (0, 0),
            steered: None,
            cut,
            dname,
            wildcard: None,
        });
        let hashed = hash(key);
        let Self { table, entries, keys } = self;
        let rehash = |&at: &u32| hash(key_of(keys, &entries[at as usize]));
        table.insert_unique(hashed, id.at() as u32, rehash);
        id
    }

    /// Notes what there is at a name, before any name below it comes.
    fn fill(&mut self, id: EntryId, content: &Content) {
        let entry = &mut self.entries[id.at()];
        entry.rrsets = content.rrsets;
        entry.steered = content.steered;
        // Whichever is closest to the apex hides the other.
        let (cut, dname) = (entry.cut, entry.dname);
        entry.cut = cut.or((content.is_cut && dname.is_none()).then_some(id));
        entry.dname = dname.or((content.is_dname && entry.cut.is_none()).then_some(id));
    }

    /// The entry of an id.
    pub fn entry(&self, id: EntryId) -> &Entry {
        &self.entries[id.at()]
    }

    /// The apex.
    pub fn apex(&self) -> EntryId {
        EntryId::of(0)
    }

    /// The name of an entry in lower case, without the apex.
    pub fn key(&self, id: EntryId) -> &[u8] {
        key_of(&self.keys, self.entry(id))
    }

    /// How many names exist.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// False: the apex always exists.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entry of a key, if the name exists.
    #[inline]
    pub fn find(&self, key: &[u8]) -> Option<EntryId> {
        let same = |&at: &u32| key_of(&self.keys, &self.entries[at as usize]) == key;
        self.table.find(hash(key), same).map(|&at| EntryId::of(at as usize))
    }

    /// Finds a name at or below the apex, which has `apex_labels` labels.
    #[inline]
    pub fn lookup(&self, name: &Folded, apex_labels: usize) -> Lookup {
        let below = name.label_count().saturating_sub(apex_labels);
        let (missing, found) = (0..below)
            .find_map(|skip| Some((skip, self.find(name.labels(skip, below))?)))
            .unwrap_or((below, self.apex()));
        let entry = self.entry(found);
        match (entry.cut, entry.dname, missing, entry.wildcard) {
            (Some(cut), _, _, _) => Lookup::Cut(cut),
            // A DNAME says nothing of its own name. RFC 6672 §2.3.
            (None, Some(dname), below, _) if below > 0 || dname != found => Lookup::Renamed(dname),
            (None, _, 0, _) => Lookup::Exact(found),
            (None, _, _, Some(source)) => Lookup::Wildcard { source, encloser: found },
            (None, _, _, None) => Lookup::Missing { encloser: found },
        }
    }
}

fn key_of<'k>(keys: &'k [u8], entry: &Entry) -> &'k [u8] {
    &keys[entry.key_at as usize..][..usize::from(entry.key_len)]
}

/// A key without its first labels.
fn suffix(key: &[u8], skip: usize) -> &[u8] {
    suffixes(key).nth(skip).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Name;

    /// Zone `example.` with the names of RFC 4592 §2.2.1 and a few more.
    fn table() -> NameTable {
        let mut contents = std::collections::BTreeMap::new();
        for (text, kind) in [
            ("*", ' '),
            ("sub.*", ' '),
            ("host1", ' '),
            ("_ssh._tcp.host1", ' '),
            ("_ssh._tcp.host2", ' '),
            ("subdel", 'c'),
            ("ns.subdel", ' '),
            ("dname.subdel", 'd'),
            ("dname", 'd'),
            ("hidden.dname", 'c'),
        ] {
            let (is_cut, is_dname) = (kind == 'c', kind == 'd');
            contents.insert(
                Name::from_text(text).unwrap(),
                Content { is_cut, is_dname, ..Content::default() },
            );
        }
        let mut growing = NameTable::with_room_for(contents.len());
        for (name, content) in &contents {
            let wire = name.as_wire();
            growing.insert(&wire[..wire.len() - 1], content);
        }
        growing.finish()
    }

    fn check(name: &str, expected: &str) {
        let table = table();
        let mut folded = Folded::root();
        folded.fold(Name::from_text(name).unwrap().as_wire());
        let show = |id| {
            let mut wire = table.key(id).to_vec();
            wire.push(0);
            crate::wire::name::ShowName(&wire).to_string()
        };
        let found = match table.lookup(&folded, 1) {
            Lookup::Exact(id) => format!("exact {}", show(id)),
            Lookup::Wildcard { source, encloser } => {
                format!("wildcard {} of {}", show(source), show(encloser))
            }
            Lookup::Missing { encloser } => format!("missing under {}", show(encloser)),
            Lookup::Cut(id) => format!("cut {}", show(id)),
            Lookup::Renamed(id) => format!("renamed {}", show(id)),
        };
        assert_eq!(found, expected, "{name}");
    }

    #[test]
    fn looks_up_as_rfc_4592_says() {
        check("example", "exact .");
        check("HOST1.example", "exact host1.");
        // RFC 4592 §2.2.1: its examples.
        check("host3.example", "wildcard *. of .");
        check("foo.bar.example", "wildcard *. of .");
        check("*.example", "exact *.");
        check("_telnet._tcp.host1.example", "missing under _tcp.host1.");
        check("host2.example", "exact host2.");
        check("_tcp.host2.example", "exact _tcp.host2.");
        check("x.host2.example", "missing under host2.");
        check("host.subdel.example", "cut subdel.");
        check("subdel.example", "cut subdel.");
        check("ns.subdel.example", "cut subdel.");
        check("ghost.*.example", "missing under *.");
        check("sub.*.example", "exact sub.*.");
        // What is closest to the apex hides what is below it.
        check("x.dname.subdel.example", "cut subdel.");
        check("dname.example", "exact dname.");
        check("x.dname.example", "renamed dname.");
        check("x.y.dname.example", "renamed dname.");
        check("hidden.dname.example", "renamed dname.");
        check("x.hidden.dname.example", "renamed dname.");
    }
}
