//! What others see of the monitor: rows for a board, signs of life for a watchdog.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Hold, Seen, Share, Standing, Target, Tracker, Warning};

/// One target as a board shows it.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// Which target.
    pub target: &'a Arc<Target>,
    tracker: &'a Tracker,
}

impl<'a> View<'a> {
    pub(super) fn new(target: &'a Arc<Target>, tracker: &'a Tracker) -> Self {
        Self { target, tracker }
    }

    /// How it stands.
    pub fn standing(&self) -> Standing {
        self.tracker.standing()
    }

    /// When it reached its status; none where that is unknown or was restored.
    pub fn since(&self) -> Option<Instant> {
        self.tracker.since()
    }

    /// What it is held to before it is up again, if it flapped lately.
    pub fn hold(&self, now: Instant) -> Option<Hold> {
        self.tracker.hold(&self.target.check, now)
    }

    /// How long its probes take, smoothed and in steps that matter; none before the first pass.
    pub fn pace(&self) -> Option<Duration> {
        self.tracker.pace()
    }

    /// The part of its weight that its node has by its load; none where it says nothing.
    pub fn load(&self) -> Option<Share> {
        self.tracker.load()
    }

    /// The latest verdict with its time and latency.
    pub fn last(&self) -> Option<&'a Seen> {
        self.tracker.history().last()
    }

    /// The latest verdicts, oldest first; at most [`HISTORY_MAX`](super::HISTORY_MAX).
    pub fn history(&self) -> impl DoubleEndedIterator<Item = &'a Seen> + use<'a> {
        self.tracker.history().iter()
    }

    /// What its probes warn of.
    pub fn warning(&self) -> Option<Warning> {
        self.tracker.history().warning()
    }
}

/// Signs of life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pulse {
    /// Probes in flight.
    pub in_flight: usize,
    /// Probes that may be in flight.
    pub in_flight_max: usize,
    /// How far the most delayed probe is behind: one that should have started, or have ended.
    /// A healthy prober stays well below a second; more means that it is stalled or overbooked.
    pub late_by: Duration,
    /// When the last verdict came.
    pub last_verdict: Option<Instant>,
}
