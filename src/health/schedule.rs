//! What is due, and what is under way.
//!
//! Every target is in one of two places, so it can never be probed twice at once:
//!
//! ```text
//!             add                 next(now)
//!    (new) ---------> waiting ---------------> in flight (at most `limit`)
//!                        ^                         |
//!                        +-------- again <---------+ finish
//! ```
//!
//! Waiting targets stand in one ordered set by time. A heap would do for taking the first, but a
//! reload also takes targets out of the middle, and a heap could only mark those.
//!
//! Intervals are drawn, so that targets configured together do not stay together: a burst of
//! probes is a burst of load on the nodes and of noise in the verdicts. They are drawn *below* the
//! configured pace and never above it, because `every` stands in the promise of how long a dead
//! node can stay in answers (`every × fails + timeout`). Of a new target's first two probes, the
//! first is due at once, and the second anywhere in the interval, which spreads a fleet evenly
//! after one round.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::Check;

/// What is due within this time is started with what is due now, a little early and so never late:
/// each time that a prober wakes for one probe more costs it a timer and three system calls. It is
/// a tenth of the shortest interval that can be written.
const GATHER: Duration = Duration::from_millis(10);

/// Probes in flight unless the caller says otherwise.
///
/// Each holds a socket: half of the 1,024 descriptors that an ordinary shell grants. At 5 ms an
/// answer that is 100,000 probes a second; with a 2 s timeout it carries 250 silent targets a
/// second, which is 1,250 of them at the default pace.
pub const IN_FLIGHT_MAX: usize = 512;

/// The lowest factor an interval is drawn with; the highest is 1.
const JITTER_LOW: f64 = 0.9;

/// The same for the interval after a target's first probe.
const JITTER_LOW_FIRST: f64 = 0.1;

/// A target's number, never used again within one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TargetId(u64);

impl TargetId {
    /// The number that comes before all others.
    pub const FIRST: Self = Self(0);

    /// The number after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// How soon a target is looked at again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Its status is settled.
    Steady,
    /// It was probed for the first time: anywhere in the interval.
    First,
    /// It is falling, rising or still unknown: at the check's `fast`.
    Changing,
    /// It has been up for so long that the check's `idle` will do.
    Idle,
}

impl Pace {
    /// Draws the time from the start of one probe to the start of the next: never above the pace.
    pub fn draw(self, check: &Check, rng: &mut fastrand::Rng) -> Duration {
        let (longest, low) = match self {
            Self::Steady => (check.every, JITTER_LOW),
            Self::First => (check.every, JITTER_LOW_FIRST),
            Self::Changing => (check.fast(), JITTER_LOW),
            Self::Idle => (check.slowest(), JITTER_LOW),
        };
        longest.mul_f64(low + (1.0 - low) * rng.f64()).min(longest)
    }
}

/// What is due, and what is under way.
#[derive(Debug)]
pub struct Schedule {
    waiting: BTreeSet<(Instant, TargetId)>,
    due: BTreeMap<TargetId, Instant>,
    in_flight: BTreeMap<TargetId, Flight>,
    limit: usize,
}

/// A probe under way.
#[derive(Clone, Copy, Debug)]
pub struct Flight {
    /// When it started.
    pub started: Instant,
    /// When it must have ended.
    pub deadline: Instant,
}

impl Schedule {
    /// An empty schedule with at most `limit` probes in flight; 0 counts as 1.
    pub fn new(limit: usize) -> Self {
        Self {
            waiting: BTreeSet::new(),
            due: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            limit: limit.max(1),
        }
    }

    /// Makes a target due at `at`; nothing happens while its probe is in flight.
    pub fn add(&mut self, id: TargetId, at: Instant) {
        if self.in_flight.contains_key(&id) {
            return;
        }
        if let Some(before) = self.due.insert(id, at) {
            self.waiting.remove(&(before, id));
        }
        self.waiting.insert((at, id));
    }

    /// Takes a target off the schedule; a probe in flight stays counted until it is finished.
    pub fn forget(&mut self, id: TargetId) {
        if let Some(at) = self.due.remove(&id) {
            self.waiting.remove(&(at, id));
        }
    }

    /// The target that is due longest, if one is and if there is room, and since when;
    /// [`launch`](Self::launch) puts it in flight.
    pub fn first_due(&self, now: Instant) -> Option<(Instant, TargetId)> {
        if self.is_full() {
            return None;
        }
        self.waiting.first().copied().filter(|(at, _)| *at <= now + GATHER)
    }

    /// Moves a target from waiting to in flight.
    pub fn launch(&mut self, id: TargetId, flight: Flight) {
        self.forget(id);
        self.in_flight.insert(id, flight);
    }

    /// Ends a flight; none where there was none.
    pub fn finish(&mut self, id: TargetId) -> Option<Flight> {
        self.in_flight.remove(&id)
    }

    /// When to look again: none while there is no room, since only a verdict makes some.
    pub fn wake_at(&self) -> Option<Instant> {
        if self.is_full() {
            return None;
        }
        self.waiting.first().map(|(at, _)| *at)
    }

    /// When a waiting target is due.
    pub fn due_at(&self, id: TargetId) -> Option<Instant> {
        self.due.get(&id).copied()
    }

    /// The probe of a target that is in flight.
    pub fn flight(&self, id: TargetId) -> Option<Flight> {
        self.in_flight.get(&id).copied()
    }

    /// How many probes are in flight, and how many may be.
    pub fn in_flight(&self) -> (usize, usize) {
        (self.in_flight.len(), self.limit)
    }

    /// How far the most delayed probe is behind: one that should have started, or have ended.
    pub fn late_by(&self, now: Instant) -> Duration {
        let start = self.waiting.first().map(|(at, _)| *at);
        let end = self.in_flight.values().map(|flight| flight.deadline).min();
        start
            .into_iter()
            .chain(end)
            .map(|expected| now.saturating_duration_since(expected))
            .max()
            .unwrap_or_default()
    }

    fn is_full(&self) -> bool {
        self.in_flight.len() >= self.limit
    }
}

#[cfg(test)]
mod tests;
