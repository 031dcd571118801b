//! What is said loudly: wherever Rota does not simply answer with what passes its checks.
//!
//! A guard that works in silence is taken for a fault, and a fault for a guard. So each that is in
//! force is named with what it does, and so is all else that an operator would want to be woken
//! for. Nothing is said where all is well.

use super::super::docs::{GuardWord, ServiceDoc, StatusDoc};
use super::super::{Health, Phase};
use super::words::{age, count};

/// Alerts of one page; what is beyond is counted.
const ALERTS_MAX: usize = 20;

/// One of them.
#[derive(Debug, PartialEq)]
pub(super) struct Alert {
    /// `bad` or `warn`, for the style sheet.
    pub(super) kind: &'static str,
    /// In a word or two.
    pub(super) label: &'static str,
    pub(super) text: String,
    /// The service that it is about; empty where it is about the server.
    pub(super) service: String,
}

/// The alerts of a page, and how many more there are.
pub(super) fn alerts(status: &StatusDoc, phase: Phase, health: Health) -> (Vec<Alert>, usize) {
    let mut all = of_server(status, phase, health);
    status.services.iter().for_each(|service| of_service(service, &mut all));
    // What is bad stands first; among equals the order is that of the configuration.
    all.sort_by_key(|alert| alert.kind);
    let more = all.len().saturating_sub(ALERTS_MAX);
    all.truncate(ALERTS_MAX);
    (all, more)
}

fn of_server(status: &StatusDoc, phase: Phase, health: Health) -> Vec<Alert> {
    let mut all = Vec::new();
    let mut add = |kind, label, text: String| {
        all.push(Alert { kind, label, text, service: String::new() });
    };
    match phase {
        Phase::Starting => {
            add("warn", "starting", "first verdicts are awaited; nothing is answered yet".into());
        }
        Phase::Stopping => {
            add("warn", "stopping", "this server answers for the last time".into());
        }
        Phase::Serving => {}
    }
    if let Health::Stalled(silence) = health {
        let silence = age(silence.as_secs());
        add("bad", "prober stalled", format!("no sign of life for {silence}: statuses are old"));
    }
    if let Some(suspect) = &status.suspect {
        add("bad", "prober suspected", suspect.says(status.now));
    }
    for certificate in status.certificates.iter().filter(|certificate| certificate.near) {
        let kind = if certificate.ends < status.now { "bad" } else { "warn" };
        add(kind, "certificate", certificate.says(status.now));
    }
    for notice in &status.notices {
        add("bad", "notice", notice.clone());
    }
    for zone in status.zones.iter().filter(|zone| !zone.served) {
        add("bad", "broken zone", format!("{} has errors: its names get SERVFAIL", zone.apex));
    }
    all
}

/// What is said of one service.
pub(super) fn of_service(service: &ServiceDoc, all: &mut Vec<Alert>) {
    let mut add = |kind, label, text: String| {
        all.push(Alert { kind, label, text, service: service.id.clone() });
    };
    for family in &service.families {
        if family.row != "serving" {
            add("bad", "last resort", format!("{}: {}", family.family, family.why));
        }
        if let Some(panic) = family.panic() {
            add("bad", "panic", panic);
        }
    }
    for (guard, label, does) in [
        (GuardWord::MaxWithdraw, "max_withdraw", "failing, but held in the answers"),
        (GuardWord::Needs, "needs", "as bad as a service that their pool needs"),
        (GuardWord::HoldDown, "hold_down", "held out of the answers after flapping"),
        (GuardWord::SlowStart, "slow_start", "climbing to full weight after a return"),
    ] {
        let is_it = |guarded: &GuardWord| *guarded == guard;
        let guards = service.addresses().filter_map(|address| address.guard.as_ref());
        let number = guards.filter(|it| is_it(&it.guard)).count();
        if number > 0 {
            let addresses = count(number, "address").replace("addresss", "addresses");
            add("warn", label, format!("{addresses} {does}"));
        }
    }
}
