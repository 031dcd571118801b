//! The board of `rota status` as text: a document goes in, lines come out.
//!
//! ```text
//!   app.lb.customer.com   geo   weighted   ttl 5s   12 answers/s
//!   eu
//!     node  address     weight  status             since  last verdict  probes    answered first
//!     eu1   192.0.2.11       3  ● up                8m05  ok in 0.4 ms  ▁▁▂▁×▁▁   100% ███████
//!     eu2   192.0.2.12     3→0  ◐ draining (up) #3  8m05  ok in 0.5 ms  ▁▁▁▁▁▁▁     0%
//!           cached by about 12 resolvers, gone in 4s
//!     eu3   192.0.2.13       3  ○ down               1m02  status 503    ▁▁××××  33% ██
//!           max_withdraw: held in the answers for 58s: too much has left them
//!
//!   overrides
//!     #3  lb.customer.com/app/eu/eu2  drain  by ada 3m05 ago, 57m00 left  kernel update
//! ```
//!
//! What is well is quiet: a row of the truth table is told only where it is not the first one, and
//! what checks say only where an operator has said something else.

use std::time::Duration;

use crate::admin::docs::{
    AddressDoc, CachedDoc, FamilyDoc, NodeDoc, OverrideDoc, PoolDoc, ServiceDoc, StatusDoc,
};
use crate::admin::shares::Shares;

use super::board::{mark, verdict};
use super::page::{Ink, Page, age, columns, cut, widest};

/// The widest bar, in columns.
const BAR_MAX: usize = 20;
/// Columns of the last verdict.
const VERDICT_MAX: usize = 24;
/// From a fast probe to the slowest of the row.
const STEPS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// A probe that did not pass.
const FAILED: char = '×';

/// The board in at most `width` columns; `shares` are by service.
pub(super) fn render(status: &StatusDoc, shares: &[Shares], width: usize, colour: bool) -> String {
    let mut page = Page::new(width, colour);
    let suspect = status.suspect.map(|suspect| suspect.says(status.now));
    let suspect = suspect.map(|says| format!("the prober is suspected: {says}"));
    for notice in status.notices.iter().chain(&suspect) {
        for line in wrapped(notice, width.saturating_sub(2)) {
            page.put(Ink::Red, format!("  {line}"));
            page.end();
        }
    }
    for zone in status.zones.iter().filter(|zone| !zone.served) {
        page.put(Ink::Red, format!("  {} has errors: its names get SERVFAIL", zone.apex));
        page.end();
    }
    for (service, shares) in status.services.iter().zip(shares) {
        lay_service(service, shares, status.now, &mut page);
        page.end();
    }
    lay_overrides(status, &mut page);
    for certificate in &status.certificates {
        let ink = match certificate {
            ended if ended.ends < status.now => Ink::Red,
            near if near.near => Ink::Yellow,
            _ => Ink::Faint,
        };
        page.put(ink, format!("  {}", certificate.says(status.now)));
        page.end();
    }
    let count = |count: usize, what: &str| match count {
        1 => format!("1 {what}"),
        more => format!("{more} {what}s"),
    };
    let zones = count(status.zones.len(), "zone");
    let up = age(Duration::from_secs(status.now.saturating_sub(status.started)));
    let services = count(status.services.len(), "service");
    page.put(Ink::Faint, format!("  {services} in {zones}, running for {up}"));
    page.end();
    page.into_text()
}

/// One address as the board has it.
struct Row {
    node: String,
    address: String,
    weight: String,
    status: String,
    status_ink: Ink,
    since: String,
    verdict: String,
    verdict_ink: Ink,
    probes: String,
    share: Option<f64>,
    answering: bool,
    /// What a guard does to it.
    guard: Option<String>,
    /// What resolvers hold of it still.
    cached: Option<String>,
}

