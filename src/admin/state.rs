//! What the listener knows of the process: written by the daemon and the prober, read here.
//!
//! Two independent facts, each one atomic word. Neither is derived from the other, so there is
//! no moment at which they disagree.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Where the process is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// Sockets are not bound yet: first verdicts are awaited.
    Starting,
    /// Queries are answered.
    Serving,
    /// Queries are still answered, for the last time.
    Stopping,
}

/// Whether the process works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// The prober beats.
    Well,
    /// The prober has not beaten for this long.
    Stalled(Duration),
}

/// The facts behind `/healthz` and `/readyz`.
#[derive(Debug)]
pub struct State {
    born: Instant,
    silence_max: Duration,
    /// Milliseconds from `born` to the last beat.
    beat_ms: AtomicU64,
    phase: AtomicU8,
}

impl State {
    /// A process that is starting; it is stalled when its prober is silent for `silence_max`.
    pub fn new(now: Instant, silence_max: Duration) -> Self {
        Self {
            born: now,
            silence_max,
            beat_ms: AtomicU64::new(0),
            phase: AtomicU8::new(Phase::Starting as u8),
        }
    }

    /// The prober's sign of life, due well within `silence_max`, whether or not it has targets.
    pub fn beat(&self, now: Instant) {
        let since_born = now.saturating_duration_since(self.born);
        let beat_ms = u64::try_from(since_born.as_millis()).unwrap_or(u64::MAX);
        self.beat_ms.fetch_max(beat_ms, Ordering::Relaxed);
    }

    /// Enters the next phase of life.
    pub fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// Where the process is in its life.
    pub fn phase(&self) -> Phase {
        [Phase::Starting, Phase::Serving, Phase::Stopping]
            .into_iter()
            .find(|phase| *phase as u8 == self.phase.load(Ordering::Relaxed))
            .expect("only enter stores, and it stores a phase")
    }

    /// Whether the process works; until the first beat, its birth counts as one.
    pub fn health(&self, now: Instant) -> Health {
        let beat = self.born + Duration::from_millis(self.beat_ms.load(Ordering::Relaxed));
        let silence = now.saturating_duration_since(beat);
        if silence > self.silence_max { Health::Stalled(silence) } else { Health::Well }
    }
}
