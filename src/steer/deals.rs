//! All orders in which a few can be drawn by weight, each with its part of chance.
//!
//! Most sets are small, and answer with all that they have. Drawing one after the other costs a
//! random number and a search for each; here one random number finds the whole order, which stands
//! there already. A shorter answer is the beginning of a longer one: drawn without putting back,
//! the first of many are what a draw of few gives.
//!
//! ```text
//!   weights 2, 1, 1     order   part of 2³²
//!                       0 1 2   2/4 · 1/2        up to    ¼
//!                       0 2 1   2/4 · 1/2                 ½
//!                       1 0 2   1/4 · 2/3                 ⅔
//!                       …                                 …
//! ```

use fastrand::Rng;

/// How many weights have all their orders laid out: 4 have 24, and 5 would have 120.
pub(super) const DEALT_MAX: usize = 4;
const ORDERS_MAX: usize = 24;

/// The orders of up to [`DEALT_MAX`] weights.
#[derive(Debug)]
pub(super) struct Deals {
    /// Where each order's part of all numbers of 32 bits ends; the last one's is their end.
    ends: [u32; ORDERS_MAX],
    orders: [[u16; DEALT_MAX]; ORDERS_MAX],
    /// The last order there is.
    last: usize,
    /// How many of the weights are not 0: the others are never drawn.
    len: usize,
}

impl Deals {
    /// Lays the orders of these weights out; at least one is not 0.
    pub(super) fn new(weights: &[u16]) -> Self {
        let len = weights.iter().filter(|&&weight| weight > 0).count();
        let none = Self {
            ends: [u32::MAX; ORDERS_MAX],
            orders: [[0; DEALT_MAX]; ORDERS_MAX],
            last: 0,
            len,
        };
        let mut laid = Laid { deals: none, count: 0, begin: 0.0 };
        laid.lay(weights, &mut Vec::new(), 1.0);
        Self { last: laid.count - 1, ..laid.deals }
    }

    /// An order, by its part of chance.
    #[inline]
    pub(super) fn deal(&self, rng: &mut Rng) -> &[u16] {
        let at = rng.u32(..);
        let before: u32 = self.ends.iter().map(|&end| u32::from(end <= at)).sum();
        // The number that is beyond all ends is the last order's.
        &self.orders[(before as usize).min(self.last)][..self.len]
    }
}

/// Orders being laid out.
struct Laid {
    deals: Deals,
    count: usize,
    /// Where the next one's part begins, of 1.
    begin: f64,
}

impl Laid {
    /// Lays out every order that begins with these, which together has this part of chance.
    fn lay(&mut self, weights: &[u16], drawn: &mut Vec<u16>, part: f64) {
        if drawn.len() == self.deals.len {
            self.begin += part;
            self.deals.orders[self.count][..drawn.len()].copy_from_slice(drawn);
            // A float that is too large becomes the largest number.
            self.deals.ends[self.count] = (self.begin * 2_f64.powi(32)) as u32;
            self.count += 1;
            return;
        }
        let left = |drawn: &[u16]| {
            let left = weights.iter().zip(0..).filter(|(_, index)| !drawn.contains(index));
            left.map(|(&weight, _)| f64::from(weight)).sum::<f64>()
        };
        let whole = left(drawn);
        for (&weight, index) in weights.iter().zip(0..) {
            if weight > 0 && !drawn.contains(&index) {
                drawn.push(index);
                self.lay(weights, drawn, part * f64::from(weight) / whole);
                drawn.pop();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How much of 2³² each order has.
    fn parts(deals: &Deals) -> Vec<(Vec<u16>, f64)> {
        let ends = &deals.ends[..deals.last];
        let begins = [0].into_iter().chain(ends.iter().copied());
        let ends = ends.iter().map(|&end| f64::from(end)).chain([2_f64.powi(32)]);
        let parts = begins.zip(ends).map(|(begin, end)| (end - f64::from(begin)) / 2_f64.powi(32));
        let orders = deals.orders.iter().map(|order| order[..deals.len].to_vec());
        orders.zip(parts).collect()
    }

    #[test]
    fn every_order_has_the_part_that_drawing_one_by_one_gives_it() {
        for weights in [&[3][..], &[2, 1], &[2, 1, 1], &[4, 2, 1, 1], &[1, 65_535, 1, 7]] {
            let parts = parts(&Deals::new(weights));
            assert_eq!(parts.len(), (1..=weights.len()).product::<usize>());
            for (order, part) in parts {
                let mut left: f64 = weights.iter().map(|&weight| f64::from(weight)).sum();
                let mut expected = 1.0;
                for index in order {
                    let weight = f64::from(weights[usize::from(index)]);
                    expected *= weight / left;
                    left -= weight;
                }
                assert!((part - expected).abs() < 1e-8, "{weights:?}: {part} {expected}");
            }
        }
    }

    #[test]
    fn what_weighs_nothing_is_in_no_order() {
        let mut rng = Rng::with_seed(1);
        let deals = Deals::new(&[0, 5, 0, 1]);
        let orders = parts(&deals).into_iter().map(|(order, _)| order).collect::<Vec<_>>();
        assert_eq!(orders, [[1, 3], [3, 1]]);
        for _ in 0..100 {
            assert_eq!(deals.deal(&mut rng).len(), 2);
        }
    }
}
