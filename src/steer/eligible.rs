//! Who is on duty: the truth table, written once.
//!
//! For each address family by itself:
//!
//! | 1 | an address is    | when                                                              |
//! |---|------------------|-------------------------------------------------------------------|
//! |   | `Serving`        | up; unknown; unchecked; an operator's `up`; down, but held,       |
//! |   |                  | because too much has left already ([`super::guards`])             |
//! |   | `Draining`       | draining; an operator's `drain`; a need of its pool drains        |
//! |   | `Failed`         | down; nothing serves of a service that its pool needs             |
//! |   | `Barred`         | an operator's `down`                                              |
//!
//! Up and down are what this prober and the others who look at it say by their quorum
//! ([`crate::health::quorum`]).
//!
//! | 2 | the first of these that holds           | pools that can answer, and with what       |
//! |---|-----------------------------------------|--------------------------------------------|
//! |   | pools serve: their serving addresses    | these pools; their serving addresses       |
//! |   | weigh `min_healthy` or more             |                                            |
//! |   | pools have serving addresses            | where they weigh most; the same            |
//! |   | pools have draining addresses           | these pools; their draining addresses      |
//! |   | the other family has a serving one      | none (NODATA): clients use that family     |
//! |   | `when_all_down = "open"`                | every pool; all addresses but the barred   |
//! |   | `when_all_down = "last-known"`          | what answered last while a pool served;    |
//! |   |                                         | before there was any, as `open`            |
//! |   | `when_all_down = "<pool>"`              | that pool; all addresses but the barred    |
//! |   | `when_all_down = "closed"`              | none (NODATA)                              |
//!
//! | 3 | a pool that serves answers with         | when                                       |
//! |---|-----------------------------------------|--------------------------------------------|
//! |   | its serving addresses                   | they weigh `panic` of it or more           |
//! |   | all its addresses but the barred        | they weigh less: what is left would break  |
//! |   |                                         | under the load of what has failed          |
//!
//! | 4 | a client gets the first of these pools in the order in which they stand for it           |
//! |---|------------------------------------------------------------------------------------------|
//!
//! The second row is for a service whose pools are all below their `min_healthy`: a little of what
//! is healthy is better than what drains or has failed.
//!
//! The weights of rows 2 and 3 are those of nodes in full; a ramp or a load make none of them ill.
//!
//! Among the addresses that answer, those of weight 0 count only where there are no others.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use crate::health::{Share, Standing, Status};

use super::service::{POOLS_MAX, WhenAllDown};

/// What an operator has said of a node, over what its checks say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Override {
    /// Serve it whatever its checks say.
    Up,
    /// Never serve it.
    Down,
    /// No new clients while others stand.
    Drain,
}

/// Row 1 of the table: what one address is to an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// In the answers.
    Serving,
    /// In the answers where nothing serves.
    Draining,
    /// In the answers where everything has failed and the service is open.
    Failed,
    /// Never in the answers.
    Barred,
}

impl Duty {
    /// An address with its checks' combined standing (none where it has no check).
    pub fn of(standing: Option<Standing>, forced: Option<Override>) -> Self {
        match (forced, standing.map(|standing| standing.status)) {
            (Some(Override::Up), _) => Self::Serving,
            (Some(Override::Down), _) => Self::Barred,
            (Some(Override::Drain), _) => Self::Draining,
            (None, None | Some(Status::Up | Status::Unknown)) => Self::Serving,
            (None, Some(Status::Draining)) => Self::Draining,
            (None, Some(Status::Down)) => Self::Failed,
        }
    }
}

/// Order of badness: down, draining, unknown, up.
fn badness(status: Status) -> u8 {
    match status {
        Status::Up => 0,
        Status::Unknown => 1,
        Status::Draining => 2,
        Status::Down => 3,
    }
}

/// Checks of which any will do: the best one decides. None where there is no check at all.
///
/// What is up beyond doubt is not contradicted by others that fall or rise beside it.
pub fn combine_any(standings: impl IntoIterator<Item = Standing>) -> Option<Standing> {
    let sure = |standing: Standing| standing.status == Status::Up && !standing.contradicted;
    standings.into_iter().reduce(|a, b| Standing {
        status: if badness(a.status) <= badness(b.status) { a.status } else { b.status },
        contradicted: !sure(a) && !sure(b) && (a.contradicted || b.contradicted),
    })
}

/// All checks of one address, or of a node whose addresses stand together: the worst one decides.
/// None where there is no check at all.
pub fn combine(standings: impl IntoIterator<Item = Standing>) -> Option<Standing> {
    standings.into_iter().reduce(|a, b| Standing {
        status: if badness(a.status) >= badness(b.status) { a.status } else { b.status },
        contradicted: a.contradicted || b.contradicted,
    })
}

