//! The demo's own client: real queries over UDP, and who was answered first.
//!
//! The board's shares are measured from outside, as a user would: a query is sent, the answer is
//! read, the first address is the one that a simple client connects to. Nothing is taken from the
//! server's own counters, so the board cannot flatter.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::base::{Name, Rtype};
use tokio::net::UdpSocket;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::ask;

/// Time between two queries: enough of them in a window that weights show, too few to feel.
const EVERY: Duration = Duration::from_millis(20);
/// How long an answer may take. Loopback needs a fraction of a millisecond.
const PATIENCE: Duration = Duration::from_millis(200);
/// Shares are over this long: it smooths, and a lost node still leaves the bars while one looks.
pub const WINDOW: Duration = Duration::from_secs(10);

/// Who was answered first, lately; clones are handles to the same record.
#[derive(Clone, Debug, Default)]
pub struct Tally(Arc<Mutex<VecDeque<Heard>>>);

/// One answer: when it came, and its first address.
type Heard = (Instant, Option<IpAddr>);

/// A tally at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct Shares {
    /// Answers in the window.
    pub answers: usize,
    /// Answers a second.
    pub per_second: f64,
    firsts: Vec<IpAddr>,
}

impl Tally {
    /// Notes an answer by its first address; none for an answer without any.
    pub fn note(&self, now: Instant, first: Option<IpAddr>) {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        answers.push_back((now, first));
        forget(&mut answers, now);
    }

    /// What the window holds.
    pub fn shares(&self, now: Instant) -> Shares {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        forget(&mut answers, now);
        let span = answers
            .front()
            .map_or(WINDOW, |(first, _)| now.saturating_duration_since(*first))
            // Less than a second says little of a rate.
            .max(Duration::from_secs(1));
        Shares {
            answers: answers.len(),
            per_second: answers.len() as f64 / span.as_secs_f64(),
            firsts: answers.iter().filter_map(|(_, first)| *first).collect(),
        }
    }
}

impl Shares {
    /// The part of the window's answers that began with this address, from 0 to 1; none where
    /// nothing was answered.
    pub fn of(&self, address: IpAddr) -> Option<f64> {
        let count = self.firsts.iter().filter(|first| **first == address).count();
        (self.answers > 0).then(|| count as f64 / self.answers as f64)
    }
}

fn forget(answers: &mut VecDeque<Heard>, now: Instant) {
    while answers.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) > WINDOW) {
        answers.pop_front();
    }
}

/// Asks for A records until dropped; a query without an answer is simply not counted.
pub async fn run(server: SocketAddr, name: &Name<Vec<u8>>, tally: Tally) -> std::io::Result<()> {
    let socket = UdpSocket::bind(SocketAddr::new(server.ip(), 0)).await?;
    socket.connect(server).await?;
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut id = 0_u16;
    loop {
        ticks.tick().await;
        id = id.wrapping_add(1);
        // Both can fail while the server starts or stops: then there is no answer to count.
        if socket.send(&ask::query(id, name, Rtype::A)).await.is_err() {
            continue;
        }
        if let Ok(Some(answer)) = timeout(PATIENCE, receive(&socket, id)).await {
            tally.note(super::demo::now(), answer.addresses.first().copied());
        }
    }
}

async fn receive(socket: &UdpSocket, id: u16) -> Option<ask::Answer> {
    let mut buffer = [0; ask::ANSWER_LEN_MAX];
    loop {
        let len = socket.recv(&mut buffer).await.ok()?;
        // A late answer to an earlier query is passed over.
        if let Some(answer) = ask::parse(id, &buffer[..len]) {
            return Some(answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_over_the_window() {
        let tally = Tally::default();
        let [a, b]: [IpAddr; 2] = [[192, 0, 2, 1].into(), [192, 0, 2, 2].into()];
        let start = crate::cli::demo::now();
        assert_eq!(tally.shares(start).of(a), None);

        for (after, first) in [(0, Some(a)), (1, Some(a)), (2, Some(b)), (3, None)] {
            tally.note(start + Duration::from_secs(after), first);
        }
        let early = tally.shares(start + Duration::from_secs(4));
        assert_eq!((early.of(a), early.of(b)), (Some(0.5), Some(0.25)));
        assert!((early.per_second - 1.0).abs() < 1e-9);

        let late = tally.shares(start + WINDOW + Duration::from_secs(2));
        assert_eq!((late.of(a), late.of(b)), (Some(0.0), Some(0.5)));
    }
}
