//! `rota.toml` as it is meant.

use super::page::Page;
use super::{quoted, time};
use crate::admin::metrics::Caps;
use crate::config::tables::{
    ADMIN, CHECKS, DNS, GUARD, LISTEN, LOG, METRICS, RELOAD, REPORTS, SECRET, SERVER,
};
use crate::config::{Doubt, Geo, Listen, Server, at};
use crate::health::{Counts, Hearing};
use crate::serve::{Limits, Pair, Proxies, Way};
use crate::snapshot::settings::{EcsFrom, Sampling};

/// Without these sockets answer, and the log says so.
const XDP_NEEDS: &str = "CAP_NET_ADMIN, CAP_BPF, CAP_NET_RAW";

impl Page {
    pub(super) fn server(&mut self, server: &Server, geo: Option<&Geo>, keys: &[Pair]) {
        let listen = &server.listen;
        self.line(0, "server");
        self.setting(1, &SERVER, "zones", server.zones.display());
        self.setting(1, &SERVER, "state", server.state.display());
        self.resolved(1, "user", server.user.as_deref().unwrap_or("none"), server.user.is_none());
        self.setting(1, &LISTEN, "dns", format_args!("[{}]", quoted(&listen.dns)));
        self.setting(1, &LISTEN, "xdp", format_args!("[{}]", quoted(&listen.xdp)));
        if !listen.xdp.is_empty() {
            self.resolved(1, "xdp needs", XDP_NEEDS, false);
        }
        self.gates(listen);
        self.setting(1, &LISTEN, "admin", listen.admin);
        let admin = &server.admin;
        let token = admin.token_file.as_ref().map(|path| path.display().to_string());
        self.resolved(1, "token_file", token.as_deref().unwrap_or("none"), token.is_none());
        self.setting(1, &ADMIN, "plain_text", admin.plain_text);
        let socket = admin.socket.as_ref().map(|path| path.display().to_string());
        let default = admin.socket.as_deref() == Some(&*server.state.join("rota.sock"));
        self.resolved(1, "socket", socket.as_deref().unwrap_or("false"), default);
        self.setting(1, &LISTEN, "workers", listen.workers);
        self.limits(&listen.limits);
        self.setting(1, &LISTEN, "lame_duck", time(listen.lame_duck));
        self.certificates(server, keys);
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
        self.setting(1, &RELOAD, "watch", server.watch);
        let Doubt { control, freeze } = &server.guard;
        self.setting(1, &GUARD, "control", format_args!("[{}]", quoted(control)));
        self.setting(1, &GUARD, "freeze", time(*freeze));
        let exec = server.checks.exec.as_ref().map(|path| path.display().to_string());
        self.resolved(1, "exec", exec.as_deref().unwrap_or("none"), exec.is_none());
        self.setting(1, &CHECKS, "exec_as_root", server.checks.exec_as_root);
        let states = &server.checks.states;
        self.resolved(1, "states", &states.display().to_string(), *states == server.zones);
        let Hearing { names, counts: Counts { fails, passes, lasts } } = &server.reports;
        let from = if names.is_empty() { "anybody".to_owned() } else { names.join(", ") };
        self.resolved(1, "reports from", &from, names.is_empty());
        self.named_setting(1, "reports that fail", &REPORTS, "fails", fails);
        self.named_setting(1, "reports that pass", &REPORTS, "passes", passes);
        self.named_setting(1, "reports last", &REPORTS, "lasts", time(*lasts));
        let files = server.geo.iter().map(|path| path.display());
        self.resolved(1, "geo files", &format!("[{}]", quoted(files)), server.geo.is_empty());
        let facts = geo.map_or(&[][..], |geo| geo.atlas.facts());
        if !facts.is_empty() {
            self.listed(1, "geo knows", facts);
        }
        let caps = server.metrics;
        self.named_setting(1, "metrics", &METRICS, "enabled", caps.is_some());
        if let Some(Caps { zones, services, nodes }) = caps {
            for (name, cap) in [("zones", zones), ("services", services), ("nodes", nodes)] {
                self.named_setting(1, &format!("metrics of {name}"), &METRICS, name, cap);
            }
        }
        let sampling = server.sampling.as_ref();
        let part = sampling.map_or_else(|| "false".to_owned(), |it| format!("1/{}", it.every));
        self.named_setting(1, "answers logged", &LOG, "answers", part);
        if let Some(Sampling { bits: [v4, v6], file, .. }) = sampling {
            let file = file.as_ref().map(|file| file.display().to_string());
            self.resolved(1, "answers_file", file.as_deref().unwrap_or("none"), file.is_none());
            self.setting(1, &LOG, "ipv4_bits", v4);
            self.setting(1, &LOG, "ipv6_bits", v6);
        }
        self.blank();
    }

    /// Where queries come in beside UDP and TCP.
    fn gates(&mut self, listen: &Listen) {
        for way in Way::ALL.into_iter().filter(|way| *way != Way::Dns) {
            let gates = listen.gates.iter().filter(|gate| gate.way == way);
            let addresses = quoted(gates.map(|gate| gate.address));
            self.setting(1, &LISTEN, way.word(), format_args!("[{addresses}]"));
        }
        self.setting(1, &LISTEN, "doh_path", format_args!("\"{}\"", listen.path));
        let Proxies { protocol, forwarded } = &listen.proxies;
        self.setting(1, &LISTEN, "proxy_protocol", format_args!("[{}]", quoted(protocol)));
        self.setting(1, &LISTEN, "forwarded", format_args!("[{}]", quoted(forwarded)));
    }

    fn limits(&mut self, limits: &Limits) {
        self.setting(1, &LISTEN, "connections", limits.connections);
        self.setting(1, &LISTEN, "connections_per_client", limits.connections_per_client);
        self.setting(1, &LISTEN, "idle_time", time(limits.idle));
        self.setting(1, &LISTEN, "handshake_time", time(limits.handshake));
        self.setting(1, &LISTEN, "request_time", time(limits.request));
        self.setting(1, &LISTEN, "requests_in_flight", limits.in_flight);
        self.setting(1, &LISTEN, "read_rate", limits.rate);
    }

    fn certificates(&mut self, server: &Server, keys: &[Pair]) {
        for pair in keys {
            let text = format!("{}, good until {}", pair.name, at(pair.not_after));
            self.resolved(1, "certificate", &text, false);
        }
        let name = "certificates are warned of";
        self.named_setting(1, name, &SECRET, "warn_before", time(server.tls.warn_before));
    }
}
