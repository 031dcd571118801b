//! A service's current answer material, made in the cold.
//!
//! ```text
//!   Board ── judge ──► seats ── the truth table ──► for each family
//!                                                     the pools that can answer ──► a Set each
//!                                                     and who gets which: Route
//! ```
//!
//! A [`Plan`] says which pools can answer, holds a [`Set`] for each of them, and finds a client's
//! among them: [`Plan::choose`] gives a set's number, and whatever belongs to a set (its records,
//! its hint) is found by that number. What SRV lists belongs to the set's pool. So all types of a
//! service tell one client the same. A plan never changes. When a status does, a new one takes its
//! place.

use std::time::Duration;

use super::asker::Asker;
use super::board::{Board, Judged, judge};
use super::eligible::{Duty, Pools, Seat, Tier, choose, members, panicking};
use super::guide::Guide;
use super::hint;
use super::listing::{self, Listed};
use super::rendezvous::Rendezvous;
use super::service::{Policy, Pool, Service, Steer};
use super::set::{Family, Set};

/// Keeps the shares of pools apart from what `hash` decides inside them: the salts differ.
const SPLIT_SALT: u64 = 0x73_706c_6974;

/// One service's current answer material.
#[derive(Debug)]
pub struct Plan {
    /// One TTL for all types of the service, in seconds.
    pub ttl: u32,
    /// Which prefixes of an address the choice depends on, whatever the statuses.
    guide: Guide,
    hashes: bool,
    /// Row 1 of the truth table, for each of the service's addresses.
    seats: Box<[Seat]>,
    sets: Box<[Set]>,
    /// By set: its parameter of the HTTPS record.
    hints: Box<[Box<[u8]>]>,
    /// By pool: what SRV lists.
    listings: Box<[Box<[Listed]>]>,
    /// By [`Family`].
    choices: [Choice; 2],
}

/// The number of a set in its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SetId(pub u16);

/// Row 2 of the truth table for one family, and who gets which pool.
#[derive(Debug)]
struct Choice {
    tier: Tier,
    /// Those that can answer.
    pools: Pools,
    /// Those of them that answer with all they have.
    panicking: Pools,
    route: Route,
    /// By pool; those that cannot answer have none.
    sets: Box<[Option<SetId>]>,
}

/// How a client's pool is found among those that can answer.
#[derive(Debug)]
enum Route {
    /// The same one for all.
    Same(Option<SetId>),
    /// The first in the order that its place gives.
    Ranked,
    /// The one that it meets.
    Split(Rendezvous),
}

impl Plan {
    /// Thinks through the truth table for both families and lays the records out. `answered` tells
    /// by their indexes which addresses were in the answers when a pool served last.
    pub fn make(
        service: &Service,
        guide: Guide,
        board: &impl Board,
        answered: impl Fn(usize) -> bool,
    ) -> Self {
        let judged = judge(service, board, answered);
        let alert = judged.iter().any(|address| address.contradicted);
        let ttl = if alert { service.ttl.alert } else { service.ttl.calm };
        let mut seats: Box<[Seat]> = judged.iter().map(|address| address.seat).collect();
        let mut sets = Vec::new();
        let mut choice =
            |family| Choice::make(service, &judged, family, ttl, &mut seats, &mut sets);
        let choices = [choice(Family::V4), choice(Family::V6)];
        let hashes = service.steer == Steer::Split || service.policy == Policy::Hash;
        let hints = sets.iter().map(|set| hint::of(service, &judged, set)).collect();
        let listings = listing::by_pool(service, &judged, &sets);
        Self { ttl, guide, hashes, seats, sets: sets.into(), hints, listings, choices }
    }

    /// The number of the set that answers a client; none where there is nothing to answer with.
    pub fn choose(&self, family: Family, asker: &Asker) -> Option<SetId> {
        let choice = &self.choices[family as usize];
        match &choice.route {
            Route::Same(set) => *set,
            Route::Ranked => {
                let ranked = self.guide.pools(asker.address());
                let order = ranked.iter().flat_map(|ranked| ranked.order);
                let mut able = order.map(|&pool| usize::from(pool)).chain(choice.pools.iter());
                choice.sets[able.find(|&pool| choice.pools.contains(pool))?]
            }
            Route::Split(meeting) => {
                let pool = meeting.winner(asker.key(), |pool| choice.pools.contains(pool))?;
                choice.sets[pool]
            }
        }
    }

    /// All pools of the service whose plan this is in the order in which they stand for a client,
    /// for showing: those that cannot answer are among them.
    pub fn order(&self, service: &Service, asker: &Asker) -> Vec<usize> {
        let mut order: Vec<usize> = (0..service.pools.len()).collect();
        if let Some(ranked) = self.guide.pools(asker.address()) {
            order = ranked.order.iter().map(|&pool| usize::from(pool)).collect();
        } else if service.steer == Steer::Split {
            let (meeting, key) = (shares(service), asker.key());
            order.sort_by(|&a, &b| meeting.time(key, a).total_cmp(&meeting.time(key, b)));
        }
        order
    }

