//! The checks of a service, and how long a node that fails them can live on in caches.

use std::net::IpAddr;
use std::time::Duration;

use super::page::Page;
use super::{bare, recipes, seconds, time};
use crate::health::Check;
use crate::steer::{Address, Node, Rule, Service};

impl Page {
    /// The checks that most nodes have, then those of each node that has others.
    pub(super) fn checks(&mut self, service: &Service) {
        let examined = |node: &Node| node.addresses.first().map(Examined::of);
        let all: Vec<Examined> = service.nodes().filter_map(examined).collect();
        let count = |one: &Examined| all.iter().filter(|other| *other == one).count();
        // Of several that are as many the first.
        let Some(common) = all.iter().rev().max_by_key(|one| count(one)) else { return };
        let host = bare(&service.owner);
        common.write(self, &host);
        for node in service.nodes() {
            let Some(own) = examined(node).filter(|own| own != common) else { continue };
            self.line(2, format_args!("node {} has others", node.name));
            if own.checks.is_empty() {
                self.line(3, "none: it always counts as healthy");
            }
            own.write(self, &host);
        }
    }

    pub(super) fn withdrawal(&mut self, service: &Service) {
        let rules = service.nodes().flat_map(|node| &node.addresses).map(|address| &address.check);
        let targets = rules.flat_map(Rule::targets);
        let worst = targets.map(|target| worst_case(service, &target.check)).max();
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

/// What is asked at an address, whosever it is.
#[derive(PartialEq)]
struct Examined {
    /// Each with the address that is asked in place of the one that is answered.
    checks: Vec<(Check, Option<IpAddr>)>,
    /// How they come together, by their numbers from 1 on; none where all must pass.
    together: Option<String>,
}

impl Examined {
    fn of(address: &Address) -> Self {
        let targets = address.check.targets().into_iter();
        let elsewhere = |at: IpAddr| (at != address.ip).then_some(at);
        let mut number = 0;
        let together = words(&address.check, &mut number);
        Self {
            checks: targets.map(|it| (it.check.for_node(""), elsewhere(it.address))).collect(),
            together: together.contains(" or ").then_some(together),
        }
    }

    fn write(&self, page: &mut Page, host: &str) {
        for (check, elsewhere) in &self.checks {
            recipes::write(page, check, host);
            if let Some(at) = elsewhere {
                page.resolved(3, "address", &at.to_string(), false);
            }
        }
        if let Some(together) = &self.together {
            page.resolved(2, "passes", together, false);
        }
    }
}

/// A rule as its targets' numbers: "1 and (2 or 3)".
fn words(rule: &Rule, number: &mut usize) -> String {
    let (rules, word) = match rule {
        Rule::Target(_) => {
            *number += 1;
            return number.to_string();
        }
        Rule::All(rules) => (rules, " and "),
        Rule::Any(rules) => (rules, " or "),
    };
    let parts = rules.iter().map(|rule| {
        let inner = words(rule, number);
        if inner.contains(' ') && rules.len() > 1 { format!("({inner})") } else { inner }
    });
    parts.collect::<Vec<_>>().join(word)
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
