//! Several who look at one address: when is it down?
//!
//! This prober is one vantage, and whoever reports from outside ([`super::vantage`]) is another.
//! Each that has an opinion has one vote, and the quorum says how many of them must find the
//! address down:
//!
//! ```text
//!   votes: down of all that vote     quorum 1     2        majority   all
//!   1 of 1                           down         down     down       down
//!   1 of 2                           down         up       up         up
//!   2 of 3                           down         down     down       up
//! ```
//!
//! A number is never more than there are votes: where others fall silent, this prober decides alone
//! as it would without them. Where too few find an address down that this prober finds down, it
//! serves. What is not down stays as this prober sees it: whether a node drains is its own word.

use std::fmt;
use std::num::NonZeroU8;

use super::{Standing, Status};

/// How many of those who look at an address must find it down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quorum {
    /// So many, or all where there are fewer.
    Count(NonZeroU8),
    /// More than half.
    Majority,
    /// All of them.
    All,
}

/// What the others say of one address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Poll {
    /// So many find it up.
    pub up: u32,
    /// So many find it down.
    pub down: u32,
    /// Words against what any of them says are being counted.
    pub turning: bool,
}

impl Quorum {
    /// One is enough.
    pub const ANY: Self = Self::Count(NonZeroU8::MIN);

    /// How an address stands of which this prober says `own` (none where it does not look) and
    /// others what is in the poll.
    ///
    /// While votes differ the standing is contradicted: something is wrong, with the address or
    /// with those who look at it.
    pub fn combine(self, own: Option<Standing>, others: Poll) -> Option<Standing> {
        if others == Poll::default() {
            return own;
        }
        let (own_votes, own_down) = match own.map(|own| own.status) {
            Some(Status::Down) => (1, 1),
            Some(Status::Up | Status::Draining) => (1, 0),
            Some(Status::Unknown) | None => (0, 0),
        };
        let (votes, down) = (own_votes + others.up + others.down, own_down + others.down);
        let status = match (down > 0 && down >= self.of(votes), own.map(|own| own.status)) {
            (true, _) => Status::Down,
            (false, Some(Status::Down)) => Status::Up,
            (false, Some(status)) => status,
            (false, None) if others.up > 0 => Status::Up,
            (false, None) => Status::Unknown,
        };
        let contradicted =
            own.is_some_and(|own| own.contradicted) || others.turning || (down > 0 && down < votes);
        Some(Standing { status, contradicted })
    }

    /// How many of so many votes.
    fn of(self, votes: u32) -> u32 {
        match self {
            Self::Count(count) => u32::from(count.get()).min(votes),
            Self::Majority => votes / 2 + 1,
            Self::All => votes,
        }
    }
}

impl Default for Quorum {
    fn default() -> Self {
        Self::ANY
    }
}

impl fmt::Display for Quorum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => count.fmt(f),
            Self::Majority => f.write_str("majority"),
            Self::All => f.write_str("all"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// This prober's word (`u`p, `d`own, d`r`aining, `?`, `-` does not look; a capital, and `!` for
    /// `?`: contradicted), the others' `u` and `d` (`!`: one is turning), and what comes of it.
    #[track_caller]
    fn check(quorum: Quorum, own: char, others: &str, expected: char) {
        let standing = |letter: char| {
            let status = match letter.to_ascii_lowercase() {
                'u' => Status::Up,
                'd' => Status::Down,
                'r' => Status::Draining,
                '?' | '!' => Status::Unknown,
                _ => return None,
            };
            Some(Standing { status, contradicted: letter.is_ascii_uppercase() || letter == '!' })
        };
        let count = |letter| others.chars().filter(|it| *it == letter).count() as u32;
        let poll = Poll { up: count('u'), down: count('d'), turning: count('!') > 0 };
        let told = quorum.combine(standing(own), poll);
        let status = told.map(|it| (it.status, it.contradicted));
        let letter = standing(expected).map(|it| (it.status, it.contradicted));
        assert_eq!(status, letter, "{quorum}: {own} {others}");
    }

    #[test]
    fn without_others_this_prober_decides_alone() {
        for quorum in [Quorum::ANY, Quorum::Majority, Quorum::All] {
            for own in ['u', 'U', 'd', 'D', 'r', '?', '-'] {
                check(quorum, own, "", own);
            }
        }
    }

    #[test]
    fn one_is_enough_where_no_quorum_is_written() {
        check(Quorum::default(), 'u', "d", 'D');
        check(Quorum::default(), 'd', "uuu", 'D');
        check(Quorum::default(), 'r', "d", 'D');
        check(Quorum::default(), 'd', "d", 'd');
        check(Quorum::default(), 'u', "u", 'u');
        check(Quorum::default(), 'r', "u", 'r');
    }

    #[test]
    fn a_quorum_outvotes_those_who_are_fewer() {
        let two = Quorum::Count(NonZeroU8::MIN.saturating_add(1));
        for quorum in [two, Quorum::Majority, Quorum::All] {
            check(quorum, 'u', "du", 'U');
            check(quorum, 'd', "u", 'U');
            check(quorum, 'r', "du", 'R');
            check(quorum, 'd', "d", 'd');
        }
        check(two, 'u', "dd", 'D');
        check(Quorum::Majority, 'u', "dd", 'D');
        check(Quorum::All, 'u', "dd", 'U');
        check(two, 'd', "duuu", 'D');
        check(Quorum::Majority, 'd', "duu", 'U');
    }

    #[test]
    fn who_knows_nothing_has_no_vote() {
        let two = Quorum::Count(NonZeroU8::MIN.saturating_add(1));
        for own in ['?', '-'] {
            check(two, own, "d", 'd');
            check(Quorum::Majority, own, "d", 'd');
        }
        check(two, '?', "du", '!');
    }

    #[test]
    fn who_is_not_probed_is_what_others_say() {
        check(Quorum::ANY, '-', "u", 'u');
        check(Quorum::ANY, '-', "d", 'd');
        // What is only being counted says nothing yet, but answers may age faster.
        check(Quorum::All, '-', "du", 'U');
        check(Quorum::ANY, '-', "!", '!');
        check(Quorum::ANY, 'u', "!", 'U');
    }
}
