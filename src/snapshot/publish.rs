//! Puts snapshots and plans in force, and takes the old ones out of the way.
//!
//! One task owns the [`Publisher`] and is the only writer. Readers hold what they read by a guard
//! that counts nothing and frees nothing: what was replaced waits in the retire list until nobody
//! but the list holds it, and is freed here, in the cold.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};

use crate::health::Target;
use crate::steer::{Board, Family, Plan, Tier};

use super::compile::{ServiceEntry, Slots, Zone};
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

/// A service whose answers come from another row of the truth table than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TierChange {
    /// `zone/service`.
    pub service: String,
    /// Of which family.
    pub family: Family,
    /// Before.
    pub from: Tier,
    /// Now.
    pub to: Tier,
}

/// The one writer of what is in force.
#[derive(Debug)]
pub struct Publisher {
    current: Arc<Current>,
    slots: Slots,
    /// Which services stand on a target: indexes of zone and service.
    users: HashMap<Arc<Target>, Vec<(usize, usize)>>,
    retired_plans: Vec<Arc<Plan>>,
    retired_snapshots: Vec<Arc<Snapshot>>,
}

impl Default for Publisher {
    fn default() -> Self {
        Self::new()
    }
}

impl Publisher {
    /// Starts with no zones: every query is refused.
    pub fn new() -> Self {
        let empty = Snapshot::new(0, Vec::new(), Settings::default(), (0, 0));
        Self {
            current: Arc::new(Current(ArcSwap::from_pointee(empty))),
            slots: Slots::default(),
            users: HashMap::new(),
            retired_plans: Vec::new(),
            retired_snapshots: Vec::new(),
        }
    }

    /// What workers read from.
    pub fn current(&self) -> &Arc<Current> {
        &self.current
    }

    /// Compiles zones and puts them in force in one step; zones that did not change are shared.
    pub fn publish(&mut self, zones: &[Authored], settings: Settings, board: &impl Board) {
        let before = self.current.0.load_full();
        let served = zones.iter().map(|authored| match authored {
            Authored::Broken(apex) => Served::Broken(apex.clone()),
            Authored::Good(model) => {
                let same = before.zone_of(&model.records.apex).filter(|zone| zone.model() == model);
                Served::Zone(same.map_or_else(
                    || Arc::new(Zone::compile(Arc::clone(model), &mut self.slots, board)),
                    Arc::clone,
                ))
            }
        });
        let served = served.collect();
        let next = Snapshot::new(before.generation() + 1, served, settings, self.slots.counts());
        self.users = users(&next);
        self.retired_snapshots.push(self.current.0.swap(Arc::new(next)));
        self.sweep();
    }

    /// Makes new plans for the services that stand on these targets and puts them in force.
    pub fn replan<'t>(
        &mut self,
        targets: impl IntoIterator<Item = &'t Target>,
        board: &impl Board,
    ) -> Vec<TierChange> {
        let snapshot = self.current.0.load_full();
        let mut places: Vec<(usize, usize)> = targets
            .into_iter()
            .filter_map(|target| self.users.get(target))
            .flatten()
            .copied()
            .collect();
        places.sort_unstable();
        places.dedup();
        let mut changes = Vec::new();
        for (zone, service) in places {
            let Some(zone) = snapshot.zone_at(zone) else { continue };
            let entry = &zone.services()[service];
            let plan = Plan::make(&entry.service, board);
            changes.extend(tier_changes(entry, &plan));
            self.retired_plans.push(entry.swap(plan));
        }
        self.sweep();
        changes
    }

    /// Frees what was replaced and is held by nobody any more. Gives how much still waits.
    pub fn sweep(&mut self) -> usize {
        self.retired_plans.retain(|plan| Arc::strong_count(plan) > 1);
        self.retired_snapshots.retain(|snapshot| Arc::strong_count(snapshot) > 1);
        self.retired_plans.len() + self.retired_snapshots.len()
    }
}

fn tier_changes(entry: &ServiceEntry, plan: &Plan) -> Vec<TierChange> {
    let before = entry.plan();
    let change = |family| {
        let (from, to) = (before.set(family).tier, plan.set(family).tier);
        (from != to).then(|| TierChange { service: entry.service.id.clone(), family, from, to })
    };
    Family::ALL.into_iter().filter_map(change).collect()
}

fn users(snapshot: &Snapshot) -> HashMap<Arc<Target>, Vec<(usize, usize)>> {
    let mut users: HashMap<Arc<Target>, Vec<(usize, usize)>> = HashMap::new();
    for (zone_at, zone) in snapshot.zones() {
        for (service_at, entry) in zone.services().iter().enumerate() {
            for target in entry.service.targets() {
                users.entry(Arc::clone(target)).or_default().push((zone_at, service_at));
            }
        }
    }
    users
}
