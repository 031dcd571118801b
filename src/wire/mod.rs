//! Floor 1: DNS messages as bytes.
//!
//! Everything here works on slices that somebody else owns, allocates nothing on the way of a
//! query (only [`Name`], which is for the cold, owns memory) and cannot panic on any input.

pub mod codes;
pub mod cookie;
pub mod edns;
pub mod fold;
pub mod frame;
pub mod freshness;
pub mod header;
pub mod name;
pub mod options;
pub mod proxy;
pub mod query;
pub mod subnet;
pub mod writer;

pub use codes::{Class, Rcode, RecordType};
pub use edns::{Edns, Opt};
pub use fold::Folded;
pub use header::Header;
pub use name::{Name, NameError};
pub use options::{ExtendedError, OptionCode, Options};
pub use query::{Malformed, Query};
pub use subnet::Subnet;
pub use writer::{Full, Owner, Section, Writer};
