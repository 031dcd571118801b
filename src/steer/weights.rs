//! Draws by weight in constant time: Vose's alias method.
//!
//! Every column of the table has room for one part of chance; it keeps its own share and lends the
//! rest to one other index, its alias. A draw is then one column and one comparison, for 4 nodes as
//! for 1,000.
//!
//! Further draws of one answer must leave out what was drawn before ([`Weights::draw_other`]):
//! drawing again until something new comes is exact, and quick unless most of the weight is taken;
//! after a few tries the rest is walked once instead, which is exact too.
//!
//! M. D. Vose, "A linear algorithm for generating random numbers with a given distribution",
//! IEEE Transactions on Software Engineering 17(9), 1991.

use fastrand::Rng;

/// How often a draw is tried anew before the remaining weights are walked.
const TRIES_MAX: usize = 4;

/// Weights made ready for draws; there is at least one, and they are not all 0.
#[derive(Debug)]
pub struct Weights {
    weights: Box<[u16]>,
    columns: Box<[Column]>,
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
    /// Makes room for indexes below `count`; the only thing here that allocates.
    pub fn reserve(&mut self, count: usize) {
        let words = count.div_ceil(64);
        if words > self.0.len() {
            self.0.resize(words, 0);
        }
    }

    /// Forgets all indexes below `count`.
    pub fn clear(&mut self, count: usize) {
        let words = count.div_ceil(64).min(self.0.len());
        self.0[..words].fill(0);
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
        let columns = columns(&weights);
        Self { weights, columns }
    }

    /// An index, each with its weight's share of chance.
    pub fn draw(&self, rng: &mut Rng) -> usize {
        let column = rng.usize(..self.columns.len());
        let Column { own, alias } = self.columns[column];
        if rng.u32(..) < own { column } else { usize::from(alias) }
    }

    /// An index that is not taken, each with its weight's share of what is left; none where
    /// everything of weight is taken.
    pub fn draw_other(&self, taken: &Taken, rng: &mut Rng) -> Option<usize> {
        // With few weights a walk costs no more than a try.
        if self.weights.len() > 16 {
            for _ in 0..TRIES_MAX {
                let index = self.draw(rng);
                if !taken.contains(index) {
                    return Some(index);
                }
            }
        }
        let left = || {
            let all = self.weights.iter().enumerate();
            all.filter(|(index, _)| !taken.contains(*index))
                .map(|(index, &weight)| (index, u32::from(weight)))
        };
        let total: u32 = left().map(|(_, weight)| weight).sum();
        if total == 0 {
            return None;
        }
        let mut at = rng.u32(..total);
        for (index, weight) in left() {
            if at < weight {
                return Some(index);
            }
            at -= weight;
        }
        None
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

    #[test]
    fn draws_follow_the_weights() {
        let mut rng = Rng::with_seed(1);
        for (weights, limit) in [
            (&[4, 2, 1, 1][..], 16.3),
            (&[1, 0, 65_535], 10.8),
            (&[1], 0.1),
            (&[7; 20], 43.8),
            (&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20], 43.8),
        ] {
            let table = Weights::new(weights.iter().copied());
            let mut counts = vec![0; weights.len()];
            for _ in 0..DRAWS {
                counts[table.draw(&mut rng)] += 1;
            }
            check(&counts, weights, limit);
        }
    }

    #[test]
    fn further_draws_share_what_is_left() {
        let mut rng = Rng::with_seed(2);
        let long: Vec<u16> = (1..=20).collect();
        for weights in [&[4, 2, 1, 1][..], &long] {
            let table = Weights::new(weights.iter().copied());
            let mut taken = Taken::default();
            taken.reserve(weights.len());
            taken.insert(0);
            taken.insert(weights.len() - 1);
            let mut left = weights.to_vec();
            left[0] = 0;
            left[weights.len() - 1] = 0;
            let mut counts = vec![0; weights.len()];
            for _ in 0..DRAWS {
                counts[table.draw_other(&taken, &mut rng).unwrap()] += 1;
            }
            check(&counts, &left, 43.8);
        }
    }

    #[test]
    fn nothing_is_drawn_where_all_is_taken() {
        let table = Weights::new([0, 3].into_iter());
        let mut taken = Taken::default();
        taken.reserve(2);
        taken.insert(1);
        assert_eq!(table.draw_other(&taken, &mut Rng::with_seed(3)), None);
        assert_eq!(Weights::new([0, 0].into_iter()).weights.as_ref(), [1, 1]);
    }
}
