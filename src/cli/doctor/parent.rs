//! Is what the parent says of a zone what the zone says of itself?
//!
//! ```text
//!   parent says               finding
//!   nothing                   not delegated; an alias or address there answers in our place
//!   another name's cut        the apex is above or below what is delegated
//!   other servers             delegated to somebody else; one too many; one missing
//!   the same, wrong glue      whoever follows it asks the wrong machine
//!   the same, no glue         nobody can follow it
//! ```
//!
//! The walk and the zone's own word are compared here, and nothing is asked.

use std::net::IpAddr;

use super::finding::Finding;
use super::walk::{Cut, End, Walk};
use crate::cli::delegation::{Delegation, NameServer};
use crate::cli::dns::{Data, Record};
use crate::cli::report::bare;
use crate::wire::Name;

/// What to do where the parent lacks something.
pub(super) const SEND: &str =
    "whoever runs the parent zone must enter the zone's NS and glue as they are";

/// What a walk found, and what was asked beyond it.
#[derive(Clone, Debug)]
pub(super) struct Evidence {
    /// The walk to the zone's apex.
    pub(super) walk: Walk,
    /// A cut below the apex that leads to the zone's own servers.
    pub(super) deeper: Option<Name>,
    /// Whether the zone's own servers have authority over the last cut's name too.
    pub(super) serves_the_cut: bool,
}

/// Compares the parent's word with the zone's.
pub(super) fn judge(zone: &Delegation, evidence: &Evidence) -> Vec<Finding> {
    let apex = bare(&zone.apex);
    if zone.apex.is_root() {
        return vec![Finding::good("delegation", "the root has no parent")];
    }
    let parent = titled(&evidence.walk.parent());
    if let Some(deeper) = &evidence.deeper {
        return vec![too_low(&bare(deeper), &apex)];
    }
    match &evidence.walk.end {
        End::Lost(why) => {
            let message = format!("no server of {parent} leads on to {apex}: {}", why.join("; "));
            let remedy = "is this machine allowed to ask? --root takes other servers to begin with";
            vec![Finding::bad("delegation", message, remedy)]
        }
        End::NotDelegated(held) => vec![not_delegated(&parent, &apex, held)],
        End::Within => vec![within(zone, evidence)],
        End::Cut => match evidence.walk.cuts.last() {
            Some(cut) => compare(zone, cut, &parent),
            None => Vec::new(),
        },
    }
}

/// A zone as a sentence names it.
fn titled(zone: &Name) -> String {
    if zone.is_root() { "the root".to_owned() } else { bare(zone) }
}

/// True where two lists of servers have an address in common.
pub(super) fn share_an_address(cut: &Cut, ours: &[IpAddr]) -> bool {
    cut.servers.iter().flat_map(|server| &server.addresses).any(|ip| ours.contains(ip))
}

fn too_low(deeper: &str, apex: &str) -> Finding {
    let message = format!("what is delegated here is {deeper}, but the zone is {apex}");
    let remedy = format!(
        "resolvers refuse answers from above the cut: call the zone's file {deeper}.toml, and its \
         services by names from there on"
    );
    Finding::bad("apex", message, remedy)
}

fn not_delegated(parent: &str, apex: &str, held: &[Record]) -> Finding {
    let data = held.iter().find_map(|record| match &record.data {
        Data::Alias(target) => Some(format!("CNAME {}", bare(target))),
        Data::Address(address) => Some(format!("address {address}")),
        Data::NameServer(_) | Data::Start { .. } | Data::Other(_) => None,
    });
    match data {
        Some(data) => Finding::bad(
            "delegation",
            format!("{parent} does not delegate {apex}: it answers itself, with {data}"),
            format!("{SEND}, in place of what is there"),
        ),
        None => Finding::bad("delegation", format!("{parent} does not delegate {apex}"), SEND),
    }
}

fn within(zone: &Delegation, evidence: &Evidence) -> Finding {
    let (apex, parent) = (bare(&zone.apex), titled(&evidence.walk.parent()));
    if evidence.serves_the_cut {
        let message =
            format!("the servers of {parent} serve {apex} too: its delegation is not seen");
        let remedy = "asked from elsewhere they answer for themselves; compare their files by hand";
        return Finding::doubt("delegation", message, remedy);
    }
    let message = format!("what is delegated here is {parent}, but the zone is {apex}");
    let remedy = format!(
        "{parent} itself has no answers: call the zone's file {parent}.toml, or let its owner \
         delegate {apex} alone"
    );
    Finding::bad("apex", message, remedy)
}

fn compare(zone: &Delegation, cut: &Cut, parent: &str) -> Vec<Finding> {
    let apex = bare(&zone.apex);
    let of = |all: &[NameServer], name: &Name| all.iter().any(|server| server.name == *name);
    let only = |these: &[NameServer], those: &[NameServer]| -> Vec<String> {
        let lone = these.iter().filter(|server| !of(those, &server.name));
        lone.map(|server| bare(&server.name)).collect()
    };
    let (theirs, ours) = (only(&cut.servers, &zone.servers), only(&zone.servers, &cut.servers));
    let mut findings = Vec::new();
    if theirs.len() == cut.servers.len() {
        let message = format!("{parent} delegates {apex} to others: {}", theirs.join(", "));
        return vec![Finding::bad("delegation", message, SEND)];
    }
    if !theirs.is_empty() {
        let message = format!("{parent} also names {}, which the zone does not", theirs.join(", "));
        let remedy = "let it be removed there, or add it to `ns` in [zone] if it runs Rota too";
        findings.push(Finding::bad("delegation", message, remedy));
    }
    if !ours.is_empty() {
        let message = format!("{parent} does not name {}, which the zone does", ours.join(", "));
        findings.push(Finding::doubt("delegation", message, SEND));
    }
    for server in &zone.servers {
        if let Some(at_parent) = cut.servers.iter().find(|it| it.name == server.name) {
            findings.extend(glue(zone, server, at_parent, parent));
        }
    }
    if findings.is_empty() {
        let names: Vec<String> = zone.servers.iter().map(|server| bare(&server.name)).collect();
        let message = format!("{parent} delegates {apex} to {}, and knows where", names.join(", "));
        findings.push(Finding::good("delegation", message));
    }
    findings
}

/// The addresses that came with a referral; needed where the server's name is in the zone itself.
fn glue(
    zone: &Delegation,
    server: &NameServer,
    at_parent: &NameServer,
    parent: &str,
) -> Option<Finding> {
    let name = bare(&server.name);
    let (theirs, ours) = (&at_parent.addresses, &server.addresses);
    if !server.name.is_at_or_under(&zone.apex) {
        return None;
    }
    let show = |all: &[IpAddr]| all.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(", ");
    if theirs.is_empty() {
        let message = format!("{parent} has no glue for {name}: nobody can find it");
        return Some(Finding::bad("glue", message, SEND));
    }
    let wrong: Vec<IpAddr> = theirs.iter().filter(|ip| !ours.contains(ip)).copied().collect();
    if !wrong.is_empty() {
        let message = format!(
            "{parent} says that {name} is at {}, the zone says {}",
            show(&wrong),
            show(ours)
        );
        return Some(Finding::bad("glue", message, SEND));
    }
    let missing: Vec<IpAddr> = ours.iter().filter(|ip| !theirs.contains(ip)).copied().collect();
    (!missing.is_empty()).then(|| {
        let message = format!("{parent} has no glue for {} of {name}", show(&missing));
        Finding::doubt("glue", message, SEND)
    })
}
