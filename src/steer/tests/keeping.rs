//! Clients keep what they have: their nodes under `hash`, their pools under `split`.

use std::net::IpAddr;

use fastrand::Rng;

use super::{
    Client, Statuses, addresses, check_shares, make, node, numbered, service, somewhere, up_to,
};
use crate::steer::{Family, Plan, Policy, Pool, Service, Steer};

fn askers(count: usize) -> Vec<IpAddr> {
    let mut rng = Rng::with_seed(9);
    (0..count).map(|_| somewhere(&mut rng)).collect()
}

/// The nodes of each client, in order.
fn nodes(plan: &Plan, family: Family, askers: &[IpAddr]) -> Vec<Vec<usize>> {
    let mut client = Client::new(1);
    askers.iter().map(|&from| client.ask_from(plan, family, from).unwrap().1).collect()
}

fn hash(count: usize, answers: u16) -> Service {
    let pool = Pool::new("", numbered(0, (0..count).map(|at| 1 + at as u16 % 3)));
    Service { answers: up_to(answers), ..service(Policy::Hash, vec![pool]) }
}

#[test]
fn only_a_lost_nodes_clients_move() {
    let askers = askers(4_000);
    for (count, answers) in [(3, 1), (3, 2), (5, 2), (20, 2), (20, 16), (200, 3)] {
        let service = hash(count, answers);
        let before = nodes(&make(&service, &Statuses::default()), Family::V4, &askers);
        for lost in [0, count / 2, count - 1] {
            let after = nodes(&make(&service, &Statuses::down([lost])), Family::V4, &askers);
            let mut moved = 0;
            for (before, after) in before.iter().zip(&after) {
                // What is left of an answer stays in its order; one more may come at its end.
                let kept: Vec<usize> = before.iter().copied().filter(|&it| it != lost).collect();
                assert_eq!(after[..kept.len()], kept, "{count} without {lost}");
                assert!(kept.len() < before.len() || before == after);
                moved += usize::from(before[0] != after[0]);
            }
            let had = before.iter().filter(|before| before[0] == lost).count();
            assert_eq!(moved, had, "{count} without {lost}");
        }
    }
}

#[test]
fn a_lost_nodes_clients_go_to_the_others_by_weight() {
    let askers = askers(30_000);
    let service = hash(6, 1);
    let before = nodes(&make(&service, &Statuses::default()), Family::V4, &askers);
    let after = nodes(&make(&service, &Statuses::down([2])), Family::V4, &askers);
    let mut counts = [0; 6];
    for (_, after) in before.iter().zip(after).filter(|(before, _)| before[0] == 2) {
        counts[after[0]] += 1;
    }
    check_shares(&counts, &[1, 2, 0, 1, 2, 3], "who gets a lost node's clients");
}

#[test]
fn both_families_agree_on_the_node() {
    let askers = askers(2_000);
    for (count, answers) in [(4, 1), (4, 4), (30, 4)] {
        let plan = make(&hash(count, answers), &Statuses::default());
        let [v4, v6] = Family::ALL.map(|family| nodes(&plan, family, &askers));
        assert_eq!(v4, v6);
    }
}

#[test]
fn a_node_with_two_addresses_is_one_node_and_both_are_used() {
    let askers = askers(8_000);
    // Nodes 0 and 1 have two IPv4 addresses, 2 has one; each has one of IPv6.
    let [a, b] = [0, 1].map(|at| {
        let ([v4, v6], [more, _]) = (addresses(at), addresses(10 + at));
        node(&format!("n{at}"), &[v4, more, v6], 1)
    });
    let nodes_of = |answers| Service {
        answers: up_to(answers),
        ..service(
            Policy::Hash,
            vec![Pool::new("", [vec![a.clone(), b.clone()], numbered(2, [1])].concat())],
        )
    };
    let plan_one = make(&nodes_of(1), &Statuses::default());
    let [v4, v6] = Family::ALL.map(|family| nodes(&plan_one, family, &askers));
    let mut counts = [0; 12];
    for (v4, v6) in v4.iter().zip(&v6) {
        assert_eq!(v4[0] % 10, v6[0]);
        counts[v4[0]] += 1;
    }
    check_shares(&counts, &[1, 1, 2, 0, 0, 0, 0, 0, 0, 0, 1, 1], "addresses of a node");
    let plan_two = make(&nodes_of(2), &Statuses::default());
    for found in nodes(&plan_two, Family::V4, &askers) {
        assert!(found[0] == 2 || found[0] % 10 == found[1] % 10, "{found:?}");
    }
}

/// A service of pools by their names and shares, with two nodes each.
fn split(shares: &[(&str, u8)]) -> Service {
    let pool = |(at, &(name, share)): (usize, &(&str, u8))| Pool {
        share,
        ..Pool::new(name, numbered(2 * at, [1, 1]))
    };
    let pools = shares.iter().enumerate().map(pool).collect();
    Service { steer: Steer::Split, ..service(Policy::Rotate, pools) }
}

/// The pool of each client.
fn pools(plan: &Plan, askers: &[IpAddr]) -> Vec<u16> {
    let mut client = Client::new(1);
    let pool = |&from: &IpAddr| {
        let (id, _) = client.ask_from(plan, Family::V4, from).unwrap();
        plan.set(id).pool
    };
    askers.iter().map(pool).collect()
}

#[test]
fn raising_a_share_moves_clients_only_to_it() {
    let askers = askers(10_000);
    let at = |green| split(&[("blue", 100 - green), ("green", green)]);
    let mut before = pools(&make(&at(0), &Statuses::default()), &askers);
    assert!(before.iter().all(|&pool| pool == 0));
    for green in (4..=100).step_by(4) {
        let after = pools(&make(&at(green), &Statuses::default()), &askers);
        assert!(before.iter().zip(&after).all(|(before, after)| before <= after), "{green}");
        let moved = after.iter().filter(|&&pool| pool == 1).count();
        let shares = [u16::from(100 - green), u16::from(green)];
        check_shares(&[askers.len() - moved, moved], &shares, "pools");
        before = after;
    }
    assert!(before.iter().all(|&pool| pool == 1));
}

#[test]
fn clients_of_a_pool_that_cannot_serve_go_to_the_others_by_share_and_come_back() {
    let askers = askers(20_000);
    let service = split(&[("a", 50), ("b", 30), ("c", 20)]);
    let before = pools(&make(&service, &Statuses::default()), &askers);
    let after = pools(&make(&service, &Statuses::down([0, 1])), &askers);
    let mut counts = [0; 3];
    for (before, after) in before.iter().zip(&after) {
        match before {
            0 => counts[usize::from(*after)] += 1,
            _ => assert_eq!(before, after),
        }
    }
    check_shares(&counts, &[0, 30, 20], "the clients of a lost pool");
    assert_eq!(pools(&make(&service, &Statuses::default()), &askers), before);
    let last = pools(&make(&split(&[("a", 100), ("b", 0)]), &Statuses::down([0, 1])), &askers);
    assert!(last.iter().all(|&pool| pool == 1));
}

#[test]
fn shares_of_pools_say_nothing_of_nodes_inside_them() {
    let askers = askers(20_000);
    let service = Service { policy: Policy::Hash, ..split(&[("a", 50), ("b", 50)]) };
    let mut counts = [0; 4];
    for found in nodes(&make(&service, &Statuses::default()), Family::V4, &askers) {
        counts[found[0]] += 1;
    }
    check_shares(&counts, &[1, 1, 1, 1], "nodes of two halves");
}
