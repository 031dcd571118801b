//! Whose fault a failed probe is.
//!
//! An error of the target takes it out of the answers; an error of the prober must not, or a
//! prober in trouble would withdraw every node it looks at. The line between them:
//!
//! ```text
//!   refused, reset, cut off, silent, not HTTP, bad TLS      the target's: a verdict
//!   no descriptor, port, buffer or permission here          the prober's: no verdict
//!   network or host unreachable                             the prober's where its own routing
//!                                                           table has no way there, else a
//!                                                           router or neighbour says that the
//!                                                           target is gone: a verdict
//!   anything else                                           the target's: what one target alone
//!                                                           provokes is about that target
//! ```
//!
//! The libraries wrap the cause in up to five layers, so the chain of sources is walked to the
//! first error of a known kind; texts are for people and decide nothing.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use rustls::{AlertDescription, CertificateError};

use crate::health::{Outcome, Reason, Stage, TlsFault};

/// Longest text taken over from a library's error, in bytes: it may quote what the target sent.
const TEXT_LEN_MAX: usize = 160;

/// What an error of a probe to `socket` says.
pub fn outcome(error: &(dyn Error + 'static), socket: SocketAddr) -> Outcome {
    let mut next = Some(error);
    let mut last = error;
    while let Some(error) = next {
        if let Some(told) = recognize(error, || has_route(socket)) {
            return told;
        }
        last = error;
        next = cause(error);
    }
    Outcome::Fail(Reason::Other(text(last)))
}

/// The next error inwards. An `io::Error` hides the one it wraps from `source`, which gives that
/// one's source.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    if let Some(error) = error.downcast_ref::<h2::Error>().and_then(h2::Error::get_io) {
        return Some(error);
    }
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

/// What one layer says by itself.
fn recognize(error: &(dyn Error + 'static), has_route: impl Fn() -> bool) -> Option<Outcome> {
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return Some(Outcome::Fail(Reason::Tls(tls_fault(error))));
    }
    if let Some(error) = error.downcast_ref::<h2::Error>() {
        return error.is_library().then(|| Outcome::Fail(Reason::Protocol(text(error))));
    }
    error.downcast_ref::<io::Error>().and_then(|error| recognize_io(error, has_route))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "io::ErrorKind is non-exhaustive")]
fn recognize_io(error: &io::Error, has_route: impl Fn() -> bool) -> Option<Outcome> {
    let local = || Some(Outcome::NoVerdict(Reason::Local(text(error))));
    match error.kind() {
        ErrorKind::ConnectionRefused => Some(Outcome::Fail(Reason::Refused)),
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::NotConnected
        | ErrorKind::UnexpectedEof => Some(Outcome::Fail(Reason::Reset)),
        // The kernel's patience with a first packet; with later ones it has more than any check.
        ErrorKind::TimedOut => Some(Outcome::Fail(Reason::Timeout(Stage::Connect))),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable if has_route() => {
            Some(Outcome::Fail(Reason::Unreachable))
        }
        ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable
        | ErrorKind::NetworkDown
        | ErrorKind::AddrInUse
        | ErrorKind::AddrNotAvailable
        | ErrorKind::OutOfMemory
        | ErrorKind::PermissionDenied => local(),
        _ => match error.raw_os_error()? {
            libc::EHOSTDOWN => Some(Outcome::Fail(Reason::Unreachable)),
            // EINVAL is what a blackhole route gives.
            libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::EAFNOSUPPORT | libc::EINVAL => {
                local()
            }
            _ => None,
        },
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "rustls' enums are non-exhaustive")]
fn tls_fault(error: &rustls::Error) -> TlsFault {
    use CertificateError as Bad;
    match error {
        rustls::Error::InvalidCertificate(bad) => match bad {
            Bad::Expired | Bad::ExpiredContext { .. } => TlsFault::Expired,
            Bad::NotValidYet | Bad::NotValidYetContext { .. } => TlsFault::NotYetValid,
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => TlsFault::WrongName,
            // Signed by one of a trusted name with another key: an authority that was made anew.
            Bad::UnknownIssuer | Bad::BadSignature => TlsFault::UnknownCa,
            // The library's own names for rarer faults are words enough.
            Bad::Other(other) => TlsFault::Other(format!("certificate: {other}")),
            _ => TlsFault::Other(text(error)),
        },
        // What a node says of a client's certificate: RFC 8446 §6.2.
        rustls::Error::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA,
        ) => TlsFault::ClientRefused,
        _ => TlsFault::Other(text(error)),
    }
}

