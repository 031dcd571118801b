//! How everything stands, for a board.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::health::{Monitor, Standing, Verdict};
use crate::respond::Tally;
use crate::snapshot::Snapshot;
use crate::steer::{Node, Policy, Pool};

/// How everything stands at one moment.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// All services of all zones.
    pub services: Vec<ServiceView>,
}

/// One service.
#[derive(Clone, Debug)]
pub struct ServiceView {
    /// `zone/service`.
    pub id: String,
    /// The name that clients ask for, with the final dot.
    pub owner: String,
    /// Seconds, as answered now.
    pub ttl: u32,
    /// How its addresses are picked.
    pub policy: Policy,
    /// Every address of every node, in the order written.
    pub addresses: Vec<AddressView>,
}

/// One address of a node.
#[derive(Clone, Debug)]
pub struct AddressView {
    /// The node's name; in a pool with a name `pool/node`.
    pub node: String,
    /// The address.
    pub ip: IpAddr,
    /// The node's weight.
    pub weight: u16,
    /// What its checks say together; none where it has none.
    pub standing: Option<Standing>,
    /// How long it has had this status; none where that is not known.
    pub since: Option<Duration>,
    /// What the latest probe said, how long it took and what it warns of.
    pub last: Option<Verdict>,
    /// Where workers count the answers that it was first in.
    pub firsts: u64,
}

impl View {
    /// Gathers it from the statuses, the plans in force and what workers counted.
    pub(super) fn of(
        monitor: &Monitor,
        snapshot: &Snapshot,
        tallies: &[Arc<Tally>],
        now: Instant,
    ) -> Self {
        let mut services = Vec::new();
        for entry in snapshot.zones().flat_map(|(_, zone)| zone.services()) {
            let service = &entry.service;
            let mut slots = entry.addresses.iter();
            let mut addresses = Vec::new();
            for (pool, node) in service.pools.iter().flat_map(in_pool) {
                for address in &node.addresses {
                    let views: Vec<_> =
                        address.targets.iter().filter_map(|t| monitor.view(t)).collect();
                    let last = views.iter().filter_map(|view| view.last()).max_by_key(|s| s.at);
                    let since = views.iter().filter_map(|view| view.since()).max();
                    let firsts = slots
                        .next()
                        .map_or(0, |&slot| tallies.iter().map(|tally| tally.first(slot)).sum());
                    addresses.push(AddressView {
                        node: match pool {
                            "" => node.name.clone(),
                            pool => format!("{pool}/{}", node.name),
                        },
                        ip: address.ip,
                        weight: node.weight,
                        standing: address.standing(|target| monitor.standing(target)),
                        since: since.map(|since| now.saturating_duration_since(since)),
                        last: last.map(|seen| seen.verdict.clone()),
                        firsts,
                    });
                }
            }
            services.push(ServiceView {
                id: service.id.clone(),
                owner: service.owner.to_string(),
                ttl: entry.plan().ttl,
                policy: service.policy,
                addresses,
            });
        }
        Self { services }
    }
}

/// A pool's nodes, each with the pool's name.
fn in_pool(pool: &Pool) -> impl Iterator<Item = (&str, &Node)> {
    pool.nodes.iter().map(|node| (pool.name.as_str(), node))
}
