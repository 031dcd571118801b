//! What became of every packet, counted.
//!
//! A worker is the only writer of its tally and needs no locked instruction; whoever shows figures
//! adds the workers' tallies up. Every packet ends in exactly one [`Outcome`], so everything adds
//! up:
//!
//! ```text
//!  packets   = all outcomes = all queries by transport, family and type
//!  responses = packets - limited - dropped = all sizes
//!    truncated         a part of the responses
//!  parts of the packets:
//!    cookies_valid, cookies_wrong
//!    subnets           with a client subnet; subnets_followed is a part of them
//!    by zone           whose name is in a zone that is served
//!    by tier           for addresses of a service that no pool serves as it should
//!  by address          a part of `Answered`: the address that the answer began with
//! ```
//!
//! Beside the numbers stands until when resolvers may hold the answers that they got:
//! `expiries.rs`.

mod asked;
mod expiries;
mod given;
mod holders;
mod row;
mod samples;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::Receiver;
use std::time::Instant;

use crate::snapshot::{AddressSlot, Snapshot, ZoneSlot};
use crate::steer::{Family, Tier};
use crate::wire::Rcode;
use crate::wire::cookie::Trust;

use super::Transport;
use super::sample::Sample;

pub use asked::Asked;
pub use holders::{Count, Holders};
pub use samples::Samples;

use expiries::{Expiries, ExpiryWriter};
use given::Given;
use row::{Row, RowWriter};

/// Sizes of responses are counted by the least power of two that is not below them, from 2^0 to
/// 2^16.
pub const SIZES: usize = 17;

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
    /// True where nothing goes out.
    pub fn is_silent(self) -> bool {
        matches!(self, Self::Limited | Self::Dropped)
    }

    /// The code of the response, where one goes out.
    pub fn rcode(self) -> Rcode {
        match self {
            Self::Answered
            | Self::NoData
            | Self::Referred
            | Self::Told
            | Self::CookieGiven
            | Self::Slipped
            | Self::Limited
            | Self::Dropped => Rcode::NoError,
            // RFC 6604 §2.1: behind aliases it is the last name that counts.
            Self::NxDomain => Rcode::NxDomain,
            Self::Refused => Rcode::Refused,
            Self::Failed => Rcode::ServFail,
            Self::Malformed => Rcode::FormErr,
            Self::NotImplemented => Rcode::NotImp,
            Self::BadVersion => Rcode::BadVers,
            Self::TooLong => Rcode::YxDomain,
            Self::BadCookie => Rcode::BadCookie,
        }
    }

    /// One word for machines.
    pub fn word(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::NoData => "no_data",
            Self::NxDomain => "nx_domain",
            Self::Referred => "referred",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Malformed => "malformed",
            Self::NotImplemented => "not_implemented",
            Self::BadVersion => "bad_version",
            Self::TooLong => "too_long",
            Self::Told => "told",
            Self::CookieGiven => "cookie_given",
            Self::BadCookie => "bad_cookie",
            Self::Slipped => "slipped",
            Self::Limited => "limited",
            Self::Dropped => "dropped",
        }
    }
}

/// One worker's counters, on cache lines of their own: 128 octets, because processors fetch lines
/// in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Tally {
    outcomes: [AtomicU64; Outcome::ALL.len()],
    /// By transport and family.
    queries: [[[AtomicU64; Asked::COUNT]; Family::ALL.len()]; Transport::ALL.len()],
    sizes: [AtomicU64; SIZES],
    octets: AtomicU64,
    truncated: AtomicU64,
    cookies_valid: AtomicU64,
    cookies_wrong: AtomicU64,
    subnets: AtomicU64,
    subnets_followed: AtomicU64,
    tiers: [AtomicU64; Tier::ALL.len()],
    firsts: Row,
    zones: Row,
    expiries: Expiries,
    samples: Samples,
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

    /// How many packets came that way and asked for that; the family is the client's.
    pub fn queries(&self, transport: Transport, family: Family, asked: Asked) -> u64 {
        self.queries[transport as usize][family as usize][asked.index()].load(Relaxed)
    }

    /// How many responses had at most 2^`index` octets, and more than half of that.
    pub fn sizes(&self) -> [u64; SIZES] {
        self.sizes.each_ref().map(|count| count.load(Relaxed))
    }

    /// How many octets all responses had together.
    pub fn octets(&self) -> u64 {
        self.octets.load(Relaxed)
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

    /// How many packets told a client subnet.
    pub fn subnets(&self) -> u64 {
        self.subnets.load(Relaxed)
    }

    /// How many of them were answered for the subnet: it had bits and came from where one is
    /// believed.
    pub fn subnets_followed(&self) -> u64 {
        self.subnets_followed.load(Relaxed)
    }

    /// How many packets asked for addresses of a service when that row of the truth table answered;
    /// 0 where all is as it should be.
    pub fn tier(&self, tier: Tier) -> u64 {
        self.tiers[tier as usize].load(Relaxed)
    }

    /// How many answers an address was first in.
    pub fn first(&self, address: AddressSlot) -> u64 {
        self.firsts.read(address.0)
    }

    /// Adds to each address's sum, by its slot, how many answers it was first in.
    pub fn add_firsts(&self, sums: &mut Vec<u64>) {
        self.firsts.add_to(sums);
    }

    /// What was noted for the answer log.
    pub fn samples(&self) -> &Samples {
        &self.samples
    }

    /// Adds those who may hold an answer that names one of these addresses, as seen at a time.
    pub fn add_holders(&self, holders: &mut Holders, addresses: &[AddressSlot], at: Instant) {
        self.expiries.add_to(holders, addresses, at);
    }

    /// Adds to each zone's sum, by its slot, how many packets had a name in it.
    pub fn add_zones(&self, sums: &mut Vec<u64>) {
        self.zones.add_to(sums);
    }
}

