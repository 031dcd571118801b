//! How much of its weight a node has after it returned.
//!
//! A node that comes back has cold caches and pools to fill, and its whole share at once can break
//! it again. So its weight climbs, in few steps: each is a plan laid out anew.

use std::time::{Duration, Instant};

use crate::health::Share;

/// From a tenth of its weight to all of it.
pub(super) const STEPS: u32 = 10;

/// The part of its weight that a node has, and when that changes; all of it is the end.
pub(super) fn part(since: Instant, lasts: Duration, now: Instant) -> (Share, Option<Instant>) {
    let step = lasts / STEPS;
    let passed = now.saturating_duration_since(since);
    // A step is a millisecond at least: `lasts` is bounded below.
    let done = passed.as_nanos() / step.as_nanos().max(1);
    let done = u32::try_from(done).unwrap_or(STEPS).min(STEPS - 1) + 1;
    let next = (done < STEPS).then(|| since + step * done);
    (Share::thousandths(Share::WHOLE.count() * done / STEPS), next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "an Instant to count from")]
    fn a_weight_climbs_in_bounded_steps_to_the_whole() {
        let (since, second) = (Instant::now(), Duration::from_secs(1));
        let (mut at, mut steps) = (since, Vec::new());
        loop {
            let (share, next) = part(since, 60 * second, at);
            steps.push(share.count());
            let Some(next) = next else { break };
            assert_eq!(next - at, 6 * second);
            at = next;
        }
        assert_eq!(steps, [100, 200, 300, 400, 500, 600, 700, 800, 900, 1000]);
        // Between steps nothing changes, and a clock that leaps ends it.
        assert_eq!(part(since, 60 * second, since + 7 * second).0.count(), 200);
        assert_eq!(part(since, 60 * second, since + 7000 * second), (Share::WHOLE, None));
    }
}
