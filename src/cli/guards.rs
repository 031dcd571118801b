//! The guards of a service, as `rota check` shows them.

use super::report::Page;
use crate::config::tables::SERVICE;
use crate::health::Share;
use crate::steer::{Guard, Service};

/// What still passes where a node is alive but not ready, at the first address.
pub(super) fn live(page: &mut Page, service: &Service) {
    let first = service.nodes().flat_map(|node| &node.addresses).next();
    for target in first.into_iter().flat_map(|address| &address.live) {
        page.resolved(2, "live", &target.place().to_string(), false);
    }
}

/// What keeps the checks of a service from doing harm.
pub(super) fn guards(page: &mut Page, guard: &Guard) {
    let Guard { panic } = guard;
    page.setting(2, &SERVICE, "panic", panic.unwrap_or(Share::thousandths(0)));
}
