//! How often the same kind of answer may go to the same network.
//!
//! A query by UDP proves nothing about who sent it, so whoever forges addresses can have a server
//! send its answers, which are longer than the questions, to somebody else. Answers of one kind to
//! one network are therefore counted, and those beyond the rate are mostly not sent:
//!
//! ```text
//!  key = network (IPv4 /24, IPv6 /56) + class + subject
//!
//!    class      subject
//!    name       the zone's own name that answered: a wildcard or a DNAME for all names under it
//!    NXDOMAIN   the zone
//!    referral   the cut
//!    error      none: all errors are one
//!
//!  over the limit ── every slip-th ─► with a cookie: BADCOOKIE and a new one; without: TC
//!                 └─ the others ────► silence
//! ```
//!
//! Subjects are names of ours, never the client's, so that nobody escapes by making names up. A
//! client that is real loses nothing: it comes again with the new cookie, and cookies are exempt,
//! or by TCP, which is. Errors are as short as their questions and say so little that a truncated
//! one would say nothing; the slip-th goes out as it is, as in BIND.
//!
//! A bucket of tokens is kept as one number, the time when it will be full again: taking a token
//! moves it on by the time in which one token comes. The table is bounded and never full: where
//! four keys share a place, a fifth takes that of the one that is closest to full, whose loss gives
//! the least away. A worker makes its table once, when a limit is first asked for.

use std::hash::BuildHasher;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use foldhash::quality::FixedState;

use crate::geo::Network;
use crate::snapshot::settings::RateLimit;
use crate::snapshot::{Lookup, Zone};

use super::tally::Outcome;

/// A client's network: what one forged victim, or one resolver farm, commonly has.
const NETWORK_LEN_V4: u8 = 24;
/// What one site commonly gets of IPv6: RFC 6177 §2 leaves it between /48 and /64.
const NETWORK_LEN_V6: u8 = 56;
/// Buckets that share a place: 64 octets, a line of the cache.
const WAYS: usize = 4;
/// Places of a worker's table: 65,536 buckets in 1 MiB, which is 200 networks asking for everything
/// of a zone with 300 names at once.
const PLACES: usize = 16_384;
/// A bucket holds as many tokens as come in this time.
const BURST: Duration = Duration::from_secs(1);

/// What is to become of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is sent.
    Pass,
    /// It is beyond the limit; a short one is sent in its place.
    Slip,
    /// It is beyond the limit; nothing is sent.
    Drop,
}

/// The kinds of answers that are counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Class {
    /// From a name of ours, with data or without.
    Name,
    /// NXDOMAIN.
    Missing,
    /// A referral.
    Referral,
    /// Any error.
    Error,
}

impl Class {
    /// The class of an outcome; none for what is not an answer or has been judged already.
    pub(super) fn of(outcome: Outcome) -> Option<Self> {
        match outcome {
            // YXDOMAIN comes with the DNAME, and is as long as any answer.
            Outcome::Answered | Outcome::NoData | Outcome::TooLong | Outcome::Told => {
                Some(Self::Name)
            }
            Outcome::NxDomain => Some(Self::Missing),
            Outcome::Referred => Some(Self::Referral),
            Outcome::Refused
            | Outcome::Failed
            | Outcome::Malformed
            | Outcome::NotImplemented
            | Outcome::BadVersion
            | Outcome::CookieGiven
            | Outcome::BadCookie => Some(Self::Error),
            Outcome::Slipped | Outcome::Limited | Outcome::Dropped => None,
        }
    }
}

/// What an answer is about: a place in memory stands for the name of ours that is there. After a
/// reload it is another place, and its buckets begin anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Subject(usize);

impl Subject {
    pub(super) fn of(zone: &Zone, found: Lookup) -> Self {
        match found {
            Lookup::Exact(id)
            | Lookup::Wildcard { source: id, .. }
            | Lookup::Cut(id)
            | Lookup::Renamed(id) => Self(std::ptr::from_ref(zone.entry(id)).addr()),
            Lookup::Missing { .. } => Self(std::ptr::from_ref(zone).addr()),
        }
    }
}

