//! When: the clock of a run, its phases, and how many questions are due.
//!
//! ```text
//!  0            warm-up       + measured                 + 0.3 s
//!  |  WarmUp    |  Measured   |  Drain, nothing is asked  |  over
//! ```
//!
//! A closed load asks as fast as answers come back. An open one asks at a rate, whatever comes
//! back, and a latency counts from the time at which a question was meant to be asked: a server
//! that stalls does not stop the clock by stopping the generator.

use std::hint;
use std::thread;
use std::time::{Duration, Instant};

use crate::sys::BATCH_WIDTH;

/// How long answers are awaited after the last question.
const DRAIN: Duration = Duration::from_millis(300);

/// Rest where nothing is to be done: below the latency that a busy server has anyway.
const NAP: Duration = Duration::from_micros(50);

/// What is done where there is nothing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Idle {
    /// Try again at once: the truest latencies, for a core of its own.
    Spin,
    /// Leave the core to others for a moment.
    Sleep,
}

impl Idle {
    pub(crate) fn rest(self) {
        match self {
            Self::Spin => hint::spin_loop(),
            Self::Sleep => thread::sleep(NAP),
        }
    }
}

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Servers and sockets get going; nothing of it is told.
    WarmUp,
    Measured,
    /// Answers are awaited; nothing is asked any more.
    Drain,
}

/// When the phases of a run end, in nanoseconds since it began.
pub(crate) struct Schedule {
    warm_up_ns: u64,
    measured_ns: u64,
    drain_ns: u64,
}

impl Schedule {
    pub(crate) fn new(warm_up: Duration, measured: Duration) -> Self {
        let [warm_up_ns, measured_ns, drain_ns] =
            [warm_up, warm_up + measured, warm_up + measured + DRAIN].map(nanoseconds);
        Self { warm_up_ns, measured_ns, drain_ns }
    }

    /// The phase of a time; None when the run is over.
    pub(crate) fn phase(&self, now_ns: u64) -> Option<Phase> {
        match now_ns {
            _ if now_ns < self.warm_up_ns => Some(Phase::WarmUp),
            _ if now_ns < self.measured_ns => Some(Phase::Measured),
            _ if now_ns < self.drain_ns => Some(Phase::Drain),
            _ => None,
        }
    }
}

/// Tells times since the run began.
pub(crate) struct Clock(Instant);

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "a run is about real time")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn now_ns(&self) -> u64 {
        nanoseconds(self.0.elapsed())
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// How many questions are due.
pub(crate) enum Pace {
    /// As many as there is room for.
    Closed,
    /// One after each gap.
    Open { gap_ns: f64, asked: u64 },
}

impl Pace {
    /// So many questions a second; 0 is a closed load.
    pub(crate) fn new(rate: f64) -> Self {
        if rate > 0.0 { Self::Open { gap_ns: 1e9 / rate, asked: 0 } } else { Self::Closed }
    }

    /// How many questions to ask at once on a socket with so many of its slots free.
    pub(crate) fn due(&self, free: usize, slots: usize, now_ns: u64) -> usize {
        let room = free.min(BATCH_WIDTH);
        match self {
            // A call for less than a quarter of a batch would cost more than waiting for room.
            Self::Closed if room < slots.min(BATCH_WIDTH) / 4 => 0,
            Self::Closed => room,
            Self::Open { gap_ns, asked } => {
                let meant = (now_ns as f64 / gap_ns) as u64 + 1;
                room.min(usize::try_from(meant.saturating_sub(*asked)).unwrap_or(room))
            }
        }
    }

    /// Asks one question: returns the time from which its latency counts.
    pub(crate) fn ask(&mut self, now_ns: u64) -> u64 {
        match self {
            Self::Closed => now_ns,
            Self::Open { gap_ns, asked } => {
                let meant_ns = (*asked as f64 * *gap_ns) as u64;
                *asked += 1;
                meant_ns
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_follow_each_other() {
        let schedule = Schedule::new(Duration::from_nanos(10), Duration::from_nanos(20));
        let drained_ns = 30 + nanoseconds(DRAIN);
        for (now_ns, phase) in [
            (0, Some(Phase::WarmUp)),
            (9, Some(Phase::WarmUp)),
            (10, Some(Phase::Measured)),
            (29, Some(Phase::Measured)),
            (30, Some(Phase::Drain)),
            (drained_ns - 1, Some(Phase::Drain)),
            (drained_ns, None),
        ] {
            assert_eq!(schedule.phase(now_ns), phase, "{now_ns}");
        }
    }

    #[test]
    fn a_closed_load_waits_for_a_quarter_of_a_batch() {
        let mut pace = Pace::new(0.0);
        for (free, slots, due) in [
            (0, 32, 0),
            (7, 32, 0),
            (8, 32, 8),
            (32, 32, 32),
            (15, 256, 0),
            (200, 256, 64),
            (1, 1, 1),
        ] {
            assert_eq!(pace.due(free, slots, 0), due, "{free} of {slots}");
        }
        assert_eq!(pace.ask(77), 77);
    }

    #[test]
    fn an_open_load_counts_from_the_time_that_was_meant() {
        // One question in 100 ns, the first at once.
        let mut pace = Pace::new(1e7);
        assert_eq!(pace.due(9, 9, 0), 1);
        assert_eq!(pace.ask(0), 0);
        assert_eq!(pace.due(9, 9, 99), 0);
        // After a stall all are due that should have been asked, as far as there is room.
        assert_eq!(pace.due(9, 9, 550), 5);
        assert_eq!(pace.due(3, 9, 550), 3);
        assert_eq!([(); 5].map(|()| pace.ask(550)), [100, 200, 300, 400, 500]);
        assert_eq!(pace.due(9, 9, 550), 0);
    }
}
