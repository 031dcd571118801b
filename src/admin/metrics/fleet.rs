//! Zones, services and nodes: what an operator adds, and so what is bounded.
//!
//! Of the zones in force those with the lowest slots have rows, which are those that came first:
//! a new zone never pushes an old one out, and a row keeps its meaning as long as its zone stays.
//! The same holds of services and nodes. Whatever is beyond the bound is added up in one row, where
//! adding up makes sense, and is counted by its state in any case.

use std::collections::HashMap;
use std::fmt;

use crate::snapshot::{Served, ServiceEntry, Snapshot, Zone};
use crate::steer::eligible::{Duty, Seat};
use crate::steer::{Family, Node, Plan, Tier};
use crate::wire::{Name, RecordType};

use super::page::{Page, Value};
use super::{Facts, OTHER, families, family_word};

/// What an address can be to answers, and the word for it.
const DUTIES: [(Duty, &str); 4] = [
    (Duty::Serving, "serving"),
    (Duty::Draining, "draining"),
    (Duty::Failed, "failed"),
    (Duty::Barred, "barred"),
];

/// One node in force.
struct Stand<'s> {
    service: &'s str,
    pool: &'s str,
    node: &'s Node,
    /// The lowest of its addresses.
    slot: u32,
    /// By address.
    seats: Vec<Seat>,
    answers: u64,
}

impl Facts {
    pub(super) fn write_fleet(&self, page: &mut Page<'_>) -> fmt::Result {
        self.write_nodes(page)?;
        self.write_services(page)?;
        page.row(&families::PLANS, Value::Count(self.plans))?;
        page.row(&families::GENERATION, Value::Level(self.snapshot.generation() as f64))?;
        let all = self.snapshot.all();
        let broken = all.iter().filter(|zone| matches!(zone, Served::Broken(_))).count();
        let served = all.len() - broken;
        let states = [("served", served), ("broken", broken)];
        page.rows(&families::ZONES, states.map(|(state, n)| ([state], Value::Level(n as f64))))?;
        let (zones, _) = bounded(zones(&self.snapshot), self.caps.zones, |it| it.slot().0);
        let serials = zones
            .into_iter()
            .filter_map(|zone| Some(([bare(zone.apex())], Value::Level(f64::from(serial(zone)?)))));
        page.rows(&families::ZONE_SERIAL, serials)
    }

    /// What names in each zone were asked for.
    pub(super) fn zone_queries(&self) -> Vec<([String; 1], Value)> {
        let mut counts = Vec::new();
        self.tallies.iter().for_each(|tally| tally.add_zones(&mut counts));
        let count = |zone: &Zone| counts.get(zone.slot().0 as usize).copied().unwrap_or(0);
        let (zones, others) = bounded(zones(&self.snapshot), self.caps.zones, |it| it.slot().0);
        let row = |zone: &Zone| ([bare(zone.apex())], Value::Count(count(zone)));
        let mut rows: Vec<_> = zones.into_iter().map(row).collect();
        if !others.is_empty() {
            let sum = others.into_iter().map(count).sum();
            rows.push(([OTHER.to_owned()], Value::Count(sum)));
        }
        rows
    }

    fn write_nodes(&self, page: &mut Page<'_>) -> fmt::Result {
        let mut answers = Vec::new();
        self.tallies.iter().for_each(|tally| tally.add_firsts(&mut answers));
        let services = self.snapshot.zones().flat_map(|(_, zone)| zone.services());
        let stands =
            services.flat_map(|entry| stands(entry, self.snapshot.plan(entry), &answers)).collect();
        let (nodes, others) = bounded(stands, self.caps.nodes, |stand| stand.slot);
        let labels = |it: &Stand<'_>| [it.service, it.pool, &*it.node.name].map(str::to_owned);
        let mut counts: Vec<_> =
            nodes.iter().map(|it| (labels(it), Value::Count(it.answers))).collect();
        if !others.is_empty() {
            let sum = others.iter().map(|it| it.answers).sum();
            counts.push(([OTHER; 3].map(str::to_owned), Value::Count(sum)));
        }
        page.rows(&families::ANSWERS, counts)?;
        let is_up = |it: &Stand<'_>| it.seats.iter().any(|seat| seat.duty == Duty::Serving);
        let up = nodes.iter().map(|it| (labels(it), Value::Level(f64::from(is_up(it)))));
        page.rows(&families::NODE_UP, up)?;
        let weight = |it: &Stand<'_>| it.seats.first().map_or(it.node.weight, |seat| seat.weight);
        let weights = nodes.iter().map(|it| (labels(it), Value::Level(f64::from(weight(it)))));
        page.rows(&families::NODE_WEIGHT, weights)
    }

