//! Each address's part of the answers, out of counts that only grow.
//!
//! What was counted since the process started tells what has been, not what is: a node that came
//! back an hour ago would look idle for a day. So counts are noted as they grow, and a share is of
//! what the last seconds added.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Shares are over this long: it smooths, and a lost node still leaves the bars while one looks.
const WINDOW: Duration = Duration::from_secs(10);

/// The latest counts of first places, one number for each address.
#[derive(Debug, Default)]
pub struct Window(VecDeque<(Instant, Vec<u64>)>);

/// What a window says of the answers in it.
#[derive(Clone, Debug, Default, PartialEq)]
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
        let start = crate::admin::now();
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
