//! Negative answers: they carry the zone's SOA, so that resolvers know how long they hold.
//!
//! RFC 2308 §2 and §5: the SOA goes to the authority section with the lesser of its TTL and its
//! MINIMUM.

use crate::snapshot::Zone;
use crate::wire::{Full, Owner, RecordType, Section, Writer};

use super::answers::write_record;
use super::tally::Outcome;

/// The name does not exist.
pub(super) fn nxdomain(zone: &Zone, response: &mut Writer<'_>) -> Outcome {
    soa(zone, zone.negative_ttl(), response);
    Outcome::NxDomain
}

/// The name exists, the type does not; kept for at most `ttl_max` seconds.
pub(super) fn nodata(zone: &Zone, ttl_max: u32, response: &mut Writer<'_>) -> Outcome {
    soa(zone, zone.negative_ttl().min(ttl_max), response);
    Outcome::NoData
}

fn soa(zone: &Zone, ttl: u32, response: &mut Writer<'_>) {
    let mark = response.mark();
    if write_soa(zone, ttl, response).is_err() {
        response.rewind(mark);
        response.truncated();
    }
}

fn write_soa(zone: &Zone, ttl: u32, response: &mut Writer<'_>) -> Result<(), Full> {
    let rdata =
        zone.rrset(zone.apex_entry(), RecordType::SOA).and_then(|rrset| zone.rdata(rrset).next());
    let Some(rdata) = rdata else { return Ok(()) };
    let owner = Owner::Wire(zone.apex().as_wire());
    write_record(RecordType::SOA, ttl, rdata, Section::Authority, owner, response)
}
