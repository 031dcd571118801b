//! How much of a service may leave by its checks within a window.
//!
//! Checks that fail everywhere at once are more often one broken thing in common (a database, a
//! certificate, the prober's own network) than as many dead machines, and what is withdrawn at once
//! lands on what is left. So no more than a share of a service's weight leaves within a window; who
//! comes too late is *held*: it stays in the answers, marked, until the window has passed.
//!
//! ```text
//!            serves             fails, and fits the window
//!   new ───────────► in ─────────────────────────────────► out
//!    │ fails          ▲ ▲│ fails, and does not fit           ▲ │
//!    ▼                │ └▼───────────── held ────────────────┘ │ serves
//!   out (uncounted)   └───────────────────────────────────────┘
//! ```
//!
//! What was never in does not count when it is out, so a start may find any number of nodes dead.
//! A node that drains by its own word leaves freely, but is counted. What an operator says is done
//! at once and is not counted: nobody else knows better. And it all ends: where nothing has left
//! within the window, one may always leave, so that `n` dead addresses are gone after `n` windows.

use std::time::Instant;

use crate::steer::service::MaxWithdraw;

/// Where one address is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Place {
    /// Nothing is known of it.
    #[default]
    New,
    /// In the answers by right.
    In,
    /// It fails, and is in the answers because too much has left already.
    Held(Instant),
    /// Not in the answers; since when, where its leaving counts.
    Out(Option<Instant>),
}

/// What is said of one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// It serves.
    Serves,
    /// Nothing yet.
    Nothing,
    /// It fails its checks.
    Fails,
    /// It says itself that it is leaving.
    Drains,
    /// An operator has it out of the answers.
    Taken,
}

