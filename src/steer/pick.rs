//! One answer's addresses, picked in the hot from a [`Set`] that was made in the cold.
//!
//! What comes back is a *set* and an order in it: either one run of the prepared records, which is
//! copied as it is, or a list of indexes into them.
//!
//! ```text
//!                     nobody is kept apart                    some are (`spread`)
//!   fixed, rotate     a run of the records                    all in order, the kept apart later
//!   draw              an order dealt, or drawn one by one     drawn of those that are free
//!   hash              a row of the table, or ranked now       the row, then all as they rank
//!   nearest           point by point, the members in turn     the same, the kept apart later
//! ```

use fastrand::Rng;

use super::asker::Asker;
use super::plan::{Plan, SetId};
use super::ranks::Ranks;
use super::rendezvous::{Bucket, contestant_of};
use super::set::{Order, Set};
use super::spread::Met;
use super::weights::Left;

/// Whose turn it is to be first, for one service and type of one worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn(u16);

/// Room that picking needs, owned by a worker and sized between batches.
#[derive(Debug, Default)]
pub struct Scratch {
    left: Left,
    met: Met,
    ranks: Vec<u64>,
    picked: Vec<u16>,
}

/// The records of one answer, in order.
#[derive(Debug, PartialEq, Eq)]
pub enum Pick<'a> {
    /// Neighbours among the set's records, beginning with this member.
    Run {
        /// The first one's index among the members.
        first: usize,
        /// All of them.
        records: &'a [u8],
    },
    /// Indexes among the set's members.
    List(&'a [u16]),
}

impl Scratch {
    /// Makes room for sets of up to `count` addresses.
    pub fn reserve(&mut self, count: usize) {
        self.left.reserve(count);
        self.met.reserve(count);
        self.ranks.reserve(count.saturating_sub(self.ranks.len()));
        self.picked.reserve(count.saturating_sub(self.picked.len()));
    }
}

impl Turn {
    /// In the middle of a round.
    #[cfg(test)]
    pub(super) fn at(turn: u16) -> Self {
        Self(turn)
    }

    /// Who is first of so many. The set may have shrunk since this turn was noted.
    fn take(&mut self, count: usize) -> usize {
        let first = if usize::from(self.0) < count { self.0 } else { 0 };
        self.0 = first + 1;
        usize::from(first)
    }
}

impl Plan {
    /// Picks one answer's addresses from a set: no member twice, and as many as the set's answers
    /// hold. Allocates nothing once `scratch` has room for the set.
    pub fn pick<'a>(
        &'a self,
        id: SetId,
        asker: &Asker,
        turn: &mut Turn,
        rng: &mut Rng,
        scratch: &'a mut Scratch,
    ) -> Pick<'a> {
        let set = self.set(id);
        let (count, answers) = (set.count(), usize::from(set.answers));
        let Scratch { left, met, ranks, picked } = scratch;
        match (&set.order, &set.spread) {
            (Order::Fixed, None) => return set.run(0),
            (Order::Rotate, None) => return set.run(turn.take(count)),
            (Order::Hash(known), None) => {
                return hashed(known, Bucket::of(asker.key()), answers, ranks, picked);
            }
            (Order::Draw(weights), None) => {
                if let Some(order) = weights.deal(rng) {
                    return Pick::List(&order[..answers.min(order.len())]);
                }
                weights.draw(answers, rng, picked, left);
            }
            (Order::Nearest(points), None) => {
                let ranked = self.guide().points(asker.address()).map(|ranked| ranked.order);
                let order = points.order(ranked, rng.u32(..)).take(answers);
                picked.clear();
                order.for_each(|member| picked.push(member as u16));
            }
            (Order::Fixed, Some(spread)) => spread.walk(answers, 0..count, met, picked),
            (Order::Rotate, Some(spread)) => {
                let first = turn.take(count);
                spread.walk(answers, (first..count).chain(0..first), met, picked);
            }
            (Order::Hash(known), Some(spread)) => {
                let bucket = Bucket::of(asker.key());
                spread.walk_ranks(answers, (known, bucket), ranks, met, picked);
            }
            (Order::Draw(weights), Some(spread)) => {
                spread.draw(answers, weights, rng, (met, &mut left.sums), picked);
            }
            (Order::Nearest(points), Some(spread)) => {
                let ranked = self.guide().points(asker.address()).map(|ranked| ranked.order);
                spread.walk(answers, points.order(ranked, rng.u32(..)), met, picked);
            }
        }
        Pick::List(picked)
    }
}

impl Set {
    fn run(&self, first: usize) -> Pick<'_> {
        let end = first + usize::from(self.answers);
        let records = &self.records[first * self.record_len..end * self.record_len];
        Pick::Run { first, records }
    }
}

/// The best members for a bucket.
fn hashed<'a>(
    known: &'a Ranks,
    bucket: Bucket,
    answers: usize,
    ranks: &mut Vec<u64>,
    picked: &'a mut Vec<u16>,
) -> Pick<'a> {
    if let Some(row) = known.row(bucket) {
        return Pick::List(&row[..answers]);
    }
    picked.clear();
    if answers == 1 {
        picked.extend(known.best(bucket));
    } else {
        known.all(bucket, ranks);
        picked.extend(ranks[..answers].iter().map(|&rank| contestant_of(rank) as u16));
    }
    Pick::List(picked)
}
