//! Floor 2: zones as operators author them.
//!
//! A zone's ordinary records come from a master file (RFC 1035 §5) or from the `[zone]` table of
//! its TOML file; both are gathered by a [`RecordsBuilder`] and end as the same [`Records`], which
//! `snapshot` makes ready to be looked up. A zone may have a million of them.

mod builder;
pub mod check;
pub mod diagnostic;
pub mod masterfile;
pub mod rdata;
mod records;

pub use builder::{Added, RecordsBuilder};
pub use diagnostic::{Diagnostic, Place, Severity, Source};
pub use masterfile::{MasterFile, Places};
pub use records::{Records, Rrset, unpack};
