//! Who stands first, second, third for each client, where clients keep their nodes.
//!
//! What decides is [`Rendezvous::rank`] and nothing else. Few members are ranked while a client
//! waits. For many there is a table, made by the same function in the cold, so that a set that
//! grows or shrinks from one kind to the other moves nobody:
//!
//! ```text
//!   bucket 0      | 17 |  3 | 40 |   the best `depth` members, in order
//!   bucket 1      |  5 | 17 | 22 |
//!     …             one row is one answer: no copy, and at most a line or two of cache
//!   bucket 65535  | 31 |  8 | 17 |
//! ```
//!
//! A table has 2 octets for each address of an answer in each bucket: 128 KiB for one, 2 MiB for
//! the usual 16. Families whose members are the same nodes share one, and all tables of a plan have
//! [`TABLES_MAX`] together. What is beyond that is ranked while the client waits, which costs time
//! in proportion to the members, and changes no answer.

use std::sync::Arc;

use super::rendezvous::{BUCKETS, Bucket, Rendezvous, contestant_of};

/// Up to so many members are ranked while a client waits: about what one load from memory costs.
const UNTABLED_MAX: usize = 4;
/// Octets of all tables of one plan: those of two pools with 16 addresses an answer. It bounds the
/// time too that a change of status takes to be laid out, which is some 50 ms for each 2 MiB.
const TABLES_MAX: usize = 4 << 20;

/// Members of a set by what each client prefers.
#[derive(Debug)]
pub struct Ranks {
    meeting: Rendezvous,
    /// How many members a row has.
    depth: usize,
    /// A row for each bucket, or nothing.
    rows: Box<[u16]>,
}

/// Makes the ranks of one plan.
#[derive(Debug, Default)]
pub(super) struct Library {
    made: Vec<Arc<Ranks>>,
}

impl Library {
    /// The ranks of members by their names and weights; rows are to have `depth` of them.
    pub(super) fn ranks(&mut self, meeting: Rendezvous, depth: usize) -> Arc<Ranks> {
        let alike = |ranks: &&Arc<Ranks>| ranks.meeting == meeting && ranks.depth == depth;
        if let Some(known) = self.made.iter().find(alike) {
            return Arc::clone(known);
        }
        let used: usize = self.made.iter().map(|ranks| size_of_val(&*ranks.rows)).sum();
        let fits = used + BUCKETS * depth * size_of::<u16>() <= TABLES_MAX;
        let tabled = fits && meeting.count() > UNTABLED_MAX;
        let rows = if tabled { rows(&meeting, depth) } else { Box::default() };
        let made = Arc::new(Ranks { meeting, depth, rows });
        self.made.push(Arc::clone(&made));
        made
    }
}

impl Ranks {
    /// The best members for a bucket, in order, where they are known beforehand.
    #[inline]
    pub fn row(&self, bucket: Bucket) -> Option<&[u16]> {
        let at = usize::from(bucket.0) * self.depth;
        self.rows.get(at..at + self.depth)
    }

    /// The best member for a bucket.
    pub fn best(&self, bucket: Bucket) -> Option<u16> {
        self.meeting.winner(bucket, |_| true).map(|index| index as u16)
    }

    /// The ranks of all members for a bucket, in order.
    pub fn all(&self, bucket: Bucket, ranks: &mut Vec<u64>) {
        all(&self.meeting, bucket, ranks);
    }
}

fn all(meeting: &Rendezvous, bucket: Bucket, ranks: &mut Vec<u64>) {
    ranks.clear();
    meeting.each_rank(bucket, |rank| ranks.push(rank));
    ranks.sort_unstable();
}

/// The best members for every bucket.
fn rows(meeting: &Rendezvous, depth: usize) -> Box<[u16]> {
    // Members come to a bucket by chance: of so many expected, one bucket in some 100,000 gets
    // fewer than it needs, and is looked at by itself.
    let end = meeting.time_of(depth + 4 * (depth.isqrt() + 2));
    let mut best = vec![u64::MAX; BUCKETS * depth];
    for index in 0..meeting.count() {
        for (bucket, rank) in meeting.arrivals(index, end) {
            let row = &mut best[usize::from(bucket.0) * depth..][..depth];
            insert(row, rank);
        }
    }
    let mut ranks = Vec::new();
    for (bucket, row) in (0..=u16::MAX).map(Bucket).zip(best.chunks_exact_mut(depth)) {
        if row[depth - 1] == u64::MAX {
            all(meeting, bucket, &mut ranks);
            row.copy_from_slice(&ranks[..depth]);
        }
    }
    best.into_iter().map(|rank| contestant_of(rank) as u16).collect()
}

/// Puts a rank in its place among the best; the worst falls out.
fn insert(row: &mut [u64], rank: u64) {
    if row.last().is_none_or(|&worst| worst < rank) {
        return;
    }
    let place = row.partition_point(|&better| better < rank);
    row.copy_within(place..row.len() - 1, place + 1);
    row[place] = rank;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every row of a table is what ranking one by one gives.
    fn check(weights: &[(&str, u32)], depth: usize) {
        let meeting = || Rendezvous::new(5, weights.iter().copied());
        let ranks = Library::default().ranks(meeting(), depth);
        let mut all = Vec::new();
        for bucket in (0..=u16::MAX).step_by(101).map(Bucket) {
            ranks.all(bucket, &mut all);
            let best: Vec<u16> = all.iter().map(|&rank| contestant_of(rank) as u16).collect();
            assert_eq!(ranks.row(bucket).unwrap(), &best[..depth], "{bucket:?} of {weights:?}");
            assert_eq!(ranks.best(bucket), Some(best[0]));
        }
    }

    #[test]
    fn a_table_says_what_ranking_says() {
        let names: Vec<String> = (0..200).map(|number| format!("n{number}")).collect();
        let weights = |of: fn(usize) -> u32, count: usize| -> Vec<(&str, u32)> {
            (0..count).map(|at| (names[at].as_str(), of(at))).collect()
        };
        check(&weights(|_| 1, 200), 1);
        check(&weights(|at| at as u32 % 7, 100), 4);
        check(&weights(|at| if at == 50 { 60_000 } else { 1 }, 60), 2);
        check(&weights(|_| 0, 9), 3);
        check(&weights(|_| 2, 6), 6);
    }

    #[test]
    fn equal_ranks_share_a_table_and_all_have_a_limit() {
        let mut library = Library::default();
        let names: Vec<String> = (0..9).map(|number| format!("n{number}")).collect();
        let meeting = |salt| Rendezvous::new(salt, names.iter().map(|name| (name.as_str(), 1)));
        let [one, same] = [1, 1].map(|salt| library.ranks(meeting(salt), 1));
        assert!(Arc::ptr_eq(&one, &same));
        let most = TABLES_MAX / (2 * BUCKETS);
        library.made = vec![one; most - 1];
        assert!(library.ranks(meeting(2), 1).row(Bucket(7)).is_some());
        assert!(library.ranks(meeting(3), 1).row(Bucket(7)).is_none());
    }
}
