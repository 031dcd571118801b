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

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use tokio::sync::{mpsc, oneshot};

use crate::admin::Request;
use crate::health::{Change, IN_FLIGHT_MAX, Monitor, Place, Standing, Status, Target};
use crate::probe::{Prober, Reports};
use crate::respond::{Tally, Worker};
use crate::snapshot::{Authored, Current, Publisher, TierChange};
use crate::steer::{Board, Node, Override, Tier};

use super::explain::Witness;
use super::view::View;
use super::{Wanted, state};

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
    /// Put something else in force.
    Reload(Wanted),
    /// Tell the zones in force.
    Zones(oneshot::Sender<Vec<Authored>>),
    /// Tell how everything stands.
    View(oneshot::Sender<View>),
    /// Tell the statuses alone, for another process.
    Statuses(oneshot::Sender<HashMap<Place, Status>>),
    /// Keep nothing in the state folder any more: another process does.
    Release,
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

    fn weight(&self, node: &Node) -> u16 {
        node.weight
    }

    fn pace(&self, target: &Target) -> Option<Duration> {
        self.0.pace(target)
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

    /// Puts what is wanted in force; statuses of places that stay are kept.
    pub fn apply(&mut self, Wanted { zones, settings, atlas }: Wanted) {
        let good = zones.iter().filter_map(|authored| match authored {
            Authored::Good(model) => Some(model),
            Authored::Broken(_) => None,
        });
        let services = good.flat_map(|model| &model.services);
        let targets = services.flat_map(|service| service.targets()).map(Arc::clone);
        self.monitor.configure(targets, now(), &mut self.rng);
        // The same atlas again would have every zone compiled anew that asks it.
        if !Arc::ptr_eq(&atlas, self.publisher.atlas()) {
            self.publisher.locate(atlas);
        }
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
                self.restore(&saved);
                tracing::info!(statuses = saved.len(), "saved statuses taken over");
            }
            Err(error) => {
                let file = state::file_in(&folder);
                tracing::warn!(file = %file.display(), %error, "saved statuses cannot be read");
            }
        }
        self.keeper.folder = Some(folder);
    }

    /// Begins with these statuses, wherever nothing is known yet.
    pub fn restore(&mut self, known: &HashMap<Place, Status>) {
        self.monitor.restore(known);
        let targets: Vec<Arc<Target>> =
            self.monitor.views().map(|view| Arc::clone(view.target)).collect();
        let targets = targets.iter().map(|target| &**target);
        self.publisher.replan(targets, &Known(&self.monitor));
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
        mut requests: mpsc::Receiver<Request>,
        tallies: Vec<Arc<Tally>>,
        mut alive: impl FnMut(Instant),
    ) {
        // Answers what is to be explained, and counts nowhere.
        let mut explainer = Worker::new(self.rng.u64(..));
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
                Some(request) = requests.recv() => self.handle_request(request, &mut explainer),
                command = commands.recv() => match command {
                    Some(Command::Reload(wanted)) => self.apply(wanted),
                    Some(Command::Zones(reply)) => drop(reply.send(self.zones.clone())),
                    // Nobody waits any more where this fails.
                    Some(Command::View(reply)) => {
                        let snapshot = self.current().load();
                        let view = View::of(&self.monitor, &snapshot, &tallies, now());
                        drop(reply.send(view));
                    },
                    Some(Command::Statuses(reply)) => drop(reply.send(self.monitor.statuses())),
                    Some(Command::Release) => self.keeper.folder = None,
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

    fn handle_request(&self, request: Request, explainer: &mut Worker) {
        match request {
            // Nobody waits any more where this fails.
            Request::Explain(inquiry, reply) => {
                let snapshot = self.publisher.current().load();
                explainer.begin_batch(&snapshot, now());
                let witness = Witness::new(&self.monitor, self.publisher.atlas());
                let told = witness.explain(&inquiry, &snapshot, explainer);
                drop(reply.send(told));
            }
        }
    }
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

/// Says when a service's answers come from another row of the truth table, or from other pools.
fn log_tier(change: &TierChange) {
    let TierChange { service, family, from, to, pools } = change;
    let family = family.record_type();
    let ((from, _), (to, able)) = (from, to);
    let pools = able.iter().filter_map(|at| pools.get(at)).map(String::as_str);
    let pools = pools.collect::<Vec<_>>().join(" ");
    match to {
        Tier::Open => tracing::warn!(%service, %family, "all down: all addresses are served"),
        Tier::Closed => tracing::warn!(%service, %family, "all down: no address is served"),
        Tier::LastKnown => {
            tracing::warn!(%service, %family, "all down: the last known addresses are served");
        }
        Tier::Fallback => tracing::warn!(%service, %family, pools, "all down: a fallback serves"),
        Tier::OtherFamily => {
            tracing::warn!(%service, %family, "all down: clients are left to the other family");
        }
        Tier::Short => {
            tracing::warn!(%service, %family, pools, "every pool is below its minimum: one serves");
        }
        Tier::Draining => {
            tracing::warn!(%service, %family, "none up: draining addresses are served");
        }
        Tier::Serving if from == to => tracing::info!(%service, %family, pools, "pools serve"),
        Tier::Serving | Tier::NoAddress => {
            let message = "healthy addresses are served again";
            tracing::info!(%service, %family, ?from, pools, "{message}");
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
