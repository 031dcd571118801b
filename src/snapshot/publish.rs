//! Puts snapshots and plans in force, and takes the old ones out of the way.
//!
//! One task owns the [`Publisher`] and is the only writer. Readers hold what they read by a guard
//! that counts nothing and frees nothing: what was replaced waits in the retire list until nobody
//! but the list holds it, and is freed here, in the cold.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use foldhash::fast::FixedState;

use crate::geo::Atlas;
use crate::health::Target;
use crate::steer::{Board, Family, Guides, Plan, Pools, Service, Tier};

use super::compile::{ServiceEntry, SlotCounts, Slots, Tools, Zone};
use super::plans::Plans;
use super::{Authored, Served, Settings, Snapshot};

/// The snapshot in force: one pointer, read by every worker once a batch.
#[derive(Debug)]
pub struct Current(ArcSwap<Snapshot>);

impl Current {
    /// The snapshot in force, held as long as the guard lives; neither locks nor allocates.
    pub fn load(&self) -> Guard<Arc<Snapshot>> {
        self.0.load()
    }
}

/// A service whose answers come from another row of the truth table, or other pools, than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TierChange {
    /// `zone/service`.
    pub service: String,
    /// Of which family.
    pub family: Family,
    /// Before: the row, and the pools that could answer.
    pub from: (Tier, Pools),
    /// Now.
    pub to: (Tier, Pools),
    /// Which pools answered with all they have, because too little of it served.
    pub panicked: Pools,
    /// Which do now.
    pub panic: Pools,
    /// The names of the service's pools.
    pub pools: Vec<String>,
}

/// Which services stand on a target: indexes of zone and service.
type Users = HashMap<Arc<Target>, Vec<(usize, usize)>, FixedState>;

/// The one writer of what is in force.
#[derive(Debug)]
pub struct Publisher {
    current: Arc<Current>,
    slots: Slots,
    guides: Guides,
    /// The guides are newer than the snapshot in force.
    located_anew: bool,
    users: Users,
    /// How many plans took the place of others.
    replanned: u64,
    retired: Vec<Arc<Snapshot>>,
}

impl Default for Publisher {
    fn default() -> Self {
        Self::new()
    }
}

impl Publisher {
    /// Starts with no zones: every query is refused.
    pub fn new() -> Self {
        let (settings, slots) = (Settings::default(), SlotCounts::default());
        let empty = Snapshot::new(0, Vec::new(), Plans::default(), settings, slots);
        Self {
            current: Arc::new(Current(ArcSwap::from_pointee(empty))),
            slots: Slots::default(),
            guides: Guides::new(Arc::new(Atlas::empty())),
            located_anew: false,
            users: Users::default(),
            replanned: 0,
            retired: Vec::new(),
        }
    }

    /// What workers read from.
    pub fn current(&self) -> &Arc<Current> {
        &self.current
    }

    /// How many plans took the place of others since the start, those of a reload not among them.
    pub fn replanned(&self) -> u64 {
        self.replanned
    }

    /// From the next [`Publisher::publish`] on, clients are where this atlas says.
    pub fn locate(&mut self, atlas: Arc<Atlas>) {
        self.guides = Guides::new(atlas);
        self.located_anew = true;
    }

    /// Where clients are.
    pub fn atlas(&self) -> &Arc<Atlas> {
        self.guides.atlas()
    }

    /// Compiles zones and puts them in force in one step; zones that did not change are shared.
    pub fn publish(&mut self, zones: &[Authored], settings: Settings, board: &impl Board) {
        let before = self.current.0.load_full();
        let mut made = HashMap::new();
        let served = zones.iter().map(|authored| match authored {
            Authored::Broken(apex) => Served::Broken(apex.clone()),
            Authored::Good(model) => {
                let same = before.zone_of(&model.records.apex);
                let stale = |zone: &Zone| self.located_anew && zone.is_located();
                match same.filter(|zone| zone.model() == model && !stale(zone)) {
                    Some(same) => Served::Zone(Arc::clone(same)),
                    None => {
                        let mut tools = Tools {
                            slots: &mut self.slots,
                            guides: &mut self.guides,
                            board,
                            before: &before.plans,
                            made: &mut made,
                        };
                        let same = same.map(|zone| &**zone);
                        let zone = Zone::compile(Arc::clone(model), same, &mut tools);
                        Served::Zone(Arc::new(zone))
                    }
                }
            }
        });
        let served: Vec<Served> = served.collect();
        self.located_anew = false;
        let entries = served.iter().filter_map(Served::zone).flat_map(|zone| zone.services());
        let plans = entries.map(|entry| {
            let plan = made.remove(&entry.slot);
            (entry.slot, plan.unwrap_or_else(|| Arc::clone(before.plans.get(entry.slot))))
        });
        let plans = Plans::of(self.slots.services(), plans);
        let (generation, slots) = (before.generation() + 1, self.slots.counts());
        let next = Snapshot::new(generation, served, plans, settings, slots);
        self.users = users(&next);
        self.put(next);
    }

