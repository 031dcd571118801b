//! The one task that thinks: it owns every status and every plan.
//!
//! Verdicts, reloads and questions from outside come in by the same door and are taken one at a
//! time, so nothing here is shared and nothing is locked. What it decides it puts in force through
//! the [`Publisher`]; workers see it with their next batch. `news` is what follows from what came
//! in, `reported` what others say who look at nodes, `spoken` what operators do.
//!
//! ```text
//!   prober ── report ──►┐
//!   SIGHUP ── reload ──►├─ monitor ─ change ─► publisher ─ plan ─► workers
//!   admin  ─ request ──►┤        ▲
//!   clock  ─ expiry ───►└─ orders ┘
//! ```

mod news;
mod reported;
mod spoken;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_blocking;

use crate::admin::docs::StatusDoc;
use crate::admin::metrics::Reload;
use crate::admin::{Event, Events, Request};
use crate::health::{Change, IN_FLIGHT_MAX, Monitor, Place, Status, Suspect, Vantages};
use crate::probe::{Prober, Report, Reports};
use crate::respond::{Tally, Worker};
use crate::serve::{self, Figures};
use crate::snapshot::{Authored, Current, Publisher, Snapshot};
use crate::steer::Guards;

use super::Wanted;
use super::books::Books;
use super::explain::Witness;
use super::keeper::Keeper;
use super::leaving::Leaving;
use super::orders::Orders;
use super::past::Past;
use super::scopes::services;
use super::scribe::{Scribe, Written};
use super::told;
use super::view::View;
use spoken::Spoken;

/// Between two looks at everything that is not an event.
const TICK: Duration = Duration::from_secs(1);
/// How long a stop waits for what is being written.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// A probe that should have started this long ago means that the prober is stalled.
const LATE_MAX: Duration = Duration::from_secs(5);

/// Reports that are taken together at most: what else the task is asked should not wait for more.
const REPORTS_MAX: usize = 1_000;

/// Owner of statuses and plans.
#[derive(Debug)]
pub struct Control {
    monitor: Monitor,
    vantages: Vantages,
    publisher: Publisher,
    guards: Guards,
    suspect: Option<Suspect>,
    prober: Prober,
    reports: Reports,
    rng: Rng,
    zones: Vec<Authored>,
    keeper: Keeper,
    books: Books,
    orders: Orders,
    past: Past,
    leaving: Leaving,
    /// Of those who answer.
    tallies: Vec<Arc<Tally>>,
    spoken: Spoken,
    scribe: Scribe,
    /// Given to `run`.
    written: Option<mpsc::Receiver<Written>>,
    events: Events,
    started: Instant,
}

/// What others ask of the control task.
#[derive(Debug)]
pub enum Command {
    /// Put something else in force.
    Reload(Box<Wanted>),
    /// Note what became of a configuration that was read anew.
    Reloaded(Reload),
    /// Tell the zones in force.
    Zones(oneshot::Sender<Vec<Authored>>),
    /// Tell the statuses alone, for another process.
    Statuses(oneshot::Sender<HashMap<Place, Status>>),
    /// Keep nothing in the state folder any more, and tell when that is so: another process does.
    Release(oneshot::Sender<()>),
    /// The process that was replaced keeps nothing any more: take over what it was told last.
    Reread,
}

impl Control {
    /// Owns nothing yet; `rng` jitters the probes.
    pub fn new(rng: Rng) -> Self {
        let (prober, reports) = Prober::new();
        let (scribe, written) = Scribe::new();
        Self {
            monitor: Monitor::new(IN_FLIGHT_MAX),
            vantages: Vantages::default(),
            publisher: Publisher::new(),
            guards: Guards::default(),
            suspect: None,
            prober,
            reports,
            rng,
            zones: Vec::new(),
            keeper: Keeper::default(),
            books: Books::new(),
            orders: Orders::default(),
            past: Past::default(),
            leaving: Leaving::default(),
            tallies: Vec::new(),
            spoken: Spoken::default(),
            scribe,
            written: Some(written),
            events: Events::default(),
            started: now(),
        }
    }

    /// What workers read from.
    pub fn current(&self) -> &Arc<Current> {
        self.publisher.current()
    }

    /// What happens here.
    pub fn events(&self) -> &Events {
        &self.events
    }

