//! A service as it is meant: how its answers are made.

use super::page::Page;
use super::{bare, checks, seconds};
use crate::config::relative;
use crate::config::tables::SERVICE;
use crate::steer::{Answers, Policy, Service, WhenAllDown};
use crate::wire::Name;

impl Page {
    pub(super) fn service(&mut self, service: &Service, apex: &Name) {
        let (name, owner) = (relative(apex, &service.owner), bare(&service.owner));
        self.line(1, format_args!("service {name} = {owner}"));
        self.nodes(service);
        let (policy, by_default) = policy(service);
        self.resolved(2, "policy", policy, by_default);
        let answers = match service.answers {
            Answers::UpTo(count) => count.to_string(),
            Answers::All => "all".to_owned(),
        };
        let by_default = service.answers == Answers::default_of(service.policy);
        self.resolved(2, "answers", &answers, by_default);
        let (calm, alert) = (seconds(service.ttl.calm), seconds(service.ttl.alert));
        let both = calm == alert;
        let ttl =
            if both { calm } else { format!("{calm} calm, {alert} while a node falls or rises") };
        self.setting(2, &SERVICE, "ttl", ttl);
        let down = match service.when_all_down {
            WhenAllDown::Open => "open",
            WhenAllDown::Closed => "closed",
            WhenAllDown::LastKnown => "last-known",
            WhenAllDown::Pool(pool) => &service.pools[pool].name,
        };
        self.setting(2, &SERVICE, "when_all_down", down);
        let tied = service.nodes().filter(|node| node.together).count();
        let together = match tied {
            0 => "false".to_owned(),
            all if all == service.nodes().count() => "true".to_owned(),
            some => format!("true for {some} nodes"),
        };
        self.setting(2, &SERVICE, "together", together);
        let checks = checks::of(service);
        for check in &checks {
            self.check(check, &service.owner);
        }
        self.withdrawal(service, &checks);
    }
}

/// The policy's word, and whether it is what stands where none is written.
fn policy(service: &Service) -> (&'static str, bool) {
    let mut weights = service.nodes().map(|node| node.weight);
    let first = weights.next();
    let differ = weights.any(|weight| Some(weight) != first);
    let default = if differ { Policy::Weighted } else { Policy::Rotate };
    (service.policy.word(), service.policy == default)
}
