//! What outlasts a node's leaving, drawn: how many resolvers have held an answer with it since, and
//! until when the last of them will.
//!
//! ```text
//!   held when it left  ┬▒▒▒▒▒▒▒
//!                      │▒▒▒▒▒▒▒▒▒▒▒│ . . .
//!                      │▒▒▒▒▒▒▒▒▒▒▒│       . . . .
//!                      └───────────┴──────────────┴
//!                      it left     now            the last one forgets it
//! ```
//!
//! The box stands still while time passes: its left end is when the node left, its right end when
//! nobody holds it any more, and only the line of now moves.

use std::fmt::Write;

use super::super::docs::{CachedDoc, LeftDoc, NodeDetailDoc, PointDoc};
use super::words::{self, age, thousands};

/// The box; the page makes it as wide as there is room.
pub(super) const BOX: (f64, f64) = (320.0, 56.0);

/// One node that is out of the answers.
#[derive(Debug, PartialEq)]
pub(super) struct HeldView {
    pub(super) id: String,
    pub(super) name: String,
    /// The override that keeps it out, if one does.
    pub(super) by: Option<u64>,
    /// How it stands, in a sentence or two.
    pub(super) says: String,
    /// Nobody holds it, as far as is known.
    pub(super) is_gone: bool,
    pub(super) chart: Option<Chart>,
}

/// Its curve.
#[derive(Debug, PartialEq)]
pub(super) struct Chart {
    /// The `d` of the area until now.
    pub(super) past: String,
    /// The `d` of the line from now on.
    pub(super) ahead: String,
    /// Where now is.
    pub(super) now: String,
    /// The times of day at both ends.
    pub(super) from: String,
    pub(super) to: String,
}

impl HeldView {
    /// What is held of a node; none where it is answered and meant to be, or nobody has taken it
    /// out and nobody holds it.
    pub(super) fn of(detail: &NodeDetailDoc, now: u64) -> Option<Self> {
        let (left, cached) = (detail.left.as_ref()?, detail.node.cached?);
        let is_answering = detail.node.addresses.iter().any(|address| address.answering);
        let is_held = cached.gone_in_seconds > 0 && !is_answering;
        Some(Self {
            id: detail.node.id.clone(),
            name: detail.node.name.clone(),
            by: left.by,
            says: says(left, &cached, is_answering, now),
            is_gone: cached.is_gone() && !is_answering,
            chart: is_held.then(|| Chart::of(left, &cached, now)),
        })
    }
}