    fn write_services(&self, page: &mut Page<'_>) -> fmt::Result {
        let all: Vec<&ServiceEntry> =
            self.snapshot.zones().flat_map(|(_, zone)| zone.services()).collect();
        let mut tiers: HashMap<(Family, Tier), usize> = HashMap::new();
        for entry in &all {
            for family in Family::ALL {
                *tiers.entry((family, self.snapshot.plan(entry).tier(family).0)).or_default() += 1;
            }
        }
        let panics = Family::ALL.map(|family| {
            let panics =
                |entry: &&&ServiceEntry| !self.snapshot.plan(entry).panicking(family).is_empty();
            let count = all.iter().filter(panics).count();
            ([family_word(family)], Value::Level(count as f64))
        });
        let slot = |entry: &&ServiceEntry| entry.pools.iter().map(|slot| slot.0).min().unwrap_or(0);
        let (shown, others) = bounded(all, self.caps.services, slot);
        let of_families = shown.iter().flat_map(|entry| {
            Family::ALL.map(|family| {
                let (tier, _) = self.snapshot.plan(entry).tier(family);
                let labels = [&*entry.service.id, family_word(family), tier.word()];
                (labels.map(str::to_owned), Value::Level(1.0))
            })
        });
        page.rows(&families::SERVICE_TIER, of_families)?;
        page.rows(&families::SERVICES_PANICKING, panics)?;
        let (held, climbing) = self.guarded;
        let guarded = [("max_withdraw", held), ("slow_start", climbing)];
        let guarded = guarded.map(|(guard, n)| ([guard], Value::Level(n as f64)));
        page.rows(&families::GUARDED, guarded)?;

        let mut rows = Vec::new();
        for entry in &shown {
            rows.extend(duties(&entry.service.id, &[self.snapshot.plan(entry)]));
        }
        if !others.is_empty() {
            let others: Vec<&Plan> = others.iter().map(|it| self.snapshot.plan(it)).collect();
            rows.extend(duties(OTHER, &others));
        }
        page.rows(&families::SERVICE_ADDRESSES, rows)?;
        let every = Family::ALL.into_iter().flat_map(|it| Tier::ALL.map(move |tier| (it, tier)));
        let counts = every.map(|(family, tier)| {
            let count = tiers.get(&(family, tier)).copied().unwrap_or(0);
            ([family_word(family), tier.word()], Value::Level(count as f64))
        });
        page.rows(&families::SERVICES, counts)
    }
}

/// The first so many by their slots, and the others.
fn bounded<T>(mut all: Vec<T>, cap: usize, slot: impl Fn(&T) -> u32) -> (Vec<T>, Vec<T>) {
    all.sort_by_key(slot);
    let others = all.split_off(cap.min(all.len()));
    (all, others)
}

fn zones(snapshot: &Snapshot) -> Vec<&Zone> {
    snapshot.zones().map(|(_, zone)| &**zone).collect()
}

/// The nodes of a service as its plan has them, with what their addresses were first in.
fn stands<'s>(entry: &'s ServiceEntry, plan: &Plan, answers: &[u64]) -> Vec<Stand<'s>> {
    let mut addresses = entry.addresses.iter().zip(plan.seats());
    let mut all = Vec::new();
    for pool in &entry.service.pools {
        for node in &pool.nodes {
            let own: Vec<_> = addresses.by_ref().take(node.addresses.len()).collect();
            let slots = || own.iter().map(|(slot, _)| slot.0);
            let count = |slot: u32| answers.get(slot as usize).copied().unwrap_or(0);
            all.push(Stand {
                service: &entry.service.id,
                pool: &pool.name,
                node,
                slot: slots().min().unwrap_or(0),
                seats: own.iter().map(|(_, seat)| **seat).collect(),
                answers: slots().map(count).sum(),
            });
        }
    }
    all
}

/// How many addresses of the services with these plans stand how.
fn duties(label: &str, plans: &[&Plan]) -> [([String; 2], Value); 4] {
    DUTIES.map(|(duty, word)| {
        let of = |plan: &&Plan| plan.seats().iter().filter(|seat| seat.duty == duty).count();
        let count: usize = plans.iter().map(of).sum();
        ([label, word].map(str::to_owned), Value::Level(count as f64))
    })
}

/// The serial of the SOA that is served. RFC 1035 §3.3.13: behind it stand four more numbers.
fn serial(zone: &Zone) -> Option<u32> {
    let soa = zone.rrset(zone.apex_entry(), RecordType::SOA)?;
    let rdata = zone.rdata(soa).next()?;
    let numbers: &[u8; 20] = rdata.last_chunk()?;
    numbers.first_chunk().map(|serial| u32::from_be_bytes(*serial))
}

/// A name without its final dot, as people write it.
fn bare(name: &Name) -> String {
    let text = name.to_string();
    match text.strip_suffix('.') {
        Some(stem) if !stem.is_empty() => stem.to_owned(),
        Some(_) | None => text,
    }
}
