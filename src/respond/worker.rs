//! What one worker owns and nobody else touches while it answers.

use std::hash::BuildHasher;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Instant;

use fastrand::Rng;
use foldhash::fast::FixedState;

use crate::snapshot::{PoolSlot, Snapshot, StaticRrset};
use crate::steer::{Asker, Family, Scratch, Turn};
use crate::wire::{Folded, Query};

use super::Transport;
use super::limit::{Limiter, Subject};
use super::sample::{Sample, Sampler};
use super::tally::{Outcome, Tallier, Tally};

/// Rotation positions for static address sets: a prime, so that neighbours do not share one.
const STATIC_TURNS: usize = 1021;
/// The same for all workers, whose notes on a resolver are put together.
const HASH: FixedState = FixedState::with_seed(0x6361_6368_6564);

/// Counters, rotation positions, the random state, buffers.
///
/// One per UDP thread and one per stream runtime. Rotation is exact per worker.
pub struct Worker {
    pub(super) rng: Rng,
    pub(super) now: Option<Instant>,
    pub(super) scratch: Scratch,
    /// Whom the answer at hand is for; nobody before the first.
    pub(super) asker: Asker,
    /// Where its query came from.
    pub(super) source: IpAddr,
    /// The name being looked up.
    pub(super) name: Folded,
    /// A name beside it: a name server's.
    pub(super) beside: Folded,
    pub(super) tally: Tallier,
    /// What the answer at hand is about, once that is known.
    pub(super) subject: Option<Subject>,
    pub(super) limiter: Limiter,
    pub(super) sampler: Sampler,
    turns: Vec<[Turn; 2]>,
    static_turns: [u16; STATIC_TURNS],
}

/// Who keeps an answer, as a number that looks like chance and is the same for every worker: a
/// resolver, and each network that it tells of by itself, since that is how it keeps answers.
fn resolver(source: IpAddr, asker: &Asker) -> u64 {
    let bits = |address: IpAddr| match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    };
    let told = if asker.is_told() { bits(asker.address()) } else { 0 };
    HASH.hash_one((bits(source), told))
}

impl Worker {
    /// A worker; `seed` is the start of its random numbers.
    pub fn new(seed: u64) -> Self {
        Self {
            rng: Rng::with_seed(seed),
            now: None,
            scratch: Scratch::default(),
            asker: Asker::source(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            source: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            name: Folded::root(),
            beside: Folded::root(),
            tally: Tallier::new(),
            subject: None,
            limiter: Limiter::default(),
            sampler: Sampler::default(),
            turns: Vec::new(),
            static_turns: [0; STATIC_TURNS],
        }
    }

    /// Its counters, to be read by others.
    pub fn tally(&self) -> &Arc<Tally> {
        self.tally.shared()
    }

    /// Called before a batch: what is sized by the snapshot or asked for by its settings is made
    /// here and nowhere else, and the batch's time is noted.
    pub fn begin_batch(&mut self, snapshot: &Snapshot, now: Instant) {
        self.now = Some(now);
        if self.turns.len() < snapshot.pool_slots() {
            self.turns.resize(snapshot.pool_slots(), Default::default());
        }
        self.scratch.reserve(snapshot.set_len_max());
        self.tally.begin_batch(snapshot, now);
        if snapshot.settings().rate_limit.is_some() {
            self.limiter.prepare(|| self.rng.u64(..), now);
        }
        let sampling = snapshot.settings().sampling.as_ref();
        if let Some(samples) = self.sampler.follow(sampling, &mut self.rng) {
            self.tally.lay_out(samples);
        }
    }

    /// The time of the batch; none before the first.
    pub fn now(&self) -> Option<Instant> {
        self.now
    }

    /// What a steered answer needs, each borrowed by itself.
    pub(super) fn picking(
        &mut self,
        slot: PoolSlot,
        family: Family,
    ) -> (Option<&mut Turn>, &mut Rng, &mut Scratch, &mut Tallier) {
        let turns = self.turns.get_mut(slot.0 as usize);
        let turn = turns.map(|turns| &mut turns[family as usize]);
        (turn, &mut self.rng, &mut self.scratch, &mut self.tally)
    }

    /// Notes the answer at hand for the answer log.
    #[cold]
    pub(super) fn sample(
        &mut self,
        query: Option<&Query<'_>>,
        transport: Transport,
        (outcome, truncated, len): (Outcome, bool, usize),
    ) {
        self.sampler.rewind(&mut self.rng);
        let (true, Some(now)) = (self.sampler.is_on(), self.now) else { return };
        let client = self.sampler.cut(Asker::source(self.source));
        let mut sample = Sample::of(now, client, transport, outcome);
        sample.subnet = self.asker.is_told().then(|| self.sampler.cut(self.asker));
        (sample.truncated, sample.len) = (truncated, u16::try_from(len).unwrap_or(u16::MAX));
        if let Some(query) = query {
            sample.qtype = Some(query.qtype);
            sample.set_qname(query.qname);
        }
        self.tally.describe(&mut sample);
        self.tally.sampled(self.sampler.hand_over(sample));
    }

    /// The answer at hand goes out: whoever asked may hold it from now on.
    pub(super) fn hand_over(&mut self) {
        let Self { source, asker, .. } = *self;
        self.tally.hand_over(|| resolver(source, &asker));
    }

    /// Which record of a static address set is first this time.
    pub(super) fn static_turn(&mut self, rrset: &StaticRrset) -> usize {
        let at = std::ptr::from_ref(rrset).addr() / size_of::<StaticRrset>();
        let turn = &mut self.static_turns[at % STATIC_TURNS];
        *turn = if *turn < rrset.count { *turn } else { 0 };
        let first = *turn;
        *turn += 1;
        usize::from(first)
    }
}
