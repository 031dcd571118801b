//! Which of several orders holds, and for how long.

use std::time::Duration;

use super::*;
use crate::health::{Standing, Target};
use crate::steer::{
    Address, Asker, Board, Family, Guide, Node, Plan, Pool, Service, Steer, Unchecked,
};
use crate::wire::Name;

const NODE: &str = "lb.test/app/eu/eu1";

fn scope(text: &str) -> Scope {
    let text = text.to_owned();
    if text.contains('*') { Scope::Glob(text) } else { Scope::Named(text) }
}

fn order(text: &str, what: What) -> Order {
    let author = "ada".to_owned();
    Order { id: 0, scope: scope(text), what, reason: None, author, since: 100, until: None }
}

/// `scope up|down|drain|<weight>`, the oldest first.
fn given(orders: &[&str]) -> Overrides {
    let mut overrides = Overrides::default();
    for text in orders {
        let (scope, what) = text.split_once(' ').unwrap();
        let what = match what {
            "up" => What::Force(Override::Up),
            "down" => What::Force(Override::Down),
            "drain" => What::Force(Override::Drain),
            weight => What::Weight(weight.parse().unwrap()),
        };
        overrides.give(order(scope, what)).unwrap();
    }
    overrides
}

#[test]
fn scopes_match_by_parts_and_globs_by_text() {
    let check = |text: &str, id: &str, expected: Option<usize>| {
        assert_eq!(scope(text).rank(id), expected, "{text} of {id}");
    };
    check(NODE, NODE, Some(4));
    check("lb.test/app/eu", NODE, Some(3));
    check("lb.test/app", NODE, Some(2));
    check("lb.test", NODE, Some(1));
    check("lb.test/ap", NODE, None);
    check("lb.test/app/eu/eu", NODE, None);
    check("lb.test/app/eu/eu12", NODE, None);
    check("eu*", NODE, Some(0));
    check("*1", NODE, Some(0));
    check("*", NODE, Some(0));
    check("e*u*1", NODE, Some(0));
    check("us*", NODE, None);
    // Without a slash it is the node's name alone, not its pool's or zone's.
    check("lb*", NODE, None);
    check("*/eu/*", NODE, Some(0));
    check("lb.test/*/eu1", NODE, Some(0));
    check("*/us/*", NODE, None);
    check("*/eu1/*", NODE, None);
    // One letter is not both the end of one part and the beginning of the next.
    check("eu*u1", NODE, None);
    // The star of a wildcard service is no glob.
    let wildcard = Scope::Named("lb.test/*.app".to_owned());
    assert_eq!(wildcard.rank("lb.test/*.app/n1"), Some(2));
    assert_eq!(wildcard.rank("lb.test/x.app/n1"), None);
}

#[test]
fn the_narrowest_order_holds_and_of_equals_the_newest() {
    let check = |orders: &[&str], forced: Option<Override>, weight: Option<u16>| {
        let overrides = given(orders);
        let found = overrides.forced(NODE, 100).map(|(forced, _)| forced);
        assert_eq!(found, forced, "{orders:?}");
        let found = overrides.weight(NODE, 100).map(|(weight, _)| weight);
        assert_eq!(found, weight, "{orders:?}");
    };
    check(&[], None, None);
    check(&["lb.test/app/us down"], None, None);
    check(&["lb.test/app/eu/eu1 up", "lb.test/app/eu down"], Some(Override::Up), None);
    check(&["lb.test/app/eu drain", "lb.test/app down"], Some(Override::Drain), None);
    check(&["lb.test/app down", "*/eu/* up"], Some(Override::Down), None);
    check(&["*/eu/* up", "eu* drain"], Some(Override::Drain), None);
    check(&["eu* drain", "*/eu/* up"], Some(Override::Up), None);
    // The same scope again takes the place of what it said, and is the newest.
    check(&["eu* drain", "*/eu/* up", "eu* down"], Some(Override::Down), None);
    // Weights and statuses stand beside each other.
    check(&["lb.test/app/eu/eu1 7", "lb.test/app down"], Some(Override::Down), Some(7));
    check(&["lb.test/app 0", "eu* 9"], None, Some(0));
}

#[test]
fn a_scope_says_one_thing_of_a_kind() {
    let overrides = given(&["eu* drain", "eu* 3", "eu* up", "eu* 4"]);
    let ids: Vec<u64> = overrides.orders().iter().map(|order| order.id).collect();
    assert_eq!(ids, [3, 4]);
}

