//! Why a probe failed, and what it warns of: as short as a board's column.
//!
//! A reason names what an operator would do something else about. Who refuses, is silent or cuts
//! the line is told apart, and silence by where it set in: a node that accepts and then says
//! nothing is another one than a node that is switched off.

use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use domain::base::iana::Rcode;

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
    /// The node, or who speaks for it, said that it is down, and this.
    SaysDown(String),
    /// What came, or its first line, names no state that is known.
    NoState(String),
    /// The handshake failed, or the certificate is not good.
    Tls(TlsFault),
    /// What a name server says.
    Dns(DnsFault),
    /// What gRPC's health service says.
    Grpc(GrpcFault),
    /// A program ended with this code, and its first line.
    Exit(i32, String),
    /// A program was ended by this signal, and its first line.
    Killed(i32, String),
    /// A 101 that does not open a WebSocket: what is wrong with it.
    NoUpgrade(&'static str),
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
    /// The program had not ended.
    Run,
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

/// What a name server says in place of what is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DnsFault {
    /// Another response code.
    Rcode(Rcode),
    /// The answer lacks the record.
    NoRecord,
    /// The answer lacks the record, and more of it than fits UDP.
    Truncated,
    /// What came is no answer to the question.
    NoAnswer,
}

/// What a node's health service says in place of "serving".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GrpcFault {
    /// `NOT_SERVING`.
    NotServing,
    /// `UNKNOWN`: the node has not made up its mind.
    UnknownStatus,
    /// `SERVICE_UNKNOWN`, or the code `NOT_FOUND`: the name of the service is wrong.
    UnknownService,
    /// The code `UNIMPLEMENTED`: the node has no health service.
    Unimplemented,
    /// Another code of gRPC's.
    Code(u32),
    /// What came is no answer of a health service.
    NoMessage,
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
            Self::SaysDown(_) => "says_down",
            Self::NoState(_) => "no_state",
            Self::Tls(_) => "tls",
            Self::Dns(_) => "dns",
            Self::Grpc(_) => "grpc",
            Self::Exit(..) => "exit",
            Self::Killed(..) => "killed",
            Self::NoUpgrade(_) => "no_upgrade",
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
            Self::SaysDown(why) => write!(f, "says it is down: {why}"),
            Self::NoState(line) => write!(f, "says no state: {line:?}"),
            Self::Tls(fault) => write!(f, "tls: {fault}"),
            Self::Dns(fault) => write!(f, "dns: {fault}"),
            Self::Grpc(fault) => write!(f, "grpc: {fault}"),
            Self::Exit(code, line) if line.is_empty() => write!(f, "exit code {code}"),
            Self::Exit(code, line) => write!(f, "exit code {code}: {line}"),
            Self::Killed(signal, line) if line.is_empty() => write!(f, "signal {signal}"),
            Self::Killed(signal, line) => write!(f, "signal {signal}: {line}"),
            Self::NoUpgrade(why) => write!(f, "not upgraded: {why}"),
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
            Self::Run => "running",
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

impl fmt::Display for DnsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rcode(rcode) => write!(f, "{rcode}"),
            Self::NoRecord => f.write_str("record not found"),
            Self::Truncated => f.write_str("answer truncated"),
            Self::NoAnswer => f.write_str("not an answer"),
        }
    }
}

impl fmt::Display for GrpcFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotServing => f.write_str("not serving"),
            Self::UnknownStatus => f.write_str("status unknown"),
            Self::UnknownService => f.write_str("no such service"),
            Self::Unimplemented => f.write_str("no health service"),
            Self::Code(code) => write!(f, "code {code}"),
            Self::NoMessage => f.write_str("not an answer of a health service"),
        }
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
