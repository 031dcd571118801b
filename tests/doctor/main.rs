//! `rota doctor` in a small world with one of each mistake.

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod cases;
#[path = "../common/mod.rs"]
mod common;
mod world;

use cases::{check, mistakes};
use world::{Above, World};

#[test]
fn each_mistake_is_found_and_a_good_zone_has_none() {
    mistakes(&World::start("mistakes", Above::Rota));
}

#[test]
fn what_cannot_be_looked_at_is_said() {
    let world = World::start("beyond", Above::Rota);
    // Somebody else's server in place of the zone's own.
    let lame = "✗ the server (127.0.0.72) does not serve good.test: it answers without authority";
    check(&world, &["good.test", "--server", "127.0.0.72"], 1, &[lame]);
    // Nobody at the root.
    let (exit, told) = world.doctor_from("127.0.0.79", &["good.test"]);
    assert!(told.contains("✗ no server of the root leads on to good.test: 127.0.0.79:"), "{told}");
    assert_eq!(exit, Some(1));
    let batch = ["good.test", "--records", "route53"];
    check(&world, &batch, 0, &["\"Type\": \"NS\"", "\"Value\": \"127.0.0.74\""]);
    let unknown = ["none.test", "--records", "bind"];
    check(&world, &unknown, 2, &["none.test is not in the configuration"]);
}
