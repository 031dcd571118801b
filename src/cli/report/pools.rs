//! The nodes of a service, pool by pool, and what share of clients each gets.

use super::page::Page;
use crate::steer::{Node, Policy, Pool, Service, Steer};

impl Page {
    /// The nodes of each pool; a simple service has one without a name.
    pub(super) fn nodes(&mut self, service: &Service) {
        let nodes: Vec<&Node> = service.nodes().collect();
        let name_width = nodes.iter().map(|node| node.name.len()).max().unwrap_or(0).max(4);
        let ips = nodes.iter().flat_map(|node| &node.addresses);
        let address_width = ips.map(|it| it.ip.to_string().len()).max().unwrap_or(0).max(7);
        for pool in &service.pools {
            if !pool.name.is_empty() {
                self.stand(service, pool);
            }
            self.pool(service, pool, name_width, address_width);
        }
        if service.pools.len() > 1 {
            let order = match service.steer {
                Steer::Failover => "failover: the pools as listed",
                Steer::Geo => "geo: by the narrowest place that holds the client",
                Steer::Nearest => "nearest: by distance from the client",
                Steer::Fastest => "fastest: by what probes take",
                Steer::Split => "split: by shares, each client stays with its pool",
            };
            self.resolved(2, "steer", order, service.steer == Steer::Failover);
        }
    }

    /// A pool's name, and what places it among the others.
    fn stand(&mut self, service: &Service, pool: &Pool) {
        let least = match pool.min_healthy {
            0 => String::new(),
            weight => format!("  serves from a healthy weight of {weight}"),
        };
        self.line(2, format_args!("pool {}{least}", pool.name));
        if !pool.places.is_empty() {
            self.listed(3, "place", &pool.places);
        }
        if let Some(at) = pool.at {
            self.resolved(3, "at", &at.to_string(), false);
        }
        if service.steer == Steer::Split {
            self.resolved(3, "share", &format!("{} %", pool.share), false);
        }
    }

    fn pool(&mut self, service: &Service, pool: &Pool, name_width: usize, address_width: usize) {
        let depth = if pool.name.is_empty() { 2 } else { 3 };
        let nodes: Vec<&Node> = pool.nodes.iter().collect();
        let shares = shares(service.policy, &nodes);
        let share = if shares.is_some() { "share" } else { "" };
        self.line(
            depth,
            format_args!(
                "{:name_width$}  {:address_width$}  weight  {share:>6}",
                "node", "address"
            ),
        );
        for (index, node) in nodes.iter().enumerate() {
            let share =
                shares.as_ref().map(|all| format!("{:>5}%", (all[index] * 1000.0).round() / 10.0));
            for (line, address) in node.addresses.iter().map(|it| it.ip.to_string()).enumerate() {
                if line > 0 {
                    self.line(depth, format_args!("{:name_width$}  {address}", ""));
                    continue;
                }
                self.line(
                    depth,
                    format_args!(
                        "{:name_width$}  {address:address_width$}  {:>6}  {:6}  {}",
                        node.name,
                        node.weight,
                        share.as_deref().unwrap_or_default(),
                        marks(service, node)
                    ),
                );
            }
        }
    }
}

/// What tells a node from others where that counts: its labels to spread over, where it stands.
fn marks(service: &Service, node: &Node) -> String {
    let labels = service.spread.iter().filter_map(|label| {
        let value = node.labels.get(label)?;
        Some(format!("{label} {value}"))
    });
    let at = node.at.map(|at| format!("at {at}"));
    labels.chain(at).collect::<Vec<_>>().join(", ")
}

/// Each node's share of first places; none where order or families leave no one number.
fn shares(policy: Policy, nodes: &[&Node]) -> Option<Vec<f64>> {
    let families = |node: &Node| -> (usize, usize) {
        let v4 = node.addresses.iter().filter(|it| it.ip.is_ipv4()).count();
        (v4, node.addresses.len() - v4)
    };
    let first = families(nodes.first()?);
    if nodes.iter().any(|node| families(node) != first) {
        return None;
    }
    let weight = |node: &&Node| match policy {
        Policy::Weighted | Policy::LeastLoaded | Policy::Hash => Some(f64::from(node.weight)),
        Policy::Rotate | Policy::Shuffle => Some(1.0),
        Policy::Ordered | Policy::Nearest | Policy::Fastest => None,
    };
    let weights: Vec<f64> = nodes.iter().map(weight).collect::<Option<_>>()?;
    let total: f64 = weights.iter().sum();
    Some(weights.iter().map(|weight| weight / total).collect())
}
