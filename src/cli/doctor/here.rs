//! This machine: may the server do what its configuration says, and can it see the nodes?
//!
//! What the kernel grants is read from `/proc`; where there is none, nothing is said of it.

use std::collections::HashSet;
use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::finding::Finding;
use crate::cli::dns::{self, Over, Question};
use crate::cli::report::bare;
use crate::config::Server;
use crate::health::{IN_FLIGHT_MAX, Outcome, ProbeOrder, Target, TargetId};
use crate::probe::Prober;
use crate::snapshot::ZoneModel;
use crate::steer::Service;
use crate::wire::RecordType;
use crate::zone::rdata;

/// Descriptors beside clients, probes and sockets: log, files, timers, and what libraries keep.
const DESCRIPTORS_BESIDE: usize = 64;
/// The bit of `CAP_NET_BIND_SERVICE` among a process's capabilities.
pub(super) const CAP_NET_BIND_SERVICE: u32 = 10;
/// Those that taking an interface needs, with their bits.
const CAPS_FOR_XDP: [(&str, u32); 3] =
    [("CAP_NET_ADMIN", 12), ("CAP_NET_RAW", 13), ("CAP_BPF", 39)];
/// Where the kernel shows its interfaces.
const INTERFACES: &str = "/sys/class/net";

/// What the kernel grants a process started like this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Grants {
    /// Descriptors at most.
    pub(super) descriptors: usize,
    /// The first port that needs no privilege.
    pub(super) free_ports_from: u16,
    /// Its capabilities, a bit each.
    pub(super) capabilities: u64,
    /// The interfaces that there are.
    pub(super) interfaces: Vec<String>,
}

impl Grants {
    fn has(&self, capability: u32) -> bool {
        self.capabilities >> capability & 1 == 1
    }
}

/// What the kernel says; none where it says nothing that can be read.
pub(super) fn grants() -> Option<Grants> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    let soft = files.split_ascii_whitespace().next()?;
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let capabilities = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
    let capabilities = u64::from_str_radix(capabilities.trim(), 16).ok()?;
    let interfaces = fs::read_dir(INTERFACES).into_iter().flatten();
    let from = fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    Some(Grants {
        descriptors: soft.parse().unwrap_or(usize::MAX),
        free_ports_from: from.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(1024),
        capabilities,
        interfaces: interfaces.filter_map(|it| it.ok()?.file_name().into_string().ok()).collect(),
    })
}

/// Compares what the configuration wants with what the kernel grants; `port` is what is asked.
pub(super) fn judge(server: &Server, grants: Option<Grants>, port: u16) -> Vec<Finding> {
    let mut findings = Vec::new();
    let listen = &server.listen;
    if !listen.dns.iter().any(|address| address.port() == port) {
        let message = format!("it listens on no port {port}, which is where resolvers ask");
        let remedy =
            format!("write in rota.toml: [listen] dns = [\"0.0.0.0:{port}\", \"[::]:{port}\"]");
        findings.push(Finding::doubt("port", message, remedy));
    } else if port == DNS_PORT && listen.dns.iter().all(|address| address.ip().is_loopback()) {
        let message = "it listens on this machine's own addresses alone";
        let remedy = "write in rota.toml: [listen] dns = [\"0.0.0.0:53\", \"[::]:53\"]";
        findings.push(Finding::doubt("port", message, remedy));
    }
    let Some(grants) = grants else { return findings };
    let barred: Vec<String> = listen
        .dns
        .iter()
        .filter(|address| {
            address.port() < grants.free_ports_from && !grants.has(CAP_NET_BIND_SERVICE)
        })
        .map(SocketAddr::to_string)
        .collect();
    if !barred.is_empty() {
        let message = format!("this user may not listen on {}", barred.join(", "));
        let remedy = "start it as the system's service, or grant it: sudo setcap \
                      cap_net_bind_service=+ep $(command -v rota)";
        findings.push(Finding::bad("privilege", message, remedy));
    }
    findings.extend(judge_xdp(&listen.xdp, &grants));
    let wanted = listen.limits.connections + IN_FLIGHT_MAX + DESCRIPTORS_BESIDE;
    if grants.descriptors < wanted {
        let message = format!(
            "{} descriptors are fewer than the {wanted} that {} TCP connections and \
             {IN_FLIGHT_MAX} probes at once may need",
            grants.descriptors, listen.limits.connections
        );
        let remedy = format!("raise it (LimitNOFILE={wanted}), or lower `connections`");
        findings.push(Finding::doubt("descriptors", message, remedy));
    }
    findings
}

