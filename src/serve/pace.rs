//! How fast a client must take its answers.
//!
//! A reader that is slow is told from one that is slow on purpose by what it owes. Time that the
//! server waits for room is owed; each octet taken pays a part of it back; who owes more than
//! [`PATIENCE`] is left.
//!
//! ```text
//!   waits 2 s      owes 2 s
//!   takes 4 KiB    at 4096 octets a second that is 1 s: owes 1 s
//!   waits 4 s      owes 5 s: left
//! ```
//!
//! So nobody is left who reads at that rate on the average, in whatever bursts; and whoever takes
//! one octet now and then, to keep the connection, cannot for longer than the patience.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

/// What may be owed: as long as a lost packet may take to be sent again twice.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// What one reader owes.
#[derive(Debug)]
pub(super) struct Pace {
    /// Octets a second.
    rate: NonZeroU32,
    debt: Duration,
    /// Since when there is no room.
    since: Option<Instant>,
}

impl Pace {
    pub(super) fn new(rate: NonZeroU32) -> Self {
        Self { rate, debt: Duration::ZERO, since: None }
    }

    /// True where nothing is owed: then nobody need look at the clock.
    pub(super) fn is_even(&self) -> bool {
        self.since.is_none() && self.debt.is_zero()
    }

    /// There is no room; gives the time at which patience ends.
    pub(super) fn waits(&mut self, now: Instant) -> Instant {
        *self.since.get_or_insert(now) + PATIENCE.saturating_sub(self.debt)
    }

    /// So many octets were taken.
    pub(super) fn took(&mut self, octets: usize, now: Instant) {
        if let Some(since) = self.since.take() {
            self.debt += now.saturating_duration_since(since);
        }
        let nanos = (octets as u64).saturating_mul(1_000_000_000) / u64::from(self.rate.get());
        self.debt = self.debt.saturating_sub(Duration::from_nanos(nanos));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps of waiting (in milliseconds) and taking (in octets), at 1000 octets a second; how many
    /// of them the reader survives.
    #[track_caller]
    #[expect(clippy::disallowed_methods, reason = "an Instant to count from")]
    fn check(steps: &[(u64, usize)], expected: usize) {
        let mut pace = Pace::new(NonZeroU32::new(1000).unwrap());
        let mut now = Instant::now();
        let survives = |&&(wait, octets): &&(u64, usize)| {
            let end = pace.waits(now);
            now += Duration::from_millis(wait);
            if now >= end {
                return false;
            }
            pace.took(octets, now);
            true
        };
        assert_eq!(steps.iter().take_while(survives).count(), expected, "{steps:?}");
    }

    #[test]
    fn who_reads_at_the_rate_stays_and_who_does_not_is_left() {
        check(&[(4999, 1)], 1);
        check(&[(5000, 1)], 0);
        check(&[(1000, 1000); 100], 100);
        check(&[(4000, 4000); 100], 100);
        // A second is lost each time.
        check(&[(2000, 1000); 100], 3);
        check(&[(1, 1); 10_000], 10_000);
        // An octet every four seconds.
        check(&[(4000, 1); 100], 1);
        // What was paid ahead is not kept.
        check(&[(0, 1_000_000), (5000, 1)], 1);
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "an Instant to count from")]
    fn whoever_never_has_to_wait_owes_nothing() {
        let mut pace = Pace::new(NonZeroU32::MIN);
        assert!(pace.is_even());
        let now = Instant::now();
        pace.waits(now);
        assert!(!pace.is_even());
        pace.took(0, now + Duration::from_secs(1));
        assert!(!pace.is_even());
        pace.took(1, now + Duration::from_secs(1));
        assert!(pace.is_even());
    }
}
