//! Continents, countries and their subdivisions, as codes.
//!
//! Countries are those of ISO 3166-1 and Kosovo (`XK`), which geographic databases and the European
//! Union list although the standard does not. A database that says nothing of continents is helped
//! by the table here: which continent a country counts to is a convention, and this is that of
//! GeoNames, which the databases that do have continents follow too (Turkey is in Asia, Russia in
//! Europe). Subdivisions (ISO 3166-2) change every year, so only their form is checked.

use std::fmt;

/// A continent, by the code that databases use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Continent {
    /// `AF`
    Africa,
    /// `AN`
    Antarctica,
    /// `AS`
    Asia,
    /// `EU`
    Europe,
    /// `NA`: Canada to Panama, Greenland and the Caribbean.
    NorthAmerica,
    /// `OC`
    Oceania,
    /// `SA`
    SouthAmerica,
}

/// Every continent with its code, its name, and its countries.
#[rustfmt::skip]
const CONTINENTS: [(Continent, &str, &str, &str); 7] = [
    (Continent::Africa, "AF", "Africa",
        "AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG EH ER ET GA GH GM GN GQ GW KE KM LR LS LY MA \
         MG ML MR MU MW MZ NA NE NG RE RW SC SD SH SL SN SO SS ST SZ TD TG TN TZ UG YT ZA ZM ZW"),
    (Continent::Antarctica, "AN", "Antarctica",
        "AQ BV GS HM TF"),
    (Continent::Asia, "AS", "Asia",
        "AE AF AM AZ BD BH BN BT CC CN CX GE HK ID IL IN IO IQ IR JO JP KG KH KP KR KW KZ LA LB \
         LK MM MN MO MV MY NP OM PH PK PS QA SA SG SY TH TJ TM TR TW UZ VN YE"),
    (Continent::Europe, "EU", "Europe",
        "AD AL AT AX BA BE BG BY CH CY CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE \
         LI LT LU LV MC MD ME MK MT NL NO PL PT RO RS RU SE SI SJ SK SM UA VA XK"),
    (Continent::NorthAmerica, "NA", "North America",
        "AG AI AW BB BL BM BQ BS BZ CA CR CU CW DM DO GD GL GP GT HN HT JM KN KY LC MF MQ MS MX \
         NI PA PM PR SV SX TC TT US VC VG VI"),
    (Continent::Oceania, "OC", "Oceania",
        "AS AU CK FJ FM GU KI MH MP NC NF NR NU NZ PF PG PN PW SB TK TL TO TV UM VU WF WS"),
    (Continent::SouthAmerica, "SA", "South America",
        "AR BO BR CL CO EC FK GF GY PE PY SR UY VE"),
];

/// What is written for a country though its code is another, or was another once.
const MISWRITTEN: [(&str, &str); 12] = [
    ("UK", "GB"),
    ("GBR", "GB"),
    ("USA", "US"),
    ("UAE", "AE"),
    ("EL", "GR"),
    ("BU", "MM"),
    ("CS", "RS"),
    ("FX", "FR"),
    ("SU", "RU"),
    ("TP", "TL"),
    ("YU", "RS"),
    ("ZR", "CD"),
];

impl Continent {
    /// The continent of a code, in any case.
    pub fn from_code(code: &str) -> Option<Self> {
        let found = CONTINENTS.iter().find(|(_, own, _, _)| own.eq_ignore_ascii_case(code));
        found.map(|&(continent, ..)| continent)
    }

    /// Its two letters.
    pub fn code(self) -> &'static str {
        self.row().1
    }

    /// Its name in English.
    pub fn name(self) -> &'static str {
        self.row().2
    }

    /// All of them, by their codes.
    pub fn all() -> impl Iterator<Item = Self> {
        CONTINENTS.iter().map(|&(continent, ..)| continent)
    }

    fn row(self) -> &'static (Self, &'static str, &'static str, &'static str) {
        // The table stands in the order of the enum.
        &CONTINENTS[self as usize]
    }
}

impl fmt::Display for Continent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A country of ISO 3166-1, or Kosovo.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 2]);

impl Country {
    /// The country of a two-letter code, in any case; none where there is no such country.
    pub fn from_code(code: &str) -> Option<Self> {
        let letters: [u8; 2] = code.as_bytes().try_into().ok()?;
        let country = Self(letters.map(|letter| letter.to_ascii_uppercase()));
        country.find_continent().map(|_| country)
    }