/// Whether interfaces can be taken below the sockets; where not, sockets answer all the same.
fn judge_xdp(names: &[String], grants: &Grants) -> Vec<Finding> {
    let mut findings = Vec::new();
    let there = |name: &&String| grants.interfaces.contains(name);
    for name in names.iter().filter(|name| !there(name)) {
        let message = format!("there is no interface {name}: sockets answer in its place");
        let remedy = "see the names with `ip link`, and mend `xdp` under [listen]";
        findings.push(Finding::doubt("xdp", message, remedy));
    }
    let lacks = CAPS_FOR_XDP.into_iter().filter(|(_, bit)| !grants.has(*bit));
    let lacks: Vec<&str> = lacks.map(|(name, _)| name).collect();
    if !names.is_empty() && !lacks.is_empty() {
        let message = format!("this user lacks {} for `xdp`: sockets answer", lacks.join(", "));
        let remedy = "start it as root with `user`, or grant them to the service: \
                      AmbientCapabilities=CAP_NET_ADMIN CAP_BPF CAP_NET_RAW";
        findings.push(Finding::doubt("xdp", message, remedy));
    }
    findings
}

/// The port of DNS.
pub(super) const DNS_PORT: u16 = 53;

/// Whether a server that runs here serves what its files say.
pub(super) async fn loaded(server: &Server, zone: &ZoneModel) -> Option<Finding> {
    let apex = &zone.records.apex;
    let soa = zone.records.get(apex, RecordType::SOA)?;
    let files = rdata::soa_serial(soa.first())?;
    let listen = crate::cli::client::reachable(*server.listen.dns.first()?);
    let question = Question::to_authority(apex, RecordType::SOA);
    let served = dns::ask(listen, &question, Over::Udp).await.ok()?.serial()?;
    Some(if served == files {
        Finding::good("loaded", format!("what runs here serves the files as they are ({files})"))
    } else {
        let message = format!("what runs here serves serial {served}, the files make {files}");
        Finding::doubt("loaded", message, "take the files in: rota reload")
    })
}

/// Probes every address once, as the server does again and again.
pub(super) async fn nodes(zone: &ZoneModel) -> Vec<Finding> {
    let mut findings = Vec::new();
    for service in &zone.services {
        findings.extend(nodes_of(service).await);
    }
    findings
}

async fn nodes_of(service: &Service) -> Vec<Finding> {
    let name = bare(&service.owner);
    let targets: HashSet<&Arc<Target>> = service.targets().collect();
    if targets.is_empty() {
        let message = format!("{name} has no check: its nodes always count as healthy");
        let remedy = "write one: check = { http = \":8080/ready\" }";
        return vec![Finding::doubt("nodes", message, remedy)];
    }
    let targets: Vec<&Arc<Target>> = targets.into_iter().collect();
    let (prober, mut reports) = Prober::new();
    let mut failed: Vec<String> = Vec::new();
    for batch in targets.chunks(IN_FLIGHT_MAX) {
        let mut id = TargetId::FIRST;
        let mut orders = Vec::new();
        for target in batch {
            let late_by = Duration::ZERO;
            prober.start(ProbeOrder { id, target: Arc::clone(target), late_by });
            orders.push((id, target));
            id = id.next();
        }
        for _ in batch {
            let Some(report) = reports.recv().await else { break };
            let why = match report.verdict.outcome {
                Outcome::Pass => continue,
                Outcome::Fail(why) | Outcome::NoVerdict(why) => why,
            };
            let target = orders.iter().find(|(id, _)| *id == report.id);
            failed.extend(target.map(|(_, target)| format!("{}: {why}", target.place())));
        }
    }
    let all = targets.len();
    if failed.is_empty() {
        return vec![Finding::good(
            "nodes",
            format!("{name}: {all} of {all} addresses pass from here"),
        )];
    }
    failed.sort();
    let why = failed.join("\n      ");
    let message = format!("{name}: {} of {all} addresses pass from here", all - failed.len());
    vec![if failed.len() == all {
        Finding::bad("nodes", message, why)
    } else {
        Finding::doubt("nodes", message, why)
    }]
}
