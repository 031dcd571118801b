//! The sum of the Internet's checksums. RFC 1071.
//!
//! It is the same in either order of octets (§2.B), so octets are added as this machine reads them,
//! four at a time, and what comes out is written as it lies in memory.

/// A sum under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sum(u64);

impl Sum {
    /// The sum of these octets; one that is left over stands for itself and a zero after it.
    pub(super) fn of(octets: &[u8]) -> Self {
        let (fours, rest) = octets.as_chunks::<4>();
        let sum: u64 = fours.iter().map(|four| u64::from(u32::from_ne_bytes(*four))).sum();
        let mut last = [0; 4];
        last[..rest.len()].copy_from_slice(rest);
        Self(sum + u64::from(u32::from_ne_bytes(last)))
    }

    /// Both. The first must be of an even number of octets.
    pub(super) fn plus(self, other: Self) -> Self {
        // Each is below 2^48: a datagram has fewer than 2^14 times four octets.
        Self(self.0 + other.0)
    }

    /// The sum in two octets.
    pub(super) fn folded(self) -> [u8; 2] {
        let mut sum = self.0;
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        (sum as u16).to_ne_bytes()
    }

    /// What makes the sum whole where it is written in a place that was zero.
    pub(super) fn checksum(self) -> [u8; 2] {
        self.folded().map(|octet| !octet)
    }

    /// True of octets that hold their own checksum.
    pub(super) fn is_whole(self) -> bool {
        self.folded() == [0xff, 0xff]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc() {
        // RFC 1071 §3.
        let octets = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(Sum::of(&octets).folded(), [0xdd, 0xf2]);
        assert_eq!(Sum::of(&octets).checksum(), [0x22, 0x0d]);
    }

    proptest::proptest! {
        /// As the RFC says it in words: pairs, added with the carry going round.
        #[test]
        fn the_sum_is_that_of_pairs(octets: Vec<u8>) {
            let mut plain = 0_u32;
            for pair in octets.chunks(2) {
                let low = pair.get(1).copied().unwrap_or(0);
                plain += u32::from(u16::from_be_bytes([pair[0], low]));
                plain = (plain & 0xffff) + (plain >> 16);
            }
            proptest::prop_assert_eq!(u16::from_be_bytes(Sum::of(&octets).folded()), plain as u16);
            let even = (octets.len() / 2) & !1;
            let (one, other) = octets.split_at(even);
            let both = Sum::of(one).plus(Sum::of(other)).folded();
            proptest::prop_assert_eq!(both, Sum::of(&octets).folded());
        }
    }
}
