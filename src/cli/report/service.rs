//! A service as it is meant: how its answers are made.

use std::net::IpAddr;

use super::page::Page;
use super::{bare, guards, quoted, seconds};
use crate::config::relative;
use crate::config::tables::SERVICE;
use crate::steer::{Address, Answers, Node, Policy, Service, WhenAllDown};
use crate::wire::{Name, RecordType};
use crate::zone::Records;

impl Page {
    pub(super) fn service(&mut self, service: &Service, records: &Records) {
        let (name, owner) = (relative(&records.apex, &service.owner), bare(&service.owner));
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
        self.setting(2, &SERVICE, "spread", format_args!("[{}]", quoted(&service.spread)));
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
        self.setting(2, &SERVICE, "quorum", service.quorum);
        guards::guards(self, &service.guard);
        guards::needs(self, service);
        self.published(service, records);
        self.checks(service);
        guards::live(self, service);
        self.withdrawal(service);
    }

    /// What stands at further names.
    fn published(&mut self, service: &Service, records: &Records) {
        if service.srv.is_empty() {
            self.resolved(2, "srv", "none", true);
        }
        for srv in &service.srv {
            self.resolved(2, "srv", &format!("{}, port {}", bare(&srv.owner), srv.port), false);
        }
        let https = service.https.as_ref().map(|https| {
            let alpn = if https.alpn.is_empty() { "" } else { ", alpn " };
            let protocols = https.alpn.join(" ");
            format!("{}, port {}{alpn}{protocols}", bare(&https.owner), https.port)
        });
        self.setting(2, &SERVICE, "https", https.as_deref().unwrap_or("false"));
        self.setting(2, &SERVICE, "names", format_args!("[{}]", quoted(names(service, records))));
        let explain = service.explain.as_ref().map(|explain| {
            let to: Vec<_> = explain.to.iter().map(ToString::to_string).collect();
            format!("{}, told to {}", bare(&explain.owner), to.join(", "))
        });
        self.setting(2, &SERVICE, "explain", explain.as_deref().unwrap_or("[]"));
    }
}

/// The words of `names` whose names the zone has, with all of their addresses.
fn names(service: &Service, records: &Records) -> Vec<&'static str> {
    let has = |owner: &Name, address: &Address| {
        let (rtype, octets): (_, Vec<u8>) = match address.ip {
            IpAddr::V4(v4) => (RecordType::A, v4.octets().into()),
            IpAddr::V6(v6) => (RecordType::AAAA, v6.octets().into()),
        };
        let rrset = records.get(owner, rtype);
        rrset.is_some_and(|rrset| rrset.rdata().any(|rdata| *rdata == *octets))
    };
    let below = |label: &str| Name::from_text_under(label, &service.owner).ok();
    let holds = |label: &str, node: &Node| {
        below(label).is_some_and(|owner| node.addresses.iter().all(|it| has(&owner, it)))
    };
    let nodes = service.nodes().all(|node| holds(&node.name, node));
    let all = service.nodes().all(|node| holds("all", node));
    [("nodes", nodes), ("all", all)].into_iter().filter(|it| it.1).map(|it| it.0).collect()
}

/// The policy's word, and whether it is what stands where none is written.
fn policy(service: &Service) -> (&'static str, bool) {
    let pair_differs = |pair: &[Node]| pair[0].weight != pair[1].weight;
    let differ = service.pools.iter().any(|pool| pool.nodes.windows(2).any(pair_differs));
    let differ = differ || service.guard.slow_start.is_some();
    let default = if differ { Policy::Weighted } else { Policy::Rotate };
    (service.policy.word(), service.policy == default)
}
