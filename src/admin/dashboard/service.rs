//! `/services/zone/service`: one service in depth.

use askama::Template;

use super::super::docs::{CheckDoc, NodeDetailDoc, ServiceDoc, Status, StatusDoc};
use super::alerts::{self, Alert};
use super::draw::{self, Mark, Strip};
use super::frame::{self, Frame, escaped};
use super::held::{self, HeldView};
use super::overview::{OverrideView, ServiceView};
use super::record::Past;
use super::rows::{self, Filter, Standing, Wanted};
use super::words::{self, EventLine};

/// Addresses of one page; their nodes are told in full.
pub(super) const NODES_MAX: usize = 50;
/// Overrides of one page.
const OVERRIDES_MAX: usize = 50;
/// Events of one page.
const EVENTS_SHOWN: usize = 30;

/// The page.
#[derive(Debug, Template)]
#[template(path = "service.html")]
pub(super) struct ServicePage {
    frame: Frame,
    filter: Filter,
    service: ServiceView,
    families: Vec<FamilyView>,
    standing: Standing,
    alerts: Vec<Alert>,
    /// Nodes out of the answers, with who may hold them still.
    held: Vec<HeldView>,
    found: usize,
    page: usize,
    pages: usize,
    nodes: Vec<NodeView>,
    overrides: Vec<OverrideView>,
    events: Vec<EventLine>,
}

/// How one family is answered.
#[derive(Debug)]
struct FamilyView {
    family: String,
    row: String,
    why: String,
    /// In the order in which they are written.
    pools: Vec<(String, &'static str)>,
    /// How many addresses answers are picked from.
    answering: usize,
}

/// One node with its checks.
#[derive(Debug)]
struct NodeView {
    id: String,
    name: String,
    labels: Vec<(String, String)>,
    checks: Vec<CheckView>,
}

/// One check of it.
#[derive(Debug)]
struct CheckView {
    asks: String,
    status: Status,
    mark: char,
    turning: bool,
    since: String,
    pace: String,
    strip: Strip,
    /// The latest verdicts in words, the newest first, those of a kind together.
    runs: Vec<Run>,
}

/// Verdicts in a row that say the same.
#[derive(Debug, PartialEq)]
struct Run {
    class: &'static str,
    text: String,
}

impl ServicePage {
    /// The page of these facts; `page` counts from 1.
    pub(super) fn new(
        frame: Frame,
        (status, service): (&StatusDoc, &ServiceDoc),
        details: &[NodeDetailDoc],
        past: &Past,
        filter: Filter,
        page: usize,
    ) -> Self {
        let mut chosen = rows::chosen(service, &filter, false);
        let found = chosen.iter().filter(|chosen| **chosen).count();
        let pages = found.div_ceil(NODES_MAX).max(1);
        let page = page.clamp(1, pages);
        for (at, one) in chosen.iter_mut().filter(|one| **one).enumerate() {
            *one = at / NODES_MAX + 1 == page;
        }
        let view = ServiceView::of(service, &chosen, NODES_MAX, past, status.now);
        let rows = || view.pools.iter().flat_map(|pool| &pool.rows);
        let is_shown = |detail: &&NodeDetailDoc| rows().any(|row| row.node_id == detail.node.id);
        let shown = || details.iter().filter(is_shown);
        let nodes = shown().map(|detail| node(detail, status.now)).collect();
        let held = shown().filter_map(|detail| HeldView::of(detail, status.now)).collect();
        let events = past.events().filter(|(_, event)| EventLine::is_about(event, &service.id));
        let events = events.take(EVENTS_SHOWN);
        let holds: Vec<u64> = service
            .pools
            .iter()
            .flat_map(|pool| &pool.nodes)
            .flat_map(|node| node.overrides.iter().copied())
            .collect();
        let overrides = status.overrides.iter().rev().filter(|one| holds.contains(&one.id));
        let mut alerts = Vec::new();
        alerts::of_service(service, &mut alerts);
        Self {
            families: families(service),
            standing: view.standing,
            alerts,
            held,
            found,
            page,
            pages,
            nodes,
            overrides: overrides
                .take(OVERRIDES_MAX)
                .map(|one| OverrideView::of(one, status.now))
                .collect(),
            events: events.map(EventLine::of).collect(),
            service: view,
            frame,
            filter,
        }
    }

