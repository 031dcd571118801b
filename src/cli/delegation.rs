//! What the owner of a parent zone must have: NS and glue, for `rota check` and `rota doctor`.
//!
//! RFC 1034 §4.2.2: the names of the child's servers, and the addresses of those whose names lie
//! inside the child, which nobody could find otherwise.

use std::net::IpAddr;

use crate::snapshot::ZoneModel;
use crate::wire::{Name, RecordType};

/// A zone's delegation as the zone itself has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Delegation {
    /// The name that is delegated.
    pub(super) apex: Name,
    /// In seconds.
    pub(super) ttl: u32,
    /// In the order written.
    pub(super) servers: Vec<NameServer>,
}

/// A name server, and its addresses where the zone has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NameServer {
    /// Its name.
    pub(super) name: Name,
    /// IPv4 first.
    pub(super) addresses: Vec<IpAddr>,
}

impl Delegation {
    /// What a zone says of itself.
    pub(super) fn of(zone: &ZoneModel) -> Self {
        let apex = &zone.records.apex;
        let ns = zone.records.get(apex, RecordType::NS);
        let names = ns.into_iter().flat_map(|ns| ns.rdata());
        let server = |name: Name| {
            let sets = [RecordType::A, RecordType::AAAA].map(|it| zone.records.get(&name, it));
            let rdata = sets.into_iter().flatten().flat_map(|rrset| rrset.rdata());
            let addresses = rdata.filter_map(address).collect();
            NameServer { name, addresses }
        };
        Self {
            apex: apex.clone(),
            ttl: ns.map_or(0, |ns| ns.ttl),
            servers: names.filter_map(|rdata| Name::from_wire(rdata).ok()).map(server).collect(),
        }
    }
}

/// The address that an A or AAAA record's RDATA is.
pub(super) fn address(rdata: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(rdata).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(rdata).map(IpAddr::from)).ok()
}
