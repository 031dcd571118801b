//! One answer's addresses, picked in the hot from a [`Set`] that was made in the cold.
//!
//! What comes back is a *set* and an order in it: either one run of the prepared records, which is
//! copied as it is, or a list of indexes into them.

use fastrand::Rng;

use super::set::{Order, Set};
use super::weights::Taken;

/// Whose turn it is to be first, for one service and type of one worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn(u16);

/// Room that picking needs, owned by a worker and sized between batches.
#[derive(Debug, Default)]
pub struct Scratch {
    taken: Taken,
    picked: Vec<u16>,
}

impl Scratch {
    /// Makes room for sets of up to `count` addresses.
    pub fn reserve(&mut self, count: usize) {
        self.taken.reserve(count);
        self.picked.reserve(count.saturating_sub(self.picked.len()));
    }
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

/// Picks one answer's addresses. Allocates nothing once `scratch` has room for the set.
pub fn pick<'a>(
    set: &'a Set,
    turn: &mut Turn,
    rng: &mut Rng,
    scratch: &'a mut Scratch,
) -> Pick<'a> {
    let answers = usize::from(set.answers);
    let run = |first: usize| Pick::Run {
        first,
        records: &set.records[first * set.record_len..(first + answers) * set.record_len],
    };
    match &set.order {
        Order::Fixed => run(0),
        Order::Rotate => {
            // The set may have shrunk since this turn was noted.
            let first = if usize::from(turn.0) < set.count() { turn.0 } else { 0 };
            turn.0 = first + 1;
            run(usize::from(first))
        }
        Order::Draw(weights) => {
            scratch.taken.clear(set.count());
            scratch.picked.clear();
            let mut next = Some(weights.draw(rng));
            while let Some(index) = next {
                scratch.picked.push(index as u16);
                scratch.taken.insert(index);
                let more = scratch.picked.len() < answers;
                next = if more { weights.draw_other(&scratch.taken, rng) } else { None };
            }
            Pick::List(&scratch.picked)
        }
    }
}

#[cfg(test)]
#[path = "pick_tests.rs"]
mod tests;
