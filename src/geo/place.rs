//! Places as operators write them.
//!
//! ```text
//!  EU  AF  continent:AF        a continent
//!  DE  country:NA              a country, ISO 3166-1
//!  US-CA                       a part of a country, ISO 3166-2
//!  AS64500                     whoever announces the address, by AS number
//!  10.1.0.0/16  2001:db8::/32  a network; one address is a network too
//!  *                           anywhere
//! ```
//!
//! Four codes are both a continent and a country: `AF` (Africa, Afghanistan), `AS` (Asia, American
//! Samoa), `NA` (North America, Namibia) and `SA` (South America, Saudi Arabia). Alone they are the
//! continent, since lists of continents are what most people write; `country:SA` says the other. In
//! a list that names countries too (`["AE", "SA"]`) the other may well be meant, and [`doubtful`]
//! finds it.

use std::fmt;

use super::atlas::{Fact, Location};
use super::network::{Network, NetworkError};
use super::regions::{Continent, Country, Subdivision};

/// Where clients are that something is meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// `*`
    Anywhere,
    /// `EU`
    Continent(Continent),
    /// `DE`
    Country(Country),
    /// `US-CA`
    Subdivision(Subdivision),
    /// `AS64500`
    As(u32),
    /// `192.0.2.0/24`
    Network(Network),
}

/// How narrow a place is: of two that hold a client, the greater wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Specificity {
    /// `*`
    Anywhere,
    /// A continent.
    Continent,
    /// A country.
    Country,
    /// A part of a country.
    Subdivision,
    /// An AS number.
    As,
    /// What the operator knows better than any database; the longest prefix wins.
    Network(u8),
}

/// Why a text is no place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaceError {
    /// It has the form of none.
    Form,
    /// There is no such continent, although `continent:` stands before it.
    Continent,
    /// There is no such country.
    Country {
        /// The country that was probably meant.
        meant: Option<Country>,
    },
    /// Behind the country stand no one to three letters or digits.
    Part,
    /// No AS number from 1 to 4,294,967,295.
    As,
    /// No network.
    Network(NetworkError),
}

impl Place {
    /// Reads one place; codes in any case.
    pub fn parse(text: &str) -> Result<Self, PlaceError> {
        if text == "*" {
            return Ok(Self::Anywhere);
        }
        if let Some(code) = without_prefix(text, "continent:") {
            return Continent::from_code(code).map(Self::Continent).ok_or(PlaceError::Continent);
        }
        if let Some(code) = without_prefix(text, "country:") {
            return country(code).map(Self::Country);
        }
        if text.contains(['/', ':', '.']) {
            return Network::parse(text).map(Self::Network).map_err(PlaceError::Network);
        }
        if let Some(number) = without_prefix(text, "AS").filter(|rest| is_number(rest)) {
            let number = number.parse().ok().filter(|&number| number != 0);
            return number.map(Self::As).ok_or(PlaceError::As);
        }
        if let Some((code, part)) = text.split_once('-') {
            let found = Subdivision::new(country(code)?, part);
            return found.map(Self::Subdivision).ok_or(PlaceError::Part);
        }
        match Continent::from_code(text) {
            Some(continent) => Ok(Self::Continent(continent)),
            None => country(text).map(Self::Country),
        }
    }

    /// How narrow it is.
    pub fn specificity(&self) -> Specificity {
        match self {
            Self::Anywhere => Specificity::Anywhere,
            Self::Continent(_) => Specificity::Continent,
            Self::Country(_) => Specificity::Country,
            Self::Subdivision(_) => Specificity::Subdivision,
            Self::As(_) => Specificity::As,
            Self::Network(network) => Specificity::Network(network.length()),
        }
    }

    /// What must be known of an address to tell whether it is there; nothing for `*` and networks.
    pub fn needs(&self) -> Option<Fact> {
        match self {
            Self::Anywhere | Self::Network(_) => None,
            Self::Continent(_) => Some(Fact::Continent),
            Self::Country(_) => Some(Fact::Country),
            Self::Subdivision(_) => Some(Fact::Subdivision),
            Self::As(_) => Some(Fact::As),
        }
    }

    /// True where a client is there, by its location and by the networks it is in.
    pub fn holds(&self, location: &Location, networks: &[Network]) -> bool {
        match self {
            Self::Anywhere => true,
            Self::Continent(continent) => location.continent == Some(*continent),
            Self::Country(country) => location.country == Some(*country),
            Self::Subdivision(part) => location.subdivision == Some(*part),
            Self::As(number) => location.asn == Some(*number),
            Self::Network(network) => networks.contains(network),
        }
    }
}

