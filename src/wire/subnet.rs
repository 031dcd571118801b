//! The client subnet option: for whom a resolver asks. RFC 7871 §6.
//!
//! ```text
//!  | family 2 | source prefix 1 | scope prefix 1 | address, as many octets as the prefix needs |
//!    1 IPv4                       0 in a query     bits beyond the prefix are 0
//!    2 IPv6
//! ```
//!
//! A response returns it as it came, with one octet changed: the scope, which is how much of the
//! address the answer was for. So what is kept is the data itself, once it is known to be sound.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Octets of the longest option's data: an IPv6 address whole.
pub const SUBNET_LEN_MAX: usize = 20;
/// Where the scope stands in the data.
pub(crate) const SCOPE_AT: usize = 3;

/// The client subnet option of a query: data that has been found to be sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subnet<'m> {
    data: &'m [u8],
    address: IpAddr,
    source: u8,
}

impl<'m> Subnet<'m> {
    /// Reads an option's data; none where it breaks the format, which is FORMERR.
    pub fn parse(data: &'m [u8]) -> Option<Self> {
        read(data).map(|(address, source)| Self { data, address, source })
    }

    /// The data as it came, which is how it goes back as long as the scope is 0.
    pub fn data(&self) -> &'m [u8] {
        self.data
    }

    /// The address, and how many of its leading bits are known; the others are 0.
    ///
    /// None for a prefix of no bits: whoever asks shall not be told from others. RFC 7871 §7.1.2.
    pub fn prefix(&self) -> Option<(IpAddr, u8)> {
        (self.source > 0).then_some((self.address, self.source))
    }
}

/// The address and the source prefix of sound data.
///
/// RFC 7871 §6 has too few or too many octets and bits beyond the prefix rejected, §7.2.1 all that
/// is formed wrongly, an unknown family above all. Family 0 is unknown too, but with a source
/// prefix of 0 there is nothing that it could be the family of: §7.1.2 only says that senders
/// should give another, and §7.5 has nobody refused for giving no bits. BIND draws the same line.
fn read(data: &[u8]) -> Option<(IpAddr, u8)> {
    let (&[family_high, family_low, source, scope], octets) = data.split_first_chunk()?;
    let needed = usize::from(source).div_ceil(8);
    let beyond = match source % 8 {
        0 => 0,
        kept => octets.last()? & (u8::MAX >> kept),
    };
    if octets.len() != needed || beyond != 0 || scope != 0 {
        return None;
    }
    let mut whole = [0; 16];
    whole.get_mut(..needed)?.copy_from_slice(octets);
    let address = match (u16::from_be_bytes([family_high, family_low]), source) {
        (0, 0) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        (1, 0..=32) => Ipv4Addr::new(whole[0], whole[1], whole[2], whole[3]).into(),
        (2, 0..=128) => Ipv6Addr::from(whole).into(),
        (_, _) => return None,
    };
    Some((address, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(data: &[u8], expected: &str) {
        let found = match Subnet::parse(data) {
            Some(subnet) => {
                assert_eq!(subnet.data(), data);
                let prefix = subnet.prefix().map(|(address, source)| format!("{address}/{source}"));
                prefix.unwrap_or_else(|| String::from("nobody"))
            }
            None => String::from("error"),
        };
        assert_eq!(found, expected, "{data:02x?}");
    }

    #[test]
    fn prefixes_of_both_families_are_read() {
        check(b"\x00\x01\x18\x00\xc0\x00\x02", "192.0.2.0/24");
        check(b"\x00\x01\x20\x00\xc0\x00\x02\x01", "192.0.2.1/32");
        check(b"\x00\x01\x01\x00\x80", "128.0.0.0/1");
        check(b"\x00\x01\x13\x00\xc0\x00\x20", "192.0.32.0/19");
        check(b"\x00\x02\x20\x00\x20\x01\x0d\xb8", "2001:db8::/32");
        check(b"\x00\x02\x38\x00\x20\x01\x0d\xb8\x00\x00\x01", "2001:db8:0:100::/56");
        let whole = [&b"\x00\x02\x80\x00\x20\x01\x0d\xb8"[..], &[0; 11], &[1]].concat();
        assert_eq!(whole.len(), SUBNET_LEN_MAX);
        check(&whole, "2001:db8::1/128");
    }

    #[test]
    fn a_prefix_of_no_bits_is_nobody_s() {
        check(b"\x00\x00\x00\x00", "nobody");
        check(b"\x00\x01\x00\x00", "nobody");
        check(b"\x00\x02\x00\x00", "nobody");
    }

    #[test]
    fn what_breaks_the_format_is_an_error() {
        check(b"", "error");
        check(b"\x00\x01\x00", "error");
        // An octet too few, one too many, one for no bits, none for a bit.
        check(b"\x00\x01\x18\x00\xc0\x00", "error");
        check(b"\x00\x01\x18\x00\xc0\x00\x02\x00", "error");
        check(b"\x00\x01\x00\x00\x00", "error");
        check(b"\x00\x01\x01\x00", "error");
        // A bit beyond the prefix.
        check(b"\x00\x01\x13\x00\xc0\x00\x30", "error");
        // A scope, which is not for a query to say.
        check(b"\x00\x01\x18\x18\xc0\x00\x02", "error");
        check(b"\x00\x01\x00\x01", "error");
        // Families that are not known, and bits of no family.
        check(b"\x00\x00\x08\x00\x0a", "error");
        check(b"\x00\x03\x00\x00", "error");
        check(b"\x01\x01\x18\x00\xc0\x00\x02", "error");
        // More bits than an address has.
        check(b"\x00\x01\x21\x00\xc0\x00\x02\x00\x00", "error");
        check(&[&b"\x00\x02\x81\x00"[..], &[0; 17]].concat(), "error");
        check(&[&b"\x00\x02\xff\x00"[..], &[0; 32]].concat(), "error");
    }
}
