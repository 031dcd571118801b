//! Where on the globe, and how far apart.
//!
//! Which of many places is nearest is decided by the straight line through the globe: it grows as
//! the way over the surface does, needs no trigonometry for a pair of places, and is exact for
//! near ones, where the usual cosine formula loses its digits.

use std::fmt;

/// The mean radius of the Earth (IUGG). The true figure is 0.3 % flatter, which moves a border
/// between two places by less than databases err.
const EARTH_RADIUS_KM: f64 = 6371.0088;
const PER_DEGREE: f64 = 1e6;

/// Latitude and longitude, kept to a millionth of a degree (11 cm).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Coordinates {
    latitude: i32,
    longitude: i32,
}

/// Why a text is no coordinates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoordinatesError {
    /// Not two numbers with a comma between them.
    Form,
    /// The latitude is beyond a pole.
    Latitude {
        /// What was probably meant: the longitude was written first.
        meant: Option<Coordinates>,
    },
    /// The longitude is more than half way round.
    Longitude,
}

impl Coordinates {
    /// Reads `52.52, 13.40`: latitude, then longitude.
    pub fn parse(text: &str) -> Result<Self, CoordinatesError> {
        let degrees = |text: &str| {
            let text = text.trim();
            // What else `f64` reads (inf, nan, 1e3) is nobody's place.
            let plain = |c: char| c.is_ascii_digit() || "+-.".contains(c);
            text.parse::<f64>().ok().filter(|_| text.chars().all(plain))
        };
        let both = text.split_once(',').and_then(|(a, b)| Some((degrees(a)?, degrees(b)?)));
        let (latitude, longitude) = both.ok_or(CoordinatesError::Form)?;
        let made = Self::new(latitude, longitude);
        made.ok_or_else(|| match Self::new(latitude, 0.0) {
            Some(_) => CoordinatesError::Longitude,
            None => CoordinatesError::Latitude { meant: Self::new(longitude, latitude) },
        })
    }

    /// In degrees: latitude -90 to 90, north positive; longitude -180 to 180, east positive. None
    /// where they are out of range or no numbers.
    pub fn new(latitude: f64, longitude: f64) -> Option<Self> {
        let fits = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
        let micro = |degrees: f64| (degrees * PER_DEGREE).round() as i32;
        fits.then(|| Self { latitude: micro(latitude), longitude: micro(longitude) })
    }

    /// In degrees.
    pub fn latitude(self) -> f64 {
        f64::from(self.latitude) / PER_DEGREE
    }

    /// In degrees.
    pub fn longitude(self) -> f64 {
        f64::from(self.longitude) / PER_DEGREE
    }

    /// Where on a globe of radius 1.
    pub(super) fn on_globe(self) -> Globe {
        let (latitude, longitude) = (self.latitude().to_radians(), self.longitude().to_radians());
        Globe([latitude.cos() * longitude.cos(), latitude.cos() * longitude.sin(), latitude.sin()])
    }
}

/// The great-circle distance in kilometres.
pub fn distance(a: Coordinates, b: Coordinates) -> f64 {
    let half_chord = a.on_globe().chord_squared(&b.on_globe()).sqrt() / 2.0;
    2.0 * EARTH_RADIUS_KM * half_chord.min(1.0).asin()
}

/// A point of a globe of radius 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Globe([f64; 3]);

impl Globe {
    /// The square of the straight line between two points: in the order of their distance.
    pub(super) fn chord_squared(&self, other: &Self) -> f64 {
        self.0.iter().zip(other.0).map(|(a, b)| (a - b) * (a - b)).sum()
    }
}

impl fmt::Display for Coordinates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.latitude(), self.longitude())
    }
}

impl fmt::Debug for Coordinates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl CoordinatesError {
    /// What to write instead.
    pub fn help(self) -> String {
        match self {
            Self::Form => "write degrees, latitude first, south and west negative: \
                           \"52.52, 13.40\""
                .to_owned(),
            Self::Latitude { meant: Some(meant) } => {
                format!("latitude comes first: did you mean \"{meant}\"?")
            }
            Self::Latitude { meant: None } => "latitudes go from -90 to 90".to_owned(),
            Self::Longitude => "longitudes go from -180 to 180".to_owned(),
        }
    }
}

impl fmt::Display for CoordinatesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "not coordinates",
            Self::Latitude { .. } => "not a latitude",
            Self::Longitude => "not a longitude",
        })
    }
}

impl std::error::Error for CoordinatesError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(a: (f64, f64), b: (f64, f64), expected_km: f64) {
        let at = |(latitude, longitude)| Coordinates::new(latitude, longitude).unwrap();
        for found in [distance(at(a), at(b)), distance(at(b), at(a))] {
            assert!((found - expected_km).abs() < 0.5 + expected_km * 1e-3, "{a:?} {b:?} {found}");
        }
    }

    #[test]
    fn distances_are_those_of_the_globe() {
        check((0.0, 0.0), (0.0, 0.0), 0.0);
        // A quarter of the equator and of a meridian; the poles; one degree; over the date line.
        check((0.0, 0.0), (0.0, 90.0), 10_007.5);
        check((0.0, 0.0), (90.0, 0.0), 10_007.5);
        check((90.0, 0.0), (-90.0, 77.0), 20_015.1);
        check((0.0, 0.0), (0.0, 180.0), 20_015.1);
        check((0.0, 0.0), (1.0, 0.0), 111.2);
        check((0.0, 179.5), (0.0, -179.5), 111.2);
        check((60.0, 0.0), (60.0, 1.0), 55.6);
        // Frankfurt to Tokyo, New York to London.
        check((50.11, 8.68), (35.68, 139.69), 9_340.0);
        check((40.71, -74.01), (51.51, -0.13), 5_570.0);
        // Eleven metres.
        check((50.0, 8.0), (50.0001, 8.0), 0.011);
    }

    #[test]
    fn places_off_the_globe_are_refused() {
        for (latitude, longitude, fits) in [
            (90.0, 180.0, true),
            (-90.0, -180.0, true),
            (90.1, 0.0, false),
            (0.0, 180.1, false),
            (f64::NAN, 0.0, false),
            (0.0, f64::INFINITY, false),
        ] {
            let made = Coordinates::new(latitude, longitude);
            assert_eq!(made.is_some(), fits, "{latitude}, {longitude}");
        }
        let made = Coordinates::new(50.1109, -8.682_127).unwrap();
        assert_eq!(made.to_string(), "50.1109, -8.682127");
    }

    #[test]
    fn coordinates_are_two_numbers_of_degrees() {
        for (text, expected) in [
            ("52.52, 13.40", "52.52, 13.4"),
            ("-33.87,151.21", "-33.87, 151.21"),
            (" +90 , -180 ", "90, -180"),
            ("0,0", "0, 0"),
            ("139.69, 35.68", "latitude comes first: did you mean \"35.68, 139.69\"?"),
            ("139.69, 235.68", "latitudes go from -90 to 90"),
            ("35.68, 239.69", "longitudes go from -180 to 180"),
        ] {
            let found = Coordinates::parse(text);
            let found = found.map_or_else(CoordinatesError::help, |made| made.to_string());
            assert_eq!(found, expected, "{text}");
        }
        for text in ["", ",", "1", "1 2", "1,2,3", "52.52N, 13.4E", "nan, 0", "1e1, 0", "a, b"] {
            assert_eq!(Coordinates::parse(text), Err(CoordinatesError::Form), "{text}");
        }
    }
}
