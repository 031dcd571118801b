//! What is known of every address: all files laid over each other.
//!
//! Where two files speak of the same address, the one that is named first is believed and the
//! others add what it leaves out. A subdivision is only added by a file that agrees about the
//! country, so that nobody ends up in Ontario, USA.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::coordinates::Coordinates;
use super::intern::Interner;
use super::mmdb;
use super::network::Network;
use super::regions::{Continent, Country, Subdivision};
use super::runs::{Bits, Runs, Runs6, Spans, overlay};

/// Something that a file may say of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fact {
    /// Its continent, said by the file or known by its country.
    Continent,
    /// Its country.
    Country,
    /// Its part of the country.
    Subdivision,
    /// The AS that announces it.
    As,
    /// Latitude and longitude.
    Coordinates,
}

impl Fact {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Continent, Self::Country, Self::Subdivision, Self::As, Self::Coordinates];
}

impl fmt::Display for Fact {
    /// In the plural, as in "no file has …".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Continent => "continents",
            Self::Country => "countries",
            Self::Subdivision => "parts of countries",
            Self::As => "AS numbers",
            Self::Coordinates => "coordinates",
        })
    }
}

/// What is known of an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Location {
    /// As the file says, or else by the country.
    pub continent: Option<Continent>,
    /// Where it is used.
    pub country: Option<Country>,
    /// The largest part of the country that the file names; always one of `country`.
    pub subdivision: Option<Subdivision>,
    /// The AS that announces it.
    pub asn: Option<u32>,
    /// About where it is used.
    pub coordinates: Option<Coordinates>,
}

impl Location {
    /// True where this is known.
    pub fn has(&self, fact: Fact) -> bool {
        match fact {
            Fact::Continent => self.continent.is_some(),
            Fact::Country => self.country.is_some(),
            Fact::Subdivision => self.subdivision.is_some(),
            Fact::As => self.asn.is_some(),
            Fact::Coordinates => self.coordinates.is_some(),
        }
    }

    /// What is known here, and what another knows beyond it.
    fn or(self, other: Self) -> Self {
        let country = self.country.or(other.country);
        let agrees = country == other.country;
        Self {
            continent: self.continent.or(other.continent),
            country,
            subdivision: self.subdivision.or(other.subdivision.filter(|_| agrees)),
            asn: self.asn.or(other.asn),
            coordinates: self.coordinates.or(other.coordinates),
        }
    }
}

impl fmt::Display for Location {
    /// What is known, the narrowest first: `DE-BE, Europe, AS64500, 52.5, 13.4`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match (self.subdivision, self.country) {
            (Some(part), _) => Some(part.to_string()),
            (None, country) => country.map(|country| country.to_string()),
        };
        let known = [
            place,
            self.continent.map(|continent| continent.name().to_owned()),
            self.asn.map(|number| format!("AS{number}")),
            self.coordinates.map(|coordinates| coordinates.to_string()),
        ];
        let known: Vec<String> = known.into_iter().flatten().collect();
        f.write_str(if known.is_empty() { "nowhere known" } else { "" })?;
        f.write_str(&known.join(", "))
    }
}

/// A file's content, with the name that errors call it by.
#[derive(Clone, Copy, Debug)]
pub struct File<'b> {
    /// As the operator knows it: its path.
    pub name: &'b str,
    /// All of it.
    pub bytes: &'b [u8],
}

/// A file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileError {
    /// Its name.
    pub file: String,
    /// What is wrong with it.
    pub problem: FileProblem,
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileProblem {
    /// It is no mmdb file at all.
    NotMmdb,
    /// It is one, and damaged.
    Broken {
        /// What is damaged, and where.
        reason: String,
    },
    /// It is a good one that says nothing of places.
    Kind {
        /// What it calls itself.
        kind: String,
        /// Some of what its records hold.
        keys: Vec<String>,
    },
}

