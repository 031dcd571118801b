//! Floor 3: which addresses a client gets.
//!
//! [`Service`] is what the operator means. In the cold, [`Plan::make`] takes it with the statuses
//! of its targets through the truth table of [`eligible`] and lays records out as wire bytes. In
//! the hot, [`pick()`] takes one answer's worth of them.

pub mod eligible;
pub mod pick;
pub mod plan;
pub mod service;
pub mod weights;

pub use eligible::{Override, Tier};
pub use pick::{Pick, Scratch, Turn, pick};
pub use plan::{Board, Family, Plan, Set, Unchecked};
pub use service::{Address, Answers, Node, Policy, Pool, Service, Ttl, WhenAllDown};
