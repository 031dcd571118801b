//! Floor 5: query and snapshot to response bytes.
//!
//! [`respond`] is the one answer path: every transport, every test, `explain` and the simulator
//! call it. It is a pure function of its arguments, allocates nothing and cannot panic. This page
//! shows all of its branches; the files beside it write what each of them says.
//!
//! ```text
//!   parse ─ malformed? ─► FORMERR, NOTIMP, a cookie, or silence
//!     │
//!   EDNS version, class, type that is no data ─► BADVERS, REFUSED, NOTIMP, CH's few texts
//!     │
//!   zone ─ none? ─► REFUSED      broken? ─► SERVFAIL
//!     │
//!   look-up ─► referral │ NXDOMAIN │ the name exists: answers.rs │ DNAME above it: aliases.rs
//!     ▲                                   │                             │
//!     └────────── alias: the next name ◄──┴─────────────────────────────┘
//!                 at most ALIAS_CHAIN_MAX times, and never the same name twice
//!
//!   whatever it is ─ too often, over UDP, without a valid cookie? ─► TC, BADCOOKIE, or silence
//! ```

mod aliases;
mod answers;
mod chaos;
mod chosen;
mod client;
pub mod explain;
mod https;
mod limit;
mod negative;
mod opt;
mod referral;
pub mod sample;
mod srv;
pub mod tally;
pub mod trace;
mod txt;
mod why;
pub mod worker;

use crate::snapshot::settings::RateLimit;
use crate::snapshot::{InForce, Lookup, Served, Snapshot};
use crate::steer::Family;
use crate::wire::cookie::Trust;
use crate::wire::header::HEADER_LEN;
use crate::wire::writer::MESSAGE_LEN_MAX;
use crate::wire::{Class, Malformed, Opt, Query, Rcode, RecordType, Writer};

pub use client::{Client, Transport};
pub use tally::{Asked, Outcome, Tally};
pub use trace::{Step, Trace};
pub use worker::Worker;

use answers::Answered;
use limit::{Subject, Verdict};

