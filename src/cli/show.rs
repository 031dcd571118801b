//! The demo's eyes: looks at the server again and again, and shows what it sees.
//!
//! On a terminal it draws the board over itself; elsewhere it prints a line for each change and,
//! now and then, one of shares. Both come of the same look, so they cannot tell different stories.

use std::collections::VecDeque;
use std::io::Write;
use std::time::{Duration, Instant};

use terminal_size::{Height, Width};

use crate::daemon::Server;
use crate::daemon::view::{AddressView, ServiceView};
use crate::health::Status;

use super::board::{self, Board, Event, Hint, Row};
use super::demo;
use super::traffic::{Shares, Window};

/// Between two looks at the server: fast enough to see a change happen.
const REDRAW: Duration = Duration::from_millis(250);
/// Between two lines of shares where there is no board.
const SHARES_EVERY: Duration = Duration::from_secs(10);
/// What happened lately and is still shown.
const EVENTS_MAX: usize = 4;
/// Columns and lines where the terminal does not tell.
const SIZE_DEFAULT: (usize, usize) = (100, 24);

/// What is looked at again and again.
pub(super) struct Show {
    plain: bool,
    hints: Vec<Hint>,
    started: Instant,
    window: Window,
    before: Vec<Status>,
    /// The newest first.
    events: VecDeque<(Instant, String)>,
}

impl Show {
    /// `plain`: lines rather than a board.
    pub(super) fn new(plain: bool, hints: Vec<Hint>) -> Self {
        Self {
            plain,
            hints,
            started: now(),
            window: Window::default(),
            before: Vec::new(),
            events: VecDeque::new(),
        }
    }

    /// Looks and shows until dropped; what is printed afterwards begins below the board.
    pub(super) async fn run(mut self, server: &Server) {
        let _cursor = (!self.plain).then(|| Cursor);
        let mut drawn_lines = 0;
        let mut shares_due = self.started + SHARES_EVERY;
        if self.plain {
            for hint in &self.hints {
                super::print(&format!("{:11}  {}", hint.label, hint.command));
            }
        }
        let mut looks = tokio::time::interval(REDRAW);
        loop {
            looks.tick().await;
            let mut services = server.view().await.services.into_iter();
            let Some(view) = services.next() else { continue };
            let now = now();
            let board = self.look(&view, now);
            if !self.plain {
                drawn_lines = draw(&board, drawn_lines);
            } else if now >= shares_due {
                shares_due = now + SHARES_EVERY;
                super::print(&format!("{:>6}  {}", self.clock(now), shares_line(&board)));
            }
        }
    }

    /// Makes a board of a view; a status that is another than before becomes an event.
    fn look(&mut self, view: &ServiceView, now: Instant) -> Board {
        let counts = view.addresses.iter().map(|address| address.firsts).collect();
        let shares = self.window.note(now, counts);
        let rows = rows(view, &shares);
        let before = std::mem::replace(&mut self.before, statuses(&rows));
        for (at, Row { node, address, status, .. }) in rows.iter().enumerate() {
            if before.get(at).copied().unwrap_or(Status::Unknown) != *status {
                self.happened(now, format!("{node} ({address}) is {status}"));
            }
        }
        Board {
            service: view.owner.trim_end_matches('.').to_owned(),
            policy: view.policy.word().to_owned(),
            ttl: Duration::from_secs(view.ttl.into()),
            answers_per_second: shares.per_second,
            notice: notice(&rows),
            rows,
            events: self
                .events
                .iter()
                .map(|(at, text)| Event {
                    ago: now.saturating_duration_since(*at),
                    text: text.clone(),
                })
                .collect(),
            hints: self.hints.clone(),
        }
    }

    fn happened(&mut self, now: Instant, text: String) {
        if self.plain {
            super::print(&format!("{:>6}  {text}", self.clock(now)));
        }
        self.events.push_front((now, text));
        self.events.truncate(EVENTS_MAX);
    }

    /// Time since the start, as plain lines begin with it.
    fn clock(&self, now: Instant) -> String {
        board::age(now.saturating_duration_since(self.started))
    }
}

fn rows(view: &ServiceView, shares: &Shares) -> Vec<Row> {
    let row = |(at, seen): (usize, &AddressView)| Row {
        node: demo::node_at(seen.ip).unwrap_or_else(|| seen.node.clone()),
        address: seen.ip,
        weight: seen.weight,
        status: seen.standing.map_or(Status::Unknown, |standing| standing.status),
        contradicted: seen.standing.is_some_and(|standing| standing.contradicted),
        since: seen.since,
        last: seen.last.clone(),
        share: shares.of[at],
    };
    view.addresses.iter().enumerate().map(row).collect()
}

fn statuses(rows: &[Row]) -> Vec<Status> {
    rows.iter().map(|row| row.status).collect()
}

