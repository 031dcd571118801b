//! What plans are made from: what checks and vantages say, what guards hold, and what operators say
//! over all of it.

use std::net::IpAddr;
use std::time::Duration;

use crate::health::{Monitor, Poll, Share, Standing, Target, Vantages};
use crate::steer::{Board, Guards, Node, Override, Overrides, Pool, Service};

use super::state::unix_now;

/// The monitor, the vantages, the guards and the overrides at one moment, as plans see them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'c> {
    pub(super) monitor: &'c Monitor,
    pub(super) vantages: &'c Vantages,
    pub(super) guards: &'c Guards,
    pub(super) overrides: &'c Overrides,
    /// Unix seconds.
    pub(super) now: u64,
}

impl<'c> Known<'c> {
    /// What is known now.
    pub(super) fn now(
        monitor: &'c Monitor,
        vantages: &'c Vantages,
        guards: &'c Guards,
        overrides: &'c Overrides,
    ) -> Self {
        Self { monitor, vantages, guards, overrides, now: unix_now() }
    }
}

impl Board for Known<'_> {
    fn standing(&self, target: &Target) -> Standing {
        self.monitor.standing(target)
    }

    fn poll(&self, node: &str, ip: IpAddr) -> Poll {
        self.vantages.poll(node, ip)
    }

    fn forced(&self, node: &str) -> Option<Override> {
        self.overrides.forced(node, self.now).map(|(forced, _)| forced)
    }

    fn weight(&self, node: &Node) -> u16 {
        self.overrides.weight(&node.id, self.now).map_or(node.weight, |(weight, _)| weight)
    }

    fn pace(&self, target: &Target) -> Option<Duration> {
        self.monitor.pace(target)
    }

    fn holds(&self, node: &Node, ip: IpAddr) -> bool {
        self.guards.holds(node, ip)
    }

    fn load(&self, target: &Target) -> Option<Share> {
        self.monitor.load(target)
    }

    fn part(&self, node: &Node) -> Share {
        self.guards.part(node)
    }

    fn share(&self, service: &Service, pool: &Pool) -> u8 {
        let exists = |name: &str| service.pools.iter().any(|pool| pool.name == name);
        match self.overrides.shares(&service.id, exists, self.now) {
            Some((shares, _)) => shares.get(&pool.name).copied().unwrap_or(0),
            None => pool.share,
        }
    }
}
