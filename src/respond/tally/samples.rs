//! The cold end of a worker's tray of samples, and how many went through it.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::Receiver;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::bump;
use crate::respond::sample::Sample;

/// Samples of one worker, for whoever writes them down.
#[derive(Debug, Default)]
pub struct Samples {
    /// None before any were asked for. The lock is between readers: the worker has the other end.
    tray: OnceLock<Mutex<Receiver<Sample>>>,
    handed_over: AtomicU64,
    lost: AtomicU64,
}

impl Samples {
    /// Takes what waits.
    pub fn take(&self, mut with: impl FnMut(Sample)) {
        let Some(tray) = self.tray.get() else { return };
        // A sample that is taken is whole, whatever became of the one who took the last.
        let tray = tray.lock().unwrap_or_else(PoisonError::into_inner);
        tray.try_iter().for_each(&mut with);
    }

    /// How many were noted.
    pub fn handed_over(&self) -> u64 {
        self.handed_over.load(Relaxed)
    }

    /// How many were not, because too many waited.
    pub fn lost(&self) -> u64 {
        self.lost.load(Relaxed)
    }

    pub(super) fn lay_out(&self, samples: Receiver<Sample>) {
        // A worker makes one tray in its life.
        drop(self.tray.set(Mutex::new(samples)));
    }

    pub(super) fn count(&self, handed_over: bool) {
        bump(if handed_over { &self.handed_over } else { &self.lost });
    }
}
