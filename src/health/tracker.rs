//! One target: its verdicts become its status.
//!
//! Every verdict says one of three things: `pass` (up), `drain` (the node itself says that it is
//! leaving) or `bad` (anything else that fails). A verdict that repeats the status settles it; one
//! that says otherwise is counted, and enough of them in a row turn the status:
//!
//! ```text
//!   status     | pass               | bad                  | drain
//!   -----------+--------------------+----------------------+-----------------------
//!   unknown    | -> up              | -> down              | -> draining
//!   up         | settle             | fails-th -> down     | fails-th -> draining
//!   down       | passes-th -> up    | settle               | fails-th -> draining
//!   draining   | passes-th -> up    | fails-th -> down     | settle
//! ```
//!
//! * The first verdict decides alone: a start must not serve dead nodes for a quarter of a minute.
//! * In `up`, `bad` and `drain` share one count, because both say that the node should leave; the
//!   verdict that completes the count names the new status.
//! * Between `down` and `draining` a count is of one kind. Neither is answered while others stand,
//!   so there is no hurry, and a node that is restarting says both in turn.
//! * Who fell too often lately is held down ([`super::hold`]): the count to `up` then also takes
//!   its time, and meanwhile what passes is draining.
//! * No verdict (the prober could not try) is shown, but neither counts nor settles.
//! * A restored status counts as decided: a restart of the server changes no answers because of
//!   one lost packet.

use std::time::{Duration, Instant};

use super::hold::Falls;
use super::latency::Latency;
use super::load::Load;
use super::{Check, History, Hold, Outcome, Reason, Share, Standing, Status, Verdict, Warning};

/// The state machine of one target.
#[derive(Clone, Debug)]
pub struct Tracker {
    status: Status,
    since: Option<Instant>,
    /// What is being counted against the status.
    count: Option<Count>,
    /// Verdicts in a row that agreed with the status.
    agreed: u32,
    falls: Falls,
    latency: Latency,
    load: Load,
    history: History,
}

/// Verdicts in a row that say something else than the status.
#[derive(Clone, Copy, Debug)]
struct Count {
    says: Status,
    verdicts: u32,
    /// When the first of them came.
    since: Instant,
}

impl Tracker {
    /// A target of which nothing is known.
    pub fn new() -> Self {
        Self {
            status: Status::Unknown,
            since: None,
            count: None,
            agreed: 0,
            falls: Falls::default(),
            latency: Latency::default(),
            load: Load::default(),
            history: History::default(),
        }
    }

    /// Takes one verdict; the thresholds are those of `check`. Gives its warning, if that is news.
    pub fn handle_verdict(
        &mut self,
        verdict: Verdict,
        check: &Check,
        now: Instant,
    ) -> Option<Warning> {
        if let Some(says) = says(&verdict.outcome) {
            self.weigh(says, check, now);
        }
        // A failure's time says how long the prober waited, not how fast the target is.
        if verdict.outcome == Outcome::Pass {
            self.latency.take(verdict.latency);
        }
        self.load.take(verdict.load);
        self.history.push(now, verdict)
    }

    /// Takes one verdict that proves nothing: it is shown, but neither counts nor settles.
    pub fn note(&mut self, verdict: Verdict, now: Instant) -> Option<Warning> {
        self.history.push(now, verdict)
    }

    fn weigh(&mut self, says: Status, check: &Check, now: Instant) {
        if says == self.status {
            self.count = None;
            self.agreed = self.agreed.saturating_add(1);
            return;
        }
        self.agreed = 0;
        let (verdicts, since) = match self.count {
            Some(count) if self.status == Status::Up || count.says == says => {
                (count.verdicts.saturating_add(1), count.since)
            }
            Some(_) | None => (1, now),
        };
        self.count = Some(Count { says, verdicts, since });
        let enough = match (self.status, says) {
            (Status::Unknown, _) => 1,
            (_, Status::Up) => check.passes,
            (_, Status::Down | Status::Draining | Status::Unknown) => check.fails,
        };
        if verdicts < enough {
            return;
        }
        let passed = now.saturating_duration_since(since);
        let held = says == Status::Up && self.hold(check, now).is_some_and(|it| passed < it.lasts);
        match (self.status, held) {
            (Status::Down, true) => self.turn(Status::Draining, now),
            (_, true) => {}
            (from, false) => {
                if from == Status::Up {
                    self.falls.note(now);
                }
                self.turn(says, now);
                self.count = None;
            }
        }
    }

    fn turn(&mut self, to: Status, now: Instant) {
        self.status = to;
        self.since = Some(now);
    }

    /// Takes a status that was saved before a restart, unless a verdict was faster.
    pub fn restore(&mut self, status: Status) {
        if self.status == Status::Unknown {
            self.status = status;
        }
    }

    /// Forgets what was counted: what passes has been redefined.
    pub fn restart_count(&mut self) {
        self.count = None;
    }

    /// The status, and whether verdicts are being counted against it.
    pub fn standing(&self) -> Standing {
        Standing { status: self.status, contradicted: self.count.is_some() }
    }

    /// How many verdicts in a row have agreed with the status.
    pub fn agreed(&self) -> u32 {
        self.agreed
    }

    /// What it is held to before it is up again, if it flapped lately.
    pub fn hold(&self, check: &Check, now: Instant) -> Option<Hold> {
        let hold = self.falls.hold(check, now).filter(|_| self.status != Status::Up)?;
        let passing = self.count.filter(|count| count.says == Status::Up);
        Some(Hold { passing_since: passing.map(|count| count.since), ..hold })
    }

    /// When the status was reached; none where it is unknown or was restored.
    pub fn since(&self) -> Option<Instant> {
        self.since
    }

    /// How long probes that pass take, smoothed and in steps that matter; none before the first.
    pub fn pace(&self) -> Option<Duration> {
        self.latency.told()
    }

    /// The part of its weight that the node has by its load; none where it says nothing.
    pub fn load(&self) -> Option<Share> {
        self.load.part()
    }

    /// The latest verdicts.
    pub fn history(&self) -> &History {
        &self.history
    }
}

impl Default for Tracker {
    fn default() -> Self {
        Self::new()
    }
}

/// The status that a verdict speaks for.
fn says(outcome: &Outcome) -> Option<Status> {
    match outcome {
        Outcome::Pass => Some(Status::Up),
        Outcome::Fail(Reason::Draining) => Some(Status::Draining),
        Outcome::Fail(
            Reason::Refused
            | Reason::Reset
            | Reason::Timeout(_)
            | Reason::Unreachable
            | Reason::HttpStatus(_)
            | Reason::Mismatch(_)
            | Reason::TooSlow { .. }
            | Reason::Tls(_)
            | Reason::SaysDown(_)
            | Reason::NoState(_)
            | Reason::Dns(_)
            | Reason::Grpc(_)
            | Reason::Exit(..)
            | Reason::Killed(..)
            | Reason::NoUpgrade(_)
            | Reason::Protocol(_)
            | Reason::Other(_)
            | Reason::Local(_),
        ) => Some(Status::Down),
        Outcome::NoVerdict(_) => None,
    }
}

#[cfg(test)]
mod tests;
