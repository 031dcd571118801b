//! The steps of a decision, for whoever wants to see them.
//!
//! The answer path tells a [`Trace`] what it does while it does it. On the hot path that is `()`,
//! and nothing of it is left in the code; `explain` and tests bring one that writes down.

use crate::snapshot::Lookup;
use crate::steer::{Asker, Family, Plan, Service, SetId};
use crate::wire::Name;

/// One step towards an answer.
#[derive(Clone, Copy, Debug)]
pub enum Step<'a> {
    /// Whom the answer is for.
    Client {
        /// As choices see it.
        asker: Asker,
        /// The query told a client subnet, but came from where none is believed.
        untrusted: bool,
    },
    /// The zone with the longest apex that the name is at or under.
    Zone(&'a Name),
    /// What the zone has for the name.
    Lookup(Lookup),
    /// The name is an alias; the answer goes on at this name, in wire form.
    Alias(&'a [u8]),
    /// The name is steered.
    Service {
        /// Which service.
        service: &'a Service,
        /// Its plan in force, which knows the row of the truth table, the pools and the TTL.
        plan: &'a Plan,
        /// Addresses of which family are looked for: SRV and HTTPS look for both, one by one.
        family: Family,
        /// Whom the answer is for.
        asker: Asker,
        /// The set that was chosen for it, if there is any.
        set: Option<SetId>,
    },
    /// One address of the answer, by its index among the service's, in order.
    Picked(u16),
    /// One node of an answer of SRV records, in order.
    Listed {
        /// By its own name.
        node: &'a Name,
        /// As SRV has it.
        weight: u16,
    },
    /// An HTTPS record may hint at the addresses of a family.
    Hinted {
        /// Which family.
        family: Family,
        /// How many addresses the client's set has.
        count: usize,
        /// It hints at all of them, or at none where one answer does not hold them all.
        given: bool,
    },
}

/// Is told the steps of a decision.
pub trait Trace {
    /// One step.
    fn step(&mut self, step: Step<'_>);
}

impl Trace for () {
    #[inline(always)]
    fn step(&mut self, _: Step<'_>) {}
}
