//! What transports are told by the configuration: where, how many, how long.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use super::bind::Kind;
use super::keys::Keyring;
use crate::geo::Network;
use crate::respond::Transport;

/// What transports are told by the configuration.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen, on UDP and TCP; port 0 is any port, the same for both.
    pub addresses: Vec<SocketAddr>,
    /// Where else, and for what.
    pub gates: Vec<Gate>,
    /// Interfaces at whose drivers UDP for `addresses` is taken, below the sockets.
    pub xdp: Vec<String>,
    /// Threads for UDP, as many for TCP, and for what is encrypted where there is any; 0 = one of
    /// each per core of the affinity mask.
    pub workers: usize,
    /// What the clients of connections may use.
    pub limits: Limits,
    /// Who speaks for others.
    pub proxies: Proxies,
    /// Who this server is, to clients inside TLS.
    pub keyring: Arc<Keyring>,
    /// The path of DNS over HTTPS.
    pub path: String,
}

/// One address of a listener beside those for UDP and TCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gate {
    /// What is spoken there.
    pub way: Way,
    /// Where; port 0 is any port.
    pub address: SocketAddr,
}

/// What is spoken at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// DNS over UDP and over TCP. RFC 1035, RFC 7766.
    Dns,
    /// DNS over TLS. RFC 7858.
    Tls,
    /// DNS over HTTPS. RFC 8484.
    Https,
    /// The same behind a proxy that has the certificate.
    Http,
    /// DNS over QUIC. RFC 9250.
    Quic,
    /// DNS over HTTP/3.
    H3,
}

impl Way {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Dns, Self::Tls, Self::Https, Self::Http, Self::Quic, Self::H3];

    /// As the key of `[listen]`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Tls => "tls",
            Self::Https => "https",
            Self::Http => "http",
            Self::Quic => "quic",
            Self::H3 => "h3",
        }
    }

    /// The way of a word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.word() == word)
    }

    /// True where the server shows a certificate.
    pub fn has_certificate(self) -> bool {
        match self {
            Self::Dns | Self::Http => false,
            Self::Tls | Self::Https | Self::Quic | Self::H3 => true,
        }
    }

    /// True where both have sockets of one kind: these cannot have one port.
    pub fn meets(self, other: Self) -> bool {
        self.kinds().iter().any(|kind| other.kinds().contains(kind))
    }

    /// What the queries of its connections are counted as.
    pub(super) fn transport(self) -> Transport {
        match self {
            Self::Dns => Transport::Tcp,
            Self::Tls => Transport::Tls,
            // Between a client and its proxy it is HTTPS.
            Self::Https | Self::Http => Transport::Https,
            Self::Quic => Transport::Quic,
            Self::H3 => Transport::H3,
        }
    }

    /// All that its queries are counted as.
    pub(super) fn transports(self) -> &'static [Transport] {
        match self {
            Self::Dns => &[Transport::Udp, Transport::Tcp],
            Self::Tls => &[Transport::Tls],
            Self::Https | Self::Http => &[Transport::Https],
            Self::Quic => &[Transport::Quic],
            Self::H3 => &[Transport::H3],
        }
    }

    /// Its sockets.
    pub(super) fn kinds(self) -> &'static [Kind] {
        match self {
            Self::Dns => &[Kind::Udp, Kind::Tcp],
            Self::Tls | Self::Https | Self::Http => &[Kind::Tcp],
            Self::Quic | Self::H3 => &[Kind::Udp],
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What the clients of connections may use, whatever is spoken on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections in all.
    pub connections: usize,
    /// Connections of one client: an IPv4 address, or an IPv6 /64.
    pub connections_per_client: usize,
    /// A connection that gets no answer for this long is closed.
    pub idle: Duration,
    /// How long it may take to find out who speaks, and in which secret.
    pub handshake: Duration,
    /// How long one question may take to come in whole.
    pub request: Duration,
    /// Questions of one connection that may be open at a time, where these have no order.
    pub in_flight: u32,
    /// A client that takes its answers more slowly than so many octets a second is left.
    pub rate: NonZeroU32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1000,
            connections_per_client: 50,
            idle: Duration::from_secs(10),
            handshake: Duration::from_secs(5),
            request: Duration::from_secs(5),
            in_flight: 100,
            rate: NonZeroU32::new(4096).expect("it is not zero"),
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            addresses: Vec::new(),
            gates: Vec::new(),
            xdp: Vec::new(),
            workers: 0,
            limits: Limits::default(),
            proxies: Proxies::default(),
            keyring: Arc::default(),
            path: "/dns-query".to_owned(),
        }
    }
}

/// Networks of those who speak for others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies {
    /// What comes from here begins with a header of the PROXY protocol.
    pub protocol: Box<[Network]>,
    /// HTTP requests from here say in their header for whom they are.
    pub forwarded: Box<[Network]>,
}

impl Proxies {
    /// True where a header of the PROXY protocol comes first.
    pub(super) fn introduce(&self, peer: IpAddr) -> bool {
        self.protocol.iter().any(|network| network.contains(peer.to_canonical()))
    }

    /// True where the header of a request is believed.
    pub(super) fn forward(&self, peer: IpAddr) -> bool {
        self.forwarded.iter().any(|network| network.contains(peer.to_canonical()))
    }
}
