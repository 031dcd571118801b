//! SRV records of a service: the nodes of the client's pool, by their own names. RFC 2782.
//!
//! The client's pool is the one that its addresses come from; where IPv4 and IPv6 come from two,
//! nodes of both are listed. Either all of them stand there or TC is set. Their addresses ride
//! along as far as there is room: they are a help, which may be missing.

use crate::snapshot::{InForce, NodeName, ServiceEntry, Zone};
use crate::steer::{Family, Listed};
use crate::wire::{Full, Owner, RecordType, Section, Writer};

use super::answers::write_rrset;
use super::chosen::Chosen;
use super::negative;
use super::tally::Outcome;
use super::trace::{Step, Trace};
use super::worker::Worker;

/// All nodes that the records of this index lead to.
pub(super) fn list(
    zone: InForce<'_>,
    entry: &ServiceEntry,
    index: u16,
    owner: usize,
    worker: &mut Worker,
    trace: &mut impl Trace,
    response: &mut Writer<'_>,
) -> Outcome {
    let plan = zone.plan(entry);
    let chosen = Chosen::find(entry, plan, &Family::ALL, worker.asker, trace, response);
    let port = entry.service.srv[usize::from(index)].port;
    let nodes = || {
        let listed = chosen.pools().flat_map(|pool| plan.listing(pool));
        listed.filter_map(|it| Some((it, entry.node_names[usize::from(it.node)].as_ref()?)))
    };
    if nodes().next().is_none() {
        return negative::nodata(&zone, plan.ttl, response);
    }
    let mark = response.mark();
    for (listed, node) in nodes() {
        trace.step(Step::Listed { node: &node.name, weight: listed.weight });
        if write(listed, port, node, plan.ttl, owner, response).is_err() {
            response.rewind(mark);
            response.truncated();
            return Outcome::Answered;
        }
    }
    // Nobody goes to a node of weight 0 as long as there are others: RFC 2782.
    let given = worker.tally.given();
    given.begin(plan.ttl);
    let none_weighs = nodes().all(|(listed, _)| listed.weight == 0);
    for (listed, _) in nodes().filter(|(listed, _)| none_weighs || listed.weight > 0) {
        let all = entry.nodes[usize::from(listed.node)].clone();
        entry.addresses[all].iter().for_each(|&address| given.name(address));
    }
    for (_, node) in nodes() {
        if addresses(&zone, node, response).is_err() {
            break;
        }
    }
    Outcome::Answered
}

fn write(
    listed: &Listed,
    port: u16,
    node: &NodeName,
    ttl: u32,
    owner: usize,
    response: &mut Writer<'_>,
) -> Result<(), Full> {
    let start = response.begin_record(Section::Answer, Owner::At(owner), RecordType::SRV, ttl)?;
    let priority = 0;
    for number in [priority, listed.weight, port] {
        response.bytes(&number.to_be_bytes())?;
    }
    // RFC 2782: the target is not compressed.
    response.bytes(node.name.as_wire())?;
    response.end_record(start);
    Ok(())
}

/// A node's addresses: whole RRsets, or not there.
fn addresses(zone: &Zone, node: &NodeName, response: &mut Writer<'_>) -> Result<(), Full> {
    let Some(entry) = node.entry.map(|id| zone.entry(id)) else { return Ok(()) };
    for rrset in Family::ALL.into_iter().filter_map(|it| zone.rrset(entry, it.record_type())) {
        let owner = Owner::Wire(node.name.as_wire());
        let mark = response.mark();
        let written = write_rrset(zone, rrset, 0, Section::Additional, owner, response);
        if written.is_err() {
            response.rewind(mark);
            return written;
        }
    }
    Ok(())
}
