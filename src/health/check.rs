//! The recipe of an examination, and what it is applied to.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use super::{Ask, HoldDown};

/// A recipe: what to ask, how often, and how many answers of a kind it takes.
///
/// Two checks are the same when all of this is; identical targets are probed once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Check {
    /// What one probe does.
    pub ask: Ask,
    /// From the start of one probe to the start of the next.
    pub every: Duration,
    /// A probe that takes longer has failed.
    pub timeout: Duration,
    /// A probe that takes longer has failed too, but is heard out; at most the timeout.
    pub max_latency: Option<Duration>,
    /// Consecutive bad verdicts that turn a target down; at least 1.
    pub fails: u32,
    /// Consecutive good verdicts that turn a target up; at least 1.
    pub passes: u32,
    /// From probe to probe while verdicts are being counted; at most `every`. None for half of
    /// `every`, but at least [`FAST_MIN`] and at most `every`.
    pub fast: Option<Duration>,
    /// From probe to probe once the target has been up for long; at least `every`.
    pub idle: Option<Duration>,
    /// What is asked of targets that flap; none for no more than of others.
    pub hold_down: Option<HoldDown>,
}

/// A changing target is probed twice as often, but not more often than this because of it.
pub const FAST_MIN: Duration = Duration::from_secs(1);

impl Check {
    /// A question with everything else as it is where nothing else is written.
    pub fn new(ask: Ask) -> Self {
        Self {
            ask,
            every: Duration::from_secs(5),
            timeout: Duration::from_secs(2),
            max_latency: None,
            fails: 3,
            passes: 2,
            fast: None,
            idle: None,
            hold_down: Some(HoldDown::DEFAULT),
        }
    }

    /// The same check of one node, for kinds that ask somebody else about it.
    #[must_use]
    pub fn for_node(&self, id: &str) -> Self {
        Self { ask: self.ask.for_node(id), ..self.clone() }
    }

    /// From probe to probe while verdicts are being counted.
    pub fn fast(&self) -> Duration {
        self.fast.unwrap_or_else(|| FAST_MIN.max(self.every / 2)).min(self.every)
    }

    /// The longest from probe to probe: of a target that has been up for long.
    pub fn slowest(&self) -> Duration {
        self.idle.unwrap_or(self.every).max(self.every)
    }
}

/// A recipe applied to one address: what is probed and owns a status.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// The address of the node.
    pub address: IpAddr,
    /// The recipe.
    pub check: Check,
}

impl Target {
    /// What is examined, whatever the pace and whatever passes.
    pub fn place(&self) -> Place {
        Place(self.check.ask.place(self.address))
    }
}

/// What is examined: the socket and what is asked there, as one line of text.
///
/// A target keeps its status over a reload, and over a restart, as long as this stays: a new pace,
/// new thresholds or other codes that pass are no news of the node. It is text because it is also
/// the key under which a status is saved.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(String);

impl From<String> for Place {
    /// Takes back what was once shown.
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
