//! Zones made to hurt, from a seed.
//!
//! A world is a handful of zones, often one inside another, at times the root or a top-level
//! domain. Every zone draws its owners from a small pool of names over a small alphabet, so that
//! wildcards, empty non-terminals, cuts, aliases and redirections meet, nest and hide one another
//! by themselves; targets come from the same pools, from other zones, from below existing names and
//! from nowhere. What no server loads is not made: an alias with other data, data below a DNAME,
//! a name server in the zone without an address.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use domain::base::Rtype;
use fastrand::Rng;

use super::name::{LABEL_LEN_MAX, NAME_LEN_MAX, Name};
use super::roles::{ROLES, fill};

/// A type that nobody knows. RFC 3597; the number is of the private range of RFC 6895 §3.1.
pub const UNKNOWN: Rtype = Rtype::from_int(65280);
/// Labels of owners. Few, so that names meet.
const LABELS: &[&[u8]] = &[
    b"a",
    b"b",
    b"c",
    b"www",
    b"*",
    b"*",
    b"_tcp",
    b"MiXed",
    b"dot.dot",
    b"sp ace",
    b"\x00\xff\\",
];
/// Apexes that a world may have, each with its chance in a hundred.
const APEXES: &[(&str, u8)] = &[
    (".", 12),
    ("test", 25),
    ("example.test", 80),
    ("a.example.test", 45),
    ("b.a.example.test", 30),
    ("Other.Test", 40),
    ("www.other.test", 25),
    ("example.org", 50),
];
const TTLS: &[u32] = &[0, 5, 60, 300, 3600, 86400];

/// Zones that are served together.
pub struct World {
    /// What they were made from.
    pub seed: u64,
    /// At least one.
    pub zones: Vec<Zone>,
}

/// A zone to be written as a master file.
pub struct Zone {
    /// Its name.
    pub apex: Name,
    /// The SOA first.
    pub records: Vec<Record>,
    /// Names that its owners were drawn from.
    pub pool: Vec<Name>,
}

/// One line of a master file.
pub struct Record {
    /// In the case that the file has.
    pub owner: Name,
    /// In seconds.
    pub ttl: u32,
    /// Its type.
    pub rtype: Rtype,
    /// As master files have it.
    pub data: String,
    /// The name that it points at.
    pub target: Option<Name>,
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} IN {} {}", self.owner, self.ttl, self.rtype, self.data)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.records.iter().try_for_each(|record| writeln!(f, "{record}"))
    }
}

impl Zone {
    /// How the file is called, without its extension.
    pub fn stem(&self) -> String {
        let text = self.apex.to_string();
        if text == "." { String::from("root") } else { text.trim_end_matches('.').to_owned() }
    }
}

impl World {
    /// The world of a seed.
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut apexes: Vec<Name> = APEXES
            .iter()
            .filter(|(_, percent)| chance(&mut rng, *percent))
            .map(|(apex, _)| Name::plain(apex))
            .collect();
        if apexes.is_empty() {
            apexes.push(Name::plain("example.test"));
        }
        let pools: Vec<Vec<Name>> =
            apexes.iter().map(|apex| pool(&mut rng, apex, &apexes)).collect();
        let mut zones = Vec::new();
        let mut elsewhere = Elsewhere {
            owners: apexes.iter().map(Name::folded).collect(),
            dnames: BTreeSet::new(),
        };
        for (at, apex) in apexes.iter().enumerate() {
            let mut draft = Draft {
                apex: apex.clone(),
                own: &pools[at],
                all: &pools,
                apexes: &apexes,
                records: Vec::new(),
                owned: BTreeMap::new(),
                said: BTreeSet::new(),
                ttls: BTreeMap::new(),
                elsewhere: &mut elsewhere,
                rng: &mut rng,
            };
            fill(&mut draft);
            let records = draft.records;
            zones.push(Zone { apex: apex.clone(), records, pool: pools[at].clone() });
        }
        Self { seed, zones }
    }
}

/// True in so many of a hundred cases.
pub fn chance(rng: &mut Rng, percent: u8) -> bool {
    rng.u8(..100) < percent
}

/// One of several.
pub fn one_of<'t, T>(rng: &mut Rng, of: &'t [T]) -> &'t T {
    &of[rng.usize(..of.len())]
}

/// A label of the alphabet, rarely one of full length.
pub fn label(rng: &mut Rng) -> Vec<u8> {
    if chance(rng, 3) { vec![b'l'; LABEL_LEN_MAX] } else { one_of(rng, LABELS).to_vec() }
}

/// Names below an apex: some alone, some below others, some at and below the apexes of other zones.
fn pool(rng: &mut Rng, apex: &Name, apexes: &[Name]) -> Vec<Name> {
    let inside: Vec<&Name> =
        apexes.iter().filter(|other| *other != apex && other.is_at_or_under(apex)).collect();
    let mut names = vec![apex.clone()];
    for _ in 0..rng.usize(8..40) {
        let mut name = match rng.u8(..10) {
            0 if !inside.is_empty() => (*one_of(rng, &inside)).clone(),
            0..=4 => apex.clone(),
            _ => one_of(rng, &names).clone(),
        };
        for _ in 0..rng.u8(1..=3) {
            let label = label(rng);
            name = name.child(&label).unwrap_or(name);
        }
        if !names.iter().any(|known| known.folded() == name.folded()) {
            names.push(name);
        }
    }
    if chance(rng, 40) {
        names.push(apex.lengthened(rng.usize(NAME_LEN_MAX - 20..=NAME_LEN_MAX), b'w'));
    }
    names
}

