//! `rota doctor`: does a zone work, from outside in?
//!
//! ```text
//!   walk.rs  roots.rs   from the root to the zone, as a resolver goes
//!   parent.rs           what the parent says, beside what the zone says      pure
//!   servers.rs          each name server over UDP and TCP; EDNS, clock, ECS, serials
//!   here.rs             this machine: ports, descriptors, files loaded, nodes
//!   finding.rs          a line of the report
//!   records.rs          the delegation in the forms in which parents take it
//! ```
//!
//! `rota check` says whether files are right; this says whether the world agrees. It changes
//! nothing, asks few questions and no server more than it must, and each of its findings that is
//! not good comes with what to do.

mod finding;
mod here;
mod parent;
pub mod records;
mod roots;
mod servers;
#[cfg(test)]
mod tests;
mod walk;

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use anyhow::bail;

use super::delegation::{Delegation, NameServer};
use super::dns::{self, Over, Question};
use super::report::bare;
use super::{Exit, print};
use crate::config::{self, Config, Server};
use crate::snapshot::settings::EcsFrom;
use crate::snapshot::{Authored, ZoneModel};
use crate::wire::{Name, RecordType};
use crate::zone::diagnostic::has_errors;
use finding::{Finding, Mark};
use parent::Evidence;
use walk::{End, Walker};

/// So many zones are examined in one run; who has more names those that matter.
const ZONES_MAX: usize = 100;
/// So many services of a zone are looked at from outside.
const SERVICES_MAX: usize = 8;

/// Shown below the help.
pub const EXAMPLES: &str = "\
Examples:
  rota doctor                                 every zone of the configuration
  rota doctor app.example.org                 one; without its files, what the parent says of it
  rota doctor --records route53               the delegation, to paste into the parent
  rota doctor --json | jq 'select(.mark != \"good\")'

Marks: ✓ good, ! works but is probably not meant so, ✗ some clients get no answer or a wrong one.";

/// Arguments of `rota doctor`.
#[derive(clap::Args, Debug)]
pub struct DoctorArgs {
    /// Zones to examine [default: all of the configuration]
    #[arg(value_name = "ZONE", value_parser = Name::from_text)]
    pub zones: Vec<Name>,

    /// Examine this server rather than those that the zone names
    #[arg(long, value_name = "ADDRESS")]
    pub server: Vec<IpAddr>,

    /// Begin at this server rather than at the root servers of the world
    #[arg(long, value_name = "ADDRESS")]
    pub root: Vec<IpAddr>,

    /// Ask every server at this port
    #[arg(long, value_name = "PORT", default_value_t = here::DNS_PORT)]
    pub port: u16,

    /// Print the records for the parent zone in this form, and ask nobody
    #[arg(long, value_enum, value_name = "FORM")]
    pub records: Option<records::Form>,

    /// Print JSON, one finding a line
    #[arg(long)]
    pub json: bool,
}

/// Examines, and finds something where anything is bad.
pub async fn run(args: &DoctorArgs, config: Option<&Path>) -> anyhow::Result<Exit> {
    let loaded = config::load(config);
    let broken = has_errors(&loaded.diagnostics) && !loaded.zones.is_empty();
    let config = loaded.into_config();
    let zones = zones(args, config.as_ref())?;
    if let Some(form) = args.records {
        for zone in &zones {
            let Some(model) = &zone.model else {
                bail!(
                    "{} is not in the configuration, so its records are not known",
                    bare(&zone.apex)
                );
            };
            print(records::text(&Delegation::of(model), form).trim_end());
        }
        return Ok(Exit::Good);
    }
    let mut report = Report { json: args.json, told: false, worst: Mark::Good };
    let server = config.as_ref().map(|config| &config.server);
    for zone in &zones {
        let (findings, records) = examine(args, zone, server).await;
        report.tell(&bare(&zone.apex), &findings);
        if let (Some(records), false) = (records, args.json) {
            print("\n  for the parent zone; also as --records route53 or windows:");
            records.lines().for_each(|line| print(&format!("    {line}")));
        }
    }
    let mut findings = Vec::new();
    if broken {
        let message = "the configuration has errors";
        findings.push(Finding::bad("configuration", message, "see them: rota check"));
    }
    findings.extend(server.into_iter().flat_map(|it| here::judge(it, here::grants(), args.port)));
    report.tell("here", &findings);
    Ok(if report.worst == Mark::Bad { Exit::Found } else { Exit::Good })
}

/// A zone to examine, with what the configuration knows of it.
struct Zone {
    apex: Name,
    model: Option<Arc<ZoneModel>>,
}

fn zones(args: &DoctorArgs, config: Option<&Config>) -> anyhow::Result<Vec<Zone>> {
    let known = config.into_iter().flat_map(|config| &config.zones);
    let known: Vec<Zone> = known
        .map(|zone| match zone {
            Authored::Good(model) => {
                Zone { apex: model.records.apex.clone(), model: Some(Arc::clone(model)) }
            }
            Authored::Broken(apex) => Zone { apex: apex.clone(), model: None },
        })
        .collect();
    let wanted: Vec<Zone> = if args.zones.is_empty() {
        known
    } else {
        let model = |apex: &Name| known.iter().find(|it| it.apex == *apex)?.model.clone();
        args.zones.iter().map(|apex| Zone { apex: apex.clone(), model: model(apex) }).collect()
    };
    if wanted.is_empty() {
        bail!("the configuration has no zone: name one, or see what is wrong with rota check");
    }
    if wanted.len() > ZONES_MAX {
        bail!("{} zones are more than {ZONES_MAX}: name those to examine", wanted.len());
    }
    Ok(wanted)
}

