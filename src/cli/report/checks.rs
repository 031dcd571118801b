//! The checks of a service, and how long a node that fails them can live on in caches.

use std::time::Duration;

use super::page::Page;
use super::{bare, quoted, seconds, time};
use crate::config::tables::{CHECK, HTTP};
use crate::health::{Ask, Check, HttpAsk};
use crate::steer::Service;
use crate::wire::Name;

impl Page {
    pub(super) fn check(&mut self, check: &Check, owner: &Name) {
        let Ask::Http(HttpAsk { tls, port, path, host, expect }) = &check.ask;
        let scheme = if *tls { "https" } else { "http" };
        self.resolved(2, "check", &format!("GET {scheme}://<address>:{port}{path}"), false);
        self.resolved(3, "host", host, *host == bare(owner));
        let ranges = expect.iter().map(|range| match (range.start(), range.end()) {
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("{first}-{last}"),
        });
        self.setting(3, &HTTP, "expect", format_args!("[{}]", quoted(ranges)));
        self.setting(3, &CHECK, "every", time(check.every));
        let timeout_default = Duration::from_secs(2).min(check.every);
        self.resolved(3, "timeout", &time(check.timeout), check.timeout == timeout_default);
        self.setting(3, &CHECK, "fails", check.fails);
        self.setting(3, &CHECK, "passes", check.passes);
    }

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
