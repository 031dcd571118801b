//! Whom an answer is for.
use std::net::IpAddr;

use super::rendezvous::mix;

/// Whom an answer is for, as far as choices may depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asker {
    address: IpAddr,
    length: u8,
    told: bool,
}

impl Asker {
    /// A client that is known by where its query came from.
    pub fn source(ip: IpAddr) -> Self {
        let address = ip.to_canonical();
        let length = if address.is_ipv4() { 32 } else { 128 };
        Self { address, length, told: false }
    }

    /// What choices by place look up.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// What choices by hash depend on.
    pub fn key(&self) -> u64 {
        match self.address {
            IpAddr::V4(v4) => mix(u64::from(v4.to_bits())),
            IpAddr::V6(v6) => {
                let bits = v6.to_bits();
                mix(mix((bits >> 64) as u64) ^ bits as u64)
            }
        }
    }

    /// The prefix that choices by hash keep together.
    pub fn hash_scope(&self) -> u8 {
        if self.address.is_ipv4() { 24 } else { 56 }
    }
}
