//! Draws by weight: Vose's alias method, and sums where something must be left out.
//!
//! Every column of the table has room for one part of chance; it keeps its own share and lends the
//! rest to one other index, its alias. A draw is then one column and one comparison, for 20 nodes
//! as for 1,000.
//!
//! Further draws of one answer must leave out what was drawn before: drawing again until something
//! new comes is exact, and quick unless most of the weight is taken. After a few tries the rest of
//! the answer comes from a copy of [`Sums`] without what is taken, which is exact too. Up to 16
//! weights have no table: sums are quicker from the start. And a handful has [`Deals`].
//!
//! M. D. Vose, "A linear algorithm for generating random numbers with a given distribution",
//! IEEE Transactions on Software Engineering 17(9), 1991.

use fastrand::Rng;

use super::deals::{DEALT_MAX, Deals};
use super::sums::{BLOCK, Sums};

/// How often a draw is tried anew before the rest is drawn from sums.
const TRIES_MAX: usize = 4;

/// Weights made ready for draws; there is at least one, and they are not all 0.
#[derive(Debug)]
pub struct Weights {
    weights: Box<[u16]>,
    sums: Sums,
    /// None where one block of sums holds everything.
    columns: Box<[Column]>,
    /// None where there are too many for them.
    deals: Option<Box<Deals>>,
}

/// One column of the alias table.
#[derive(Clone, Copy, Debug)]
struct Column {
    /// Out of 2³², how much of the column is its own.
    own: u32,
    alias: u16,
}

/// Which indexes an answer holds already: a bit each.
#[derive(Debug, Default)]
pub struct Taken(Vec<u64>);

impl Taken {
    /// Makes room for indexes below `count`: what allocates, where there is not room already.
    pub fn reserve(&mut self, count: usize) {
        let words = count.div_ceil(64);
        if words > self.0.len() {
            self.0.resize(words, 0);
        }
    }

    /// Forgets all indexes below `count`.
    pub fn clear(&mut self, count: usize) {
        self.reserve(count);
        self.0[..count.div_ceil(64)].fill(0);
    }

    /// True where the index was taken.
    pub fn contains(&self, index: usize) -> bool {
        self.0.get(index / 64).is_some_and(|word| word >> (index % 64) & 1 == 1)
    }

    /// Takes an index.
    pub fn insert(&mut self, index: usize) {
        if let Some(word) = self.0.get_mut(index / 64) {
            *word |= 1 << (index % 64);
        }
    }
}

impl Weights {
    /// All alike.
    pub fn equal(count: usize) -> Self {
        Self::new(std::iter::repeat_n(1, count))
    }

    /// Where all are 0, all count alike.
    pub fn new(weights: impl Iterator<Item = u16>) -> Self {
        let mut weights: Box<[u16]> = weights.collect();
        if weights.iter().all(|&weight| weight == 0) {
            weights.fill(1);
        }
        let mut sums = Sums::default();
        sums.fill(weights.iter().map(|&weight| u32::from(weight)));
        let columns = if weights.len() > BLOCK { columns(&weights) } else { Box::default() };
        let few = weights.len() <= DEALT_MAX;
        let deals = few.then(|| Box::new(Deals::new(&weights)));
        Self { weights, sums, columns, deals }
    }

    /// Draws all that can be drawn, where its orders are known; an answer of less is its beginning.
    #[inline]
    pub fn deal(&self, rng: &mut Rng) -> Option<&[u16]> {
        self.deals.as_ref().map(|deals| deals.deal(rng))
    }

    /// Draws up to `count` different indexes into `drawn`, each with its weight's share of what is
    /// left.
    pub fn draw(&self, count: usize, rng: &mut Rng, drawn: &mut Vec<u16>, left: &mut Left) {
        drawn.clear();
        left.taken.clear(self.weights.len());
        while drawn.len() < count
            && let Some(index) = self.try_draw(rng, |index| !left.taken.contains(index))
        {
            left.taken.insert(index);
            drawn.push(index as u16);
        }
        if drawn.len() == count {
            return;
        }
        left.sums.copy(&self.sums);
        drawn.iter().for_each(|&index| left.sums.take(usize::from(index)));
        while drawn.len() < count
            && let Some(index) = left.sums.draw(rng)
        {
            left.sums.take(index);
            drawn.push(index as u16);
        }
    }

    /// Draws an index that may be drawn, each with its weight's share of what they have together;
    /// none where that is nothing.
    pub fn draw_one(
        &self,
        rng: &mut Rng,
        may: impl Fn(usize) -> bool,
        sums: &mut Sums,
    ) -> Option<usize> {
        self.try_draw(rng, &may).or_else(|| {
            let weight = |(index, &weight)| if may(index) { u32::from(weight) } else { 0 };
            sums.fill(self.weights.iter().enumerate().map(weight));
            sums.draw(rng)
        })
    }

    /// Draws from the table, a few times at most.
    #[inline]
    fn try_draw(&self, rng: &mut Rng, may: impl Fn(usize) -> bool) -> Option<usize> {
        if self.columns.is_empty() {
            return None;
        }
        let mut draws = (0..TRIES_MAX).map(|_| {
            let column = rng.usize(..self.columns.len());
            let Column { own, alias } = self.columns[column];
            if rng.u32(..) < own { column } else { usize::from(alias) }
        });
        draws.find(|&index| may(index))
    }
}

/// What is left to be drawn for one answer: room that a worker owns.
#[derive(Debug, Default)]
pub struct Left {
    /// What is drawn.
    pub taken: Taken,
    /// What may be drawn.
    pub sums: Sums,
}