/// Everything about one zone, and the records for its parent where these are not there.
async fn examine(
    args: &DoctorArgs,
    zone: &Zone,
    server: Option<&Server>,
) -> (Vec<Finding>, Option<String>) {
    let roots = match args.root.as_slice() {
        [] => roots::roots(&mut fastrand::Rng::with_seed(crate::daemon::random_seed())),
        given => given.to_vec(),
    };
    let mut walker = Walker::new(roots, args.port);
    let walk = walker.walk(&zone.apex).await;
    let delegation = match (&zone.model, walk.cuts.last()) {
        (Some(model), _) => Delegation::of(model),
        (None, Some(cut)) if walk.end == End::Cut => {
            Delegation { apex: zone.apex.clone(), ttl: 0, servers: cut.servers.clone() }
        }
        (None, _) => Delegation { apex: zone.apex.clone(), ttl: 0, servers: Vec::new() },
    };
    let servers = servers(args, &delegation, &mut walker).await;
    let ours: Vec<IpAddr> = servers.iter().map(|(_, address)| *address).collect();
    let services = services(zone);
    let serves_the_cut = match (&walk.end, walk.cuts.last(), ours.first()) {
        (End::Within, Some(cut), Some(ours)) => has_authority(*ours, args.port, &cut.owner).await,
        _ => true,
    };
    let at_parent: Option<Vec<Name>> = walk
        .cuts
        .last()
        .filter(|_| walk.end == End::Cut)
        .map(|cut| cut.servers.iter().map(|server| server.name.clone()).collect());
    let deeper = deeper(zone, &services, &ours, &walk, &mut walker).await;
    let evidence = Evidence { walk, deeper, serves_the_cut };
    let mut findings = parent::judge(&delegation, &evidence);
    let missing =
        findings.iter().any(|one| one.mark != Mark::Good && one.remedy.contains(parent::SEND));
    let exam = servers::Exam {
        apex: zone.apex.clone(),
        services,
        ecs: server.is_some_and(|server| server.dns.ecs == EcsFrom::Everyone),
        port: args.port,
    };
    findings.extend(servers::examine(&exam, &servers, at_parent.as_deref()).await);
    if let (Some(model), Some(server)) = (&zone.model, server) {
        findings.extend(here::loaded(server, model).await);
        findings.extend(here::nodes(model).await);
    }
    let records = zone.model.as_ref().filter(|_| missing).map(|_| records::bind(&delegation));
    (findings, records)
}

/// Every address of every name server; where only others know them, as others say.
async fn servers(
    args: &DoctorArgs,
    delegation: &Delegation,
    walker: &mut Walker,
) -> Vec<(String, IpAddr)> {
    if !args.server.is_empty() {
        return args.server.iter().map(|address| ("the server".to_owned(), *address)).collect();
    }
    let mut servers = Vec::new();
    for NameServer { name, addresses } in &delegation.servers {
        let found = match addresses.as_slice() {
            [] => walker.locate(name).await,
            known => known.to_vec(),
        };
        servers.extend(found.into_iter().map(|address| (bare(name), address)));
    }
    servers
}

/// Names of services that can be asked for.
fn services(zone: &Zone) -> Vec<Name> {
    let all = zone.model.iter().flat_map(|model| &model.services).map(|it| it.owner.clone());
    all.filter(|owner| !owner.is_wildcard()).take(SERVICES_MAX).collect()
}

/// A cut below the apex that leads to our servers, where the apex itself does not.
async fn deeper(
    zone: &Zone,
    services: &[Name],
    ours: &[IpAddr],
    walk: &walk::Walk,
    walker: &mut Walker,
) -> Option<Name> {
    let leads_to_us = |cut: &walk::Cut| parent::share_an_address(cut, ours);
    let arrived = match walk.end {
        End::Cut => walk.cuts.last().is_some_and(leads_to_us),
        End::NotDelegated(_) => false,
        End::Within | End::Lost(_) => true,
    };
    if arrived {
        return None;
    }
    for service in services.iter().filter(|service| **service != zone.apex) {
        let cuts = walker.walk(service).await.cuts;
        let below =
            |cut: &&walk::Cut| cut.owner != zone.apex && cut.owner.is_at_or_under(&zone.apex);
        if let Some(cut) = cuts.iter().filter(below).find(|cut| leads_to_us(cut)) {
            return Some(cut.owner.clone());
        }
    }
    None
}

async fn has_authority(server: IpAddr, port: u16, name: &Name) -> bool {
    let question = Question::to_authority(name, RecordType::SOA);
    let reply = dns::ask(SocketAddr::new(server, port), &question, Over::Udp).await;
    reply.is_ok_and(|reply| reply.authoritative && reply.serial().is_some())
}

/// What is told as it is found.
struct Report {
    json: bool,
    /// Something was told before.
    told: bool,
    worst: Mark,
}

impl Report {
    fn tell(&mut self, of: &str, findings: &[Finding]) {
        if !findings.is_empty() && !self.json {
            if self.told {
                print("");
            }
            print(of);
            self.told = true;
        }
        for finding in findings {
            self.worst = self.worst.max(finding.mark);
            if self.json {
                print(&finding.json(of).to_string());
            } else {
                print(&finding.to_string());
            }
        }
    }
}
