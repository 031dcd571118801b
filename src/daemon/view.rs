//! How everything stands, as the API tells it.
//!
//! Gathered on demand from what is in force: the statuses of the monitor, the plans of the
//! snapshot, the words of operators, what workers counted. Nothing is kept for showing, so what is
//! shown cannot be out of date.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::admin::docs::{
    AddressDoc, CheckDoc, FamilyDoc, NodeDetailDoc, NodeDoc, OutcomeWord, OverrideDoc, PoolDoc,
    Says, ServiceDoc, Status, StatusDoc, VerdictDoc, ZoneDoc,
};
use crate::health::{self, Outcome, Seen};
use crate::respond::{Tally, explain};
use crate::snapshot::{Served, ServiceEntry, Snapshot, Zone};
use crate::steer::overrides::What;
use crate::steer::{Address, Board, Family, Order, Override, Pool, Service, Steer, Tier};
use crate::wire::{Name, RecordType};

use super::cached::{Placed, curve};
use super::known::Known;
use super::orders::services;
use super::past::Past;

/// Looks at one moment.
pub(super) struct View<'c> {
    pub(super) known: Known<'c>,
    pub(super) snapshot: &'c Snapshot,
    pub(super) tallies: &'c [Arc<Tally>],
    pub(super) past: &'c Past,
    /// The moment of `known`, by the other clock.
    pub(super) now: Instant,
}

impl View<'_> {
    /// Everything.
    pub(super) fn status(&self, started: Instant, notice: Option<&str>) -> StatusDoc {
        let zones = self.snapshot.zones();
        let entries = zones.flat_map(|(_, zone)| zone.services());
        let orders = self.known.overrides.orders().iter();
        StatusDoc {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            now: self.known.now,
            started: self.unix(started),
            generation: self.snapshot.generation(),
            notices: notice.map(str::to_owned).into_iter().collect(),
            zones: self.snapshot.all().iter().map(zone_doc).collect(),
            services: entries.map(|entry| self.service_doc(entry)).collect(),
            overrides: orders.map(|order| override_doc(order, self.snapshot)).collect(),
        }
    }

    /// One service by its id.
    pub(super) fn service(&self, id: &str) -> Option<ServiceDoc> {
        let mut entries = self.snapshot.zones().flat_map(|(_, zone)| zone.services());
        entries.find(|entry| entry.service.id == id).map(|entry| self.service_doc(entry))
    }

    /// One node by its id.
    pub(super) fn node(&self, id: &str) -> Option<NodeDetailDoc> {
        let placed = self.nodes().find(|placed| placed.node.id == id)?;
        let Placed { entry, pool, node, .. } = placed;
        let docs = self.service_doc(entry).pools.into_iter().flat_map(|pool| pool.nodes);
        let doc = docs.into_iter().find(|node| node.id == id)?;
        let holders = self.holders(&placed, self.now);
        let checks = node.addresses.iter().flat_map(|address| self.checks(address));
        Some(NodeDetailDoc {
            node: NodeDoc { cached: Some(self.cached(&holders)), ..doc },
            service: entry.service.id.clone(),
            pool: pool.name.clone(),
            labels: node.labels.clone(),
            checks: checks.collect(),
            curve: curve(&holders),
        })
    }

    fn service_doc(&self, entry: &ServiceEntry) -> ServiceDoc {
        let (service, plan) = (&entry.service, entry.plan());
        let members = plan.sets().iter().flat_map(|set| set.members.iter().copied());
        let members: HashSet<u16> = members.collect();
        let family = |family: Family| {
            let (tier, pools) = plan.tier(family);
            (tier != Tier::NoAddress).then(|| FamilyDoc {
                family: family.record_type().to_string(),
                row: tier.word().to_owned(),
                why: explain::row(tier).to_owned(),
                pools: pools.iter().map(|at| service.pools[at].name.clone()).collect(),
            })
        };
        let mut index = 0;
        let pool = |(at, pool): (usize, &Pool)| {
            let nodes = pool.nodes.iter().zip(index..);
            let placed = nodes.map(|(node, at)| Placed { entry, pool, node, at });
            let nodes = placed.map(|placed| self.node_doc(&placed, &members)).collect();
            index += pool.nodes.len();
            let split = service.steer == Steer::Split;
            PoolDoc {
                name: pool.name.clone(),
                share: split.then(|| plan.share(at)),
                share_configured: split.then_some(pool.share),
                nodes,
            }
        };
        ServiceDoc {
            id: service.id.clone(),
            owner: bare(&service.owner),
            ttl: plan.ttl,
            steer: service.steer.word().to_owned(),
            policy: service.policy.word().to_owned(),
            pools: service.pools.iter().enumerate().map(pool).collect(),
            families: Family::ALL.into_iter().filter_map(family).collect(),
        }
    }

    /// A node of a service of which these addresses answer.
    fn node_doc(&self, placed: &Placed<'_>, members: &HashSet<u16>) -> NodeDoc {
        let Placed { entry, node, at, .. } = *placed;
        let own = entry.nodes[at].clone();
        let answers = |index: usize| members.contains(&(index as u16));
        let gone = !own.clone().any(answers);
        let Known { overrides, now, .. } = self.known;
        let forced = overrides.forced(&node.id, now);
        let weight = overrides.weight(&node.id, now).map(|(_, by)| by.id);
        let by = forced.map(|(_, by)| by.id).into_iter().chain(weight);
        let address = |(index, address): (usize, &Address)| {
            let slot = entry.addresses[index];
            let firsts = self.tallies.iter().map(|tally| tally.first(slot)).sum();
            self.address_doc(address, forced.map(|(forced, _)| forced), answers(index), firsts)
        };
        NodeDoc {
            id: node.id.clone(),
            name: node.name.clone(),
            weight: self.known.weight(node),
            weight_configured: node.weight,
            overrides: by.collect(),
            addresses: own.zip(&node.addresses).map(address).collect(),
            cached: gone.then(|| self.cached(&self.holders(placed, self.now))),
        }
    }

    fn address_doc(
        &self,
        address: &Address,
        forced: Option<Override>,
        answering: bool,
        firsts: u64,
    ) -> AddressDoc {
        let targets = address.check.targets().into_iter();
        let views = targets.filter_map(|target| self.known.monitor.view(target));
        let views: Vec<health::View<'_>> = views.collect();
        let standing = address.standing(|target| self.known.monitor.standing(target));
        let real = standing.map_or(Status::Unchecked, |standing| status(standing.status));
        let latest = views.iter().filter_map(|view| view.last()).max_by_key(|seen| seen.at);
        // Of several checks the one that decides: the latencies of one row are of one thing.
        let deciding = views.iter().find(|view| Some(view.standing()) == standing);
        let latencies = deciding.into_iter().flat_map(|view| view.history()).map(|seen| {
            let passed = seen.verdict.outcome == Outcome::Pass;
            passed.then(|| milliseconds(seen.verdict.latency))
        });
        AddressDoc {
            address: address.ip,
            real,
            effective: match forced {
                Some(Override::Up) => Status::Up,
                Some(Override::Down) => Status::Down,
                Some(Override::Drain) => Status::Draining,
                None => real,
            },
            turning: standing.is_some_and(|standing| standing.contradicted),
            answering,
            since: views.iter().filter_map(|view| view.since()).max().map(|at| self.unix(at)),
            last: latest.map(|seen| self.verdict(seen)),
            latencies_ms: latencies.collect(),
            firsts,
        }
    }

    fn checks(&self, address: &Address) -> Vec<CheckDoc> {
        let targets = address.check.targets().into_iter();
        let views = targets.filter_map(|target| self.known.monitor.view(target));
        let check = |view: health::View<'_>| CheckDoc {
            address: address.ip,
            asks: view.target.place().to_string(),
            status: status(view.standing().status),
            turning: view.standing().contradicted,
            since: view.since().map(|at| self.unix(at)),
            pace_ms: view.pace().map(milliseconds),
            history: view.history().map(|seen| self.verdict(seen)).collect(),
        };
        views.map(check).collect()
    }

    fn verdict(&self, seen: &Seen) -> VerdictDoc {
        let (outcome, reason) = match &seen.verdict.outcome {
            Outcome::Pass => (OutcomeWord::Pass, None),
            Outcome::Fail(reason) => (OutcomeWord::Fail, Some(reason)),
            Outcome::NoVerdict(reason) => (OutcomeWord::NoVerdict, Some(reason)),
        };
        let ago = self.now.saturating_duration_since(seen.at).as_millis();
        VerdictDoc {
            ago_ms: u64::try_from(ago).unwrap_or(u64::MAX),
            outcome,
            reason: reason.map(ToString::to_string),
            warning: seen.verdict.warning.map(|warning| warning.to_string()),
            latency_ms: milliseconds(seen.verdict.latency),
        }
    }

    /// A moment in Unix seconds.
    fn unix(&self, at: Instant) -> u64 {
        self.known.now.saturating_sub(self.now.saturating_duration_since(at).as_secs())
    }
}

