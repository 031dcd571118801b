//! Who is on duty: the truth table, written once.
//!
//! For each address family by itself, over the client's pools in order:
//!
//! | 1 | an address is    | when                                                              |
//! |---|------------------|-------------------------------------------------------------------|
//! |   | `Serving`        | up; unknown; unchecked; an operator's `up`                        |
//! |   | `Draining`       | draining; an operator's `drain`                                   |
//! |   | `Failed`         | down                                                              |
//! |   | `Barred`         | an operator's `down`                                              |
//!
//! | 2 | the first of these that holds        | answers                                       |
//! |---|--------------------------------------|-----------------------------------------------|
//! |   | a pool serves: its serving addresses | the serving addresses of the first such pool  |
//! |   | weigh `min_healthy` or more          |                                               |
//! |   | a pool has a serving address         | the same, of the pool where they weigh most   |
//! |   | a pool has a draining address        | the draining addresses of the first such pool |
//! |   | the other family has a serving one   | nothing (NODATA): clients use that family     |
//! |   | `when_all_down = "open"`             | all of the first pool but the barred          |
//! |   | `when_all_down = "closed"`           | nothing (NODATA)                              |
//!
//! The second row is for a service whose pools are all below their `min_healthy`: a little of what
//! is healthy is better than what drains or has failed.
//!
//! Among the addresses that answer, those of weight 0 count only where there are no others.

use crate::health::{Standing, Status};

use super::service::WhenAllDown;

/// What an operator has said of a node, over what its checks say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

/// All checks of one address, or of a node whose addresses stand together: the worst one decides.
///
/// Order of badness: down, draining, unknown, up. None where there is no check at all.
pub fn combine(standings: impl IntoIterator<Item = Standing>) -> Option<Standing> {
    let badness = |status| match status {
        Status::Up => 0,
        Status::Unknown => 1,
        Status::Draining => 2,
        Status::Down => 3,
    };
    standings.into_iter().reduce(|a, b| Standing {
        status: if badness(a.status) >= badness(b.status) { a.status } else { b.status },
        contradicted: a.contradicted || b.contradicted,
    })
}

/// One address of one family as row 2 sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    /// Which of the client's pools it is in; seats come in the order of their pools.
    pub pool: usize,
    /// Row 1.
    pub duty: Duty,
    /// Its node's weight.
    pub weight: u16,
}

/// Why a family's answers hold what they hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tier {
    /// A pool serves.
    Serving {
        /// Its place in the client's order.
        pool: usize,
    },
    /// Every pool is below its `min_healthy`; the healthiest serves what it has.
    Short {
        /// Its place in the client's order.
        pool: usize,
    },
    /// Nothing serves; a pool still has draining addresses.
    Draining {
        /// Its place in the client's order.
        pool: usize,
    },
    /// Nothing serves: all addresses of the first pool, but for the barred.
    Open,
    /// The service has no address of this family.
    NoAddress,
    /// Nothing of this family serves, something of the other one does.
    OtherFamily,
    /// Nothing serves, and the service is closed then.
    Closed,
}

/// Row 2 of the table: the indexes of the seats that answer, and why. `min_healthy` is by pool; a
/// pool that is not in it needs any address.
pub fn choose(
    seats: &[Seat],
    min_healthy: &[u32],
    other_family_serves: bool,
    when_all_down: WhenAllDown,
) -> (Tier, Vec<usize>) {
    let first_pool = |duty| seats.iter().find(|seat| seat.duty == duty).map(|seat| seat.pool);
    let of = |pool, duty| move |seat: &Seat| seat.pool == pool && seat.duty == duty;
    if seats.is_empty() {
        (Tier::NoAddress, Vec::new())
    } else if let Some((pool, enough)) = healthiest(seats, min_healthy) {
        let tier = if enough { Tier::Serving { pool } } else { Tier::Short { pool } };
        (tier, members(seats, of(pool, Duty::Serving)))
    } else if let Some(pool) = first_pool(Duty::Draining) {
        (Tier::Draining { pool }, members(seats, of(pool, Duty::Draining)))
    } else if other_family_serves {
        (Tier::OtherFamily, Vec::new())
    } else {
        match when_all_down {
            WhenAllDown::Open => {
                let first = seats[0].pool;
                let open = |seat: &Seat| seat.pool == first && seat.duty != Duty::Barred;
                (Tier::Open, members(seats, open))
            }
            WhenAllDown::Closed => (Tier::Closed, Vec::new()),
        }
    }
}

