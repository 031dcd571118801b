//! What became of the questions: counts, and a histogram of how long answers took.
//!
//! A run has three phases, and each has counts of its own, so that nothing needs to be subtracted:
//! only the measured ones are told, and the answers of all three, by which the server's processor
//! time is to be divided.

use crate::pace::Phase;

/// Bits that a latency keeps below its highest: 64 buckets an octave, which is 1.6 %.
const KEPT_BITS: u32 = 6;
/// The last index there can be, that of `u64::MAX`, and one more.
const BUCKETS: usize = ((64 - KEPT_BITS as usize) + 1) << KEPT_BITS;

/// Latencies in nanoseconds, by buckets that grow with them.
///
/// ```text
///  latency    0 .. 127       as it is
///             128 .. 255     without its last bit
///             256 .. 511     without its last two, and so on
/// ```
pub(crate) struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; BUCKETS], total: 0 }
    }
}

impl Histogram {
    pub(crate) fn add(&mut self, latency_ns: u64) {
        self.counts[bucket(latency_ns)] += 1;
        self.total += 1;
    }

    /// The latency that this share of all is not above, by the lower bound of its bucket; 0 where
    /// there are none.
    pub(crate) fn percentile_ns(&self, share: f64) -> u64 {
        let wanted = ((self.total as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        let reached = self.counts.iter().position(|count| {
            seen += count;
            seen >= wanted
        });
        reached.map_or(0, lower_bound_ns)
    }
}

fn bucket(latency_ns: u64) -> usize {
    let bits = u64::BITS - latency_ns.leading_zeros();
    let cut = bits.saturating_sub(KEPT_BITS + 1);
    ((cut as usize) << KEPT_BITS) + (latency_ns >> cut) as usize
}

fn lower_bound_ns(bucket: usize) -> u64 {
    let cut = (bucket >> KEPT_BITS).saturating_sub(1);
    ((bucket - (cut << KEPT_BITS)) as u64) << cut
}

/// What happened in one phase.
#[derive(Default)]
pub(crate) struct Stats {
    pub(crate) sent: u64,
    pub(crate) answered: u64,
    /// In flight for too long, or on a connection that ended.
    pub(crate) lost: u64,
    /// Messages that answer nothing that is in flight.
    pub(crate) bad: u64,
    /// Calls that failed, and connections that ended.
    pub(crate) io_errors: u64,
    /// Answers with the TC bit, of `answered`; so are all below.
    pub(crate) truncated: u64,
    pub(crate) octets: u64,
    /// Records in the answer sections.
    pub(crate) records: u64,
    pub(crate) rcodes: [u64; 16],
    pub(crate) latencies: Histogram,
}

impl Stats {
    /// Counts a message that the window accepted, and which therefore has a whole header.
    pub(crate) fn add_answer(&mut self, message: &[u8], latency_ns: u64) {
        self.answered += 1;
        self.octets += message.len() as u64;
        self.truncated += u64::from(message[2] >> 1 & 1);
        self.rcodes[usize::from(message[3] & 15)] += 1;
        self.records += u64::from(u16::from_be_bytes([message[6], message[7]]));
        self.latencies.add(latency_ns);
    }
}

/// What happened in all phases of a run.
#[derive(Default)]
pub(crate) struct Outcome {
    warm_up: Stats,
    pub(crate) measured: Stats,
    drain: Stats,
}

impl Outcome {
    /// Where to count what happens in this phase.
    pub(crate) fn of(&mut self, phase: Phase) -> &mut Stats {
        match phase {
            Phase::WarmUp => &mut self.warm_up,
            Phase::Measured => &mut self.measured,
            Phase::Drain => &mut self.drain,
        }
    }

    /// Ends the run: what was lost while draining had been asked before, as had what still is in
    /// flight.
    pub(crate) fn close(&mut self, in_flight: u64) {
        self.measured.lost += self.drain.lost + in_flight;
    }

    /// All answers, also those before and after the measured ones.
    pub(crate) fn total_answered(&self) -> u64 {
        self.warm_up.answered + self.measured.answered + self.drain.answered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_in_order_and_narrow() {
        for latency_ns in (0..64).flat_map(|bit| [1_u64 << bit, (1 << bit) - 1, 3 << bit >> 1]) {
            let lower = lower_bound_ns(bucket(latency_ns));
            assert!(lower <= latency_ns && latency_ns - lower <= latency_ns / 64, "{latency_ns}");
            assert_eq!(bucket(lower), bucket(latency_ns));
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
        assert!((1..BUCKETS).all(|at| lower_bound_ns(at - 1) < lower_bound_ns(at)));
    }

    #[test]
    fn percentiles_are_those_of_what_was_added() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.percentile_ns(0.5), 0);
        (1..=100).for_each(|latency_ns| histogram.add(latency_ns));
        let percentiles = [0.0, 0.5, 0.501, 0.99, 1.0].map(|share| histogram.percentile_ns(share));
        assert_eq!(percentiles, [1, 50, 51, 99, 100]);
        // The bucket of 1,000,000 begins a little below.
        (0..900).for_each(|_| histogram.add(1_000_000));
        assert_eq!(histogram.percentile_ns(0.1), 100);
        assert_eq!(histogram.percentile_ns(0.999), 999_424);
    }

    #[test]
    fn an_answer_is_counted_by_its_header() {
        let mut stats = Stats::default();
        stats.add_answer(&[0, 0, 0x82, 3, 0, 1, 0, 4, 0, 0, 0, 0], 7);
        assert_eq!((stats.answered, stats.octets, stats.records), (1, 12, 4));
        assert_eq!((stats.truncated, stats.rcodes[3]), (1, 1));
    }

    #[test]
    fn phases_add_up() {
        let mut outcome = Outcome::default();
        for (phase, count) in [(Phase::WarmUp, 1), (Phase::Measured, 2), (Phase::Drain, 4)] {
            outcome.of(phase).answered = count;
            outcome.of(phase).lost = count;
        }
        outcome.close(8);
        assert_eq!((outcome.total_answered(), outcome.measured.lost), (7, 2 + 4 + 8));
    }
}
