//! Plans and picks together: what a client would see of a service under given statuses.

use std::net::IpAddr;

use super::{Client, Statuses, make, node, service, up_to};
use crate::health::{Share, Status};
use crate::steer::{Answers, Family, Guard, Plan, Policy, Pool, Service, Tier, Ttl};

fn of(policy: Policy, answers: Answers, nodes: &[(&[&str], u16)]) -> Service {
    let one = |&(addresses, weight): &(&[&str], u16)| {
        let addresses: Vec<IpAddr> = addresses.iter().map(|text| text.parse().unwrap()).collect();
        node(&addresses[0].to_string(), &addresses, weight)
    };
    let ttl = Ttl { calm: 30, alert: 5 };
    let pool = Pool::new("", nodes.iter().map(one).collect());
    Service { answers, ttl, ..service(policy, vec![pool]) }
}

const FOUR: &[(&[&str], u16)] =
    &[(&["192.0.2.1"], 4), (&["192.0.2.2"], 2), (&["192.0.2.3"], 1), (&["192.0.2.4"], 1)];

fn statuses(entries: &[(&str, Status, bool)]) -> Statuses {
    Statuses::of(
        entries.iter().map(|&(ip, status, falling)| (ip.parse().unwrap(), status, falling)),
    )
}

/// The last octets of the addresses of `answers` answers in a row.
fn picks(plan: &Plan, family: Family, answers: usize) -> Vec<Vec<u8>> {
    let mut client = Client::new(7);
    (0..answers).map(|_| pick(&mut client, plan, family)).collect()
}

fn pick(client: &mut Client, plan: &Plan, family: Family) -> Vec<u8> {
    let numbers = client.ask(plan, family, "192.0.2.99").unwrap();
    numbers.into_iter().map(|number| number as u8).collect()
}

#[test]
fn rotation_is_exact() {
    let plan = make(&of(Policy::Rotate, Answers::DEFAULT, FOUR), &Statuses::default());
    let expected = [[1, 2, 3, 4], [2, 3, 4, 1], [3, 4, 1, 2], [4, 1, 2, 3], [1, 2, 3, 4]];
    assert_eq!(picks(&plan, Family::V4, 5), expected);
}

#[test]
fn a_limit_takes_turns() {
    let two = up_to(2);
    let plan = make(&of(Policy::Rotate, two, FOUR), &Statuses::default());
    assert_eq!(picks(&plan, Family::V4, 4), [[1, 2], [2, 3], [3, 4], [4, 1]]);
    let plan = make(&of(Policy::Ordered, two, FOUR), &Statuses::default());
    assert_eq!(picks(&plan, Family::V4, 2), [[1, 2], [1, 2]]);
}

#[test]
fn what_fails_leaves_and_its_family_alone() {
    let nodes: &[(&[&str], u16)] =
        &[(&["192.0.2.1", "2001:db8::1"], 1), (&["192.0.2.2", "2001:db8::2"], 1)];
    let service = of(Policy::Rotate, Answers::DEFAULT, nodes);
    let board = statuses(&[("2001:db8::1", Status::Down, false)]);
    let plan = make(&service, &board);
    assert_eq!(picks(&plan, Family::V4, 1), [[1, 2]]);
    assert_eq!(picks(&plan, Family::V6, 2), [[2], [2]]);

    let both =
        statuses(&[("2001:db8::1", Status::Down, false), ("2001:db8::2", Status::Down, false)]);
    let plan = make(&service, &both);
    assert_eq!(plan.tier(Family::V6).0, Tier::OtherFamily);
    assert_eq!(Client::new(1).ask(&plan, Family::V6, "192.0.2.99"), None);

    let mut tied = service;
    tied.pools[0].nodes[0].together = true;
    assert_eq!(picks(&make(&tied, &board), Family::V4, 1), [[2]]);
}

#[test]
fn all_down_is_open_and_turns_outlive_smaller_sets() {
    let all: Vec<(&str, Status, bool)> = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"]
        .map(|ip| (ip, Status::Down, false))
        .to_vec();
    let service = of(Policy::Rotate, Answers::DEFAULT, FOUR);
    let open = make(&service, &statuses(&all));
    assert_eq!(picks(&open, Family::V4, 1), [[1, 2, 3, 4]]);

    let (two, full) = (make(&service, &statuses(&all[..2])), open);
    let mut client = Client::new(1);
    let mut first = |plan: &Plan| pick(&mut client, plan, Family::V4)[0];
    let seen = [&full, &full, &full, &two, &two, &two].map(&mut first);
    assert_eq!(seen, [1, 2, 3, 3, 4, 3]);
}

#[test]
fn the_ttl_is_short_while_a_member_is_falling_or_rising() {
    let service = of(Policy::Rotate, Answers::DEFAULT, FOUR);
    assert_eq!(make(&service, &Statuses::default()).ttl, 30);
    assert_eq!(make(&service, &statuses(&[("192.0.2.1", Status::Up, true)])).ttl, 5);
}

#[test]
fn a_pool_in_panic_answers_with_all_it_has() {
    let service = of(Policy::Rotate, Answers::DEFAULT, FOUR);
    let three_down =
        statuses(&["192.0.2.1", "192.0.2.3", "192.0.2.4"].map(|ip| (ip, Status::Down, false)));
    assert_eq!(picks(&make(&service, &three_down), Family::V4, 1), [[2]]);
    let guard = Guard { panic: Some(Share::thousandths(500)), ..Guard::default() };
    let plan = make(&Service { guard, ..service }, &three_down);
    assert_eq!(plan.panicking(Family::V4).len(), 1);
    assert_eq!(picks(&plan, Family::V4, 1)[0].len(), 4);
}
