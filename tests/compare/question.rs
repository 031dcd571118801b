//! Questions aimed at every interesting name of a world, and the packets that ask them.
//!
//! Interesting is what exists, what lies above it (empty names), below it (wildcards, cuts,
//! redirections, nothing) and beside it, and what records point at. A few packets are odd on
//! purpose: other classes and opcodes, strange flags, EDNS of the future, records where none belong.

use std::collections::BTreeMap;
use std::fmt;

use domain::base::Rtype;
use fastrand::Rng;

use super::generate::{UNKNOWN, World, chance, label, one_of};
use super::name::{LABEL_LEN_MAX, Name};

const IN: u16 = 1;
/// CH, HS, NONE, ANY, and one that is nobody's.
const OTHER_CLASSES: &[u16] = &[3, 4, 254, 255, 4711];
const TYPES: &[Rtype] = &[
    Rtype::A,
    Rtype::AAAA,
    Rtype::NS,
    Rtype::SOA,
    Rtype::MX,
    Rtype::TXT,
    Rtype::CNAME,
    Rtype::DNAME,
    Rtype::DS,
    Rtype::ANY,
    Rtype::SRV,
    Rtype::HTTPS,
    Rtype::NSEC,
    Rtype::RRSIG,
    Rtype::DNSKEY,
    UNKNOWN,
];
const SIZES: &[u16] = &[0, 512, 1232, 4096];

/// What the client can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edns {
    /// Its UDP size.
    pub size: u16,
    /// DO.
    pub dnssec_ok: bool,
    /// 0, but for the odd.
    pub version: u8,
    /// With an option that nobody knows.
    pub option: bool,
}

/// How the packet differs from a decent query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Odd {
    /// Not at all.
    No,
    /// Another opcode.
    Opcode(u8),
    /// No question.
    NoQuestion,
    /// The question twice, and a count of two.
    TwoQuestions,
    /// Two OPT records.
    TwoOpt,
    /// Octets behind the end.
    Trailing,
    /// The OPT record stands in the answer section.
    OptInAnswer,
    /// It ends in the middle of the question.
    Short,
}

/// One question.
#[derive(Clone, Debug)]
pub struct Question {
    /// The name asked, in the case asked.
    pub name: Name,
    /// The type asked.
    pub rtype: Rtype,
    /// The class asked.
    pub class: u16,
    /// RD, and CD with AD, as the third and fourth octet of the header have them.
    pub flags: [u8; 2],
    /// What the OPT record says, where there is one.
    pub edns: Option<Edns>,
    /// Asked over TCP.
    pub tcp: bool,
    /// What is strange about it.
    pub odd: Odd,
}

impl Question {
    /// The packet.
    pub fn to_wire(&self, id: u16) -> Vec<u8> {
        let [high, low] = self.flags;
        let opcode = if let Odd::Opcode(opcode) = self.odd { opcode << 3 } else { 0 };
        let mut wire = id.to_be_bytes().to_vec();
        wire.extend([high | opcode, low]);
        let questions = match self.odd {
            Odd::NoQuestion => 0u16,
            Odd::TwoQuestions => 2,
            Odd::No
            | Odd::Opcode(_)
            | Odd::TwoOpt
            | Odd::Trailing
            | Odd::OptInAnswer
            | Odd::Short => 1,
        };
        let opts = u16::from(self.edns.is_some()) + u16::from(self.odd == Odd::TwoOpt);
        let counts = if self.odd == Odd::OptInAnswer {
            [questions, opts, 0, 0]
        } else {
            [questions, 0, 0, opts]
        };
        wire.extend(counts.iter().flat_map(|count| count.to_be_bytes()));
        for _ in 0..questions {
            wire.extend(self.name.to_wire());
            wire.extend(self.rtype.to_int().to_be_bytes());
            wire.extend(self.class.to_be_bytes());
        }
        let edns =
            self.edns.unwrap_or(Edns { size: 512, dnssec_ok: false, version: 0, option: false });
        for _ in 0..opts {
            wire.extend([0, 0, 41]);
            wire.extend(edns.size.to_be_bytes());
            wire.extend([0, edns.version, u8::from(edns.dnssec_ok) << 7, 0]);
            // An option of the range for local use. RFC 6891 §9.
            let options: &[u8] = if edns.option { &[0xfd, 0xe9, 0, 2, 1, 2] } else { &[] };
            wire.extend((options.len() as u16).to_be_bytes());
            wire.extend(options);
        }
        match self.odd {
            Odd::Trailing => wire.extend([1, 2, 3]),
            Odd::Short => wire.truncate(15),
            Odd::No
            | Odd::Opcode(_)
            | Odd::NoQuestion
            | Odd::TwoQuestions
            | Odd::TwoOpt
            | Odd::OptInAnswer => {}
        }
        wire
    }

    /// In a few words, what keeps it from being decent.
    pub fn oddness(&self) -> String {
        let version = self.edns.map_or(0, |edns| edns.version);
        format!(" (class {}, EDNS version {version}, {:?})", self.class, self.odd)
    }

