//! Which plan answers for which service, whatever comes and goes, and what becomes of old ones.

use std::net::IpAddr;

use super::*;
use crate::snapshot::ZoneModel;
use crate::steer::{Address, Node, Pool, Unchecked};
use crate::wire::Name;
use crate::zone::Records;

/// A zone with services of so many addresses each.
fn zone(apex: &str, services: &[(&str, usize)]) -> Authored {
    let apex = Name::from_text(apex).unwrap();
    let service = |&(owner, count): &(&str, usize)| {
        let owner = Name::from_text_under(owner, &apex).unwrap();
        let id = format!("{apex}/{owner}");
        let node = |at: usize| {
            let address = Address::new(IpAddr::from([127, 0, 0, at as u8]), Vec::new());
            Node::new(format!("{id}/n{at}"), format!("n{at}"), vec![address])
        };
        let pool = Pool::new("", (1..=count).map(node).collect());
        Arc::new(Service::new(owner, "the same id", vec![pool]))
    };
    let services = services.iter().map(service).collect();
    Authored::Good(Arc::new(ZoneModel { records: Records::none(apex), services }))
}

/// How many addresses the plan in force of each service has.
fn lens(publisher: &Publisher) -> Vec<usize> {
    let snapshot = publisher.current().load();
    let entries = snapshot.zones().flat_map(|(_, zone)| zone.services());
    entries.map(|entry| snapshot.plan(entry).seats().len()).collect()
}

fn publish(publisher: &mut Publisher, zones: &[Authored]) -> Vec<usize> {
    publisher.publish(zones, Settings::default(), &Unchecked);
    lens(publisher)
}

#[test]
fn every_service_has_its_own_plan_whatever_its_id() {
    let mut publisher = Publisher::new();
    let zones = [
        zone("a.test", &[("x.b", 1), ("y", 2)]),
        zone("b.a.test", &[("x", 3)]),
        zone("c.test", &[("y", 4)]),
    ];
    assert_eq!(publish(&mut publisher, &zones), [1, 2, 3, 4]);
}

#[test]
fn what_goes_and_comes_back_has_a_plan_of_its_own_again() {
    let mut publisher = Publisher::new();
    let (one, other) = (zone("a.test", &[("x", 1)]), zone("b.test", &[("x", 2), ("y", 3)]));
    let both = [one.clone(), other.clone()];
    assert_eq!(publish(&mut publisher, &both), [1, 2, 3]);
    assert_eq!(publish(&mut publisher, std::slice::from_ref(&other)), [2, 3]);
    let broken = Authored::Broken(Name::from_text("b.test").unwrap());
    assert_eq!(publish(&mut publisher, &[broken, one]), [1]);
    let changed = zone("a.test", &[("w", 5), ("x", 4)]);
    assert_eq!(publish(&mut publisher, &[changed, other]), [5, 4, 2, 3]);
    assert_eq!(publish(&mut publisher, &both), [1, 2, 3]);
}

#[test]
fn a_new_plan_leaves_readers_what_they_hold_and_is_freed_after_them() {
    let mut publisher = Publisher::new();
    publish(&mut publisher, &[zone("a.test", &[("x", 1), ("y", 2)])]);
    publisher.sweep();
    let held = publisher.current().load();
    let held_entry = &held.zones().next().unwrap().1.services()[0];
    let before = std::ptr::from_ref(held.plan(held_entry));
    let is_x = |service: &Service| service.owner == Name::from_text("x.a.test").unwrap();
    publisher.replan_services(is_x, &Unchecked);
    assert_eq!(publisher.replanned(), 1);
    assert_eq!(std::ptr::from_ref(held.plan(held_entry)), before);
    let now = publisher.current().load();
    let entries = now.zones().next().unwrap().1.services();
    assert_ne!(std::ptr::from_ref(now.plan(&entries[0])), before);
    assert!(std::ptr::eq(now.plan(&entries[1]), held.plan(&entries[1])), "it has not changed");
    assert_eq!(now.generation(), held.generation());
    assert_eq!(publisher.sweep(), 1, "somebody reads it");
    drop(held);
    assert_eq!(publisher.sweep(), 0);
}
