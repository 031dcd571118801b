//! Numbers and documents as the dashboard's readers see them, in the words of the command line.

use std::time::Duration;

pub(super) use super::super::docs::age;
use super::super::docs::{OutcomeWord, OverrideDoc, Status, VerdictDoc};
use super::super::events::{Event, OverrideChange};

/// The mark of a status, the same as on the boards of the command line.
pub(super) fn mark(status: Status) -> char {
    match status {
        Status::Up => '●',
        Status::Down => '○',
        Status::Draining => '◐',
        Status::Unknown => '?',
        Status::Unchecked => '·',
    }
}

/// A time of the day, by the clock of the world: a log of several servers is read side by side.
pub(super) fn clock(unix: u64) -> String {
    let (hours, minutes, seconds) = (unix / 3600 % 24, unix / 60 % 60, unix % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}")
}

/// A moment for a machine: `2026-07-01T12:00:00Z`.
pub(super) fn moment(unix: u64) -> String {
    let at = std::time::UNIX_EPOCH + Duration::from_secs(unix);
    humantime::format_rfc3339_seconds(at).to_string()
}

/// `0.4 ms`, `12 ms`, `1.5 s`.
pub(super) fn milliseconds(latency_ms: f64) -> String {
    match latency_ms {
        ..9.95 => format!("{latency_ms:.1} ms"),
        ..999.5 => format!("{latency_ms:.0} ms"),
        _ => format!("{:.1} s", latency_ms / 1e3),
    }
}

/// A rate: exact where it is small, short where it is large.
pub(super) fn rate(per_second: f64) -> String {
    match per_second {
        ..0.05 => "0".to_owned(),
        ..9.95 => format!("{per_second:.1}"),
        ..9999.5 => format!("{per_second:.0}"),
        ..999_500.0 => format!("{:.1}k", per_second / 1e3),
        _ => format!("{:.2}M", per_second / 1e6),
    }
}

/// `1 node`, `3 nodes`, `1,024 nodes`.
pub(super) fn count(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        more => format!("{} {what}s", thousands(more)),
    }
}

/// `1,024`.
pub(super) fn thousands(number: impl std::fmt::Display) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// What a probe said.
pub(super) fn verdict(verdict: &VerdictDoc) -> String {
    let reason = || verdict.reason.clone().unwrap_or_else(|| "no reason".to_owned());
    match (verdict.outcome, &verdict.warning) {
        (OutcomeWord::Pass, None) => format!("ok in {}", milliseconds(verdict.latency_ms)),
        (OutcomeWord::Pass, Some(warning)) => {
            format!("ok in {}, {warning}", milliseconds(verdict.latency_ms))
        }
        (OutcomeWord::Fail, _) => reason(),
        (OutcomeWord::NoVerdict, _) => format!("not tried: {}", reason()),
    }
}

/// How long an override has held, and will hold.
pub(super) fn times(one: &OverrideDoc, now: u64) -> String {
    let ago = age(now.saturating_sub(one.since));
    match one.until {
        Some(until) => format!("{ago} ago, {} left", age(until.saturating_sub(now))),
        None => format!("{ago} ago, until it is lifted"),
    }
}

/// One line of the log.
#[derive(Debug, PartialEq)]
pub(super) struct EventLine {
    /// `12:03:04`.
    pub(super) clock: String,
    pub(super) moment: String,
    /// Of what kind, for the style sheet: `good`, `bad`, `said` or `quiet`.
    pub(super) kind: &'static str,
    pub(super) mark: char,
    pub(super) subject: String,
    pub(super) text: String,
}

