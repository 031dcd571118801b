//! Floor 3: which addresses a client gets.

pub mod service;

pub use service::{Address, Answers, Node, Policy, Pool, Service, Ttl, WhenAllDown};