    /// A plain query in class IN.
    pub fn is_decent(&self) -> bool {
        self.odd == Odd::No && self.class == IN && self.edns.is_none_or(|edns| edns.version == 0)
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.rtype)?;
        if self.class != IN {
            write!(f, " class {}", self.class)?;
        }
        if self.flags != [0, 0] {
            write!(f, " flags {:02x}{:02x}", self.flags[0], self.flags[1])?;
        }
        match self.edns {
            Some(edns) => write!(f, " {edns:?}")?,
            None => write!(f, " no EDNS")?,
        }
        if self.odd != Odd::No {
            write!(f, " odd: {:?}", self.odd)?;
        }
        f.write_str(if self.tcp { " over TCP" } else { " over UDP" })
    }
}

/// So many questions about a world.
pub fn questions(world: &World, count: usize) -> Vec<Question> {
    let mut rng = Rng::with_seed(world.seed ^ 0x7175_6573_7469_6f6e);
    let names = names(world, &mut rng);
    (0..count).map(|_| question(&names, &mut rng)).collect()
}

/// A name with the types that are there or behind it.
type Known = (Name, Vec<Rtype>);

fn names(world: &World, rng: &mut Rng) -> Vec<Known> {
    let mut names: Vec<Known> = vec![
        (Name::plain(""), Vec::new()),
        (Name::plain("nowhere.invalid"), Vec::new()),
        (Name::plain("test"), Vec::new()),
    ];
    for zone in &world.zones {
        let mut owners: BTreeMap<Name, Vec<Rtype>> = BTreeMap::new();
        for record in &zone.records {
            owners.entry(record.owner.folded()).or_default().push(record.rtype);
            if let Some(target) = &record.target {
                names.push((target.clone(), Vec::new()));
                names.extend(target.child(&label(rng)).map(|name| (name, Vec::new())));
            }
        }
        for name in &zone.pool {
            names.extend(name.child(&label(rng)).map(|name| (name, Vec::new())));
        }
        for (owner, mut types) in owners {
            // A type of many records is no more interesting than one of a single.
            types.dedup();
            around(&owner, &types, rng, &mut names);
        }
    }
    names
}

/// The owner itself, more often than what lies around it.
fn around(owner: &Name, types: &[Rtype], rng: &mut Rng, names: &mut Vec<Known>) {
    let mut add = |name: Option<Name>| names.extend(name.map(|name| (name, types.to_vec())));
    let own = if types.contains(&Rtype::NS) { 1 } else { 3 };
    (0..own).for_each(|_| add(Some(owner.clone())));
    add(owner.child(&label(rng)));
    let above = owner.parent();
    add(above.as_ref().and_then(|above| above.child(&label(rng))));
    if owner.is_wildcard() {
        add(above.as_ref().and_then(|above| above.child(b"covered")));
        let low = above.as_ref().and_then(|above| above.child(b"low"));
        add(low.and_then(|low| low.child(b"covered")));
        add(owner.child(b"under"));
    }
    if types.contains(&Rtype::DNAME) {
        let below = owner.child(&vec![b'v'; rng.usize(1..=LABEL_LEN_MAX)]);
        add(below.as_ref().and_then(|below| below.child(b"a")));
        add(below);
    }
    add(above);
}

fn question(names: &[Known], rng: &mut Rng) -> Question {
    let (name, types) = one_of(rng, names);
    let rtype =
        if !types.is_empty() && chance(rng, 60) { one_of(rng, types) } else { one_of(rng, TYPES) };
    let name = if chance(rng, 10) { name.recased(|| rng.bool()) } else { name.clone() };
    let edns = chance(rng, 60).then(|| Edns {
        size: *one_of(rng, SIZES),
        dnssec_ok: chance(rng, 40),
        version: 0,
        option: chance(rng, 5),
    });
    let mut question = Question {
        name,
        rtype: *rtype,
        class: IN,
        flags: [0, 0],
        edns,
        tcp: chance(rng, 10),
        odd: Odd::No,
    };
    if chance(rng, 5) {
        // RD; CD, AD and Z.
        question.flags = [u8::from(rng.bool()), *one_of(rng, &[0, 0x10, 0x20, 0x30, 0x40])];
    }
    if chance(rng, 4) {
        odd(&mut question, rng);
    }
    question
}

fn odd(question: &mut Question, rng: &mut Rng) {
    match rng.u8(..12) {
        0..=2 => question.class = *one_of(rng, OTHER_CLASSES),
        3..=4 => question.odd = Odd::Opcode(*one_of(rng, &[1, 2, 3, 4, 5, 6, 15])),
        5..=6 => {
            let edns = Edns { size: 1232, dnssec_ok: false, version: 1, option: rng.bool() };
            question.edns = Some(edns);
        }
        7 => question.odd = Odd::NoQuestion,
        8 => question.odd = Odd::TwoQuestions,
        9 => question.odd = Odd::TwoOpt,
        10 => question.odd = Odd::OptInAnswer,
        _ => question.odd = *one_of(rng, &[Odd::Trailing, Odd::Short]),
    }
    if matches!(question.odd, Odd::TwoOpt | Odd::OptInAnswer) && question.edns.is_none() {
        question.edns = Some(Edns { size: 1232, dnssec_ok: false, version: 0, option: false });
    }
}
