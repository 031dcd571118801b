//! Floor 4: what the hot path reads, immutable, behind one pointer.
//!
//! ```text
//!   Current ──► Snapshot ──► zones, each an Arc<Zone>      shared while unchanged
//!     one swap a   |
//!     change       '───────► Plans, one for each service   made anew where a status changed
//! ```
//!
//! A worker loads the snapshot once a batch and reaches all else through the snapshot in hand, so
//! no answer mixes two generations.

pub mod compile;
mod index;
pub mod names;
pub mod plans;
pub mod publish;
pub mod roles;
pub mod settings;

use std::ops::Deref;
use std::sync::Arc;

use crate::steer::{Plan, Service};
use crate::wire::{Folded, Name};
use crate::zone::Records;

pub use compile::{AddressSlot, PoolSlot, ServiceEntry, SlotCounts, StaticRrset, Zone, ZoneSlot};
pub use names::{Entry, EntryId, Lookup};
pub use plans::{Plans, ServiceSlot};
pub use publish::{Current, Publisher, TierChange};
pub use roles::{NodeName, Offer, Role};
pub use settings::Settings;

use index::Index;

/// One zone as its operator means it: what `config` hands over and `compile` takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneModel {
    /// Ordinary records, the apex's SOA and NS always among them.
    pub records: Records,
    /// Steered names. Their own A and AAAA RRsets, if the nodes came from there, are still among
    /// the records; the service answers in their place. Names of single nodes are ordinary records.
    pub services: Vec<Arc<Service>>,
}

/// A zone of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authored {
    /// To be served.
    Good(Arc<ZoneModel>),
    /// Its files have errors: queries for names in it get SERVFAIL.
    Broken(Name),
}

/// A zone of a snapshot.
#[derive(Clone, Debug)]
pub enum Served {
    /// Answered from.
    Zone(Arc<Zone>),
    /// Answered with SERVFAIL.
    Broken(Name),
}

/// Everything that answers are made of at one time.
#[derive(Debug)]
pub struct Snapshot {
    ground: Arc<Ground>,
    plans: Plans,
}

/// A zone of a snapshot with the plans that are in force there.
#[derive(Clone, Copy, Debug)]
pub struct InForce<'s> {
    zone: &'s Zone,
    plans: &'s Plans,
}

/// What only a reload changes.
#[derive(Debug)]
struct Ground {
    generation: u64,
    zones: Vec<Served>,
    /// Of the zones, by their apexes.
    apexes: Index,
    apex_labels_max: usize,
    settings: Settings,
    slots: SlotCounts,
    set_len_max: usize,
}

impl Snapshot {
    fn new(
        generation: u64,
        zones: Vec<Served>,
        plans: Plans,
        settings: Settings,
        slots: SlotCounts,
    ) -> Self {
        let apexes = Index::of(&zones, |served| index::hash(&served.apex().to_folded()));
        let mut apex_labels_max = 0;
        let mut set_len_max = 0;
        for served in &zones {
            apex_labels_max = apex_labels_max.max(served.apex().label_count());
            if let Served::Zone(zone) = served {
                let lens = zone.services().iter().map(|entry| entry.addresses.len());
                set_len_max = set_len_max.max(lens.max().unwrap_or(0));
            }
        }
        let ground =
            Ground { generation, zones, apexes, apex_labels_max, settings, slots, set_len_max };
        Self { ground: Arc::new(ground), plans }
    }

    /// The same with other plans in the places of some.
    fn replanned(&self, plans: impl IntoIterator<Item = (ServiceSlot, Arc<Plan>)>) -> Self {
        Self { ground: Arc::clone(&self.ground), plans: self.plans.clone().with(plans) }
    }

    /// The plan in force of a service of its zones.
    pub fn plan(&self, entry: &ServiceEntry) -> &Plan {
        self.plans.get(entry.slot)
    }

    /// One of its zones with the plans in force.
    pub fn in_force<'s>(&'s self, zone: &'s Zone) -> InForce<'s> {
        InForce { zone, plans: &self.plans }
    }

    /// How many configurations were put in force before this one.
    pub fn generation(&self) -> u64 {
        self.ground.generation
    }

    /// What answers depend on beside zones.
    pub fn settings(&self) -> &Settings {
        &self.ground.settings
    }

    /// How many pool slots a worker needs.
    pub fn pool_slots(&self) -> usize {
        self.ground.slots.pools
    }

    /// How many address slots a worker needs.
    pub fn address_slots(&self) -> usize {
        self.ground.slots.addresses
    }

    /// How many zone slots a worker needs.
    pub fn zone_slots(&self) -> usize {
        self.ground.slots.zones
    }

    /// The most addresses that any service has.
    pub fn set_len_max(&self) -> usize {
        self.ground.set_len_max
    }

    /// The zone with the longest apex that a name is at or under. RFC 1034 §4.3.2 step 2.
    pub fn find_zone(&self, name: &Folded) -> Option<&Served> {
        self.find_zone_from(name, 0)
    }

    /// The same for a type that belongs to the parent: where the name is itself an apex, the zone
    /// above it, if that is ours. RFC 4035 §3.1.4.1.
    pub fn find_parent_zone(&self, name: &Folded) -> Option<&Served> {
        self.find_zone_from(name, 1).or_else(|| self.find_zone(name))
    }

    #[inline]
    fn find_zone_from(&self, name: &Folded, least: usize) -> Option<&Served> {
        let labels = name.label_count();
        (labels.saturating_sub(self.ground.apex_labels_max).max(least)..=labels)
            .find_map(|skip| self.served(name.suffix(skip)))
    }

    /// All zones that are answered from, each with its place.
    pub fn zones(&self) -> impl Iterator<Item = (usize, &Arc<Zone>)> {
        self.ground.zones.iter().enumerate().filter_map(|(at, served)| Some((at, served.zone()?)))
    }

    /// All zones, the broken ones too.
    pub fn all(&self) -> &[Served] {
        &self.ground.zones
    }

    #[inline]
    fn served(&self, apex: &[u8]) -> Option<&Served> {
        let Ground { zones, apexes, .. } = &*self.ground;
        apexes.find(zones, apex, |served| served.is_at(apex)).map(|at| &zones[at])
    }

    fn zone_of(&self, apex: &Name) -> Option<&Arc<Zone>> {
        self.served(&apex.to_folded())?.zone()
    }

    fn zone_at(&self, at: usize) -> Option<&Arc<Zone>> {
        self.ground.zones.get(at)?.zone()
    }
}

impl<'s> InForce<'s> {
    /// The plan in force of a service of this zone.
    #[inline]
    pub fn plan(self, entry: &ServiceEntry) -> &'s Plan {
        self.plans.get(entry.slot)
    }
}

impl Deref for InForce<'_> {
    type Target = Zone;

    fn deref(&self) -> &Zone {
        self.zone
    }
}

impl Served {
    /// The zone, where it is answered from.
    fn zone(&self) -> Option<&Arc<Zone>> {
        match self {
            Self::Zone(zone) => Some(zone),
            Self::Broken(_) => None,
        }
    }

    /// True where this name in lower case is the zone's.
    #[inline]
    fn is_at(&self, apex: &[u8]) -> bool {
        match self {
            Self::Zone(zone) => zone.folded_apex() == apex,
            Self::Broken(name) => name.as_wire().eq_ignore_ascii_case(apex),
        }
    }

    /// The zone's name.
    pub fn apex(&self) -> &Name {
        match self {
            Self::Zone(zone) => zone.apex(),
            Self::Broken(apex) => apex,
        }
    }
}
