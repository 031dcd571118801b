//! What others say who look at nodes, put in force.
//!
//! A report is judged as a whole before any of it is taken: names, texts, and room for all of it.
//! Whom it is about is found as for operators' words, but it is always single addresses: what a
//! proxy sees of one node says nothing of a pool.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use crate::admin::docs::Status;
use crate::admin::reports::{ReportForm, ReportedDoc, ReportedOnDoc, Seen, SeenDoc};
use crate::admin::{Refusal, RefusalKind};
use crate::health::vantage::{NAME_LEN_MAX, OPINIONS_MAX, VANTAGES_MAX};
use crate::health::{Hearing, Turn, Unheard, Word};
use crate::snapshot::Snapshot;
use crate::steer::overrides::Scope;
use crate::steer::{Board, Override, Service, standing};

use super::super::scopes::resolve;
use super::super::{orders, told, view};
use super::{Control, now};

/// Reports in one form.
const REPORTS_MAX: usize = 100;
/// Most that one word may count: more says nothing else.
const COUNT_MAX: u32 = 1_000_000;
/// Longest complaint, in characters: it is shown in rows.
const REASON_MAX: usize = 200;

/// One word, and the addresses that it is about, by their nodes' ids.
type Meant = (Vec<(String, IpAddr)>, Word);

impl Control {
    /// Hears by these rules from now on; what was said of addresses that stay is kept.
    ///
    /// Gives what turned because somebody is not heard any more; it is to be followed.
    pub(super) fn hear(&mut self, hearing: Hearing, services: &[Arc<Service>]) -> Vec<Turn> {
        let turns = self.vantages.configure(hearing);
        let nodes = || services.iter().flat_map(|service| service.nodes());
        let spots = nodes().flat_map(|node| {
            node.addresses.iter().map(move |address| (node.id.as_str(), address.ip))
        });
        let spots: BTreeSet<(&str, IpAddr)> = spots.collect();
        self.vantages.retain(|node, ip| spots.contains(&(node, ip)));
        turns
    }

    /// Takes a report, or says why not.
    pub(super) fn take_reports(
        &mut self,
        form: &ReportForm,
        source: &str,
    ) -> Result<ReportedDoc, Refusal> {
        let snapshot = Arc::clone(&self.publisher.current().load());
        let all = self.judge_report(form, &snapshot, now()).inspect_err(|refusal| {
            let (from, error) = (form.from.escape_debug(), &refusal.doc.error);
            tracing::warn!(%from, source, error, "a report is refused");
        })?;
        let mut turns = Vec::new();
        for (spots, word) in &all {
            for (node, ip) in spots {
                turns.extend(self.vantages.handle_report(&form.from, node, *ip, word.clone()));
            }
        }
        self.follow(&turns, source);
        let spots: BTreeSet<_> = all.into_iter().flat_map(|(spots, _)| spots).collect();
        let told = spots.iter().filter_map(|(node, ip)| self.reported(&form.from, node, *ip));
        Ok(ReportedDoc { addresses: told.collect() })
    }

    /// Ends what nobody repeats.
    pub(super) fn lapse(&mut self, now: Instant) {
        let turns = self.vantages.lapse(now);
        self.follow(&turns, "not repeated in time");
    }

    /// Plans and tells what follows from other opinions.
    pub(super) fn follow(&mut self, turns: &[Turn], source: &str) {
        if turns.is_empty() {
            return;
        }
        for turn in turns.iter().filter(|turn| turn.is_status) {
            told::vantage(turn, source, &self.events);
        }
        let nodes: BTreeSet<&str> = turns.iter().map(|turn| turn.node.as_str()).collect();
        let scopes: Vec<Scope> = nodes.iter().map(|id| Scope::Named((*id).to_owned())).collect();
        self.replan_scopes(&scopes);
    }

    fn judge_report(
        &self,
        form: &ReportForm,
        snapshot: &Snapshot,
        now: Instant,
    ) -> Result<Vec<Meant>, Refusal> {
        if form.reports.is_empty() || form.reports.len() > REPORTS_MAX {
            let error = format!("`reports` must hold 1 to {REPORTS_MAX} reports");
            return Err(Refusal::new(RefusalKind::Wrong, error, "send the rest by itself"));
        }
        let all =
            form.reports.iter().map(|seen| Ok((spots(&seen.node, snapshot)?, word(seen, now)?)));
        let all: Vec<Meant> = all.collect::<Result<_, Refusal>>()?;
        let spots: BTreeSet<(&str, IpAddr)> =
            all.iter().flat_map(|(spots, _)| spots).map(|(id, ip)| (id.as_str(), *ip)).collect();
        self.vantages.admits(&form.from, spots.into_iter()).map_err(|why| self.unheard(why))?;
        Ok(all)
    }