/// Folded owners of all zones so far, and which of them own a DNAME: NSD 4.6 takes data of a zone
/// for data below the DNAME of another.
struct Elsewhere {
    owners: BTreeSet<Name>,
    dnames: BTreeSet<Name>,
}

impl Elsewhere {
    fn has_below(&self, name: &Name) -> bool {
        self.owners.iter().any(|owner| owner != name && owner.is_at_or_under(name))
    }
}

/// A zone in the making: takes what may stand in a zone, and refuses the rest.
pub struct Draft<'w> {
    /// The zone's name.
    pub apex: Name,
    /// Names of this zone.
    pub own: &'w [Name],
    /// Names of every zone.
    pub all: &'w [Vec<Name>],
    /// The names of all zones of the world.
    pub apexes: &'w [Name],
    /// What is in it so far.
    pub records: Vec<Record>,
    /// Types by folded owner.
    owned: BTreeMap<Name, BTreeSet<Rtype>>,
    said: BTreeSet<(Name, Rtype, String)>,
    ttls: BTreeMap<(Name, Rtype), u32>,
    elsewhere: &'w mut Elsewhere,
    /// All chance of the zone.
    pub rng: &'w mut Rng,
}

impl Draft<'_> {
    /// Adds a record, if the zone stays one that every server loads.
    pub fn put(&mut self, owner: &Name, rtype: Rtype, data: String, target: Option<&Name>) -> bool {
        let key = owner.folded();
        let types = self.owned.get(&key);
        let has = |rtype| types.is_some_and(|types| types.contains(&rtype));
        let is_cut = key != self.apex.folded() && (rtype == Rtype::NS || has(Rtype::NS));
        let is_dname = rtype == Rtype::DNAME || has(Rtype::DNAME);
        let refused = !owner.is_at_or_under(&self.apex)
            // RFC 6672 §2.3, §2.4: nothing lives below a DNAME, nor does one stand at a cut.
            || key.and_above().skip(1).any(|above| self.elsewhere.dnames.contains(&above))
            || rtype == Rtype::DNAME && self.elsewhere.has_below(&key)
            || is_cut && is_dname
            // RFC 1034 §3.6.2, RFC 6672 §2.4: an alias is alone, and both are single.
            || rtype == Rtype::CNAME && types.is_some()
            || has(Rtype::CNAME)
            || rtype == Rtype::DNAME && has(rtype)
            || self.said.contains(&(key.clone(), rtype, data.to_ascii_lowercase()));
        if refused {
            return false;
        }
        let ttl = *one_of(self.rng, TTLS);
        let ttl = *self.ttls.entry((key.clone(), rtype)).or_insert(ttl);
        self.said.insert((key.clone(), rtype, data.to_ascii_lowercase()));
        self.elsewhere.owners.insert(key.clone());
        if rtype == Rtype::DNAME {
            self.elsewhere.dnames.insert(key.clone());
        }
        self.owned.entry(key).or_default().insert(rtype);
        let target = target.cloned();
        self.records.push(Record { owner: owner.clone(), ttl, rtype, data, target });
        true
    }

    /// True where the name has records of the type.
    pub fn owns(&self, name: &Name, rtype: Rtype) -> bool {
        self.owned.get(&name.folded()).is_some_and(|types| types.contains(&rtype))
    }

    /// A name that something may point at.
    pub fn target(&mut self) -> Name {
        let rng = &mut *self.rng;
        let everywhere = one_of(rng, self.all);
        let name = match rng.u8(..100) {
            0..45 => one_of(rng, self.own).clone(),
            45..58 => below(rng, self.own),
            58..75 => one_of(rng, everywhere).clone(),
            75..82 => below(rng, everywhere),
            82..86 => self.apex.clone(),
            86..96 => Name::plain("www.elsewhere.invalid"),
            _ => one_of(rng, self.own).lengthened(rng.usize(150..=NAME_LEN_MAX), b't'),
        };
        if chance(rng, 15) { name.recased(|| rng.bool()) } else { name }
    }
}

fn below(rng: &mut Rng, names: &[Name]) -> Name {
    let name = one_of(rng, names);
    name.child(&label(rng)).unwrap_or_else(|| name.clone())
}

/// A role by its weight.
pub fn role(rng: &mut Rng) -> super::roles::Role {
    let all: u32 = ROLES.iter().map(|(weight, _)| weight).sum();
    let mut at = rng.u32(..all);
    for (weight, role) in ROLES {
        match at.checked_sub(*weight) {
            Some(left) => at = left,
            None => return *role,
        }
    }
    ROLES[0].1
}
