//! The one task that thinks: it owns every status and every plan.
//!
//! Verdicts, reloads and questions from outside come in by the same door and are taken one at a
//! time, so nothing here is shared and nothing is locked. What it decides it puts in force through
//! the [`Publisher`]; workers see it with their next batch.
//!
//! ```text
//!   prober ── report ──►┐
//!   SIGHUP ── reload ──►├─ monitor ─ change ─► publisher ─ plan ─► workers
//!   board  ── view ────►┘
//! ```

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use tokio::sync::{mpsc, oneshot};

use crate::health::{Change, IN_FLIGHT_MAX, Monitor, Standing, Status, Target, Verdict};
use crate::probe::{Prober, Reports};
use crate::respond::Tally;
use crate::snapshot::{Authored, Current, Publisher, Settings, TierChange};
use crate::steer::{Board, Node, Override, Policy, Pool, Tier};

use super::state;

/// Between two looks at everything that is not an event.
const TICK: Duration = Duration::from_secs(1);
/// Statuses are saved this often even if none has changed, so that they are fresh after a crash.
const SAVE_EVERY: Duration = Duration::from_secs(20);
/// A probe that should have started this long ago means that the prober is stalled.
const LATE_MAX: Duration = Duration::from_secs(5);

/// Owner of statuses and plans.
#[derive(Debug)]
pub struct Control {
    monitor: Monitor,
    publisher: Publisher,
    prober: Prober,
    reports: Reports,
    rng: Rng,
    zones: Vec<Authored>,
    keeper: Keeper,
}

/// What others ask of the control task.
#[derive(Debug)]
pub enum Command {
    /// Put other zones and settings in force.
    Reload(Vec<Authored>, Settings),
    /// Tell the zones in force.
    Zones(oneshot::Sender<Vec<Authored>>),
    /// Tell how everything stands.
    View(oneshot::Sender<View>),
}

/// How everything stands at one moment.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// All services of all zones.
    pub services: Vec<ServiceView>,
}

/// One service.
#[derive(Clone, Debug)]
pub struct ServiceView {
    /// `zone/service`.
    pub id: String,
    /// The name that clients ask for, with the final dot.
    pub owner: String,
    /// Seconds, as answered now.
    pub ttl: u32,
    /// How its addresses are picked.
    pub policy: Policy,
    /// Every address of every node, in the order written.
    pub addresses: Vec<AddressView>,
}

/// One address of a node.
#[derive(Clone, Debug)]
pub struct AddressView {
    /// The node's name; in a pool with a name `pool/node`.
    pub node: String,
    /// The address.
    pub ip: IpAddr,
    /// The node's weight.
    pub weight: u16,
    /// What its checks say together; none where it has none.
    pub standing: Option<Standing>,
    /// How long it has had this status; none where that is not known.
    pub since: Option<Duration>,
    /// What the latest probe said, how long it took and what it warns of.
    pub last: Option<Verdict>,
    /// Where workers count the answers that it was first in.
    pub firsts: u64,
}

/// The monitor as plans see it.
struct Known<'m>(&'m Monitor);

impl Board for Known<'_> {
    fn standing(&self, target: &Target) -> Standing {
        self.0.standing(target)
    }

    fn forced(&self, _: &str) -> Option<Override> {
        None
    }
}

impl Control {
    /// Owns nothing yet; `rng` jitters the probes.
    pub fn new(rng: Rng) -> Self {
        let (prober, reports) = Prober::new();
        Self {
            monitor: Monitor::new(IN_FLIGHT_MAX),
            publisher: Publisher::new(),
            prober,
            reports,
            rng,
            zones: Vec::new(),
            keeper: Keeper::default(),
        }
    }

    /// What workers read from.
    pub fn current(&self) -> &Arc<Current> {
        self.publisher.current()
    }

