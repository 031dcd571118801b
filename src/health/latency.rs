//! How long probes of a target take: smoothed, and told in steps that matter.
//!
//! Whoever orders nodes by speed must not change the order for every packet that was late. So the
//! smoothed time is told only when it has left a dead band around what was told before: two nodes
//! that are equally fast but for noise keep their order.

use std::time::Duration;

/// How much a new sample counts: the weight of TCP's smoothed round-trip time. RFC 6298 §2.
const SMOOTHING: u32 = 8;
/// The dead band: a quarter of what was told, but at least what a scheduler may cost.
const BAND_PART: u32 = 4;
const BAND_MIN: Duration = Duration::from_micros(500);

/// The smoothed time of one target's probes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Latency {
    smoothed: Option<Duration>,
    told: Option<Duration>,
}

impl Latency {
    /// Takes the time of a probe that passed.
    pub(super) fn take(&mut self, sample: Duration) {
        let smoothed = match self.smoothed {
            None => sample,
            Some(before) => (before * (SMOOTHING - 1) + sample) / SMOOTHING,
        };
        self.smoothed = Some(smoothed);
        let left = |told: Duration| smoothed.abs_diff(told) > (told / BAND_PART).max(BAND_MIN);
        if self.told.is_none_or(left) {
            self.told = Some(smoothed);
        }
    }

    /// The smoothed time as it was when it last left the dead band; none before the first sample.
    pub(super) fn told(&self) -> Option<Duration> {
        self.told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(samples_us: &[u64], expected_us: &[u64]) {
        let mut latency = Latency::default();
        assert_eq!(latency.told(), None);
        let told = |&sample: &u64| {
            latency.take(Duration::from_micros(sample));
            latency.told().unwrap().as_micros() as u64
        };
        assert_eq!(samples_us.iter().map(told).collect::<Vec<_>>(), expected_us);
    }

    #[test]
    fn noise_is_not_told_and_a_lasting_change_is() {
        check(&[8000, 8800, 7300, 9000, 8000], &[8000; 5]);
        check(&[8000, 40_000, 8000], &[8000, 12_000, 12_000]);
        check(&[8000, 16_000, 16_000, 16_000], &[8000, 8000, 8000, 10_640]);
        // Below the least band nothing is told: a fifth of a millisecond is a scheduler's mood.
        check(&[200, 900, 900, 900, 200], &[200; 5]);
    }

    #[test]
    fn two_of_a_kind_keep_what_was_told_of_them() {
        let mut rng = fastrand::Rng::with_seed(4);
        let mut latency = Latency::default();
        latency.take(Duration::from_millis(10));
        for _ in 0..10_000 {
            latency.take(Duration::from_micros(rng.u64(8500..11_500)));
            assert_eq!(latency.told(), Some(Duration::from_millis(10)));
        }
    }
}