    /// Puts the first configuration in force, with the overrides that are kept in this folder, and
    /// with the statuses that were handed over, or else those saved there that are fresh. Keeps
    /// both there from now on.
    pub fn begin(
        &mut self,
        wanted: Wanted,
        folder: Option<PathBuf>,
        handed_over: Option<HashMap<Place, Status>>,
    ) {
        let mut statuses = HashMap::new();
        if let Some(folder) = folder {
            self.orders.keep_in(folder.clone());
            self.past.keep_in(folder.clone());
            statuses = self.keeper.keep_in(folder);
        }
        if let Some(handed_over) = handed_over {
            self.hold_changes();
            statuses.extend(handed_over);
        }
        self.put_in_force(wanted, &statuses);
    }

    /// Puts another configuration in force; statuses of places that stay are kept.
    pub fn apply(&mut self, wanted: Wanted) {
        self.put_in_force(wanted, &HashMap::new());
    }

    /// `statuses` are of places that nothing is known of yet.
    fn put_in_force(&mut self, wanted: Wanted, statuses: &HashMap<Place, Status>) {
        let Wanted { zones, settings, atlas, suspicion, hearing, metrics } = wanted;
        self.books.show(metrics);
        self.past.answer(&zones);
        let services = services(&zones);
        let targets = services.iter().flat_map(|service| service.targets()).map(Arc::clone);
        self.monitor.watch(suspicion);
        self.monitor.configure(targets, now(), &mut self.rng);
        self.monitor.restore(statuses);
        // The same atlas again would have every zone compiled anew that asks it.
        if !Arc::ptr_eq(&atlas, self.publisher.atlas()) {
            self.publisher.locate(atlas);
        }
        let turns = self.hear(hearing, &services);
        self.guards.retain(services.iter().map(|service| &**service));
        services.iter().for_each(|service| self.observe(service));
        let (publisher, known) = self.hands();
        publisher.publish(&zones, settings, &known);
        self.follow(&turns, "not heard any more");
        self.zones = zones;
        let snapshot = self.current().load();
        let (generation, zones) = (snapshot.generation(), snapshot.all().len());
        self.events.tell(Event::Published { generation, zones });
        tracing::info!(generation, zones, targets = self.monitor.views().count(), "published");
    }

    /// The first round of probes: until every target has a status, or `limit` has passed.
    ///
    /// Nobody is answered yet, so plans are made once, when it is over.
    pub async fn settle(&mut self, limit: Duration) {
        let mut changes = Vec::new();
        let end = tokio::time::sleep(limit);
        tokio::pin!(end);
        while !self.monitor.is_settled() {
            tokio::select! {
                report = self.next_report() => {
                    let news = self.take_verdicts(report);
                    self.tell_changes(&news);
                    changes.extend(news);
                }
                () = &mut end => {
                    let unknown = self.monitor.views();
                    let unknown = unknown.filter(|view| view.standing().status == Status::Unknown);
                    tracing::warn!(targets = unknown.count(), "serving before their first verdict");
                    break;
                }
            }
        }
        let tiers = self.plan_changes(&changes);
        told::tiers(&tiers, &self.events);
    }

    /// Where the figures of those who answer stand.
    pub fn read_from(&mut self, figures: Figures) {
        self.books.read_from(figures);
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
        let mut written = self.written.take().expect("a task runs once");
        let idle = self.current().load().settings().idle;
        self.past.end(now(), idle);
        self.tallies = tallies;
        // Answers what is to be explained, and counts nowhere.
        let mut explainer = Worker::new(self.rng.u64(..));
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        spread_out();
        loop {
            tokio::select! {
                report = self.next_report() => {
                    let changes = self.take_verdicts(report);
                    let tiers = self.plan_changes(&changes);
                    self.tell_changes(&changes);
                    told::tiers(&tiers, &self.events);
                }
                _ = ticks.tick() => {
                    let now = now();
                    if self.monitor.pulse(now).late_by < LATE_MAX {
                        alive(now);
                    }
                    self.publisher.sweep();
                    self.watch(now);
                    self.expire_orders();
                    self.tell_drained();
                    if self.keeps_folder() {
                        self.past.keep(now, &self.scribe);
                        if self.keeper.is_due(now) {
                            self.keeper.save(&self.monitor, now, &self.scribe);
                        }
                    }
                }
                Some(one) = written.recv() => self.handle_written(one),
                Some(request) = requests.recv() => {
                    self.handle_request(request, &mut explainer);
                }
                command = commands.recv() => match command {
                    Some(Command::Reload(wanted)) => {
                        self.apply(*wanted);
                        spread_out();
                    }
                    Some(Command::Reloaded(how)) => self.books.reload(how),
                    Some(Command::Zones(reply)) => drop(reply.send(self.zones.clone())),
                    Some(Command::Statuses(reply)) => drop(reply.send(self.monitor.statuses())),
                    Some(Command::Release(released)) => self.release(released),
                    Some(Command::Reread) => self.reread(),
                    None => break,
                },
            }
        }
        let end = tokio::time::Instant::now() + LAST_WORDS;
        self.finish_writing(&mut written, end).await;
        self.keeper.save(&self.monitor, now(), &self.scribe);
        self.finish_writing(&mut written, end).await;
    }

