//! Which of several a key meets: weighted rendezvous.
//!
//! Every contestant draws a time from the key and its own name, scaled by its weight; who comes
//! first wins, and the others stand behind in the order of their times. Nothing is shared between
//! contestants, so when one leaves, only the keys that it had won move, and they move to the others
//! by weight; when one gains weight, keys move only to it. Every server that knows the same names
//! and weights decides alike, without talking.
//!
//! ```text
//!   key ─► bucket, 1 of 65,536 ─► place: the contestant's own permutation of the buckets
//!                                   └─► time = -ln(1 - (place + ½) / 65,536) / weight
//! ```
//!
//! With `u` uniform in (0, 1), `-ln u / weight` is exponential with the weight as its rate, and the
//! least of exponentials is the i-th with probability `weight i / all weights`.
//!
//! That times come from a permutation, and not from a hash of key and name, has one reason: it can
//! be walked from its other end. The buckets that a contestant reaches early are its first places,
//! so the ranking of 1,000 contestants in every bucket is made without asking for each of the 65
//! million pairs (see [`Ranks`](super::ranks::Ranks)). 65,536 buckets give each of 1,000 nodes 65,
//! and each of 20 more than 3,000: far finer than the clients of so many nodes are.
//!
//! D. Thaler, C. V. Ravishankar, "Using name-based mappings to increase hit rates", IEEE/ACM
//! Transactions on Networking 6(1), 1998; the weighted form is "highest random weight" of J. Resch,
//! "New hashing algorithms for data storage", 2015.

use std::array;

use super::asker::mix;

/// How many buckets keys fall into.
pub const BUCKETS: usize = 1 << 16;

/// Keys that are treated alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket(pub u16);

/// The contestants, made ready for keys.
#[derive(Debug, PartialEq)]
pub struct Rendezvous {
    contestants: Box<[Contestant]>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Contestant {
    /// Its permutation of the buckets: a Feistel network.
    rounds: [Round; 4],
    /// Tells apart who comes at one time.
    tie: Round,
    /// Tells apart those of one name.
    own: Round,
    /// The inverse of its weight; infinite for weight 0, which wins only where all are 0.
    handicap: f32,
}

/// A random function from 16 bits to 8: multiply, add, keep the top (M. Dietzfelbinger, "Universal
/// hashing and k-wise independent random variables via integer arithmetic", STACS 1996).
#[derive(Clone, Copy, Debug, PartialEq)]
struct Round {
    factor: u32,
    term: u32,
}

impl Bucket {
    /// The bucket of a key whose bits are all alike random.
    pub fn of(key: u64) -> Self {
        Self((key >> 48) as u16)
    }
}

impl Rendezvous {
    /// Contestants with their names and weights. Neighbours of one name come at one time, each of
    /// them first for its part of the keys. Rendezvous with different salts agree only by chance.
    pub fn new<'n>(salt: u64, contestants: impl IntoIterator<Item = (&'n str, u32)>) -> Self {
        let mut before = ("", 0);
        let one = |(name, weight)| {
            before = (name, if before.0 == name { before.1 + 1 } else { 0 });
            Contestant::new(seed(salt, name), before.1, weight)
        };
        Self { contestants: contestants.into_iter().map(one).collect() }
    }

    /// How many contestants there are.
    pub fn count(&self) -> usize {
        self.contestants.len()
    }

    /// The winner among those contestants that may win.
    pub fn winner(&self, bucket: Bucket, may_win: impl Fn(usize) -> bool) -> Option<usize> {
        let mut best = u64::MAX;
        self.each_rank(bucket, |rank| {
            best = if may_win(contestant_of(rank)) { best.min(rank) } else { best };
        });
        (best < u64::MAX).then(|| contestant_of(best))
    }

    /// The ranks of all contestants in a bucket, one after the other.
    #[inline]
    pub fn each_rank(&self, bucket: Bucket, mut take: impl FnMut(u64)) {
        // Four at a time: the steps of one wait for each other, those of four do not.
        for (four, contestants) in self.contestants.chunks(4).enumerate() {
            let mut places = [0; 4];
            for (place, contestant) in places.iter_mut().zip(contestants) {
                *place = contestant.place(bucket);
            }
            let times = places.map(arrival);
            for (at, (contestant, time)) in contestants.iter().zip(times).enumerate() {
                take(contestant.rank(bucket, time * contestant.handicap, 4 * four + at));
            }
        }
    }

    /// Where a contestant stands in a bucket: the least wins. Ranks of one bucket are all
    /// different, and end with their contestant's index ([`contestant_of`]).
    pub fn rank(&self, bucket: Bucket, index: usize) -> u64 {
        let contestant = &self.contestants[index];
        let time = contestant.time(contestant.place(bucket));
        contestant.rank(bucket, time, index)
    }

    /// The buckets that a contestant reaches before a time is over, and its rank in each.
    pub fn arrivals(&self, index: usize, end: f32) -> impl Iterator<Item = (Bucket, u64)> {
        let contestant = &self.contestants[index];
        let places = (0..=u16::MAX).map(|place| (place, contestant.time(place)));
        places.take_while(move |&(_, time)| time <= end).map(move |(place, time)| {
            let bucket = contestant.bucket(place);
            (bucket, contestant.rank(bucket, time, index))
        })
    }

    /// A time until which about so many contestants reach a bucket on average; infinite where that
    /// is nearly all of them.
    pub fn time_of(&self, arrivals: usize) -> f32 {
        let expected = |end: f32| -> f32 {
            self.contestants.iter().map(|it| 1.0 - (-end / it.handicap).exp()).sum()
        };
        let weighty = self.contestants.iter().filter(|it| it.handicap.is_finite()).count();
        if arrivals * 5 > weighty * 4 {
            return f32::INFINITY;
        }
        // By then 86 in 100 have come of weight 1, the least there is, and of the others more.
        let (mut low, mut high) = (0.0_f32, 2.0);
        for _ in 0..40 {
            let middle = f32::midpoint(low, high);
            *(if expected(middle) < arrivals as f32 { &mut low } else { &mut high }) = middle;
        }
        high
    }
}

