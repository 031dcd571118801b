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
use super::ranks::Library;
use super::rendezvous::{Bucket, Rendezvous};
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
    /// Each pool's part of all clients, in percent, where the service is split.
    shares: Box<[u8]>,
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
        let share = |pool: &Pool| board.share(service, pool);
        let shares: Box<[u8]> = service.pools.iter().map(share).collect();
        let marks = judged.iter().map(|address| address.seat).collect();
        let (sets, library) = (Vec::new(), Library::default());
        let mut draft = Draft { service, judged: &judged, shares, ttl, marks, sets, library };
        let choices = Family::ALL.map(|family| draft.choice(family));
        let Draft { shares, marks: seats, sets, .. } = draft;
        let hashes = service.steer == Steer::Split || service.policy == Policy::Hash;
        let hints = sets.iter().map(|set| hint::of(service, &judged, set)).collect();
        let listings = listing::by_pool(service, &judged, &sets);
        Self { ttl, guide, hashes, shares, seats, sets: sets.into(), hints, listings, choices }
    }

    /// A plan of no service: there is nothing to answer with.
    pub fn of_nothing() -> Self {
        let choice = |_| Choice {
            tier: Tier::NoAddress,
            pools: Pools::default(),
            panicking: Pools::default(),
            route: Route::Same(None),
            sets: Box::default(),
        };
        Self {
            ttl: 0,
            guide: Guide::default(),
            hashes: false,
            shares: Box::default(),
            seats: Box::default(),
            sets: Box::default(),
            hints: Box::default(),
            listings: Box::default(),
            choices: Family::ALL.map(choice),
        }
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
                let bucket = Bucket::of(asker.key());
                let pool = meeting.winner(bucket, |pool| choice.pools.contains(pool))?;
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
            let (meeting, bucket) = (meeting(service, &self.shares), Bucket::of(asker.key()));
            order.sort_by_key(|&pool| meeting.rank(bucket, pool));
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

    /// A pool's part of all clients in percent, where the service is split.
    pub fn share(&self, pool: usize) -> u8 {
        self.shares[pool]
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

/// A plan while its sets are laid out.
struct Draft<'d> {
    service: &'d Service,
    judged: &'d [Judged<'d>],
    /// By pool.
    shares: Box<[u8]>,
    ttl: u32,
    /// The judged seats, with who answers now marked in place of who did.
    marks: Box<[Seat]>,
    sets: Vec<Set>,
    library: Library,
}

impl Draft<'_> {
    /// Row 2 of the truth table for one family, with a set for each pool that can answer.
    fn choice(&mut self, family: Family) -> Choice {
        let (service, judged) = (self.service, self.judged);
        let is_of = |family| move |address: &Judged<'_>| Family::of_address(address.ip) == family;
        let ours: Vec<usize> =
            (0..judged.len()).filter(|&index| is_of(family)(&judged[index])).collect();
        let seats: Vec<Seat> = ours.iter().map(|&index| judged[index].seat).collect();
        let min_healthy: Vec<u32> = service.pools.iter().map(|pool| pool.min_healthy).collect();
        let serves = |one: &Judged<'_>| one.seat.duty == Duty::Serving;
        let other = judged.iter().any(|one| serves(one) && !is_of(family)(one));
        let (tier, pools) = choose(&seats, &min_healthy, other, service.when_all_down);
        let panicking = panicking(&seats, (tier, pools), service.guard.panic);
        let remember = matches!(tier, Tier::Serving | Tier::Short);
        if remember {
            ours.iter().for_each(|&index| self.marks[index].answered = false);
        }
        let mut by_pool = vec![None; service.pools.len()];
        for pool in pools.iter() {
            let members = members(&seats, tier, pool, panicking.contains(pool));
            let members: Vec<usize> = members.into_iter().map(|seat| ours[seat]).collect();
            if remember {
                members.iter().for_each(|&index| self.marks[index].answered = true);
            }
            by_pool[pool] = Some(SetId(self.sets.len() as u16));
            self.sets.push(Set::make(service, judged, members, self.ttl, &mut self.library));
        }
        let route = match service.steer {
            _ if pools.len() < 2 => Route::Same(pools.iter().next().and_then(|it| by_pool[it])),
            Steer::Failover => Route::Same(pools.iter().next().and_then(|it| by_pool[it])),
            Steer::Fastest => Route::Same(fastest(judged, pools).and_then(|it| by_pool[it])),
            Steer::Geo | Steer::Nearest => Route::Ranked,
            Steer::Split => Route::Split(meeting(service, &self.shares)),
        };
        Choice { tier, pools, panicking, route, sets: by_pool.into() }
    }
}

/// Whom each client meets of the pools of a service that is split.
fn meeting(service: &Service, shares: &[u8]) -> Rendezvous {
    let pools = service.pools.iter().zip(shares);
    let pools = pools.map(|(pool, &share)| (pool.name.as_str(), u32::from(share)));
    Rendezvous::new(SPLIT_SALT, pools)
}

/// The pool whose serving addresses answer probes soonest, on average; of several the first, and
/// those of which nothing is known last.
fn fastest(judged: &[Judged<'_>], pools: Pools) -> Option<usize> {
    let pace = |pool: usize| {
        let serving = judged.iter().filter(|one| one.seat.pool == pool);
        let serving = serving.filter(|one| one.seat.duty == Duty::Serving);
        let paces: Vec<Duration> = serving.filter_map(|one| one.pace).collect();
        let count = u32::try_from(paces.len()).unwrap_or(u32::MAX);
        paces.iter().sum::<Duration>().checked_div(count).unwrap_or(Duration::MAX)
    };
    pools.iter().min_by_key(|&pool| pace(pool))
}
