//! What one vantage says of one address: its words become a status.
//!
//! ```text
//!   status     | passed             | failed
//!   -----------+--------------------+----------------------
//!   unknown    | -> up              | fails-th -> down
//!   up         | settle             | fails-th -> down
//!   down       | passes-th -> up    | settle
//! ```
//!
//! It differs from a target's tracker ([`super::tracker`]) where its source does. A prober asks at
//! its own pace, so its first verdict may decide; a proxy speaks when something strikes it, so one
//! bad word is one of many that were not said. And it falls silent without a word: words are
//! counted within a window, and an opinion that nobody repeats within it lapses.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::Status;

/// Words kept of one opinion, for showing.
pub const WORDS_MAX: usize = 8;

/// How words become opinions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Consecutive bad words, within `lasts`, that make an address down; at least 1.
    pub fails: u32,
    /// Consecutive good words, within `lasts`, that make it up again; at least 1.
    pub passes: u32,
    /// An opinion ends this long after its last word.
    pub lasts: Duration,
}

/// One thing that a vantage has said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// When it came in.
    pub at: Instant,
    /// Good, or bad.
    pub passed: bool,
    /// So many times: 5 responses of 500 are one word that counts five times.
    pub count: u32,
    /// What was complained of.
    pub reason: Option<String>,
}

/// What one vantage says of one address.
#[derive(Clone, Debug)]
pub struct Opinion {
    status: Status,
    since: Instant,
    /// What has been said against the status, and since when.
    against: Option<(u32, Instant)>,
    words: VecDeque<Word>,
}

impl Default for Counts {
    /// Five in a row, as proxies count outliers; two good ones are enough to be believed again.
    fn default() -> Self {
        Self { fails: 5, passes: 2, lasts: Duration::from_secs(30) }
    }
}

impl Opinion {
    /// Begins with a first word.
    pub(super) fn new(word: Word, counts: &Counts) -> Self {
        let (since, words) = (word.at, VecDeque::with_capacity(1));
        let mut opinion = Self { status: Status::Unknown, since, against: None, words };
        opinion.take(word, counts);
        opinion
    }

    /// Takes one more word; gives the status before, where that has turned.
    pub(super) fn take(&mut self, word: Word, counts: &Counts) -> Option<Status> {
        let now = word.at;
        let says = if word.passed { Status::Up } else { Status::Down };
        let turned = self.weigh(says, word.count, counts, now);
        if self.words.len() == WORDS_MAX {
            self.words.pop_front();
        }
        self.words.push_back(word);
        turned
    }

    fn weigh(&mut self, says: Status, times: u32, counts: &Counts, now: Instant) -> Option<Status> {
        if says == self.status {
            self.against = None;
            return None;
        }
        let counted =
            self.against.filter(|(_, since)| now.saturating_duration_since(*since) < counts.lasts);
        let (before, since) = counted.unwrap_or((0, now));
        let said = before.saturating_add(times);
        let enough = match (self.status, says) {
            (Status::Unknown, Status::Up) => 1,
            (_, Status::Up) => counts.passes,
            (_, Status::Down | Status::Draining | Status::Unknown) => counts.fails,
        };
        if said < enough {
            self.against = Some((said, since));
            return None;
        }
        let from = self.status;
        (self.status, self.since, self.against) = (says, now, None);
        Some(from)
    }

    /// When it ends, if nothing more is said.
    pub fn ends(&self, counts: &Counts) -> Instant {
        self.words.back().map_or(self.since, |word| word.at) + counts.lasts
    }

    /// Up, down, or unknown: not enough has been said.
    pub fn status(&self) -> Status {
        self.status
    }

    /// Since when; of an unknown one, since its first word.
    pub fn since(&self) -> Instant {
        self.since
    }

    /// True while words against the status are being counted.
    pub fn is_turning(&self) -> bool {
        self.against.is_some()
    }

    /// The latest words, oldest first; at least one.
    pub fn words(&self) -> impl DoubleEndedIterator<Item = &Word> {
        self.words.iter()
    }

    /// The latest complaint.
    pub fn complaint(&self) -> Option<&Word> {
        self.words.iter().rev().find(|word| !word.passed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "an Instant to count from")]
    fn start() -> Instant {
        Instant::now()
    }

    /// Words at seconds (`p`assed or `f`ailed, so many times), and what the opinion is then: `u`p,
    /// `d`own, `?`; a capital, or `!`, is turning. 5 fails, 2 passes, 30 s.
    #[track_caller]
    fn check(steps: &[(u64, char, u32, char)]) {
        let (start, counts) = (start(), Counts::default());
        let mut opinion: Option<Opinion> = None;
        for &(at, says, count, expected) in steps {
            let at = start + Duration::from_secs(at);
            let word = Word { at, passed: says == 'p', count, reason: None };
            match &mut opinion {
                Some(opinion) => drop(opinion.take(word, &counts)),
                None => opinion = Some(Opinion::new(word, &counts)),
            }
            let told = opinion.as_ref().unwrap();
            let letter = match (told.status(), told.is_turning()) {
                (Status::Up, false) => 'u',
                (Status::Up, true) => 'U',
                (Status::Down, false) => 'd',
                (Status::Down, true) => 'D',
                (_, false) => '?',
                (_, true) => '!',
            };
            assert_eq!(letter, expected, "{steps:?} at {says}{count}");
            assert_eq!(told.ends(&counts), at + counts.lasts);
        }
    }

    #[test]
    fn words_turn_an_opinion_by_their_count() {
        check(&[(0, 'f', 5, 'd')]);
        check(&[(0, 'f', 4, '!'), (1, 'f', 1, 'd'), (2, 'p', 1, 'D'), (3, 'p', 1, 'u')]);
        check(&[(0, 'p', 1, 'u'), (1, 'f', 4, 'U'), (2, 'p', 1, 'u'), (3, 'f', 4, 'U')]);
        check(&[(0, 'f', 9, 'd'), (1, 'p', 1, 'D'), (2, 'f', 1, 'd'), (3, 'p', 2, 'u')]);
    }

    #[test]
    fn a_good_word_settles_what_was_only_counted() {
        check(&[(0, 'f', 4, '!'), (1, 'p', 1, 'u'), (2, 'f', 4, 'U'), (3, 'f', 1, 'd')]);
    }

    #[test]
    fn what_is_far_apart_is_not_in_a_row() {
        check(&[(0, 'f', 4, '!'), (29, 'f', 1, 'd')]);
        check(&[(0, 'f', 3, '!'), (20, 'f', 1, '!'), (30, 'f', 1, '!'), (59, 'f', 4, 'd')]);
    }

    #[test]
    fn the_latest_words_are_kept() {
        let (start, counts) = (start(), Counts::default());
        let word = |passed, reason: &str| Word {
            at: start,
            passed,
            count: 1,
            reason: Some(reason.to_owned()),
        };
        let mut opinion = Opinion::new(word(false, "first"), &counts);
        for _ in 0..WORDS_MAX - 1 {
            opinion.take(word(true, "fine"), &counts);
        }
        assert_eq!(opinion.complaint().unwrap().reason.as_deref(), Some("first"));
        opinion.take(word(true, "fine"), &counts);
        assert_eq!((opinion.words().count(), opinion.complaint()), (WORDS_MAX, None));
    }
}