    /// The continent that it counts to.
    pub fn continent(self) -> Continent {
        self.find_continent().expect("a country is only made where the table has it")
    }

    /// Every country, continent by continent.
    pub fn all() -> impl Iterator<Item = Self> {
        let codes = CONTINENTS.iter().flat_map(|(_, _, _, codes)| codes.split(' '));
        codes.filter_map(Self::from_code)
    }

    /// The code that was meant by one that is no country's, where that is known.
    pub fn meant_by(code: &str) -> Option<Self> {
        let found = MISWRITTEN.iter().find(|(wrong, _)| wrong.eq_ignore_ascii_case(code));
        found.and_then(|(_, right)| Self::from_code(right))
    }

    fn find_continent(self) -> Option<Continent> {
        let has = |codes: &str| codes.as_bytes().chunks(3).any(|code| code[..2] == self.0);
        CONTINENTS.iter().find(|(_, _, _, codes)| has(codes)).map(|&(continent, ..)| continent)
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|&letter| write!(f, "{}", char::from(letter)))
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A part of a country by its ISO 3166-2 code: `US-CA`, `GB-ENG`, `FR-75`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subdivision {
    country: Country,
    /// Padded at its end with zeros.
    part: [u8; 3],
}

impl Subdivision {
    /// A part of a country: one to three letters or digits, in any case.
    pub fn new(country: Country, part: &str) -> Option<Self> {
        let fits = (1..=3).contains(&part.len()) && part.bytes().all(|c| c.is_ascii_alphanumeric());
        let mut padded = [0; 3];
        for (to, from) in padded.iter_mut().zip(part.bytes()).filter(|_| fits) {
            *to = from.to_ascii_uppercase();
        }
        fits.then_some(Self { country, part: padded })
    }

    /// The country that it is a part of.
    pub fn country(self) -> Country {
        self.country
    }
}

impl fmt::Display for Subdivision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-", self.country)?;
        let part = self.part.iter().filter(|&&letter| letter != 0);
        part.into_iter().try_for_each(|&letter| write!(f, "{}", char::from(letter)))
    }
}

impl fmt::Debug for Subdivision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_country_is_on_one_continent() {
        let all: Vec<Country> = Country::all().collect();
        // ISO 3166-1 has 249; XK is not among them.
        assert_eq!(all.len(), 250);
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 250);
        let listed: usize =
            CONTINENTS.iter().map(|(_, _, _, codes)| codes.split(' ').count()).sum();
        assert_eq!(listed, 250);
        for continent in Continent::all() {
            assert_eq!(Continent::from_code(continent.code()), Some(continent));
        }
    }

    fn check(code: &str, expected: Option<(&str, Continent)>) {
        let found = Country::from_code(code).map(|it| (it.to_string(), it.continent()));
        let expected = expected.map(|(code, continent)| (code.to_owned(), continent));
        assert_eq!(found, expected, "{code}");
    }

    #[test]
    fn codes_lead_to_countries() {
        check("DE", Some(("DE", Continent::Europe)));
        check("us", Some(("US", Continent::NorthAmerica)));
        check("AF", Some(("AF", Continent::Asia)));
        check("NA", Some(("NA", Continent::Africa)));
        check("XK", Some(("XK", Continent::Europe)));
        // The ends of a line of the table, and what stands across its spaces.
        check("MA", Some(("MA", Continent::Africa)));
        check("ZW", Some(("ZW", Continent::Africa)));
        check("O ", None);
        check("EU", None);
        check("UK", None);
        check("DEU", None);
        check("", None);
        check("É", None);
    }

    #[test]
    fn miswritten_codes_lead_to_real_ones() {
        for (wrong, right) in MISWRITTEN {
            assert_eq!(Country::from_code(wrong), None, "{wrong}");
            assert_eq!(Country::meant_by(wrong), Country::from_code(right), "{wrong}");
            assert!(Country::meant_by(wrong).is_some(), "{wrong}");
        }
    }

    #[test]
    fn subdivisions_have_one_to_three_letters_or_digits() {
        let us = Country::from_code("US").unwrap();
        for (part, expected) in [
            ("CA", Some("US-CA")),
            ("ca", Some("US-CA")),
            ("7", Some("US-7")),
            ("ENG", Some("US-ENG")),
            ("", None),
            ("FOUR", None),
            ("C-", None),
            ("É", None),
        ] {
            let found = Subdivision::new(us, part).map(|it| it.to_string());
            assert_eq!(found.as_deref(), expected, "{part}");
        }
    }
}
