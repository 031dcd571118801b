//! Does every name server of a zone do its work, as seen from here?
//!
//! Each address is asked the same few questions, all addresses at once; then the answers are looked
//! at one by one, and beside each other.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::SystemTime;

use domain::base::iana::Rcode;
use tokio::task::JoinSet;

use super::finding::Finding;
use crate::cli::dns::{self, Over, Question, Reply};
use crate::cli::report::bare;
use crate::geo::Network;
use crate::wire::{Name, RecordType};

/// Beyond this many seconds two clocks do not show the same time.
const CLOCK_SLACK_SECS: u32 = 60;
/// The client for which it is asked whether client subnets arrive: nobody's network. RFC 5737.
const EXAMPLE_CLIENT: &str = "192.0.2.0/24";

/// What is asked.
#[derive(Clone, Debug)]
pub(super) struct Exam {
    /// The zone.
    pub(super) apex: Name,
    /// Names of services, for what only they show.
    pub(super) services: Vec<Name>,
    /// Whether the configuration lets anybody tell the client's network.
    pub(super) ecs: bool,
    /// The port that resolvers ask.
    pub(super) port: u16,
}

/// What one server said to each question; `Err` says why it said nothing.
#[derive(Debug)]
struct Seen {
    name: String,
    address: IpAddr,
    udp: Result<Reply, String>,
    tcp: Result<Reply, String>,
    servers: Vec<Name>,
    ecs: Option<Result<Reply, String>>,
    /// Services whose answer did not fit, and what TCP said to that.
    long: Vec<(Name, Result<Reply, String>)>,
    /// Our clock when it answered, in seconds since 1970.
    now: u32,
}

/// Asks every server and judges what was said. `at_parent` is who the parent says serves the zone.
pub(super) async fn examine(
    exam: &Exam,
    servers: &[(String, IpAddr)],
    at_parent: Option<&[Name]>,
) -> Vec<Finding> {
    let mut tasks = JoinSet::new();
    for (index, (name, address)) in servers.iter().cloned().enumerate() {
        let exam = exam.clone();
        tasks.spawn(async move { (index, see(&exam, name, address).await) });
    }
    let mut seen = BTreeMap::new();
    while let Some(done) = tasks.join_next().await {
        seen.extend(done.ok());
    }
    let mut findings: Vec<Finding> =
        seen.values().flat_map(|seen| judge(exam, seen, at_parent)).collect();
    findings.extend(serials(seen.values()));
    findings
}

async fn see(exam: &Exam, name: String, address: IpAddr) -> Seen {
    let server = SocketAddr::new(address, exam.port);
    let soa = Question::to_authority(&exam.apex, RecordType::SOA);
    let said = |reply: Result<Reply, dns::Silence>| reply.map_err(|silence| silence.to_string());
    let (udp, tcp) =
        tokio::join!(dns::ask(server, &soa, Over::Udp), dns::ask(server, &soa, Over::Tcp));
    let mut seen = Seen {
        name,
        address,
        udp: said(udp),
        tcp: said(tcp),
        servers: Vec::new(),
        ecs: None,
        long: Vec::new(),
        now: now(),
    };
    if !seen.udp.as_ref().is_ok_and(has_authority) {
        return seen;
    }
    let ns = dns::ask_whole(server, &Question::to_authority(&exam.apex, RecordType::NS)).await;
    seen.servers = ns.map_or(vec![], |reply| dns::name_servers(&reply.answer, &exam.apex));
    if let Some(service) = exam.services.first().filter(|_| exam.ecs) {
        let question = Question {
            ecs: Network::parse(EXAMPLE_CLIENT).ok(),
            ..Question::to_authority(service, RecordType::A)
        };
        seen.ecs = Some(said(dns::ask(server, &question, Over::Udp).await));
    }
    for service in &exam.services {
        // As the oldest resolvers ask: what is longer than 512 octets must come over TCP.
        let plain = Question { edns: false, ..Question::to_authority(service, RecordType::A) };
        let Ok(short) = dns::ask(server, &plain, Over::Udp).await else { continue };
        if short.truncated {
            seen.long.push((service.clone(), said(dns::ask(server, &plain, Over::Tcp).await)));
        }
    }
    seen
}

fn has_authority(reply: &Reply) -> bool {
    reply.rcode == Rcode::NOERROR && reply.authoritative && reply.serial().is_some()
}

