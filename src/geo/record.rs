//! What one record of an mmdb file says of a place.
//!
//! Vendors lay their records out differently; [`COUNTRY`] and its neighbours list where each fact
//! may stand. What a record says in another form, or of a country that does not exist (`EU`, `AP`),
//! it does not say. The country where a network is registered is not taken for the one where it is
//! used: for addresses that are used everywhere it would be wrong nearly everywhere.

use std::fmt;

use maxminddb::PathElement::{Index, Key};
use maxminddb::{LookupResult, MaxMindDbError, PathElement};
use serde::de::{Deserialize, Deserializer, Visitor};

use super::atlas::Location;
use super::coordinates::Coordinates;
use super::regions::{Continent, Country, Subdivision};

type Path = &'static [PathElement<'static>];

/// Where a continent's code may stand.
const CONTINENT: [Path; 3] =
    [&[Key("continent"), Key("code")], &[Key("continent_code")], &[Key("continent")]];
/// Where a country's code may stand.
const COUNTRY: [Path; 3] =
    [&[Key("country"), Key("iso_code")], &[Key("country_code")], &[Key("country")]];
/// Where a subdivision's code may stand, with its country before it or without.
const SUBDIVISION: [Path; 3] = [
    &[Key("subdivisions"), Index(0), Key("iso_code")],
    &[Key("region_code")],
    &[Key("subdivision_code")],
];
/// Where an AS number may stand, as a number or as text (`AS64500`).
const ASN: [Path; 4] = [
    &[Key("autonomous_system_number")],
    &[Key("asn")],
    &[Key("as_number")],
    &[Key("traits"), Key("autonomous_system_number")],
];
/// Where coordinates may stand, as numbers or as text.
const COORDINATES: [(Path, Path); 3] = [
    (&[Key("location"), Key("latitude")], &[Key("location"), Key("longitude")]),
    (&[Key("latitude")], &[Key("longitude")]),
    (&[Key("lat")], &[Key("lng")]),
];

/// What a record says of a place.
pub(super) fn location(record: LookupResult<'_, &[u8]>) -> Result<Location, MaxMindDbError> {
    let record = Record(record);
    let country = record.first(&COUNTRY, Country::from_code)?;
    let continent = record.first(&CONTINENT, Continent::from_code)?;
    let part = |text: &str| {
        let country = country?;
        let own = text.split_once('-').map_or(Some(text), |(before, part)| {
            (Country::from_code(before) == Some(country)).then_some(part)
        });
        Subdivision::new(country, own?)
    };
    Ok(Location {
        continent: continent.or_else(|| country.map(Country::continent)),
        country,
        subdivision: record.first(&SUBDIVISION, part)?,
        asn: record.asn()?,
        coordinates: record.coordinates()?,
    })
}

struct Record<'r, 'b>(LookupResult<'r, &'b [u8]>);

impl<'r> Record<'r, '_> {
    /// What the first of the places makes, where there is a text at it that makes something.
    fn first<T>(
        &self,
        paths: &[Path],
        make: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, MaxMindDbError> {
        for path in paths {
            if let Some(made) = self.at::<&str>(path)?.and_then(&make) {
                return Ok(Some(made));
            }
        }
        Ok(None)
    }

    fn asn(&self) -> Result<Option<u32>, MaxMindDbError> {
        for path in ASN {
            let number = match self.at(path)? {
                Some(Scalar::Number(number)) if number <= f64::from(u32::MAX) => number as u32,
                Some(Scalar::Text(text)) => {
                    text.strip_prefix("AS").unwrap_or(text).parse().unwrap_or(0)
                }
                Some(Scalar::Number(_)) | None => 0,
            };
            // AS 0 announces nothing. RFC 7607.
            if number != 0 {
                return Ok(Some(number));
            }
        }
        Ok(None)
    }

    fn coordinates(&self) -> Result<Option<Coordinates>, MaxMindDbError> {
        for (latitude, longitude) in COORDINATES {
            if let Some(latitude) = self.degrees(latitude)?
                && let Some(longitude) = self.degrees(longitude)?
            {
                return Ok(Coordinates::new(latitude, longitude));
            }
        }
        Ok(None)
    }

    fn degrees(&self, path: Path) -> Result<Option<f64>, MaxMindDbError> {
        Ok(match self.at(path)? {
            Some(Scalar::Number(number)) => Some(number),
            Some(Scalar::Text(text)) => text.parse().ok(),
            None => None,
        })
    }

    /// The value at a path; none where there is none of this form.
    fn at<T: Deserialize<'r>>(&self, path: Path) -> Result<Option<T>, MaxMindDbError> {
        match self.0.decode_path(path) {
            // Another form of value, here or on the way: it is another vendor's layout.
            Err(MaxMindDbError::Decoding { .. }) => Ok(None),
            other => other,
        }
    }
}

/// A number of any type, or a text that may hold one.
enum Scalar<'r> {
    Number(f64),
    Text(&'r str),
}

impl<'r> Deserialize<'r> for Scalar<'r> {
    fn deserialize<D: Deserializer<'r>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'r> Visitor<'r> for ScalarVisitor {
    type Value = Scalar<'r>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number or a text")
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Scalar::Number(number as f64))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Scalar::Number(number))
    }

    fn visit_borrowed_str<E>(self, text: &'r str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(text))
    }
}
