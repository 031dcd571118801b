//! The addresses of a set as HTTPS records hint at them. RFC 9460 §7.3.
//!
//! ```text
//!   ipv4hint   00 04  length  the addresses, ascending
//!   ipv6hint   00 06  length  the addresses, ascending
//! ```
//!
//! A hint is all of a set: the same for everybody whom the set answers, and in the one order that
//! depends on nothing. A set of which one answer holds only a part has no hint. Hints are optional,
//! and clients that want addresses ask for A and AAAA anyway, where turns and weights decide which.

use std::net::IpAddr;

use super::board::Judged;
use super::service::Service;
use super::set::{Family, Set};

/// The set's parameter as it stands in an HTTPS record; empty where it has none.
pub(super) fn of(service: &Service, judged: &[Judged], set: &Set) -> Box<[u8]> {
    if service.https.is_none() || set.count() > usize::from(set.answers) {
        return Box::default();
    }
    let members = set.members.iter();
    let mut addresses: Vec<IpAddr> = members.map(|&at| judged[usize::from(at)].ip).collect();
    addresses.sort_unstable();
    let (key, address_len): (u16, usize) = match addresses.first().copied().map(Family::of_address)
    {
        Some(Family::V4) => (4, 4),
        Some(Family::V6) => (6, 16),
        None => return Box::default(),
    };
    // More addresses than two octets of length can count are refused where the configuration is
    // read: they would not fit a message of A or AAAA records either.
    let Ok(length) = u16::try_from(addresses.len() * address_len) else { return Box::default() };
    let mut param = [key.to_be_bytes(), length.to_be_bytes()].concat();
    for address in addresses {
        match address {
            IpAddr::V4(v4) => param.extend(v4.octets()),
            IpAddr::V6(v6) => param.extend(v6.octets()),
        }
    }
    param.into()
}
