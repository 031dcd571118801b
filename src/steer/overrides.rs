//! What operators have said of nodes, pools and services, over configuration and checks.
//!
//! An [`Order`] has a scope, says one thing, and holds until it is lifted or its time is over:
//!
//! ```text
//!   scope            matches                                           rank
//!   zone/svc/pool/n  the node, by its id                               its parts: the more, the
//!   zone/svc/pool    all nodes of the pool                             narrower
//!   zone/svc         all nodes of the service
//!   eu*              all nodes whose name matches                      0
//!   */app/*          all nodes whose id matches; `*` is any text       0
//! ```
//!
//! For each node, and for forced statuses and weights each by itself, the order of the highest rank
//! holds; of equals the newest. What a scope says of one kind replaces what it said before, so the
//! set never holds two orders that mean the same.
//!
//! Orders go by ids, not by what the configuration has now: one about a node that is gone stays,
//! matches nothing, and is in force again when the node is back. Time is Unix seconds, given.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::eligible::Override;
use super::service::Service;

/// Orders that may be kept: a glob does the work of many, and each is looked at for every node.
pub const ORDERS_MAX: usize = 1000;

/// What operators have said, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    orders: Vec<Order>,
    /// The highest id that was ever given: one that was lifted is never another's.
    newest: u64,
}

/// One thing that an operator has said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The higher, the newer.
    pub id: u64,
    /// Of whom.
    pub scope: Scope,
    /// What.
    pub what: What,
    /// Why, in the operator's words.
    pub reason: Option<String>,
    /// Who said it.
    pub author: String,
    /// When, in Unix seconds.
    pub since: u64,
    /// The first second in which it holds no more; none where it holds until it is lifted.
    pub until: Option<u64>,
}

/// Whom an order is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// A zone, service, pool or node with all below it, by its id. A star in it is a star: the
    /// service `*.app` has one.
    Named(String),
    /// Every node that the pattern matches: by name, or by id where the pattern has a slash.
    Glob(String),
}

/// What an order says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A status, whatever checks say.
    Force(Override),
    /// A weight.
    Weight(u16),
    /// The pools' parts of all clients, in percent, of a service that is split; a pool that is not
    /// named has none.
    Shares(BTreeMap<String, u8>),
}

/// A kind of thing that is said: a scope has one order of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A status.
    Force,
    /// A weight.
    Weight,
    /// Shares.
    Shares,
}

/// There are [`ORDERS_MAX`] already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl Scope {
    /// As it was said.
    pub fn text(&self) -> &str {
        match self {
            Self::Named(text) | Self::Glob(text) => text,
        }
    }

    /// How narrow it is; none where it does not match the id of a node, pool or service.
    pub fn rank(&self, id: &str) -> Option<usize> {
        match self {
            Self::Named(name) => is_at_or_under(id, name).then(|| name.split('/').count()),
            Self::Glob(pattern) if pattern.contains('/') => matches(pattern, id).then_some(0),
            Self::Glob(pattern) => {
                matches(pattern, id.rsplit('/').next().unwrap_or(id)).then_some(0)
            }
        }
    }

    /// True where it matches a service, or anything in it.
    pub fn touches(&self, service: &Service) -> bool {
        let hit = |id: &str| self.rank(id).is_some();
        let needed = || service.pools.iter().flat_map(|pool| &pool.needs);
        hit(&service.id)
            || service.nodes().any(|node| hit(&node.id))
            || needed().any(|needed| self.touches(needed))
    }

    /// True where all that the other one is about lies within this one.
    fn holds(&self, other: &Self) -> bool {
        self == other || self.rank(other.text()).is_some()
    }
}

impl What {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Force(_) => Kind::Force,
            Self::Weight(_) => Kind::Weight,
            Self::Shares(_) => Kind::Shares,
        }
    }
}

