//! A row of counters that grows with the snapshot: one for each address, one for each zone.
//!
//! Ids keep their slots for good, so a row only ever becomes longer. That happens between batches;
//! readers see the old row or the new one, and each count in one of them.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use arc_swap::ArcSwap;

use super::bump;

type Counts = Box<[AtomicU64]>;

/// What others read.
#[derive(Debug)]
pub(super) struct Row(ArcSwap<Counts>);

/// What its one writer writes.
#[derive(Debug)]
pub(super) struct RowWriter(Arc<Counts>);

impl Default for Row {
    fn default() -> Self {
        Self(ArcSwap::from_pointee(Counts::default()))
    }
}

impl Row {
    /// One count; 0 where the row is not that long yet.
    pub(super) fn read(&self, slot: u32) -> u64 {
        self.0.load().get(slot as usize).map_or(0, |count| count.load(Relaxed))
    }

    /// Adds every count to the one at the same place.
    pub(super) fn add_to(&self, sums: &mut Vec<u64>) {
        let counts = self.0.load();
        sums.resize(sums.len().max(counts.len()), 0);
        for (sum, count) in sums.iter_mut().zip(counts.iter()) {
            *sum = sum.wrapping_add(count.load(Relaxed));
        }
    }

    pub(super) fn writer(&self) -> RowWriter {
        RowWriter(self.0.load_full())
    }
}

impl RowWriter {
    /// Makes room for so many counts.
    pub(super) fn reserve(&mut self, len: usize, row: &Row) {
        if len > self.0.len() {
            let kept = self.0.iter().map(|count| count.load(Relaxed));
            let longer = kept.chain(std::iter::repeat(0)).take(len);
            self.0 = Arc::new(longer.map(AtomicU64::new).collect());
            row.0.store(Arc::clone(&self.0));
        }
    }

    pub(super) fn count(&self, slot: u32) {
        if let Some(count) = self.0.get(slot as usize) {
            bump(count);
        }
    }
}
