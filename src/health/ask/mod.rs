//! What one probe does: a variant for each kind of check, each recipe in a file of its own.
//!
//! A recipe is all that its probe needs, with every default filled in and every file already read:
//! two targets whose recipes are equal are one target. What answers pass is part of the recipe, and
//! judged here where that takes no socket ([`BodyTest`]). The kind's other half, which does touch
//! the network, is the file of the same name in `probe`.
//!
//! The time that a probe may take belongs to [`Check`](super::Check): it is the same question for
//! every kind.

use std::net::SocketAddr;

mod body;
mod http;
mod pattern;
mod secure;
mod tcp;
mod tls;

pub use body::{BODY_LEN_MAX, BodyTest, Mismatch};
pub use http::{Header, HttpAsk, Method};
pub use pattern::Pattern;
pub use secure::{Identity, Pem, Secure, Trust};
pub use tcp::{ANSWER_LEN_MAX, TcpAsk};
pub use tls::TlsAsk;

/// What one probe does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Ask {
    /// One request over HTTP or HTTPS.
    Http(HttpAsk),
    /// A TCP connection, and perhaps a word said and a word expected.
    Tcp(TcpAsk),
    /// A TLS handshake.
    Tls(TlsAsk),
}

impl Ask {
    /// The port of the node.
    pub fn port(&self) -> u16 {
        match self {
            Self::Http(ask) => ask.port,
            Self::Tcp(ask) => ask.port,
            Self::Tls(ask) => ask.port,
        }
    }

    /// What is examined at a socket, as one line of text; see [`Place`](super::Place).
    pub(super) fn place(&self, socket: SocketAddr) -> String {
        match self {
            Self::Http(ask) => ask.place(socket),
            Self::Tcp(_) => format!("tcp://{socket}"),
            Self::Tls(ask) => format!("tls://{socket} {}", ask.host),
        }
    }
}
