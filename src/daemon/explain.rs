//! Answers to "why does this client get what it gets?".

use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::admin::Inquiry;
use crate::geo::Atlas;
use crate::health::{Opinion, Outcome, Status, Target};
use crate::respond::explain::{self, Explanation, Informant};
use crate::respond::{Client, Transport, Worker};
use crate::snapshot::Snapshot;
use crate::steer::{Node, Override, Pool, lack};

use super::known::Known;

/// Knows what plans do not hold: what probes said, and where addresses are.
pub(super) struct Witness<'c> {
    known: Known<'c>,
    atlas: &'c Atlas,
    now: Instant,
}

impl<'c> Witness<'c> {
    pub(super) fn new(known: Known<'c>, atlas: &'c Atlas, now: Instant) -> Self {
        Self { known, atlas, now }
    }

    /// Asks the answer path what the inquirer would, over a stream, where nothing is cut short and
    /// no limit holds. The worker's turns are its own: whose turn it is at another worker cannot be
    /// known.
    pub(super) fn explain(
        &self,
        inquiry: &Inquiry,
        snapshot: &Snapshot,
        worker: &mut Worker,
    ) -> Explanation {
        let message = explain::query(&inquiry.name, inquiry.rtype, inquiry.subnet.as_ref());
        let client = Client { addr: (inquiry.client, 0).into(), transport: Transport::Tcp };
        explain::explain(&message, &client, snapshot, worker, self).0
    }
}

impl Informant for Witness<'_> {
    fn atlas(&self) -> &Atlas {
        self.atlas
    }

    fn complaint(&self, target: &Target) -> Option<String> {
        match &self.known.monitor.view(target)?.last()?.verdict.outcome {
            Outcome::Pass => None,
            Outcome::Fail(reason) => Some(reason.to_string()),
            Outcome::NoVerdict(reason) => Some(format!("no verdict: {reason}")),
        }
    }

    fn pace(&self, target: &Target) -> Option<Duration> {
        self.known.monitor.pace(target)
    }

    fn said(&self, node: &str) -> Option<String> {
        let (forced, order) = self.known.overrides.forced(node, self.known.now)?;
        let word = match forced {
            Override::Up => "up",
            Override::Down => "down",
            Override::Drain => "drain",
        };
        let reason = order.reason.as_ref().map(|reason| format!(" ({reason})"));
        Some(format!("{} said {word}{}", order.author, reason.unwrap_or_default()))
    }

    fn lack(&self, pool: &Pool) -> Option<String> {
        lack(pool, &self.known).map(|lack| lack.to_string())
    }

    fn outside(&self, node: &Node, ip: IpAddr) -> Option<String> {
        let told = |(from, opinion): (&str, &Opinion)| {
            let turning = if opinion.is_turning() { ", turning" } else { "" };
            let word = opinion.complaint().filter(|_| opinion.status() == Status::Down);
            let reason = word.and_then(|word| word.reason.as_ref());
            let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
            format!("{from} says {}{turning}{reason}", opinion.status())
        };
        let all: Vec<String> = self.known.vantages.opinions_on(&node.id, ip).map(told).collect();
        (!all.is_empty()).then(|| all.join(", "))
    }

    fn guard(&self, node: &Node, ip: IpAddr) -> Option<String> {
        if let Some(hand) = self.known.guards.hand(&node.id, ip) {
            return Some(hand.told(self.now));
        }
        let own = node.addresses.iter().filter(|address| address.ip == ip);
        let mut views = own.flat_map(|address| address.check.targets());
        let hold = views.find_map(|target| self.known.monitor.view(target)?.hold(self.now))?;
        Some(hold.to_string())
    }
}
