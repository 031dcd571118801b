//! Plans and picks together: what a client would see of a service under given statuses.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::health::{Ask, Check, HttpAsk, Share, Standing, Status, Target};
use crate::steer::{
    Address, Answers, Asker, Board, Family, Guard, Guide, Node, Override, Plan, Policy, Pool,
    Service, Tier, Ttl,
};
use crate::wire::Name;

#[derive(Default)]
struct Statuses(HashMap<IpAddr, Standing>);

impl Board for Statuses {
    fn standing(&self, target: &Target) -> Standing {
        let up = Standing { status: Status::Up, contradicted: false };
        self.0.get(&target.address).copied().unwrap_or(up)
    }

    fn forced(&self, node: &str) -> Option<Override> {
        node.ends_with("barred").then_some(Override::Down)
    }

    fn weight(&self, node: &Node) -> u16 {
        node.weight
    }

    fn pace(&self, _: &Target) -> Option<Duration> {
        None
    }
}

fn service(policy: Policy, answers: Answers, nodes: &[(&[&str], u16)]) -> Service {
    let ask = Ask::Http(HttpAsk::get(80, "/ready", "app.test"));
    let check = Check::new(ask);
    let node = |&(addresses, weight): &(&[&str], u16)| {
        let address = |address: &&str| {
            let ip = address.parse().unwrap();
            let target = Arc::new(Target { address: ip, check: check.clone() });
            Address::new(ip, vec![target])
        };
        let all = addresses.iter().map(address).collect();
        Node { weight, ..Node::new(format!("test/app/{}", addresses[0]), addresses[0], all) }
    };
    let pool = Pool::new("", nodes.iter().map(node).collect());
    let owner = Name::from_text("app.test").unwrap();
    let ttl = Ttl { calm: 30, alert: 5 };
    Service { policy, answers, ttl, ..Service::new(owner, "test/app", vec![pool]) }
}

fn make(service: &Service, board: &impl Board) -> Plan {
    Plan::make(service, Guide::default(), board, |_| false)
}

/// The set that everybody gets, where there is one.
fn set_of(plan: &Plan, family: Family) -> Option<&Set> {
    let asker = Asker::source("192.0.2.99".parse().unwrap());
    plan.choose(family, &asker).map(|id| plan.set(id))
}

const FOUR: &[(&[&str], u16)] =
    &[(&["192.0.2.1"], 4), (&["192.0.2.2"], 2), (&["192.0.2.3"], 1), (&["192.0.2.4"], 1)];

fn statuses(entries: &[(&str, Status, bool)]) -> Statuses {
    let standing = |&(ip, status, contradicted): &(&str, Status, bool)| {
        (ip.parse().unwrap(), Standing { status, contradicted })
    };
    Statuses(entries.iter().map(standing).collect())
}

/// The last octets of the addresses of `answers` answers in a row.
fn picks(plan: &Plan, family: Family, answers: usize) -> Vec<Vec<u8>> {
    let set = set_of(plan, family).unwrap();
    let mut scratch = Scratch::default();
    scratch.reserve(set.count());
    let (mut turn, mut rng) = (Turn::default(), Rng::with_seed(7));
    let last = |record: &[u8]| record[record.len() - 1];
    (0..answers)
        .map(|_| match pick(set, &mut turn, &mut rng, &mut scratch) {
            Pick::Run { records, .. } => records.chunks(set.record_len).map(last).collect(),
            Pick::List(indexes) => indexes
                .iter()
                .map(|&index| last(&set.records[..(usize::from(index) + 1) * set.record_len]))
                .collect(),
        })
        .collect()
}

#[test]
fn rotation_is_exact() {
    let plan = make(&service(Policy::Rotate, Answers::DEFAULT, FOUR), &Statuses::default());
    let expected = [[1, 2, 3, 4], [2, 3, 4, 1], [3, 4, 1, 2], [4, 1, 2, 3], [1, 2, 3, 4]];
    assert_eq!(picks(&plan, Family::V4, 5), expected);
}

#[test]
fn a_limit_takes_turns() {
    let two = Answers::UpTo(NonZeroU16::new(2).unwrap());
    let plan = make(&service(Policy::Rotate, two, FOUR), &Statuses::default());
    assert_eq!(picks(&plan, Family::V4, 4), [[1, 2], [2, 3], [3, 4], [4, 1]]);
    let plan = make(&service(Policy::Ordered, two, FOUR), &Statuses::default());
    assert_eq!(picks(&plan, Family::V4, 2), [[1, 2], [1, 2]]);
}

