//! Holding down who flaps: the more often a target fell lately, the longer it must pass to return.
//!
//! A node that comes up, breaks under its first clients and goes down again costs clients at every
//! turn, and its checks alone cannot know. So falls are remembered. From a number of them within a
//! window on, a return takes more than `passes`: the target must pass without a break for a time
//! that doubles with every further fall.
//!
//! ```text
//!   falls within the window      1   2   3     4     5     6   …
//!   must pass without a break    -   -   20s   40s   80s   160s  up to `max`    (5s × 2 × 2, …)
//! ```
//!
//! What passes but is held is *draining*, not down: where nothing else stands it is still answered,
//! so that holding never costs the last node that works. It ends by itself: falls older than the
//! window are forgotten, and no hold is longer than `max`.

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use super::Check;

/// Falls that are remembered: enough for the shortest hold to be doubled to the longest.
pub const FALLS_MAX: usize = 48;

/// How a check holds down those that flap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HoldDown {
    /// So many falls are too many; at least 1.
    pub after: u32,
    /// Falls are forgotten after this long.
    pub within: Duration,
    /// No hold is longer.
    pub max: Duration,
}

/// What a target that flaps is held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Its falls within the window.
    pub falls: u32,
    /// How long it must pass without a break.
    pub lasts: Duration,
    /// Since when it has been passing; none where it is not.
    pub passing_since: Option<Instant>,
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lasts = humantime::format_duration(Duration::from_secs(self.lasts.as_secs()));
        write!(f, "fell {} times lately: must pass for {lasts}", self.falls)
    }
}

/// When a target fell from up, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Falls(VecDeque<Instant>);

impl HoldDown {
    /// As it is where nothing else is written. Once is an accident and twice a coincidence; what
    /// falls three times in ten minutes will fall again.
    pub const DEFAULT: Self =
        Self { after: 3, within: Duration::from_secs(600), max: Duration::from_secs(600) };

    /// How long a target must pass after so many falls.
    fn lasts(&self, falls: u32, check: &Check) -> Duration {
        let Some(beyond) = falls.checked_sub(self.after) else { return Duration::ZERO };
        let usual = check.every.saturating_mul(check.passes);
        usual.saturating_mul(2_u32.saturating_pow(beyond + 1)).min(self.max)
    }
}

impl Falls {
    /// Notes a fall.
    pub(super) fn note(&mut self, now: Instant) {
        if self.0.len() == FALLS_MAX {
            self.0.pop_front();
        }
        self.0.push_back(now);
    }

    /// What the target is held to, which may be nothing.
    pub(super) fn hold(&self, check: &Check, now: Instant) -> Option<Hold> {
        let hold_down = check.hold_down.as_ref()?;
        let recent = |fall: &&Instant| now.saturating_duration_since(**fall) <= hold_down.within;
        let falls = self.0.iter().filter(recent).count() as u32;
        let lasts = hold_down.lasts(falls, check);
        (!lasts.is_zero()).then_some(Hold { falls, lasts, passing_since: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::{Ask, HttpAsk};

    const SECOND: Duration = Duration::from_secs(1);

    #[expect(clippy::disallowed_methods, reason = "an Instant to count from")]
    fn start() -> Instant {
        Instant::now()
    }

    /// Falls so many seconds ago, and the hold in seconds; 0 is none.
    #[track_caller]
    fn check(hold_down: Option<HoldDown>, falls_ago_secs: &[u32], expected_secs: u64) {
        let check = Check { hold_down, ..Check::new(Ask::Http(HttpAsk::get(80, "/", "app.test"))) };
        let now = start() + 3600 * SECOND;
        let mut falls = Falls::default();
        falls_ago_secs.iter().for_each(|&ago| falls.note(now - ago * SECOND));
        let lasts = falls.hold(&check, now).map_or(Duration::ZERO, |hold| hold.lasts);
        assert_eq!(lasts.as_secs(), expected_secs, "{falls_ago_secs:?}");
    }

    #[test]
    fn a_hold_doubles_with_every_fall_and_ends_at_its_longest() {
        let default = Some(HoldDown::DEFAULT);
        check(default, &[], 0);
        check(default, &[20, 10], 0);
        check(default, &[30, 20, 10], 20);
        check(default, &[40, 30, 20, 10], 40);
        check(default, &[10; 7], 320);
        check(default, &[10; 8], 600);
        check(default, &[10; FALLS_MAX + 9], 600);
    }

    #[test]
    fn old_falls_are_forgotten() {
        check(Some(HoldDown::DEFAULT), &[700, 650, 601, 20, 10], 0);
        check(Some(HoldDown::DEFAULT), &[700, 600, 20, 10], 20);
    }

    #[test]
    fn nobody_is_held_where_that_is_switched_off() {
        check(None, &[10; 9], 0);
        check(Some(HoldDown { after: 1, ..HoldDown::DEFAULT }), &[10], 20);
    }
}
