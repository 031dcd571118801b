//! Networks as operators write them: an address and how many of its bits count.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An IPv4 or IPv6 network; bits beyond its length are zero.
///
/// IPv4-mapped IPv6 addresses are IPv6 here: who receives packets on a socket of both families
/// gives them back their family before they come to this floor.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network {
    address: IpAddr,
    length: u8,
}

/// Why a text is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkError {
    /// The part before the slash is no address.
    Address,
    /// The part behind the slash is no number, or more than the address has bits.
    Length {
        /// How many bits an address of the family has.
        max: u8,
    },
    /// Bits are set beyond the length.
    HostBits {
        /// The network that the address lies in.
        network: Network,
    },
}

impl Network {
    /// The network of an address; bits beyond the length are cut off. None where the length is
    /// more than the address has bits.
    pub fn new(address: IpAddr, length: u8) -> Option<Self> {
        let address = match address {
            IpAddr::V4(v4) if length <= 32 => {
                let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & mask))
            }
            IpAddr::V6(v6) if length <= 128 => {
                let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask))
            }
            IpAddr::V4(_) | IpAddr::V6(_) => return None,
        };
        Some(Self { address, length })
    }

    /// Reads `192.0.2.0/24`, `2001:db8::/32`, or one address alone.
    pub fn parse(text: &str) -> Result<Self, NetworkError> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NetworkError::Address)?;
        let max = bits_of(address);
        let length = match length {
            // A sign or leading zeros would be read as a number too.
            Some(text) if text.starts_with(['+', '0']) && text != "0" => None,
            Some(text) => text.parse().ok(),
            None => Some(max),
        };
        let network = length.and_then(|length| Self::new(address, length));
        let network = network.ok_or(NetworkError::Length { max })?;
        if network.address == address {
            Ok(network)
        } else {
            Err(NetworkError::HostBits { network })
        }
    }

    /// Its first address.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// How many bits count.
    pub fn length(&self) -> u8 {
        self.length
    }

    /// True where the address lies in it; an address of the other family never does.
    pub fn contains(&self, address: IpAddr) -> bool {
        // Every length of ours fits our family, and the other family's network is another value.
        address.is_ipv4() == self.address.is_ipv4()
            && Self::new(address, self.length).is_some_and(|other| other == *self)
    }
}

fn bits_of(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address => f.write_str("no IPv4 or IPv6 address before the slash"),
            Self::Length { max } => {
                write!(f, "the length of a prefix is a number from 0 to {max}")
            }
            Self::HostBits { .. } => f.write_str("bits are set beyond the prefix"),
        }
    }
}

impl std::error::Error for NetworkError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&str, &str>) {
        let found = Network::parse(text).map(|network| network.to_string());
        let found = found.map_err(|error| match error {
            NetworkError::HostBits { network } => format!("{error}: {network}"),
            NetworkError::Address | NetworkError::Length { .. } => error.to_string(),
        });
        let expected = expected.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn reads_networks() {
        check("192.0.2.0/24", Ok("192.0.2.0/24"));
        check("192.0.2.1", Ok("192.0.2.1/32"));
        check("0.0.0.0/0", Ok("0.0.0.0/0"));
        check("2001:DB8::/32", Ok("2001:db8::/32"));
        check("::/0", Ok("::/0"));
        check("2001:db8::1", Ok("2001:db8::1/128"));
        check("192.0.2.1/24", Err("bits are set beyond the prefix: 192.0.2.0/24"));
        check("2001:db8::1/64", Err("bits are set beyond the prefix: 2001:db8::/64"));
        for text in ["192.0.2.0/33", "192.0.2.0/", "192.0.2.0/+8", "192.0.2.0/08", "1.2.3.4/-1"] {
            check(text, Err("the length of a prefix is a number from 0 to 32"));
        }
        check("2001:db8::/129", Err("the length of a prefix is a number from 0 to 128"));
        for text in ["", "/", "192.0.2/24", "example.org/24"] {
            check(text, Err("no IPv4 or IPv6 address before the slash"));
        }
    }

    #[test]
    fn holds_its_addresses_and_no_others() {
        for (network, inside, outside) in [
            ("192.0.2.0/24", "192.0.2.255", "192.0.3.0"),
            ("192.0.2.0/25", "192.0.2.127", "192.0.2.128"),
            ("0.0.0.0/0", "255.255.255.255", "::"),
            ("::/0", "ffff::", "0.0.0.0"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("2001:db8::/64", "2001:db8::1", "192.0.2.1"),
            ("192.0.2.1", "192.0.2.1", "192.0.2.0"),
        ] {
            let parsed = Network::parse(network).unwrap();
            assert!(parsed.contains(inside.parse().unwrap()), "{network} {inside}");
            assert!(!parsed.contains(outside.parse().unwrap()), "{network} {outside}");
        }
    }
}
