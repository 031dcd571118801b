//! How long answers take, from a few of them.
//!
//! Asking the clock costs about as much as a tenth of an answer, so not every turn of a worker is
//! timed: one in [`TURNS`], and at least one in [`REST`] while there are any, so that a server of
//! few queries has figures too. The beginning of a turn is known anyway; only its end is asked for.
//! A timed turn counts once, however many queries were answered in it: each of them waited as long.

use std::time::{Duration, Instant};

use super::counters::Counter;

/// Of so many turns one is timed.
const TURNS: u32 = 1024;
/// After so long the next turn is timed.
const REST: Duration = Duration::from_secs(1);

/// What times are told apart by, in nanoseconds: a turn of one small answer takes some
/// microseconds, most of them the kernel's.
const BOUNDS_NS: [u64; 12] = [
    1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 5_000_000,
    25_000_000,
];

/// Says which turns of a thread are timed.
#[derive(Debug, Default)]
pub(super) struct Stopwatch {
    turns: u32,
    timed: Option<Instant>,
}

impl Stopwatch {
    /// True where the turn that began then is to be timed.
    pub(super) fn takes(&mut self, begun: Instant) -> bool {
        self.turns = self.turns.wrapping_add(1);
        let rested = |timed: Instant| begun.saturating_duration_since(timed) >= REST;
        let takes = self.turns.is_multiple_of(TURNS) || self.timed.is_none_or(rested);
        if takes {
            self.timed = Some(begun);
        }
        takes
    }
}

/// The times of one thread, which alone writes them.
#[derive(Debug, Default)]
pub(super) struct Timed {
    /// By the first bound that a time is not above; the last is for those above all.
    counts: [Counter; BOUNDS_NS.len() + 1],
    sum_ns: Counter,
}

impl Timed {
    /// Counts the time of one turn.
    pub(super) fn add(&self, took: Duration) {
        let ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let at = BOUNDS_NS.partition_point(|&bound| bound < ns);
        self.counts[at].add(1);
        self.sum_ns.add(usize::try_from(ns).unwrap_or(usize::MAX));
    }
}

/// How long turns took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    counts: [u64; BOUNDS_NS.len() + 1],
    /// All of them together.
    pub sum: Duration,
}

impl Times {
    /// How many turns took at most so long, and longer than the bound before; none is without end.
    pub fn buckets(&self) -> impl Iterator<Item = (Option<Duration>, u64)> {
        let bounds = BOUNDS_NS.into_iter().map(Duration::from_nanos).map(Some);
        bounds.chain([None]).zip(self.counts)
    }

    pub(super) fn of<'t>(all: impl Iterator<Item = &'t Timed>) -> Self {
        all.fold(Self::default(), |mut times, timed| {
            for (sum, count) in times.counts.iter_mut().zip(&timed.counts) {
                *sum += count.read();
            }
            times.sum += Duration::from_nanos(timed.sum_ns.read());
            times
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "an Instant to count from")]
    fn one_turn_in_a_thousand_is_timed_and_one_after_each_rest() {
        let (mut watch, start) = (Stopwatch::default(), Instant::now());
        assert!(watch.takes(start), "the first");
        let busy = (1..10 * TURNS).filter(|_| watch.takes(start)).count();
        assert_eq!(busy, 10);
        let later = |ms| start + Duration::from_millis(ms);
        for (ms, expected) in [(999, false), (1000, true), (1999, false), (2000, true), (0, false)]
        {
            assert_eq!(watch.takes(later(ms)), expected, "{ms}");
        }
    }

    #[test]
    fn times_fall_between_their_bounds() {
        let rows = [Timed::default(), Timed::default()];
        for ns in [0, 1_000, 1_001, 25_000_000, 25_000_001, 3_600_000_000_000] {
            rows.iter().for_each(|row| row.add(Duration::from_nanos(ns)));
        }
        let times = Times::of(rows.iter());
        let of = |ns: Option<u64>| {
            let bound = ns.map(Duration::from_nanos);
            times.buckets().find(|(it, _)| *it == bound).map(|(_, count)| count)
        };
        assert_eq!(
            [Some(1_000), Some(2_500), Some(25_000_000), None].map(of),
            [Some(4), Some(2), Some(2), Some(4)]
        );
        assert_eq!(times.buckets().map(|(_, count)| count).sum::<u64>(), 12);
        assert_eq!(times.sum.as_nanos(), 2 * 3_600_050_002_002);
    }
}