#[test]
fn first_places_follow_the_weights_and_answers_hold_all() {
    let plan = make(&service(Policy::Weighted, Answers::DEFAULT, FOUR), &Statuses::default());
    let mut firsts = [0_f64; 4];
    for mut answer in picks(&plan, Family::V4, 80_000) {
        firsts[usize::from(answer[0]) - 1] += 1.0;
        answer.sort_unstable();
        assert_eq!(answer, [1, 2, 3, 4]);
    }
    let expected = [40_000.0, 20_000.0, 10_000.0, 10_000.0];
    let chi2: f64 = firsts.iter().zip(expected).map(|(f, e)| (f - e).powi(2) / e).sum();
    assert!(chi2 < 16.3, "chi2 {chi2} of {firsts:?}");
}

#[test]
fn a_thousand_nodes_are_picked_without_repetition() {
    let texts: Vec<String> = (0..1000).map(|i| format!("10.0.{}.{}", i / 250, i % 250)).collect();
    let slices: Vec<[&str; 1]> = texts.iter().map(|text| [text.as_str()]).collect();
    let nodes: Vec<(&[&str], u16)> = slices.iter().map(|slice| (&slice[..], 1)).collect();
    for (answers, count) in [(Answers::DEFAULT, 16), (Answers::All, 1000)] {
        let plan = make(&service(Policy::Shuffle, answers, &nodes), &Statuses::default());
        let set = set_of(&plan, Family::V4).unwrap();
        let mut scratch = Scratch::default();
        scratch.reserve(set.count());
        let (mut turn, mut rng) = (Turn::default(), Rng::with_seed(7));
        let Pick::List(list) = pick(set, &mut turn, &mut rng, &mut scratch) else { panic!() };
        let mut list = list.to_vec();
        list.sort_unstable();
        list.dedup();
        assert_eq!(list.len(), count);
    }
}

#[test]
fn what_fails_leaves_and_its_family_alone() {
    let nodes: &[(&[&str], u16)] =
        &[(&["192.0.2.1", "2001:db8::1"], 1), (&["192.0.2.2", "2001:db8::2"], 1)];
    let service = service(Policy::Rotate, Answers::DEFAULT, nodes);
    let board = statuses(&[("2001:db8::1", Status::Down, false)]);
    let plan = make(&service, &board);
    assert_eq!(picks(&plan, Family::V4, 1), [[1, 2]]);
    assert_eq!(picks(&plan, Family::V6, 2), [[2], [2]]);

    let both =
        statuses(&[("2001:db8::1", Status::Down, false), ("2001:db8::2", Status::Down, false)]);
    let plan = make(&service, &both);
    assert_eq!(plan.tier(Family::V6).0, Tier::OtherFamily);
    assert!(set_of(&plan, Family::V6).is_none());

    let mut tied = service;
    tied.pools[0].nodes[0].together = true;
    assert_eq!(picks(&make(&tied, &board), Family::V4, 1), [[2]]);
}

#[test]
fn all_down_is_open_and_turns_outlive_smaller_sets() {
    let all: Vec<(&str, Status, bool)> = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"]
        .map(|ip| (ip, Status::Down, false))
        .to_vec();
    let service = service(Policy::Rotate, Answers::DEFAULT, FOUR);
    let open = make(&service, &statuses(&all));
    assert_eq!(picks(&open, Family::V4, 1), [[1, 2, 3, 4]]);

    let (two, full) = (make(&service, &statuses(&all[..2])), open);
    let (mut turn, mut rng, mut scratch) = Default::default();
    let mut first = |plan: &Plan, rng: &mut Rng| match pick(
        set_of(plan, Family::V4).unwrap(),
        &mut turn,
        rng,
        &mut scratch,
    ) {
        Pick::Run { records, .. } => records[15],
        Pick::List(_) => panic!("a rotation is a run"),
    };
    let seen: Vec<u8> =
        [&full, &full, &full, &two, &two, &two].map(|plan| first(plan, &mut rng)).to_vec();
    assert_eq!(seen, [1, 2, 3, 3, 4, 3]);
}

#[test]
fn the_ttl_is_short_while_a_member_is_falling_or_rising() {
    let service = service(Policy::Rotate, Answers::DEFAULT, FOUR);
    assert_eq!(make(&service, &Statuses::default()).ttl, 30);
    assert_eq!(make(&service, &statuses(&[("192.0.2.1", Status::Up, true)])).ttl, 5);
}

#[test]
fn a_pool_in_panic_answers_with_all_it_has() {
    let service = service(Policy::Rotate, Answers::DEFAULT, FOUR);
    let three_down = &["192.0.2.1", "192.0.2.3", "192.0.2.4"].map(|ip| (ip, Status::Down, false));
    assert_eq!(picks(&make(&service, &statuses(three_down)), Family::V4, 1), [[2]]);
    let guard = Guard { panic: Some(Share::thousandths(500)), ..Guard::default() };
    let guarded = Service { guard, ..service };
    let plan = make(&guarded, &statuses(three_down));
    assert_eq!(plan.panicking(Family::V4).len(), 1);
    assert_eq!(picks(&plan, Family::V4, 1)[0].len(), 4);
}
