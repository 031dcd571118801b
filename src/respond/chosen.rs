//! What a service has for the client at hand: found here for every type that it steers.
//!
//! A, AAAA, SRV and HTTPS differ in what they write of a choice, not in the choice: it comes from
//! one plan, is told to the trace, goes out with its scope, and has the same to say when all is
//! down.

use crate::snapshot::ServiceEntry;
use crate::steer::{Asker, Family, Plan, Set, SetId};
use crate::wire::Writer;

use super::trace::{Step, Trace};
use super::why;

/// The sets that answer one client.
pub(super) struct Chosen<'p> {
    plan: &'p Plan,
    /// By [`Family`]; none too where the family was not looked for.
    sets: [Option<SetId>; 2],
}

impl<'p> Chosen<'p> {
    /// Finds the client's sets of these families.
    pub(super) fn find(
        entry: &ServiceEntry,
        plan: &'p Plan,
        families: &[Family],
        asker: Asker,
        trace: &mut impl Trace,
        response: &mut Writer<'_>,
    ) -> Self {
        // Only who told a prefix is told a scope: finding one costs as much as choosing.
        if asker.is_told() {
            response.scope(plan.scope(&asker));
        }
        let mut sets = [None; 2];
        let mut why = None;
        for &family in families {
            let set = plan.choose(family, &asker);
            trace.step(Step::Service { service: &entry.service, plan, family, asker, set });
            let (tier, _) = plan.tier(family);
            why = why.or(why::of_tier(tier, set.map_or(0, |id| plan.set(id).count())));
            sets[family as usize] = set;
        }
        if let Some(why) = why {
            response.explain(why);
        }
        Self { plan, sets }
    }

    /// The set that answers a family, and its number.
    pub(super) fn set(&self, family: Family) -> Option<(SetId, &'p Set)> {
        self.sets[family as usize].map(|id| (id, self.plan.set(id)))
    }

    /// The pools that the sets are from, each once.
    pub(super) fn pools(&self) -> impl Iterator<Item = u16> + use<> {
        let [first, second] = Family::ALL.map(|family| self.set(family).map(|(_, set)| set.pool));
        first.into_iter().chain(second.filter(|_| second != first))
    }
}
