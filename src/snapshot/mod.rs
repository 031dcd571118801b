//! Floor 4: what the hot path reads, immutable, behind one pointer.
//!
//! ```text
//!   Current ──► Snapshot ──► Arc<Zone> ──► services, each ──► Plan
//!     one swap a reload      shared while    one swap a change of status
//!                            unchanged
//! ```
//!
//! A worker loads the snapshot once a batch and a plan once a query, and reaches the plan only
//! through the snapshot in hand, so no answer mixes two generations.

pub mod compile;
pub mod names;
pub mod publish;
pub mod roles;
pub mod settings;

use std::sync::Arc;

use hashbrown::HashTable;

use crate::steer::Service;
use crate::wire::{Folded, Name};
use crate::zone::Records;

pub use compile::{AddressSlot, PoolSlot, ServiceEntry, SlotCounts, StaticRrset, Zone, ZoneSlot};
pub use names::{Entry, EntryId, Lookup};
pub use publish::{Current, Publisher, TierChange};
pub use roles::{NodeName, Offer, Role};
pub use settings::Settings;

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
    generation: u64,
    zones: Vec<Served>,
    apexes: HashTable<(u32, Box<[u8]>)>,
    apex_labels_max: usize,
    settings: Settings,
    slots: SlotCounts,
    set_len_max: usize,
}

impl Snapshot {
    fn new(generation: u64, zones: Vec<Served>, settings: Settings, slots: SlotCounts) -> Self {
        let mut apexes = HashTable::with_capacity(zones.len());
        let mut apex_labels_max = 0;
        let mut set_len_max = 0;
        for (at, served) in zones.iter().enumerate() {
            let apex = served.apex();
            apex_labels_max = apex_labels_max.max(apex.label_count());
            let key = apex.to_folded();
            let rehash = |(_, key): &(u32, Box<[u8]>)| names::hash(key);
            apexes.insert_unique(names::hash(&key), (at as u32, key), rehash);
            if let Served::Zone(zone) = served {
                let lens = zone.services().iter().map(|entry| entry.addresses.len());
                set_len_max = set_len_max.max(lens.max().unwrap_or(0));
            }
        }
        Self { generation, zones, apexes, apex_labels_max, settings, slots, set_len_max }
    }

    /// How many were published before this one.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// What answers depend on beside zones.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How many pool slots a worker needs.
    pub fn pool_slots(&self) -> usize {
        self.slots.pools
    }

    /// How many address slots a worker needs.
    pub fn address_slots(&self) -> usize {
        self.slots.addresses
    }

    /// How many zone slots a worker needs.
    pub fn zone_slots(&self) -> usize {
        self.slots.zones
    }

    /// The most addresses that any service has.
    pub fn set_len_max(&self) -> usize {
        self.set_len_max
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
        (labels.saturating_sub(self.apex_labels_max).max(least)..=labels)
            .find_map(|skip| self.served(name.suffix(skip)))
    }

    /// All zones that are answered from, each with its place.
    pub fn zones(&self) -> impl Iterator<Item = (usize, &Arc<Zone>)> {
        self.zones.iter().enumerate().filter_map(|(at, served)| match served {
            Served::Zone(zone) => Some((at, zone)),
            Served::Broken(_) => None,
        })
    }

    /// All zones, the broken ones too.
    pub fn all(&self) -> &[Served] {
        &self.zones
    }

    #[inline]
    fn served(&self, apex: &[u8]) -> Option<&Served> {
        let found = self.apexes.find(names::hash(apex), |(_, key)| key[..] == *apex);
        found.map(|(at, _)| &self.zones[*at as usize])
    }

    fn zone_of(&self, apex: &Name) -> Option<&Arc<Zone>> {
        match self.served(&apex.to_folded())? {
            Served::Zone(zone) => Some(zone),
            Served::Broken(_) => None,
        }
    }

    fn zone_at(&self, at: usize) -> Option<&Arc<Zone>> {
        match self.zones.get(at)? {
            Served::Zone(zone) => Some(zone),
            Served::Broken(_) => None,
        }
    }
}

impl Served {
    /// The zone's name.
    pub fn apex(&self) -> &Name {
        match self {
            Self::Zone(zone) => zone.apex(),
            Self::Broken(apex) => apex,
        }
    }
}
