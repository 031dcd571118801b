//! The recipe of an examination, and what it is applied to.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use super::Ask;

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