/// One address of one family as row 2 sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    /// Its pool among the service's; seats come in the order of their pools.
    pub pool: usize,
    /// Row 1.
    pub duty: Duty,
    /// Its share of clients beside the others: its node's weight, as far as a ramp or its load
    /// leave it that.
    pub weight: u16,
    /// Its node's weight in full.
    pub full: u16,
    /// It was in the answers when a pool served last.
    pub answered: bool,
}

/// Why a family's answers hold what they hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tier {
    /// Pools serve.
    Serving,
    /// Every pool is below its `min_healthy`; the healthiest serves what it has.
    Short,
    /// Nothing serves; pools still have draining addresses.
    Draining,
    /// The service has no address of this family.
    NoAddress,
    /// Nothing of this family serves, something of the other one does.
    OtherFamily,
    /// Nothing serves: all addresses of the client's first pool, but for the barred.
    Open,
    /// Nothing serves: what answered last, but for the barred.
    LastKnown,
    /// Nothing serves: all addresses of the pool kept for that, but for the barred.
    Fallback,
    /// Nothing serves, and the service is closed then.
    Closed,
}

impl Tier {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Serving,
        Self::Short,
        Self::Draining,
        Self::NoAddress,
        Self::OtherFamily,
        Self::Open,
        Self::LastKnown,
        Self::Fallback,
        Self::Closed,
    ];
}

/// Some of a service's pools.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Pools(u64);

impl Pools {
    /// With one more; a service has at most [`POOLS_MAX`].
    #[must_use]
    pub fn with(self, pool: usize) -> Self {
        debug_assert!(pool < POOLS_MAX);
        Self(self.0 | 1 << pool)
    }

    /// True where the pool is one of them.
    pub fn contains(self, pool: usize) -> bool {
        pool < POOLS_MAX && self.0 >> pool & 1 == 1
    }

    /// How many.
    pub fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// True where there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// In the order in which they are written.
    pub fn iter(self) -> impl Iterator<Item = usize> {
        (0..POOLS_MAX).filter(move |&pool| self.contains(pool))
    }
}

impl FromIterator<usize> for Pools {
    fn from_iter<I: IntoIterator<Item = usize>>(pools: I) -> Self {
        pools.into_iter().fold(Self::default(), Self::with)
    }
}

/// Row 2 of the table: the pools that can answer, and why. `min_healthy` is by pool; a pool that is
/// not in it needs any address.
pub fn choose(
    seats: &[Seat],
    min_healthy: &[u32],
    other_family_serves: bool,
    when_all_down: WhenAllDown,
) -> (Tier, Pools) {
    if seats.is_empty() {
        return (Tier::NoAddress, Pools::default());
    }
    let having = |tier: Tier| -> (Tier, Pools) {
        (tier, seats.iter().filter(|seat| tier.takes(seat)).map(|seat| seat.pool).collect())
    };
    let serving = |pool: usize| weight(seats, pool);
    let enough = |pool: &usize| serving(*pool) >= min_healthy.get(*pool).copied().unwrap_or(0);
    let (_, some) = having(Tier::Serving);
    // Of several that weigh the same the first one.
    let healthiest = some.iter().min_by_key(|&pool| Reverse(serving(pool)));
    let draining = having(Tier::Draining);
    match (healthiest, some.iter().filter(enough).collect::<Pools>()) {
        (Some(pool), full) if full.is_empty() => (Tier::Short, Pools::default().with(pool)),
        (Some(_), full) => (Tier::Serving, full),
        (None, _) if !draining.1.is_empty() => draining,
        (None, _) if other_family_serves => (Tier::OtherFamily, Pools::default()),
        (None, _) => match when_all_down {
            WhenAllDown::Open => having(Tier::Open),
            WhenAllDown::LastKnown => {
                let known = having(Tier::LastKnown);
                if known.1.is_empty() { having(Tier::Open) } else { known }
            }
            WhenAllDown::Pool(pool) => {
                let able = having(Tier::Fallback).1.contains(pool);
                (Tier::Fallback, able.then_some(pool).into_iter().collect())
            }
            WhenAllDown::Closed => (Tier::Closed, Pools::default()),
        },
    }
}

/// Row 3 of the table: those of the pools that can answer which do so with all they have, because
/// too little of it serves.
pub fn panicking(seats: &[Seat], (tier, pools): (Tier, Pools), panic: Option<Share>) -> Pools {
    let (Some(panic), Tier::Serving | Tier::Short) = (panic, tier) else {
        return Pools::default();
    };
    let willing = |pool: usize| -> u64 {
        let willing = seats.iter().filter(|seat| seat.pool == pool && seat.duty != Duty::Barred);
        willing.map(|seat| u64::from(seat.full)).sum()
    };
    pools.iter().filter(|&pool| panic.exceeds(weight(seats, pool).into(), willing(pool))).collect()
}

