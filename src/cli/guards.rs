//! The guards of a service, as `rota check` shows them.

use super::report::Page;
use crate::config::tables::SERVICE;
use crate::health::Share;
use crate::steer::Guard;

/// What keeps the checks of a service from doing harm.
pub(super) fn guards(page: &mut Page, guard: &Guard) {
    let Guard { panic } = guard;
    page.setting(2, &SERVICE, "panic", panic.unwrap_or(Share::thousandths(0)));
}