impl FileProblem {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NotMmdb => {
                "give a MaxMind DB (.mmdb) file as it is inside the vendor's archive; \
                 CSV files are not read"
            }
            Self::Broken { .. } => "download the file again and compare its checksum",
            Self::Kind { .. } => {
                "give a file with countries, cities or AS numbers, such as a Country, City or ASN \
                 database"
            }
        }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, problem } = self;
        match problem {
            FileProblem::NotMmdb => write!(f, "{file} is not an mmdb file"),
            FileProblem::Broken { reason } => write!(f, "{file} is damaged: {reason}"),
            FileProblem::Kind { kind, keys } if keys.is_empty() => {
                write!(f, "{file} ({kind}) says nothing of places")
            }
            FileProblem::Kind { kind, keys } => {
                let keys = keys.join(", ");
                write!(f, "{file} ({kind}) says nothing of places: its records hold {keys}")
            }
        }
    }
}

impl std::error::Error for FileError {}

/// What is known of every address.
#[derive(Debug)]
pub struct Atlas {
    pub(super) v4: Runs<u32>,
    pub(super) v6: Runs6,
    /// By the values of the runs.
    pub(super) locations: Box<[Location]>,
    facts: Vec<Fact>,
}

impl Atlas {
    /// One that knows nothing.
    pub fn empty() -> Self {
        Self::of(vec![(0, 0)], vec![(0, 0)], vec![Location::default()])
    }

    /// Reads files, the most trusted first; all that cannot be used are told at once.
    pub fn read(files: &[File<'_>]) -> Result<Self, Vec<FileError>> {
        let mut merged: Option<mmdb::Contents> = None;
        let mut errors = Vec::new();
        for file in files {
            match mmdb::read(file.name, file.bytes) {
                Ok(contents) => {
                    merged = Some(match merged {
                        Some(known) => merge(&known, &contents),
                        None => contents,
                    });
                }
                Err(error) => errors.push(error),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let known = merged.map(|it| Self::of(it.v4, it.v6, it.locations.into_values()));
        Ok(known.unwrap_or_else(Self::empty))
    }

    fn of(v4: Spans<u32>, v6: Spans<u128>, locations: Vec<Location>) -> Self {
        let has = |fact: &Fact| locations.iter().any(|location| location.has(*fact));
        let facts = Fact::ALL.into_iter().filter(has).collect();
        Self { v4: Runs::new(v4), v6: Runs6::new(v6), locations: locations.into(), facts }
    }

    /// True where some address has this; where none has, a place that needs it holds nobody.
    pub fn has(&self, fact: Fact) -> bool {
        self.facts.contains(&fact)
    }

    /// All that some address has.
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// What is known of an address, and the widest network around it of which the same is known.
    pub fn locate(&self, address: IpAddr) -> (&Location, Network) {
        let hit = match address {
            IpAddr::V4(v4) => self.v4.find(v4.to_bits()),
            IpAddr::V6(v6) => self.v6.find(v6.to_bits()),
        };
        let network = Network::new(address, hit.length);
        let network = network.expect("no prefix is longer than an address of its family");
        (&self.locations[hit.value as usize], network)
    }

    /// Where each stretch of addresses begins of which the same is known, in order; IPv4 first.
    pub fn stretches(&self) -> impl Iterator<Item = (IpAddr, &Location)> {
        let v4 = self.v4.starts().map(|(at, location)| (Ipv4Addr::from_bits(at).into(), location));
        let v6 = self.v6.starts().map(|(at, location)| (Ipv6Addr::from_bits(at).into(), location));
        v4.chain(v6).map(|(at, location)| (at, &self.locations[location as usize]))
    }

    /// Bytes of memory.
    pub fn bytes(&self) -> usize {
        self.v4.bytes() + self.v6.bytes() + size_of_val(&*self.locations)
    }
}

/// What one file says, and what another says beyond it.
fn merge(one: &mmdb::Contents, other: &mmdb::Contents) -> mmdb::Contents {
    let mut locations = Interner::starting_with(Location::default());
    let v4 = merge_family(&one.v4, &other.v4, one, other, &mut locations);
    let v6 = merge_family(&one.v6, &other.v6, one, other, &mut locations);
    mmdb::Contents { v4, v6, locations }
}

fn merge_family<A: Bits>(
    spans: &Spans<A>,
    other_spans: &Spans<A>,
    one: &mmdb::Contents,
    other: &mmdb::Contents,
    locations: &mut Interner<Location>,
) -> Spans<A> {
    overlay(spans.iter().copied(), other_spans.iter().copied(), |a, b| {
        locations.add(one.locations.get(a).or(*other.locations.get(b)))
    })
}
