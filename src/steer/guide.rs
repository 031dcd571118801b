//! What services ask of a client's place, compiled against one atlas.
//!
//! A service that is steered by place or distance has an order of its choices for every address
//! (see [`Ranking`]). Many services ask alike: ten names in front of the same three sites tell the
//! same clients apart, so equal rules share one ranking.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use crate::geo::{Atlas, Coordinates, Place, Ranked, Ranking};

use super::service::{Node, Policy, Pool, Service, Steer};

/// One atlas, and the rankings that were made from it.
#[derive(Debug)]
pub struct Guides {
    atlas: Arc<Atlas>,
    by_place: HashMap<Vec<Vec<Place>>, Arc<Ranking>>,
    by_distance: HashMap<Vec<Coordinates>, Arc<Ranking>>,
}

/// Where the choices of one service stand for each client.
#[derive(Clone, Debug, Default)]
pub struct Guide {
    /// The order of its pools, where that depends on the client's place.
    pools: Option<Arc<Ranking>>,
    /// The order of the points at which its nodes stand, where their order depends on it.
    points: Option<Arc<Ranking>>,
}

impl Guides {
    /// None made yet.
    pub fn new(atlas: Arc<Atlas>) -> Self {
        Self { atlas, by_place: HashMap::new(), by_distance: HashMap::new() }
    }

    /// What they are made from.
    pub fn atlas(&self) -> &Arc<Atlas> {
        &self.atlas
    }

    /// The guide of a service. More choices than can be ranked are refused where the configuration
    /// is read; here they would stand as written.
    pub fn guide(&mut self, service: &Service) -> Guide {
        let pools = match service.steer {
            Steer::Geo => self.by_place(service.pools.iter().map(|it| it.places.clone()).collect()),
            Steer::Nearest => self.by_distance(service.pools.iter().filter_map(|it| it.at)),
            Steer::Failover | Steer::Fastest | Steer::Split => None,
        };
        let points = match service.policy {
            Policy::Nearest => self.by_distance(points(service).into_iter()),
            Policy::Rotate
            | Policy::Weighted
            | Policy::Shuffle
            | Policy::Ordered
            | Policy::Hash
            | Policy::Fastest
            | Policy::LeastLoaded => None,
        };
        Guide { pools, points }
    }

    /// Lets go of the rankings that no service uses any more.
    pub fn sweep(&mut self) {
        self.by_place.retain(|_, ranking| Arc::strong_count(ranking) > 1);
        self.by_distance.retain(|_, ranking| Arc::strong_count(ranking) > 1);
    }

    fn by_place(&mut self, choices: Vec<Vec<Place>>) -> Option<Arc<Ranking>> {
        if let Some(known) = self.by_place.get(&choices) {
            return Some(Arc::clone(known));
        }
        let made = Arc::new(Ranking::by_place(&self.atlas, &choices).ok()?);
        self.by_place.insert(choices, Arc::clone(&made));
        Some(made)
    }

    fn by_distance(&mut self, points: impl Iterator<Item = Coordinates>) -> Option<Arc<Ranking>> {
        let points: Vec<Coordinates> = points.collect();
        if let Some(known) = self.by_distance.get(&points) {
            return Some(Arc::clone(known));
        }
        let made = Arc::new(Ranking::by_distance(&self.atlas, &points).ok()?);
        self.by_distance.insert(points, Arc::clone(&made));
        Some(made)
    }
}

impl Guide {
    /// True where any choice depends on where a client is.
    pub fn is_needed(&self) -> bool {
        self.pools.is_some() || self.points.is_some()
    }

    /// The order of the pools for an address.
    pub fn pools(&self, address: IpAddr) -> Option<Ranked<'_>> {
        self.pools.as_ref().map(|ranking| ranking.of(address))
    }

    /// The order of the points at which nodes stand, as [`points`] lists them, for an address.
    pub fn points(&self, address: IpAddr) -> Option<Ranked<'_>> {
        self.points.as_ref().map(|ranking| ranking.of(address))
    }
}

/// Where nodes of a service stand, each point once, in the order in which they are written.
pub fn points(service: &Service) -> Vec<Coordinates> {
    let mut points = Vec::new();
    for pool in &service.pools {
        for at in pool.nodes.iter().filter_map(|node| point(pool, node)) {
            if !points.contains(&at) {
                points.push(at);
            }
        }
    }
    points
}

/// Where a node stands: its own place, or else its pool's.
pub fn point(pool: &Pool, node: &Node) -> Option<Coordinates> {
    node.at.or(pool.at)
}