/// The indexes of the seats with which a pool that can answer does; those of weight 0 only where
/// there are no others.
pub fn members(seats: &[Seat], tier: Tier, pool: usize, panics: bool) -> Vec<usize> {
    let all = || {
        let takes = |seat: &Seat| if panics { seat.duty != Duty::Barred } else { tier.takes(seat) };
        let wanted = move |index: &usize| seats[*index].pool == pool && takes(&seats[*index]);
        (0..seats.len()).filter(wanted)
    };
    let weighty: Vec<usize> = all().filter(|&index| seats[index].weight > 0).collect();
    if weighty.is_empty() { all().collect() } else { weighty }
}

/// What a pool's serving addresses weigh.
fn weight(seats: &[Seat], pool: usize) -> u32 {
    let serving = |seat: &&Seat| seat.pool == pool && seat.duty == Duty::Serving;
    seats.iter().filter(serving).map(|seat| u32::from(seat.full)).sum()
}

impl Tier {
    /// One word for machines.
    pub fn word(self) -> &'static str {
        match self {
            Self::Serving => "serving",
            Self::Short => "short",
            Self::Draining => "draining",
            Self::NoAddress => "no_address",
            Self::OtherFamily => "other_family",
            Self::Open => "open",
            Self::LastKnown => "last_known",
            Self::Fallback => "fallback",
            Self::Closed => "closed",
        }
    }

    /// Which seats of a pool that can answer are in its answers.
    fn takes(self, seat: &Seat) -> bool {
        match self {
            Self::Serving | Self::Short => seat.duty == Duty::Serving,
            Self::Draining => seat.duty == Duty::Draining,
            Self::Open | Self::Fallback => seat.duty != Duty::Barred,
            Self::LastKnown => seat.answered && seat.duty != Duty::Barred,
            Self::NoAddress | Self::OtherFamily | Self::Closed => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One letter a seat: `s`erving, `d`raining, `f`ailed, `l`ast known and failed, `b`arred;
    /// capital: weight 0; `|` parts pools.
    fn seats(text: &str) -> Vec<Seat> {
        let mut pool = 0;
        let mut seats = Vec::new();
        for letter in text.chars() {
            let duty = match letter.to_ascii_lowercase() {
                's' => Duty::Serving,
                'd' => Duty::Draining,
                'f' | 'l' => Duty::Failed,
                'b' => Duty::Barred,
                _ => {
                    pool += 1;
                    continue;
                }
            };
            let answered = letter.eq_ignore_ascii_case(&'l');
            let weight = u16::from(letter.is_lowercase());
            seats.push(Seat { pool, duty, weight, full: weight, answered });
        }
        seats
    }

    /// What each pool that can answer answers with.
    #[track_caller]
    fn check(
        (text, min_healthy): (&str, &[u32]),
        other: bool,
        down: WhenAllDown,
        tier: Tier,
        expected: &[&[usize]],
    ) {
        let seats = seats(text);
        let (found, pools) = choose(&seats, min_healthy, other, down);
        let sets: Vec<_> = pools.iter().map(|pool| members(&seats, found, pool, false)).collect();
        assert_eq!((found, sets.len()), (tier, expected.len()), "{text} {sets:?}");
        assert_eq!(sets, expected, "{text} other={other} {down:?}");
    }

    #[test]
    fn the_truth_table() {
        use WhenAllDown::{Closed, LastKnown, Open, Pool};
        // A pool serves: nothing else matters.
        for other in [false, true] {
            for down in [Open, Closed, LastKnown, Pool(0)] {
                let check = |text, tier, expected: &[&[usize]]| {
                    check((text, &[]), other, down, tier, expected);
                };
                check("ssss", Tier::Serving, &[&[0, 1, 2, 3]]);
                check("sfdb", Tier::Serving, &[&[0]]);
                check("fd|fs", Tier::Serving, &[&[3]]);
                check("sf|ss", Tier::Serving, &[&[0], &[2, 3]]);
                // Weight 0 only where there are no others.
                check("Ssf", Tier::Serving, &[&[1]]);
                check("Sff", Tier::Serving, &[&[0]]);
                check("SS|s", Tier::Serving, &[&[0, 1], &[2]]);
                // No pool serves: those with draining ones.
                check("fdf", Tier::Draining, &[&[1]]);
                check("ff|db", Tier::Draining, &[&[2]]);
                check("fd|db", Tier::Draining, &[&[1], &[2]]);
                check("", Tier::NoAddress, &[]);
            }
        }
        for down in [Open, Closed, LastKnown, Pool(0)] {
            check(("ff", &[]), true, down, Tier::OtherFamily, &[]);
        }
        let check = |text, down, tier, expected: &[&[usize]]| {
            check((text, &[]), false, down, tier, expected);
        };
        check("ffb|f", Open, Tier::Open, &[&[0, 1], &[3]]);
        check("bb|f", Open, Tier::Open, &[&[2]]);
        check("bb", Open, Tier::Open, &[]);
        check("ff", Closed, Tier::Closed, &[]);
        check("lfb|ll", LastKnown, Tier::LastKnown, &[&[0], &[3, 4]]);
        check("fl|ff", LastKnown, Tier::LastKnown, &[&[1]]);
        check("ff|f", LastKnown, Tier::Open, &[&[0, 1], &[2]]);
        check("ff|fb", Pool(1), Tier::Fallback, &[&[2]]);
        check("ff|b", Pool(1), Tier::Fallback, &[]);
    }

    #[test]
    fn a_pool_below_its_minimum_passes_to_the_next() {
        let check = |text, min_healthy: &[u32], tier, expected: &[&[usize]]| {
            check((text, min_healthy), false, WhenAllDown::Open, tier, expected);
        };
        check("sss|sss", &[2, 2], Tier::Serving, &[&[0, 1, 2], &[3, 4, 5]]);
        check("sff|sss", &[2, 2], Tier::Serving, &[&[3, 4, 5]]);
        check("sff|fss", &[2, 3], Tier::Short, &[&[4, 5]]);
        check("ssf|fss", &[3, 3], Tier::Short, &[&[0, 1]]);
        check("sdd|fdd", &[2, 2], Tier::Short, &[&[0]]);
        check("fdd|fff", &[2, 2], Tier::Draining, &[&[1, 2]]);
        check("Sff|sff", &[1, 1], Tier::Serving, &[&[3]]);
    }

    #[test]
    fn overrides_win_over_checks() {
        let standing = |status| Some(Standing { status, contradicted: false });
        for (status, duty) in [
            (None, Duty::Serving),
            (standing(Status::Up), Duty::Serving),
            (standing(Status::Unknown), Duty::Serving),
            (standing(Status::Draining), Duty::Draining),
            (standing(Status::Down), Duty::Failed),
        ] {
            assert_eq!(Duty::of(status, None), duty);
            assert_eq!(Duty::of(status, Some(Override::Up)), Duty::Serving);
            assert_eq!(Duty::of(status, Some(Override::Down)), Duty::Barred);
            assert_eq!(Duty::of(status, Some(Override::Drain)), Duty::Draining);
        }
    }

    #[test]
    fn the_worst_check_decides() {
        let standing = |status, contradicted| Standing { status, contradicted };
        let of = |statuses: &[Status]| {
            combine(statuses.iter().map(|&status| standing(status, false))).map(|s| s.status)
        };
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[Status::Up, Status::Up]), Some(Status::Up));
        assert_eq!(of(&[Status::Up, Status::Unknown]), Some(Status::Unknown));
        assert_eq!(of(&[Status::Draining, Status::Unknown]), Some(Status::Draining));
        assert_eq!(of(&[Status::Draining, Status::Down, Status::Up]), Some(Status::Down));
        let both = combine([standing(Status::Up, true), standing(Status::Up, false)]);
        assert_eq!(both, Some(standing(Status::Up, true)));
    }

    #[test]
    fn a_pool_of_which_too_little_serves_answers_with_all_it_has() {
        let half = Some(Share::thousandths(500));
        let check = |text, panic, expected: &[&[usize]]| {
            let seats = seats(text);
            let chosen = choose(&seats, &[], false, WhenAllDown::Closed);
            let panicking = panicking(&seats, chosen, panic);
            let set = |pool| members(&seats, chosen.0, pool, panicking.contains(pool));
            let sets: Vec<_> = chosen.1.iter().map(set).collect();
            assert_eq!(sets, expected, "{text}");
        };
        check("sfff", None, &[&[0]]);
        check("sfff", half, &[&[0, 1, 2, 3]]);
        check("ssff", half, &[&[0, 1]]);
        check("sfdf", half, &[&[0, 1, 2, 3]]);
        // What an operator took down is no part of the pool, and never in its answers.
        check("sfbb", half, &[&[0]]);
        check("sffb", half, &[&[0, 1, 2]]);
        check("sffF", half, &[&[0, 1, 2]]);
        // Each pool by itself, and only one that serves.
        check("sff|ssf", half, &[&[0, 1, 2], &[3, 4]]);
        check("fff|sff", half, &[&[3, 4, 5]]);
        check("dff", half, &[&[0]]);
        check("fff", half, &[]);
    }
}
