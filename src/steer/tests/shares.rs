//! Who is first how often, also when somebody is lost.

use fastrand::Rng;

use super::{Client, Statuses, check_shares, make, numbered, service, somewhere, up_to};
use crate::steer::{Family, Policy, Pool, Service};

const ROUNDS: usize = 10_000;

/// First places of nodes with these weights, of which some are lost, against what is expected.
fn check(policy: Policy, weights: &[u16], lost: &[usize], expected: &[u16]) {
    for answers in [1, 2, 16] {
        let service = Service {
            answers: up_to(answers),
            ..service(policy, vec![Pool::new("", numbered(0, weights.iter().copied()))])
        };
        let plan = make(&service, &Statuses::down(lost.iter().copied()));
        for family in Family::ALL {
            let (mut client, mut rng) = (Client::new(3), Rng::with_seed(4));
            let mut firsts = vec![0; weights.len()];
            for _ in 0..ROUNDS {
                let (_, numbers) = client.ask_from(&plan, family, somewhere(&mut rng)).unwrap();
                firsts[numbers[0]] += 1;
            }
            let about = format!("{policy:?}, {answers} answers, without {lost:?}");
            check_shares(&firsts, expected, &about);
        }
    }
}

#[test]
fn first_places_follow_the_weights() {
    let long: Vec<u16> = (1..=24).collect();
    for policy in [Policy::Weighted, Policy::LeastLoaded, Policy::Hash] {
        check(policy, &[4, 2, 1, 1], &[], &[4, 2, 1, 1]);
        check(policy, &[4, 2, 1, 1], &[0], &[0, 2, 1, 1]);
        check(policy, &[4, 2, 1, 1], &[1, 3], &[4, 0, 1, 0]);
        check(policy, &[0, 2, 0, 1], &[], &[0, 2, 0, 1]);
        check(policy, &[0, 2, 0, 1], &[1, 3], &[1, 0, 1, 0]);
        check(policy, &long, &[], &long);
        let mut without = long.clone();
        (without[23], without[10]) = (0, 0);
        check(policy, &long, &[23, 10], &without);
    }
}

#[test]
fn first_places_are_equal_where_weights_do_not_count() {
    for policy in [Policy::Rotate, Policy::Shuffle, Policy::Nearest] {
        check(policy, &[4, 2, 1, 1], &[], &[1, 1, 1, 1]);
        check(policy, &[4, 2, 1, 1], &[0], &[0, 1, 1, 1]);
        check(policy, &[1; 24], &[7], &[[1; 7].as_slice(), &[0], &[1; 16]].concat());
    }
}

#[test]
fn one_is_first_for_all_where_there_is_an_order() {
    check(Policy::Ordered, &[1, 1, 1], &[], &[1, 0, 0]);
    check(Policy::Ordered, &[1, 1, 1], &[0], &[0, 1, 0]);
    check(Policy::Fastest, &[1, 1, 1], &[], &[0, 0, 1]);
    check(Policy::Fastest, &[1, 1, 1], &[2], &[0, 1, 0]);
}
