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
/// take its whole timeout, and who asked just before keeps the answer for the `alert` TTL. The
/// first of these probes comes after `idle`, where that is written, the others after `fast` or, if
/// that is longer, when the one before has timed out; `every` is longer than either. Who asked
/// before the first bad verdict keeps the answer for the `calm` TTL, which may be longer still.
fn worst_case(service: &Service, check: &Check) -> (Duration, String) {
    let Check { every, timeout, fails, .. } = *check;
    let (calm, alert) = (service.ttl.calm, service.ttl.alert);
    let of = |seconds: u32| Duration::from_secs(u64::from(seconds));
    let (first, first_name) = match check.idle {
        Some(idle) => (idle, "idle"),
        None => (every, "every"),
    };
    let (again, again_name) = match check.fast {
        Some(fast) if fast >= timeout => (fast, "fast"),
        Some(_) => (timeout, "timeout"),
        None => (every, "every"),
    };
    let unnoticed = first + timeout + of(calm);
    let counted = first + again * (fails - 1) + timeout + of(alert);
    let ended = format!("{} (timeout)", time(timeout));
    if unnoticed > counted {
        let (first, ttl) = (time(first), seconds(calm));
        return (unnoticed, format!("{first} ({first_name}) + {ended} + {ttl} (calm ttl)"));
    }
    let found = if (first, again) == (every, every) {
        format!("{} (every) × {fails} (fails)", time(every))
    } else {
        let (first, again, more) = (time(first), time(again), fails - 1);
        format!("{first} ({first_name}) + {again} ({again_name}) × {more} (fails - 1)")
    };
    let (ttl, name) = (seconds(alert), if calm == alert { "ttl" } else { "alert ttl" });
    (counted, format!("{found} + {ended} + {ttl} ({name})"))
}

/// The checks of a service: every address has the same ones.
pub(super) fn of(service: &Service) -> Vec<&Check> {
    let first = service.nodes().flat_map(|node| &node.addresses).next();
    first.into_iter().flat_map(|address| &address.targets).map(|target| &target.check).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::{Ask, HttpAsk};
    use crate::steer::Ttl;
    use crate::wire::Name;

    #[track_caller]
    fn check(change: impl FnOnce(&mut Check), calm: u32, expected: &str) {
        let mut check = Check::new(Ask::Http(HttpAsk::get(80, "/", "app.test")));
        change(&mut check);
        let service = Service::new(Name::root(), "test/app", Vec::new());
        let service = Service { ttl: Ttl { calm, alert: 5 }, ..service };
        let (total, sum) = worst_case(&service, &check);
        assert_eq!(format!("{} = {sum}", time(total)), expected);
    }

    #[test]
    fn the_sum_is_that_of_the_longest_way() {
        let second = Duration::from_secs(1);
        check(|_| (), 5, "22s = 5s (every) × 3 (fails) + 2s (timeout) + 5s (ttl)");
        check(|_| (), 60, "1m 7s = 5s (every) + 2s (timeout) + 1m (calm ttl)");
        check(
            |check| check.idle = Some(30 * second),
            10,
            "47s = 30s (idle) + 5s (every) × 2 (fails - 1) + 2s (timeout) + 5s (alert ttl)",
        );
        check(
            |check| check.fast = Some(second),
            5,
            "16s = 5s (every) + 2s (timeout) × 2 (fails - 1) + 2s (timeout) + 5s (ttl)",
        );
        check(
            |check| (check.fast, check.timeout) = (Some(second), second / 2),
            5,
            "12s 500ms = 5s (every) + 1s (fast) × 2 (fails - 1) + 500ms (timeout) + 5s (ttl)",
        );
        check(
            |check| check.idle = Some(60 * second),
            60,
            "2m 2s = 1m (idle) + 2s (timeout) + 1m (calm ttl)",
        );
    }
}
