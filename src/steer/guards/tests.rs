use std::collections::HashMap;
use std::sync::Arc;

use super::*;
use crate::health::{Ask, Check, HttpAsk, Standing, Status, Target};
use crate::steer::{Address, Guard, MaxWithdraw, Override, Policy, Pool};
use crate::wire::Name;

const SECOND: Duration = Duration::from_secs(1);

#[expect(clippy::disallowed_methods, reason = "an Instant to count from")]
fn start() -> Instant {
    Instant::now()
}

/// What checks and operators say, by the last octet of an address.
#[derive(Default)]
struct Said {
    statuses: HashMap<IpAddr, Status>,
    forced: Option<(String, Override)>,
}

impl Board for Said {
    fn standing(&self, target: &Target) -> Standing {
        let status = self.statuses.get(&target.address).copied().unwrap_or(Status::Up);
        Standing { status, contradicted: false }
    }

    fn forced(&self, node: &str) -> Option<Override> {
        self.forced.as_ref().filter(|(forced, _)| forced == node).map(|(_, how)| *how)
    }

    fn weight(&self, node: &Node) -> u16 {
        node.weight
    }

    fn pace(&self, _: &Target) -> Option<Duration> {
        None
    }
}

/// A service of four nodes, `n1` to `n4`, each of one address.
fn service() -> Service {
    let check = Check::new(Ask::Http(HttpAsk::get(80, "/", "app.test")));
    let node = |last: u8| {
        let ip = IpAddr::from([192, 0, 2, last]);
        let target = Arc::new(Target { address: ip, check: check.clone() });
        Node::new(format!("n{last}"), format!("n{last}"), vec![Address::new(ip, vec![target])])
    };
    let pool = Pool::new("", (1..=4).map(node).collect());
    let guard = Guard {
        max_withdraw: Some(MaxWithdraw::DEFAULT),
        slow_start: Some(60 * SECOND),
        ..Guard::default()
    };
    Service { guard, ..Service::new(Name::root(), "test/app", vec![pool]) }
}

struct Bench {
    service: Service,
    said: Said,
    guards: Guards,
    start: Instant,
}

impl Bench {
    fn new() -> Self {
        let (service, said) = (service(), Said::default());
        let mut bench = Self { service, said, guards: Guards::default(), start: start() };
        bench.observe(0);
        bench
    }

    fn set(&mut self, last: u8, status: Status) {
        self.said.statuses.insert([192, 0, 2, last].into(), status);
    }

    fn observe(&mut self, at_secs: u32) -> Vec<String> {
        let now = self.start + at_secs * SECOND;
        let news = self.guards.observe(&self.service, &self.said, now);
        news.iter().map(ToString::to_string).collect()
    }

    fn held(&self) -> Vec<u8> {
        let of = |node: &Node| self.guards.holds(node, node.addresses[0].ip);
        (1..=4)
            .zip(self.service.nodes())
            .filter(|(_, node)| of(node))
            .map(|(last, _)| last)
            .collect()
    }

    fn due_secs(&self) -> Option<u64> {
        self.guards.poll_timeout().map(|at| (at - self.start).as_secs())
    }

    fn part(&self, last: usize) -> u32 {
        self.guards.part(&self.service.pools[0].nodes[last - 1]).count()
    }
}

#[test]
fn who_is_held_is_told_and_let_go_in_time() {
    let mut bench = Bench::new();
    (1..=3).for_each(|last| bench.set(last, Status::Down));
    let held = "n3 192.0.2.3 fails, and is held in the answers: too much has left them";
    assert_eq!(bench.observe(10), [held]);
    assert_eq!((bench.held(), bench.due_secs()), (vec![3], Some(70)));
    assert_eq!(bench.observe(20), [""; 0]);
    let hand = bench.guards.hand("n3", [192, 0, 2, 3].into());
    assert_eq!(hand, Some(Hand::Holds(bench.start + 10 * SECOND)));
    assert_eq!(bench.guards.poll_due(bench.start + 69 * SECOND), [""; 0]);
    assert_eq!(bench.guards.poll_due(bench.start + 70 * SECOND), ["test/app"]);
    assert_eq!(bench.observe(70), ["n3 192.0.2.3 is held no more"]);
    assert_eq!((bench.held(), bench.due_secs()), (vec![], None));
}

#[test]
fn an_operator_has_the_last_word_over_a_hold() {
    let mut bench = Bench::new();
    (1..=4).for_each(|last| bench.set(last, Status::Down));
    bench.observe(10);
    assert_eq!(bench.held(), [3, 4]);
    bench.said.forced = Some(("n3".into(), Override::Down));
    bench.observe(11);
    assert_eq!(bench.held(), [4]);
}

