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

use crate::admin::Request;
use crate::health::{Change, IN_FLIGHT_MAX, Monitor, Share, Standing, Status, Suspect, Target};
use crate::probe::{Prober, Reports};
use crate::respond::{Tally, Worker};
use crate::snapshot::{Authored, Current, Publisher};
use crate::steer::{Board, Guards, Node, Override, Service};

use super::events::{log_suspect, log_tier};
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
    guards: Guards,
    suspect: Option<Suspect>,
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
    Reload(Box<Wanted>),
    /// Tell the zones in force.
    Zones(oneshot::Sender<Vec<Authored>>),
    /// Tell how everything stands.
    View(oneshot::Sender<View>),
}

/// The monitor and the guards, as plans see them.
struct Known<'m>(&'m Monitor, &'m Guards);

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

    fn holds(&self, node: &Node, ip: IpAddr) -> bool {
        self.1.holds(node, ip)
    }

    fn part(&self, node: &Node) -> Share {
        self.1.part(node)
    }
}

impl Control {
    /// Owns nothing yet; `rng` jitters the probes.
    pub fn new(rng: Rng) -> Self {
        let (prober, reports) = Prober::new();
        Self {
            monitor: Monitor::new(IN_FLIGHT_MAX),
            publisher: Publisher::new(),
            guards: Guards::default(),
            suspect: None,
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
    pub fn apply(&mut self, wanted: Wanted) {
        let Wanted { zones, settings, atlas, suspicion } = wanted;
        let services = services(&zones);
        let targets = services.iter().flat_map(|service| service.targets()).map(Arc::clone);
        self.monitor.watch(suspicion);
        self.monitor.configure(targets, now(), &mut self.rng);
        // The same atlas again would have every zone compiled anew that asks it.
        if !Arc::ptr_eq(&atlas, self.publisher.atlas()) {
            self.publisher.locate(atlas);
        }
        self.guards.retain(services.iter().map(|service| &**service));
        services.iter().for_each(|service| self.observe(service));
        self.publisher.publish(&zones, settings, &Known(&self.monitor, &self.guards));
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
                services(&self.zones).iter().for_each(|service| self.observe(service));
                let targets: Vec<Arc<Target>> =
                    self.monitor.views().map(|view| Arc::clone(view.target)).collect();
                let targets = targets.iter().map(|target| &**target);
                self.publisher.replan(targets, &Known(&self.monitor, &self.guards));
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
                    self.watch(now);
                    if self.keeper.is_due(now) {
                        self.keeper.save(&self.monitor, now).await;
                    }
                }
                Some(request) = requests.recv() => self.handle_request(request, &mut explainer),
                command = commands.recv() => match command {
                    Some(Command::Reload(wanted)) => self.apply(*wanted),
                    Some(Command::Zones(reply)) => drop(reply.send(self.zones.clone())),
                    // Nobody waits any more where this fails.
                    Some(Command::View(reply)) => {
                        let snapshot = self.current().load();
                        let view = View::of(&self.monitor, &snapshot, &tallies, now());
                        drop(reply.send(view));
                    },
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
        for service in self.publisher.services_on(&change.target) {
            self.observe(&service);
        }
        let known = Known(&self.monitor, &self.guards);
        let tiers = self.publisher.replan([&*change.target], &known);
        if change.is_transition() {
            self.keeper.changed = true;
            let reason = change.reason.as_ref().map(tracing::field::display);
            let (from, to) = (change.from.status, change.to.status);
            let hold = change.hold.as_ref().map(tracing::field::display);
            let target = change.target.place();
            tracing::info!(%target, %from, %to, reason, hold, "status changed");
        }
        tiers.iter().for_each(log_tier);
    }

    /// Lets the guards of a service see how its nodes stand.
    fn observe(&mut self, service: &Service) {
        let unguarded = Guards::default();
        let news = self.guards.observe(service, &Known(&self.monitor, &unguarded), now());
        for news in news {
            tracing::warn!(service = service.id, "{news}");
        }
    }

    /// Goes on with what guards do by the time alone.
    fn watch(&mut self, now: Instant) {
        let suspect = self.monitor.suspect();
        if suspect != self.suspect {
            log_suspect(suspect, now);
            self.suspect = suspect;
        }
        let due = self.guards.poll_due(now);
        if due.is_empty() {
            return;
        }
        let snapshot = Arc::clone(&self.current().load());
        let services = snapshot.zones().flat_map(|(_, zone)| zone.services());
        let is_due = |service: &Service| due.contains(&service.id);
        services.filter(|it| is_due(&it.service)).for_each(|it| self.observe(&it.service));
        let known = Known(&self.monitor, &self.guards);
        self.publisher.replan_services(is_due, &known).iter().for_each(log_tier);
    }

    fn handle_request(&self, request: Request, explainer: &mut Worker) {
        match request {
            // Nobody waits any more where this fails.
            Request::Explain(inquiry, reply) => {
                let snapshot = self.publisher.current().load();
                explainer.begin_batch(&snapshot, now());
                let witness =
                    Witness::new(&self.monitor, &self.guards, self.publisher.atlas(), now());
                let told = witness.explain(&inquiry, &snapshot, explainer);
                drop(reply.send(told));
            }
        }
    }
}

/// Every service of the zones that are sound.
fn services(zones: &[Authored]) -> Vec<Arc<Service>> {
    let good = zones.iter().filter_map(|authored| match authored {
        Authored::Good(model) => Some(model),
        Authored::Broken(_) => None,
    });
    good.flat_map(|model| &model.services).map(Arc::clone).collect()
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