/// The writing side of a tally; a worker owns it.
#[derive(Debug)]
pub(super) struct Tallier {
    tally: Arc<Tally>,
    firsts: RowWriter,
    zones: RowWriter,
    expiries: ExpiryWriter,
    /// Which address the answer at hand begins with: counted once the answer is known to go out.
    first: Option<AddressSlot>,
    /// What the answer at hand says of a service, once it is known to go out.
    given: Given,
}

impl Tallier {
    pub(super) fn new() -> Self {
        let tally = Arc::new(Tally::default());
        let (firsts, zones) = (tally.firsts.writer(), tally.zones.writer());
        let expiries = tally.expiries.writer();
        Self { tally, firsts, zones, expiries, first: None, given: Given::default() }
    }

    pub(super) fn shared(&self) -> &Arc<Tally> {
        &self.tally
    }

    /// Begins a batch: makes room for what the snapshot has, and notes the time.
    pub(super) fn begin_batch(&mut self, snapshot: &Snapshot, now: Instant) {
        let (addresses, zones) = (snapshot.address_slots(), snapshot.zone_slots());
        self.firsts.reserve(addresses, &self.tally.firsts);
        self.zones.reserve(zones, &self.tally.zones);
        self.expiries.begin(addresses, now, &self.tally.expiries);
        self.given.reserve(snapshot.set_len_max());
    }

    /// Counts a packet by how it came and what it asks for.
    pub(super) fn query(&mut self, transport: Transport, family: Family, asked: Asked) {
        self.given.reset();
        bump(&self.tally.queries[transport as usize][family as usize][asked.index()]);
    }

    /// Counts how a packet ended, and the address that its answer began with.
    pub(super) fn count(&mut self, outcome: Outcome) {
        bump(&self.tally.outcomes[outcome as usize]);
        if let (Outcome::Answered, Some(address)) = (outcome, self.first.take()) {
            self.firsts.count(address.0);
        }
    }

    /// What the answer at hand says of a service.
    pub(super) fn given(&mut self) -> &mut Given {
        &mut self.given
    }

    /// Where samples come out that were noted.
    pub(super) fn lay_out(&self, samples: Receiver<Sample>) {
        self.tally.samples.lay_out(samples);
    }

    /// Adds to a sample what the answer at hand says of a service.
    pub(super) fn describe(&self, sample: &mut Sample) {
        sample.service = self.given.service();
        sample.set_named(self.given.named(), self.given.ttl());
    }

    /// Counts a sample that was handed over, or lost.
    pub(super) fn sampled(&self, handed_over: bool) {
        self.tally.samples.count(handed_over);
    }

    /// Notes that the answer at hand, if it names any addresses, goes to this resolver.
    pub(super) fn hand_over(&mut self, resolver: impl FnOnce() -> u64) {
        if !self.given.named().is_empty() {
            self.expiries.mark(self.given.named(), resolver(), self.given.ttl());
        }
    }

    /// Counts the octets of a response; there are at most 65,535.
    pub(super) fn sent(&self, len: usize) {
        let size = len.max(1).next_power_of_two().trailing_zeros() as usize;
        if let Some(count) = self.tally.sizes.get(size) {
            bump(count);
        }
        add(&self.tally.octets, len as u64);
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

    /// Counts a packet that told a client subnet.
    pub(super) fn subnet(&self, followed: bool) {
        bump(&self.tally.subnets);
        if followed {
            bump(&self.tally.subnets_followed);
        }
    }

    /// Counts a packet whose name is in a zone that is served.
    pub(super) fn zone(&self, zone: ZoneSlot) {
        self.zones.count(zone.0);
    }

    /// Counts a packet for addresses of a service, unless its pools serve as they should.
    pub(super) fn tier(&self, tier: Tier) {
        if tier != Tier::Serving {
            bump(&self.tally.tiers[tier as usize]);
        }
    }

    /// The answer at hand begins with this address.
    pub(super) fn first(&mut self, address: AddressSlot) {
        self.first = Some(address);
    }
}

/// Adds one to a counter that nobody else writes.
fn bump(counter: &AtomicU64) {
    add(counter, 1);
}

fn add(counter: &AtomicU64, amount: u64) {
    counter.store(counter.load(Relaxed).wrapping_add(amount), Relaxed);
}
