//! The answer log: takes what workers have noted, gives it the names of the configuration, and
//! writes it down.
//!
//! Workers drop what they note into trays of fixed size and go on; here the trays are emptied a few
//! times a second. So a slow disk costs samples, which are counted, and never an answer. The file
//! is opened for each handful, so it may be moved away at any time, and begins anew.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::{broadcast, watch};
use tokio::time::MissedTickBehavior;

use crate::admin::docs::AnswerDoc;
use crate::respond::Tally;
use crate::respond::sample::Sample;
use crate::snapshot::{AddressSlot, Current, PoolSlot, Snapshot};
use crate::steer::Service;
use crate::wire::Name;

/// Between two looks into the trays.
const EVERY: Duration = Duration::from_millis(100);
/// Answers that a slow listener may be behind.
pub(super) const BEHIND_MAX: usize = 256;

/// Empties the trays.
#[derive(Debug)]
pub(super) struct AnswerLog {
    tallies: Vec<Arc<Tally>>,
    current: Arc<Current>,
    names: Names,
    live: broadcast::Sender<Arc<AnswerDoc>>,
    failed: bool,
}

impl AnswerLog {
    /// Of these workers; whoever listens is told live.
    pub(super) fn new(
        tallies: Vec<Arc<Tally>>,
        current: Arc<Current>,
        live: broadcast::Sender<Arc<AnswerDoc>>,
    ) -> Self {
        Self { tallies, current, names: Names::default(), live, failed: false }
    }

    /// Works until the other end of `stop` is dropped, and writes down what is left then.
    pub(super) async fn run(mut self, mut stop: watch::Receiver<()>) {
        let mut looks = tokio::time::interval(EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = looks.tick() => self.look().await,
                changed = stop.changed() => if changed.is_err() {
                    return self.look().await;
                }
            }
        }
    }

    async fn look(&mut self) {
        let mut samples = Vec::new();
        self.tallies.iter().for_each(|tally| tally.samples().take(|sample| samples.push(sample)));
        if samples.is_empty() {
            return;
        }
        let snapshot = Arc::clone(&self.current.load());
        self.names.learn(&snapshot);
        samples.sort_by_key(|sample| sample.at);
        let (now, unix_now) = times();
        let doc = |sample: &Sample| {
            let ago = now.saturating_duration_since(sample.at);
            self.names.tell(sample, unix_now.saturating_sub(ago))
        };
        let docs: Vec<Arc<AnswerDoc>> =
            samples.iter().map(|sample| Arc::new(doc(sample))).collect();
        let file = snapshot.settings().sampling.as_ref().and_then(|it| it.file.clone());
        match file {
            Some(file) => self.write(file, &docs).await,
            None => docs.iter().for_each(|doc| log(doc)),
        }
        for doc in docs {
            // Fails where nobody listens.
            drop(self.live.send(doc));
        }
    }

    async fn write(&mut self, file: Arc<Path>, docs: &[Arc<AnswerDoc>]) {
        let mut lines = String::new();
        for doc in docs {
            let line = serde_json::to_string(&**doc).expect("plain values are always JSON");
            writeln!(lines, "{line}").expect("a string takes all text");
        }
        let path = Arc::clone(&file);
        let written = tokio::task::spawn_blocking(move || append(&path, &lines)).await;
        let error = match written {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(error) => Some(error.to_string()),
        };
        // Said once, until it works again.
        if let (Some(error), false) = (&error, self.failed) {
            tracing::warn!(file = %file.display(), %error, "answers cannot be written down");
        }
        self.failed = error.is_some();
    }
}

fn append(path: &Path, lines: &str) -> io::Result<()> {
    OpenOptions::new().append(true).create(true).open(path)?.write_all(lines.as_bytes())
}

fn log(doc: &AnswerDoc) {
    let AnswerDoc { client, transport, rcode, outcome, octets, .. } = doc;
    let shown = |text: &Option<String>| text.clone().map(tracing::field::display);
    let nodes = Some(doc.nodes.join(" ")).filter(|nodes| !nodes.is_empty());
    tracing::info!(
        target: "rota::answers",
        %client,
        subnet = shown(&doc.subnet),
        %transport,
        name = shown(&doc.name),
        rtype = shown(&doc.rtype),
        service = shown(&doc.service),
        pool = shown(&doc.pool),
        nodes = shown(&nodes),
        ttl = doc.ttl,
        %rcode,
        %outcome,
        octets,
        "answer"
    );
}

/// What slots are called. A slot has one meaning for good, so what a configuration has no more can
/// still be told.
#[derive(Debug, Default)]
struct Names {
    generation: Option<u64>,
    services: HashMap<PoolSlot, Arc<Service>>,
    /// By slot of an address: its pool and node, by their places in the service.
    addresses: HashMap<AddressSlot, (Arc<Service>, usize, usize)>,
}

impl Names {
    fn learn(&mut self, snapshot: &Snapshot) {
        if self.generation == Some(snapshot.generation()) {
            return;
        }
        self.generation = Some(snapshot.generation());
        for entry in snapshot.zones().flat_map(|(_, zone)| zone.services()) {
            for &slot in &entry.pools {
                self.services.insert(slot, Arc::clone(&entry.service));
            }
            let mut own = entry.nodes.iter();
            for (pool_at, pool) in entry.service.pools.iter().enumerate() {
                for (node_at, own) in own.by_ref().take(pool.nodes.len()).enumerate() {
                    for &slot in &entry.addresses[own.clone()] {
                        let place = (Arc::clone(&entry.service), pool_at, node_at);
                        self.addresses.insert(slot, place);
                    }
                }
            }
        }
    }

    fn tell(&self, sample: &Sample, since_1970: Duration) -> AnswerDoc {
        let named = sample.named().iter().filter_map(|slot| self.addresses.get(slot));
        let mut nodes: Vec<String> = Vec::new();
        for (service, pool, node) in named.clone() {
            let name = &service.pools[*pool].nodes[*node].name;
            // The addresses of one node stand together where an answer has several.
            if nodes.last() != Some(name) {
                nodes.push(name.clone());
            }
        }
        let first = named.clone().next();
        let name = Name::from_wire(sample.qname()).ok();
        AnswerDoc {
            unix_ms: u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX),
            client: sample.client.to_string(),
            subnet: sample.subnet.map(|subnet| subnet.to_string()),
            transport: sample.transport.word().to_owned(),
            name: name.map(|name| name.to_string()),
            rtype: sample.qtype.map(|rtype| rtype.to_string()),
            service: sample.service.and_then(|it| Some(self.services.get(&it)?.id.clone())),
            pool: first.map(|(service, pool, _)| service.pools[*pool].name.clone()),
            nodes,
            addresses: sample.named_count,
            ttl: (sample.named_count > 0).then_some(sample.ttl),
            rcode: sample.outcome.rcode().word().to_owned(),
            outcome: sample.outcome.word().to_owned(),
            truncated: sample.truncated,
            octets: sample.len,
        }
    }
}

/// The same moment by both clocks.
#[expect(clippy::disallowed_methods, reason = "what is written down has the time of day")]
fn times() -> (Instant, Duration) {
    (Instant::now(), SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}
