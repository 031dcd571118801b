//! What a target is, and what one probe said of it.

use std::fmt;
use std::time::Duration;

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

/// Why a probe failed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Nothing listens there.
    Refused,
    /// The connection was cut.
    Reset,
    /// No answer within the check's timeout.
    Timeout,
    /// The network says that nobody is at that address: a neighbour that answers no ARP, a
    /// router's "host unreachable". A machine that is switched off looks like this.
    Unreachable,
    /// An answer with a response code that does not pass.
    HttpStatus(u16),
    /// The node said that it is draining: 503 with `Retry-After`, or a body that says so.
    Draining,
    /// TLS failed: the certificate is not trusted, expired, or for another name.
    Tls(String),
    /// The bytes that came are not the protocol.
    Protocol(String),
    /// The prober's own trouble: no route, no descriptor.
    Local(String),
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

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("connection refused"),
            Self::Reset => f.write_str("connection reset"),
            Self::Timeout => f.write_str("timed out"),
            Self::Unreachable => f.write_str("host unreachable"),
            Self::HttpStatus(code) => write!(f, "status {code}"),
            Self::Draining => f.write_str("says it is draining"),
            Self::Tls(why) => write!(f, "tls: {why}"),
            Self::Protocol(why) => write!(f, "not http: {why}"),
            Self::Local(why) => write!(f, "prober: {why}"),
        }
    }
}
