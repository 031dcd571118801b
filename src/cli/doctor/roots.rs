//! Where the walk begins: the addresses of the root servers.
//!
//! They change about once in ten years, and thirteen of them do not change together; a list that
//! is some years old still finds its way. `--root` replaces it, for those who have a root of their
//! own.

use std::net::IpAddr;

/// <https://www.internic.net/domain/named.root>, one for each of a to m, and some over IPv6.
const ROOTS: &[&str] = &[
    "198.41.0.4",
    "170.247.170.2",
    "192.33.4.12",
    "199.7.91.13",
    "192.203.230.10",
    "192.5.5.241",
    "192.112.36.4",
    "198.97.190.53",
    "192.36.148.17",
    "192.58.128.30",
    "193.0.14.129",
    "199.7.83.42",
    "202.12.27.33",
    "2001:503:ba3e::2:30",
    "2001:7fd::1",
    "2001:500:9f::42",
];

/// All of them, beginning anywhere: not everybody shall begin with the first.
pub(super) fn roots(rng: &mut fastrand::Rng) -> Vec<IpAddr> {
    let mut roots: Vec<IpAddr> = ROOTS.iter().filter_map(|text| text.parse().ok()).collect();
    rng.shuffle(&mut roots);
    roots
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_root_is_an_address() {
        assert_eq!(roots(&mut fastrand::Rng::with_seed(1)).len(), ROOTS.len());
    }
}