/// An override with how many nodes of a snapshot it matches.
pub(super) fn override_doc(order: &Order, snapshot: &Snapshot) -> OverrideDoc {
    let nodes = services(snapshot).flat_map(Service::nodes);
    let nodes = nodes.filter(|node| order.scope.rank(&node.id).is_some()).count();
    OverrideDoc {
        id: order.id,
        scope: order.scope.text().to_owned(),
        says: match &order.what {
            What::Force(Override::Up) => Says::Up,
            What::Force(Override::Down) => Says::Down,
            What::Force(Override::Drain) => Says::Drain,
            What::Weight(weight) => Says::Weight(*weight),
            What::Shares(shares) => Says::Shares(shares.clone()),
        },
        reason: order.reason.clone(),
        author: order.author.clone(),
        since: order.since,
        until: order.until,
        nodes,
    }
}

/// A status as the API has it.
pub(super) fn status(status: health::Status) -> Status {
    match status {
        health::Status::Up => Status::Up,
        health::Status::Down => Status::Down,
        health::Status::Draining => Status::Draining,
        health::Status::Unknown => Status::Unknown,
    }
}

fn zone_doc(served: &Served) -> ZoneDoc {
    let (serial, services) = match served {
        Served::Zone(zone) => {
            let ids = zone.services().iter().map(|entry| entry.service.id.clone());
            (serial(zone), ids.collect())
        }
        Served::Broken(_) => (None, Vec::new()),
    };
    let is_served = matches!(served, Served::Zone(_));
    ZoneDoc { apex: bare(served.apex()), served: is_served, serial, services }
}

/// The first of the five numbers that end the RDATA of an SOA. RFC 1035 §3.3.13.
fn serial(zone: &Zone) -> Option<u32> {
    let soa = zone.rrset(zone.apex_entry(), RecordType::SOA)?;
    let numbers = zone.rdata(soa).next()?.last_chunk::<20>()?;
    numbers.first_chunk().map(|serial| u32::from_be_bytes(*serial))
}

/// A name without its final dot, as people write it; the root is a dot.
fn bare(name: &Name) -> String {
    let text = name.to_string();
    text.strip_suffix('.').filter(|stem| !stem.is_empty()).unwrap_or(&text).to_owned()
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
