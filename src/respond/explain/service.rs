//! How a service came to its choice, read from the plan that made it.

use std::net::IpAddr;
use std::time::Duration;

use crate::geo::{Network, Place, distance};
use crate::steer::eligible::Duty;
use crate::steer::{Asker, Family, Node, Plan, Pool, Service, SetId, Steer, Tier};

use super::{Informant, NodeLine, PoolLine, ServiceStage};

/// Everything but the picked addresses, which come one by one.
pub(super) fn tell(
    service: &Service,
    plan: &Plan,
    family: Family,
    asker: &Asker,
    set: Option<SetId>,
    informant: &impl Informant,
) -> ServiceStage {
    let (tier, able) = plan.tier(family);
    let set = set.map(|id| plan.set(id));
    let chosen = set.map(|set| usize::from(set.pool));
    let pool = |at: usize| PoolLine {
        name: service.pools[at].name.clone(),
        why: why_there(service, plan, at, asker, informant),
        able: able.contains(at),
        chosen: chosen == Some(at),
    };
    let mut nodes = Vec::new();
    let mut index = 0;
    for (pool_at, pool) in service.pools.iter().enumerate() {
        for node in &pool.nodes {
            for address in &node.addresses {
                let kept = set.is_some_and(|set| set.members.contains(&(index as u16)));
                if Family::of_address(address.ip) == family {
                    let duty = plan.seats()[index].duty;
                    let why = match (kept, chosen == Some(pool_at)) {
                        (true, _) => standing(pool, node, address.ip, duty, informant),
                        (false, false) if duty == Duty::Serving => "its pool is not chosen".into(),
                        (false, true) if duty == Duty::Serving => {
                            "weight 0, and others stand".into()
                        }
                        (false, _) => standing(pool, node, address.ip, duty, informant),
                    };
                    nodes.push(NodeLine {
                        pool: pool.name.clone(),
                        node: node.name.clone(),
                        address: address.ip,
                        weight: plan.seats()[index].weight,
                        kept,
                        why,
                    });
                }
                index += 1;
            }
        }
    }
    ServiceStage {
        id: service.id.clone(),
        family: family.record_type().to_string(),
        row: match chosen {
            Some(pool) if plan.panicking(family).contains(pool) => PANIC.to_owned(),
            Some(_) | None => row(tier).to_owned(),
        },
        steer: service.steer.word().to_owned(),
        pools: plan.order(service, asker).into_iter().map(pool).collect(),
        policy: service.policy.word().to_owned(),
        nodes,
        answers: set.map_or(0, |set| usize::from(set.answers)),
        picked: Vec::new(),
        ttl: plan.ttl,
        scope: plan.scope(asker),
        addresses: service
            .nodes()
            .flat_map(|node| node.addresses.iter().map(|address| address.ip))
            .collect(),
    }
}

impl ServiceStage {
    /// One more address of the answer, by its index among the service's.
    pub(super) fn pick(&mut self, at: usize) {
        self.picked.extend(self.addresses.get(at));
    }
}

/// Row 3 of the truth table.
const PANIC: &str = "panic: too little of the pool serves, so all of it answers";

/// The row of the truth table, as the operator knows it.
pub fn row(tier: Tier) -> &'static str {
    match tier {
        Tier::Serving => "pools serve",
        Tier::Short => "every pool is below its min_healthy: the healthiest serves",
        Tier::Draining => "nothing serves: what is draining answers",
        Tier::NoAddress => "the service has no address of this family",
        Tier::OtherFamily => "nothing of this family serves: clients are left to the other one",
        Tier::Open => "nothing serves: open, so all addresses answer",
        Tier::LastKnown => "nothing serves: what answered last does so still",
        Tier::Fallback => "nothing serves: the pool kept for that answers",
        Tier::Closed => "nothing serves: closed, so nothing answers",
    }
}

/// Why a pool stands where it stands for a client.
fn why_there(
    service: &Service,
    plan: &Plan,
    at: usize,
    asker: &Asker,
    informant: &impl Informant,
) -> String {
    let (pool, address) = (&service.pools[at], asker.address());
    match service.steer {
        Steer::Failover => "as listed".to_owned(),
        Steer::Geo => match narrowest(pool, address, informant) {
            Some(Place::Anywhere) => "* holds every client".to_owned(),
            Some(place) => format!("{place} holds the client"),
            None => "none of its places holds the client".to_owned(),
        },
        Steer::Nearest => {
            let (location, _) = informant.atlas().locate(address);
            match (location.coordinates, pool.at) {
                (Some(client), Some(at)) => format!("{:.0} km away", distance(client, at)),
                (None, _) => "where the client is is not known: as listed".to_owned(),
                (_, None) => "it stands nowhere".to_owned(),
            }
        }
        Steer::Fastest => {
            let targets = pool.nodes.iter().flat_map(|node| &node.addresses);
            let targets = targets.flat_map(|address| address.check.targets());
            let paces: Vec<Duration> =
                targets.filter_map(|target| informant.pace(target)).collect();
            match u32::try_from(paces.len()).ok().filter(|count| *count > 0) {
                Some(count) => {
                    let mean = paces.iter().sum::<Duration>() / count;
                    format!("probes take {:.1} ms", mean.as_secs_f64() * 1e3)
                }
                None => "no probe has passed yet".to_owned(),
            }
        }
        Steer::Split => format!("has {} % of all clients", plan.share(at)),
    }
}

/// The narrowest of a pool's places that hold a client.
fn narrowest(pool: &Pool, address: IpAddr, informant: &impl Informant) -> Option<Place> {
    let (location, _) = informant.atlas().locate(address);
    let networks: Vec<Network> = pool
        .places
        .iter()
        .filter_map(|place| match place {
            Place::Network(network) => Some(*network).filter(|it| it.contains(address)),
            Place::Anywhere
            | Place::Continent(_)
            | Place::Country(_)
            | Place::Subdivision(_)
            | Place::As(_) => None,
        })
        .collect();
    let holding = pool.places.iter().filter(|place| place.holds(location, &networks));
    holding.max_by_key(|place| place.specificity()).copied()
}

/// How an address stands, with what its probes complain of.
fn standing(
    pool: &Pool,
    node: &Node,
    ip: IpAddr,
    duty: Duty,
    informant: &impl Informant,
) -> String {
    let own = node.addresses.iter().filter(|address| node.together || address.ip == ip);
    let mut complaints = own
        .flat_map(|address| address.check.targets())
        .filter_map(|target| informant.complaint(target));
    let state = match duty {
        Duty::Serving => "serving",
        Duty::Draining => "draining",
        Duty::Failed => "down",
        Duty::Barred => "taken down by an operator",
    };
    let reason = informant.said(&node.id).or_else(|| complaints.next());
    let mut told = state.to_owned();
    let needs = informant.lack(pool);
    let outside = informant.outside(node, ip);
    let guard = informant.guard(node, ip);
    for (mark, more) in [(": ", reason), ("; ", outside), ("; ", needs), ("; ", guard)] {
        if let Some(more) = more {
            told += mark;
            told += &more;
        }
    }
    told
}
