//! What a client is to an answer: where it is, and how its query came.
//!
//! | transport | RFC  | answers  | keepalive option | padding            |
//! |-----------|------|----------|------------------|--------------------|
//! | UDP       | 1035 | cut      | passed over      | none               |
//! | TCP       | 7766 | whole    | understood       | none               |
//! | TLS       | 7858 | whole    | understood       | for those who pad  |
//! | HTTPS     | 8484 | whole    | passed over      | for those who pad  |
//! | QUIC      | 9250 | whole    | passed over      | for those who pad  |
//! | HTTP/3    | 8484 | whole    | passed over      | for those who pad  |

use std::net::SocketAddr;

/// What a client is to an answer.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// Where the query came from.
    pub addr: SocketAddr,
    /// How it came.
    pub transport: Transport,
}

/// How a query came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A datagram: answers are bounded by what the client says it can take, and truncated.
    Udp,
    /// A stream: answers may have 65,535 octets.
    Tcp,
    /// A stream inside TLS.
    Tls,
    /// A request over HTTP/1.1 or HTTP/2.
    Https,
    /// A stream of a QUIC connection.
    Quic,
    /// A request over HTTP/3.
    H3,
}

impl Transport {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 6] = [Self::Udp, Self::Tcp, Self::Tls, Self::Https, Self::Quic, Self::H3];

    /// One word for machines.
    pub fn word(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Https => "https",
            Self::Quic => "quic",
            Self::H3 => "h3",
        }
    }

    /// True where an answer is one datagram, and the client's address is only what it says.
    pub fn is_datagram(self) -> bool {
        match self {
            Self::Udp => true,
            Self::Tcp | Self::Tls | Self::Https | Self::Quic | Self::H3 => false,
        }
    }

    /// True where nobody on the way can read what is said.
    pub fn is_encrypted(self) -> bool {
        match self {
            Self::Udp | Self::Tcp => false,
            Self::Tls | Self::Https | Self::Quic | Self::H3 => true,
        }
    }

    /// True where the keepalive option means something. RFC 7828 is of TCP, also inside TLS; HTTP
    /// and QUIC have times of their own.
    pub fn has_keepalive(self) -> bool {
        match self {
            Self::Tcp | Self::Tls => true,
            Self::Udp | Self::Https | Self::Quic | Self::H3 => false,
        }
    }
}