fn judge(exam: &Exam, seen: &Seen, at_parent: Option<&[Name]>) -> Vec<Finding> {
    let (apex, who) = (bare(&exam.apex), format!("{} ({})", seen.name, seen.address));
    let open = format!(
        "is Rota running there, with that address in `dns` of [listen], and is port {} open for \
         UDP and TCP?",
        exam.port
    );
    let (udp, tcp) = match (&seen.udp, &seen.tcp) {
        (Err(udp), Err(_)) => {
            let message = format!("{who} is silent over UDP and TCP: {udp}");
            return vec![Finding::bad("reach", message, open)];
        }
        (Err(udp), Ok(_)) => {
            let message = format!("{who} answers over TCP, not over UDP: {udp}");
            return vec![Finding::bad("udp", message, open)];
        }
        (Ok(udp), tcp) => (udp, tcp),
    };
    if !has_authority(udp) {
        let (said, remedy) = match udp.rcode {
            Rcode::SERVFAIL => {
                ("says SERVFAIL".to_owned(), "its files have errors: rota check there")
            }
            Rcode::NOERROR => ("answers without authority".to_owned(), "it is another server"),
            other => (format!("says {other}"), "it does not have the zone: are its files there?"),
        };
        let message = format!("{who} does not serve {apex}: it {said}");
        return vec![Finding::bad("authority", message, remedy)];
    }
    let mut findings = Vec::new();
    match tcp {
        Err(silence) => {
            let message = format!("{who} answers over UDP, not over TCP: {silence}");
            let remedy = format!(
                "open port {} for TCP: what does not fit a datagram comes that way",
                exam.port
            );
            findings.push(Finding::bad("tcp", message, remedy));
        }
        Ok(tcp) if !has_authority(tcp) => {
            let message = format!("{who} says something else over TCP: {}", tcp.rcode);
            let remedy = "another server listens on its TCP port: stop it";
            findings.push(Finding::bad("tcp", message, remedy));
        }
        Ok(_) => {}
    }
    for (service, whole) in &seen.long {
        let cut_short = whole.as_ref().map_or(true, |reply| reply.truncated);
        if cut_short && tcp.is_ok() {
            let message = format!("{who} does not give all of {} over TCP either", bare(service));
            let remedy = "something between shortens answers, or `answers` is more than fits";
            findings.push(Finding::bad("truncation", message, remedy));
        }
    }
    if let Some(at_parent) = at_parent
        && !same(at_parent, &seen.servers)
    {
        let names: Vec<String> = seen.servers.iter().map(bare).collect();
        let message = format!("{who} says that the zone's servers are {}", names.join(", "));
        let remedy = "the parent says otherwise: make the two the same";
        findings.push(Finding::doubt("ns", message, remedy));
    }
    findings.extend(edns(seen, udp, &who));
    if findings.is_empty() {
        let serial = udp.serial().unwrap_or_default();
        let message = format!("{who} has authority, over UDP and TCP, serial {serial}");
        findings.push(Finding::good("server", message));
    }
    findings
}

/// What extensions show: that they pass at all, the server's clock, and client subnets.
fn edns(seen: &Seen, udp: &Reply, who: &str) -> Vec<Finding> {
    let Some(edns) = udp.edns else {
        let message = format!("{who} answers without EDNS");
        let remedy = "something between takes it away: no cookies, and 512 octets at most";
        return vec![Finding::doubt("edns", message, remedy)];
    };
    let mut findings = Vec::new();
    if let Some(clock) = edns.clock {
        // Seconds wrap. RFC 9018 §4.3.
        let ahead = clock.wrapping_sub(seen.now).cast_signed();
        if ahead.unsigned_abs() > CLOCK_SLACK_SECS {
            let (by, way) = (ahead.unsigned_abs(), if ahead > 0 { "ahead of" } else { "behind" });
            let message = format!("the clock of {who} is {by} seconds {way} this machine's");
            let remedy = "let both follow NTP: cookies and certificates go by the clock";
            findings.push(Finding::doubt("clock", message, remedy));
        }
    }
    if let Some(Ok(reply)) = &seen.ecs
        && reply.edns.is_some_and(|edns| edns.scope.is_none())
    {
        let message = format!("the client subnet of a query does not come back from {who}");
        let remedy = "something between takes it away, or its [dns] has another `ecs` than here: \
                      steering by place then goes by the resolver's address";
        findings.push(Finding::doubt("ecs", message, remedy));
    }
    findings
}

/// Servers of one zone with different serials serve different zones.
fn serials<'s>(seen: impl Iterator<Item = &'s Seen>) -> Option<Finding> {
    let serial = |seen: &'s Seen| {
        let reply = seen.udp.as_ref().ok().filter(|reply| has_authority(reply))?;
        Some((seen.name.as_str(), reply.serial()?))
    };
    let serials: Vec<(&str, u32)> = seen.filter_map(serial).collect();
    let (_, first) = serials.first()?;
    if serials.iter().all(|(_, serial)| serial == first) {
        return None;
    }
    let shown: Vec<String> = serials.iter().map(|(name, it)| format!("{name} has {it}")).collect();
    let message = format!("the serials differ: {}", shown.join(", "));
    let remedy = "are the files the same on all of them? Copy them with their times (rsync -t), \
                  which serials are made of";
    Some(Finding::doubt("serial", message, remedy))
}

fn same(these: &[Name], those: &[Name]) -> bool {
    these.len() == those.len() && these.iter().all(|name| those.contains(name))
}

#[expect(clippy::disallowed_methods, reason = "what a server's clock is compared with")]
fn now() -> u32 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    // Cookies have 32 bits for it.
    (since.as_secs() & u64::from(u32::MAX)) as u32
}

#[cfg(test)]
#[path = "servers_tests.rs"]
mod tests;