fn lay_service(service: &ServiceDoc, shares: &Shares, now: u64, page: &mut Page) {
    page.put(Ink::Strong, format!("  {}", service.owner));
    let steer =
        if service.pools.len() > 1 { format!("{}   ", service.steer) } else { String::new() };
    let (policy, ttl, rate) = (&service.policy, service.ttl, shares.per_second);
    page.put(Ink::Faint, format!("   {steer}{policy}   ttl {ttl}s   {rate:.0} answers/s"));
    page.end();
    for family in service.families.iter().filter(|family| family.row != "serving") {
        page.put(Ink::Yellow, format!("  {}: {}", family.family, family.why));
        page.end();
    }
    for panic in service.families.iter().filter_map(FamilyDoc::panic) {
        page.put(Ink::Yellow, format!("  panic: {panic}"));
        page.end();
    }
    let mut of = shares.of.iter().copied();
    let mut rows: Vec<(&PoolDoc, Vec<Row>)> = Vec::new();
    for pool in &service.pools {
        let seen =
            pool.nodes.iter().flat_map(|node| node.addresses.iter().map(move |it| (node, it)));
        let row = |(node, address)| row(node, address, of.next().flatten(), now);
        rows.push((pool, seen.map(row).collect()));
    }
    let widths = Widths::of(rows.iter().flat_map(|(_, rows)| rows), page.width());
    widths.head(page);
    for (pool, rows) in &rows {
        if !pool.name.is_empty() {
            page.put(Ink::Cyan, format!("  {}", pool.name));
            if let (Some(share), Some(configured)) = (pool.share, pool.share_configured) {
                let before =
                    if share == configured { String::new() } else { format!("{configured}→") };
                page.put(Ink::Faint, format!("   {before}{share} % of all clients"));
            }
            page.end();
        }
        rows.iter().for_each(|row| widths.row(row, page));
    }
}

fn row(node: &NodeDoc, address: &AddressDoc, share: Option<f64>, now: u64) -> Row {
    let (mark, status_ink) = mark(address.effective);
    let turning = if address.turning { "…" } else { "" };
    let mut status = format!("{mark} {}{turning}", address.effective);
    if address.effective != address.real {
        status += &format!(" ({})", address.real);
    }
    for id in &node.overrides {
        status += &format!(" #{id}");
    }
    let weight = match node.weight == node.weight_configured {
        true => node.weight.to_string(),
        false => format!("{}→{}", node.weight_configured, node.weight),
    };
    // Once for all addresses of the node.
    let held = node.cached.as_ref().filter(|_| node.addresses.first() == Some(address));
    let since = address.since.map(|at| age(Duration::from_secs(now.saturating_sub(at))));
    let (verdict, verdict_ink) = match address.reported() {
        Some(told) => (told, Ink::Red),
        None => verdict(address.last.as_ref()),
    };
    Row {
        node: node.name.clone(),
        address: address.address.to_string(),
        weight,
        status,
        status_ink,
        since: since.unwrap_or_else(|| "-".to_owned()),
        verdict: cut(&verdict, VERDICT_MAX),
        verdict_ink,
        probes: sparkline(&address.latencies_ms),
        share,
        answering: address.answering,
        guard: address.guard.as_ref().map(|guard| format!("{}: {}", guard.guard, guard.says)),
        cached: held.filter(|it| !it.is_gone()).map(CachedDoc::to_string),
    }
}

/// Columns of one service's table.
struct Widths {
    node: usize,
    address: usize,
    weight: usize,
    status: usize,
    verdict: usize,
    probes: usize,
    bar: usize,
}

