//! The demo's eyes: looks at the server again and again, and shows what it sees.
//!
//! On a terminal it draws the board over itself; elsewhere it prints a line for each change and,
//! now and then, one of shares. Both come of the same look, so they cannot tell different stories.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::admin::docs::{AddressDoc, NodeDoc, ServiceDoc, Status};
use crate::admin::shares::{Shares, Window};
use crate::daemon::Server;

use super::board::{self, Board, Event, Hint, Row};
use super::page::age;
use super::screen::{self, Screen};

/// Between two looks at the server: fast enough to see a change happen.
const REDRAW: Duration = Duration::from_millis(250);
/// Between two lines of shares where there is no board.
const SHARES_EVERY: Duration = Duration::from_secs(10);
/// What happened lately and is still shown.
const EVENTS_MAX: usize = 4;

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
        let mut screen = (!self.plain).then(Screen::default);
        let mut shares_due = self.started + SHARES_EVERY;
        if self.plain {
            for hint in &self.hints {
                super::print(&format!("{:11}  {}", hint.label, hint.command));
            }
        }
        let mut looks = tokio::time::interval(REDRAW);
        loop {
            looks.tick().await;
            let status = server.status().await;
            let Some(service) = status.services.first() else { continue };
            let now = now();
            let board = self.look(service, status.now, now);
            if let Some(screen) = &mut screen {
                screen.draw(&board::render(&board, screen::size().0, screen::colours()));
            } else if now >= shares_due {
                shares_due = now + SHARES_EVERY;
                super::print(&format!("{:>6}  {}", self.clock(now), shares_line(&board)));
            }
        }
    }

    /// Makes a board of what a server says at a time (`unix`, its own); a status that is another
    /// than before becomes an event.
    fn look(&mut self, service: &ServiceDoc, unix: u64, now: Instant) -> Board {
        let shares = self.window.note(now, service.firsts());
        let rows = rows(service, unix, &shares);
        let before = std::mem::replace(&mut self.before, statuses(&rows));
        for (at, Row { node, address, status, .. }) in rows.iter().enumerate() {
            if before.get(at).copied().unwrap_or(Status::Unknown) != *status {
                self.happened(now, format!("{node} ({address}) is {status}"));
            }
        }
        Board {
            service: service.owner.clone(),
            policy: service.policy.clone(),
            ttl: Duration::from_secs(service.ttl.into()),
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
        age(now.saturating_duration_since(self.started))
    }
}

fn rows(service: &ServiceDoc, unix: u64, shares: &Shares) -> Vec<Row> {
    let nodes = service.pools.iter().flat_map(|pool| &pool.nodes);
    let seen = nodes.flat_map(|node| node.addresses.iter().map(move |address| (node, address)));
    let row = |(seen, share): ((&NodeDoc, &AddressDoc), &Option<f64>)| {
        let (node, address) = seen;
        Row {
            node: node.name.clone(),
            address: address.address,
            weight: node.weight,
            status: address.effective,
            contradicted: address.turning,
            since: address.since.map(|since| Duration::from_secs(unix.saturating_sub(since))),
            last: address.last.clone(),
            share: *share,
        }
    };
    seen.zip(&shares.of).map(row).collect()
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

/// The one place where the demo asks the clock.
#[expect(clippy::disallowed_methods, reason = "the demo shows what happens now")]
pub(super) fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use crate::admin::docs::{OutcomeWord, PoolDoc, VerdictDoc};

    use super::super::demo;
    use super::*;

    /// What a server says whose second node is down and whose first was answered so often.
    fn service(firsts: u64) -> ServiceDoc {
        let node = |(last, weight): (u8, u16)| {
            let ip = Ipv4Addr::new(127, 0, 0, last);
            let down = last == 12;
            let (status, outcome) = if down {
                (Status::Down, OutcomeWord::Fail)
            } else {
                (Status::Up, OutcomeWord::Pass)
            };
            let reason = down.then(|| "status 503".to_owned());
            let last_verdict =
                VerdictDoc { ago_ms: 0, outcome, reason, warning: None, latency_ms: 0.0 };
            let address = AddressDoc {
                address: ip.into(),
                real: status,
                effective: status,
                turning: false,
                answering: !down,
                since: Some(99),
                last: Some(last_verdict),
                vantages: Vec::new(),
                latencies_ms: Vec::new(),
                firsts: if last == 11 { firsts } else { 0 },
                guard: None,
            };
            NodeDoc {
                id: format!("{}/@/{last}", demo::APEX),
                name: format!("node{}", last - 10),
                weight,
                weight_configured: weight,
                overrides: Vec::new(),
                addresses: vec![address],
                cached: None,
            }
        };
        let nodes = [(11, 4), (12, 2), (13, 1), (14, 1)].map(node).into();
        let pool = PoolDoc { name: String::new(), share: None, share_configured: None, nodes };
        ServiceDoc {
            id: "thoughtspot.customer.com/@".to_owned(),
            owner: "thoughtspot.customer.com".to_owned(),
            ttl: 5,
            steer: "failover".to_owned(),
            policy: "weighted".to_owned(),
            families: Vec::new(),
            pools: vec![pool],
        }
    }

    #[test]
    fn the_board_shows_what_was_seen_and_what_changed() {
        let mut show = Show::new(true, Vec::new());
        show.look(&service(0), 100, now());
        let board = show.look(&service(50), 100, now());
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
        let mut service = service(0);
        let mut show = Show::new(true, Vec::new());
        for node in &mut service.pools[0].nodes {
            node.addresses[0].effective = Status::Down;
        }
        let board = show.look(&service, 100, now());
        assert!(board.notice.is_some_and(|text| text.contains("all are answered")));
    }
}
