//! A zone's names.
//!
//! Keys are names in lower case without the apex (`03 w w w` for `www.example.org` in
//! `example.org`; nothing for the apex itself).
//!
//! ```text
//!   entries   [ apex ][ www ][ … ]     the name of the zone itself is in front of all keys
//!                |       '--------.
//!   keys      [ 07example03org00 | 03www | … ]
//! ```
//!
//! Every name that exists has an entry, the empty non-terminals too (RFC 4592 §2.2.2), so the
//! closest encloser is the first ancestor found. What an ancestor decides for names below it (a
//! cut, a wildcard) is noted in the entries when the table is made: an answer about an existing
//! name costs one look-up, one about a missing name one more for each label that is missing.

use std::num::NonZeroU32;
use std::ops::Range;

use crate::wire::name::{labels, suffixes};
use crate::wire::{Folded, Name};

use super::index::{Index, hash};
use super::roles::Steered;

/// A place in a list, from one: so that none is nothing, and takes no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ordinal(NonZeroU32);

impl Ordinal {
    fn of(at: usize) -> Self {
        Self(NonZeroU32::MIN.saturating_add(at as u32))
    }

    fn at(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// An entry's place in its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryId(Ordinal);

impl EntryId {
    fn of(at: usize) -> Self {
        Self(Ordinal::of(at))
    }

    fn at(self) -> usize {
        self.0.at()
    }
}

/// What there is at one name: 16 octets, since a zone can have a million.
#[derive(Clone, Debug)]
pub struct Entry {
    key_at: u32,
    rrsets_at: u32,
    /// What only few names have.
    rare: Option<Ordinal>,
    rrset_count: u16,
    key_len: u8,
}

const _: () = assert!(size_of::<Entry>() == 16);

impl Entry {
    /// Where its RRsets are among the zone's, ordered by type.
    #[inline]
    pub fn rrsets(&self) -> Range<usize> {
        let first = self.rrsets_at as usize;
        first..first + usize::from(self.rrset_count)
    }
}

/// What few names have.
#[derive(Clone, Copy, Debug)]
pub struct Rare {
    /// What a service answers here.
    pub steered: Option<Steered>,
    /// The zone cut that this name is at or below.
    pub cut: Option<EntryId>,
    /// The DNAME that this name is at or below; none below a cut.
    pub dname: Option<EntryId>,
    /// The `*` directly below this name.
    pub wildcard: Option<EntryId>,
}

/// What most names have of it.
const NOTHING_RARE: Rare = Rare { steered: None, cut: None, dname: None, wildcard: None };

/// What is told of a name when the table is made.
#[derive(Clone, Copy, Debug, Default)]
pub struct Content {
    /// Its RRsets: first and count among the zone's, ordered by type.
    pub rrsets: (u32, u16),
    /// As in [`Rare`].
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
    /// Of the entries, by their keys.
    index: Index,
    entries: Box<[Entry]>,
    rares: Box<[Rare]>,
    keys: Box<[u8]>,
    apex_len: u8,
    apex_labels: u8,
}

/// A table while names are put into it.
pub struct Growing {
    entries: Vec<Entry>,
    rares: Vec<Rare>,
    keys: Vec<u8>,
    apex_len: u8,
    apex_labels: u8,
    /// From the apex to the name that was put in last.
    path: Vec<EntryId>,
}

impl Growing {
    /// Puts in a name, relative to the apex and in lower case, labels from the left. Names come in
    /// canonical order, so ancestors before their descendants; those that are left out are made.
    pub fn insert(&mut self, key: &[u8], content: &Content) {
        let labels = labels(key).count();
        let shared = self.path.iter().skip(1).zip(1..).take_while(|(id, depth)| {
            let known = key_of(&self.keys, &self.entries[id.at()]);
            *depth <= labels && known == suffix(key, labels - depth)
        });
        let shared = shared.count();
        self.path.truncate(shared + 1);
        for depth in shared + 1..=labels {
            let id = self.add(suffix(key, labels - depth), self.path.last().copied());
            self.path.push(id);
        }
        if let Some(&id) = self.path.last() {
            self.fill(id, content);
        }
    }

    fn add(&mut self, key: &[u8], parent: Option<EntryId>) -> EntryId {
        let id = EntryId::of(self.entries.len());
        let key_at = self.keys.len();
        self.keys.extend_from_slice(key);
        if let Some(parent) = parent
            && labels(key).next() == Some(b"*")
        {
            self.rare(parent).wildcard = Some(id);
        }
        let above = parent.and_then(|parent| self.entries[parent.at()].rare);
        let above = above.map_or(NOTHING_RARE, |rare| self.rares[rare.at()]);
        self.entries.push(Entry {
            key_at: key_at as u32,
            rrsets_at: 0,
            rare: None,
            rrset_count: 0,
            key_len: key.len() as u8,
        });
        if above.cut.is_some() || above.dname.is_some() {
            let Rare { cut, dname, .. } = above;
            *self.rare(id) = Rare { cut, dname, ..NOTHING_RARE };
        }
        id
    }

    /// What few names have, for one of them.
    fn rare(&mut self, id: EntryId) -> &mut Rare {
        let Self { entries, rares, .. } = self;
        let rare = *entries[id.at()].rare.get_or_insert_with(|| {
            rares.push(NOTHING_RARE);
            Ordinal::of(rares.len() - 1)
        });
        &mut rares[rare.at()]
    }

    /// Notes what there is at a name, before any name below it comes.
    fn fill(&mut self, id: EntryId, content: &Content) {
        let entry = &mut self.entries[id.at()];
        (entry.rrsets_at, entry.rrset_count) = content.rrsets;
        if content.steered.is_none() && !content.is_cut && !content.is_dname {
            return;
        }
        let rare = self.rare(id);
        rare.steered = content.steered;
        // Whichever is closest to the apex hides the other.
        let (cut, dname) = (rare.cut, rare.dname);
        rare.cut = cut.or((content.is_cut && dname.is_none()).then_some(id));
        rare.dname = dname.or((content.is_dname && rare.cut.is_none()).then_some(id));
    }

    /// The table, no larger than what is in it.
    pub fn finish(self) -> NameTable {
        let Self { entries, rares, keys, apex_len, apex_labels, path: _ } = self;
        let (entries, keys) = (entries.into_boxed_slice(), keys.into_boxed_slice());
        let index = Index::of(&entries, |entry| hash(key_of(&keys, entry)));
        NameTable { index, entries, rares: rares.into(), keys, apex_len, apex_labels }
    }
}

impl NameTable {
    /// A table with the apex alone, and room for so many names.
    pub fn with_room_for(names: usize, apex: &Name) -> Growing {
        let keys = apex.to_folded().into_vec();
        let mut growing = Growing {
            entries: Vec::with_capacity(names),
            rares: Vec::new(),
            apex_len: keys.len() as u8,
            apex_labels: apex.label_count() as u8,
            keys,
            path: Vec::new(),
        };
        let apex = growing.add(&[], None);
        growing.path.push(apex);
        growing
    }

    /// The name of the zone itself, complete and in lower case.
    #[inline]
    pub fn apex_name(&self) -> &[u8] {
        &self.keys[..usize::from(self.apex_len)]
    }

    /// How many labels the apex has.
    pub fn apex_labels(&self) -> usize {
        usize::from(self.apex_labels)
    }

    /// The entry of an id.
    pub fn entry(&self, id: EntryId) -> &Entry {
        &self.entries[id.at()]
    }

    /// What few names have, as this one has it.
    #[inline]
    pub fn rare(&self, entry: &Entry) -> &Rare {
        entry.rare.map_or(&NOTHING_RARE, |rare| &self.rares[rare.at()])
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
        let found = self.index.find(&self.entries, key, |entry| key_of(&self.keys, entry) == key);
        found.map(EntryId::of)
    }

    /// Finds a name at or below the apex.
    #[inline]
    pub fn lookup(&self, name: &Folded) -> Lookup {
        let below = name.label_count().saturating_sub(self.apex_labels());
        let (missing, found) = (0..below)
            .find_map(|skip| Some((skip, self.find(name.labels(skip, below))?)))
            .unwrap_or((below, self.apex()));
        let rare = self.rare(self.entry(found));
        match (rare.cut, rare.dname, missing, rare.wildcard) {
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
    use super::super::index::FEW;
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
        let mut growing =
            NameTable::with_room_for(contents.len(), &Name::from_text("example").unwrap());
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
        let found = match table.lookup(&folded) {
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
    fn few_names_and_many_are_found_alike() {
        let key = |at: u32| format!("\x03n{at:02}").into_bytes();
        for count in 0..3 * FEW as u32 {
            let apex = Name::from_text("Example.org").unwrap();
            let mut growing = NameTable::with_room_for(count as usize, &apex);
            for at in 0..count {
                growing.insert(&key(at), &Content { rrsets: (at, 1), ..Content::default() });
            }
            let table = growing.finish();
            assert_eq!((table.apex_name(), table.apex_labels()), (&b"\x07example\x03org\0"[..], 2));
            for at in 0..count {
                let found = table.find(&key(at)).unwrap();
                assert_eq!(table.entry(found).rrsets(), at as usize..at as usize + 1);
                assert_eq!(table.key(found), key(at));
            }
            assert_eq!(table.find(&key(count)), None);
            assert_eq!(table.find(b""), Some(table.apex()));
        }
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
