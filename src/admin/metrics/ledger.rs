//! What the task that thinks counts: probes, statuses that turned, configurations read.
//!
//! It belongs to that task, so it is plain numbers; a scrape gets a copy.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::health::{Outcome, Status, Verdict};

use super::page::Distribution;

/// What times of probes are told apart by, in seconds: from a neighbour's to the longest
/// timeouts that anybody sets.
const BOUNDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// What became of a configuration that was read anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reload {
    /// All of it is in force.
    Applied,
    /// A part of it has mistakes and stays as it was.
    Partial,
    /// Nothing has changed.
    Refused,
}

/// What is counted since the start.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// By result and reason.
    pub(super) checks: BTreeMap<(&'static str, &'static str), u64>,
    durations: Spread,
    delays: Spread,
    pub(super) transitions: BTreeMap<String, u64>,
    pub(super) reloads: BTreeMap<&'static str, u64>,
    /// The last configuration is in force as a whole.
    pub(super) is_whole: bool,
    /// When last a configuration was, in seconds since 1970.
    pub(super) whole_at: u64,
}

/// Times, counted by how long they are.
#[derive(Clone, Debug, Default)]
struct Spread {
    /// By the first bound that a time is not above; the last is for those above all.
    counts: [u64; BOUNDS.len() + 1],
    sum: Duration,
}

impl Reload {
    const ALL: [Self; 3] = [Self::Applied, Self::Partial, Self::Refused];

    fn word(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Partial => "partial",
            Self::Refused => "refused",
        }
    }
}

impl Ledger {
    /// Of a process that starts now, with a configuration that it took.
    pub fn new(unix_now: u64) -> Self {
        let turned = [Status::Up, Status::Down, Status::Draining];
        Self {
            checks: BTreeMap::from([(("pass", "none"), 0)]),
            durations: Spread::default(),
            delays: Spread::default(),
            transitions: turned.map(|status| (status.to_string(), 0)).into(),
            reloads: Reload::ALL.map(|reload| (reload.word(), 0)).into(),
            is_whole: true,
            whole_at: unix_now,
        }
    }

    /// A probe has ended.
    pub fn verdict(&mut self, verdict: &Verdict) {
        let key = match &verdict.outcome {
            Outcome::Pass => ("pass", "none"),
            Outcome::Fail(reason) => ("fail", reason.word()),
            Outcome::NoVerdict(reason) => ("none", reason.word()),
        };
        *self.checks.entry(key).or_default() += 1;
        self.durations.add(verdict.latency);
    }

    /// A probe has started so much after its time.
    pub fn probe(&mut self, late_by: Duration) {
        self.delays.add(late_by);
    }

    /// A target's status has turned.
    pub fn transition(&mut self, to: Status) {
        *self.transitions.entry(to.to_string()).or_default() += 1;
    }

    /// A configuration was read anew.
    pub fn reload(&mut self, reload: Reload, unix_now: u64) {
        *self.reloads.entry(reload.word()).or_default() += 1;
        self.is_whole = reload == Reload::Applied;
        if self.is_whole {
            self.whole_at = unix_now;
        }
    }

    pub(super) fn durations(&self) -> Distribution {
        self.durations.distribution()
    }

    pub(super) fn delays(&self) -> Distribution {
        self.delays.distribution()
    }
}

impl Spread {
    fn add(&mut self, time: Duration) {
        let seconds = time.as_secs_f64();
        self.counts[BOUNDS.partition_point(|&bound| bound < seconds)] += 1;
        self.sum += time;
    }

    fn distribution(&self) -> Distribution {
        let bounds = BOUNDS.into_iter().chain([f64::INFINITY]);
        Distribution { buckets: bounds.zip(self.counts).collect(), sum: self.sum.as_secs_f64() }
    }
}