/// A worker's buckets; none before a limit was asked for.
#[derive(Default)]
pub(super) struct Limiter(Option<Table>);

struct Table {
    /// Times are counted from here.
    epoch: Instant,
    /// Seeded by chance, so that nobody can aim at somebody else's bucket.
    hash: FixedState,
    places: Box<[[Bucket; WAYS]]>,
}

#[derive(Clone, Copy, Default)]
struct Bucket {
    /// The upper half of the key's hash; the lower one chose the place.
    tag: u32,
    /// Answers beyond the limit, counted for slips.
    over: u32,
    /// When it will be full again, in nanoseconds since the epoch: past for a full one.
    full_at: u64,
}

impl Limiter {
    /// Makes the table, once: the only call that allocates.
    pub(super) fn prepare(&mut self, seed: impl FnOnce() -> u64, now: Instant) {
        self.0.get_or_insert_with(|| Table {
            epoch: now,
            hash: FixedState::with_seed(seed()),
            places: vec![[Bucket::default(); WAYS]; PLACES].into(),
        });
    }

    /// Counts an answer to a client and judges it.
    pub(super) fn judge(
        &mut self,
        limit: &RateLimit,
        client: IpAddr,
        (class, subject): (Class, Subject),
        now: Instant,
    ) -> Verdict {
        let Some(table) = &mut self.0 else { return Verdict::Pass };
        if limit.exempt.iter().any(|network| network.contains(client)) {
            return Verdict::Pass;
        }
        let len = if client.is_ipv4() { NETWORK_LEN_V4 } else { NETWORK_LEN_V6 };
        let network = Network::new(client, len).map(|network| network.address());
        let now = now.saturating_duration_since(table.epoch).as_nanos() as u64;
        let hash = table.hash.hash_one((network, class, subject));
        table.bucket(hash, now).take(limit, now)
    }
}

impl Table {
    /// The key's bucket, or a full one in the place of what is least worth keeping.
    fn bucket(&mut self, hash: u64, now: u64) -> &mut Bucket {
        let tag = (hash >> 32) as u32;
        let ways = &mut self.places[hash as usize % PLACES];
        let mut at = 0;
        for (way, bucket) in ways.iter().enumerate() {
            if bucket.tag == tag {
                return &mut ways[way];
            }
            if bucket.full_at < ways[at].full_at {
                at = way;
            }
        }
        ways[at] = Bucket { tag, over: 0, full_at: now };
        &mut ways[at]
    }
}

