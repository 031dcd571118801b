//! Floor 3: which addresses a client gets.
//!
//! [`Service`] is what the operator means. In the cold, [`Plan::make`] takes it with the statuses
//! of its targets through the truth table of [`eligible`] and lays records out as wire bytes. In
//! the hot, [`pick()`] takes one answer's worth of them.

pub mod asker;
pub mod board;
pub mod eligible;
pub mod guards;
pub mod guide;
mod hint;
pub mod listing;
pub mod pick;
pub mod plan;
pub mod rendezvous;
pub mod service;
pub mod set;
pub mod weights;

pub use asker::Asker;
pub use board::{Board, Unchecked};
pub use eligible::{Override, Pools, Tier};
pub use guards::{Guards, Hand, News};
pub use guide::{Guide, Guides};
pub use listing::Listed;
pub use pick::{Pick, Scratch, Turn, pick};
pub use plan::{Plan, SetId};
pub use service::{
    Address, Answers, Explain, Guard, Https, MaxWithdraw, Node, Policy, Pool, Service, Srv, Steer,
    Ttl, WhenAllDown,
};
pub use set::{Family, Set};
