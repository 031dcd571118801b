//! What a name that exists says: what a service steers, static records, an alias, or NODATA.

use crate::snapshot::{Entry, EntryId, InForce, Offer, Role, ServiceEntry, StaticRrset, Zone};
use crate::steer::{Family, Pick};
use crate::wire::{Full, Owner, Query, RecordType, Section, Writer};
use crate::zone::rdata::{Part, is_copied, pieces};

use super::chosen::Chosen;
use super::tally::Outcome;
use super::trace::{Step, Trace};
use super::worker::Worker;
use super::{aliases, https, negative, srv, txt};

/// What became of one name of a chain of aliases.
pub(super) enum Answered {
    /// The answer is complete.
    Done(Outcome),
    /// An alias was answered. The chain goes on at its target, which is the worker's name now.
    Alias {
        /// The octet of the response where the target was written.
        written_at: usize,
    },
}

/// Answers from one name; `owner` is the octet of the response where the name stands.
pub(super) fn at_name(
    query: &Query<'_>,
    zone: InForce<'_>,
    entry: &Entry,
    owner: usize,
    worker: &mut Worker,
    trace: &mut impl Trace,
    response: &mut Writer<'_>,
) -> Answered {
    let service = zone.service_at(entry);
    if let Some((service, role)) = service
        && let Some(offer) = role.offers(query.qtype)
    {
        return Answered::Done(steered(zone, service, offer, owner, worker, trace, response));
    }
    if query.qtype == RecordType::ANY {
        return Answered::Done(any(zone, entry, owner, worker, trace, response));
    }
    if let Some(rrset) = zone.rrset(entry, query.qtype) {
        return Answered::Done(records(&zone, rrset, owner, worker, response));
    }
    // RFC 4034 §3: an alias has signatures of its own, so a query for them is not for its target.
    if query.qtype != RecordType::RRSIG
        && let Some(rrset) = zone.rrset(entry, RecordType::CNAME)
    {
        return aliases::cname(&zone, rrset, owner, worker, response);
    }
    // A service's negative answers live no longer than its positive ones, so that a family which
    // recovers is asked for in time.
    let ttl = service.map_or(u32::MAX, |(service, _)| zone.plan(service).ttl);
    Answered::Done(negative::nodata(&zone, ttl, response))
}

/// The parent's own records at a delegation: its DS. RFC 4035 §3.1.4.1.
pub(super) fn at_cut(
    zone: &Zone,
    cut: EntryId,
    owner: usize,
    worker: &mut Worker,
    response: &mut Writer<'_>,
) -> Outcome {
    match zone.rrset(zone.entry(cut), RecordType::DS) {
        Some(rrset) => records(zone, rrset, owner, worker, response),
        None => negative::nodata(zone, u32::MAX, response),
    }
}

/// What a service has for a type.
fn steered(
    zone: InForce<'_>,
    entry: &ServiceEntry,
    offer: Offer,
    owner: usize,
    worker: &mut Worker,
    trace: &mut impl Trace,
    response: &mut Writer<'_>,
) -> Outcome {
    worker.tally.given().about(entry.pools.first().copied());
    match offer {
        Offer::Addresses(family) => addresses(zone, entry, family, owner, worker, trace, response),
        Offer::Srv(index) => srv::list(zone, entry, index, owner, worker, trace, response),
        Offer::Https => https::record(zone, entry, owner, worker, trace, response),
        Offer::Explain => txt::explain(zone, entry, owner, worker, trace, response),
    }
}

/// The picked addresses of a service.
fn addresses(
    zone: InForce<'_>,
    entry: &ServiceEntry,
    family: Family,
    owner: usize,
    worker: &mut Worker,
    trace: &mut impl Trace,
    response: &mut Writer<'_>,
) -> Outcome {
    let plan = zone.plan(entry);
    worker.tally.tier(plan.tier(family).0);
    let chosen = Chosen::find(entry, plan, &[family], worker.asker, trace, response);
    let Some((id, set)) = chosen.set(family) else {
        return negative::nodata(&zone, plan.ttl, response);
    };
    let asker = worker.asker;
    let (turn, rng, scratch, tally) = worker.picking(entry.pools[usize::from(set.pool)], family);
    let picked = plan.pick(id, &asker, turn.unwrap_or(&mut Default::default()), rng, scratch);
    let given = tally.given();
    given.begin(plan.ttl);
    let mut name = |at: u16| {
        trace.step(Step::Picked(at));
        given.name(entry.addresses[usize::from(at)]);
    };
    let mark = response.mark();
    let section = Section::Answer;
    let len = set.record_len;
    let (first, written) = match picked {
        Pick::Run { first, records, .. } => {
            let members = set.members[first..].iter().chain(&set.members[..first]);
            members.take(usize::from(set.answers)).for_each(|&at| name(at));
            (first, response.records(section, owner, set.answers.into(), records))
        }
        Pick::List(list) => {
            list.iter().for_each(|&at| name(set.members[usize::from(at)]));
            let mut one = list.iter().map(|&at| &set.records[usize::from(at) * len..][..len]);
            let first = list.first().map_or(0, |&at| usize::from(at));
            (first, one.try_for_each(|record| response.records(section, owner, 1, record)))
        }
    };
    if written.is_err() {
        response.rewind(mark);
        response.truncated();
        worker.tally.given().forget();
    }
    let address = usize::from(set.members[first]);
    worker.tally.first(entry.addresses[address]);
    Outcome::Answered
}