fn without_prefix<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit())
}

fn country(code: &str) -> Result<Country, PlaceError> {
    let meant = Country::meant_by(code);
    // What has not the form of a code is a slip of another kind, unless it is a known one.
    if meant.is_none() && !(code.len() == 2 && code.bytes().all(|c| c.is_ascii_alphabetic())) {
        return Err(PlaceError::Form);
    }
    Country::from_code(code).ok_or(PlaceError::Country { meant })
}

/// A code that was read as a continent and may have been meant as a country.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// Its index in the list.
    pub index: usize,
    /// What it was read as; `continent:` before it says that this is meant.
    pub continent: Continent,
    /// What else it could be; `country:` before it says so.
    pub country: Country,
    /// The name of that country.
    pub name: &'static str,
}

/// The entries of one list of places that may not have been meant as they are read: a bare `AF`,
/// `AS`, `NA` or `SA` in the company of countries or parts of them.
pub fn doubtful<'t>(list: impl IntoIterator<Item = &'t str>) -> Vec<Doubt> {
    let list: Vec<&str> = list.into_iter().collect();
    let narrow =
        |text: &&str| matches!(Place::parse(text), Ok(Place::Country(_) | Place::Subdivision(_)));
    if !list.iter().any(narrow) {
        return Vec::new();
    }
    let doubt = |(index, text): (usize, &&str)| {
        let (continent, country) = (Continent::from_code(text)?, Country::from_code(text)?);
        let name = match continent {
            Continent::Africa => "Afghanistan",
            Continent::Asia => "American Samoa",
            Continent::NorthAmerica => "Namibia",
            Continent::SouthAmerica => "Saudi Arabia",
            // Their codes are no country's.
            Continent::Antarctica | Continent::Europe | Continent::Oceania => return None,
        };
        Some(Doubt { index, continent, country, name })
    };
    list.iter().enumerate().filter_map(doubt).collect()
}

impl fmt::Display for Place {
    /// As an operator would write it, so that it reads back as itself.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anywhere => f.write_str("*"),
            Self::Continent(continent) => write!(f, "{continent}"),
            Self::Country(country) if Continent::from_code(&country.to_string()).is_some() => {
                write!(f, "country:{country}")
            }
            Self::Country(country) => write!(f, "{country}"),
            Self::Subdivision(part) => write!(f, "{part}"),
            Self::As(number) => write!(f, "AS{number}"),
            Self::Network(network) => write!(f, "{network}"),
        }
    }
}

impl PlaceError {
    /// What to write instead.
    pub fn help(&self) -> String {
        match self {
            Self::Form => "a place is a continent (EU), a country (DE), a part of one (US-CA), \
                           AS64500, a network (192.0.2.0/24), or *"
                .to_owned(),
            Self::Continent => {
                let all: Vec<&str> = Continent::all().map(Continent::code).collect();
                format!("one of {}", all.join(", "))
            }
            Self::Country { meant: Some(country) } => format!("did you mean {country}?"),
            Self::Country { meant: None } => {
                "countries have the two letters of ISO 3166-1, as in DE".to_owned()
            }
            Self::Part => "as in US-CA: the country, then one to three letters or digits of \
                           ISO 3166-2"
                .to_owned(),
            Self::As => "AS numbers go from AS1 to AS4294967295".to_owned(),
            Self::Network(NetworkError::HostBits { network }) => format!("write {network}"),
            Self::Network(NetworkError::Address | NetworkError::Length { .. }) => {
                "as in 192.0.2.0/24 or 2001:db8::/32".to_owned()
            }
        }
    }
}

impl fmt::Display for PlaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => f.write_str("not a place"),
            Self::Continent => f.write_str("not a continent"),
            Self::Country { .. } => f.write_str("not a country"),
            Self::Part => f.write_str("not a part of a country"),
            Self::As => f.write_str("not an AS number"),
            Self::Network(error) => write!(f, "not a network: {error}"),
        }
    }
}

