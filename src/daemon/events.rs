//! What the log tells of answers: events, never steps.

use std::time::Instant;

use crate::health::Suspect;
use crate::snapshot::TierChange;
use crate::steer::{Pools, Tier};

/// Says when a service's answers come from another row of the truth table, or from other pools.
pub(super) fn log_tier(change: &TierChange) {
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
pub(super) fn log_suspect(suspect: Option<Suspect>, now: Instant) {
    match suspect {
        Some(suspect) => {
            let limit = suspect.frozen_until.saturating_duration_since(now).as_secs();
            tracing::error!(limit, "control targets are silent: no node goes down for silence");
        }
        None => tracing::info!("a control target answers: the prober is trusted again"),
    }
}
