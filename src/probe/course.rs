//! How far a probe has come.
//!
//! A probe whose time is over is dropped where it waits, and cannot say any more what it waited
//! for. So it notes beforehand what would be true then, in a place that outlives it.

use std::time::Duration;

use crate::health::{Outcome, Reason, Share, Stage, Verdict, Warning};

/// What a probe has found so far; it begins by connecting.
#[derive(Clone, Debug)]
pub(super) struct Course {
    at_timeout: Outcome,
    warning: Option<Warning>,
    load: Option<Share>,
}

impl Course {
    /// A probe that begins.
    pub(super) fn new() -> Self {
        let at_timeout = Outcome::Fail(Reason::Timeout(Stage::Connect));
        Self { at_timeout, warning: None, load: None }
    }

    /// From here on a timeout is a timeout of this stage.
    pub(super) fn enter(&mut self, stage: Stage) {
        self.at_timeout = Outcome::Fail(Reason::Timeout(stage));
    }

    /// The target has failed for this reason; a better one may still come.
    pub(super) fn has_failed(&mut self, reason: Reason) {
        self.at_timeout = Outcome::Fail(reason);
    }

    /// The prober itself holds the probe up, and says nothing of the target.
    pub(super) fn is_held_up(&mut self, why: String) {
        self.at_timeout = Outcome::NoVerdict(Reason::Local(why));
    }

    /// Whatever the outcome, this is to be told with it.
    pub(super) fn warn(&mut self, warning: Warning) {
        self.warning = Some(warning);
    }

    /// So busy the node says it is.
    pub(super) fn report(&mut self, load: Option<Share>) {
        self.load = load;
    }

    /// What is true if the time is over now.
    pub(super) fn at_timeout(&self) -> Outcome {
        self.at_timeout.clone()
    }

    /// The outcome, with what is to be told beside it.
    pub(super) fn verdict(&self, outcome: Outcome, latency: Duration) -> Verdict {
        let Self { warning, load, .. } = *self;
        Verdict { outcome, latency, warning, load }
    }
}
