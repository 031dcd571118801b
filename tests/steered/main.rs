//! Where a client is and what it gets: the whole way from a zone's text and mmdb files to the octets
//! of a response, held against what naive references say of the same address.
//!
//! `geo`'s own tests look at its index; here zones are read by `config`, published, and asked as
//! resolvers ask, so that a floor which passes on half of what another said is found out.

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]
#![allow(unreachable_pub, reason = "the modules are one crate of tests")]

mod lookups;
#[path = "../common/mmdb.rs"]
mod mmdb;
mod scopes;
mod server;
mod world;

use std::net::IpAddr;

use rota::geo::Network;

/// The first address behind a network.
fn after(network: &Network) -> Option<IpAddr> {
    let length = u32::from(network.length());
    match network.address() {
        IpAddr::V4(v4) => {
            let size = 1_u32.checked_shl(32 - length)?;
            Some(IpAddr::V4(v4.to_bits().checked_add(size)?.into()))
        }
        IpAddr::V6(v6) => {
            let size = 1_u128.checked_shl(128 - length)?;
            Some(IpAddr::V6(v6.to_bits().checked_add(size)?.into()))
        }
    }
}
