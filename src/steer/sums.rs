//! Weights as sums, from which one can be taken away: exact draws without replacement.
//!
//! ```text
//!   top       | sums over 16 blocks below, each with those before it |
//!   below     | 16 weights, each with those before it | 16 more | …
//! ```
//!
//! A draw is a number below the whole; at each level its place is how many of 16 sums are not above
//! it, which a machine counts in a few instructions, and taking a weight away subtracts it from the
//! sums behind. So both cost the same for any weights: one level up to 16 of them, three up to
//! 4,096.

use fastrand::Rng;

/// How many sums stand together: a cache line of them.
pub(super) const BLOCK: usize = 16;
/// Enough for 65,536 weights.
const LEVELS_MAX: usize = 4;

/// Weights as sums.
#[derive(Debug, Default)]
pub struct Sums {
    /// All levels, the lowest first.
    sums: Vec<u32>,
    /// Where each level begins.
    starts: [u32; LEVELS_MAX],
    levels: usize,
}

impl Sums {
    /// Makes room for up to `count` weights.
    pub fn reserve(&mut self, count: usize) {
        // Of the levels above, each has a 16th of the one below; and each has at most one block
        // that is not full.
        let most = count + count / (BLOCK - 1) + LEVELS_MAX * BLOCK;
        self.sums.reserve(most.saturating_sub(self.sums.len()));
    }

    /// Takes these weights in the place of what was there; there are 65,536 at most, which weigh
    /// less than 2³² together.
    pub fn fill(&mut self, weights: impl Iterator<Item = u32>) {
        self.sums.clear();
        self.sums.extend(weights);
        self.levels = 0;
        let mut start = 0;
        loop {
            let end = self.sums.len().max(start + 1).next_multiple_of(BLOCK);
            self.sums.resize(end, 0);
            self.starts[self.levels] = start as u32;
            self.levels += 1;
            let is_top = end - start == BLOCK;
            for block in (start..end).step_by(BLOCK) {
                let mut sum = 0;
                for at in &mut self.sums[block..block + BLOCK] {
                    sum += *at;
                    *at = sum;
                }
                if !is_top {
                    self.sums.push(sum);
                }
            }
            if is_top {
                return;
            }
            start = end;
        }
    }

    /// Takes what another has in the place of what was there.
    pub fn copy(&mut self, other: &Self) {
        self.sums.clear();
        self.sums.extend_from_slice(&other.sums);
        (self.starts, self.levels) = (other.starts, other.levels);
    }

    /// An index, each with its weight's share of chance; none where nothing weighs anything.
    pub fn draw(&self, rng: &mut Rng) -> Option<usize> {
        let whole = *self.sums.last()?;
        if whole == 0 {
            return None;
        }
        let mut at = rng.u32(..whole);
        let mut index = 0;
        for level in (0..self.levels).rev() {
            let block = self.block(level, index);
            let place = block.iter().map(|&sum| u32::from(sum <= at)).sum::<u32>() as usize;
            at -= if place > 0 { block[place - 1] } else { 0 };
            index = index * BLOCK + place;
        }
        Some(index)
    }

    /// Takes an index's weight away.
    pub fn take(&mut self, index: usize) {
        let (low, place) = (self.block(0, index / BLOCK), index % BLOCK);
        let weight = low[place] - if place > 0 { low[place - 1] } else { 0 };
        let mut index = index;
        for level in 0..self.levels {
            let start = self.starts[level] as usize + index / BLOCK * BLOCK;
            let block: &mut [u32] = &mut self.sums[start..start + BLOCK];
            for (place, sum) in block.iter_mut().enumerate() {
                *sum -= if place >= index % BLOCK { weight } else { 0 };
            }
            index /= BLOCK;
        }
    }

    fn block(&self, level: usize, number: usize) -> &[u32; BLOCK] {
        let start = self.starts[level] as usize + number * BLOCK;
        let block = self.sums[start..].first_chunk();
        block.expect("levels are whole blocks, and draws and indexes lie below the whole")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is drawn over all numbers below the whole: each index as often as it weighs.
    fn check(weights: &mut [u32], taken: &[usize]) {
        let mut sums = Sums::default();
        sums.fill(weights.iter().copied());
        for &index in taken {
            sums.take(index);
            weights[index] = 0;
        }
        let whole: u32 = weights.iter().sum();
        assert_eq!(*sums.sums.last().unwrap(), whole);
        let mut rng = Rng::with_seed(weights.len() as u64);
        let mut counts = vec![0_u32; weights.len()];
        for _ in 0..20 * whole {
            counts[sums.draw(&mut rng).unwrap()] += 1;
        }
        for (index, (&count, &weight)) in counts.iter().zip(weights.iter()).enumerate() {
            let (count, expected) = (f64::from(count), 20.0 * f64::from(weight));
            assert!((count - expected).abs() <= 6.0 * expected.sqrt(), "{index}: {count}");
        }
    }

    #[test]
    fn draws_follow_what_is_left() {
        check(&mut [4, 2, 1, 1], &[]);
        check(&mut [4, 2, 1, 1], &[0, 3]);
        check(&mut [3; 16], &[15]);
        check(&mut [3; 17], &[0, 16]);
        check(&mut [1; 256], &[255, 17]);
        check(&mut [1; 257], &[256]);
        check(&mut (0..5000).map(|at| at % 3).collect::<Vec<u32>>(), &[4999, 1, 4096]);
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        let (mut sums, mut rng) = (Sums::default(), Rng::with_seed(1));
        assert_eq!(sums.draw(&mut rng), None);
        sums.fill([0, 7].into_iter());
        assert_eq!(sums.draw(&mut rng), Some(1));
        sums.take(1);
        assert_eq!(sums.draw(&mut rng), None);
        sums.fill(std::iter::repeat_n(65_535, 65_536 - 2));
        assert!(sums.draw(&mut rng).unwrap() < 65_534);
        let mut roomy = Sums::default();
        roomy.reserve(65_534);
        assert!(roomy.sums.capacity() >= sums.sums.len());
    }
}