impl Widths {
    fn of<'r>(rows: impl Iterator<Item = &'r Row> + Clone, width: usize) -> Self {
        let widest =
            |head: &str, text: fn(&Row) -> &str| widest(rows.clone().map(text)).max(columns(head));
        let mut widths = Self {
            node: widest("node", |row| &row.node),
            address: widest("address", |row| &row.address),
            weight: widest("weight", |row| &row.weight),
            status: widest("status", |row| &row.status),
            verdict: widest("last verdict", |row| &row.verdict),
            probes: widest("probes", |row| &row.probes),
            bar: 0,
        };
        let Self { node, address, weight, status, verdict, probes, .. } = widths;
        // Columns are two apart; `since` and the share have widths of their own.
        let taken =
            4 + node + address + weight + status + 5 + verdict + probes + 6 * 2 + "  100% ".len();
        widths.bar = width.saturating_sub(taken).min(BAR_MAX);
        widths
    }

    fn head(&self, page: &mut Page) {
        let Self { node, address, weight, status, verdict, probes, .. } = *self;
        page.put(
            Ink::Faint,
            format!(
                "    {:node$}  {:address$}  {:>weight$}  {:status$}  {:>5}  {:verdict$}  \
                 {:probes$}  answered first",
                "node", "address", "weight", "status", "since", "last verdict", "probes",
            ),
        );
        page.end();
    }

    fn row(&self, row: &Row, page: &mut Page) {
        let Self { node, address, weight, status, verdict, probes, bar } = *self;
        page.put(Ink::Strong, format!("    {:node$}", row.node));
        let ink = if row.answering { Ink::Plain } else { Ink::Faint };
        page.put(ink, format!("  {:address$}  {:>weight$}  ", row.address, row.weight));
        page.put(row.status_ink, format!("{:status$}", row.status));
        page.put(Ink::Plain, format!("  {:>5}  ", row.since));
        page.put(row.verdict_ink, format!("{:verdict$}", row.verdict));
        page.put(Ink::Cyan, format!("  {:probes$}  ", row.probes));
        if let Some(share) = row.share {
            page.put(Ink::Plain, format!("{:>3.0}%", share * 100.0));
            let filled = (share * bar as f64).round() as usize;
            page.put(Ink::Cyan, format!(" {}", "█".repeat(filled.min(bar))));
        }
        page.end();
        for line in row.guard.iter().chain(&row.cached) {
            page.put(Ink::Yellow, format!("    {:node$}  {line}", ""));
            page.end();
        }
    }
}

fn lay_overrides(status: &StatusDoc, page: &mut Page) {
    if status.overrides.is_empty() {
        return;
    }
    page.put(Ink::Strong, "  overrides");
    page.end();
    let ids: Vec<String> = status.overrides.iter().map(|one| format!("#{}", one.id)).collect();
    let says: Vec<String> = status.overrides.iter().map(|one| one.says.to_string()).collect();
    let id_width = widest(ids.iter().map(String::as_str));
    let says_width = widest(says.iter().map(String::as_str));
    let scope_width = widest(status.overrides.iter().map(|one| one.scope.as_str()));
    for (at, one) in status.overrides.iter().enumerate() {
        let (id, scope, says) = (&ids[at], &one.scope, &says[at]);
        page.put(Ink::Yellow, format!("    {id:id_width$}"));
        page.put(Ink::Plain, format!("  {scope:scope_width$}  {says:says_width$}  "));
        page.put(Ink::Faint, times(one, status.now));
        if one.nodes == 0 {
            page.put(Ink::Red, "  matches nothing");
        }
        if let Some(reason) = &one.reason {
            page.put(Ink::Plain, format!("  {reason}"));
        }
        page.end();
    }
    page.end();
}

fn times(one: &OverrideDoc, now: u64) -> String {
    let seconds = |from: u64, to: u64| age(Duration::from_secs(to.saturating_sub(from)));
    let left = one.until.map(|until| format!(", {} left", seconds(now, until)));
    format!("by {} {} ago{}", one.author, seconds(one.since, now), left.unwrap_or_default())
}

/// A text in lines that end between words: of a notice the end matters as much as the beginning.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is one from the start");
        if line.is_empty() {
            line.push_str(word);
        } else if columns(line) + 1 + columns(word) <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// A probe each, as high as it was slow beside the slowest.
fn sparkline(latencies_ms: &[Option<f64>]) -> String {
    let slowest = latencies_ms.iter().flatten().copied().fold(f64::MIN_POSITIVE, f64::max);
    let step = |latency: &Option<f64>| match latency {
        Some(latency) => STEPS[((latency / slowest * 8.0) as usize).min(STEPS.len() - 1)],
        None => FAILED,
    };
    latencies_ms.iter().map(step).collect()
}

#[cfg(test)]
#[path = "status_board_tests.rs"]
mod tests;
