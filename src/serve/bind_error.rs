//! Why an address cannot be listened on, each with its way out.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;

/// Why an address cannot be listened on.
#[derive(Debug)]
pub enum BindError {
    /// Two of the addresses mean the same port of the same place.
    Overlap {
        /// The one that takes in the other.
        wide: SocketAddr,
        /// The one that says nothing new.
        address: SocketAddr,
    },
    /// Somebody passed sockets of the address, but not of both protocols.
    Half {
        /// Where.
        address: SocketAddr,
        /// The one that is missing: `"UDP"` or `"TCP"`.
        protocol: &'static str,
    },
    /// The kernel refused.
    Refused {
        /// Where.
        address: SocketAddr,
        /// `"UDP"` or `"TCP"`.
        protocol: &'static str,
        /// What the kernel said.
        error: io::Error,
    },
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overlap { wide, address } if wide == address => {
                write!(f, "{address} is listed twice: keep one")
            }
            Self::Overlap { wide, address } => {
                write!(f, "{wide} takes in {address}: keep one of the two")
            }
            Self::Half { address, protocol } => write!(
                f,
                "sockets of {address} are passed to this process, but none for {protocol}: DNS \
                 needs both (ListenDatagram= and ListenStream=)"
            ),
            Self::Refused { address, protocol, error } => {
                let (port, family, wildcard) = match address {
                    SocketAddr::V4(v4) => (v4.port(), "IPv4", "0.0.0.0"),
                    SocketAddr::V6(v6) => (v6.port(), "IPv6", "[::]"),
                };
                write!(f, "cannot listen on {address} ({protocol}): ")?;
                if error.kind() == ErrorKind::AddrInUse {
                    write!(
                        f,
                        "the port is taken; `ss -lnp sport = {port}` shows by whom: stop that, \
                         or choose another port"
                    )
                } else if error.kind() == ErrorKind::PermissionDenied {
                    write!(f, "no permission: needs CAP_NET_BIND_SERVICE, or a port above 1023")
                } else if error.kind() == ErrorKind::AddrNotAvailable {
                    write!(
                        f,
                        "this machine has no such address: choose one that `ip address` shows, or \
                         the wildcard {wildcard}"
                    )
                } else if error.raw_os_error() == Some(libc::EAFNOSUPPORT) {
                    write!(f, "this machine has no {family}: remove the address")
                } else {
                    write!(f, "{error}")
                }
            }
        }
    }
}

impl std::error::Error for BindError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Overlap { .. } | Self::Half { .. } => None,
            Self::Refused { error, .. } => Some(error),
        }
    }
}
