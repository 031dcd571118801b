//! What a target is, and what one probe said of it.

use std::fmt;
use std::time::Duration;

use super::{Reason, Share, Warning};

/// The settled state of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Its checks pass.
    Up,
    /// Its checks fail.
    Down,
    /// It says itself that it is leaving: no new clients while others stand.
    Draining,
    /// No verdict yet.
    Unknown,
}

/// A status, and whether the last verdicts contradict it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The settled state.
    pub status: Status,
    /// True while verdicts against the status are being counted: the target is falling or rising.
    pub contradicted: bool,
}

/// One probe's result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Pass, or why not.
    pub outcome: Outcome,
    /// How long the probe took.
    pub latency: Duration,
    /// What will be a reason one day, if nobody acts.
    pub warning: Option<Warning>,
    /// How busy the node says it is: all of it is a full load.
    pub load: Option<Share>,
}

impl Verdict {
    /// A verdict without a warning or a report of load.
    pub fn new(outcome: Outcome, latency: Duration) -> Self {
        Self { outcome, latency, warning: None, load: None }
    }
}

/// Pass or fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The target answered as it should.
    Pass,
    /// The target did not, and why.
    Fail(Reason),
    /// The prober itself could not try (no route, no descriptor): says nothing of the target.
    NoVerdict(Reason),
}

impl Outcome {
    /// True for a pass.
    pub fn is_pass(&self) -> bool {
        match self {
            Self::Pass => true,
            Self::Fail(_) | Self::NoVerdict(_) => false,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Draining => "draining",
            Self::Unknown => "unknown",
        })
    }
}