#[test]
fn a_node_that_returns_climbs_to_its_weight() {
    let mut bench = Bench::new();
    bench.set(1, Status::Down);
    assert_eq!(bench.observe(10), [""; 0]);
    bench.set(1, Status::Up);
    assert_eq!(bench.observe(20), ["n1 has returned: its weight climbs"]);
    assert_eq!((bench.part(1), bench.part(2), bench.due_secs()), (100, 1000, Some(26)));
    let mut plans = 0;
    while let Some(due) = bench.due_secs() {
        plans += 1;
        bench.observe(u32::try_from(due).unwrap());
    }
    assert_eq!((bench.part(1), plans), (1000, 9));
}

#[test]
fn whom_an_operator_puts_in_has_its_whole_weight() {
    let mut bench = Bench::new();
    bench.set(1, Status::Down);
    bench.observe(10);
    bench.said.forced = Some(("n1".into(), Override::Up));
    assert_eq!(bench.observe(20), [""; 0]);
    assert_eq!(bench.part(1), 1000);
}

#[test]
fn what_is_not_in_force_any_more_is_forgotten() {
    let mut bench = Bench::new();
    (1..=4).for_each(|last| bench.set(last, Status::Down));
    bench.observe(10);
    bench.guards.retain([&bench.service].into_iter());
    assert_eq!(bench.held(), [3, 4]);
    bench.guards.retain([].into_iter());
    assert_eq!((bench.held(), bench.due_secs()), (vec![], None));
}

#[test]
fn parts_are_exact_where_all_weights_are_one() {
    struct Ramping(Said);
    impl Board for Ramping {
        fn standing(&self, target: &Target) -> Standing {
            self.0.standing(target)
        }
        fn forced(&self, node: &str) -> Option<Override> {
            self.0.forced(node)
        }
        fn weight(&self, node: &Node) -> u16 {
            node.weight
        }
        fn pace(&self, target: &Target) -> Option<Duration> {
            self.0.pace(target)
        }
        fn part(&self, node: &Node) -> Share {
            Share::thousandths(if node.name == "n1" { 100 } else { 1000 })
        }
    }
    let weights: Vec<_> = judge(&service(), &Ramping(Said::default()), |_| false)
        .iter()
        .map(|one| (one.seat.weight, one.seat.full))
        .collect();
    assert_eq!(weights, [(6553, 1), (65_535, 1), (65_535, 1), (65_535, 1)]);
}

#[test]
fn load_moves_the_weights_of_least_loaded_alone() {
    struct Busy(Said);
    impl Board for Busy {
        fn standing(&self, target: &Target) -> Standing {
            self.0.standing(target)
        }
        fn forced(&self, node: &str) -> Option<Override> {
            self.0.forced(node)
        }
        fn weight(&self, node: &Node) -> u16 {
            node.weight
        }
        fn pace(&self, target: &Target) -> Option<Duration> {
            self.0.pace(target)
        }
        fn load(&self, target: &Target) -> Option<Share> {
            let busy = target.address == IpAddr::from([192, 0, 2, 1]);
            busy.then(|| Share::thousandths(250))
        }
    }
    let weights = |policy| -> Vec<u16> {
        let service = Service { policy, ..service() };
        let judged = judge(&service, &Busy(Said::default()), |_| false);
        judged.iter().map(|one| one.seat.weight).collect()
    };
    assert_eq!(weights(Policy::LeastLoaded), [16_383, 65_535, 65_535, 65_535]);
    assert_eq!(weights(Policy::Weighted), [1; 4]);
}

#[test]
fn a_pool_is_as_bad_as_what_it_needs() {
    let db = Service { guard: Guard::default(), ..service() };
    let app = |pools| Service::new(Name::root(), "test/web", pools);
    let needing = Pool {
        needs: vec![Arc::new(db)],
        ..Pool::new(
            "",
            vec![Node::new("w", "w", vec![Address::new([192, 0, 2, 9].into(), vec![])])],
        )
    };
    let app = app(vec![needing]);
    for (statuses, forced, expected) in [
        ([Status::Up; 4], None, Duty::Serving),
        ([Status::Down, Status::Down, Status::Down, Status::Up], None, Duty::Serving),
        ([Status::Down, Status::Down, Status::Down, Status::Draining], None, Duty::Draining),
        ([Status::Down; 4], None, Duty::Failed),
        // An operator's word on a node wins over what it needs.
        ([Status::Down; 4], Some(Override::Up), Duty::Serving),
    ] {
        let ips = (1..=4).map(|last| IpAddr::from([192, 0, 2, last]));
        let forced = forced.map(|how| ("w".to_owned(), how));
        let said = Said { statuses: ips.zip(statuses).collect(), forced };
        assert_eq!(judge(&app, &said, |_| false)[0].seat.duty, expected, "{statuses:?}");
    }
}
