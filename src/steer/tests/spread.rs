//! Addresses of one answer share a label only where nobody is left who does not.

use fastrand::Rng;

use super::{Client, Statuses, check_shares, make, numbered, service, somewhere, up_to};
use crate::steer::{Family, Node, Policy, Pool, Service};

/// Nodes with racks and sites by chance; some have none.
fn labelled(count: usize, racks: u8, sites: u8, rng: &mut Rng) -> Vec<Node> {
    let mut nodes = numbered(0, (0..count).map(|at| 1 + (at % 4) as u16));
    for node in &mut nodes {
        for (label, values) in [("rack", racks), ("site", sites)] {
            if rng.u8(..8) > 0 {
                node.labels.insert(label.into(), rng.u8(..values).to_string());
            }
        }
    }
    nodes
}

fn of(policy: Policy, answers: u16, labels: &[&str], nodes: Vec<Node>) -> Service {
    let spread = labels.iter().map(|&label| label.into()).collect();
    Service { answers: up_to(answers), spread, ..service(policy, vec![Pool::new("", nodes)]) }
}

/// How many of the labels, from the first on, a node shares with none of those before it.
fn apart(nodes: &[Node], before: &[usize], node: usize, labels: &[&str]) -> usize {
    let value = |node: usize, label: &str| nodes[node].labels.get(label);
    let shares = |label: &&str| {
        let own = value(node, label);
        own.is_some() && before.iter().any(|&other| value(other, label) == own)
    };
    labels.iter().position(shares).unwrap_or(labels.len())
}

#[test]
fn nothing_is_shared_while_somebody_is_left_who_does_not() {
    let mut rng = Rng::with_seed(11);
    for round in 0..160 {
        let policy = Policy::ALL[round % Policy::ALL.len()];
        let count = [2, 5, 12, 16, 18, 30][rng.usize(..6)];
        let labels: &[&str] = [&["rack"][..], &["rack", "site"], &["site", "rack"]][rng.usize(..3)];
        let answers = [2, 3, 8, 0][rng.usize(..4)];
        let (racks, sites) = (1 + rng.u8(..6), 1 + rng.u8(..4));
        let nodes = labelled(count, racks, sites, &mut rng);
        let plan = make(&of(policy, answers, labels, nodes.clone()), &Statuses::default());
        let mut client = Client::new(round as u64);
        for _ in 0..8 {
            let asked = client.ask_from(&plan, Family::V4, somewhere(&mut rng));
            let (_, found) = asked.unwrap();
            for (place, &taken) in found.iter().enumerate() {
                let before = &found[..place];
                let left = (0..count).filter(|node| !before.contains(node));
                let best = left.map(|node| apart(&nodes, before, node, labels)).max();
                let got = apart(&nodes, before, taken, labels);
                assert_eq!(Some(got), best, "{policy:?} over {labels:?}: {found:?} at {place}");
            }
        }
    }
}

#[test]
fn the_first_address_is_as_it_would_be() {
    let mut rng = Rng::with_seed(12);
    for count in [4, 24] {
        let nodes = labelled(count, 3, 3, &mut rng);
        let weights: Vec<u16> = nodes.iter().map(|node| node.weight).collect();
        for policy in Policy::ALL {
            let [spread, plain] = [&["rack", "site"][..], &[]]
                .map(|labels| make(&of(policy, 3, labels, nodes.clone()), &Statuses::default()));
            let (mut one, mut other) = (Client::new(1), Client::new(1));
            let mut firsts = vec![0; count];
            for _ in 0..8_000 {
                let from = somewhere(&mut rng);
                let (_, found) = one.ask_from(&spread, Family::V4, from).unwrap();
                firsts[found[0]] += 1;
                match policy {
                    Policy::Weighted | Policy::Shuffle | Policy::LeastLoaded | Policy::Nearest => {}
                    Policy::Rotate | Policy::Ordered | Policy::Hash | Policy::Fastest => {
                        let (_, expected) = other.ask_from(&plain, Family::V4, from).unwrap();
                        assert_eq!(found[0], expected[0], "{policy:?}");
                    }
                }
            }
            match policy {
                Policy::Weighted | Policy::LeastLoaded => check_shares(&firsts, &weights, "spread"),
                Policy::Shuffle | Policy::Nearest => {
                    check_shares(&firsts, &vec![1; count], "spread");
                }
                Policy::Rotate | Policy::Ordered | Policy::Hash | Policy::Fastest => {}
            }
        }
    }
}

#[test]
fn what_is_alone_costs_nothing() {
    for (racks, answers, expected) in [
        (&["a", "b", "c"][..], 3, false),
        (&["a", "b", ""], 3, false),
        (&["a", "a", ""], 1, false),
        (&["a", "a", ""], 2, true),
    ] {
        let mut nodes = numbered(0, vec![1; racks.len()]);
        for (node, rack) in nodes.iter_mut().zip(racks).filter(|(_, rack)| !rack.is_empty()) {
            node.labels.insert("rack".into(), (*rack).into());
        }
        let plan = make(&of(Policy::Rotate, answers, &["rack"], nodes), &Statuses::default());
        assert!(plan.sets().iter().all(|set| set.spread.is_some() == expected), "{racks:?}");
    }
}
