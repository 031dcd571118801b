//! Whom an answer is for, as far as a choice may depend on it.
//!
//! A resolver asks for many, and all that is known of them is its own address, or the prefix that
//! it tells with the query (RFC 7871). Whatever chooses by place or by hash sees this and nothing
//! else of a client, so that two who look the same here get the same.
//!
//! ```text
//!   known by           address        length        key of
//!   the query's source  the whole one  32, 128       the whole address
//!   a prefix told       bits beyond 0  as was told   the first 24 bits of IPv4, 56 of IPv6
//! ```

use std::fmt;
use std::net::IpAddr;

use crate::geo::Network;

/// IPv4 addresses that share so many leading bits have one key, if a resolver tells them: the
/// longest prefix that resolvers tell of their own accord. RFC 7871 §11.1.
pub const HASH_SCOPE_V4: u8 = 24;
/// The same for IPv6. RFC 7871 §11.1.
pub const HASH_SCOPE_V6: u8 = 56;
/// The odd number next to 2^64 over the golden ratio: where [`mix`] begins, since it maps 0 to 0.
const BEGIN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Whom an answer is for, as far as choices may depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asker {
    address: IpAddr,
    length: u8,
    told: bool,
}

impl Asker {
    /// Known by where the query came from. An IPv4-mapped address is that of IPv4, since it depends
    /// on our socket which of the two is seen.
    #[inline]
    pub fn source(ip: IpAddr) -> Self {
        let address = ip.to_canonical();
        Self { address, length: bits_of(address), told: false }
    }

    /// Known by a prefix of so many bits, which came with the query; what the address has beyond
    /// them is cut off.
    ///
    /// It stays in the family in which it was told: its scope is counted in bits of that.
    pub fn prefix(ip: IpAddr, length: u8) -> Self {
        let length = length.min(bits_of(ip));
        Self { address: cut(ip, length), length, told: true }
    }

    /// The address; bits beyond [`Self::length`] are 0.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// How many leading bits of the address are known.
    pub fn length(&self) -> u8 {
        self.length
    }

    /// True where it came with the query rather than from where the query came.
    pub fn is_told(&self) -> bool {
        self.told
    }

    /// How many leading bits of an address [`Self::key`] is made of: the scope of a choice by it.
    pub fn hash_scope(&self) -> u8 {
        match self.address {
            IpAddr::V4(_) if self.told => HASH_SCOPE_V4,
            IpAddr::V6(_) if self.told => HASH_SCOPE_V6,
            IpAddr::V4(_) | IpAddr::V6(_) => bits_of(self.address),
        }
    }

    /// A number that is the same whenever the same one asks, on every server and in every version,
    /// and looks like chance otherwise.
    pub fn key(&self) -> u64 {
        let (family, bits) = match cut(self.address, self.hash_scope()) {
            IpAddr::V4(v4) => (4, u128::from(v4.to_bits())),
            IpAddr::V6(v6) => (6, v6.to_bits()),
        };
        let [high, low] = [(bits >> 64) as u64, bits as u64];
        mix(mix(mix(BEGIN + family) ^ high) ^ low)
    }
}

impl fmt::Display for Asker {
    /// An address, or the prefix that was told.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.told {
            true => write!(f, "{}/{}", self.address, self.length),
            false => self.address.fmt(f),
        }
    }
}

/// Makes every bit of the result depend on every bit of the number, and no two numbers the same.
///
/// The finalizer of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", 2014; the constants are David Stafford's variant 13). It is written out because
/// nothing may change it: all clients would move to other nodes.
pub(super) fn mix(mut number: u64) -> u64 {
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

fn cut(address: IpAddr, length: u8) -> IpAddr {
    Network::new(address, length).map_or(address, |network| network.address())
}

fn bits_of(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `192.0.2.1` is a source, `192.0.2.0/24` was told.
    fn asker(text: &str) -> Asker {
        match text.split_once('/') {
            Some((ip, length)) => Asker::prefix(ip.parse().unwrap(), length.parse().unwrap()),
            None => Asker::source(text.parse().unwrap()),
        }
    }

    #[test]
    fn shows_what_is_known_and_no_more() {
        for (text, address, length, told, hash_scope) in [
            ("192.0.2.77", "192.0.2.77", 32, false, 32),
            ("::ffff:192.0.2.77", "192.0.2.77", 32, false, 32),
            ("2001:db8::1", "2001:db8::1", 128, false, 128),
            ("192.0.2.77/24", "192.0.2.0", 24, true, 24),
            ("192.0.2.77/33", "192.0.2.77", 32, true, 24),
            ("192.0.2.0/20", "192.0.0.0", 20, true, 24),
            ("2001:db8:ffff::/33", "2001:db8:8000::", 33, true, 56),
            ("::ffff:192.0.2.0/120", "::ffff:192.0.2.0", 120, true, 56),
        ] {
            let found = asker(text);
            let address: IpAddr = address.parse().unwrap();
            assert_eq!((found.address(), found.length()), (address, length), "{text}");
            assert_eq!((found.is_told(), found.hash_scope()), (told, hash_scope), "{text}");
        }
    }

    #[test]
    fn keys_are_these_numbers_for_ever() {
        for (text, expected) in [
            ("192.0.2.77", 0x54ad_9f20_c48d_2e6c),
            ("192.0.2.0/24", 0x6b63_adfc_6b1d_d26a),
            ("198.51.100.0/24", 0x8213_2642_c420_5dad),
            ("2001:db8::1", 0xe37b_285b_26bc_5795),
            ("2001:db8:0:100::/56", 0x9820_d82d_d621_119c),
            ("::c000:200", 0x1133_a829_7bfa_5523),
        ] {
            assert_eq!(asker(text).key(), expected, "{text}");
        }
    }

    #[test]
    fn neighbours_share_a_key_where_they_are_told_and_only_there() {
        for (one, other, same) in [
            ("192.0.2.1", "192.0.2.2", false),
            ("192.0.2.1/32", "192.0.2.2/32", true),
            ("192.0.2.0/24", "192.0.2.128/25", true),
            ("192.0.2.0/24", "192.0.3.0/24", false),
            ("2001:db8::1", "2001:db8::2", false),
            ("2001:db8::1/128", "2001:db8:0:ff::/64", true),
            ("2001:db8::/56", "2001:db8:0:100::/56", false),
            ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("0.0.0.0/8", "::/8", false),
        ] {
            assert_eq!(asker(one).key() == asker(other).key(), same, "{one} {other}");
        }
    }

    #[test]
    fn keys_of_neighbouring_networks_differ_in_every_bit_about_as_often_as_not() {
        let keys: Vec<u64> = (0..4096)
            .map(|at: u32| Asker::prefix(IpAddr::V4((at << 8).into()), 24).key())
            .collect();
        for bit in 0..64 {
            let flips = keys.windows(2).filter(|pair| (pair[0] ^ pair[1]) >> bit & 1 == 1).count();
            assert!((1848..2248).contains(&flips), "bit {bit} changes {flips} times of 4095");
        }
    }
}
