//! Floor 7: `rota.toml` and `zones/` to a validated model.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::snapshot::Authored;

/// Everything an operator wrote, with every default filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// What belongs to the server.
    pub server: Server,
    /// One for each apex found in the zones folder, in canonical order of apexes.
    pub zones: Vec<Authored>,
}

/// `rota.toml`: what belongs to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The folder of zones.
    pub zones: PathBuf,
    /// The folder of what must last: overrides, last statuses, keys.
    pub state: PathBuf,
    /// Where to listen.
    pub listen: Listen,
    /// Protocol settings.
    pub dns: Dns,
}

/// `[listen]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// UDP and TCP.
    pub dns: Vec<SocketAddr>,
    /// Health and readiness.
    pub admin: SocketAddr,
    /// UDP threads; 0 = one per core of the affinity mask.
    pub workers: usize,
    /// TCP connections in all.
    pub tcp_connections: usize,
    /// TCP connections of one client address.
    pub tcp_connections_per_client: usize,
    /// A TCP connection that asks nothing for this long is closed.
    pub tcp_idle: std::time::Duration,
}

/// `[dns]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dns {
    /// Largest UDP response, in octets.
    pub udp_size: u16,
}
