//! The health floor in a world with its own clock.
//!
//! A seed makes a world of nodes that fail, hang, drain, flap and recover, of operators who reload,
//! and of a prober that is in trouble itself at times. The real [`Monitor`](rota::health::Monitor)
//! lives in it; hours pass in milliseconds. After every step outside checkers look at it: a naive
//! model that keeps every verdict and works each status out from scratch (`reference`), and the
//! promises that hold whatever the verdicts are (`world`).
//!
//! A failure prints its seed; `SEED=n cargo test --test simulation` plays that world alone.

mod answers;
mod node;
mod outside;
mod reference;
mod way;
mod world;

use std::env;
use std::thread;
use std::time::Duration;

use answers::Clients;
use world::{Profile, World};

/// Seeds that are always played; one that found something is added here and stays.
const SEEDS: [u64; 12] = [1, 2, 3, 4, 5, 6, 7, 8, 1034, 2181, 2308, 9471];

const CALM: Profile = Profile {
    nodes: 20,
    in_flight_max: 256,
    verdicts: 1_500,
    reloads: false,
    trouble: false,
    storms: false,
    cuts: false,
    restarts: false,
};

/// Every seed, or the one of the environment.
fn seeds() -> Vec<u64> {
    let chosen = env::var("SEED").ok().map(|seed| seed.parse().expect("SEED is a number"));
    chosen.map_or_else(|| SEEDS.to_vec(), |seed| vec![seed])
}

/// Plays a profile with every seed, or with the one of the environment.
fn play(profile: Profile) {
    for seed in seeds() {
        let _told = TellSeed(seed);
        World::new(profile, seed).run();
    }
}

/// Names the seed of a world that ends badly.
struct TellSeed(u64);

impl Drop for TellSeed {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("this world again: SEED={} cargo test --test simulation", self.0);
        }
    }
}

#[test]
fn statuses_follow_verdicts() {
    play(CALM);
}

#[test]
fn who_flaps_is_held_down() {
    play(Profile { nodes: 4, verdicts: 3_000, reloads: true, ..CALM });
}

#[test]
fn reloads_change_no_status() {
    play(Profile { reloads: true, ..CALM });
}

#[test]
fn a_prober_in_trouble_withdraws_nobody() {
    play(Profile { trouble: true, reloads: true, ..CALM });
}

#[test]
fn a_prober_that_is_cut_off_takes_no_silence_for_death() {
    play(Profile { cuts: true, reloads: true, verdicts: 3_000, ..CALM });
}

#[test]
fn restarts_and_leaps_of_the_clock_change_no_status() {
    play(Profile { restarts: true, reloads: true, trouble: true, cuts: true, ..CALM });
}

#[test]
fn limits_hold_when_there_is_too_much_to_do() {
    play(Profile { nodes: 60, in_flight_max: 3, reloads: true, ..CALM });
}

#[test]
fn answers_hold_no_down_node_while_another_stands_unless_a_guard_says_so() {
    serve(false);
}

#[test]
fn whatever_others_say_they_have_a_vote_each_and_no_more() {
    serve(true);
}

/// Plays clients in a world where others look at nodes too, or do not.
fn serve(has_others: bool) {
    for seed in seeds() {
        let _told = TellSeed(seed);
        let mut world = World::new(Profile { trouble: true, storms: true, ..CALM }, seed);
        let mut clients = Clients::new(world.monitor(), world.now(), has_others, seed);
        for _ in 0..2_500 {
            let change = world.step();
            clients.step(change.as_ref(), world.monitor(), world.now());
        }
    }
}

#[test]
fn ten_thousand_targets_are_probed_in_time() {
    let _told = TellSeed(1);
    let profile = Profile { nodes: 10_000, in_flight_max: 20_000, verdicts: 40_000, ..CALM };
    World::new(profile, 1).run();
}

#[test]
fn a_start_knows_every_target_after_one_timeout() {
    for seed in seeds() {
        let _told = TellSeed(seed);
        let mut world = World::new(CALM, seed);
        let start = world.now();
        while !world.monitor().is_settled() {
            world.step();
        }
        assert!(world.now() - start <= Duration::from_secs(2), "{:?}", world.now() - start);
    }
}