/// Whether the machine's own routing table has a way to an address.
///
/// Connecting a datagram socket asks the table and sends nothing.
fn has_route(to: SocketAddr) -> bool {
    let from = match to {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    UdpSocket::bind(from).and_then(|socket| socket.connect(to)).is_ok()
}

/// An error and what it wraps as one bounded line.
fn text(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    if let Some(source) = error.source() {
        text = format!("{text}: {source}");
    }
    text.truncate(text.floor_char_boundary(TEXT_LEN_MAX));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(error: io::Error, has_route: bool, expected: Option<Outcome>) {
        assert_eq!(recognize_io(&error, || has_route), expected, "{error}");
    }

    fn os(errno: i32) -> io::Error {
        io::Error::from_raw_os_error(errno)
    }

    fn local(errno: i32) -> Option<Outcome> {
        Some(Outcome::NoVerdict(Reason::Local(os(errno).to_string())))
    }

    #[test]
    fn what_the_target_does_is_a_verdict() {
        for (errno, reason) in [
            (libc::ECONNREFUSED, Reason::Refused),
            (libc::ECONNRESET, Reason::Reset),
            (libc::ECONNABORTED, Reason::Reset),
            (libc::EPIPE, Reason::Reset),
            (libc::ETIMEDOUT, Reason::Timeout(Stage::Connect)),
        ] {
            check(os(errno), true, Some(Outcome::Fail(reason)));
        }
    }

    #[test]
    fn what_the_prober_lacks_is_no_verdict() {
        for errno in [
            libc::EMFILE,
            libc::ENFILE,
            libc::ENOBUFS,
            libc::ENOMEM,
            libc::EADDRNOTAVAIL,
            libc::ENETDOWN,
            libc::EACCES,
            libc::EPERM,
            libc::EAFNOSUPPORT,
        ] {
            check(os(errno), true, local(errno));
        }
    }

    #[test]
    fn unreachable_is_the_targets_fault_where_there_is_a_route() {
        for errno in [libc::EHOSTUNREACH, libc::ENETUNREACH] {
            check(os(errno), true, Some(Outcome::Fail(Reason::Unreachable)));
            check(os(errno), false, local(errno));
        }
    }

    #[test]
    fn an_unknown_error_is_the_targets() {
        check(os(libc::EPROTO), true, None);
        let error = io::Error::other("surprise");
        let socket = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
        let expected = Outcome::Fail(Reason::Other("surprise".into()));
        assert_eq!(outcome(&error, socket), expected);
    }

    #[test]
    fn causes_are_found_inside_io_errors() {
        let error =
            io::Error::other(io::Error::new(ErrorKind::InvalidData, rustls::Error::DecryptError));
        let socket = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
        let fault = TlsFault::Other(rustls::Error::DecryptError.to_string());
        let expected = Outcome::Fail(Reason::Tls(fault));
        assert_eq!(outcome(&error, socket), expected);
    }

    #[test]
    fn long_texts_are_cut() {
        let error = io::Error::other("é".repeat(TEXT_LEN_MAX));
        assert_eq!(text(&error).len(), TEXT_LEN_MAX);
    }

    #[test]
    fn loopback_has_a_route() {
        assert!(has_route(SocketAddr::from((Ipv4Addr::LOCALHOST, 9))));
    }
}