/// How many aliases one answer follows. Resolvers give up at about as many.
pub const ALIAS_CHAIN_MAX: usize = 11;

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
    let settings = snapshot.settings();
    let parsed = Query::parse(message);
    worker.source = client.addr.ip().to_canonical();
    let asked = parsed.as_ref().map_or(Asked::NOTHING, |query| Asked::of(query.qtype));
    worker.tally.query(client.transport, Family::of_address(worker.source), asked);
    let (header, question, edns) = match &parsed {
        Ok(query) => (query.header, query.question, query.edns.as_ref()),
        Err(Malformed::Answered { header, question, edns, .. }) => {
            (*header, *question, edns.as_ref())
        }
        Err(Malformed::CookieOnly { header, edns, .. }) => (*header, &[][..], Some(edns)),
        Err(Malformed::Ignored) => return dropped(Outcome::Dropped, worker),
    };
    let limit = if client.transport.is_datagram() {
        // RFC 1035 §4.2.1: 512 octets, unless the client says that it takes more.
        edns.map_or(512, |edns| usize::from(edns.udp_size.min(settings.udp_size)))
    } else {
        MESSAGE_LEN_MAX
    };
    let subnet = opt::subnet(edns, worker.source, settings);
    worker.asker = opt::asker(subnet, worker.source);
    let told = edns.is_some_and(|edns| edns.options.subnet.is_some());
    if told {
        worker.tally.subnet(worker.asker.is_told());
    }
    trace.step(Step::Client { asker: worker.asker, untrusted: told && subnet.is_none() });
    // RFC 6891 §7: an OPT record answers an OPT record, whatever else is wrong.
    let mut record = Opt::default();
    let (opt, trust) = match edns {
        Some(edns) => {
            let trust = opt::fill(&mut record, edns, subnet, client, settings, worker.now);
            (Some(&mut record), trust)
        }
        None => (None, None),
    };
    worker.tally.cookie(trust);
    let Some(mut response) = Writer::begin(out, limit, header, question, opt) else {
        return dropped(Outcome::Dropped, worker);
    };
    worker.subject = None;
    let outcome = match &parsed {
        Ok(_) if edns.is_some_and(|edns| opt::misuses_keepalive(edns, client.transport)) => {
            Outcome::Malformed
        }
        Ok(query) => {
            let outcome = answer(query, snapshot, worker, trace, &mut response);
            if query.qclass == Class::ANY {
                // RFC 1035 §6.2: nobody is authoritative for all classes at once.
                response.not_authoritative();
            }
            outcome
        }
        Err(Malformed::Answered { rcode: Rcode::NotImp, .. }) => {
            response.explain(why::NOT_SUPPORTED);
            Outcome::NotImplemented
        }
        Err(Malformed::CookieOnly { .. }) => match trust {
            // RFC 7873 §5.4: NOERROR unless it asks about a cookie that is not good.
            Some(Trust::New | Trust::Valid) => Outcome::CookieGiven,
            Some(Trust::Wrong) => Outcome::BadCookie,
            None => Outcome::Malformed,
        },
        Err(Malformed::Answered { .. } | Malformed::Ignored) => Outcome::Malformed,
    };
    let verdict = match &settings.rate_limit {
        Some(limit) => judge(outcome, client, limit, trust, worker),
        None => Verdict::Pass,
    };
    let outcome = match verdict {
        Verdict::Pass => outcome,
        Verdict::Slip => shortened(trust, &mut response),
        Verdict::Drop => return dropped(Outcome::Limited, worker),
    };
    if outcome != Outcome::Answered {
        // RFC 7871 §7.4: resolvers keep negative answers and referrals for all their clients.
        response.unscoped();
    }
    response.rcode(outcome.rcode());
    let truncated = response.is_truncated();
    if truncated {
        worker.tally.truncated();
    }
    worker.tally.count(outcome);
    if outcome == Outcome::Answered {
        worker.hand_over();
    }
    let len = response.finish();
    worker.tally.sent(len);
    if worker.sampler.is_due() {
        worker.sample(parsed.as_ref().ok(), client.transport, (outcome, truncated, len));
    }
    Action::Send(len)
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
    match query.qclass {
        // Any class is ours as well as another: answered from IN, as NSD and Knot do.
        Class::IN | Class::ANY => {}
        Class::CH => return chaos::tell(query, snapshot.settings(), response),
        _ => {
            response.explain(why::NOT_SUPPORTED);
            return Outcome::Refused;
        }
    }
    match query.qtype {
        // Zone transfers are not given out.
        RecordType::AXFR | RecordType::IXFR => {
            response.explain(why::NOT_SUPPORTED);
            return Outcome::Refused;
        }
        // RFC 2930, RFC 8945: not data. RFC 1035 §3.2.3: obsolete.
        RecordType::TKEY | RecordType::TSIG | RecordType::MAILA | RecordType::MAILB => {
            response.explain(why::NOT_SUPPORTED);
            return Outcome::NotImplemented;
        }
        _ => {}
    }
    worker.name.fold(query.qname);
    match zone_for(query, snapshot, worker) {
        Some(Served::Zone(zone)) => {
            worker.tally.zone(zone.slot());
            walk(query, snapshot, snapshot.in_force(zone), worker, trace, response)
        }
        Some(Served::Broken(_)) => {
            response.explain(why::ZONE_BROKEN);
            Outcome::Failed
        }
        None => {
            response.explain(why::NOT_AUTHORITATIVE);
            Outcome::Refused
        }
    }
}

/// The zone that answers for the worker's name. A DS record belongs to the parent's side of a cut.
fn zone_for<'s>(query: &Query<'_>, snapshot: &'s Snapshot, worker: &Worker) -> Option<&'s Served> {
    match query.qtype {
        RecordType::DS => snapshot.find_parent_zone(&worker.name),
        _ => snapshot.find_zone(&worker.name),
    }
}

