//! One answer in many, noted for the answer log.
//!
//! A worker counts down to the next one, which is all that the others cost. What it then notes is
//! what it has just done: who asked (as far as the operator lets it be known: an address is cut
//! before it leaves the worker), what, and what the answer said. It goes into a tray of fixed size;
//! a full tray loses it, and the loss is counted. Nobody who answers waits for anybody who writes.
//!
//! The gaps between two are drawn anew each time, around the one that was asked for: every
//! thousandth of a rotation of four nodes would always be the same node.

use std::num::NonZeroU32;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Instant;

use fastrand::Rng;

use crate::snapshot::settings::Sampling;
use crate::snapshot::{AddressSlot, PoolSlot};
use crate::steer::Asker;
use crate::wire::RecordType;
use crate::wire::name::NAME_LEN_MAX;

use super::Transport;
use super::tally::Outcome;

/// Samples of one worker that may wait: ten times as many a second are written down.
const TRAY_LEN: usize = 512;
/// Addresses of an answer that are noted; those beyond are counted.
const NAMED_MAX: usize = 8;

/// What one answer was.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The time of its batch.
    pub at: Instant,
    /// Where the query came from, cut.
    pub client: Asker,
    /// The client subnet that it told and that was followed, cut.
    pub subnet: Option<Asker>,
    /// How it came.
    pub transport: Transport,
    /// The type asked for; none where no question could be read.
    pub qtype: Option<RecordType>,
    /// What became of it.
    pub outcome: Outcome,
    /// It went out with TC set.
    pub truncated: bool,
    /// Its octets.
    pub len: u16,
    /// Lifetime of the service's records in seconds; 0 where it names no address of one.
    pub ttl: u32,
    /// A pool of the service that was asked for, if there is one.
    pub service: Option<PoolSlot>,
    /// How many addresses it names.
    pub named_count: usize,
    named: [AddressSlot; NAMED_MAX],
    qname: [u8; NAME_LEN_MAX],
    qname_len: u8,
}

impl Sample {
    /// The name asked for, in wire form.
    pub fn qname(&self) -> &[u8] {
        &self.qname[..usize::from(self.qname_len)]
    }

    /// The first addresses that it names, in order.
    pub fn named(&self) -> &[AddressSlot] {
        &self.named[..self.named_count.min(NAMED_MAX)]
    }

    pub(super) fn set_qname(&mut self, qname: &[u8]) {
        if let Some(room) = self.qname.get_mut(..qname.len()) {
            room.copy_from_slice(qname);
            self.qname_len = qname.len() as u8;
        }
    }

    pub(super) fn set_named(&mut self, named: &[AddressSlot], ttl: u32) {
        let noted = named.len().min(NAMED_MAX);
        self.named[..noted].copy_from_slice(&named[..noted]);
        self.named_count = named.len();
        self.ttl = if named.is_empty() { 0 } else { ttl };
    }

    /// Of nothing yet but a client.
    pub(super) fn of(at: Instant, client: Asker, transport: Transport, outcome: Outcome) -> Self {
        Self {
            at,
            client,
            subnet: None,
            transport,
            qtype: None,
            outcome,
            truncated: false,
            len: 0,
            ttl: 0,
            service: None,
            named_count: 0,
            named: [AddressSlot(0); NAMED_MAX],
            qname: [0; NAME_LEN_MAX],
            qname_len: 0,
        }
    }
}

/// Says which answers of a worker are noted, and hands them over.
#[derive(Debug)]
pub(super) struct Sampler {
    /// Answers to the next one; without sampling none is near.
    left: u32,
    every: Option<NonZeroU32>,
    bits: [u8; 2],
    tray: Option<SyncSender<Sample>>,
}

impl Default for Sampler {
    fn default() -> Self {
        Self { left: u32::MAX, every: None, bits: [0; 2], tray: None }
    }
}

impl Sampler {
    /// Follows the settings of a batch; gives the other end of the tray where one was made.
    pub(super) fn follow(
        &mut self,
        sampling: Option<&Sampling>,
        rng: &mut Rng,
    ) -> Option<Receiver<Sample>> {
        let every = sampling.map(|sampling| sampling.every);
        self.bits = sampling.map_or([0; 2], |sampling| sampling.bits);
        if every == self.every {
            return None;
        }
        self.every = every;
        self.rewind(rng);
        if self.tray.is_some() || every.is_none() {
            return None;
        }
        let (tray, samples) = sync_channel(TRAY_LEN);
        self.tray = Some(tray);
        Some(samples)
    }

    /// True for an answer that is to be noted: called once for each.
    pub(super) fn is_due(&mut self) -> bool {
        self.left -= 1;
        self.left == 0
    }

    /// Draws the next gap: from 1 to twice what was asked for, less one.
    pub(super) fn rewind(&mut self, rng: &mut Rng) {
        self.left = match self.every {
            Some(every) => rng.u32(1..=every.get().saturating_mul(2).saturating_sub(1)),
            None => u32::MAX,
        };
    }

    /// How many bits of an address may be known.
    pub(super) fn cut(&self, asker: Asker) -> Asker {
        let [v4, v6] = self.bits;
        let bits = if asker.address().is_ipv4() { v4 } else { v6 };
        Asker::prefix(asker.address(), asker.length().min(bits))
    }

    pub(super) fn is_on(&self) -> bool {
        self.every.is_some()
    }

    /// Puts a sample into the tray; false where it is full.
    pub(super) fn hand_over(&self, sample: Sample) -> bool {
        // Never waits, and wakes nobody: whoever takes them looks from time to time.
        self.tray.as_ref().is_some_and(|tray| tray.try_send(sample).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampling(every: u32) -> Sampling {
        Sampling { every: every.try_into().unwrap(), bits: [24, 56], file: None }
    }

    #[test]
    fn as_many_are_noted_as_were_asked_for_and_no_period_is_kept() {
        for (every, least, most) in [(1, 100_000, 100_000), (4, 24_000, 26_000), (1000, 60, 140)] {
            let (mut sampler, mut rng) = (Sampler::default(), Rng::with_seed(1));
            assert!(sampler.follow(Some(&sampling(every)), &mut rng).is_some());
            assert!(sampler.follow(Some(&sampling(every)), &mut rng).is_none(), "one tray");
            let (mut noted, mut of_four) = (0, [0; 4]);
            for answer in 0..100_000 {
                if sampler.is_due() {
                    noted += 1;
                    of_four[answer % 4] += 1;
                    sampler.rewind(&mut rng);
                }
            }
            assert!((least..=most).contains(&noted), "{noted} of every {every}th");
            assert!(of_four.iter().all(|&count| count * 8 > noted), "{of_four:?}");
        }
    }

    #[test]
    fn without_sampling_nothing_is_due_and_addresses_are_cut() {
        let (mut sampler, mut rng) = (Sampler::default(), Rng::with_seed(1));
        assert!(sampler.follow(None, &mut rng).is_none());
        assert!((0..100_000).all(|_| !sampler.is_due()));
        sampler.follow(Some(&sampling(3)), &mut rng);
        for (address, expected) in
            [("192.0.2.77", "192.0.2.0/24"), ("2001:db8:1:2ff::1", "2001:db8:1:200::/56")]
        {
            let asker = Asker::source(address.parse().unwrap());
            assert_eq!(sampler.cut(asker).to_string(), expected);
        }
        let short = Asker::prefix([198, 51, 0, 0].into(), 16);
        assert_eq!(sampler.cut(short).to_string(), "198.51.0.0/16");
    }
}