fn says(left: &LeftDoc, cached: &CachedDoc, is_answering: bool, now: u64) -> String {
    let ago = age(now.saturating_sub(left.since));
    let resolvers = |count: u64| match count {
        0 => "no resolver".to_owned(),
        1 => "1 resolver".to_owned(),
        more => format!("about {} resolvers", thousands(more)),
    };
    let then = match left.resolvers_then {
        then if then > cached.resolvers => {
            format!(" {} did when it left, {ago} ago.", capital(&resolvers(then)))
        }
        _ => format!(" It left {ago} ago."),
    };
    let last = age(cached.gone_in_seconds.into());
    match cached {
        _ if is_answering => "It is answered all the same, as nothing else stands.".to_owned(),
        _ if cached.is_gone() => format!("No resolver holds it any more.{then}"),
        _ if cached.unknown_seconds > cached.gone_in_seconds => format!(
            "The process before this one may have answered with it; that is over in {}.",
            age(cached.unknown_seconds.into())
        ),
        _ if cached.at_least => format!(
            "At least {} resolvers hold it, the last of them for {last}.{then}",
            thousands(cached.resolvers)
        ),
        _ => {
            let who = capital(&resolvers(cached.resolvers));
            let (verb, last) = match cached.resolvers {
                1 => ("holds", format!("for {last}")),
                _ => ("hold", format!("the last of them for {last}")),
            };
            format!("{who} {verb} it, {last}.{then}")
        }
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

impl Chart {
    fn of(left: &LeftDoc, cached: &CachedDoc, now: u64) -> Self {
        let passed = now.saturating_sub(left.since);
        let end = passed + u64::from(cached.gone_in_seconds);
        let most = left.curve.iter().map(|point| point.resolvers).max().unwrap_or(0);
        let most = most.max(cached.resolvers).max(1);
        let (width, height) = BOX;
        let x = |seconds: u64| width * seconds.min(end) as f64 / end.max(1) as f64;
        let y = |count: u64| height - (height - 3.0) * count as f64 / most as f64;
        let (before, after): (Vec<&PointDoc>, Vec<&PointDoc>) =
            left.curve.iter().partition(|point| u64::from(point.after_seconds) <= passed);
        // Steps: a number holds until somebody forgets.
        let mut past = format!("M0 {height:.1}");
        for point in &before {
            let _ = write!(past, "H{:.1}V{:.1}", x(point.after_seconds.into()), y(point.resolvers));
        }
        let _ = write!(past, "H{:.1}V{height:.1}Z", x(passed));
        let mut ahead = format!("M{:.1} {:.1}", x(passed), y(cached.resolvers));
        for point in &after {
            let _ =
                write!(ahead, "H{:.1}V{:.1}", x(point.after_seconds.into()), y(point.resolvers));
        }
        let _ = write!(ahead, "H{width:.1}V{height:.1}");
        Self {
            past,
            ahead,
            now: format!("{:.1}", x(passed)),
            from: words::clock(left.since),
            to: words::clock(left.since + end),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(since: u64, resolvers_then: u64, curve: &[(u32, u64)]) -> LeftDoc {
        let point =
            |&(after_seconds, resolvers): &(u32, u64)| PointDoc { after_seconds, resolvers };
        LeftDoc { since, by: Some(3), resolvers_then, curve: curve.iter().map(point).collect() }
    }

    fn cached(resolvers: u64, gone_in_seconds: u32, unknown_seconds: u32) -> CachedDoc {
        CachedDoc { resolvers, at_least: resolvers > 7000, gone_in_seconds, unknown_seconds }
    }

    #[test]
    fn the_line_of_now_moves_and_the_box_stands_still() {
        let left = left(100, 10, &[(0, 10), (2, 5), (4, 1), (8, 0)]);
        let chart = Chart::of(&left, &cached(5, 5, 0), 103);
        assert_eq!(chart.past, "M0 56.0H0.0V3.0H80.0V29.5H120.0V56.0Z");
        assert_eq!(chart.ahead, "M120.0 29.5H160.0V50.7H320.0V56.0H320.0V56.0");
        assert_eq!((chart.now.as_str(), chart.from.as_str()), ("120.0", "00:01:40"));
        assert_eq!(chart.to, "00:01:48");
        let later = Chart::of(&left, &cached(1, 2, 0), 106);
        assert_eq!((later.now.as_str(), later.to), ("240.0", chart.to));
    }

    #[test]
    fn a_curve_of_nothing_is_flat() {
        let chart = Chart::of(&left(100, 0, &[]), &cached(0, 0, 0), 100);
        assert_eq!(
            (chart.past.as_str(), chart.ahead.as_str()),
            ("M0 56.0H0.0V56.0Z", "M0.0 56.0H320.0V56.0")
        );
    }

    #[test]
    fn how_it_stands_is_said_beside_the_curve() {
        for (then, cached, is_answering, expected) in [
            (
                212,
                cached(40, 12, 0),
                false,
                "About 40 resolvers hold it, the last of them for 12s. About 212 resolvers did \
                 when it left, 1m05 ago.",
            ),
            (1, cached(1, 12, 0), false, "1 resolver holds it, for 12s. It left 1m05 ago."),
            (
                7688,
                cached(7688, 12, 0),
                false,
                "At least 7,688 resolvers hold it, the last of them for 12s. It left 1m05 ago.",
            ),
            (
                3,
                cached(0, 0, 0),
                false,
                "No resolver holds it any more. About 3 resolvers did when it left, 1m05 ago.",
            ),
            (0, cached(0, 0, 0), false, "No resolver holds it any more. It left 1m05 ago."),
            (
                0,
                cached(0, 0, 7),
                false,
                "The process before this one may have answered with it; that is over in 7s.",
            ),
            (5, cached(5, 5, 0), true, "It is answered all the same, as nothing else stands."),
        ] {
            let left = left(100, then, &[]);
            assert_eq!(says(&left, &cached, is_answering, 165), expected);
        }
    }
}
