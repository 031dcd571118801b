//! Members by the points at which they stand: those of the nearest point first.
//!
//! ```text
//!   members   | 3  7 | 0  1  4 | 2 |  5  6   |
//!               point 0  point 1  2   nowhere
//!
//!   a client whose points are 1, 0, 2 gets   4  0  1   7  3   2   5  6
//! ```
//!
//! Members of one point take turns. Where the first of a point begins is drawn anew for each
//! answer rather than counted: one count for clients everywhere would let two places that ask in
//! step meet the same machines for ever.

use std::ops::Range;

/// Where the members of each point lie among all, which stand in the order of their points.
#[derive(Debug)]
pub struct Points {
    /// The first member of each point, then of those that stand nowhere, then how many there are.
    starts: Box<[u16]>,
}

impl Points {
    /// Of members that stand in the order of their points, those of none at the end.
    pub(super) fn new(members: &[Option<u16>]) -> Self {
        let points = members.iter().flatten().max().map_or(0, |&last| last + 1);
        let before =
            |point| members.partition_point(|it| it.is_some_and(|stands| stands < point)) as u16;
        let end = [members.len() as u16];
        Self { starts: (0..=points).map(before).chain(end).collect() }
    }

    /// All members: those of the client's points in order, then those of none. Where nothing is
    /// ranked, one point holds all. `start` is any number; by it members of one point take turns.
    pub(super) fn order(
        &self,
        ranked: Option<&[u16]>,
        start: u32,
    ) -> impl Iterator<Item = usize> + Clone {
        let nowhere = self.starts.len() - 2;
        let end = usize::from(self.starts[nowhere + 1]);
        let (all, nowhere) = match ranked {
            Some(_) => (0..0, nowhere..nowhere + 1),
            None => (0..end, nowhere..nowhere),
        };
        let points = ranked.unwrap_or_default().iter().map(|&point| usize::from(point));
        let groups = points.filter(move |&point| point + 2 < self.starts.len()).chain(nowhere);
        let group = |at: usize| self.starts[at].into()..self.starts[at + 1].into();
        let turned = move |members: Range<usize>| {
            let skip = ((u64::from(start) * members.len() as u64) >> 32) as usize;
            let first = members.start + skip;
            (first..members.end).chain(members.start..first)
        };
        turned(all).chain(groups.map(group).flat_map(turned))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(members: &[Option<u16>], ranked: Option<&[u16]>, start: u32, expected: &[usize]) {
        let order: Vec<usize> = Points::new(members).order(ranked, start).collect();
        assert_eq!(order, expected, "{members:?} {ranked:?} {start}");
    }

    #[test]
    fn nearest_points_come_first_and_their_members_take_turns() {
        let members = &[Some(0), Some(0), Some(1), Some(1), Some(1), Some(3), None, None];
        check(members, Some(&[1, 3, 0, 2]), 0, &[2, 3, 4, 5, 0, 1, 6, 7]);
        check(members, Some(&[0, 1, 2, 3]), u32::MAX, &[1, 0, 4, 2, 3, 5, 7, 6]);
        check(members, Some(&[9, 0]), 1 << 31, &[1, 0, 7, 6]);
        check(members, None, 0, &[0, 1, 2, 3, 4, 5, 6, 7]);
        check(members, None, 1 << 31, &[4, 5, 6, 7, 0, 1, 2, 3]);
        check(&[None], Some(&[]), 5, &[0]);
        check(&[Some(0)], None, 5, &[0]);
    }
}