    /// A set by its number.
    pub fn set(&self, id: SetId) -> &Set {
        &self.sets[usize::from(id.0)]
    }

    /// The addresses of a set as a parameter of the service's HTTPS record; empty where there is no
    /// such record, or the set is larger than an answer.
    pub fn hint(&self, id: SetId) -> &[u8] {
        &self.hints[usize::from(id.0)]
    }

    /// The nodes of a pool that SRV records list; none where the service has no such records.
    pub fn listing(&self, pool: u16) -> &[Listed] {
        self.listings.get(usize::from(pool)).map_or(&[], |list| list)
    }

    /// All sets, by their numbers.
    pub fn sets(&self) -> &[Set] {
        &self.sets
    }

    /// The row of the truth table that answers a family, and the pools that can.
    pub fn tier(&self, family: Family) -> (Tier, Pools) {
        let choice = &self.choices[family as usize];
        (choice.tier, choice.pools)
    }

    /// Those of the pools that can answer which do so with all they have, because too little of
    /// it serves.
    pub fn panicking(&self, family: Family) -> Pools {
        self.choices[family as usize].panicking
    }

    /// Where the service's choices stand for each client.
    pub fn guide(&self) -> &Guide {
        &self.guide
    }

    /// Row 1 of the truth table, for each of the service's addresses. Those that answer while a
    /// pool serves are marked so, and the marks outlive the pool.
    pub fn seats(&self) -> &[Seat] {
        &self.seats
    }

    /// The length of the shortest prefix around a client's address for which the choice is the
    /// same, whatever the statuses; 0 where it does not depend on the client. RFC 7871 §7.2.1.
    pub fn scope(&self, asker: &Asker) -> u8 {
        let address = asker.address();
        let pools = self.guide.pools(address).map_or(0, |ranked| ranked.scope);
        let points = self.guide.points(address).map_or(0, |ranked| ranked.scope);
        let hash = if self.hashes { asker.hash_scope() } else { 0 };
        pools.max(points).max(hash)
    }
}

impl Choice {
    fn make(
        service: &Service,
        judged: &[Judged],
        family: Family,
        ttl: u32,
        marks: &mut [Seat],
        sets: &mut Vec<Set>,
    ) -> Self {
        let is_of = |family| move |address: &Judged| Family::of_address(address.ip) == family;
        let ours: Vec<usize> =
            (0..judged.len()).filter(|&index| is_of(family)(&judged[index])).collect();
        let seats: Vec<Seat> = ours.iter().map(|&index| judged[index].seat).collect();
        let min_healthy: Vec<u32> = service.pools.iter().map(|pool| pool.min_healthy).collect();
        let serves = |one: &Judged| one.seat.duty == Duty::Serving;
        let other = judged.iter().any(|one| serves(one) && !is_of(family)(one));
        let (tier, pools) = choose(&seats, &min_healthy, other, service.when_all_down);
        let panicking = panicking(&seats, (tier, pools), service.guard.panic);
        let remember = matches!(tier, Tier::Serving | Tier::Short);
        if remember {
            ours.iter().for_each(|&index| marks[index].answered = false);
        }
        let mut by_pool = vec![None; service.pools.len()];
        for pool in pools.iter() {
            let members = members(&seats, tier, pool, panicking.contains(pool));
            let members: Vec<usize> = members.into_iter().map(|seat| ours[seat]).collect();
            if remember {
                members.iter().for_each(|&index| marks[index].answered = true);
            }
            by_pool[pool] = Some(SetId(sets.len() as u16));
            sets.push(Set::make(service, judged, members, ttl));
        }
        let route = match service.steer {
            _ if pools.len() < 2 => Route::Same(pools.iter().next().and_then(|it| by_pool[it])),
            Steer::Failover => Route::Same(pools.iter().next().and_then(|it| by_pool[it])),
            Steer::Fastest => Route::Same(fastest(judged, pools).and_then(|it| by_pool[it])),
            Steer::Geo | Steer::Nearest => Route::Ranked,
            Steer::Split => Route::Split(shares(service)),
        };
        Self { tier, pools, panicking, route, sets: by_pool.into() }
    }
}

/// Whom each client meets of the pools of a service that is split.
fn shares(service: &Service) -> Rendezvous {
    let share = |pool: &Pool| u32::from(pool.share);
    let pools = service.pools.iter().map(|pool| (pool.name.as_str(), share(pool)));
    Rendezvous::new(SPLIT_SALT, pools)
}

/// The pool whose serving addresses answer probes soonest, on average; of several the first, and
/// those of which nothing is known last.
fn fastest(judged: &[Judged], pools: Pools) -> Option<usize> {
    let pace = |pool: usize| {
        let serving = judged.iter().filter(|one| one.seat.pool == pool);
        let serving = serving.filter(|one| one.seat.duty == Duty::Serving);
        let paces: Vec<Duration> = serving.filter_map(|one| one.pace).collect();
        let count = u32::try_from(paces.len()).unwrap_or(u32::MAX);
        paces.iter().sum::<Duration>().checked_div(count).unwrap_or(Duration::MAX)
    };
    pools.iter().min_by_key(|&pool| pace(pool))
}
