//! What became of every packet, counted.
//!
//! Each packet ends in exactly one [`Outcome`], so the outcomes add up to all packets. `truncated`
//! counts a part of what was sent, `cookies_valid` and `cookies_wrong` two parts of all packets,
//! and what addresses were first in is a part of `Answered`. A worker is the only writer of its
//! tally and needs no locked instruction; whoever shows figures adds the workers' tallies up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use arc_swap::ArcSwap;

use crate::snapshot::AddressSlot;
use crate::wire::cookie::Trust;

/// How a packet ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Records of the type asked, or an alias towards them.
    Answered,
    /// The name exists, the type does not.
    NoData,
    /// The name does not exist.
    NxDomain,
    /// The name is delegated away.
    Referred,
    /// No zone of ours, not our class, or something that is not given out, or not to this client.
    Refused,
    /// The zone is broken.
    Failed,
    /// FORMERR.
    Malformed,
    /// NOTIMP: an opcode or type that is not served.
    NotImplemented,
    /// BADVERS: an EDNS version that is not spoken.
    BadVersion,
    /// YXDOMAIN: a DNAME would make the name too long.
    TooLong,
    /// A text about ourselves: the version, which server this is, or how a service answers.
    Told,
    /// No question, but a cookie, and a good one went back.
    CookieGiven,
    /// BADCOOKIE: beyond the rate limit and with a cookie that is not good, or asking about one.
    BadCookie,
    /// Beyond the rate limit: truncated to the question.
    Slipped,
    /// Beyond the rate limit: nothing was said.
    Limited,
    /// Nothing was said: a runt, or a response.
    Dropped,
}

impl Outcome {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 16] = [
        Self::Answered,
        Self::NoData,
        Self::NxDomain,
        Self::Referred,
        Self::Refused,
        Self::Failed,
        Self::Malformed,
        Self::NotImplemented,
        Self::BadVersion,
        Self::TooLong,
        Self::Told,
        Self::CookieGiven,
        Self::BadCookie,
        Self::Slipped,
        Self::Limited,
        Self::Dropped,
    ];
}

/// One worker's counters.
#[derive(Debug)]
pub struct Tally {
    outcomes: [AtomicU64; Outcome::ALL.len()],
    truncated: AtomicU64,
    cookies_valid: AtomicU64,
    cookies_wrong: AtomicU64,
    /// For each address, how many answers it was first in. Replaced by a longer one when a snapshot
    /// has more addresses.
    firsts: ArcSwap<Firsts>,
}

type Firsts = Box<[AtomicU64]>;

impl Default for Tally {
    fn default() -> Self {
        Self {
            outcomes: Default::default(),
            truncated: AtomicU64::new(0),
            cookies_valid: AtomicU64::new(0),
            cookies_wrong: AtomicU64::new(0),
            firsts: ArcSwap::from_pointee(Firsts::default()),
        }
    }
}

impl Tally {
    /// How many packets ended so.
    pub fn outcome(&self, outcome: Outcome) -> u64 {
        self.outcomes[outcome as usize].load(Relaxed)
    }

    /// How many packets there were.
    pub fn packets(&self) -> u64 {
        Outcome::ALL.into_iter().map(|outcome| self.outcome(outcome)).sum()
    }

    /// How many responses went out with TC set.
    pub fn truncated(&self) -> u64 {
        self.truncated.load(Relaxed)
    }

    /// How many packets had a server cookie that was given to their client.
    pub fn cookies_valid(&self) -> u64 {
        self.cookies_valid.load(Relaxed)
    }

    /// How many packets had a server cookie that was not.
    pub fn cookies_wrong(&self) -> u64 {
        self.cookies_wrong.load(Relaxed)
    }

    /// How many answers an address was first in.
    pub fn first(&self, address: AddressSlot) -> u64 {
        self.firsts.load().get(address.0 as usize).map_or(0, |count| count.load(Relaxed))
    }
}

/// The writing side of a tally; a worker owns it.
#[derive(Debug)]
pub(super) struct Tallier {
    tally: Arc<Tally>,
    firsts: Arc<Firsts>,
    /// Which address the answer at hand begins with: counted once the answer is known to go out.
    first: Option<AddressSlot>,
}

impl Tallier {
    pub(super) fn new() -> Self {
        let tally = Arc::new(Tally::default());
        Self { firsts: tally.firsts.load_full(), tally, first: None }
    }

    pub(super) fn shared(&self) -> &Arc<Tally> {
        &self.tally
    }

    pub(super) fn reserve(&mut self, addresses: usize) {
        if addresses > self.firsts.len() {
            let kept = self.firsts.iter().map(|count| count.load(Relaxed));
            let longer = kept.chain(std::iter::repeat(0)).take(addresses);
            self.firsts = Arc::new(longer.map(AtomicU64::new).collect());
            self.tally.firsts.store(Arc::clone(&self.firsts));
        }
    }

    /// Counts how a packet ended, and the address that its answer began with.
    pub(super) fn count(&mut self, outcome: Outcome) {
        bump(&self.tally.outcomes[outcome as usize]);
        if let (Outcome::Answered, Some(address)) = (outcome, self.first.take())
            && let Some(count) = self.firsts.get(address.0 as usize)
        {
            bump(count);
        }
    }

    pub(super) fn truncated(&self) {
        bump(&self.tally.truncated);
    }

    pub(super) fn cookie(&self, trust: Option<Trust>) {
        match trust {
            Some(Trust::Valid) => bump(&self.tally.cookies_valid),
            Some(Trust::Wrong) => bump(&self.tally.cookies_wrong),
            Some(Trust::New) | None => {}
        }
    }

    /// The answer at hand begins with this address.
    pub(super) fn first(&mut self, address: AddressSlot) {
        self.first = Some(address);
    }
}

/// Adds one to a counter that nobody else writes.
fn bump(counter: &AtomicU64) {
    counter.store(counter.load(Relaxed).wrapping_add(1), Relaxed);
}
