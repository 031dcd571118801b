//! What a configuration comes to, before anything serves it: the text of `rota check`.
//!
//! Every setting with its value, and whether that is the default; how long a dead node can live on
//! in caches, with the arithmetic; and the lines that the owner of the parent zone must add.
//! Problems are not told here: they are rendered by [`config::render`](crate::config::render).

use std::fmt::{Display, Write};
use std::net::IpAddr;
use std::time::Duration;

use crate::config::keys::{Fallback, Kind};
use crate::config::tables::{ADMIN, CHECK, DNS, HTTP, LISTEN, SERVER, SERVICE};
use crate::config::{Loaded, Server, relative, summary};
use crate::health::{Ask, Check, HttpAsk};
use crate::snapshot::settings::EcsFrom;
use crate::snapshot::{Authored, ZoneModel};
use crate::steer::{Answers, Node, Policy, Pool, Service, WhenAllDown};
use crate::wire::name::ShowName;
use crate::wire::{Name, RecordType};

/// What the configuration comes to, for reading.
pub fn report(loaded: &Loaded) -> String {
    let mut page = Page::default();
    if let Some(server) = &loaded.server {
        page.server(server);
    }
    for zone in &loaded.zones {
        match zone {
            Authored::Good(model) => page.zone(model),
            Authored::Broken(apex) => {
                page.line(0, format_args!("zone {}", bare(apex)));
                page.line(1, "has errors: its names get SERVFAIL until they are mended");
                page.blank();
            }
        }
    }
    page.line(0, totals(loaded));
    page.text
}

