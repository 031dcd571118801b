//! Real resolvers in front: what their clients see of a zone that the built `rota` serves.
//!
//! ```text
//!   client ──► unbound ──────────────── stub zone ──────────────► rota      lb.example.org
//!   client ──► BIND ──► NSD, the root, which refers to ─────────► rota
//!
//!   all on one port, each on a loopback address of its own; resolvers ask from addresses that the
//!   zone tells apart
//!
//! apt-get install unbound bind9 nsd        what it needs besides the build
//! cargo test --test resolvers
//! ```
//!
//! BIND follows the delegation from its root hints on. Unbound cannot be told of another port than
//! 53 for the servers of a delegation, so it is told where the zone is.
//!
//! Plain `cargo test` leaves this target out (`test = false`), and asking for it where one of them is
//! missing fails rather than skips.

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]
#![allow(unreachable_pub, reason = "the modules of a test are seen by nobody else")]

mod ask;
#[path = "../common/mod.rs"]
mod common;
mod peers;
mod scene;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use common::{Mode, wait_until};
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{Record, RecordType};

use ask::{Heard, ask, ask_from, ask_stream};
use peers::{Kind, Resolver, Subnets};
use scene::{BLUE, EVERYWHERE, GREEN, MANY, PRIMARY, STANDBY, Scene, WEIGHTS};

/// A scene with both kinds of resolver, which ask from this address.
fn resolvers(scene: &Scene, source: Ipv4Addr) -> Vec<Resolver> {
    let start = |kind| Resolver::start(scene, kind, source, Subnets::Kept);
    Kind::ALL.map(start).into()
}

/// What a client of a resolver hears of a name.
fn hears(resolver: &Resolver, name: &str, rtype: RecordType) -> Heard {
    ask(resolver.address, name, rtype)
}

/// The data of records in the order of their texts: resolvers may turn sets.
fn sorted(records: &[Record]) -> Vec<String> {
    let mut texts: Vec<String> = records.iter().map(|record| record.data.to_string()).collect();
    texts.sort();
    texts
}

#[test]
fn resolvers_get_the_pool_of_the_place_they_ask_from() {
    let scene = Scene::new("geo");
    for (source, pool) in [(BLUE, "192.0.2.11"), (GREEN, "192.0.2.21"), (EVERYWHERE, "192.0.2.31")]
    {
        for resolver in resolvers(&scene, source) {
            let heard = hears(&resolver, "geo", RecordType::A);
            assert_eq!(sorted(&heard.answers), [pool], "{resolver}");
            // Two aliases lead there; the resolver has the pool in its cache or asks again.
            let heard = hears(&resolver, "www", RecordType::A);
            let expected = ["geo.lb.example.org.", "hop.lb.example.org.", pool];
            let mut found = sorted(&heard.answers);
            found.sort_by_key(|text| !text.ends_with('.'));
            assert_eq!(found, expected, "{resolver}");
        }
    }
}

#[test]
fn a_resolver_meets_one_pool_of_a_split_and_stays_with_it() {
    let scene = Scene::new("split");
    let mut met = BTreeSet::new();
    for source in [BLUE, GREEN] {
        let own = sorted(&ask_from(source, scene.rota.dns, "own.split", RecordType::A).answers);
        for resolver in resolvers(&scene, source) {
            for number in 0..20 {
                let name = format!("n{number}.split");
                let heard = hears(&resolver, &name, RecordType::A);
                assert_eq!(sorted(&heard.answers), own, "{name} by {resolver}");
            }
        }
        met.insert(own);
    }
    assert_eq!(met.len(), 2, "two resolvers that meet two pools: {met:?}");
}

#[test]
fn shares_of_first_places_hold_behind_a_resolver() {
    const ASKED: usize = 600;
    let scene = Scene::new("weighted");
    for resolver in resolvers(&scene, EVERYWHERE) {
        let mut firsts: BTreeMap<String, usize> = BTreeMap::new();
        for number in 0..ASKED {
            let heard = hears(&resolver, &format!("n{number}.weighted"), RecordType::A);
            assert_eq!(heard.answers.len(), 1);
            *firsts.entry(heard.answers[0].data.to_string()).or_default() += 1;
        }
        let total: usize = WEIGHTS.iter().map(|(_, weight)| weight).sum();
        for (address, weight) in WEIGHTS {
            let (found, expected) = (firsts[address] as f64, (ASKED * weight / total) as f64);
            // Five deviations of a binomial draw: one run in a million is beyond.
            let share = weight as f64 / total as f64;
            let bound = 5.0 * (ASKED as f64 * share * (1.0 - share)).sqrt();
            assert!((found - expected).abs() < bound, "{address} {firsts:?} by {resolver}");
        }
    }
}

