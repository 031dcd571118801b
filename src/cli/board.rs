//! The demo's board as text: a value goes in, lines come out.
//!
//! ```text
//!   thoughtspot.customer.com   weighted   ttl 5s   50 answers/s
//!
//!   node   address     weight  status       since  last verdict     answered first
//!   node1  127.0.0.11       4  ● up            8s  ok in 0.4 ms      75% ███████████
//!   node2  127.0.0.12       4  ○ down          8s  status 503         0%
//! ```
//!
//! Nothing here knows of terminals beyond colours and a width, so all of it is tested as text. No
//! line is wider than the terminal: a line that wraps would spoil the redraw in place.

use std::net::IpAddr;
use std::time::Duration;

use crate::admin::docs::{OutcomeWord, Status, VerdictDoc};

use super::page::{Ink, Page, age, columns, cut, widest};

/// The widest bar, in columns.
const BAR_MAX: usize = 24;
/// Columns of the last verdict: a whole pass at least, most reasons at best.
const VERDICT_MIN: usize = 12;
const VERDICT_MAX: usize = 24;

/// What the board shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Board {
    /// The name that is served.
    pub service: String,
    /// How addresses are picked.
    pub policy: String,
    /// Lifetime of the records.
    pub ttl: Duration,
    /// What the demo's client gets.
    pub answers_per_second: f64,
    /// One for each address.
    pub rows: Vec<Row>,
    /// Something that needs a sentence: every address is down, the server does not answer.
    pub notice: Option<String>,
    /// What happened lately, the newest first.
    pub events: Vec<Event>,
    /// What to try.
    pub hints: Vec<Hint>,
}

/// One address.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The node's name.
    pub node: String,
    /// The address that is answered.
    pub address: IpAddr,
    /// Its share beside the others.
    pub weight: u16,
    /// Its settled state.
    pub status: Status,
    /// Verdicts against the status are being counted.
    pub contradicted: bool,
    /// How long it has had the status; none before the first verdict.
    pub since: Option<Duration>,
    /// The latest verdict.
    pub last: Option<VerdictDoc>,
    /// The part of the answers that began with it, from 0 to 1; none where nothing was answered.
    pub share: Option<f64>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// How long ago.
    pub ago: Duration,
    /// What it was.
    pub text: String,
}

/// Something to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// What it does.
    pub label: String,
    /// What to type.
    pub command: String,
}

/// The board in at most `width` columns, each line ended by a line feed.
pub fn render(board: &Board, width: usize, colour: bool) -> String {
    let mut page = Page::new(width, colour);
    header(board, &mut page);
    table(board, &mut page);
    if !board.events.is_empty() {
        page.end();
        for event in &board.events {
            page.put(Ink::Faint, format!("  {:>4} ago  ", age(event.ago)));
            page.put(Ink::Plain, &event.text);
            page.end();
        }
    }
    page.end();
    page.put(Ink::Strong, "  try this in another terminal");
    page.end();
    let label_width = widest(board.hints.iter().map(|hint| hint.label.as_str()));
    for hint in &board.hints {
        page.put(Ink::Faint, format!("  {:label_width$}  ", hint.label));
        page.put(Ink::Cyan, &hint.command);
        page.end();
    }
    page.into_text()
}

fn header(board: &Board, page: &mut Page) {
    page.put(Ink::Strong, format!("  {}", board.service));
    page.put(
        Ink::Faint,
        format!(
            "   {}   ttl {}   {:.0} answers/s",
            board.policy,
            humantime::format_duration(board.ttl),
            board.answers_per_second
        ),
    );
    page.end();
    if let Some(notice) = &board.notice {
        page.put(Ink::Yellow, format!("  {notice}"));
        page.end();
    }
    page.end();
}

fn table(board: &Board, page: &mut Page) {
    let node_width = widest(board.rows.iter().map(|row| row.node.as_str())).max("node".len());
    let address_width = board.rows.iter().map(|row| row.address.to_string().len()).max();
    let address_width = address_width.unwrap_or(0).max("address".len());
    let left = format!(
        "  {:node_width$}  {:address_width$}  weight  {:11}  {:>5}  ",
        "node", "address", "status", "since",
    );
    // What is left is shared by the verdict, and by the share with its bar.
    let room = page.width().saturating_sub(columns(&left) + "  100% ".len());
    let verdict_width = (room / 2).clamp(VERDICT_MIN, VERDICT_MAX);
    let bar_width = room.saturating_sub(verdict_width).min(BAR_MAX);
    page.put(Ink::Faint, format!("{left}{:verdict_width$}  answered first", "last verdict"));
    page.end();

    for row in &board.rows {
        page.put(Ink::Strong, format!("  {:node_width$}", row.node));
        page.put(Ink::Plain, format!("  {:address_width$}", row.address.to_string()));
        page.put(Ink::Plain, format!("  {:>6}  ", row.weight));
        let (mark, ink) = mark(row.status);
        // An ellipsis while the verdicts and the status disagree: it is about to turn, or not.
        let turning = if row.contradicted { "…" } else { "" };
        page.put(ink, format!("{:11}", format!("{mark} {}{turning}", row.status)));
        page.put(Ink::Plain, format!("  {:>5}  ", row.since.map_or("-".to_owned(), age)));
        let (verdict, ink) = verdict(row.last.as_ref());
        page.put(ink, format!("{:verdict_width$}  ", cut(&verdict, verdict_width)));
        let Some(share) = row.share else {
            page.end();
            continue;
        };
        page.put(Ink::Plain, format!("{:>3.0}%", share * 100.0));
        let filled = (share * bar_width as f64).round() as usize;
        if filled > 0 {
            page.put(ink_of_bar(row.status), format!(" {}", "█".repeat(filled.min(bar_width))));
        }
        page.end();
    }
}

/// A status as a mark and its colour.
pub(super) fn mark(status: Status) -> (char, Ink) {
    match status {
        Status::Up => ('●', Ink::Green),
        Status::Down => ('○', Ink::Red),
        Status::Draining => ('◐', Ink::Yellow),
        Status::Unknown => ('?', Ink::Faint),
        Status::Unchecked => ('·', Ink::Faint),
    }
}

fn ink_of_bar(status: Status) -> Ink {
    match status {
        Status::Up | Status::Unknown | Status::Unchecked => Ink::Cyan,
        Status::Down | Status::Draining => Ink::Yellow,
    }
}

/// The latest verdict in a few words.
pub(super) fn verdict(last: Option<&VerdictDoc>) -> (String, Ink) {
    let Some(verdict) = last else {
        return ("-".to_owned(), Ink::Faint);
    };
    let reason = || verdict.reason.clone().unwrap_or_default();
    match verdict.outcome {
        OutcomeWord::Pass => match &verdict.warning {
            Some(warning) => (format!("ok, {warning}"), Ink::Yellow),
            None => (format!("ok in {:.1} ms", verdict.latency_ms), Ink::Plain),
        },
        OutcomeWord::Fail => (reason(), Ink::Red),
        OutcomeWord::NoVerdict => (reason(), Ink::Yellow),
    }
}

#[cfg(test)]
#[path = "board_tests.rs"]
mod tests;