/// All records of a static RRset; addresses take turns in being first.
fn records(
    zone: &Zone,
    rrset: &StaticRrset,
    owner: usize,
    worker: &mut Worker,
    response: &mut Writer<'_>,
) -> Outcome {
    let rotates = rrset.count > 1 && Family::of_type(rrset.rtype).is_some();
    let first = if rotates { worker.static_turn(rrset) } else { 0 };
    let mark = response.mark();
    if write_rrset(zone, rrset, first, Section::Answer, Owner::At(owner), response).is_err() {
        response.rewind(mark);
        response.truncated();
    }
    Outcome::Answered
}

/// One RRset of those there are. RFC 8482 §4.1: an ANY query need not get all of them.
fn any(
    zone: InForce<'_>,
    entry: &Entry,
    owner: usize,
    worker: &mut Worker,
    trace: &mut impl Trace,
    response: &mut Writer<'_>,
) -> Outcome {
    let service = zone.service_at(entry);
    let offer = service.and_then(|(service, role)| match role {
        Role::Addresses { .. } => {
            let plan = zone.plan(service);
            let some = |family: &Family| plan.choose(*family, &worker.asker).is_some();
            Family::ALL.into_iter().find(some).map(Offer::Addresses)
        }
        // Records of the operator's are there whatever the service has.
        Role::Srv(_) | Role::Https | Role::Explain if !zone.rrsets(entry).is_empty() => None,
        Role::Srv(index) => Some(Offer::Srv(index)),
        Role::Https => Some(Offer::Https),
        Role::Explain => Some(Offer::Explain),
    });
    if let (Some((service, _)), Some(offer)) = (service, offer) {
        return steered(zone, service, offer, owner, worker, trace, response);
    }
    match zone.rrsets(entry).first() {
        Some(rrset) => records(&zone, rrset, owner, worker, response),
        None => {
            let ttl = service.map_or(u32::MAX, |(service, _)| zone.plan(service).ttl);
            negative::nodata(&zone, ttl, response)
        }
    }
}

/// Writes an RRset, beginning with its `first` record; on [`Full`] the caller rewinds.
pub(super) fn write_rrset(
    zone: &Zone,
    rrset: &StaticRrset,
    first: usize,
    section: Section,
    owner: Owner<'_>,
    response: &mut Writer<'_>,
) -> Result<(), Full> {
    let mut all = zone.rdata(rrset).skip(first).chain(zone.rdata(rrset).take(first));
    if let (Owner::At(owner), true) = (owner, is_copied(rrset.rtype)) {
        let head = response.head(owner, rrset.rtype, rrset.ttl);
        return all.try_for_each(|rdata| response.record(section, &head, rdata));
    }
    for rdata in all {
        write_record(rrset.rtype, rrset.ttl, rdata, section, owner, response)?;
    }
    Ok(())
}

/// Writes one record, compressing the names of those types where that is allowed; on [`Full`] the
/// caller rewinds.
pub(super) fn write_record(
    rtype: RecordType,
    ttl: u32,
    rdata: &[u8],
    section: Section,
    owner: Owner<'_>,
    response: &mut Writer<'_>,
) -> Result<(), Full> {
    let start = response.begin_record(section, owner, rtype, ttl)?;
    for (part, piece) in pieces(rtype, rdata) {
        match part {
            Part::Compressible => response.name(piece)?,
            Part::Bytes(_) | Part::CharString | Part::Name | Part::Rest => response.bytes(piece)?,
        }
    }
    response.end_record(start);
    Ok(())
}