    /// Starts what is due, again and again, until there is a report. May be dropped while it waits.
    async fn next_report(&mut self) -> Report {
        loop {
            let started = now();
            while let Some(order) = self.monitor.poll_probe(started) {
                self.books.probe(order.late_by);
                self.prober.start(order);
            }
            let wake = self.monitor.poll_timeout();
            tokio::select! {
                Some(report) = self.reports.recv() => return report,
                () = sleep_until(wake) => {}
            }
        }
    }

    /// Takes a report and those that wait behind it, so that plans are made once for all of them:
    /// when a whole site fails, reports come faster than plans.
    fn take_verdicts(&mut self, first: Report) -> Vec<Change> {
        let (mut changes, mut next) = (Vec::new(), Some(first));
        for _ in 0..REPORTS_MAX {
            let Some(Report { id, verdict }) = next.take().or_else(|| self.reports.try_recv().ok())
            else {
                break;
            };
            self.books.verdict(&verdict);
            changes.extend(self.monitor.handle_verdict(id, verdict, now(), &mut self.rng));
        }
        changes
    }

    /// All that is to be shown, at this moment.
    pub(super) fn view<'c>(&'c self, snapshot: &'c Snapshot) -> View<'c> {
        let known = self.known(&self.guards);
        View { known, snapshot, tallies: &self.tallies, past: &self.past, now: now() }
    }

    fn handle_request(&mut self, request: Request, explainer: &mut Worker) {
        let snapshot = Arc::clone(&self.publisher.current().load());
        let view = self.view(&snapshot);
        // Where a reply cannot be sent, nobody waits for it any more.
        match request {
            Request::Metrics(reply) => {
                drop(reply.send(self.books.facts(
                    &self.monitor,
                    &self.vantages,
                    &self.guards,
                    &self.publisher,
                    now(),
                )));
            }
            Request::Status(reply) => {
                let certificates = self.books.certificates();
                let status = view.status(self.started, self.orders.notice());
                drop(reply.send(StatusDoc { certificates, ..status }));
            }
            Request::Service(id, reply) => drop(reply.send(view.service(&id))),
            Request::Node(id, reply) => drop(reply.send(view.node(&id))),
            Request::Noted(reply) => {
                let sampling = snapshot.settings().sampling.as_ref();
                let _ = reply.send(sampling.map(|sampling| sampling.every.get()));
            }
            Request::Leaving(id, reply) => drop(reply.send(view.leaving(id))),
            Request::Details(id, reply) => drop(reply.send(view.details(&id))),
            Request::Report(form, source, reply) => {
                drop(reply.send(self.take_reports(&form, &source)));
            }
            Request::Change(change, reply) => self.take_change(change, reply),
            Request::Explain(inquiry, reply) => {
                explainer.begin_batch(&snapshot, now());
                let witness = Witness::new(view.known, self.publisher.atlas(), now());
                let told = witness.explain(&inquiry, &snapshot, explainer);
                drop(reply.send(told));
            }
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

/// Puts what was laid out into large pages, beside everything else.
fn spread_out() {
    let work = || {
        let octets = serve::use_large_pages();
        tracing::debug!(octets, "in large pages");
    };
    drop(spawn_blocking(work));
}
