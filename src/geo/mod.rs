//! Floor 2: where an address is.
//!
//! ```text
//!  mmdb files ──► Atlas: what is known of an address ─┐
//!                 the operator's networks ────────────┼─► Index: address → class, prefix
//!                 what the configuration asks ────────┘     └─► Ranking: address → order of pools
//! ```
//!
//! In the cold, [`Atlas::read`] takes files of any vendor, of countries, cities and AS numbers, and
//! lays them over each other. Of that an [`Index`] keeps only what one rule of the configuration
//! tells apart, with the operator's networks above it; [`Ranking`] is an index whose classes are
//! orders of choices, by [`Place`] or by distance. In the hot, a look-up is a few loads, allocates
//! nothing, and says for how wide a network it holds (RFC 7871 §7.2.1).
//!
//! Files come as bytes: who opens them stands above the I/O line.

mod atlas;
mod coordinates;
mod index;
mod intern;
mod mmdb;
mod network;
mod place;
mod ranking;
mod record;
mod regions;
mod runs;

pub use atlas::{Atlas, Fact, File, FileError, FileProblem, Location};
pub use coordinates::{Coordinates, CoordinatesError, distance};
pub use index::{Class, Index, Spot};
pub use network::{Network, NetworkError};
pub use place::{Doubt, Place, PlaceError, Specificity, doubtful};
pub use ranking::{CHOICES_MAX, POINTS_MAX, Ranked, Ranking, TooMany};
pub use regions::{Continent, Country, Subdivision};
