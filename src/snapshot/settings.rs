//! What answers depend on beside zones.
//!
//! Settings come with a snapshot, so one reload changes zones and settings in one step. They are
//! finished values: texts are within the limits of the records that carry them, and the wall clock
//! is an offset, because the answer path knows only the time of its batch.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::geo::Network;
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
    /// Whose word counts on the network that an answer is for.
    pub ecs: EcsFrom,
    /// Which part of all answers is noted for the answer log; none for none.
    pub sampling: Option<Sampling>,
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
            ecs: EcsFrom::Everyone,
            sampling: None,
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

/// Which part of all answers is noted for the answer log, and what of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sampling {
    /// One in so many, on average.
    pub every: NonZeroU32,
    /// How many leading bits of an IPv4 and an IPv6 address may be known.
    pub bits: [u8; 2],
    /// The file that they are written to; none for the log of events.
    pub file: Option<Arc<Path>>,
}

/// Whose client subnets count: answers follow them, and carry them back. RFC 7871 §11.
///
/// A lie gets the answer of another network, which anybody in that network gets too; so it is
/// everyone's by default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EcsFrom {
    /// All sources.
    Everyone,
    /// None: as if the option did not exist.
    Nobody,
    /// Sources in these networks; of others it is as if they had not sent it.
    Networks(Box<[Network]>),
}

impl EcsFrom {
    /// True where the word of this source counts.
    pub fn trusts(&self, source: IpAddr) -> bool {
        match self {
            Self::Everyone => true,
            Self::Nobody => false,
            Self::Networks(networks) => networks.iter().any(|network| network.contains(source)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn sources_are_trusted_as_listed() {
        let networks = ["192.0.2.0/24", "2001:db8::/32"].map(|text| Network::parse(text).unwrap());
        let listed = EcsFrom::Networks(networks.into());
        for (source, expected) in [
            ("192.0.2.53", true),
            ("198.51.100.1", false),
            ("2001:db8::53", true),
            ("2001:db9::1", false),
        ] {
            let source: IpAddr = source.parse().unwrap();
            assert_eq!(listed.trusts(source), expected, "{source}");
            assert!(EcsFrom::Everyone.trusts(source) && !EcsFrom::Nobody.trusts(source));
        }
    }
}
