//! The HTTPS record of a service: what it speaks, and hints at its addresses. RFC 9460.
//!
//! It is there while there are addresses for the client, hinted at or not: a browser that finds it
//! asks for A and AAAA too, and those would be empty.

use crate::snapshot::{InForce, ServiceEntry};
use crate::steer::Family;
use crate::wire::{Full, Owner, RecordType, Section, Writer};

use super::chosen::Chosen;
use super::negative;
use super::tally::Outcome;
use super::trace::{Step, Trace};
use super::worker::Worker;

/// The service's one record.
pub(super) fn record(
    zone: InForce<'_>,
    entry: &ServiceEntry,
    owner: usize,
    worker: &mut Worker,
    trace: &mut impl Trace,
    response: &mut Writer<'_>,
) -> Outcome {
    let plan = zone.plan(entry);
    let chosen = Chosen::find(entry, plan, &Family::ALL, worker.asker, trace, response);
    let rdata = entry.https.as_ref().filter(|_| chosen.pools().next().is_some());
    let Some(rdata) = rdata else { return negative::nodata(&zone, plan.ttl, response) };
    let hints = Family::ALL.into_iter().filter_map(|family| {
        let (id, set) = chosen.set(family)?;
        let hint = plan.hint(id);
        trace.step(Step::Hinted { family, count: set.count(), given: !hint.is_empty() });
        Some(hint)
    });
    let mark = response.mark();
    if write(rdata, hints, plan.ttl, owner, response).is_err() {
        response.rewind(mark);
        response.truncated();
        return Outcome::Answered;
    }
    let given = worker.tally.given();
    given.begin(plan.ttl);
    for (id, set) in Family::ALL.into_iter().filter_map(|family| chosen.set(family)) {
        // A set that is larger than an answer is not hinted at.
        let hinted = set.members.iter().filter(|_| !plan.hint(id).is_empty());
        hinted.for_each(|&at| given.name(entry.addresses[usize::from(at)]));
    }
    Outcome::Answered
}

fn write<'p>(
    rdata: &[u8],
    mut hints: impl Iterator<Item = &'p [u8]>,
    ttl: u32,
    owner: usize,
    response: &mut Writer<'_>,
) -> Result<(), Full> {
    let start = response.begin_record(Section::Answer, Owner::At(owner), RecordType::HTTPS, ttl)?;
    response.bytes(rdata)?;
    // RFC 9460 §2.2: by their keys; ipv4hint has the lesser one, as its family comes first.
    hints.try_for_each(|hint| response.bytes(hint))?;
    response.end_record(start);
    Ok(())
}
