//! The recipe of an examination, and what it is applied to.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

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
    /// Consecutive bad verdicts that turn a target down; at least 1.
    pub fails: u32,
    /// Consecutive good verdicts that turn a target up; at least 1.
    pub passes: u32,
}

/// What one probe does; more kinds come, each with a file of its own in `probe`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Ask {
    /// `GET` over HTTP or HTTPS.
    Http(HttpAsk),
}

/// One HTTP request and the answers that pass.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HttpAsk {
    /// HTTPS, with the host as SNI and the certificate verified.
    pub tls: bool,
    /// The port of the node.
    pub port: u16,
    /// Path and query, beginning with a slash.
    pub path: String,
    /// `Host` and SNI: the service's name unless the operator gave another. No final dot.
    pub host: String,
    /// Response codes that pass.
    pub expect: Vec<RangeInclusive<u16>>,
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
    /// Where a probe connects to.
    pub fn socket(&self) -> SocketAddr {
        match &self.check.ask {
            Ask::Http(http) => SocketAddr::new(self.address, http.port),
        }
    }

    /// What is examined, whatever the pace and whatever passes.
    pub fn place(&self) -> Place {
        let socket = self.socket();
        match &self.check.ask {
            Ask::Http(http) => {
                let scheme = if http.tls { "https" } else { "http" };
                Place(format!("{scheme}://{socket}{} {}", http.path, http.host))
            }
        }
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