#[test]
fn what_lies_within_a_scope_is_lifted() {
    let all = ["lb.test/app/eu/eu1 drain", "lb.test/app/eu drain", "lb.test/app/us drain", "eu* 5"];
    let check = |lifted: &str, left: &[&str]| {
        let mut overrides = given(&all);
        overrides.lift(&scope(lifted), |_| true);
        let scopes: Vec<&str> = overrides.orders().iter().map(|order| order.scope.text()).collect();
        assert_eq!(scopes, left, "{lifted}");
    };
    check("lb.test/app/eu/eu1", &["lb.test/app/eu", "lb.test/app/us", "eu*"]);
    check("lb.test/app/eu", &["lb.test/app/us", "eu*"]);
    check("lb.test/app", &["eu*"]);
    check("eu*", &["lb.test/app/us"]);
    check("*", &[]);
    check("lb.test/other", &["lb.test/app/eu/eu1", "lb.test/app/eu", "lb.test/app/us", "eu*"]);

    let mut overrides = given(&all);
    let drains = overrides.lift(&scope("*"), |what| *what == What::Force(Override::Drain));
    assert_eq!((drains.len(), overrides.orders().len()), (3, 1));
    assert_eq!(overrides.remove(4).map(|order| order.id), Some(4));
    assert_eq!(overrides.remove(4), None);
    // Whoever lifts by an id that is gone lifts nothing of somebody else's.
    assert_eq!(overrides.give(order("eu*", What::Weight(1))).map(|order| order.id), Ok(5));
}

#[test]
fn an_order_ends_with_its_time() {
    let mut overrides = given(&["lb.test/app down"]);
    let until = Some(200);
    let drain = What::Force(Override::Drain);
    overrides.give(Order { until, ..order("lb.test/app/eu", drain) }).unwrap();
    let forced = |overrides: &Overrides, now| overrides.forced(NODE, now).map(|(forced, _)| forced);
    assert_eq!(overrides.next_expiry(), Some(200));
    assert_eq!(forced(&overrides, 199), Some(Override::Drain));
    assert_eq!(overrides.expire(199), []);
    // What it hid holds again, whether or not anybody has swept.
    assert_eq!(forced(&overrides, 200), Some(Override::Down));
    assert_eq!(overrides.expire(200).len(), 1);
    assert_eq!(overrides.next_expiry(), None);
    assert_eq!(forced(&overrides, 200), Some(Override::Down));
}

#[test]
fn shares_that_leave_no_pool_do_not_hold() {
    let mut overrides = Overrides::default();
    let shares = BTreeMap::from([("eu".to_owned(), 90), ("us".to_owned(), 0)]);
    overrides.give(order("lb.test/app", What::Shares(shares.clone()))).unwrap();
    let found = |service: &str, pools: &[&str]| {
        let shares = overrides.shares(service, |pool| pools.contains(&pool), 100);
        shares.map(|(shares, _)| shares.clone())
    };
    assert_eq!(found("lb.test/app", &["eu", "us"]), Some(shares.clone()));
    assert_eq!(found("lb.test/app", &["eu", "asia"]), Some(shares));
    assert_eq!(found("lb.test/app", &["us", "asia"]), None);
    assert_eq!(found("lb.test/www", &["eu", "us"]), None);
}

/// Knows nothing but what was shifted.
struct Shifted<'o>(&'o Overrides);

impl Board for Shifted<'_> {
    fn standing(&self, target: &Target) -> Standing {
        Unchecked.standing(target)
    }

    fn forced(&self, _: &str) -> Option<Override> {
        None
    }

    fn weight(&self, node: &Node) -> u16 {
        node.weight
    }

    fn pace(&self, _: &Target) -> Option<Duration> {
        None
    }

    fn share(&self, service: &Service, pool: &Pool) -> u8 {
        let shares = self.0.shares(&service.id, |_| true, 100);
        shares.map_or(pool.share, |(shares, _)| shares.get(&pool.name).copied().unwrap_or(0))
    }
}

#[test]
fn a_shift_moves_clients() {
    let pool = |name: &str, ip: [u8; 4]| {
        let address = Address::new(ip.into(), Vec::new());
        let node = Node::new(format!("lb.test/app/{name}/n"), "n", vec![address]);
        Pool { share: 50, ..Pool::new(name, vec![node]) }
    };
    let pools = vec![pool("eu", [192, 0, 2, 1]), pool("us", [198, 51, 100, 1])];
    let owner = Name::from_text("app.lb.test").unwrap();
    let service = Service { steer: Steer::Split, ..Service::new(owner, "lb.test/app", pools) };
    // How many of a thousand clients get the first pool.
    let first = |overrides: &Overrides| {
        let plan = Plan::make(&service, Guide::default(), &Shifted(overrides), |_| false);
        let askers = (0..1000_u32).map(|at| Asker::source(at.to_be_bytes().into()));
        let sets = askers.filter_map(|asker| plan.choose(Family::V4, &asker));
        sets.filter(|set| plan.set(*set).pool == 0).count()
    };
    let mut overrides = Overrides::default();
    assert!((400..600).contains(&first(&overrides)));
    let shares = BTreeMap::from([("eu".to_owned(), 100)]);
    overrides.give(order("lb.test/app", What::Shares(shares))).unwrap();
    assert_eq!(first(&overrides), 1000);
}

#[test]
fn there_is_a_limit() {
    let mut overrides = Overrides::default();
    let down = || What::Force(Override::Down);
    for at in 0..ORDERS_MAX {
        overrides.give(order(&format!("lb.test/{at}"), down())).unwrap();
    }
    assert_eq!(overrides.give(order("lb.test/more", down())), Err(Full));
    // What is in the place of another needs no room.
    assert!(overrides.give(order("lb.test/0", down())).is_ok());
    assert_eq!(overrides.orders().len(), ORDERS_MAX);
}
