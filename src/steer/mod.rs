//! Floor 3: which addresses a client gets.
//!
//! [`Service`] is what the operator means. In the cold, [`Plan::make`] takes it with the statuses
//! of its targets through the truth table of [`eligible`] and lays records out as wire bytes. In
//! the hot, [`Plan::choose`] finds a client's set and [`Plan::pick`] one answer's worth of it.

pub mod asker;
pub mod board;
mod deals;
pub mod eligible;
pub mod guards;
pub mod guide;
mod hint;
pub mod listing;
pub mod overrides;
pub mod pick;
pub mod plan;
pub mod points;
pub mod ranks;
pub mod rendezvous;
pub mod rule;
pub mod service;
pub mod set;
pub mod spread;
pub mod sums;
pub mod weights;

pub use asker::Asker;
pub use board::{Board, Lack, Unchecked, lack, standing};
pub use eligible::{Override, Pools, Tier};
pub use guards::{Guards, Hand, News};
pub use guide::{Guide, Guides};
pub use listing::Listed;
pub use overrides::{Order, Overrides};
pub use pick::{Pick, Scratch, Turn};
pub use plan::{Plan, SetId};
pub use rule::Rule;
pub use service::{
    Address, Answers, Explain, Guard, Https, MaxWithdraw, Node, Policy, Pool, Service, Srv, Steer,
    Ttl, WhenAllDown,
};
pub use set::{Family, Set};
pub use spread::SPREAD_MAX;

#[cfg(test)]
mod tests;
