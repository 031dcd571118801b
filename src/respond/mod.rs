//! Floor 5: query and snapshot to response bytes.
//!
//! [`respond`] is the one answer path: every transport, every test, `explain` and the simulator
//! call it. It is a pure function of its arguments, allocates nothing and cannot panic. This page
//! shows all of its branches; the files beside it write what each of them says.
//!
//! ```text
//!   parse ─ malformed? ─► FORMERR, NOTIMP, or silence
//!     │
//!   EDNS version, class, type that is no data ─► BADVERS, REFUSED, NOTIMP
//!     │
//!   zone ─ none? ─► REFUSED      broken? ─► SERVFAIL
//!     │
//!   look-up ─► referral │ NXDOMAIN │ the name exists: answers.rs │ DNAME above it: aliases.rs
//!     ▲                                   │                             │
//!     └────────── alias: the next name ◄──┴─────────────────────────────┘
//!                 at most ALIAS_CHAIN_MAX times, and never the same name twice
//! ```

mod aliases;
mod answers;
mod negative;
mod referral;
pub mod tally;
pub mod trace;
pub mod worker;

use std::net::SocketAddr;

use crate::snapshot::{Lookup, Served, Snapshot, Zone};
use crate::wire::header::HEADER_LEN;
use crate::wire::writer::MESSAGE_LEN_MAX;
use crate::wire::{Class, Malformed, Query, Rcode, RecordType, Writer};

pub use tally::{Outcome, Tally};
pub use trace::{Step, Trace};
pub use worker::Worker;

use answers::Answered;

/// How many aliases one answer follows. Resolvers give up at about as many.
pub const ALIAS_CHAIN_MAX: usize = 11;

/// What a client is to an answer.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// Where the query came from.
    pub addr: SocketAddr,
    /// How it came.
    pub transport: Transport,
}

/// How a query came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A datagram: answers are bounded by what the client says it can take, and truncated.
    Udp,
    /// A stream: answers may have 65,535 octets.
    Tcp,
}

/// What is to be done with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send this many octets of the output buffer.
    Send(usize),
    /// Say nothing.
    Drop,
}

/// Query bytes to response bytes: the one answer path.
///
/// `out` should have room for [`Snapshot`]'s UDP size, or 65,535 octets for a stream; less room
/// means earlier truncation, and no response at all where not even the question fits.
pub fn respond(
    message: &[u8],
    client: &Client,
    snapshot: &Snapshot,
    worker: &mut Worker,
    trace: &mut impl Trace,
    out: &mut [u8],
) -> Action {
    let udp_size = snapshot.settings().udp_size;
    let parsed = Query::parse(message);
    let edns = parsed.as_ref().ok().and_then(|query| query.edns);
    let opt = edns.map(|edns| (udp_size, edns.dnssec_ok));
    let limit = match client.transport {
        Transport::Tcp => MESSAGE_LEN_MAX,
        // RFC 1035 §4.2.1: 512 octets, unless the client says that it takes more.
        Transport::Udp => edns.map_or(512, |edns| usize::from(edns.udp_size.min(udp_size))),
    };
    let (header, question) = match &parsed {
        Ok(query) => (query.header, query.question),
        Err(Malformed::Answered { header, question, .. }) => (*header, *question),
        Err(Malformed::Ignored) => return dropped(worker),
    };
    let Some(mut response) = Writer::begin(out, limit, header, question, opt) else {
        return dropped(worker);
    };
    let outcome = match parsed {
        Ok(query) => answer(&query, snapshot, worker, trace, &mut response),
        Err(Malformed::Answered { rcode: Rcode::NotImp, .. }) => Outcome::NotImplemented,
        Err(Malformed::Answered { .. } | Malformed::Ignored) => Outcome::Malformed,
    };
    response.rcode(rcode(outcome));
    if response.is_truncated() {
        worker.tally.truncated();
    }
    worker.tally.count(outcome);
    Action::Send(response.finish())
}

