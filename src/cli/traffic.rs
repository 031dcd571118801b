//! The demo's own client, and the shares that come of its asking.
//!
//! A board without traffic would stand still, so the demo asks its server as a simple client does:
//! one real query after another over UDP. What is shown is what the server counted, the client's
//! queries and everybody else's: whoever adds `dig` or a load generator sees it on the board.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;
use tokio::time::{MissedTickBehavior, interval};

use super::dns::Question;
use super::dns::exchange::ANSWER_LEN_MAX;
use crate::wire::{Name, RecordType};

/// Time between two queries: enough of them in a window that weights show, too few to feel.
const EVERY: Duration = Duration::from_millis(20);
/// Shares are over this long: it smooths, and a lost node still leaves the bars while one looks.
const WINDOW: Duration = Duration::from_secs(10);

/// Asks for A records until dropped, without waiting for the answers: the server counts them.
pub async fn run(server: SocketAddr, name: &Name) -> std::io::Result<()> {
    let socket = UdpSocket::bind(SocketAddr::new(server.ip(), 0)).await?;
    socket.connect(server).await?;
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut buffer = [0; ANSWER_LEN_MAX];
    let question = Question { edns: false, ..Question::to_authority(name, RecordType::A) };
    let mut id = 0_u16;
    loop {
        tokio::select! {
            _ = ticks.tick() => {
                id = id.wrapping_add(1);
                // Fails while the server starts or stops: then there is nobody to ask.
                let _ = socket.send(&question.to_octets(id)).await;
            }
            // Read, or the socket's buffer fills; an error is the echo of a failed query.
            _ = socket.recv(&mut buffer) => {}
        }
    }
}

/// The latest counts of first places, one number for each address.
#[derive(Debug, Default)]
pub struct Window(VecDeque<(Instant, Vec<u64>)>);

/// What a window says of the answers in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Shares {
    /// Answers a second.
    pub per_second: f64,
    /// Each address's part of them, from 0 to 1; none where nothing was answered.
    pub of: Vec<Option<f64>>,
}

impl Window {
    /// Takes counts that only ever grow, and says what came since the oldest that is kept.
    pub fn note(&mut self, now: Instant, counts: Vec<u64>) -> Shares {
        // Other addresses, other slots: what was counted before means nothing now.
        if self.0.back().is_some_and(|(_, last)| !only_grown(last, &counts)) {
            self.0.clear();
        }
        self.0.push_back((now, counts));
        while self.0.len() > 2 && now.saturating_duration_since(self.0[0].0) > WINDOW {
            self.0.pop_front();
        }
        let (began, before) = &self.0[0];
        let (_, after) = self.0.back().expect("one was just added");
        let added: Vec<u64> =
            after.iter().zip(before).map(|(after, before)| after - before).collect();
        let sum: u64 = added.iter().sum();
        let seconds = now.saturating_duration_since(*began).as_secs_f64();
        Shares {
            per_second: if seconds > 0.0 { sum as f64 / seconds } else { 0.0 },
            of: added.iter().map(|&added| (sum > 0).then(|| added as f64 / sum as f64)).collect(),
        }
    }
}

fn only_grown(before: &[u64], after: &[u64]) -> bool {
    before.len() == after.len() && before.iter().zip(after).all(|(before, after)| before <= after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_what_the_window_added() {
        let mut window = Window::default();
        let start = crate::cli::show::now();
        let mut check = |seconds, counts: [u64; 2], per_second: f64, of: [Option<f64>; 2]| {
            let shares = window.note(start + Duration::from_secs(seconds), counts.to_vec());
            assert_eq!(shares, Shares { per_second, of: of.to_vec() }, "after {seconds}s");
        };
        // What was counted before the first look is nobody's share.
        check(0, [100, 0], 0.0, [None, None]);
        check(4, [130, 10], 10.0, [Some(0.75), Some(0.25)]);
        check(10, [130, 30], 6.0, [Some(0.5), Some(0.5)]);
        // The first look has left the window, the second is its beginning.
        check(14, [130, 60], 5.0, [Some(0.0), Some(1.0)]);
        // Counted anew.
        check(15, [1, 1], 0.0, [None, None]);
        check(16, [2, 4], 4.0, [Some(0.25), Some(0.75)]);
    }
}