impl Left {
    /// Makes room for up to `count` weights.
    pub fn reserve(&mut self, count: usize) {
        self.taken.reserve(count);
        self.sums.reserve(count);
    }
}

fn columns(weights: &[u16]) -> Box<[Column]> {
    let count = weights.len() as u64;
    let total: u64 = weights.iter().map(|&weight| u64::from(weight)).sum();
    // Each weight times the count: a column holds `total` of it.
    let mut parts: Vec<u64> = weights.iter().map(|&weight| u64::from(weight) * count).collect();
    let (mut small, mut large): (Vec<usize>, Vec<usize>) =
        (0..parts.len()).partition(|&index| parts[index] < total);
    let full = Column { own: u32::MAX, alias: 0 };
    let mut columns = vec![full; parts.len()];
    for (index, column) in columns.iter_mut().enumerate() {
        column.alias = index as u16;
    }
    while let (Some(&little), Some(&big)) = (small.last(), large.last()) {
        small.pop();
        columns[little] = Column { own: ((parts[little] << 32) / total) as u32, alias: big as u16 };
        parts[big] -= total - parts[little];
        if parts[big] < total {
            large.pop();
            small.push(big);
        }
    }
    columns.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: usize = 100_000;

    /// Pearson's χ² against the expected shares; `limit` is its 99.9 % point.
    fn check(counts: &[usize], weights: &[u16], limit: f64) {
        let total: f64 = weights.iter().map(|&weight| f64::from(weight)).sum();
        let draws: usize = counts.iter().sum();
        let mut chi2 = 0.0;
        for (&count, &weight) in counts.iter().zip(weights) {
            let expected = draws as f64 * f64::from(weight) / total;
            if weight == 0 {
                assert_eq!(count, 0);
            } else {
                chi2 += (count as f64 - expected).powi(2) / expected;
            }
        }
        assert!(chi2 < limit, "chi2 {chi2} of {counts:?} for {weights:?}");
    }

    const LONG: [u16; 20] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20];

    #[test]
    fn draws_follow_the_weights() {
        let (mut rng, mut drawn, mut left) = (Rng::with_seed(1), Vec::new(), Left::default());
        for (weights, limit) in [
            (&[4, 2, 1, 1][..], 16.3),
            (&[1, 0, 65_535], 10.8),
            (&[1], 0.1),
            (&[7; 20], 43.8),
            (&LONG, 43.8),
        ] {
            let table = Weights::new(weights.iter().copied());
            let mut counts = vec![0; weights.len()];
            for _ in 0..DRAWS {
                table.draw(1, &mut rng, &mut drawn, &mut left);
                counts[usize::from(drawn[0])] += 1;
            }
            check(&counts, weights, limit);
        }
    }

    #[test]
    fn further_draws_share_what_is_left() {
        let mut rng = Rng::with_seed(2);
        let mut heavy = LONG;
        heavy[7] = 60_000;
        for weights in [&[4, 2, 1, 1][..], &LONG, &heavy] {
            let table = Weights::new(weights.iter().copied());
            let mut sums = Sums::default();
            let last = weights.len() - 1;
            let mut left = weights.to_vec();
            (left[0], left[last]) = (0, 0);
            let mut counts = vec![0; weights.len()];
            for _ in 0..DRAWS {
                let may = |index| index != 0 && index != last;
                counts[table.draw_one(&mut rng, may, &mut sums).unwrap()] += 1;
            }
            check(&counts, &left, 43.8);
        }
    }

    #[test]
    fn the_second_of_an_answer_follows_the_weights_without_the_first() {
        let (mut rng, mut drawn, mut left) = (Rng::with_seed(3), Vec::new(), Left::default());
        let mut heavy = LONG;
        heavy[3] = 5_000;
        for weights in [&[4, 2, 1, 1][..], &heavy] {
            let table = Weights::new(weights.iter().copied());
            // Where the first was the fourth.
            let mut without = weights.to_vec();
            without[3] = 0;
            let mut counts = vec![0; weights.len()];
            for _ in 0..DRAWS {
                table.draw(2, &mut rng, &mut drawn, &mut left);
                if drawn[0] == 3 {
                    counts[usize::from(drawn[1])] += 1;
                }
            }
            check(&counts, &without, 43.8);
        }
    }

    #[test]
    fn all_can_be_drawn_and_nothing_twice() {
        let (mut rng, mut drawn, mut left) = (Rng::with_seed(4), Vec::new(), Left::default());
        for count in [1, 2, 16, 17, 300] {
            let table = Weights::new((0..count).map(|index| index * (index % 200) + 1));
            for ask in [1, count / 2, count, count + 1].map(usize::from) {
                table.draw(ask, &mut rng, &mut drawn, &mut left);
                assert_eq!(drawn.len(), ask.min(usize::from(count)));
                let mut sorted = drawn.clone();
                sorted.sort_unstable();
                sorted.dedup();
                assert_eq!(sorted.len(), drawn.len());
            }
        }
    }

    #[test]
    fn nothing_is_drawn_where_nothing_may() {
        let (mut rng, mut sums) = (Rng::with_seed(3), Sums::default());
        for count in [2, 20] {
            let table = Weights::new((0..count).map(|index| u16::from(index > 0)));
            assert_eq!(table.draw_one(&mut rng, |index| index == 0, &mut sums), None);
            assert_eq!(table.draw_one(&mut rng, |index| index == 1, &mut sums), Some(1));
        }
        assert_eq!(Weights::new([0, 0].into_iter()).weights.as_ref(), [1, 1]);
    }
}