impl Order {
    /// True until its time is over.
    pub fn holds(&self, now: u64) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl Overrides {
    /// What was kept, in any order, and the highest id that was given before.
    pub fn new(mut orders: Vec<Order>, newest: u64) -> Self {
        orders.sort_by_key(|order| order.id);
        let newest = orders.last().map_or(newest, |last| last.id.max(newest));
        Self { orders, newest }
    }

    /// The highest id that was ever given.
    pub fn newest(&self) -> u64 {
        self.newest
    }

    /// All of them, the oldest first; those whose time is over stay until [`Self::expire`].
    pub fn orders(&self) -> &[Order] {
        &self.orders
    }

    /// The status that a node is forced to, and by which order.
    pub fn forced(&self, node: &str, now: u64) -> Option<(Override, &Order)> {
        self.ruling(node, now, |what| match what {
            What::Force(forced) => Some(*forced),
            What::Weight(_) | What::Shares(_) => None,
        })
    }

    /// The weight that a node is given, and by which order.
    pub fn weight(&self, node: &str, now: u64) -> Option<(u16, &Order)> {
        self.ruling(node, now, |what| match what {
            What::Weight(weight) => Some(*weight),
            What::Force(_) | What::Shares(_) => None,
        })
    }

    /// The shares that a service's pools are given, and by which order. An order none of whose
    /// weighty pools is among those that `exists` knows does not hold: it would leave no pool.
    pub fn shares(
        &self,
        service: &str,
        exists: impl Fn(&str) -> bool,
        now: u64,
    ) -> Option<(&BTreeMap<String, u8>, &Order)> {
        self.ruling(service, now, |what| match what {
            What::Shares(shares) => {
                let weighty = |(pool, share): (&String, &u8)| *share > 0 && exists(pool);
                shares.iter().any(weighty).then_some(shares)
            }
            What::Force(_) | What::Weight(_) => None,
        })
    }

    /// The order of the highest rank, of equals the newest, among those that say such a thing.
    fn ruling<'o, T>(
        &'o self,
        id: &str,
        now: u64,
        says: impl Fn(&'o What) -> Option<T>,
    ) -> Option<(T, &'o Order)> {
        let mut best: Option<(usize, T, &Order)> = None;
        for order in self.orders.iter().filter(|order| order.holds(now)) {
            let Some(said) = says(&order.what) else { continue };
            let Some(rank) = order.scope.rank(id) else { continue };
            if best.as_ref().is_none_or(|(highest, ..)| rank >= *highest) {
                best = Some((rank, said, order));
            }
        }
        best.map(|(_, said, order)| (said, order))
    }

    /// Takes an order, whose id becomes the next one, in the place of what its scope said of the
    /// same kind before.
    pub fn give(&mut self, mut order: Order) -> Result<&Order, Full> {
        let same =
            |other: &Order| other.scope == order.scope && other.what.kind() == order.what.kind();
        let kept = self.orders.iter().filter(|other| !same(other)).count();
        if kept >= ORDERS_MAX {
            return Err(Full);
        }
        self.newest = self.newest.saturating_add(1);
        order.id = self.newest;
        self.orders.retain(|other| !same(other));
        self.orders.push(order);
        Ok(self.orders.last().expect("it was just added"))
    }

    /// Lifts every order that lies within a scope and that `which` means, and gives them.
    pub fn lift(&mut self, scope: &Scope, which: impl Fn(&What) -> bool) -> Vec<Order> {
        self.take(|order| scope.holds(&order.scope) && which(&order.what))
    }

    /// Lifts one order by its id.
    pub fn remove(&mut self, id: u64) -> Option<Order> {
        self.take(|order| order.id == id).pop()
    }

    /// Lifts the orders whose time is over, and gives them.
    pub fn expire(&mut self, now: u64) -> Vec<Order> {
        self.take(|order| !order.holds(now))
    }

    /// When the time of the next order is over.
    pub fn next_expiry(&self) -> Option<u64> {
        self.orders.iter().filter_map(|order| order.until).min()
    }

    fn take(&mut self, which: impl Fn(&Order) -> bool) -> Vec<Order> {
        let (taken, left) =
            std::mem::take(&mut self.orders).into_iter().partition(|order| which(order));
        self.orders = left;
        taken
    }
}

/// True for a name itself, and for all whose parts begin with its parts.
fn is_at_or_under(id: &str, name: &str) -> bool {
    id.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// True where the text is the pattern with some text for each star.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    // The leftmost match of each part leaves the most for those behind it.
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
#[path = "overrides_tests.rs"]
mod tests;
