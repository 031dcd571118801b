//! Until when resolvers may hold an answer that names an address, as one worker has given them.
//!
//! Each address has a column, and whoever asks belongs to one row, by a hash. An answer moves the
//! cells of the addresses that it names on to the second in which it will be forgotten:
//!
//! ```text
//!            address 0  address 1  address 2      given in second 20, with TTL 5, to a resolver of
//!    row 0      17         17          -          row 1, and it names 0 and 2:
//!    row 1    22 -> 27     22       - -> 27       every cell keeps the later of the two times
//!    row 2      25         25         25
//! ```
//!
//! So a resolver counts once however often it asks, its newest answer counts, and TTLs may change
//! at any time. The columns of two workers become one by keeping the later of each two cells. When
//! the last holder has forgotten an address is exact, however few rows there are; how many they are
//! is told from how many cells still run (`holders.rs`).
//!
//! Memory is bounded: the more addresses there are, the fewer rows. A row is folded onto another by
//! the same rule, so nothing is forgotten when addresses are added. Rows lie one behind the other:
//! an answer writes to neighbours.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;

use crate::snapshot::AddressSlot;

use super::holders::Holders;

/// Cells of a worker: 1 MiB, which stays in the second level of a core's caches.
const CELLS_MAX: usize = 1 << 18;
/// Rows of few addresses: some 7,000 resolvers can be told apart by them.
const ROWS_MAX: usize = 1024;
/// Rows of however many addresses; with more than 16,384 they go beyond [`CELLS_MAX`].
const ROWS_MIN: usize = 16;
/// Seconds that an answer may be under way before its TTL begins to run.
const ON_THE_WAY: u32 = 1;

/// What others read.
#[derive(Debug, Default)]
pub(super) struct Expiries {
    /// Seconds are counted from here: the worker's first batch.
    epoch: OnceLock<Instant>,
    grid: ArcSwap<Grid>,
}

/// What its one writer writes.
#[derive(Debug)]
pub(super) struct ExpiryWriter {
    grid: Arc<Grid>,
    epoch: Option<Instant>,
    /// Of the batch at hand, since the epoch.
    second: u32,
}

/// Rows of cells: the second since the epoch from which on nobody holds an answer; 0 for never.
#[derive(Debug, Default)]
struct Grid {
    /// One for each address.
    columns: usize,
    /// A power of two, or 0 without columns.
    rows: usize,
    cells: Box<[AtomicU32]>,
}

impl Expiries {
    pub(super) fn writer(&self) -> ExpiryWriter {
        ExpiryWriter { grid: self.grid.load_full(), epoch: None, second: 0 }
    }

    /// Adds those who may hold an answer that names one of these addresses, as seen at a time.
    pub(super) fn add_to(&self, holders: &mut Holders, addresses: &[AddressSlot], at: Instant) {
        let (Some(&epoch), grid) = (self.epoch.get(), self.grid.load()) else { return };
        // Of a moment before the epoch more is left than the cells say.
        let (passed, ahead) =
            (at.saturating_duration_since(epoch), epoch.checked_duration_since(at));
        let left = |second: u32| {
            let left = Duration::from_secs(second.into()).saturating_sub(passed);
            let left = left + ahead.unwrap_or_default();
            u32::try_from(left.as_secs())
                .unwrap_or(u32::MAX)
                .saturating_add(u32::from(left.subsec_nanos() > 0))
        };
        for &AddressSlot(slot) in addresses.iter().filter(|slot| (slot.0 as usize) < grid.columns) {
            let column = grid.cells.iter().skip(slot as usize).step_by(grid.columns);
            let seconds = column.map(|cell| match cell.load(Relaxed) {
                0 => 0,
                second => left(second),
            });
            holders.add(grid.rows, seconds);
        }
    }
}

impl ExpiryWriter {
    /// Begins a batch and makes room for so many addresses.
    pub(super) fn begin(&mut self, addresses: usize, now: Instant, shared: &Expiries) {
        let epoch = *self.epoch.get_or_insert_with(|| *shared.epoch.get_or_init(|| now));
        let passed = now.saturating_duration_since(epoch).as_secs();
        self.second = u32::try_from(passed).unwrap_or(u32::MAX);
        if addresses > self.grid.columns {
            self.grid = Arc::new(self.grid.widened(addresses));
            shared.grid.store(Arc::clone(&self.grid));
        }
    }

    /// An answer that names these addresses and lives so long goes to this resolver now.
    pub(super) fn mark(&self, addresses: &[AddressSlot], resolver: u64, ttl: u32) {
        let Grid { columns, rows, cells } = &*self.grid;
        let row = resolver as usize & rows.wrapping_sub(1);
        let Some(row) = cells.get(row.wrapping_mul(*columns)..) else { return };
        // The second that runs is not over, which is one more.
        let until = self.second.saturating_add(ttl).saturating_add(1 + ON_THE_WAY);
        for address in addresses {
            let cell = row.get(address.0 as usize);
            // Its one writer needs no locked instruction; most answers of a second find it done.
            if let Some(cell) = cell.filter(|cell| cell.load(Relaxed) < until) {
                cell.store(until, Relaxed);
            }
        }
    }
}

impl Grid {
    /// The same with more columns, and as few rows as those leave room for.
    fn widened(&self, columns: usize) -> Self {
        let room = (CELLS_MAX / columns).clamp(ROWS_MIN, ROWS_MAX);
        let rows = if self.rows == 0 { ROWS_MAX } else { self.rows };
        // The greatest power of two that there is room for.
        let rows = rows.min(1 << room.ilog2());
        let cells: Box<[AtomicU32]> = (0..rows * columns).map(|_| AtomicU32::new(0)).collect();
        for (at, cell) in self.cells.iter().enumerate() {
            let (row, column) = (at / self.columns, at % self.columns);
            cells[row % rows * columns + column].fetch_max(cell.load(Relaxed), Relaxed);
        }
        Self { columns, rows, cells }
    }
}

#[cfg(test)]
mod tests;
