//! Floor 1: DNS messages as bytes.
//!
//! Everything here works on slices that somebody else owns, allocates nothing on the way of a
//! query (only [`Name`], which is for the cold, owns memory) and cannot panic on any input.

pub mod codes;
pub mod name;

pub use codes::{Class, Rcode, RecordType};
pub use name::{Name, NameError};