    /// Puts zones and settings in force; statuses of places that stay are kept.
    pub fn apply(&mut self, zones: Vec<Authored>, settings: Settings) {
        let good = zones.iter().filter_map(|authored| match authored {
            Authored::Good(model) => Some(model),
            Authored::Broken(_) => None,
        });
        let services = good.flat_map(|model| &model.services);
        let targets = services.flat_map(|service| service.targets()).map(Arc::clone);
        self.monitor.configure(targets, now(), &mut self.rng);
        self.publisher.publish(&zones, settings, &Known(&self.monitor));
        self.zones = zones;
        let snapshot = self.current().load();
        tracing::info!(
            generation = snapshot.generation(),
            zones = snapshot.all().len(),
            targets = self.monitor.views().count(),
            "published"
        );
    }

    /// Keeps statuses in this folder from now on, and takes over those that are there and fresh.
    pub fn keep_in(&mut self, folder: PathBuf) {
        match state::load(&folder) {
            Ok(saved) if saved.is_empty() => {}
            Ok(saved) => {
                self.monitor.restore(&saved);
                let targets: Vec<Arc<Target>> =
                    self.monitor.views().map(|view| Arc::clone(view.target)).collect();
                let targets = targets.iter().map(|target| &**target);
                self.publisher.replan(targets, &Known(&self.monitor));
                tracing::info!(statuses = saved.len(), "saved statuses taken over");
            }
            Err(error) => {
                let file = state::file_in(&folder);
                tracing::warn!(file = %file.display(), %error, "saved statuses cannot be read");
            }
        }
        self.keeper.folder = Some(folder);
    }

    /// The first round of probes: until every target has a status, or `limit` has passed.
    pub async fn settle(&mut self, limit: Duration) {
        let end = tokio::time::Instant::now() + limit;
        while !self.monitor.is_settled() {
            tokio::select! {
                () = self.step() => {}
                () = tokio::time::sleep_until(end) => {
                    let unknown = self.monitor.views();
                    let unknown = unknown.filter(|view| view.standing().status == Status::Unknown);
                    tracing::warn!(targets = unknown.count(), "serving before their first verdict");
                    return;
                }
            }
        }
    }

    /// Works until all senders of commands are gone. `alive` is called about once a second as long
    /// as probes are on time.
    pub async fn run(
        mut self,
        mut commands: mpsc::Receiver<Command>,
        tallies: Vec<Arc<Tally>>,
        mut alive: impl FnMut(Instant),
    ) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.step() => {}
                _ = ticks.tick() => {
                    let now = now();
                    if self.monitor.pulse(now).late_by < LATE_MAX {
                        alive(now);
                    }
                    self.publisher.sweep();
                    if self.keeper.is_due(now) {
                        self.keeper.save(&self.monitor, now).await;
                    }
                }
                command = commands.recv() => match command {
                    Some(Command::Reload(zones, settings)) => self.apply(zones, settings),
                    Some(Command::Zones(reply)) => drop(reply.send(self.zones.clone())),
                    // Nobody waits any more where this fails.
                    Some(Command::View(reply)) => drop(reply.send(self.view(&tallies))),
                    None => return self.keeper.save(&self.monitor, now()).await,
                },
            }
        }
    }

    /// Starts what is due, then waits for one report or for the next time that something is due.
    /// May be dropped while it waits.
    async fn step(&mut self) {
        let started = now();
        while let Some(order) = self.monitor.poll_probe(started) {
            self.prober.start(order);
        }
        let wake = self.monitor.poll_timeout();
        tokio::select! {
            Some(report) = self.reports.recv() => {
                let change =
                    self.monitor.handle_verdict(report.id, report.verdict, now(), &mut self.rng);
                if let Some(change) = change {
                    self.handle_change(&change);
                }
            }
            () = sleep_until(wake) => {}
        }
    }

    fn handle_change(&mut self, change: &Change) {
        if let Some(warning) = change.warning {
            tracing::warn!(target = %change.target.place(), %warning, "probe warns");
        }
        if !change.is_restanding() {
            return;
        }
        let tiers = self.publisher.replan([&*change.target], &Known(&self.monitor));
        if change.is_transition() {
            self.keeper.changed = true;
            let reason = change.reason.as_ref().map(tracing::field::display);
            let (from, to) = (change.from.status, change.to.status);
            tracing::info!(target = %change.target.place(), %from, %to, reason, "status changed");
        }
        tiers.iter().for_each(log_tier);
    }

    fn view(&self, tallies: &[Arc<Tally>]) -> View {
        let now = now();
        let snapshot = self.current().load();
        let mut services = Vec::new();
        for entry in snapshot.zones().flat_map(|(_, zone)| zone.services()) {
            let service = &entry.service;
            let mut slots = entry.addresses.iter();
            let mut addresses = Vec::new();
            for (pool, node) in service.pools.iter().flat_map(in_pool) {
                for address in &node.addresses {
                    let views: Vec<_> =
                        address.targets.iter().filter_map(|t| self.monitor.view(t)).collect();
                    let last = views.iter().filter_map(|view| view.last()).max_by_key(|s| s.at);
                    let since = views.iter().filter_map(|view| view.since()).max();
                    let firsts = slots
                        .next()
                        .map_or(0, |&slot| tallies.iter().map(|tally| tally.first(slot)).sum());
                    addresses.push(AddressView {
                        node: match pool {
                            "" => node.name.clone(),
                            pool => format!("{pool}/{}", node.name),
                        },
                        ip: address.ip,
                        weight: node.weight,
                        standing: crate::steer::eligible::combine(
                            views.iter().map(|view| view.standing()),
                        ),
                        since: since.map(|since| now.saturating_duration_since(since)),
                        last: last.map(|seen| seen.verdict.clone()),
                        firsts,
                    });
                }
            }
            services.push(ServiceView {
                id: service.id.clone(),
                owner: service.owner.to_string(),
                ttl: entry.plan().ttl,
                policy: service.policy,
                addresses,
            });
        }
        View { services }
    }
}