/// The contestant that has a rank.
pub fn contestant_of(rank: u64) -> usize {
    usize::from(rank as u16)
}

impl Contestant {
    fn new(seed: u64, ordinal: u64, weight: u32) -> Self {
        let round = |number: u64| {
            let bits = mix(seed.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
            Round { factor: (bits >> 32) as u32 | 1, term: bits as u32 }
        };
        Self {
            rounds: array::from_fn(|number| round(1 + number as u64)),
            tie: round(5),
            own: round(6 + ordinal),
            handicap: 1.0 / weight as f32,
        }
    }

    #[inline]
    fn place(&self, bucket: Bucket) -> u16 {
        let (mut left, mut right) = (bucket.0 >> 8, bucket.0 & 0xff);
        for round in self.rounds {
            (left, right) = (right, left ^ round.of(right));
        }
        left << 8 | right
    }

    /// The other way round.
    fn bucket(&self, place: u16) -> Bucket {
        let (mut left, mut right) = (place >> 8, place & 0xff);
        for round in self.rounds.into_iter().rev() {
            (left, right) = (right ^ round.of(left), left);
        }
        Bucket(left << 8 | right)
    }

    #[inline]
    fn time(&self, place: u16) -> f32 {
        arrival(place) * self.handicap
    }

    /// Times are positive, so their bits stand in their order.
    #[inline]
    fn rank(&self, bucket: Bucket, time: f32, index: usize) -> u64 {
        let tie = self.tie.of(bucket.0) << 8 | self.own.of(bucket.0);
        u64::from(time.to_bits()) << 32 | u64::from(tie) << 16 | index as u64
    }
}

impl Round {
    #[inline]
    fn of(self, bits: u16) -> u16 {
        (u32::from(bits).wrapping_mul(self.factor).wrapping_add(self.term) >> 24) as u16
    }
}

/// When somebody of weight 1 comes who has this place: `-ln` of what is behind it.
///
/// The logarithm of the standard library is the platform's, whose last bit differs between them;
/// this one is the same wherever floats are those of IEEE 754. With `m` from √½ to √2 the series
/// of `2 artanh((m - 1) / (m + 1))` is as exact as an `f32` after five terms.
#[inline]
fn arrival(place: u16) -> f32 {
    const ROOT_OF_HALF: u32 = 0x3f35_04f3;
    let behind = (65_535.5 - f32::from(place)) * (1.0 / 65_536.0);
    let bits = behind.to_bits().wrapping_sub(ROOT_OF_HALF);
    let exponent = (bits.cast_signed() >> 23) as f32;
    let m = f32::from_bits((bits & 0x007f_ffff) + ROOT_OF_HALF);
    let s = (m - 1.0) / (m + 1.0);
    let s2 = s * s;
    let series = 1.0 + s2 * (1.0 / 3.0 + s2 * (0.2 + s2 * (1.0 / 7.0 + s2 * (1.0 / 9.0))));
    -(exponent * std::f32::consts::LN_2 + 2.0 * s * series)
}

/// FNV-1a over the name, mixed: stable over versions and machines, as shares must be.
fn seed(salt: u64, name: &str) -> u64 {
    let step = |hash: u64, octet: u8| (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3);
    mix(name.bytes().fold(0xcbf2_9ce4_8422_2325 ^ salt, step))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets() -> impl Iterator<Item = Bucket> {
        (0..=u16::MAX).map(Bucket)
    }

    fn winners(weights: &[(&str, u32)], may_win: impl Fn(usize) -> bool) -> Vec<usize> {
        let meeting = Rendezvous::new(7, weights.iter().copied());
        buckets().map(|bucket| meeting.winner(bucket, &may_win).unwrap()).collect()
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
                let expected = BUCKETS as f64 * f64::from(*weight) / f64::from(total);
                chi2 += (count - expected).powi(2) / expected;
            }
            assert!(chi2 < limit, "{chi2} for {weights:?}");
        }
    }

    #[test]
    fn only_the_buckets_of_a_lost_contestant_move() {
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
    fn buckets_move_only_to_the_one_that_gains_weight() {
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
    fn who_wins_says_nothing_of_who_would_win_without_it() {
        // Each pair of first and second place, and each pair of winners under two salts.
        let names: Vec<String> = (0..8).map(|number| format!("node-{number}")).collect();
        let [one, other] =
            [1, 2].map(|salt| Rendezvous::new(salt, names.iter().map(|name| (name.as_str(), 1))));
        let (mut seconds, mut salts) = ([[0_u32; 8]; 8], [[0_u32; 8]; 8]);
        for bucket in buckets() {
            let first = one.winner(bucket, |_| true).unwrap();
            seconds[first][one.winner(bucket, |index| index != first).unwrap()] += 1;
            salts[first][other.winner(bucket, |_| true).unwrap()] += 1;
        }
        assert!((0..8).all(|index| seconds[index][index] == 0));
        let chi2 = |counts: &[[u32; 8]; 8], cells: f64| -> f64 {
            let expected = BUCKETS as f64 / cells;
            let all = counts.iter().flatten().map(|&count| f64::from(count));
            // Cells that stay empty, eight of 64, are not among those that are expected.
            let chi2: f64 = all.map(|count| (count - expected).powi(2) / expected).sum();
            chi2 - (64.0 - cells) * expected
        };
        // 99.9 % of 55 and of 63 degrees of freedom.
        assert!(chi2(&seconds, 56.0) < 93.2, "{seconds:?}");
        assert!(chi2(&salts, 64.0) < 103.5, "{salts:?}");
    }

    #[test]
    fn places_are_a_permutation_and_times_grow() {
        let Contestant { rounds, .. } = Contestant::new(seed(1, "a"), 0, 1);
        let one = Contestant { rounds, ..Contestant::new(2, 0, 3) };
        assert!(buckets().all(|bucket| one.bucket(one.place(bucket)) == bucket));
        let times: Vec<f32> = (0..=u16::MAX).map(arrival).collect();
        assert!(times.is_sorted_by(|a, b| a < b));
        for (place, &time) in times.iter().enumerate() {
            let exact = -(1.0 - (place as f64 + 0.5) / 65_536.0).ln();
            assert!((f64::from(time) / exact - 1.0).abs() < 1e-6, "{place}: {time}, not {exact}");
        }
    }

    #[test]
    fn arrivals_are_the_earliest_ranks() {
        let meeting = Rendezvous::new(3, [("a", 5), ("b", 1), ("b", 1), ("c", 0)]);
        for index in 0..meeting.count() {
            let arrivals: Vec<_> = meeting.arrivals(index, 0.3).collect();
            let early =
                |&bucket: &Bucket| meeting.rank(bucket, index) >> 32 <= 0.3_f32.to_bits() as u64;
            assert_eq!(arrivals.len(), buckets().filter(early).count());
            for (bucket, rank) in arrivals {
                assert_eq!(rank, meeting.rank(bucket, index));
                assert_eq!(contestant_of(rank), index);
            }
        }
        let expected = [("a", 0.0), ("b", 0.0)];
        assert_eq!(Rendezvous::new(1, expected.map(|it| (it.0, 1))).time_of(2), f32::INFINITY);
        let many = Rendezvous::new(1, [("a", 60_000)].into_iter().chain([("b", 1); 99]));
        let end = many.time_of(20);
        let arrived: usize = (0..100).map(|index| many.arrivals(index, end).count()).sum();
        assert!((19 * BUCKETS..21 * BUCKETS).contains(&arrived), "{arrived}");
    }

    #[test]
    fn decisions_stay_the_same_for_ever() {
        let meeting = Rendezvous::new(1, [("a", 1), ("b", 1), ("c", 2)]);
        let winner = |key| meeting.winner(Bucket::of(mix(key)), |_| true).unwrap();
        let found: Vec<_> = (0..16).map(winner).collect();
        assert_eq!(found, [0, 0, 1, 0, 1, 2, 2, 2, 0, 2, 2, 0, 2, 2, 2, 1]);
        assert_eq!(meeting.winner(Bucket(1), |_| false), None);
    }
}
