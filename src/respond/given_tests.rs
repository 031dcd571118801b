//! Whom an answer names, and until when it may be held: as it was given, and only if it was.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use domain::base::Rtype;

use super::services_tests::{AMERICAN, Bench, CLIENT, From, Statuses, app, zone};
use super::tally::Holders;
use super::tests::now;
use crate::snapshot::Settings;
use crate::snapshot::settings::RateLimit;
use crate::steer::{Answers, Policy, Service};

/// For how many seconds each address of the service is held still, as seen then; by how many.
fn held(bench: &Bench, at: Instant) -> Vec<(String, u64, u32)> {
    let snapshot = bench.publisher.current().load();
    let (_, zone) = snapshot.zones().next().unwrap();
    let entry = &zone.services()[0];
    let addresses = entry.service.nodes().flat_map(|node| &node.addresses);
    let held = addresses.zip(&entry.addresses).filter_map(|(address, &slot)| {
        let mut holders = Holders::default();
        bench.worker.tally().add_holders(&mut holders, &[slot], at);
        let (count, end) = (holders.count(0).resolvers, holders.gone_after());
        (count > 0).then(|| (address.ip.to_string(), count, end))
    });
    held.collect()
}

/// One question; the addresses that its answer names.
#[track_caller]
fn check(
    service: Service,
    statuses: &str,
    from: From<'_>,
    question: (&str, Rtype),
    named: &[&str],
) {
    let mut bench = Bench::new(service, &Statuses::read(statuses));
    let snapshot = bench.publisher.current().load();
    let ttl = snapshot.plan(&snapshot.zones().next().unwrap().1.services()[0]).ttl;
    drop(snapshot);
    bench.ask(from, question.0, question.1);
    let found = held(&bench, bench.worker.now().unwrap());
    let expected: Vec<_> = named.iter().map(|ip| ((*ip).to_owned(), 1, ttl + 2)).collect();
    assert_eq!(found, expected, "{question:?} {statuses}");
}

const SRV: (&str, Rtype) = ("_https._tcp.app.test", Rtype::SRV);

#[test]
fn an_answer_names_what_is_in_it() {
    let a = ("app.test", Rtype::A);
    for question in [a, ("www.test", Rtype::A), ("app.test", Rtype::ANY)] {
        check(app(), "", CLIENT, question, &["192.0.2.12", "192.0.2.11"]);
    }
    check(app(), "", CLIENT, ("app.test", Rtype::AAAA), &["2001:db8::12"]);
    check(app(), "", AMERICAN, a, &["198.51.100.11"]);
    check(app(), "192.0.2.12=down", CLIENT, a, &["192.0.2.11"]);
    let all = ["192.0.2.12", "2001:db8::12", "192.0.2.11"];
    check(app(), "", CLIENT, ("app.test", Rtype::HTTPS), &all);
    for question in [SRV, ("_https._tcp.www.test", Rtype::SRV)] {
        check(app(), "", CLIENT, question, &all);
    }
    for none in [("app.test", Rtype::TXT), ("_rota.app.test", Rtype::TXT), ("x.test", Rtype::A)] {
        check(app(), "", CLIENT, none, &[]);
    }
    for policy in [Policy::Ordered, Policy::Hash, Policy::Shuffle] {
        let service = Service { policy, ..app() };
        check(service, "", CLIENT, a, &["192.0.2.12", "192.0.2.11"]);
    }
    let one = Service { answers: Answers::UpTo(1.try_into().unwrap()), ..app() };
    let one = Service { policy: Policy::Ordered, ..one };
    check(one.clone(), "", CLIENT, a, &["192.0.2.12"]);
    // It hints at nothing, and names nobody.
    check(one, "", CLIENT, ("app.test", Rtype::HTTPS), &["2001:db8::12"]);
}

#[test]
fn srv_names_nodes_that_take_clients() {
    check(app(), "eu/eu2=drain", CLIENT, SRV, &["192.0.2.12", "2001:db8::12"]);
    check(app(), "", AMERICAN, SRV, &["198.51.100.11"]);
    // Where none has a weight, clients take any.
    let all = "eu/Eu1=drain eu/eu2=drain us/us1=down us/us2=down";
    check(app(), all, CLIENT, SRV, &["192.0.2.12", "2001:db8::12", "192.0.2.11"]);
}

#[test]
fn what_does_not_go_out_is_held_by_nobody() {
    let small = From { room: 512, ..CLIENT };
    let many = |pools: Vec<_>| Service { pools, answers: Answers::All, ..app() };
    let mut pools = app().pools;
    let node = pools[0].nodes[1].clone();
    pools[0].nodes.extend((0..60).map(|at| crate::steer::Node {
        id: format!("eu/more{at}"),
        name: format!("more{at}"),
        ..node.clone()
    }));
    check(many(pools.clone()), "", small, ("app.test", Rtype::A), &[]);
    check(many(pools), "", small, SRV, &[]);

    let mut bench = Bench::new(app(), &Statuses::default());
    let limit = RateLimit { per_second: NonZeroU32::MIN, slip: 1, exempt: Box::default() };
    let settings = Settings { rate_limit: Some(limit), ..Settings::default() };
    bench.publisher.publish(&[zone(app())], settings, &Statuses::default());
    bench.worker.begin_batch(&bench.publisher.current().load(), now());
    bench.ask(CLIENT, "app.test", Rtype::A);
    // A neighbour is in the same network, whose one answer has gone out.
    bench.ask(From { ip: "192.0.2.98", ..CLIENT }, "app.test", Rtype::A);
    let found = held(&bench, bench.worker.now().unwrap());
    assert!(found.iter().all(|(_, resolvers, _)| *resolvers == 1) && found.len() == 2, "{found:?}");
}

#[test]
fn resolvers_and_the_networks_that_they_tell_are_counted_once() {
    let mut bench = Bench::new(app(), &Statuses::default());
    let subnet = |third| vec![0, 8, 0, 7, 0, 1, 24, 0, 203, 0, third];
    let (one, other) = (subnet(113), subnet(114));
    for (ip, options) in [
        ("192.0.2.53", &[][..]),
        ("192.0.2.53", &[]),
        ("192.0.2.54", &[]),
        ("192.0.2.53", &one),
        ("192.0.2.53", &other),
        ("192.0.2.53", &other),
    ] {
        bench.ask(From { ip, options, ..CLIENT }, "app.test", Rtype::A);
        bench.ask(From { ip, options, ..CLIENT }, "app.test", Rtype::HTTPS);
    }
    let start = bench.worker.now().unwrap();
    let found = held(&bench, start);
    assert_eq!(found[0], ("192.0.2.12".to_owned(), 4, 32));
    // Who asks again, or for the first time, later, holds it longer.
    let later = start + Duration::from_secs(20);
    bench.worker.begin_batch(&bench.publisher.current().load(), later);
    assert_eq!(held(&bench, later)[0], ("192.0.2.12".to_owned(), 4, 12));
    bench.ask(CLIENT, "app.test", Rtype::A);
    assert_eq!(held(&bench, later)[0], ("192.0.2.12".to_owned(), 5, 32));
    assert_eq!(held(&bench, later + Duration::from_secs(12))[0].1, 1);
    assert_eq!(held(&bench, later + Duration::from_secs(32)), []);
}
