//! How everything stands, as the API tells it.
//!
//! Gathered on demand from what is in force: the statuses of the monitor, the plans of the
//! snapshot, the words of operators, what workers counted. Nothing is kept for showing, so what is
//! shown cannot be out of date.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::admin::docs::{
    AddressDoc, CheckDoc, FamilyDoc, GuardDoc, GuardWord, NodeDetailDoc, NodeDoc, OutcomeWord,
    OverrideDoc, PoolDoc, Says, ServiceDoc, Status, StatusDoc, SuspectDoc, VerdictDoc, ZoneDoc,
};
use crate::admin::reports::{self, OpinionDoc, WordDoc};
use crate::health::{self, Opinion, Outcome, Quorum, Seen, Standing, Word};
use crate::respond::{Tally, explain};
use crate::snapshot::{Served, ServiceEntry, Snapshot, Zone};
use crate::steer::overrides::What;
use crate::steer::{
    Address, Board, Family, Hand, Lack, Node, Order, Override, Pool, Pools, Service, Steer, Tier,
    lack, standing,
};
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
            certificates: Vec::new(),
            suspect: self.known.monitor.suspect().map(|suspect| SuspectDoc {
                since: self.unix(suspect.since),
                frozen_until: self.known.now
                    + suspect.frozen_until.saturating_duration_since(self.now).as_secs(),
            }),
        }
    }

    /// One service by its id.
    pub(super) fn service(&self, id: &str) -> Option<ServiceDoc> {
        let mut entries = self.snapshot.zones().flat_map(|(_, zone)| zone.services());
        entries.find(|entry| entry.service.id == id).map(|entry| self.service_doc(entry))
    }

    /// One node by its id.
    pub(super) fn node(&self, id: &str) -> Option<NodeDetailDoc> {
        let service = self.nodes().find(|placed| placed.node.id == id)?.entry.service.id.clone();
        self.details(&service)?.into_iter().find(|detail| detail.node.id == id)
    }

    /// Every node of a service with all that is known of it.
    pub(super) fn details(&self, service: &str) -> Option<Vec<NodeDetailDoc>> {
        let docs = self.service(service)?.pools.into_iter().flat_map(|pool| pool.nodes);
        let placed = self.nodes().filter(|placed| placed.entry.service.id == service);
        // Both are in the order written.
        let detail = |(placed, doc): (Placed<'_>, NodeDoc)| {
            let holders = self.holders(&placed, self.now);
            let (pool, node) = (placed.pool, placed.node);
            let checks = node.addresses.iter().flat_map(|address| self.checks(address));
            NodeDetailDoc {
                left: self.left(&placed, &doc),
                node: NodeDoc { cached: Some(self.cached(&holders)), ..doc },
                service: service.to_owned(),
                pool: pool.name.clone(),
                labels: node.labels.clone(),
                checks: checks.collect(),
                curve: curve(&holders),
            }
        };
        Some(placed.zip(docs).map(detail).collect())
    }

    fn service_doc(&self, entry: &ServiceEntry) -> ServiceDoc {
        let (service, plan) = (&entry.service, self.snapshot.plan(entry));
        let members = plan.sets().iter().flat_map(|set| set.members.iter().copied());
        let members: HashSet<u16> = members.collect();
        let family = |family: Family| {
            let (tier, pools) = plan.tier(family);
            let named =
                |some: &Pools| some.iter().map(|at| service.pools[at].name.clone()).collect();
            (tier != Tier::NoAddress).then(|| FamilyDoc {
                family: family.record_type().to_string(),
                row: tier.word().to_owned(),
                why: explain::row(tier).to_owned(),
                pools: named(&pools),
                panicking: named(&plan.panicking(family)),
            })
        };
        let mut index = 0;
        let pool = |(at, pool): (usize, &Pool)| {
            let lack = lack(pool, &self.known);
            let nodes = pool.nodes.iter().zip(index..);
            let placed = nodes.map(|(node, at)| Placed { entry, pool, node, at });
            let nodes = placed.map(|placed| self.node_doc(&placed, &members, lack)).collect();
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

    /// A node of a service of which these addresses answer; `lack` is what its pool does.
    fn node_doc(
        &self,
        placed: &Placed<'_>,
        members: &HashSet<u16>,
        lack: Option<Lack<'_>>,
    ) -> NodeDoc {
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
            let whose = (entry.service.quorum, node, address);
            let forced = forced.map(|(forced, _)| forced);
            let lack = lack.filter(|_| forced.is_none());
            self.address_doc(whose, forced, answers(index), firsts, lack)
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
        (quorum, node, address): (Quorum, &Node, &Address),
        forced: Option<Override>,
        answering: bool,
        firsts: u64,
        lack: Option<Lack<'_>>,
    ) -> AddressDoc {
        let targets = address.check.targets().into_iter();
        let views = targets.filter_map(|target| self.known.monitor.view(target));
        let views: Vec<health::View<'_>> = views.collect();
        let own = address.standing(|target| self.known.monitor.standing(target));
        let standing = standing(quorum, node, address, &self.known);
        let real = standing.map_or(Status::Unchecked, |standing| status(standing.status));
        let latest = views.iter().filter_map(|view| view.last()).max_by_key(|seen| seen.at);
        // Of several checks the one that decides: the latencies of one row are of one thing.
        let deciding = views.iter().find(|view| Some(view.standing()) == own);
        let latencies = deciding.into_iter().flat_map(|view| view.history()).map(|seen| {
            let passed = seen.verdict.outcome == Outcome::Pass;
            passed.then(|| milliseconds(seen.verdict.latency))
        });
        let opinions = || self.known.vantages.opinions_on(&node.id, address.ip);
        // Where checks say something else, others have decided.
        let outvoted = standing.filter(|it| own.is_none_or(|own| own.status != it.status));
        let since: Vec<Instant> = match outvoted {
            Some(Standing { status, .. }) => {
                let deciding = opinions().filter(|(_, opinion)| opinion.status() == status);
                deciding.map(|(_, opinion)| opinion.since()).collect()
            }
            None => views.iter().filter_map(|view| view.since()).collect(),
        };
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
            since: since.into_iter().max().map(|at| self.unix(at)),
            last: latest.map(|seen| self.verdict(seen)),
            vantages: opinions().map(|one| self.opinion(one)).collect(),
            latencies_ms: latencies.collect(),
            firsts,
            guard: self.guard(node, address.ip, &views, lack),
        }
    }

    fn opinion(&self, (from, opinion): (&str, &Opinion)) -> OpinionDoc {
        let word = |word: &Word| WordDoc {
            ago_ms: self.ago(word.at),
            verdict: if word.passed { reports::Seen::Passed } else { reports::Seen::Failed },
            count: word.count,
            reason: word.reason.clone(),
        };
        let left = opinion.ends(&self.known.vantages.hearing().counts);
        let left = left.saturating_duration_since(self.now).as_secs();
        OpinionDoc {
            from: from.to_owned(),
            status: status(opinion.status()),
            turning: opinion.is_turning(),
            since: self.unix(opinion.since()),
            until: self.known.now + left,
            reason: opinion.complaint().and_then(|word| word.reason.clone()),
            words: opinion.words().map(word).collect(),
        }
    }

    /// What a guard does to an address; of several the one that shows in the answers.
    fn guard(
        &self,
        node: &Node,
        ip: IpAddr,
        views: &[health::View<'_>],
        lack: Option<Lack<'_>>,
    ) -> Option<GuardDoc> {
        if let Some(hand) = self.known.guards.hand(&node.id, ip) {
            let guard = match hand {
                Hand::Holds(_) => GuardWord::MaxWithdraw,
                Hand::Ramps(..) => GuardWord::SlowStart,
            };
            return Some(GuardDoc { guard, says: hand.told(self.now) });
        }
        if let Some(lack) = lack {
            return Some(GuardDoc { guard: GuardWord::Needs, says: lack.to_string() });
        }
        let hold = views.iter().find_map(|view| view.hold(self.now))?;
        Some(GuardDoc { guard: GuardWord::HoldDown, says: hold.to_string() })
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
        VerdictDoc {
            ago_ms: self.ago(seen.at),
            outcome,
            reason: reason.map(ToString::to_string),
            warning: seen.verdict.warning.map(|warning| warning.to_string()),
            latency_ms: milliseconds(seen.verdict.latency),
        }
    }

    /// How long ago, in milliseconds.
    fn ago(&self, at: Instant) -> u64 {
        let ago = self.now.saturating_duration_since(at).as_millis();
        u64::try_from(ago).unwrap_or(u64::MAX)
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