/// The first pool with enough serving addresses, or else the one where they weigh most, and which
/// of the two it is; none where no address serves.
fn healthiest(seats: &[Seat], min_healthy: &[u32]) -> Option<(usize, bool)> {
    let mut best: Option<(usize, u32)> = None;
    for pool in seats.chunk_by(|a, b| a.pool == b.pool) {
        let serving = || pool.iter().filter(|seat| seat.duty == Duty::Serving);
        let Some(seat) = serving().next() else { continue };
        let weight = serving().map(|seat| u32::from(seat.weight)).sum();
        if weight >= min_healthy.get(seat.pool).copied().unwrap_or(0) {
            return Some((seat.pool, true));
        }
        if best.is_none_or(|(_, most)| weight > most) {
            best = Some((seat.pool, weight));
        }
    }
    best.map(|(pool, _)| (pool, false))
}

/// The seats that are wanted; those of weight 0 only where there are no others.
fn members(seats: &[Seat], wanted: impl Fn(&Seat) -> bool) -> Vec<usize> {
    let all = || (0..seats.len()).filter(|&index| wanted(&seats[index]));
    let weighty: Vec<usize> = all().filter(|&index| seats[index].weight > 0).collect();
    if weighty.is_empty() { all().collect() } else { weighty }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One letter a seat: `s`erving, `d`raining, `f`ailed, `b`arred; capital: weight 0; `|` parts
    /// pools.
    fn seats(text: &str) -> Vec<Seat> {
        let mut pool = 0;
        let mut seats = Vec::new();
        for letter in text.chars() {
            let duty = match letter.to_ascii_lowercase() {
                's' => Duty::Serving,
                'd' => Duty::Draining,
                'f' => Duty::Failed,
                'b' => Duty::Barred,
                _ => {
                    pool += 1;
                    continue;
                }
            };
            seats.push(Seat { pool, duty, weight: u16::from(letter.is_lowercase()) });
        }
        seats
    }

    fn check(text: &str, other: bool, down: WhenAllDown, tier: Tier, expected: &[usize]) {
        let found = choose(&seats(text), &[], other, down);
        assert_eq!(found, (tier, expected.to_vec()), "{text} other={other} {down:?}");
    }

    #[test]
    fn the_truth_table() {
        use WhenAllDown::{Closed, Open};
        // A pool serves: nothing else matters.
        for other in [false, true] {
            for down in [Open, Closed] {
                check("ssss", other, down, Tier::Serving { pool: 0 }, &[0, 1, 2, 3]);
                check("sfdb", other, down, Tier::Serving { pool: 0 }, &[0]);
                check("fd|fs", other, down, Tier::Serving { pool: 1 }, &[3]);
                // Weight 0 only where there are no others.
                check("Ssf", other, down, Tier::Serving { pool: 0 }, &[1]);
                check("Sff", other, down, Tier::Serving { pool: 0 }, &[0]);
                check("SS|s", other, down, Tier::Serving { pool: 0 }, &[0, 1]);
                // No pool serves: the first with draining ones.
                check("fdf", other, down, Tier::Draining { pool: 0 }, &[1]);
                check("ff|db", other, down, Tier::Draining { pool: 1 }, &[2]);
                check("", other, down, Tier::NoAddress, &[]);
                check("ff", true, down, Tier::OtherFamily, &[]);
            }
        }
        check("ffb|f", false, Open, Tier::Open, &[0, 1]);
        check("bb|f", false, Open, Tier::Open, &[]);
        check("ff", false, Closed, Tier::Closed, &[]);
    }

    #[test]
    fn a_pool_below_its_minimum_passes_to_the_next() {
        use WhenAllDown::Open;
        let check = |text: &str, min_healthy: &[u32], tier: Tier, expected: &[usize]| {
            let found = choose(&seats(text), min_healthy, false, Open);
            assert_eq!(found, (tier, expected.to_vec()), "{text} {min_healthy:?}");
        };
        check("sss|sss", &[2, 2], Tier::Serving { pool: 0 }, &[0, 1, 2]);
        check("sff|sss", &[2, 2], Tier::Serving { pool: 1 }, &[3, 4, 5]);
        check("sff|fss", &[2, 3], Tier::Short { pool: 1 }, &[4, 5]);
        check("ssf|fss", &[3, 3], Tier::Short { pool: 0 }, &[0, 1]);
        check("sdd|fdd", &[2, 2], Tier::Short { pool: 0 }, &[0]);
        check("fdd|fff", &[2, 2], Tier::Draining { pool: 0 }, &[1, 2]);
        check("Sff|sff", &[1, 1], Tier::Serving { pool: 1 }, &[3]);
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
}
