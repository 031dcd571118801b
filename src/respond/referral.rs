//! Referrals: the name is delegated away, and here is to whom.
//!
//! RFC 1034 §4.3.2 step 3b: the cut's NS records in the authority section, the addresses of those
//! servers in the additional section. RFC 9471 §3: addresses of servers that lie below the cut
//! itself must all be there, or TC is set; those of other names are a help that may be missing.

use crate::snapshot::{EntryId, Zone};
use crate::steer::Family;
use crate::wire::name::suffixes;
use crate::wire::{Full, Owner, RecordType, Section, Writer};

use super::answers::write_rrset;
use super::tally::Outcome;
use super::worker::Worker;

/// Refers to the servers of the cut that the worker's name is at or below.
pub(super) fn refer(
    zone: &Zone,
    cut: EntryId,
    worker: &mut Worker,
    response: &mut Writer<'_>,
) -> Outcome {
    let mark = response.mark();
    if name_servers(zone, cut, worker, response).is_err() {
        response.rewind(mark);
        response.truncated();
    } else if glue(zone, cut, worker, response).is_err() {
        response.truncated();
    }
    Outcome::Referred
}

fn name_servers(
    zone: &Zone,
    cut: EntryId,
    worker: &Worker,
    response: &mut Writer<'_>,
) -> Result<(), Full> {
    let Some(rrset) = zone.rrset(zone.entry(cut), RecordType::NS) else { return Ok(()) };
    let owner = Owner::Wire(worker.name.suffix(labels_above(zone, cut, worker)));
    write_rrset(zone, rrset, 0, Section::Authority, owner, response)
}

fn glue(
    zone: &Zone,
    cut: EntryId,
    worker: &mut Worker,
    response: &mut Writer<'_>,
) -> Result<(), Full> {
    let Some(rrset) = zone.rrset(zone.entry(cut), RecordType::NS) else { return Ok(()) };
    let above = labels_above(zone, cut, worker);
    // Those that must be there first, so that a help never takes their place.
    for required in [true, false] {
        for server in zone.rdata(rrset) {
            worker.beside.fold(server);
            let cut_name = worker.name.suffix(above);
            let is_required = suffixes(worker.beside.as_wire()).any(|suffix| suffix == cut_name);
            if is_required != required || !zone.holds(&worker.beside) {
                continue;
            }
            let Some(entry) = zone.find(&worker.beside) else { continue };
            for family in Family::ALL {
                let Some(addresses) = zone.rrset(entry, family.record_type()) else { continue };
                let mark = response.mark();
                let owner = Owner::Wire(server);
                let written = write_rrset(zone, addresses, 0, Section::Additional, owner, response);
                if written.is_err() {
                    response.rewind(mark);
                    if required {
                        return Err(Full);
                    }
                }
            }
        }
    }
    Ok(())
}

/// How many labels of the worker's name lie before the cut's own name.
fn labels_above(zone: &Zone, cut: EntryId, worker: &Worker) -> usize {
    let cut_labels = zone.labels_below_apex(cut) + zone.apex_labels();
    worker.name.label_count() - cut_labels
}