/// What the statuses mean where they mean something special.
fn notice(rows: &[Row]) -> Option<String> {
    let red = !rows.is_empty() && rows.iter().all(|row| row.status == Status::Down);
    red.then(|| {
        "every address is down: all are answered, as a red board is more often a broken prober"
            .to_owned()
    })
}

fn shares_line(board: &Board) -> String {
    let shares: Vec<String> = board
        .rows
        .iter()
        .map(|row| {
            let share = row.share.map_or("-".to_owned(), |share| format!("{:.0}%", share * 100.0));
            format!("{} {} {share}", row.node, row.status)
        })
        .collect();
    format!("{:.0} answers/s; first in them: {}", board.answers_per_second, shares.join(", "))
}

/// Draws over what was drawn before, and gives the lines drawn.
fn draw(board: &Board, lines_before: usize) -> usize {
    let (width, height) = terminal_size::terminal_size()
        .map_or(SIZE_DEFAULT, |(Width(width), Height(height))| (width.into(), height.into()));
    let colour = std::env::var_os("NO_COLOR").is_none();
    let text = board::render(board, width, colour);
    // A board that is higher than the terminal would scroll, and could not be drawn over.
    let lines = text.lines().count().min(height.saturating_sub(1));
    // Hide the cursor; go up over the old board; clear the rest of each line as it is written
    // (clearing first would flicker), and whatever is below the last one.
    let mut out = String::from("\x1b[?25l");
    if lines_before > 0 {
        out += &format!("\x1b[{lines_before}A\r");
    }
    for line in text.lines().take(lines) {
        out += line;
        out += "\x1b[K\n";
    }
    out += "\x1b[J";
    print_raw(&out);
    lines
}

/// The board hides the cursor; whatever ends the board, dropping this brings it back.
struct Cursor;

impl Drop for Cursor {
    fn drop(&mut self) {
        print_raw("\x1b[?25h\n");
    }
}

fn print_raw(text: &str) {
    let mut out = std::io::stdout().lock();
    // A terminal that went away is noticed by the signal that comes with it.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// The one place where the demo asks the clock.
#[expect(clippy::disallowed_methods, reason = "the demo shows what happens now")]
pub(super) fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use crate::health::{Outcome, Reason, Standing, Verdict};
    use crate::steer::Policy;

    use super::*;

    /// What a server says whose second node is down and whose first was answered so often.
    fn view(firsts: u64) -> ServiceView {
        let address = |ip: Ipv4Addr, weight| {
            let down = ip.octets()[3] == 12;
            let (status, outcome) = if down {
                (Status::Down, Outcome::Fail(Reason::HttpStatus(503)))
            } else {
                (Status::Up, Outcome::Pass)
            };
            AddressView {
                node: ip.to_string().replace('.', "-"),
                ip: ip.into(),
                weight,
                standing: Some(Standing { status, contradicted: false }),
                since: Some(Duration::from_secs(1)),
                last: Some(Verdict::new(outcome, Duration::ZERO)),
                firsts: if ip.octets()[3] == 11 { firsts } else { 0 },
            }
        };
        ServiceView {
            id: "thoughtspot.customer.com/@".to_owned(),
            owner: "thoughtspot.customer.com.".to_owned(),
            ttl: 5,
            policy: Policy::Weighted,
            addresses: [(11, 4), (12, 2), (13, 1), (14, 1)]
                .map(|(last, weight)| address(Ipv4Addr::new(127, 0, 0, last), weight))
                .into(),
        }
    }

    #[test]
    fn the_board_shows_what_was_seen_and_what_changed() {
        let mut show = Show::new(true, Vec::new());
        show.look(&view(0), now());
        let board = show.look(&view(50), now());
        assert_eq!(board.service, demo::APEX);
        assert_eq!(board.rows[0].share, Some(1.0));
        assert_eq!((board.rows[1].node.as_str(), board.rows[1].status), ("node2", Status::Down));
        assert_eq!(board.notice, None);
        // The second look saw nothing new.
        let events: Vec<&str> = board.events.iter().map(|event| event.text.as_str()).collect();
        assert_eq!(
            events,
            [
                "node4 (127.0.0.14) is up",
                "node3 (127.0.0.13) is up",
                "node2 (127.0.0.12) is down",
                "node1 (127.0.0.11) is up",
            ]
        );
    }

    #[test]
    fn a_red_board_is_explained() {
        let mut view = view(0);
        let mut show = Show::new(true, Vec::new());
        for address in &mut view.addresses {
            address.standing = Some(Standing { status: Status::Down, contradicted: false });
        }
        let board = show.look(&view, now());
        assert!(board.notice.is_some_and(|text| text.contains("all are answered")));
    }
}