    fn title(&self) -> String {
        match self.standing.down {
            0 => format!("{} · rota", self.service.owner),
            down => format!("{} down · {} · rota", words::thousands(down), self.service.owner),
        }
    }

    /// Where a search of its nodes goes.
    fn action(&self) -> String {
        format!("/services/{}", escaped(&self.service.id))
    }

    /// Another page of the same search.
    fn href(&self, page: usize) -> String {
        let wanted = Wanted::ALL.into_iter().find(|(wanted, ..)| *wanted == self.filter.status);
        let status = wanted.map_or("", |(_, value, _)| value);
        let text = escaped(&self.filter.text);
        format!("{}?q={text}&status={status}&page={page}", self.action())
    }
}

fn families(service: &ServiceDoc) -> Vec<FamilyView> {
    let of = |family: &super::super::docs::FamilyDoc| {
        let pool = |name: &String| {
            let how = match (family.panicking.contains(name), family.pools.contains(name)) {
                (true, _) => "in panic: all its nodes",
                (false, true) => "can answer",
                (false, false) => "cannot answer",
            };
            (name.clone(), how)
        };
        let is_v4 = family.family == "A";
        let answering = service.addresses().filter(|it| it.answering);
        FamilyView {
            family: family.family.clone(),
            row: family.row.clone(),
            why: family.why.clone(),
            pools: service.pools.iter().map(|it| pool(&it.name)).collect(),
            answering: answering.filter(|it| it.address.is_ipv4() == is_v4).count(),
        }
    };
    service.families.iter().map(of).collect()
}

fn node(detail: &NodeDetailDoc, now: u64) -> NodeView {
    NodeView {
        id: detail.node.id.clone(),
        name: detail.node.name.clone(),
        labels: detail.labels.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
        checks: detail.checks.iter().map(|one| check(one, now)).collect(),
    }
}

fn check(check: &CheckDoc, now: u64) -> CheckView {
    CheckView {
        asks: check.asks.clone(),
        status: check.status,
        mark: words::mark(check.status),
        turning: check.turning,
        since: check.since.map_or_else(String::new, |at| words::age(now.saturating_sub(at))),
        pace: check.pace_ms.map_or_else(String::new, words::milliseconds),
        strip: Strip::of_verdicts(&check.history),
        runs: runs(check),
    }
}

fn runs(check: &CheckDoc) -> Vec<Run> {
    let mut all: Vec<(Mark, String, usize, u64)> = Vec::new();
    for verdict in check.history.iter().rev() {
        let mark = draw::mark(verdict);
        let says = match mark {
            Mark::Pass => "ok".to_owned(),
            Mark::Warn => verdict.warning.clone().unwrap_or_default(),
            Mark::Fail | Mark::None => words::verdict(verdict),
        };
        match all.last_mut() {
            Some((before, text, times, since)) if *before == mark && *text == says => {
                *times += 1;
                *since = verdict.ago_ms;
            }
            Some(_) | None => all.push((mark, says, 1, verdict.ago_ms)),
        }
    }
    let run = |(mark, says, times, since): (Mark, String, usize, u64)| {
        let times = if times == 1 { String::new() } else { format!("{times} × ") };
        let since = words::age(since / 1000);
        Run { class: mark.class(), text: format!("{times}{says}, from {since} ago") }
    };
    all.into_iter().map(run).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::docs::{OutcomeWord, VerdictDoc};
    use super::*;

    #[test]
    fn verdicts_that_say_the_same_are_told_once() {
        let verdict = |secs: u64, reason: Option<&str>| VerdictDoc {
            ago_ms: secs * 1000,
            outcome: if reason.is_some() { OutcomeWord::Fail } else { OutcomeWord::Pass },
            reason: reason.map(str::to_owned),
            warning: None,
            latency_ms: 1.0,
        };
        let check = CheckDoc {
            address: [192, 0, 2, 1].into(),
            asks: "http://192.0.2.1/".to_owned(),
            status: Status::Down,
            turning: false,
            since: None,
            pace_ms: None,
            history: vec![
                verdict(25, None),
                verdict(20, None),
                verdict(15, Some("refused")),
                verdict(10, Some("status 503")),
                verdict(5, Some("status 503")),
            ],
        };
        let texts: Vec<String> = runs(&check).into_iter().map(|run| run.text).collect();
        assert_eq!(
            texts,
            ["2 × status 503, from 10s ago", "refused, from 15s ago", "2 × ok, from 25s ago"]
        );
    }
}
