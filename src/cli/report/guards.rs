//! The guards of a service and the pace of its checks: what keeps them from doing harm.

use super::page::Page;
use super::time;
use crate::config::tables::SERVICE;
use crate::health::{Check, HoldDown, Share};
use crate::steer::{Guard, Service};

/// What still passes where a node is alive but not ready, at the first address.
pub(super) fn live(page: &mut Page, service: &Service) {
    let first = service.nodes().flat_map(|node| &node.addresses).next();
    for target in first.into_iter().flat_map(|address| address.live.targets()) {
        page.resolved(2, "live", &target.place().to_string(), false);
    }
}

/// What each pool is worth nothing without.
pub(super) fn needs(page: &mut Page, service: &Service) {
    for pool in service.pools.iter().filter(|pool| !pool.needs.is_empty()) {
        let ids: Vec<&str> = pool.needs.iter().map(|needed| needed.id.as_str()).collect();
        let whose = if pool.name.is_empty() { "" } else { " (pool " };
        let end = if pool.name.is_empty() { "" } else { ")" };
        page.resolved(2, "needs", &format!("{}{whose}{}{end}", ids.join(", "), pool.name), false);
    }
}

/// What keeps the checks of a service from doing harm.
pub(super) fn guards(page: &mut Page, guard: &Guard) {
    let Guard { panic, max_withdraw, slow_start } = guard;
    page.setting(2, &SERVICE, "panic", panic.unwrap_or(Share::thousandths(0)));
    let limit = max_withdraw.map_or_else(
        || String::from("false"),
        |limit| format!("{} of the service within {}", limit.share, time(limit.within)),
    );
    page.setting(2, &SERVICE, "max_withdraw", limit);
    page.setting(2, &SERVICE, "slow_start", time(slow_start.unwrap_or_default()));
}

/// The settings of a check that say how its pace changes.
pub(super) fn pacing(page: &mut Page, check: &Check) {
    page.resolved(3, "fast", &time(check.fast()), check.fast.is_none());
    let idle = check.idle.map_or_else(|| String::from("none"), time);
    page.resolved(3, "idle", &idle, check.idle.is_none());
    let hold_down = match check.hold_down {
        Some(HoldDown { after, within, max }) => {
            format!("after {after} falls in {}, up to {}", time(within), time(max))
        }
        None => String::from("false"),
    };
    let default = check.hold_down == Some(HoldDown::DEFAULT);
    page.resolved(3, "hold_down", &hold_down, default);
}