impl EventLine {
    pub(super) fn of((at, event): &(u64, Event)) -> Self {
        let (kind, sign, subject, text) = match event {
            Event::Status { target, from, to, reason, nodes } => {
                let subject = if nodes.is_empty() { target.clone() } else { nodes.join(", ") };
                (kind(*to), mark(*to), subject, format!("{from} → {to}{}", because(reason)))
            }
            Event::Vantage { from, node, address, before, now, reason } => {
                let text = format!("{from} on {address}: {before} → {now}{}", because(reason));
                (kind(*now), mark(*now), node.clone(), text)
            }
            Event::Tier { service, family, row, pools } => {
                let kind = if row == "serving" { "good" } else { "bad" };
                let named: Vec<&str> =
                    pools.iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
                let by = if named.is_empty() {
                    String::new()
                } else {
                    format!(", by {}", named.join(", "))
                };
                (kind, '≡', service.clone(), format!("{family} answered from row “{row}”{by}"))
            }
            Event::Override { change, says } => {
                let reason = says.reason.as_ref().map(|why| format!(" ({why})"));
                let (what, who) = (&says.says, &says.author);
                let text = match change {
                    OverrideChange::Given => format!("{who} said {what}"),
                    OverrideChange::Lifted => format!("{what} of {who} is lifted"),
                    OverrideChange::Expired => format!("{what} of {who} has run out"),
                };
                let text = text + &reason.unwrap_or_default();
                ("said", '✎', says.scope.clone(), text)
            }
            Event::Drained { node, resolvers, seconds, .. } => {
                let text = format!(
                    "drained: {} held it {} ago, and none does now",
                    count(usize::try_from(*resolvers).unwrap_or(usize::MAX), "resolver"),
                    age(*seconds)
                );
                ("said", '◌', node.clone(), text)
            }
            Event::Published { generation, zones } => {
                let text = format!("generation {generation} with {}", count(*zones, "zone"));
                ("quiet", '↻', "configuration".to_owned(), text)
            }
            Event::Lost { events } => {
                ("quiet", '…', "this log".to_owned(), format!("{events} events were missed"))
            }
        };
        Self { clock: clock(*at), moment: moment(*at), kind, mark: sign, subject, text }
    }

    /// Whether a service is concerned: it, or something of it, is named.
    pub(super) fn is_about(event: &Event, service: &str) -> bool {
        let inside = |id: &str| {
            let rest = id.strip_prefix(service);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        match event {
            Event::Vantage { node, .. } => inside(node),
            Event::Status { nodes, .. } => nodes.iter().any(|node| inside(node)),
            Event::Tier { service, .. } => inside(service),
            Event::Override { says, .. } => inside(&says.scope),
            Event::Drained { node, .. } => inside(node),
            Event::Published { .. } => true,
            Event::Lost { .. } => false,
        }
    }
}

/// Of what kind a line about this status is.
fn kind(status: Status) -> &'static str {
    match status {
        Status::Up => "good",
        Status::Down => "bad",
        Status::Draining => "said",
        Status::Unknown | Status::Unchecked => "quiet",
    }
}

fn because(reason: &Option<String>) -> String {
    reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (seconds, expected) in
            [(0, "0s"), (61, "1m01"), (3660, "1h01"), (86400 * 3 + 7200, "3d02h")]
        {
            assert_eq!(age(seconds), expected);
        }
        for (number, expected) in [(0.0, "0"), (0.42, "0.4"), (42.4, "42"), (12345.0, "12.3k")] {
            assert_eq!(rate(number), expected);
        }
        for (number, expected) in [(7, "7"), (999, "999"), (1000, "1,000"), (1234567, "1,234,567")]
        {
            assert_eq!(thousands(number), expected);
        }
        for (ms, expected) in [(0.41, "0.4 ms"), (12.3, "12 ms"), (1500.0, "1.5 s")] {
            assert_eq!(milliseconds(ms), expected);
        }
        assert_eq!(
            (count(1, "node"), count(1024, "node")),
            ("1 node".into(), "1,024 nodes".into())
        );
        assert_eq!((clock(86399), moment(0)), ("23:59:59".into(), "1970-01-01T00:00:00Z".into()));
    }
}
