//! What the control task counts and hands out for `/metrics`.
//!
//! It keeps the ledger, and knows where the figures of others stand. Gathering them is cheap: what
//! is long (zones, services, nodes) goes out as the snapshot, and is added up elsewhere.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::admin::docs::CertificateDoc;
use crate::admin::metrics::{Caps, Connections, Facts, Ledger, Reload, Requests, Traffic, Vantage};
use crate::health::vantage::Voice;
use crate::health::{Monitor, Status, Vantages, Verdict, Warning};
use crate::respond::Transport;
use crate::serve::{Counters, Figures, Pair};
use crate::snapshot::Publisher;
use crate::steer::Guards;

use super::state::unix_now;

/// The control task's part in `/metrics`.
#[derive(Debug)]
pub(super) struct Books {
    ledger: Ledger,
    started: u64,
    /// None where `/metrics` is switched off.
    caps: Option<Caps>,
    /// None before queries are answered.
    workers: Option<Figures>,
}

impl Books {
    /// Of a process that starts now.
    pub(super) fn new() -> Self {
        let started = unix_now();
        Self { ledger: Ledger::new(started), started, caps: None, workers: None }
    }

    /// How much is shown from now on; none to show nothing.
    pub(super) fn show(&mut self, caps: Option<Caps>) {
        self.caps = caps;
    }

    /// Where the workers count.
    pub(super) fn read_from(&mut self, figures: Figures) {
        self.workers = Some(figures);
    }

    /// A probe has started so much after its time.
    pub(super) fn probe(&mut self, late_by: Duration) {
        self.ledger.probe(late_by);
    }

    /// A probe has ended.
    pub(super) fn verdict(&mut self, verdict: &Verdict) {
        self.ledger.verdict(verdict);
    }

    /// A target's status has turned.
    pub(super) fn transition(&mut self, to: Status) {
        self.ledger.transition(to);
    }

    /// A configuration was read anew.
    pub(super) fn reload(&mut self, reload: Reload) {
        self.ledger.reload(reload, unix_now());
    }

    /// The certificates in force.
    pub(super) fn certificates(&self) -> Vec<CertificateDoc> {
        let now = unix_now();
        let doc = |pair: &Pair| CertificateDoc {
            file: pair.name.clone(),
            ends: pair.not_after,
            near: pair.warn_from <= now,
        };
        let keyring = self.workers.iter().map(|Figures { keyring, .. }| keyring.pairs());
        keyring.flat_map(|pairs| pairs.iter().map(doc).collect::<Vec<_>>()).collect()
    }

    /// What a page is made of; none where it is switched off.
    pub(super) fn facts(
        &self,
        monitor: &Monitor,
        vantages: &Vantages,
        guards: &Guards,
        publisher: &Publisher,
        now: Instant,
    ) -> Option<Box<Facts>> {
        let caps = self.caps?;
        let (tallies, transports, own_certificates) = match &self.workers {
            Some(Figures { tallies, counters, keyring }) => {
                let ends = |pair: &Pair| (pair.name.clone(), pair.not_after);
                let ends = keyring.pairs().iter().map(ends).collect();
                (tallies.clone(), transports(counters), ends)
            }
            None => Default::default(),
        };
        let mut statuses: HashMap<Status, usize> = HashMap::new();
        let (mut certificates, mut held) = (Vec::new(), 0);
        for view in monitor.views() {
            *statuses.entry(view.standing().status).or_default() += 1;
            held += usize::from(view.hold(now).is_some());
            if let Some(Warning::CertificateEnds(end)) = view.warning() {
                certificates.push((view.target.place().to_string(), end));
            }
        }
        certificates.sort();
        certificates.dedup_by(|one, before| one.0 == before.0);
        let all = [Status::Up, Status::Down, Status::Draining, Status::Unknown];
        Some(Box::new(Facts {
            snapshot: Arc::clone(&publisher.current().load()),
            tallies,
            transports,
            ledger: self.ledger.clone(),
            plans: publisher.replanned(),
            targets: all.map(|it| (it, statuses.get(&it).copied().unwrap_or(0))).into(),
            held,
            guarded: guards.acting(),
            suspect: monitor.suspect().is_some(),
            vantages: vantages.voices().map(|voice| vantage(voice, now)).collect(),
            certificates,
            own_certificates,
            pulse: monitor.pulse(now),
            started: self.started,
            process: None,
            caps,
        }))
    }
}

/// One vantage as a page has it.
fn vantage((name, voice, addresses): (&str, &Voice, [usize; 3]), now: Instant) -> Vantage {
    let Voice { heard, passed, failed } = voice;
    let silent = now.saturating_duration_since(*heard).as_secs();
    let heard = unix_now().saturating_sub(silent);
    Vantage { name: name.to_owned(), said: [*passed, *failed], addresses, heard }
}

/// What is served by a transport that is in use.
fn transports(counters: &Counters) -> Vec<Traffic> {
    let used = Transport::ALL.into_iter().filter(|transport| counters.is_in_use(*transport));
    used.map(|transport| traffic(counters, transport)).collect()
}

fn traffic(counters: &Counters, transport: Transport) -> Traffic {
    let (totals, times) = (counters.of(transport), counters.times(transport));
    let connections = Connections {
        accepted: totals.accepted,
        closed: totals.closed,
        evicted: totals.evicted,
        refused_client: totals.refused_client + totals.refused_behind,
        refused_all: totals.refused_house,
        cut_handshake: totals.cut_handshake,
        cut_idle: totals.cut_idle,
        cut_request: totals.cut_request,
        cut_reader: totals.cut_reader,
        failed_handshakes: totals.failed_handshakes,
    };
    let requests = Requests { opened: totals.opened, over: totals.over, filled: totals.filled };
    let has_streams = matches!(transport, Transport::Https | Transport::Quic);
    Traffic {
        transport,
        times: times.buckets().collect(),
        time_sum: times.sum,
        send_errors: totals.send_errors,
        frames_lost: transport.is_datagram().then_some([totals.ring_full, totals.ring_invalid]),
        receive_errors: totals.receive_errors,
        connections: (!transport.is_datagram()).then_some(connections),
        refused_requests: (transport == Transport::Https).then_some(totals.refused_requests),
        requests: has_streams.then_some(requests),
    }
}