    fn unheard(&self, why: Unheard) -> Refusal {
        let (kind, error, help) = match why {
            Unheard::Name => {
                let error = format!("`from` must be a name of 1 to {NAME_LEN_MAX} characters");
                (RefusalKind::Wrong, error, "letters, digits, dots, dashes, underscores".to_owned())
            }
            Unheard::Stranger => {
                let known = self.vantages.hearing().names.join(", ");
                let help = format!("`from` in [reports] of rota.toml names {known}");
                (RefusalKind::Wrong, "nobody of that name is heard".to_owned(), help)
            }
            Unheard::Vantages => {
                let error = format!("{VANTAGES_MAX} others have something to say already");
                let help = "let several report under one name".to_owned();
                (RefusalKind::Full, error, help)
            }
            Unheard::Opinions => {
                let error = format!("there are {OPINIONS_MAX} opinions on addresses already");
                let help = "report what fails, and what did; or shorten `lasts` in [reports]";
                (RefusalKind::Full, error, help.to_owned())
            }
        };
        Refusal::new(kind, error, help)
    }

    fn reported(&self, from: &str, node: &str, ip: IpAddr) -> Option<ReportedOnDoc> {
        let snapshot = self.publisher.current().load();
        let service = orders::services(&snapshot).find(|it| it.nodes().any(|it| it.id == node))?;
        let known = self.known(&self.guards);
        let own = service.nodes().find(|it| it.id == node)?;
        let address = own.addresses.iter().find(|address| address.ip == ip)?;
        let real = standing(service.quorum, own, address, &known);
        let real = real.map_or(Status::Unchecked, |it| view::status(it.status));
        let mut opinions = self.vantages.opinions_on(node, ip);
        let (_, opinion) = opinions.find(|(name, _)| *name == from)?;
        Some(ReportedOnDoc {
            node: node.to_owned(),
            address: ip,
            says: view::status(opinion.status()),
            real,
            effective: match known.forced(node) {
                Some(Override::Up) => Status::Up,
                Some(Override::Down) => Status::Down,
                Some(Override::Drain) => Status::Draining,
                None => real,
            },
        })
    }
}

/// The addresses that a text means: all of a node, or the one that it is.
fn spots(text: &str, snapshot: &Snapshot) -> Result<Vec<(String, IpAddr)>, Refusal> {
    let one = || "a report is about one node; `rota drain` and `rota down` take more".to_owned();
    let wrong = |error: String| Refusal::new(RefusalKind::Wrong, error, one());
    let Scope::Named(id) = resolve(text, orders::services(snapshot))? else {
        return Err(wrong(format!("{text:?} is a pattern")));
    };
    let mut nodes = orders::services(snapshot).flat_map(Service::nodes);
    let Some(node) = nodes.find(|node| node.id == id) else {
        return Err(wrong(format!("{id} is not a node")));
    };
    let meant: Option<IpAddr> = text.parse().ok();
    let ips = node.addresses.iter().map(|address| address.ip);
    let ips = ips.filter(|ip| meant.is_none_or(|meant| meant == *ip));
    Ok(ips.map(|ip| (node.id.clone(), ip)).collect())
}

fn word(seen: &SeenDoc, at: Instant) -> Result<Word, Refusal> {
    let wrong = |error: String| Refusal::new(RefusalKind::Wrong, error, "");
    if !(1..=COUNT_MAX).contains(&seen.count) {
        return Err(wrong(format!("`count` must be 1 to {COUNT_MAX}")));
    }
    if seen.status.is_some_and(|code| !(100..=999).contains(&code)) {
        return Err(wrong("`status` must be a response code, 100 to 999".to_owned()));
    }
    let reason = seen.reason.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let fits =
        |text: &str| text.chars().count() <= REASON_MAX && !text.chars().any(char::is_control);
    if reason.is_some_and(|text| !fits(text)) {
        let error = format!("`reason` must be one line of at most {REASON_MAX} characters");
        return Err(wrong(error));
    }
    let code = seen.status.map(|code| format!("status {code}"));
    let times = |text: String| match seen.count {
        1 => text,
        count => format!("{count} × {text}"),
    };
    let reason = match (code.map(times), reason) {
        (Some(code), Some(reason)) => Some(format!("{code}: {reason}")),
        (code, reason) => code.or_else(|| reason.map(str::to_owned)),
    };
    let passed = seen.verdict == Seen::Passed;
    Ok(Word { at, passed, count: seen.count, reason: reason.filter(|_| !passed) })
}
