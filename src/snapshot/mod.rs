//! Floor 4: what the hot path reads, immutable, behind one pointer.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};

use crate::steer::Service;
use crate::wire::Name;
use crate::zone::Records;

/// One zone as its operator means it: what `config` hands over and `compile` takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneModel {
    /// Ordinary records, the apex's SOA and NS always among them.
    pub records: Records,
    /// Steered names. Their own A and AAAA RRsets, if the nodes came from there, are still among
    /// the records; the service answers in their place.
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

/// Everything that answers are made of at one time.
pub struct Snapshot {}

/// The snapshot in force: one pointer, read by every worker once a batch.
pub struct Current(ArcSwap<Snapshot>);

impl Current {
    /// Starts with a first snapshot.
    pub fn new(first: Snapshot) -> Self {
        Self(ArcSwap::from_pointee(first))
    }

    /// The snapshot in force, held for as long as the guard lives; neither locks nor allocates.
    pub fn load(&self) -> Guard<Arc<Snapshot>> {
        self.0.load()
    }
}
