//! `rota doctor` where NSD is the root and the parent, as somebody else's servers are in the world.
//!
//! Needs Debian's nsd on the machine, so it runs only when asked for: `cargo test --test
//! doctor_nsd`. In a network namespace of its own it can have port 53 (`ROTA_DOCTOR_PORT=53`).

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod cases;
#[path = "../common/mod.rs"]
mod common;
mod world;

use world::{Above, World};

#[test]
fn each_mistake_is_found_below_servers_of_another_make() {
    cases::mistakes(&World::start("nsd", Above::Nsd));
}