impl Bucket {
    /// Takes a token, or says what is to be done without one.
    fn take(&mut self, limit: &RateLimit, now: u64) -> Verdict {
        let burst = BURST.as_nanos() as u64;
        let token = burst / u64::from(limit.per_second.get());
        // A limit that was lowered by a reload must not keep buckets empty for longer than a burst.
        let full_at = self.full_at.clamp(now, now + burst);
        if full_at + token <= now + burst {
            *self = Self { full_at: full_at + token, over: 0, ..*self };
            return Verdict::Pass;
        }
        self.over = self.over.wrapping_add(1);
        let slips = limit.slip > 0 && self.over.is_multiple_of(limit.slip.into());
        if slips { Verdict::Slip } else { Verdict::Drop }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn limit(per_second: u32, slip: u8) -> RateLimit {
        let exempt =
            ["198.51.100.0/24", "2001:db8:1::/48"].map(|text| Network::parse(text).unwrap());
        RateLimit { per_second: NonZeroU32::new(per_second).unwrap(), slip, exempt: exempt.into() }
    }

    #[expect(clippy::disallowed_methods, reason = "any time will do: the tests count from it")]
    fn limiter() -> (Limiter, Instant) {
        let (mut limiter, now) = (Limiter::default(), Instant::now());
        limiter.prepare(|| 1, now);
        (limiter, now)
    }

    const KEY: (Class, Subject) = (Class::Name, Subject(1));

    fn passes(limiter: &mut Limiter, limit: &RateLimit, count: usize, now: Instant) -> usize {
        let client = "192.0.2.1".parse().unwrap();
        let pass = |_: &usize| limiter.judge(limit, client, KEY, now) == Verdict::Pass;
        (0..count).filter(pass).count()
    }

    #[test]
    fn a_second_of_answers_at_once_and_then_the_rate() {
        for per_second in [1, 3, 200, 10_000] {
            let (mut limiter, start) = limiter();
            let limit = limit(per_second, 2);
            let most = per_second as usize;
            assert_eq!(passes(&mut limiter, &limit, most + 50, start), most, "{per_second}");
            let later = start + Duration::from_secs(1);
            assert_eq!(passes(&mut limiter, &limit, most + 50, later), most, "{per_second}");
            let half = later + Duration::from_millis(500);
            assert_eq!(passes(&mut limiter, &limit, most, half), most / 2, "{per_second}");
            let long = later + Duration::from_secs(3600);
            assert_eq!(passes(&mut limiter, &limit, most + 50, long), most, "{per_second}");
        }
    }

    #[test]
    fn every_so_manieth_beyond_the_limit_slips() {
        for (slip, expected) in [(0, "pddddd"), (1, "psssss"), (2, "pdsdsd"), (3, "pddsdd")] {
            let (mut limiter, now) = limiter();
            let client = "192.0.2.1".parse().unwrap();
            let verdict = |_| match limiter.judge(&limit(1, slip), client, KEY, now) {
                Verdict::Pass => 'p',
                Verdict::Slip => 's',
                Verdict::Drop => 'd',
            };
            assert_eq!((0..6).map(verdict).collect::<String>(), expected, "slip {slip}");
        }
    }

    /// True where both are counted together.
    #[track_caller]
    fn check_shared(one: (&str, (Class, Subject)), other: (&str, (Class, Subject)), shared: bool) {
        let (mut limiter, now) = limiter();
        let mut ask = |(client, key): (&str, _)| {
            limiter.judge(&limit(1, 0), client.parse().unwrap(), key, now)
        };
        assert_eq!(ask(one), Verdict::Pass);
        let expected = if shared { Verdict::Drop } else { Verdict::Pass };
        assert_eq!(ask(other), expected, "{one:?} {other:?}");
    }

    #[test]
    fn networks_classes_and_subjects_are_counted_apart() {
        check_shared(("192.0.2.1", KEY), ("192.0.2.255", KEY), true);
        check_shared(("192.0.2.1", KEY), ("192.0.3.1", KEY), false);
        check_shared(("2001:db8::1", KEY), ("2001:db8:0:ff::1", KEY), true);
        check_shared(("2001:db8::1", KEY), ("2001:db8:0:100::1", KEY), false);
        check_shared(("192.0.2.1", KEY), ("192.0.2.1", (Class::Missing, KEY.1)), false);
        check_shared(("192.0.2.1", KEY), ("192.0.2.1", (KEY.0, Subject(2))), false);
    }

    #[test]
    fn exempt_networks_are_never_limited() {
        let (mut limiter, now) = limiter();
        for client in ["198.51.100.7", "2001:db8:1::7"] {
            for _ in 0..10 {
                let verdict = limiter.judge(&limit(1, 0), client.parse().unwrap(), KEY, now);
                assert_eq!(verdict, Verdict::Pass);
            }
        }
    }

    #[test]
    fn a_lower_limit_holds_after_a_second_at_most() {
        let (mut limiter, start) = limiter();
        passes(&mut limiter, &limit(10_000, 0), 10_000, start);
        let later = start + Duration::from_secs(1);
        assert_eq!(passes(&mut limiter, &limit(1, 0), 5, later), 1);
    }

    #[test]
    fn more_keys_than_buckets_forget_the_quiet_ones() {
        let (mut limiter, now) = limiter();
        let one = limit(10, 0);
        let loud = (Class::Error, Subject(0));
        let client = "192.0.2.1".parse().unwrap();
        for _ in 0..10 {
            limiter.judge(&one, client, loud, now);
        }
        for subject in 1..2 * PLACES * WAYS {
            limiter.judge(&one, client, (Class::Name, Subject(subject)), now);
        }
        assert_eq!(limiter.judge(&one, client, loud, now), Verdict::Drop);
    }
}