#[test]
fn a_dead_node_leaves_the_resolvers_when_its_ttl_is_over() {
    let scene = Scene::new("failover");
    let resolvers = resolvers(&scene, EVERYWHERE);
    let direct = || sorted(&ask(scene.rota.dns, "failover", RecordType::A).answers);
    let check = |expected: Ipv4Addr| {
        let expected = [expected.to_string()];
        wait_until("rota answers with it", || direct() == expected);
        for resolver in &resolvers {
            wait_until(&format!("{resolver} answers with {expected:?}"), || {
                let heard = hears(resolver, "failover", RecordType::A);
                // Whatever is in the cache is there for no longer than was said.
                assert!(heard.answers.iter().all(|it| it.ttl <= scene::TTL), "{heard:?}");
                sorted(&heard.answers) == expected
            });
        }
    };
    check(PRIMARY);
    scene.primary().set(Mode::Unready);
    check(STANDBY);
    scene.primary().set(Mode::Ready);
    check(PRIMARY);
}

#[test]
fn srv_and_https_come_through_and_lead_to_the_nodes() {
    let scene = Scene::new("types");
    for resolver in resolvers(&scene, EVERYWHERE) {
        let srv = hears(&resolver, "_https._tcp.app", RecordType::SRV);
        let expected = ["0 768 8443 a.app.lb.example.org.", "0 256 8443 b.app.lb.example.org."];
        let mut expected: Vec<String> = expected.map(String::from).into();
        expected.sort();
        assert_eq!(sorted(&srv.answers), expected, "{resolver}");
        let a = hears(&resolver, "a.app", RecordType::A);
        assert_eq!(sorted(&a.answers), ["192.0.2.41"], "{resolver}");
        let https = hears(&resolver, "app", RecordType::HTTPS);
        let [record] = &https.answers[..] else { panic!("{https:?}") };
        let text = record.data.to_string();
        for part in ["alpn=", "h2", "192.0.2.41", "192.0.2.42", "2001:db8::41"] {
            assert!(text.contains(part), "{part} in {text} by {resolver}");
        }
        let aaaa = hears(&resolver, "app", RecordType::AAAA);
        assert_eq!(sorted(&aaaa.answers), ["2001:db8::41"], "{resolver}");
    }
}

#[test]
fn an_answer_beyond_a_datagram_comes_by_tcp() {
    let scene = Scene::new("large");
    for resolver in resolvers(&scene, EVERYWHERE) {
        let datagram = hears(&resolver, "large", RecordType::A);
        assert!(datagram.truncated, "by {resolver}: {datagram:?}");
        let stream = ask_stream(resolver.address, "large", RecordType::A);
        let found: BTreeSet<String> = sorted(&stream.answers).into_iter().collect();
        assert_eq!(found.len(), MANY, "{resolver}");
    }
}

#[test]
fn what_is_not_there_is_told_from_what_has_no_such_type() {
    let scene = Scene::new("nothing");
    for resolver in resolvers(&scene, EVERYWHERE) {
        for (name, rtype, expected) in [
            ("geo", RecordType::AAAA, ResponseCode::NoError),
            ("www", RecordType::AAAA, ResponseCode::NoError),
            ("app", RecordType::MX, ResponseCode::NoError),
            ("weighted", RecordType::A, ResponseCode::NoError),
            ("missing", RecordType::A, ResponseCode::NXDomain),
            ("deep.missing", RecordType::AAAA, ResponseCode::NXDomain),
        ] {
            let heard = hears(&resolver, name, rtype);
            assert_eq!(heard.rcode, expected, "{name} {rtype} by {resolver}: {heard:?}");
            let of_type = heard.answers.iter().any(|record| record.record_type() == rtype);
            assert!(!of_type, "{name} {rtype} by {resolver}: {heard:?}");
        }
        // And asked again: what was kept of the first time says the same.
        let again = hears(&resolver, "geo", RecordType::A);
        assert_eq!(sorted(&again.answers), ["192.0.2.31"], "{resolver}");
    }
}

#[test]
fn a_resolver_that_tells_subnets_keeps_one_answer_for_each_scope() {
    let scene = Scene::new("subnets");
    let unbound = Resolver::start(&scene, Kind::Unbound, EVERYWHERE, Subnets::Told);
    let from = |client: [u8; 4], name: &str| -> String {
        let heard = ask_from(client.into(), unbound.address, name, RecordType::A);
        assert_eq!(heard.answers.len(), 1, "{heard:?}");
        heard.answers[0].data.to_string()
    };
    for number in 0..10 {
        let name = format!("n{number}.told");
        // 127.1.0.0/16 is one place: two networks of 24 bits in it share an answer, which is one of
        // many addresses drawn by chance.
        let first = from([127, 1, 1, 5], &name);
        assert!(first.starts_with("198.51.100."), "{first}");
        assert_eq!(from([127, 1, 1, 77], &name), first, "{name}: one network of 24 bits");
        assert_eq!(from([127, 1, 200, 5], &name), first, "{name}: one scope");
        let other = from([127, 2, 1, 5], &name);
        assert!(other.starts_with("203.0.113."), "{other}");
        assert_eq!(from([127, 2, 9, 9], &name), other, "{name}: one scope");
        let elsewhere = from([127, 200, 1, 5], &name);
        assert!(elsewhere.starts_with("192.0.2."), "{elsewhere}");
        assert_eq!(from([127, 1, 2, 1], &name), first, "{name}: still the same");
    }
    // What is the same for everybody is kept once.
    for number in 0..5 {
        let name = format!("n{number}.weighted");
        assert_eq!(from([127, 1, 1, 5], &name), from([127, 2, 1, 5], &name));
    }
}