/// A pool's nodes, each with the pool's name.
fn in_pool(pool: &Pool) -> impl Iterator<Item = (&str, &Node)> {
    pool.nodes.iter().map(|node| (pool.name.as_str(), node))
}

/// Saves statuses when it is time to.
#[derive(Debug, Default)]
struct Keeper {
    /// None where nothing is kept.
    folder: Option<PathBuf>,
    saved: Option<Instant>,
    changed: bool,
    failed: bool,
}

impl Keeper {
    fn is_due(&self, now: Instant) -> bool {
        let stale = self.saved.is_none_or(|saved| now.duration_since(saved) >= SAVE_EVERY);
        self.folder.is_some() && (self.changed || stale)
    }

    async fn save(&mut self, monitor: &Monitor, now: Instant) {
        let Some(folder) = self.folder.clone() else { return };
        self.changed = false;
        self.saved = Some(now);
        let file = state::file_in(&folder);
        let statuses = monitor.statuses();
        let saved = tokio::task::spawn_blocking(move || state::save(&folder, &statuses)).await;
        let error = match saved {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(error) => Some(error.to_string()),
        };
        // Said once, until it works again: a full disk would fill the log too.
        if let (Some(error), false) = (&error, self.failed) {
            tracing::warn!(file = %file.display(), %error, "statuses cannot be saved");
        }
        self.failed = error.is_some();
    }
}

/// Says when a service's answers come from another row of the truth table.
fn log_tier(change: &TierChange) {
    let TierChange { service, family, from, to } = change;
    let family = family.record_type();
    match to {
        Tier::Open => tracing::warn!(%service, %family, "all down: all addresses are served"),
        Tier::Closed => tracing::warn!(%service, %family, "all down: no address is served"),
        Tier::OtherFamily => {
            tracing::warn!(%service, %family, "all down: clients are left to the other family");
        }
        Tier::Short { pool } => {
            tracing::warn!(%service, %family, pool, "every pool is below its minimum: one serves");
        }
        Tier::Draining { .. } => {
            tracing::warn!(%service, %family, "none up: draining addresses are served");
        }
        Tier::Serving { .. } | Tier::NoAddress => {
            tracing::info!(%service, %family, ?from, "healthy addresses are served again");
        }
    }
}

/// Never, where there is no time to wait for.
async fn sleep_until(when: Option<Instant>) {
    match when {
        Some(when) => tokio::time::sleep_until(when.into()).await,
        None => std::future::pending().await,
    }
}

/// The time, asked once for each event.
#[expect(clippy::disallowed_methods, reason = "the control task is where time enters")]
fn now() -> Instant {
    Instant::now()
}
