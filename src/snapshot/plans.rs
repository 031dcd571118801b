//! The plans in force: one for each service, found by its slot.
//!
//! ```text
//!   pages   [ page ][ page ][ page ]     a change of statuses makes the pages anew that hold a
//!               |       |                plan which changes; all others are shared with the table
//!               |    [ plan | … 64 ]     before
//!            [ plan | plan | … 64 ]
//! ```
//!
//! Nothing in here ever changes: a worker that has loaded a snapshot reads plans by plain loads,
//! and a whole batch is answered from plans of one moment.

use std::sync::{Arc, LazyLock};

use crate::steer::Plan;

/// Plans of one page: a new page takes as many counts of references, and so does the row of pages
/// of 4,096 services.
const PAGE_LEN: usize = 64;

/// What stands in slots of services that there are not.
static NOTHING: LazyLock<Arc<Plan>> = LazyLock::new(|| Arc::new(Plan::of_nothing()));

/// Where a service's plan is: stable over reloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ServiceSlot(pub u32);

/// The plans of all services.
#[derive(Clone, Debug, Default)]
pub struct Plans {
    pages: Box<[Arc<Page>]>,
}

type Page = [Arc<Plan>; PAGE_LEN];

impl Plans {
    /// Those of so many slots; slots that are not named hold a plan that answers nothing.
    pub(super) fn of(
        slots: usize,
        plans: impl IntoIterator<Item = (ServiceSlot, Arc<Plan>)>,
    ) -> Self {
        let empty = || Arc::new(std::array::from_fn(|_| Arc::clone(&NOTHING)));
        let pages = (0..slots.div_ceil(PAGE_LEN)).map(|_| empty()).collect();
        Self { pages }.with(plans)
    }

    /// The same with some in the places of others.
    pub(super) fn with(
        mut self,
        plans: impl IntoIterator<Item = (ServiceSlot, Arc<Plan>)>,
    ) -> Self {
        for (ServiceSlot(slot), plan) in plans {
            let (page, at) = (slot as usize / PAGE_LEN, slot as usize % PAGE_LEN);
            Arc::make_mut(&mut self.pages[page])[at] = plan;
        }
        self
    }

    /// The plan in a slot that was given out before these were made.
    #[inline]
    pub(super) fn get(&self, ServiceSlot(slot): ServiceSlot) -> &Arc<Plan> {
        &self.pages[slot as usize / PAGE_LEN][slot as usize % PAGE_LEN]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(ttl: u32) -> Arc<Plan> {
        let mut plan = Plan::of_nothing();
        plan.ttl = ttl;
        Arc::new(plan)
    }

    fn ttls(plans: &Plans, slots: u32) -> Vec<u32> {
        (0..slots).map(|slot| plans.get(ServiceSlot(slot)).ttl).collect()
    }

    #[test]
    fn each_slot_has_its_own_and_unnamed_ones_have_nothing() {
        for slots in [1_u32, 63, 64, 65, 200] {
            let named = (0..slots).filter(|slot| slot % 3 > 0);
            let plans = named.map(|slot| (ServiceSlot(slot), plan(slot)));
            let plans = Plans::of(slots as usize, plans);
            let expected: Vec<u32> =
                (0..slots).map(|slot| if slot % 3 > 0 { slot } else { 0 }).collect();
            assert_eq!(ttls(&plans, slots), expected);
        }
    }

    #[test]
    fn a_change_leaves_the_table_before_as_it_was_and_shares_the_rest() {
        let before = Plans::of(200, (0..200).map(|slot| (ServiceSlot(slot), plan(slot))));
        let after = before.clone().with([(ServiceSlot(70), plan(7)), (ServiceSlot(71), plan(8))]);
        assert_eq!(ttls(&before, 200), (0..200).collect::<Vec<_>>());
        let mut expected: Vec<u32> = (0..200).collect();
        (expected[70], expected[71]) = (7, 8);
        assert_eq!(ttls(&after, 200), expected);
        let shared =
            before.pages.iter().zip(&after.pages).map(|(one, other)| Arc::ptr_eq(one, other));
        assert_eq!(shared.collect::<Vec<_>>(), [true, false, true, true]);
    }
}