    /// Puts a snapshot in force; the one before waits until nobody holds it any more.
    fn put(&mut self, next: Snapshot) {
        self.retired.push(self.current.0.swap(Arc::new(next)));
        self.sweep();
    }

    /// The services that stand on any of these targets, each once.
    pub fn services_on(&self, targets: &[&Target]) -> Vec<Arc<Service>> {
        let snapshot = self.current.0.load();
        let service = |(zone, service): (usize, usize)| {
            let zone = snapshot.zone_at(zone)?;
            Some(Arc::clone(&zone.services()[service].service))
        };
        self.places_on(targets).into_iter().filter_map(service).collect()
    }

    /// Makes new plans for the services that stand on any of these targets and puts them in force.
    pub fn replan(&mut self, targets: &[&Target], board: &impl Board) -> Vec<TierChange> {
        let snapshot = self.current.0.load_full();
        self.replan_at(snapshot, self.places_on(targets), board)
    }

    /// The same for those of them whose answers go by how fast or how busy nodes are.
    pub fn replan_by_pace(&mut self, targets: &[&Target], board: &impl Board) {
        let snapshot = self.current.0.load_full();
        let mut places = self.places_on(targets);
        places.retain(|&(zone, service)| {
            let zone = snapshot.zone_at(zone);
            zone.is_some_and(|zone| zone.services()[service].service.heeds_paces())
        });
        // Who is fast decides nothing of which pools can answer.
        self.replan_at(snapshot, places, board);
    }

    /// Where the services are that stand on any of these targets, each once.
    fn places_on(&self, targets: &[&Target]) -> Vec<(usize, usize)> {
        let users = targets.iter().filter_map(|target| self.users.get(*target));
        let mut places: Vec<(usize, usize)> = users.flatten().copied().collect();
        places.sort_unstable();
        places.dedup();
        places
    }

    /// The same for the services that are `meant`, whether or not anything is probed for them.
    pub fn replan_services(
        &mut self,
        meant: impl Fn(&Service) -> bool,
        board: &impl Board,
    ) -> Vec<TierChange> {
        let snapshot = self.current.0.load_full();
        let mut places = Vec::new();
        for (zone_at, zone) in snapshot.zones() {
            let services = zone.services().iter().enumerate();
            let meant = services.filter(|(_, entry)| meant(&entry.service));
            places.extend(meant.map(|(service_at, _)| (zone_at, service_at)));
        }
        self.replan_at(snapshot, places, board)
    }

    fn replan_at(
        &mut self,
        snapshot: Arc<Snapshot>,
        places: Vec<(usize, usize)>,
        board: &impl Board,
    ) -> Vec<TierChange> {
        let (mut changes, mut plans) = (Vec::new(), Vec::new());
        for (zone, service) in places {
            let Some(zone) = snapshot.zone_at(zone) else { continue };
            let entry = &zone.services()[service];
            let before = snapshot.plan(entry);
            let plan = entry.replan(board, before);
            changes.extend(tier_changes(entry, before, &plan));
            plans.push((entry.slot, Arc::new(plan)));
        }
        if !plans.is_empty() {
            self.replanned += plans.len() as u64;
            let next = snapshot.replanned(plans);
            drop(snapshot);
            self.put(next);
        }
        changes
    }

    /// Frees what was replaced and is held by nobody any more. Gives how much still waits.
    pub fn sweep(&mut self) -> usize {
        self.retired.retain(|snapshot| Arc::strong_count(snapshot) > 1);
        self.guides.sweep();
        self.retired.len()
    }
}

fn tier_changes(entry: &ServiceEntry, before: &Plan, plan: &Plan) -> Vec<TierChange> {
    let change = |family| {
        let (from, to) = (before.tier(family), plan.tier(family));
        let (panicked, panic) = (before.panicking(family), plan.panicking(family));
        (from != to || panicked != panic).then(|| TierChange {
            service: entry.service.id.clone(),
            family,
            from,
            to,
            panicked,
            panic,
            pools: entry.service.pools.iter().map(|pool| pool.name.clone()).collect(),
        })
    };
    Family::ALL.into_iter().filter_map(change).collect()
}

fn users(snapshot: &Snapshot) -> Users {
    let mut users = Users::default();
    for (zone_at, zone) in snapshot.zones() {
        for (service_at, entry) in zone.services().iter().enumerate() {
            for target in entry.service.targets() {
                users.entry(Arc::clone(target)).or_default().push((zone_at, service_at));
            }
        }
    }
    users
}

#[cfg(test)]
mod tests;
