//! Who may still hold answers that name a node, and how long: gathered from what all workers noted.
//!
//! A resolver sends clients to a node until it has forgotten the answer that named it, whatever is
//! answered meanwhile. So a node is out of use only some time after it left the answers; here is
//! how many resolvers hold it, now and later, and how many did when an override was given.

use std::time::{Duration, Instant};

use crate::admin::docs::{CachedDoc, LeavingDoc, LeftDoc, NodeDoc, PointDoc, Status};
use crate::respond::tally::Holders;
use crate::snapshot::ServiceEntry;
use crate::steer::overrides::What;
use crate::steer::{Node, Order, Override, Pool};

use super::view::View;

/// Points of a curve.
const POINTS_MAX: u32 = 60;

/// A node in its service.
pub(super) struct Placed<'s> {
    pub(super) entry: &'s ServiceEntry,
    pub(super) pool: &'s Pool,
    pub(super) node: &'s Node,
    /// By its place among the service's nodes.
    pub(super) at: usize,
}

impl View<'_> {
    /// Every node of every service.
    pub(super) fn nodes(&self) -> impl Iterator<Item = Placed<'_>> {
        let entries = self.snapshot.zones().flat_map(|(_, zone)| zone.services());
        entries.flat_map(|entry| {
            let pools = entry.service.pools.iter();
            let nodes = pools.flat_map(|pool| pool.nodes.iter().map(move |node| (pool, node)));
            let placed = move |(at, (pool, node))| Placed { entry, pool, node, at };
            nodes.enumerate().map(placed)
        })
    }

    /// Those who may hold an answer that names a node, as seen at a time.
    pub(super) fn holders(&self, placed: &Placed<'_>, at: Instant) -> Holders {
        let Placed { entry, at: index, .. } = placed;
        let mut holders = Holders::default();
        let addresses = &entry.addresses[entry.nodes[*index].clone()];
        self.tallies.iter().for_each(|tally| tally.add_holders(&mut holders, addresses, at));
        holders
    }

    /// True where some client may be answered with the node now.
    pub(super) fn is_answering(&self, placed: &Placed<'_>) -> bool {
        let (plan, own) = (self.snapshot.plan(placed.entry), &placed.entry.nodes[placed.at]);
        let mut members = plan.sets().iter().flat_map(|set| &set.members);
        members.any(|&member| own.contains(&usize::from(member)))
    }

    /// What is held, in short.
    pub(super) fn cached(&self, holders: &Holders) -> CachedDoc {
        let now = holders.count(0);
        CachedDoc {
            resolvers: now.resolvers,
            at_least: now.at_least,
            gone_in_seconds: holders.gone_after(),
            unknown_seconds: self.past.lasts(self.now),
        }
    }

    /// The nodes that an override keeps out of the answers, each with who may hold it still; none
    /// where there is no such override.
    pub(super) fn leaving(&self, id: u64) -> Option<Vec<LeavingDoc>> {
        let order = self.known.overrides.orders().iter().find(|order| order.id == id)?;
        let nodes = self.nodes().filter(|placed| self.keeps_out(order, placed));
        Some(nodes.map(|placed| self.leaving_doc(&placed, order)).collect())
    }

    fn leaving_doc(&self, placed: &Placed<'_>, order: &Order) -> LeavingDoc {
        let holders = self.holders(placed, self.now);
        LeavingDoc {
            node: placed.node.id.clone(),
            answering: self.is_answering(placed),
            resolvers_then: self.holders_since(placed, order.since).count(0).resolvers,
            cached: self.cached(&holders),
            curve: curve(&holders),
        }
    }

    /// Those who have held an answer that names a node since a Unix second. That second does not
    /// count, so that what ended just before is not taken for something that ended since.
    fn holders_since(&self, placed: &Placed<'_>, since: u64) -> Holders {
        let ago = Duration::from_secs(self.known.now.saturating_sub(since + 1));
        self.holders(placed, self.now.checked_sub(ago).unwrap_or(self.now))
    }

    /// Since when a node is out of the answers, and who has held it since; `doc` tells how it
    /// stands.
    pub(super) fn left(&self, placed: &Placed<'_>, doc: &NodeDoc) -> Option<LeftDoc> {
        let mut orders = self.known.overrides.orders().iter();
        let order = orders.find(|order| self.keeps_out(order, placed));
        let is_held = || doc.cached.as_ref().is_some_and(|cached| cached.gone_in_seconds > 0);
        if order.is_none() && !is_held() {
            return None;
        }
        let failed = |status| matches!(status, Status::Down | Status::Draining);
        let turned = doc.addresses.iter().filter(|address| failed(address.effective));
        let turned = turned.filter_map(|address| address.since).max();
        let since = order.map(|order| order.since).or(turned).unwrap_or(self.known.now);
        let holders = self.holders_since(placed, since);
        Some(LeftDoc {
            since,
            by: order.map(|order| order.id),
            resolvers_then: holders.count(0).resolvers,
            curve: curve(&holders),
        })
    }

    /// True where it is this order that a node does not answer by.
    pub(super) fn keeps_out(&self, order: &Order, placed: &Placed<'_>) -> bool {
        let (overrides, now, node) = (self.known.overrides, self.known.now, &placed.node.id);
        let ours = |by: &Order| by.id == order.id;
        match &order.what {
            What::Force(Override::Drain | Override::Down) => {
                overrides.forced(node, now).is_some_and(|(_, by)| ours(by))
            }
            What::Force(Override::Up) => false,
            What::Weight(_) => {
                overrides.weight(node, now).is_some_and(|(weight, by)| weight == 0 && ours(by))
            }
            What::Shares(_) => {
                let service = &placed.entry.service;
                let exists = |name: &str| service.pools.iter().any(|pool| pool.name == name);
                let ruling = overrides.shares(&service.id, exists, now);
                let share = |shares: &std::collections::BTreeMap<String, u8>| {
                    shares.get(&placed.pool.name).copied().unwrap_or(0)
                };
                ruling.is_some_and(|(shares, by)| ours(by) && share(shares) == 0)
            }
        }
    }
}

/// How many resolvers may hold an answer, now and later, until none does.
pub(super) fn curve(holders: &Holders) -> Vec<PointDoc> {
    let point = |(after_seconds, count): (u32, crate::respond::tally::Count)| PointDoc {
        after_seconds,
        resolvers: count.resolvers,
    };
    holders.curve(POINTS_MAX).map(point).collect()
}
