//! Which of several a key meets: weighted rendezvous.
//!
//! Every contestant draws a number from the key and its own name, scaled by its weight; the least
//! one wins. Nothing is shared between contestants, so when one leaves, only the keys that it had
//! won move, and they move to the others by weight; when one gains weight, keys move only to it.
//! Every server that knows the same names and weights decides alike, without talking.
//!
//! With `u` uniform in (0, 1), `-log u / weight` is exponential with the weight as its rate, and
//! the least of exponentials is the i-th with probability `weight i / all weights`.
//!
//! D. Thaler, C. V. Ravishankar, "Using name-based mappings to increase hit rates", IEEE/ACM
//! Transactions on Networking 6(1), 1998; the weighted form is "highest random weight" of J. Resch,
//! "New hashing algorithms for data storage", 2015.

use super::asker::mix;

/// The contestants, made ready for keys.
#[derive(Debug)]
pub struct Rendezvous {
    contestants: Box<[Contestant]>,
}

#[derive(Clone, Copy, Debug)]
struct Contestant {
    seed: u64,
    /// The inverse of its weight; infinite for weight 0, which wins only where all are 0.
    handicap: f32,
}

impl Rendezvous {
    /// Contestants with their names and weights. Rendezvous with different salts agree only by
    /// chance.
    pub fn new<'n>(salt: u64, contestants: impl IntoIterator<Item = (&'n str, u32)>) -> Self {
        let one = |(name, weight): (&str, u32)| Contestant {
            seed: seed(salt, name),
            handicap: 1.0 / weight as f32,
        };
        Self { contestants: contestants.into_iter().map(one).collect() }
    }

    /// The winner among those contestants that may win; the first where none has any weight.
    pub fn winner(&self, key: u64, may_win: impl Fn(usize) -> bool) -> Option<usize> {
        let mut best: Option<(usize, f32)> = None;
        for index in (0..self.contestants.len()).filter(|&index| may_win(index)) {
            let time = self.time(key, index);
            if best.is_none_or(|(_, least)| time < least) {
                best = Some((index, time));
            }
        }
        best.map(|(index, _)| index)
    }

    /// How long a contestant takes to meet a key: the least one wins.
    pub fn time(&self, key: u64, index: usize) -> f32 {
        let Contestant { seed, handicap } = self.contestants[index];
        // 24 bits are what an `f32` holds; half of one keeps the logarithm finite.
        let drawn = (mix(key ^ seed) >> 40) as f32 + 0.5;
        -(drawn * (1.0 / 16_777_216.0)).log2() * handicap
    }
}

/// FNV-1a over the name, mixed: stable over versions and machines, as shares must be.
fn seed(salt: u64, name: &str) -> u64 {
    let step = |hash: u64, octet: u8| (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3);
    mix(name.bytes().fold(0xcbf2_9ce4_8422_2325 ^ salt, step))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: u64 = 40_000;

    fn winners(weights: &[(&str, u32)], may_win: impl Fn(usize) -> bool) -> Vec<usize> {
        let meeting = Rendezvous::new(7, weights.iter().copied());
        (0..KEYS).map(|key| meeting.winner(mix(key), &may_win).unwrap()).collect()
    }

    #[test]
    fn shares_follow_the_weights() {
        for (weights, limit) in [
            (&[("a", 50), ("b", 50)][..], 10.8),
            (&[("a", 90), ("b", 10)], 10.8),
            (&[("a", 99), ("b", 1)], 10.8),
            (&[("a", 4), ("b", 2), ("c", 1), ("d", 1)], 16.3),
        ] {
            let total: u32 = weights.iter().map(|(_, weight)| weight).sum();
            let winners = winners(weights, |_| true);
            let mut chi2 = 0.0;
            for (index, (_, weight)) in weights.iter().enumerate() {
                let count = winners.iter().filter(|&&winner| winner == index).count() as f64;
                let expected = KEYS as f64 * f64::from(*weight) / f64::from(total);
                chi2 += (count - expected).powi(2) / expected;
            }
            assert!(chi2 < limit, "{chi2} for {weights:?}");
        }
    }

    #[test]
    fn only_the_keys_of_a_lost_contestant_move() {
        let weights = [("a", 4), ("b", 2), ("c", 1), ("d", 1)];
        let before = winners(&weights, |_| true);
        for lost in 0..weights.len() {
            let after = winners(&weights, |index| index != lost);
            let moved = before.iter().zip(&after).filter(|(before, after)| before != after);
            assert!(moved.clone().all(|(before, _)| *before == lost));
            assert_eq!(moved.count(), before.iter().filter(|&&winner| winner == lost).count());
        }
    }

    #[test]
    fn keys_move_only_to_the_one_that_gains_weight() {
        let mut before = winners(&[("blue", 100), ("green", 0)], |_| true);
        assert!(before.iter().all(|&winner| winner == 0));
        for green in (5..=100).step_by(5) {
            let after = winners(&[("blue", 100 - green), ("green", green)], |_| true);
            assert!(before.iter().zip(&after).all(|(before, after)| before <= after), "{green}");
            before = after;
        }
        assert!(before.iter().all(|&winner| winner == 1));
    }

    #[test]
    fn decisions_stay_the_same_for_ever() {
        let meeting = Rendezvous::new(1, [("a", 1), ("b", 1), ("c", 2)]);
        let winner = |key| meeting.winner(mix(key), |_| true).unwrap();
        let found: Vec<_> = (0..16).map(winner).collect();
        assert_eq!(found, [2, 1, 0, 0, 2, 2, 2, 2, 0, 2, 0, 1, 1, 2, 2, 2]);
        assert_eq!(meeting.winner(1, |_| false), None);
    }
}