/// What a well-formed query gets.
fn answer(
    query: &Query<'_>,
    snapshot: &Snapshot,
    worker: &mut Worker,
    trace: &mut impl Trace,
    response: &mut Writer<'_>,
) -> Outcome {
    if query.edns.is_some_and(|edns| edns.version > 0) {
        return Outcome::BadVersion;
    }
    if query.qclass != Class::IN {
        return Outcome::Refused;
    }
    match query.qtype {
        // Zone transfers are not given out.
        RecordType::AXFR | RecordType::IXFR => return Outcome::Refused,
        // RFC 2930, RFC 8945: not data. RFC 1035 §3.2.3: obsolete.
        RecordType::TKEY | RecordType::TSIG | RecordType::MAILA | RecordType::MAILB => {
            return Outcome::NotImplemented;
        }
        _ => {}
    }
    worker.name.fold(query.qname);
    // A DS record belongs to the parent's side of a cut.
    let first = match query.qtype {
        RecordType::DS => snapshot.find_parent_zone(&worker.name),
        _ => snapshot.find_zone(&worker.name),
    };
    match first {
        Some(Served::Zone(zone)) => walk(query, snapshot, zone, worker, trace, response),
        Some(Served::Broken(_)) => Outcome::Failed,
        None => Outcome::Refused,
    }
}

/// Looks names up, from the one that was asked along the aliases, until one has the last word.
fn walk<'s>(
    query: &Query<'_>,
    snapshot: &'s Snapshot,
    mut zone: &'s Zone,
    worker: &mut Worker,
    trace: &mut impl Trace,
    response: &mut Writer<'_>,
) -> Outcome {
    // Where the names of the chain stand in the response; the question is the first.
    let mut owners = [HEADER_LEN; ALIAS_CHAIN_MAX + 1];
    for link in 0..=ALIAS_CHAIN_MAX {
        let owner = owners[link];
        trace.step(Step::Zone(zone.apex()));
        let found = zone.lookup(&worker.name);
        trace.step(Step::Lookup(found));
        let answered = match found {
            Lookup::Exact(id) | Lookup::Wildcard { source: id, .. } => {
                response.authoritative();
                let entry = zone.entry(id);
                answers::at_name(query, zone, entry, owner, worker, trace, response)
            }
            Lookup::Renamed(ancestor) => {
                response.authoritative();
                aliases::renamed(query, zone, ancestor, owner, worker, response)
            }
            Lookup::Missing { .. } => {
                response.authoritative();
                return negative::nxdomain(zone, response);
            }
            Lookup::Cut(cut) if query.qtype == RecordType::DS && zone.is_at(cut, &worker.name) => {
                response.authoritative();
                return answers::at_cut(zone, cut, owner, worker, response);
            }
            Lookup::Cut(cut) => return referral::refer(zone, cut, worker, response),
        };
        let written_at = match answered {
            Answered::Done(outcome) => return outcome,
            Answered::Alias { written_at } => written_at,
        };
        let next = worker.name.as_wire();
        trace.step(Step::Alias(next));
        // A name that comes back would come back for ever.
        if owners[..=link].iter().any(|&owner| response.reads(owner, next)) {
            return Outcome::Answered;
        }
        // RFC 1034 §4.3.2 step 3a: the chain goes on as long as it stays in zones of ours.
        zone = match snapshot.find_zone(&worker.name) {
            Some(Served::Zone(zone)) => zone,
            Some(Served::Broken(_)) | None => return Outcome::Answered,
        };
        if let Some(slot) = owners.get_mut(link + 1) {
            *slot = written_at;
        }
    }
    Outcome::Answered
}

fn dropped(worker: &Worker) -> Action {
    worker.tally.count(Outcome::Dropped);
    Action::Drop
}

fn rcode(outcome: Outcome) -> Rcode {
    match outcome {
        Outcome::Answered | Outcome::NoData | Outcome::Referred | Outcome::Dropped => {
            Rcode::NoError
        }
        // RFC 6604 §2.1: behind aliases it is the last name that counts.
        Outcome::NxDomain => Rcode::NxDomain,
        Outcome::Refused => Rcode::Refused,
        Outcome::Failed => Rcode::ServFail,
        Outcome::Malformed => Rcode::FormErr,
        Outcome::NotImplemented => Rcode::NotImp,
        Outcome::BadVersion => Rcode::BadVers,
        Outcome::TooLong => Rcode::YxDomain,
    }
}

#[cfg(test)]
mod tests;
