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
//!   look-up ─► referral │ NXDOMAIN │ the name exists: answers.rs
//!     ▲                                   │
//!     └────────── alias: the next name ◄──┘     at most ALIAS_CHAIN_MAX times
//! ```

mod answers;
mod negative;
mod referral;
pub mod tally;
pub mod trace;
pub mod worker;

use std::net::SocketAddr;

use crate::snapshot::{Lookup, Served, Snapshot};
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
    let mut zone = match snapshot.find_zone(&worker.name) {
        Some(Served::Zone(zone)) => zone,
        Some(Served::Broken(_)) => return Outcome::Failed,
        None => return Outcome::Refused,
    };
    let mut owner = HEADER_LEN;
    for _ in 0..=ALIAS_CHAIN_MAX {
        trace.step(Step::Zone(zone.apex()));
        let found = zone.lookup(&worker.name);
        trace.step(Step::Lookup(found));
        let entry = match found {
            Lookup::Exact(id) | Lookup::Wildcard { source: id, .. } => zone.entry(id),
            Lookup::Missing { .. } => {
                response.authoritative();
                return negative::nxdomain(zone, response);
            }
            Lookup::Cut(cut) => return referral::refer(zone, cut, worker, response),
        };
        response.authoritative();
        let target = match answers::at_name(query, zone, entry, owner, worker, trace, response) {
            Answered::Done(outcome) => return outcome,
            Answered::Alias { target, written_at } => {
                owner = written_at;
                target
            }
        };
        trace.step(Step::Alias(target));
        worker.name.fold(target);
        // RFC 1034 §4.3.2 step 3a: the chain goes on as long as it stays in zones of ours.
        zone = match snapshot.find_zone(&worker.name) {
            Some(Served::Zone(zone)) => zone,
            Some(Served::Broken(_)) | None => return Outcome::Answered,
        };
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
    }
}

#[cfg(test)]
mod tests;