/// Looks names up, from the one that was asked along the aliases, until one has the last word.
fn walk<'s>(
    query: &Query<'_>,
    snapshot: &'s Snapshot,
    mut zone: InForce<'s>,
    worker: &mut Worker,
    trace: &mut impl Trace,
    response: &mut Writer<'_>,
) -> Outcome {
    // Where the names of the chain stand in the response; the question is the first.
    let mut owners = [HEADER_LEN; ALIAS_CHAIN_MAX + 1];
    let mut renames = aliases::Renames::default();
    for link in 0..=ALIAS_CHAIN_MAX {
        let owner = owners[link];
        trace.step(Step::Zone(zone.apex()));
        let found = zone.lookup(&worker.name);
        trace.step(Step::Lookup(found));
        worker.subject.get_or_insert_with(|| Subject::of(&zone, found));
        let answered = match found {
            Lookup::Exact(id) | Lookup::Wildcard { source: id, .. } => {
                response.authoritative();
                let entry = zone.entry(id);
                let asked = matches!(query.qtype, RecordType::DNAME | RecordType::ANY);
                if asked && renames.hold(entry) {
                    // What is asked for has led here.
                    return Outcome::Answered;
                }
                answers::at_name(query, zone, entry, owner, worker, trace, response)
            }
            Lookup::Renamed(ancestor) => {
                response.authoritative();
                aliases::renamed(query, &zone, ancestor, owner, &mut renames, worker, response)
            }
            Lookup::Missing { .. } => {
                response.authoritative();
                return negative::nxdomain(&zone, response);
            }
            Lookup::Cut(cut) if query.qtype == RecordType::DS && zone.is_at(cut, &worker.name) => {
                response.authoritative();
                return answers::at_cut(&zone, cut, owner, worker, response);
            }
            Lookup::Cut(cut) => return referral::refer(&zone, cut, worker, response),
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
        zone = match zone_for(query, snapshot, worker) {
            Some(Served::Zone(zone)) => snapshot.in_force(zone),
            Some(Served::Broken(_)) | None => return Outcome::Answered,
        };
        if let Some(slot) = owners.get_mut(link + 1) {
            *slot = written_at;
        }
    }
    Outcome::Answered
}

/// Whether an answer may go out. A connection has shown where the client is, and so has a valid
/// cookie.
fn judge(
    outcome: Outcome,
    client: &Client,
    limit: &RateLimit,
    trust: Option<Trust>,
    worker: &mut Worker,
) -> Verdict {
    let (Some(class), Some(now)) = (limit::Class::of(outcome), worker.now) else {
        return Verdict::Pass;
    };
    if !client.transport.is_datagram() || trust == Some(Trust::Valid) {
        return Verdict::Pass;
    }
    let key = (class, worker.subject.unwrap_or_default());
    match (worker.limiter.judge(limit, worker.source, key, now), class) {
        // As short as a truncated one, and it says more.
        (Verdict::Slip, limit::Class::Error) => Verdict::Pass,
        (verdict, _) => verdict,
    }
}

/// What goes out in the place of an answer beyond the limit. RFC 7873 §5.2.3, §5.2.4: a client
/// that knows cookies comes again with the one that it gets here; others come by TCP.
fn shortened(trust: Option<Trust>, response: &mut Writer<'_>) -> Outcome {
    response.clear();
    if trust.is_some() {
        return Outcome::BadCookie;
    }
    response.truncated();
    Outcome::Slipped
}

fn dropped(outcome: Outcome, worker: &mut Worker) -> Action {
    worker.tally.count(outcome);
    Action::Drop
}

#[cfg(test)]
mod agreement_tests;
#[cfg(test)]
mod edns_tests;
#[cfg(test)]
mod given_tests;
#[cfg(test)]
mod services_tests;
#[cfg(test)]
mod tests;
