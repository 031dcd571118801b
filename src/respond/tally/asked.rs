//! What queries ask for, as far as it is counted.
//!
//! A client can ask for 65,536 types, and would make as many counters. These have one each: those
//! that resolvers, browsers and mail servers ask for by themselves, and those that say something of
//! who asks (`ANY`, transfers). All others share one.

use crate::wire::RecordType;

/// Types with a counter of their own, by their numbers.
const TYPES: [RecordType; 21] = [
    RecordType::A,
    RecordType::NS,
    RecordType::CNAME,
    RecordType::SOA,
    RecordType::PTR,
    RecordType::MX,
    RecordType::TXT,
    RecordType::AAAA,
    RecordType::SRV,
    RecordType::NAPTR,
    RecordType::DNAME,
    RecordType::DS,
    RecordType::DNSKEY,
    RecordType::CDS,
    RecordType::TLSA,
    RecordType::SVCB,
    RecordType::HTTPS,
    RecordType::IXFR,
    RecordType::AXFR,
    RecordType::ANY,
    RecordType::CAA,
];

const OTHER: u8 = TYPES.len() as u8;
const NOTHING: u8 = OTHER + 1;

/// One beyond the greatest number of a type that has a counter.
const NUMBERS: usize = RecordType::CAA.0 as usize + 1;

/// By the number of a type: its place in [`TYPES`], or [`OTHER`].
const PLACES: [u8; NUMBERS] = {
    let mut places = [OTHER; NUMBERS];
    let mut at = 0;
    while at < TYPES.len() {
        places[TYPES[at].0 as usize] = at as u8;
        at += 1;
    }
    places
};

/// What a query asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked(u8);

impl Asked {
    /// How many there are.
    pub const COUNT: usize = TYPES.len() + 2;

    /// No question that could be read.
    pub const NOTHING: Self = Self(NOTHING);

    /// The type, or all that have no counter of their own.
    pub fn of(rtype: RecordType) -> Self {
        Self(PLACES.get(usize::from(rtype.0)).copied().unwrap_or(OTHER))
    }

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..=NOTHING).map(Self)
    }

    /// The mnemonic of the type, `other` or `none`.
    pub fn word(self) -> String {
        match TYPES.get(usize::from(self.0)) {
            Some(rtype) => rtype.to_string(),
            None if self == Self::NOTHING => String::from("none"),
            None => String::from("other"),
        }
    }

    pub(super) fn index(self) -> usize {
        usize::from(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_words_or_share_one() {
        for (number, expected) in [
            (0, "other"),
            (1, "A"),
            (28, "AAAA"),
            (65, "HTTPS"),
            (66, "other"),
            (255, "ANY"),
            (256, "other"),
            (257, "CAA"),
            (258, "other"),
            (65_535, "other"),
        ] {
            assert_eq!(Asked::of(RecordType(number)).word(), expected, "{number}");
        }
        assert_eq!(Asked::NOTHING.word(), "none");
        let words: Vec<String> = Asked::all().map(Asked::word).collect();
        assert_eq!(words.len(), Asked::COUNT);
        let distinct: std::collections::HashSet<_> = words.iter().collect();
        assert_eq!(distinct.len(), Asked::COUNT);
    }
}
