//! The checks of a service, and how long a node that fails them can live on in caches.

use std::time::Duration;

use super::page::Page;
use super::{seconds, time};
use crate::health::Check;
use crate::steer::Service;

impl Page {
    pub(super) fn withdrawal(&mut self, service: &Service, checks: &[&Check]) {
        let worst = checks.iter().map(|check| worst_case(service, check)).max();
        match worst {
            Some((total, sum)) => {
                let total = time(total);
                self.line(2, format_args!("a dead node is in no cache after at most {total}"));
                self.line(3, format_args!("{total} = {sum}"));
            }
            None => self.line(2, "no check: a dead node stays in the answers"),
        }
    }
}

/// The longest that a dead node's address can be in a cache, and the sum that makes it.
///
/// A node that dies just after a good probe is found out over `fails` probes, the last of which may
/// take its whole timeout, and who asked just before keeps the answer for the `alert` TTL. Who
/// asked before the first bad verdict keeps it for the `calm` TTL, which may be longer still.
fn worst_case(service: &Service, check: &Check) -> (Duration, String) {
    let (every, timeout, fails) = (check.every, check.timeout, check.fails);
    let (calm, alert) = (service.ttl.calm, service.ttl.alert);
    let of = |seconds: u32| Duration::from_secs(u64::from(seconds));
    let unnoticed = every + timeout + of(calm);
    let counted = every * fails + timeout + of(alert);
    let (every, timeout) = (time(every), time(timeout));
    if unnoticed > counted {
        let ttl = seconds(calm);
        (unnoticed, format!("{every} (every) + {timeout} (timeout) + {ttl} (calm ttl)"))
    } else {
        let ttl = seconds(alert);
        let name = if calm == alert { "ttl" } else { "alert ttl" };
        let sum = format!("{every} (every) × {fails} (fails) + {timeout} (timeout)");
        (counted, format!("{sum} + {ttl} ({name})"))
    }
}

/// The checks of a service: every address has the same ones.
pub(super) fn of(service: &Service) -> Vec<&Check> {
    let first = service.nodes().flat_map(|node| &node.addresses).next();
    first.into_iter().flat_map(|address| &address.targets).map(|target| &target.check).collect()
}