impl std::error::Error for PlaceError {}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a text reads as: the kind with its value, or the error with its remedy.
    fn check(text: &str, expected: &str) {
        let found = match Place::parse(text) {
            Ok(place) => {
                let again = Place::parse(&place.to_string());
                assert_eq!(again, Ok(place), "{text} is written as {place}");
                format!("{place:?}")
            }
            Err(error) => format!("{error} ({})", error.help()),
        };
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn reads_places() {
        check("*", "Anywhere");
        check("EU", "Continent(Europe)");
        check("af", "Continent(Africa)");
        check("AS", "Continent(Asia)");
        check("NA", "Continent(NorthAmerica)");
        check("SA", "Continent(SouthAmerica)");
        check("AN", "Continent(Antarctica)");
        check("OC", "Continent(Oceania)");
        check("continent:SA", "Continent(SouthAmerica)");
        check("country:SA", "Country(SA)");
        check("country:de", "Country(DE)");
        check("DE", "Country(DE)");
        check("xk", "Country(XK)");
        check("US-CA", "Subdivision(US-CA)");
        check("na-kh", "Subdivision(NA-KH)");
        check("AS-1", "Subdivision(AS-1)");
        check("AS64500", "As(64500)");
        check("as4294967295", "As(4294967295)");
        check("10.1.0.0/16", "Network(10.1.0.0/16)");
        check("2001:db8::/32", "Network(2001:db8::/32)");
        check("192.0.2.1", "Network(192.0.2.1/32)");
    }

    #[test]
    fn refuses_what_is_no_place() {
        let form = "not a place (a place is a continent (EU), a country (DE), a part of one \
                    (US-CA), AS64500, a network (192.0.2.0/24), or *)";
        for text in ["", "Germany", "D", "D3", "**", "ASX", " DE", "-CA", "Süd", "49"] {
            check(text, form);
        }
        check("QQ", "not a country (countries have the two letters of ISO 3166-1, as in DE)");
        check("UK", "not a country (did you mean GB?)");
        check("usa", "not a country (did you mean US?)");
        check("UK-ENG", "not a country (did you mean GB?)");
        check(
            "country:EU",
            "not a country (countries have the two letters of ISO 3166-1, as in DE)",
        );
        check("continent:DE", "not a continent (one of AF, AN, AS, EU, NA, OC, SA)");
        let part = "not a part of a country (as in US-CA: the country, then one to three letters \
                    or digits of ISO 3166-2)";
        for text in ["US-", "US-CALI", "US-C A", "US-CA-X"] {
            check(text, part);
        }
        check("AS0", "not an AS number (AS numbers go from AS1 to AS4294967295)");
        check("AS4294967296", "not an AS number (AS numbers go from AS1 to AS4294967295)");
        check("10.1.2.3/16", "not a network: bits are set beyond the prefix (write 10.1.0.0/16)");
        check(
            "contient:EU",
            "not a network: no IPv4 or IPv6 address before the slash \
             (as in 192.0.2.0/24 or 2001:db8::/32)",
        );
    }

    #[test]
    fn exactly_four_codes_are_both_a_continent_and_a_country() {
        let both = Continent::all().filter(|it| Country::from_code(it.code()).is_some());
        let codes: Vec<&str> = both.map(Continent::code).collect();
        assert_eq!(codes, ["AF", "AS", "NA", "SA"]);
        for code in codes {
            assert_eq!(doubtful(["DE", code]).len(), 1, "{code}");
        }
    }

    #[test]
    fn a_code_is_in_doubt_only_among_countries() {
        for (list, expected) in [
            (&["EU", "AF"] as &[&str], &[] as &[usize]),
            (&["SA"], &[]),
            (&["SA", "*", "192.0.2.0/24", "AS64500"], &[]),
            (&["AE", "SA"], &[1]),
            (&["AF", "US-CA", "NA", "EU"], &[0, 2]),
            (&["AE", "continent:SA"], &[]),
            (&["AE", "country:SA"], &[]),
        ] {
            let found: Vec<usize> =
                doubtful(list.iter().copied()).iter().map(|doubt| doubt.index).collect();
            assert_eq!(found, expected, "{list:?}");
        }
    }

    #[test]
    fn the_narrowest_place_is_the_greatest() {
        let texts = ["*", "EU", "DE", "DE-BE", "AS64500", "0.0.0.0/0", "192.0.2.0/24", "::1"];
        let order = texts.map(|text| Place::parse(text).unwrap().specificity());
        assert!(order.is_sorted_by(|a, b| a < b), "{order:?}");
    }
}
