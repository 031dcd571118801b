//! Why a probe failed, and what it warns of: as short as a board's column.
//!
//! A reason names what an operator would do something else about. Who refuses, is silent or cuts
//! the line is told apart, and silence by where it set in: a node that accepts and then says
//! nothing is another one than a node that is switched off.

use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use super::Mismatch;

/// Why a probe failed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Nothing listens there.
    Refused,
    /// The connection was cut.
    Reset,
    /// The check's timeout was over while this was waited for.
    Timeout(Stage),
    /// The network says that nobody is at that address: a neighbour that answers no ARP, a
    /// router's "host unreachable". A machine that is switched off looks like this.
    Unreachable,
    /// An answer with a response code that does not pass.
    HttpStatus(u16),
    /// An answer that says something else than what was expected.
    Mismatch(Mismatch),
    /// A good answer after more than the check's `max_latency`.
    TooSlow {
        /// What it took.
        took: Duration,
        /// What it may take.
        max: Duration,
    },
    /// The node said that it is draining: 503 with `Retry-After`, or a body that says so.
    Draining,
    /// The handshake failed, or the certificate is not good.
    Tls(TlsFault),
    /// The bytes that came are not HTTP.
    Protocol(String),
    /// What the system says of the connection, where none of the others is it.
    Other(String),
    /// The prober's own trouble: no route, no descriptor.
    Local(String),
}

/// How far a probe had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// No answer to the first packet.
    Connect,
    /// Connected; TLS was not agreed on.
    Handshake,
    /// The request was written, and no complete head of an answer came.
    Headers,
    /// The head came, the body did not end.
    Body,
    /// Connected; what is expected did not come.
    Answer,
}

/// What is wrong with a node's TLS.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TlsFault {
    /// The certificate has ended, or one that it rests on.
    Expired,
    /// The certificate has not begun.
    NotYetValid,
    /// The certificate is for other names.
    WrongName,
    /// No authority that is trusted stands behind the certificate.
    UnknownCa,
    /// The node takes only clients with a certificate, and not this one.
    ClientRefused,
    /// What the TLS library says.
    Other(String),
}

/// What does not fail a probe yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Warning {
    /// The certificate ends then, in seconds since 1970.
    CertificateEnds(u64),
}

impl Reason {
    /// One word for machines: what it is, without what it says of this one probe.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Reset => "reset",
            Self::Timeout(_) => "timeout",
            Self::Unreachable => "unreachable",
            Self::HttpStatus(_) => "http_status",
            Self::Mismatch(_) => "mismatch",
            Self::TooSlow { .. } => "too_slow",
            Self::Draining => "draining",
            Self::Tls(_) => "tls",
            Self::Protocol(_) => "protocol",
            Self::Other(_) => "other",
            Self::Local(_) => "local",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("connection refused"),
            Self::Reset => f.write_str("connection reset"),
            Self::Timeout(stage) => write!(f, "timed out {stage}"),
            Self::Unreachable => f.write_str("host unreachable"),
            Self::HttpStatus(code) => write!(f, "status {code}"),
            Self::Mismatch(mismatch) => mismatch.fmt(f),
            Self::TooSlow { took, max } => {
                write!(f, "too slow: {} of {} ms", took.as_millis(), max.as_millis())
            }
            Self::Draining => f.write_str("says it is draining"),
            Self::Tls(fault) => write!(f, "tls: {fault}"),
            Self::Protocol(why) => write!(f, "not http: {why}"),
            Self::Other(why) => f.write_str(why),
            Self::Local(why) => write!(f, "prober: {why}"),
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Connect => "connecting",
            Self::Handshake => "in handshake",
            Self::Headers => "before headers",
            Self::Body => "in body",
            Self::Answer => "before answer",
        })
    }
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expired => "certificate expired",
            Self::NotYetValid => "certificate not yet valid",
            Self::WrongName => "certificate for another name",
            Self::UnknownCa => "certificate of unknown authority",
            Self::ClientRefused => "our certificate refused",
            Self::Other(why) => why,
        })
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::CertificateEnds(seconds) = self;
        let end = UNIX_EPOCH.checked_add(Duration::from_secs(*seconds));
        // The day is enough; beyond the year 9999 there is none to write.
        let day = end.filter(|_| *seconds < 253_402_300_800).map(|end| {
            let time = humantime::format_rfc3339_seconds(end).to_string();
            time.split('T').next().unwrap_or_default().to_owned()
        });
        write!(f, "certificate ends {}", day.as_deref().unwrap_or("in a far year"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(told: &dyn fmt::Display, expected: &str) {
        assert_eq!(told.to_string(), expected);
    }

    #[test]
    fn reasons_are_short_enough_for_a_column() {
        check(&Reason::Timeout(Stage::Connect), "timed out connecting");
        check(&Reason::Timeout(Stage::Headers), "timed out before headers");
        check(&Reason::Tls(TlsFault::WrongName), "tls: certificate for another name");
        check(&Reason::Mismatch(Mismatch::NoValue), "body lacks the value");
        let (took, max) = (Duration::from_millis(812), Duration::from_millis(500));
        check(&Reason::TooSlow { took, max }, "too slow: 812 of 500 ms");
    }

    #[test]
    fn a_warning_names_the_day() {
        check(&Warning::CertificateEnds(1_800_000_000), "certificate ends 2027-01-15");
        check(&Warning::CertificateEnds(u64::MAX), "certificate ends in a far year");
        check(&Warning::CertificateEnds(253_402_300_799), "certificate ends 9999-12-31");
    }
}
