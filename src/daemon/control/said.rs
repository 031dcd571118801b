//! What operators say, put in force.

use std::sync::Arc;

use crate::admin;
use crate::admin::docs::ChangedDoc;
use crate::admin::events::OverrideChange;
use crate::steer::Service;
use crate::steer::overrides::Scope;

use super::Control;
use crate::daemon::{orders, state, told, view};

impl Control {
    pub(super) fn replan_scopes(&mut self, scopes: &[Scope]) {
        if scopes.is_empty() {
            return;
        }
        let meant = |service: &Service| scopes.iter().any(|scope| scope.touches(service));
        let snapshot = Arc::clone(&self.current().load());
        let services = snapshot.zones().flat_map(|(_, zone)| zone.services());
        services.filter(|it| meant(&it.service)).for_each(|it| self.observe(&it.service));
        let (publisher, known) = self.hands();
        let tiers = publisher.replan_services(meant, &known);
        told::tiers(&tiers, &self.events);
    }

    /// Changes what operators say, and everything that follows from it.
    pub(super) async fn change_orders(
        &mut self,
        change: &admin::Change,
    ) -> Result<ChangedDoc, admin::Refusal> {
        let snapshot = Arc::clone(&self.publisher.current().load());
        let source = &orders::asker(change);
        let done = self.orders.change(change, &snapshot, state::unix_now()).await;
        let done = match done {
            Ok(done) => done,
            Err(refusal) => {
                let error = &refusal.doc.error;
                tracing::warn!(source, error, "a change of overrides is refused");
                return Err(refusal);
            }
        };
        for (how, all) in
            [(OverrideChange::Lifted, &done.doc.lifted), (OverrideChange::Given, &done.doc.given)]
        {
            all.iter().for_each(|one| told::an_override(how, one, source, &self.events));
        }
        self.replan_scopes(&done.touched);
        Ok(done.doc)
    }

    pub(super) async fn expire_orders(&mut self) {
        let expired = self.orders.expire(state::unix_now()).await;
        let snapshot = Arc::clone(&self.publisher.current().load());
        for order in &expired {
            let doc = view::override_doc(order, &snapshot);
            told::an_override(OverrideChange::Expired, &doc, "its time is over", &self.events);
        }
        let scopes: Vec<Scope> = expired.into_iter().map(|order| order.scope).collect();
        self.replan_scopes(&scopes);
    }
}
