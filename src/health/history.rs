//! The latest verdicts of one target, for showing: why, how long it took, since when.
//!
//! A ring of fixed size: ten thousand targets that are probed for a year hold as much as after a
//! minute. Nothing is decided from it.

use std::collections::VecDeque;
use std::time::Instant;

use super::{Verdict, Warning};

/// Verdicts kept: one row of a board, and about 14 MB for ten thousand targets.
pub const HISTORY_MAX: usize = 16;

/// One verdict and when it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When the verdict came in.
    pub at: Instant,
    /// What it was.
    pub verdict: Verdict,
}

/// The latest verdicts, at most [`HISTORY_MAX`].
#[derive(Clone, Debug, Default)]
pub struct History {
    ring: VecDeque<Seen>,
    /// What the latest probe warned of that came far enough to say.
    warning: Option<Warning>,
}

impl History {
    /// Adds a verdict, in place of the oldest where there is no room. Gives its warning where that
    /// is news: one that was not already there before it.
    pub fn push(&mut self, at: Instant, verdict: Verdict) -> Option<Warning> {
        let (before, warning) = (self.warning, verdict.warning);
        // A node that refuses has not renewed its certificate.
        if warning.is_some() || verdict.outcome.is_pass() {
            self.warning = warning;
        }
        if self.ring.len() == HISTORY_MAX {
            self.ring.pop_front();
        }
        self.ring.push_back(Seen { at, verdict });
        warning.filter(|_| warning != before)
    }

    /// The verdicts, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Seen> + ExactSizeIterator {
        self.ring.iter()
    }

    /// The latest verdict.
    pub fn last(&self) -> Option<&Seen> {
        self.ring.back()
    }

    /// What is warned of now.
    pub fn warning(&self) -> Option<Warning> {
        self.warning
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ring.len()
    }

    /// True before the first verdict.
    pub fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::health::{Outcome, Reason};

    #[expect(clippy::disallowed_methods, reason = "an Instant to count from")]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn the_oldest_makes_room() {
        let (mut history, start) = (History::default(), start());
        assert!(history.is_empty() && history.last().is_none());
        for n in 0..40 {
            let latency = Duration::from_millis(n);
            history.push(start + latency, Verdict::new(Outcome::Pass, latency));
        }
        let kept: Vec<_> = history.iter().map(|seen| seen.verdict.latency.as_millis()).collect();
        assert_eq!(kept, (40 - HISTORY_MAX as u128..40).collect::<Vec<_>>());
        assert_eq!(history.last().unwrap().at, start + Duration::from_millis(39));
    }

    #[test]
    fn a_warning_is_news_once_and_ends_with_a_pass_without_it() {
        let (mut history, start) = (History::default(), start());
        let ends = Some(Warning::CertificateEnds(1));
        let renewed = Some(Warning::CertificateEnds(2));
        let (pass, refused) = (Outcome::Pass, Outcome::Fail(Reason::Refused));
        for (outcome, warning, news, stands) in [
            (&pass, None, None, None),
            (&pass, ends, ends, ends),
            (&pass, ends, None, ends),
            (&refused, None, None, ends),
            (&pass, ends, None, ends),
            (&pass, renewed, renewed, renewed),
            (&pass, None, None, None),
            (&pass, ends, ends, ends),
        ] {
            let outcome = outcome.clone();
            let verdict = Verdict { warning, ..Verdict::new(outcome, Duration::ZERO) };
            assert_eq!(history.push(start, verdict), news);
            assert_eq!(history.warning(), stands);
        }
    }
}
