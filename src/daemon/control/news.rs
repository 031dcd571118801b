//! What follows from news: guards look at the services it is about, plans are made anew, and those
//! who listen are told.
//!
//! ```text
//!   verdicts turned ──►┐
//!   guards are due  ──►├─ observe ─► replan ─► told
//!   operators spoke ──►┤
//!   others reported ──►┘
//! ```

use std::sync::Arc;
use std::time::Instant;

use crate::health::{Change, Target};
use crate::snapshot::{Publisher, TierChange};
use crate::steer::overrides::Scope;
use crate::steer::{Guards, Service};

use super::super::known::Known;
use super::super::told;
use super::{Control, now};

impl Control {
    /// Puts in force what verdicts have changed: one plan for each service, however many of its
    /// nodes turned. Gives what is to be told of it.
    pub(super) fn plan_changes(&mut self, changes: &[Change]) -> Vec<TierChange> {
        let those = |are: fn(&Change) -> bool| -> Vec<&Target> {
            changes.iter().filter(|it| are(it)).map(|it| &*it.target).collect()
        };
        let (restanding, repaced) = (those(Change::is_restanding), those(|it| it.repaced));
        for service in self.publisher.services_on(&restanding) {
            self.observe(&service);
        }
        let (publisher, known) = self.hands();
        publisher.replan_by_pace(&repaced, &known);
        publisher.replan(&restanding, &known)
    }

    /// Tells of targets that turned or warn, and counts them.
    pub(super) fn tell_changes(&mut self, changes: &[Change]) {
        for change in changes {
            if let Some(warning) = change.warning {
                tracing::warn!(target = %change.target.place(), %warning, "probe warns");
            }
            if change.is_transition() {
                self.keeper.changed = true;
                self.books.transition(change.to.status);
                let services = || self.publisher.services_on(&[&*change.target]);
                told::status(change, services, &self.events);
            }
        }
    }

    /// Lets the guards of a service see how its nodes stand.
    pub(super) fn observe(&mut self, service: &Service) {
        let unguarded = Guards::default();
        let overrides = self.orders.overrides();
        let known = Known::now(&self.monitor, &self.vantages, &unguarded, overrides);
        for news in self.guards.observe(service, &known, now()) {
            tracing::warn!(service = service.id, "{news}");
        }
    }

    /// Goes on with what guards do by the time alone.
    pub(super) fn watch(&mut self, now: Instant) {
        let suspect = self.monitor.suspect();
        if suspect != self.suspect {
            told::suspect(suspect, now);
            self.suspect = suspect;
        }
        self.lapse(now);
        let due = self.guards.poll_due(now);
        if !due.is_empty() {
            self.replan_services(|service| due.contains(&service.id));
        }
    }

    /// What makes plans, and what it makes them from.
    pub(super) fn hands(&mut self) -> (&mut Publisher, Known<'_>) {
        let overrides = self.orders.overrides();
        let known = Known::now(&self.monitor, &self.vantages, &self.guards, overrides);
        (&mut self.publisher, known)
    }

    /// What is known of every address, by these guards.
    pub(super) fn known<'c>(&'c self, guards: &'c Guards) -> Known<'c> {
        Known::now(&self.monitor, &self.vantages, guards, self.orders.overrides())
    }

    pub(super) fn replan_scopes(&mut self, scopes: &[Scope]) {
        if scopes.is_empty() {
            return;
        }
        self.replan_services(|service| scopes.iter().any(|scope| scope.touches(service)));
    }

    /// Lets the guards look at the services that are meant, and plans those anew.
    fn replan_services(&mut self, meant: impl Fn(&Service) -> bool) {
        let snapshot = Arc::clone(&self.current().load());
        let services = snapshot.zones().flat_map(|(_, zone)| zone.services());
        services.filter(|it| meant(&it.service)).for_each(|it| self.observe(&it.service));
        let (publisher, known) = self.hands();
        let tiers = publisher.replan_services(meant, &known);
        told::tiers(&tiers, &self.events);
    }

    /// Waits for the nodes that these overrides have just taken out.
    pub(super) fn wait_for(&mut self, overrides: impl Iterator<Item = u64>) {
        let snapshot = Arc::clone(&self.current().load());
        let mut leaving = std::mem::take(&mut self.leaving);
        leaving.begin(overrides, &self.view(&snapshot));
        self.leaving = leaving;
    }

    /// Tells of nodes that operators took out and that nobody holds any more.
    pub(super) fn tell_drained(&mut self) {
        let snapshot = Arc::clone(&self.current().load());
        let mut leaving = std::mem::take(&mut self.leaving);
        leaving.tell(&self.view(&snapshot), &self.events);
        self.leaving = leaving;
    }
}
