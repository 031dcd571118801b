//! Floor 6: one execution of a check.
//!
//! [`health`](crate::health) decides what is due and what a verdict means; here is what touches the
//! network in between. One file per kind of check, each a function from a target to an
//! [`Outcome`](crate::health::Outcome) that ends by its deadline whatever the target does:
//!
//! * [`http`] asks over HTTP and HTTPS,
//! * [`failure`] tells the target's faults from the prober's own,
//! * [`runner`] makes each probe a task that reports exactly once.
//!
//! A node under examination is not trusted: it may hang, talk for ever or talk nonsense, and may
//! cost the prober one socket, a few kilobytes and the check's timeout.

pub mod failure;
pub mod http;
pub mod runner;

pub use http::Http;
pub use runner::{Prober, Report, Reports};
