//! What the owner of the parent zone must add.

use std::net::IpAddr;

use super::bare;
use super::page::Page;
use crate::snapshot::ZoneModel;
use crate::wire::name::ShowName;
use crate::wire::{Name, RecordType};

impl Page {
    /// NS and glue, as the parent zone's file has them. RFC 1034 §4.2.2.
    pub(super) fn parent(&mut self, zone: &ZoneModel) {
        let apex = &zone.records.apex;
        let Some(parent) = apex.parent() else { return };
        let Some(ns) = zone.records.get(apex, RecordType::NS) else { return };
        let owner = ns.rdata.iter().map(|rdata| ShowName(rdata).to_string().len());
        let width = owner.max().unwrap_or(0).max(apex.to_string().len());
        self.line(1, format_args!("for the parent zone, {}", bare(&parent)));
        for rdata in &ns.rdata {
            let (server, ttl) = (ShowName(rdata), ns.ttl);
            let owner = apex.to_string();
            self.line(2, format_args!("{owner:width$}  {ttl}  IN  NS    {server}"));
        }
        for server in ns.rdata.iter().filter_map(|rdata| Name::from_wire(rdata).ok()) {
            for rtype in [RecordType::A, RecordType::AAAA] {
                let Some(glue) = zone.records.get(&server, rtype) else { continue };
                for ip in glue.rdata.iter().filter_map(|rdata| address(rdata)) {
                    let (owner, ttl) = (server.to_string(), glue.ttl);
                    let rtype = rtype.to_string();
                    self.line(2, format_args!("{owner:width$}  {ttl}  IN  {rtype:4}  {ip}"));
                }
            }
        }
        self.line(2, "DS: none, the zone is not signed");
    }
}

fn address(rdata: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(rdata).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(rdata).map(IpAddr::from)).ok()
}
