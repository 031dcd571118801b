//! What happened: one line of the log, and one event for whoever listens.

use std::sync::Arc;
use std::time::Instant;

use crate::admin::docs::OverrideDoc;
use crate::admin::events::OverrideChange;
use crate::admin::{Event, Events};
use crate::health::{Change, Suspect, Turn};
use crate::snapshot::TierChange;
use crate::steer::{Node, Pools, Service, Tier};

use super::view;

/// Nodes that are named beside a target: enough for a service, too few for a flood.
const NODES_MAX: usize = 16;

/// The status of a target has turned, which these `services` are probed at.
pub(super) fn status(
    change: &Change,
    services: impl FnOnce() -> Vec<Arc<Service>>,
    events: &Events,
) {
    let reason = change.reason.as_ref().map(ToString::to_string);
    let (target, from, to) = (change.target.place(), change.from.status, change.to.status);
    let shown = reason.as_ref().map(tracing::field::display);
    let hold = change.hold.as_ref().map(tracing::field::display);
    tracing::info!(%target, %from, %to, reason = shown, hold, "status changed");
    if !events.are_heard() {
        return;
    }
    let (services, from, to) = (services(), view::status(from), view::status(to));
    let asks = |node: &&Node| {
        let mut targets = node.addresses.iter().flat_map(|address| address.check.targets());
        targets.any(|target| *target == change.target)
    };
    let nodes = services.iter().flat_map(|service| service.nodes()).filter(asks);
    let nodes = nodes.map(|node| node.id.clone()).take(NODES_MAX).collect();
    events.tell(Event::Status { target: target.to_string(), from, to, reason, nodes });
}

/// A vantage says something else of an address; `because` is why, where it said nothing itself.
pub(super) fn vantage(turn: &Turn, source: &str, events: &Events) {
    let Turn { from, node, ip: address, before, now, reason, .. } = turn;
    let shown = reason.as_ref().map(tracing::field::display);
    tracing::info!(%from, %node, %address, %before, %now, reason = shown, source, "vantage turned");
    events.tell(Event::Vantage {
        from: from.to_string(),
        node: node.clone(),
        address: *address,
        before: view::status(*before),
        now: view::status(*now),
        reason: reason.clone(),
    });
}

/// What operators say has changed; the line is the audit of it. `source` is who asked for it over
/// which way.
pub(super) fn an_override(
    change: OverrideChange,
    one: &OverrideDoc,
    source: &str,
    events: &Events,
) {
    let OverrideDoc { scope, says, author, reason, until, nodes, .. } = one;
    let (how, reason) = (change.word(), reason.as_ref().map(tracing::field::display));
    tracing::info!(%scope, %says, %author, reason, until, nodes, %source, "override {how}");
    events.tell(Event::Override { change, says: one.clone() });
}

/// Services' answers come from another row of the truth table, or from other pools.
pub(super) fn tiers(changes: &[TierChange], events: &Events) {
    for change in changes {
        log_tier(change);
        let (tier, able) = change.to;
        let pools = able.iter().filter_map(|at| change.pools.get(at)).cloned();
        events.tell(Event::Tier {
            service: change.service.clone(),
            family: change.family.record_type().to_string(),
            row: tier.word().to_owned(),
            pools: pools.collect(),
        });
    }
}

fn log_tier(change: &TierChange) {
    let TierChange { service, family, from, to, panicked, panic, pools } = change;
    let family = family.record_type();
    let named = |some: &Pools| {
        let names = some.iter().filter_map(|at| pools.get(at)).map(String::as_str);
        names.collect::<Vec<_>>().join(" ")
    };
    if panic.iter().any(|pool| !panicked.contains(pool)) {
        let pools = named(panic);
        tracing::warn!(%service, %family, pools, "panic: too little is up, all of it is served");
    } else if panic != panicked {
        let pools = named(panic);
        tracing::info!(%service, %family, pools, "panic is over, but for these pools");
    }
    if from == to {
        return;
    }
    let ((from, _), (to, able)) = (from, to);
    let pools = named(able);
    match to {
        Tier::Open => tracing::warn!(%service, %family, "all down: all addresses are served"),
        Tier::Closed => tracing::warn!(%service, %family, "all down: no address is served"),
        Tier::LastKnown => {
            tracing::warn!(%service, %family, "all down: the last known addresses are served");
        }
        Tier::Fallback => tracing::warn!(%service, %family, pools, "all down: a fallback serves"),
        Tier::OtherFamily => {
            tracing::warn!(%service, %family, "all down: clients are left to the other family");
        }
        Tier::Short => {
            tracing::warn!(%service, %family, pools, "every pool is below its minimum: one serves");
        }
        Tier::Draining => {
            tracing::warn!(%service, %family, "none up: draining addresses are served");
        }
        Tier::Serving if from == to => tracing::info!(%service, %family, pools, "pools serve"),
        Tier::Serving | Tier::NoAddress => {
            let message = "healthy addresses are served again";
            tracing::info!(%service, %family, ?from, pools, "{message}");
        }
    }
}

/// Says whether the prober is doubted.
pub(super) fn suspect(suspect: Option<Suspect>, now: Instant) {
    match suspect {
        Some(suspect) => {
            let limit = suspect.frozen_until.saturating_duration_since(now).as_secs();
            tracing::error!(limit, "control targets are silent: no node goes down for silence");
        }
        None => tracing::info!("a control target answers: the prober is trusted again"),
    }
}
