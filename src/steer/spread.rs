//! Addresses of one answer that should not share a fate: not a rack, not a site.
//!
//! Each member has, for each of the service's labels, the number of its value; an answer notes the
//! values that it has met. A member that shares one of them waits. When nobody is left who shares
//! none, the label that is named last is given up, then the one before it, and at last all.
//!
//! The first address meets nobody, so it is as it would be without this, and rotations, weights and
//! clients' own nodes stay as exact as they are. What is given up stays so for the rest of an
//! answer: values are only ever met, never left, so whoever shared one still does. This bounds the
//! cost: an answer looks at each member once for each label, however many addresses it holds.

use std::collections::HashMap;

use fastrand::Rng;

use super::ranks::Ranks;
use super::rendezvous::{Bucket, contestant_of};
use super::service::Node;
use super::sums::Sums;
use super::weights::{Taken, Weights};

/// How many labels can be spread over; more are refused where the configuration is read.
pub const SPREAD_MAX: usize = 8;

/// The value of a member that shares it with no other.
const ALONE: u32 = u32::MAX;

/// Who shares what.
#[derive(Debug)]
pub struct Spread {
    labels: usize,
    /// By member, one for each label.
    values: Box<[u32]>,
}

/// What an answer holds and what it has met: room that a worker owns.
#[derive(Debug, Default)]
pub struct Met {
    members: Taken,
    values: Taken,
}

impl Met {
    /// Makes room for sets of up to `count` members.
    pub fn reserve(&mut self, count: usize) {
        self.members.reserve(count);
        // Values that are shared have two members or more.
        self.values.reserve(count / 2 * SPREAD_MAX);
    }
}

impl Spread {
    /// Of members by their nodes; none where nothing is shared.
    pub(super) fn make<'n>(
        labels: &[String],
        nodes: impl Iterator<Item = &'n Node> + Clone,
    ) -> Option<Self> {
        let labels = &labels[..labels.len().min(SPREAD_MAX)];
        let mut members: HashMap<(usize, &str), usize> = HashMap::new();
        let valued = |node: &'n Node| {
            labels.iter().map(|label| node.labels.get(label).map(String::as_str)).enumerate()
        };
        for (label, value) in nodes.clone().flat_map(valued) {
            if let Some(value) = value {
                *members.entry((label, value)).or_default() += 1;
            }
        }
        let mut numbers: HashMap<(usize, &str), u32> = HashMap::new();
        let number = |(label, value): (usize, Option<&'n str>)| {
            let shared = value.map(|value| (label, value)).filter(|value| members[value] > 1);
            let next = numbers.len() as u32;
            shared.map_or(ALONE, |value| *numbers.entry(value).or_insert(next))
        };
        let values: Box<[u32]> = nodes.flat_map(valued).map(number).collect();
        (!numbers.is_empty()).then_some(Self { labels: labels.len(), values })
    }

    fn count(&self) -> usize {
        self.values.len() / self.labels
    }

    /// Begins an answer.
    fn begin(&self, met: &mut Met, picked: &mut Vec<u16>) {
        met.members.clear(self.count());
        met.values.clear(self.count() / 2 * self.labels);
        picked.clear();
    }

    /// True for a member that is not in the answer and shares none of the first `labels` with it.
    fn is_free(&self, member: usize, labels: usize, met: &Met) -> bool {
        let values = &self.values[member * self.labels..][..labels];
        let shares = values.iter().any(|&value| met.values.contains(value as usize));
        !shares && !met.members.contains(member)
    }

    fn take(&self, member: usize, met: &mut Met, picked: &mut Vec<u16>) {
        met.members.insert(member);
        let values = &self.values[member * self.labels..][..self.labels];
        values.iter().for_each(|&value| met.values.insert(value as usize));
        picked.push(member as u16);
    }

    /// Takes members until there are `answers`, by walking all in the order in which they stand for
    /// the client.
    pub(super) fn walk(
        &self,
        answers: usize,
        order: impl Iterator<Item = usize> + Clone,
        met: &mut Met,
        picked: &mut Vec<u16>,
    ) {
        self.begin(met, picked);
        let mut levels = (0..=self.labels).rev();
        levels.find(|&labels| self.pass(answers, labels, order.clone(), met, picked));
    }

    /// The same in the order of ranks. Beyond those that are known beforehand all are ranked only
    /// where one of them is wanted.
    pub(super) fn walk_ranks(
        &self,
        answers: usize,
        (ranks, bucket): (&Ranks, Bucket),
        all: &mut Vec<u64>,
        met: &mut Met,
        picked: &mut Vec<u16>,
    ) {
        self.begin(met, picked);
        all.clear();
        let known = ranks.row(bucket).unwrap_or_default();
        for labels in (0..=self.labels).rev() {
            let known = known.iter().map(|&member| usize::from(member));
            if self.pass(answers, labels, known, met, picked) {
                return;
            }
            if !(0..self.count()).any(|member| self.is_free(member, labels, met)) {
                continue;
            }
            if all.is_empty() {
                ranks.all(bucket, all);
            }
            let all = all.iter().map(|&rank| contestant_of(rank));
            if self.pass(answers, labels, all, met, picked) {
                return;
            }
        }
    }

    /// Takes whoever is free, in order; true where the answer is complete.
    fn pass(
        &self,
        answers: usize,
        labels: usize,
        order: impl Iterator<Item = usize>,
        met: &mut Met,
        picked: &mut Vec<u16>,
    ) -> bool {
        for member in order {
            if picked.len() == answers {
                return true;
            }
            if self.is_free(member, labels, met) {
                self.take(member, met, picked);
            }
        }
        picked.len() == answers
    }

    /// Draws members until there are `answers`, each by its weight among those that are free.
    pub(super) fn draw(
        &self,
        answers: usize,
        weights: &Weights,
        rng: &mut Rng,
        (met, sums): (&mut Met, &mut Sums),
        picked: &mut Vec<u16>,
    ) {
        self.begin(met, picked);
        for labels in (0..=self.labels).rev() {
            while picked.len() < answers
                && let Some(member) =
                    weights.draw_one(rng, |member| self.is_free(member, labels, met), sums)
            {
                self.take(member, met, picked);
            }
        }
    }
}
