//! What answers depend on beside zones.
//!
//! Settings come with a snapshot, so one reload changes zones and settings in one step. They are
//! finished values: texts are within the limits of the records that carry them, and the wall clock
//! is an offset, because the answer path knows only the time of its batch.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::{Duration, Instant};

use crate::wire::cookie::Secrets;
use crate::wire::options::NSID_LEN_MAX;

/// Octets of one character-string. RFC 1035 §3.3.
const VERSION_LEN_MAX: usize = 255;

/// What answers depend on beside zones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Largest UDP response, in octets.
    pub udp_size: u16,
    /// Which server of many this is: NSID, `id.server`, `hostname.bind`. Told only if there is one.
    pub nsid: Option<Nsid>,
    /// The answer to `version.bind` and `version.server`. Told only if there is one.
    pub version: Option<Version>,
    /// DNS cookies; without them the option is passed over like an unknown one.
    pub cookies: Option<Cookies>,
    /// How often answers may go to one network over UDP; without it as often as they are asked for.
    ///
    /// There is none by default, as in BIND, NSD (as built by distributions) and Knot: a limit that
    /// suits a small server starves a large resolver, and what Rota serves is asked for often,
    /// because TTLs are short.
    pub rate_limit: Option<RateLimit>,
    /// After how long a silent stream is closed: what the keepalive option tells.
    pub idle: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            // No path in use fragments 1,232 octets: RFC 9715 §3.2, DNS flag day 2020.
            udp_size: 1232,
            nsid: None,
            version: None,
            cookies: None,
            rate_limit: None,
            idle: Duration::from_secs(10),
        }
    }
}

/// A text that fits one field of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounded<const MAX: usize>(Box<[u8]>);

/// A name server identifier. RFC 5001 §2.3.
pub type Nsid = Bounded<NSID_LEN_MAX>;
/// What `version.bind` says.
pub type Version = Bounded<VERSION_LEN_MAX>;

impl<const MAX: usize> Bounded<MAX> {
    /// The longest, in octets.
    pub const LEN_MAX: usize = MAX;

    /// None where the text is empty or too long.
    pub fn new(text: &str) -> Option<Self> {
        (1..=MAX).contains(&text.len()).then(|| Self(text.as_bytes().into()))
    }

    /// Its octets.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// How server cookies are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cookies {
    /// With what.
    pub secrets: Secrets,
    /// The time that is written into them.
    pub clock: Clock,
}

/// The wall clock as it stood at one moment: any later time follows by counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// The moment.
    pub at: Instant,
    /// Seconds since 1970 at that moment; they wrap in 2106.
    pub unix: u32,
}

impl Clock {
    /// Seconds since 1970 at another moment.
    pub fn unix(&self, now: Instant) -> u32 {
        // Modulo 2^32, as the seconds wrap.
        self.unix.wrapping_add(now.saturating_duration_since(self.at).as_secs() as u32)
    }
}

/// How often answers may go to one network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Answers of one kind per second, for each worker; as many at once after a second of none.
    pub per_second: NonZeroU32,
    /// Of the answers beyond the limit every so-manieth goes out as a short one that asks the
    /// client to come back otherwise; 0 = none does, 1 = all do.
    pub slip: u8,
    /// Whom it does not hold for.
    pub exempt: Box<[Network]>,
}

/// A network: all addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    len: u8,
}

/// Why a text is not a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkError {
    /// Not `address/length`, and not an address.
    Malformed,
    /// There are bits behind the length: the network would begin elsewhere, at this one.
    HostBits(Network),
}

impl Network {
    /// The network of this length that an address lies in; none where the length is too much.
    pub fn of(ip: IpAddr, len: u8) -> Option<Self> {
        let (bits, first) = match ip {
            IpAddr::V4(v4) => {
                let mask = u32::MAX.checked_shl(32_u32.checked_sub(len.into())?).unwrap_or(0);
                (32, IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & mask)))
            }
            IpAddr::V6(v6) => {
                let mask = u128::MAX.checked_shl(128_u32.checked_sub(len.into())?).unwrap_or(0);
                (128, IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask)))
            }
        };
        (len <= bits).then_some(Self { first, len })
    }

    /// True for addresses of the network.
    pub fn contains(&self, ip: IpAddr) -> bool {
        Self::of(ip, self.len).is_some_and(|network| network.first == self.first)
    }

    /// The lowest address of the network.
    pub fn first(&self) -> IpAddr {
        self.first
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.first, self.len)
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (ip, len) = match text.split_once('/') {
            Some((ip, len)) => (ip, Some(len.parse().map_err(|_| NetworkError::Malformed)?)),
            None => (text, None),
        };
        let ip: IpAddr = ip.parse().map_err(|_| NetworkError::Malformed)?;
        let len = len.unwrap_or(if ip.is_ipv4() { 32 } else { 128 });
        let network = Self::of(ip, len).ok_or(NetworkError::Malformed)?;
        if network.first == ip { Ok(network) } else { Err(NetworkError::HostBits(network)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_their_addresses_and_no_others() {
        for (network, inside, outside) in [
            ("192.0.2.0/24", &["192.0.2.0", "192.0.2.255"][..], &["192.0.3.0", "2001:db8::"][..]),
            ("192.0.2.7", &["192.0.2.7"], &["192.0.2.6", "192.0.2.8"]),
            ("0.0.0.0/0", &["0.0.0.0", "255.255.255.255"], &["::"]),
            ("2001:db8::/33", &["2001:db8:7fff::1"], &["2001:db8:8000::", "192.0.2.1"]),
            ("2001:db8::7/128", &["2001:db8::7"], &["2001:db8::8"]),
            ("::/0", &["::1", "2001:db8::"], &["0.0.0.0"]),
        ] {
            let parsed: Network = network.parse().unwrap();
            let holds = |ip: &&str| parsed.contains(ip.parse().unwrap());
            assert!(inside.iter().all(holds), "{network}");
            assert!(!outside.iter().any(holds), "{network}");
        }
    }

    #[test]
    fn other_texts_are_no_networks() {
        for text in ["", "192.0.2.0/", "192.0.2.0/33", "2001:db8::/129", "x/8", "192.0.2.0/-1"] {
            assert_eq!(text.parse::<Network>(), Err(NetworkError::Malformed), "{text}");
        }
        let meant = "192.0.2.0/24".parse().unwrap();
        assert_eq!("192.0.2.1/24".parse::<Network>(), Err(NetworkError::HostBits(meant)));
        assert_eq!(meant.to_string(), "192.0.2.0/24");
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "any time will do")]
    fn a_clock_counts_on_and_wraps() {
        let at = Instant::now();
        let clock = Clock { at, unix: u32::MAX - 1 };
        for (later, expected) in [(0, u32::MAX - 1), (1, u32::MAX), (2, 0), (10, 8)] {
            assert_eq!(clock.unix(at + Duration::from_secs(later)), expected);
        }
    }

    #[test]
    fn texts_keep_their_bounds() {
        assert!(Nsid::new("").is_none() && Nsid::new("a").is_some());
        assert!(Nsid::new(&"a".repeat(128)).is_some() && Nsid::new(&"a".repeat(129)).is_none());
        assert!(Version::new(&"a".repeat(255)).is_some());
        assert!(Version::new(&"a".repeat(256)).is_none());
    }
}