/// Moves every address to where it belongs; each is said something of and has a weight. Gives when
/// that has to be looked at again, if anything is held.
pub(super) fn rule(
    places: &mut [Place],
    said: &[(Said, u16)],
    limit: Option<&MaxWithdraw>,
    now: Instant,
) -> Option<Instant> {
    for (place, (said, _)) in places.iter_mut().zip(said) {
        *place = match (*place, said) {
            (_, Said::Serves) => Place::In,
            (Place::In, Said::Nothing) => Place::In,
            (_, Said::Nothing) => Place::New,
            (_, Said::Taken) | (Place::New, Said::Fails | Said::Drains) => Place::Out(None),
            (Place::In, Said::Fails) => Place::Held(now),
            (Place::In | Place::Held(_), Said::Drains) => Place::Out(Some(now)),
            (held @ Place::Held(_), Said::Fails) => held,
            (out @ Place::Out(_), Said::Fails | Said::Drains) => out,
        };
    }
    let Some(limit) = limit else {
        let held = places.iter_mut().filter(|place| matches!(place, Place::Held(_)));
        held.for_each(|place| *place = Place::Out(Some(now)));
        return None;
    };
    let counted = |place: &Place| match place {
        Place::Out(Some(left)) if now.saturating_duration_since(*left) < limit.within => {
            Some(*left)
        }
        Place::New | Place::In | Place::Held(_) | Place::Out(_) => None,
    };
    let willing = said.iter().filter(|(said, _)| *said != Said::Taken);
    let whole: u64 = willing.map(|(_, weight)| u64::from(*weight)).sum();
    let gone = places.iter().zip(said).filter(|(place, _)| counted(place).is_some());
    let mut gone: u64 = gone.map(|(_, (_, weight))| u64::from(*weight)).sum();
    // Who was held first leaves first.
    let mut waiting: Vec<(Instant, usize)> = Vec::new();
    for (index, place) in places.iter().enumerate() {
        if let Place::Held(since) = place {
            waiting.push((*since, index));
        }
    }
    waiting.sort_unstable();
    let mut held = false;
    for (_, index) in waiting {
        let weight = u64::from(said[index].1);
        let fits = weight == 0 || gone == 0 || limit.share.covers(gone + weight, whole);
        if fits {
            places[index] = Place::Out(Some(now));
            gone += weight;
        }
        held |= !fits;
    }
    let first = places.iter().zip(said).filter(|(_, (_, weight))| *weight > 0);
    let first = first.filter_map(|(place, _)| counted(place)).min();
    first.filter(|_| held).map(|left| left + limit.within)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::health::Share;

    const SECOND: Duration = Duration::from_secs(1);

    #[expect(clippy::disallowed_methods, reason = "an Instant to count from")]
    fn start() -> Instant {
        Instant::now()
    }

    /// Half of the weight within a minute. Steps of what is said of each address (`s`erves,
    /// `f`ails, `d`rains, `?` nothing, `o`perator) at a second; where each is then: `i`n, `h`eld,
    /// `o`ut, `n`ew. All weigh 1, capitals 0.
    #[track_caller]
    fn check(steps: &[(u32, &str, &str)]) {
        let (start, mut places) = (start(), Vec::new());
        let limit = MaxWithdraw { share: Share::thousandths(500), within: 60 * SECOND };
        for &(at, text, expected) in steps {
            let said: Vec<_> = text.chars().map(said).collect();
            places.resize(said.len(), Place::New);
            let now = start + at * SECOND;
            let again = rule(&mut places, &said, Some(&limit), now);
            let told: String = places.iter().map(letter).collect();
            assert_eq!(told, expected, "{at}: {text}");
            assert_eq!(again.is_some(), told.contains('h'), "{at}: {text}");
            assert!(again.is_none_or(|again| again > now && again <= now + limit.within));
        }
    }

    fn said(letter: char) -> (Said, u16) {
        let said = match letter.to_ascii_lowercase() {
            's' => Said::Serves,
            'f' => Said::Fails,
            'd' => Said::Drains,
            'o' => Said::Taken,
            _ => Said::Nothing,
        };
        (said, u16::from(!letter.is_ascii_uppercase()))
    }

    fn letter(place: &Place) -> char {
        match place {
            Place::New => 'n',
            Place::In => 'i',
            Place::Held(_) => 'h',
            Place::Out(_) => 'o',
        }
    }

    #[test]
    fn no_more_than_the_share_leaves_within_the_window() {
        check(&[
            (0, "ssss", "iiii"),
            (1, "fsss", "oiii"),
            (2, "fffs", "oohi"),
            (3, "ffff", "oohh"),
            // The first has been out for a window: the one that was held first follows.
            (61, "ffff", "oooh"),
            (62, "ffff", "oooo"),
        ]);
    }

    #[test]
    fn who_recovers_makes_room_and_is_held_no_more() {
        check(&[
            (0, "ssss", "iiii"),
            (1, "fffs", "oohi"),
            (2, "sffs", "iooi"),
            (3, "sfss", "ioii"),
        ]);
        check(&[(0, "ssss", "iiii"), (1, "fffs", "oohi"), (2, "ffss", "ooii")]);
    }

    #[test]
    fn one_may_always_leave() {
        check(&[(0, "s", "i"), (1, "f", "o")]);
        check(&[(0, "ss", "ii"), (1, "ff", "oh"), (61, "ff", "oo")]);
    }

    #[test]
    fn a_start_may_find_any_number_dead() {
        check(&[(0, "????", "nnnn"), (1, "fff?", "ooon"), (2, "ffff", "oooo")]);
        check(&[(0, "fffs", "oooi"), (1, "ffff", "oooo")]);
    }

    #[test]
    fn an_operator_is_obeyed_and_not_counted() {
        check(&[
            (0, "ssss", "iiii"),
            (1, "ooss", "ooii"),
            (2, "oofs", "oooi"),
            (3, "ooff", "oooh"),
        ]);
        check(&[(0, "ssss", "iiii"), (1, "ffff", "oohh"), (2, "ffoo", "oooo")]);
    }

    #[test]
    fn who_drains_leaves_freely_but_counts() {
        check(&[(0, "ssss", "iiii"), (1, "ddds", "oooi"), (2, "dddf", "oooh")]);
    }

    #[test]
    fn who_weighs_nothing_needs_no_room() {
        check(&[(0, "sssS", "iiii"), (1, "ffsF", "ohio")]);
    }
}