/// Text being written, two spaces for each step inwards.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn line(&mut self, depth: usize, text: impl Display) {
        let line = format!("{:indent$}{text}", "", indent = depth * 2);
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn blank(&mut self) {
        self.text.push('\n');
    }

    /// A setting, its value, and whether that is what the key's description has as its default.
    fn setting(&mut self, depth: usize, kind: &Kind, name: &str, value: impl Display) {
        let value = value.to_string();
        let default = kind.key(name).is_some_and(|key| match key.default {
            Fallback::Value(text) => text == value || text.trim_matches('"') == value,
            Fallback::Rule(_) | Fallback::Required => false,
        });
        self.resolved(depth, name, &value, default);
    }

    fn resolved(&mut self, depth: usize, name: &str, value: &str, default: bool) {
        let mark = if default { "(default)" } else { "" };
        // The server's keys are longer than those of a service.
        let width = if depth == 1 { 27 } else { 19 - depth * 2 };
        self.line(depth, format_args!("{name:width$} {value:VALUE_COLUMN$} {mark}"));
    }

    fn server(&mut self, server: &Server) {
        let listen = &server.listen;
        self.line(0, "server");
        self.setting(1, &SERVER, "zones", server.zones.display());
        self.setting(1, &SERVER, "state", server.state.display());
        self.setting(1, &LISTEN, "dns", format_args!("[{}]", quoted(&listen.dns)));
        self.setting(1, &LISTEN, "admin", listen.admin);
        self.setting(1, &LISTEN, "workers", listen.workers);
        self.setting(1, &LISTEN, "tcp_connections", listen.tcp_connections);
        let per_client = listen.tcp_connections_per_client;
        self.setting(1, &LISTEN, "tcp_connections_per_client", per_client);
        self.setting(1, &LISTEN, "tcp_idle", time(listen.tcp_idle));
        let admin = &server.admin;
        let token = admin.token_file.as_ref().map(|path| path.display().to_string());
        self.resolved(1, "token_file", token.as_deref().unwrap_or("none"), token.is_none());
        self.setting(1, &ADMIN, "plain_text", admin.plain_text);
        let socket = admin.socket.as_ref().map(|path| path.display().to_string());
        let default = admin.socket.as_deref() == Some(&*server.state.join("rota.sock"));
        self.resolved(1, "socket", socket.as_deref().unwrap_or("false"), default);
        let dns = &server.dns;
        self.setting(1, &DNS, "udp_size", dns.udp_size);
        let told = |text: &[u8]| format!("\"{}\"", text.escape_ascii());
        let nsid = dns.nsid.as_ref().map(|nsid| told(nsid.as_bytes()));
        self.resolved(1, "nsid", nsid.as_deref().unwrap_or("none"), nsid.is_none());
        let version = dns.version.as_ref().map(|version| told(version.as_bytes()));
        self.setting(1, &DNS, "version", version.as_deref().unwrap_or("false"));
        self.setting(1, &DNS, "cookies", dns.cookies);
        let limit = dns.rate_limit.as_ref().map(|limit| {
            let networks = quoted(&limit.exempt);
            format!("{} a second, slip {}, exempt [{networks}]", limit.per_second, limit.slip)
        });
        self.setting(1, &DNS, "rate_limit", limit.as_deref().unwrap_or("false"));
        let ecs = match &dns.ecs {
            EcsFrom::Everyone => "true".to_owned(),
            EcsFrom::Nobody => "false".to_owned(),
            EcsFrom::Networks(networks) => format!("[{}]", quoted(networks)),
        };
        self.setting(1, &DNS, "ecs", ecs);
        self.blank();
    }

    fn zone(&mut self, zone: &ZoneModel) {
        let apex = &zone.records.apex;
        self.line(0, format_args!("zone {}", bare(apex)));
        for service in &zone.services {
            self.blank();
            self.service(service, apex);
        }
        self.blank();
        self.parent(zone);
        self.blank();
    }

    fn service(&mut self, service: &Service, apex: &Name) {
        let (name, owner) = (relative(apex, &service.owner), bare(&service.owner));
        self.line(1, format_args!("service {name} = {owner}"));
        self.nodes(service);
        let (policy, by_default) = policy(service);
        self.resolved(2, "policy", policy, by_default);
        let answers = match service.answers {
            Answers::UpTo(count) => count.to_string(),
            Answers::All => "all".to_owned(),
        };
        self.setting(2, &SERVICE, "answers", answers);
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
        let checks = checks(service);
        for check in &checks {
            self.check(check, &service.owner);
        }
        self.withdrawal(service, &checks);
    }

    /// The nodes of each pool; a simple service has one without a name.
    fn nodes(&mut self, service: &Service) {
        let nodes: Vec<&Node> = service.nodes().collect();
        let name_width = nodes.iter().map(|node| node.name.len()).max().unwrap_or(0).max(4);
        let ips = nodes.iter().flat_map(|node| &node.addresses);
        let address_width = ips.map(|it| it.ip.to_string().len()).max().unwrap_or(0).max(7);
        for pool in &service.pools {
            if !pool.name.is_empty() {
                let least = match pool.min_healthy {
                    0 => String::new(),
                    weight => format!("  serves from a healthy weight of {weight}"),
                };
                self.line(2, format_args!("pool {}{least}", pool.name));
            }
            self.pool(service, pool, name_width, address_width);
        }
        if service.pools.len() > 1 {
            self.resolved(2, "steer", "failover: the pools as listed", true);
        }
    }

    fn pool(&mut self, service: &Service, pool: &Pool, name_width: usize, address_width: usize) {
        let depth = if pool.name.is_empty() { 2 } else { 3 };
        let nodes: Vec<&Node> = pool.nodes.iter().collect();
        let shares = shares(service.policy, &nodes);
        let share = if shares.is_some() { "share" } else { "" };
        self.line(
            depth,
            format_args!(
                "{:name_width$}  {:address_width$}  weight  {share:>6}",
                "node", "address"
            ),
        );
        for (index, node) in nodes.iter().enumerate() {
            let share =
                shares.as_ref().map(|all| format!("{:>5}%", (all[index] * 1000.0).round() / 10.0));
            for (line, address) in node.addresses.iter().map(|it| it.ip.to_string()).enumerate() {
                if line > 0 {
                    self.line(depth, format_args!("{:name_width$}  {address}", ""));
                    continue;
                }
                self.line(
                    depth,
                    format_args!(
                        "{:name_width$}  {address:address_width$}  {:>6}  {}",
                        node.name,
                        node.weight,
                        share.as_deref().unwrap_or_default()
                    ),
                );
            }
        }
    }

    fn check(&mut self, check: &Check, owner: &Name) {
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

    fn withdrawal(&mut self, service: &Service, checks: &[&Check]) {
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

    /// NS and glue, as the parent zone's file has them. RFC 1034 §4.2.2.
    fn parent(&mut self, zone: &ZoneModel) {
        let apex = &zone.records.apex;
        let Some(parent) = apex.parent() else { return };
        let Some(ns) = zone.records.get(apex, RecordType::NS) else { return };
        let owner = ns.rdata.iter().map(|rdata| ShowName(rdata).to_string().len());
        let width = owner.max().unwrap_or(0).max(apex.to_string().len());
        self.line(1, format_args!("for the parent zone, {}", bare(&parent)));
        for rdata in &ns.rdata {
            let (server, ttl) = (ShowName(rdata), ns.ttl);
            let owner = apex.to_string();
            self.line(2, format_args!("{owner:width$}  {ttl}  IN  NS    {server}"));
        }
        for server in ns.rdata.iter().filter_map(|rdata| Name::from_wire(rdata).ok()) {
            for rtype in [RecordType::A, RecordType::AAAA] {
                let Some(glue) = zone.records.get(&server, rtype) else { continue };
                for ip in glue.rdata.iter().filter_map(|rdata| address(rdata)) {
                    let (owner, ttl) = (server.to_string(), glue.ttl);
                    let rtype = rtype.to_string();
                    self.line(2, format_args!("{owner:width$}  {ttl}  IN  {rtype:4}  {ip}"));
                }
            }
        }
        self.line(2, "DS: none, the zone is not signed");
    }
}

/// How wide values are before "(default)".
const VALUE_COLUMN: usize = 34;

/// The longest that a dead node's address can be in a cache, and the sum that makes it.
///
/// A node that dies just after a good probe is found out over `fails` probes, the last of which may
/// take its whole timeout, and who asked just before keeps the answer for the `alert` TTL. Who
/// asked before the first bad verdict keeps it for the `calm` TTL, which may be longer still.
pub fn worst_case(service: &Service, check: &Check) -> (Duration, String) {
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

/// Each node's share of first places; none where order or families leave no one number.
fn shares(policy: Policy, nodes: &[&Node]) -> Option<Vec<f64>> {
    let families = |node: &Node| -> (usize, usize) {
        let v4 = node.addresses.iter().filter(|it| it.ip.is_ipv4()).count();
        (v4, node.addresses.len() - v4)
    };
    let first = families(nodes.first()?);
    if nodes.iter().any(|node| families(node) != first) {
        return None;
    }
    let weight = |node: &&Node| match policy {
        Policy::Weighted | Policy::LeastLoaded | Policy::Hash => Some(f64::from(node.weight)),
        Policy::Rotate | Policy::Shuffle => Some(1.0),
        Policy::Ordered | Policy::Nearest | Policy::Fastest => None,
    };
    let weights: Vec<f64> = nodes.iter().map(weight).collect::<Option<_>>()?;
    let total: f64 = weights.iter().sum();
    Some(weights.iter().map(|weight| weight / total).collect())
}

/// The policy's word, and whether it is what stands where none is written.
fn policy(service: &Service) -> (&'static str, bool) {
    let mut weights = service.nodes().map(|node| node.weight);
    let first = weights.next();
    let differ = weights.any(|weight| Some(weight) != first);
    let default = if differ { Policy::Weighted } else { Policy::Rotate };
    (service.policy.word(), service.policy == default)
}

/// The checks of a service: every address has the same ones.
fn checks(service: &Service) -> Vec<&Check> {
    let first = service.nodes().flat_map(|node| &node.addresses).next();
    first.into_iter().flat_map(|address| &address.targets).map(|target| &target.check).collect()
}

fn totals(loaded: &Loaded) -> String {
    let good = || {
        loaded.zones.iter().filter_map(|zone| match zone {
            Authored::Good(model) => Some(model),
            Authored::Broken(_) => None,
        })
    };
    let services = || good().flat_map(|zone| &zone.services);
    let nodes: usize = services().map(|service| service.nodes().count()).sum();
    let count =
        |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    let mut text =
        [count(good().count(), "zone"), count(services().count(), "service"), count(nodes, "node")]
            .join(", ");
    let verdict = summary(&loaded.diagnostics).unwrap_or_else(|| "all good".to_owned());
    let _ = write!(text, ": {verdict}");
    text
}

fn quoted(all: impl IntoIterator<Item = impl Display>) -> String {
    all.into_iter().map(|one| format!("\"{one}\"")).collect::<Vec<_>>().join(", ")
}

/// A name without its final dot, as people write it.
fn bare(name: &Name) -> String {
    let text = name.to_string();
    text.strip_suffix('.').filter(|stem| !stem.is_empty()).unwrap_or(".").to_owned()
}

fn address(rdata: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(rdata).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(rdata).map(IpAddr::from)).ok()
}

fn time(duration: Duration) -> String {
    humantime::format_duration(duration).to_string()
}

fn seconds(seconds: u32) -> String {
    time(Duration::from_secs(u64::from(seconds)))
}
