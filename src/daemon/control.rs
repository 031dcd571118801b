//! The one task that thinks: it owns every status and every plan.
//!
//! Verdicts, reloads and questions from outside come in by the same door and are taken one at a
//! time, so nothing here is shared and nothing is locked. What it decides it puts in force through
//! the [`Publisher`]; workers see it with their next batch.
//!
//! ```text
//!   prober ── report ──►┐
//!   SIGHUP ── reload ──►├─ monitor ─ change ─► publisher ─ plan ─► workers
//!   admin  ─ request ──►┤        ▲
//!   clock  ─ expiry ───►└─ orders ┘
//! ```

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use tokio::sync::{mpsc, oneshot};

use crate::admin::docs::ChangedDoc;
use crate::admin::events::OverrideChange;
use crate::admin::metrics::Reload;
use crate::admin::{self, Event, Events, Request};
use crate::health::{Change, IN_FLIGHT_MAX, Monitor, Place, Status, Suspect, Target};
use crate::probe::{Prober, Reports};
use crate::respond::{Tally, Worker};
use crate::serve::Figures;
use crate::snapshot::{Authored, Current, Publisher};
use crate::steer::overrides::Scope;
use crate::steer::{Guards, Service};

use super::books::Books;
use super::explain::Witness;
use super::keeper::Keeper;
use super::known::Known;
use super::orders::{self, Orders};
use super::scopes::services;
use super::told;
use super::view::{self, View};
use super::{Wanted, state};

/// Between two looks at everything that is not an event.
const TICK: Duration = Duration::from_secs(1);
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
    books: Books,
    orders: Orders,
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
    /// Keep nothing in the state folder any more: another process does.
    Release,
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
            books: Books::new(),
            orders: Orders::default(),
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

    /// Puts what is wanted in force; statuses of places that stay are kept.
    pub fn apply(&mut self, wanted: Wanted) {
        let Wanted { zones, settings, atlas, suspicion, metrics } = wanted;
        self.books.show(metrics);
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
        let (publisher, known) = self.hands();
        publisher.publish(&zones, settings, &known);
        self.zones = zones;
        let snapshot = self.current().load();
        let (generation, zones) = (snapshot.generation(), snapshot.all().len());
        self.events.tell(Event::Published { generation, zones });
        tracing::info!(generation, zones, targets = self.monitor.views().count(), "published");
    }

    /// Keeps statuses and overrides in this folder from now on, and takes over the overrides that
    /// are there, and the statuses that are fresh.
    pub fn keep_in(&mut self, folder: PathBuf) {
        self.orders.keep_in(folder.clone());
        let orders = self.orders.overrides().orders();
        let scopes: Vec<Scope> = orders.iter().map(|order| order.scope.clone()).collect();
        self.replan_scopes(&scopes);
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
        services(&self.zones).iter().for_each(|service| self.observe(service));
        let targets: Vec<Arc<Target>> =
            self.monitor.views().map(|view| Arc::clone(view.target)).collect();
        let (publisher, known) = self.hands();
        publisher.replan(targets.iter().map(|target| &**target), &known);
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
                    self.expire_orders().await;
                    if self.keeper.is_due(now) {
                        self.keeper.save(&self.monitor, now).await;
                    }
                }
                Some(request) = requests.recv() => {
                    self.handle_request(request, &mut explainer, &tallies).await;
                }
                command = commands.recv() => match command {
                    Some(Command::Reload(wanted)) => self.apply(*wanted),
                    Some(Command::Reloaded(how)) => self.books.reload(how),
                    Some(Command::Zones(reply)) => drop(reply.send(self.zones.clone())),
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
                self.books.verdict(&report.verdict);
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
        let (publisher, known) = self.hands();
        let tiers = publisher.replan([&*change.target], &known);
        if change.is_transition() {
            self.keeper.changed = true;
            self.books.transition(change.to.status);
            told::status(change, &self.events);
        }
        told::tiers(&tiers, &self.events);
    }

    /// Lets the guards of a service see how its nodes stand.
    fn observe(&mut self, service: &Service) {
        let unguarded = Guards::default();
        let known = Known::now(&self.monitor, &unguarded, self.orders.overrides());
        for news in self.guards.observe(service, &known, now()) {
            tracing::warn!(service = service.id, "{news}");
        }
    }

    /// Goes on with what guards do by the time alone.
    fn watch(&mut self, now: Instant) {
        let suspect = self.monitor.suspect();
        if suspect != self.suspect {
            told::suspect(suspect, now);
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
        let (publisher, known) = self.hands();
        let tiers = publisher.replan_services(is_due, &known);
        told::tiers(&tiers, &self.events);
    }

    /// What makes plans, and what it makes them from.
    fn hands(&mut self) -> (&mut Publisher, Known<'_>) {
        let known = Known::now(&self.monitor, &self.guards, self.orders.overrides());
        (&mut self.publisher, known)
    }

    fn replan_scopes(&mut self, scopes: &[Scope]) {
        if scopes.is_empty() {
            return;
        }
        let meant = |service: &Service| scopes.iter().any(|scope| scope.touches(service));
        let snapshot = Arc::clone(&self.current().load());
        let services = snapshot.zones().flat_map(|(_, zone)| zone.services());
        services.filter(|it| meant(&it.service)).for_each(|it| self.observe(&it.service));
        let (publisher, known) = self.hands();
        let tiers = publisher.replan_services(meant, &known);
        told::tiers(&tiers, &self.events);
    }

    /// Changes what operators say, and everything that follows from it.
    async fn change_orders(
        &mut self,
        change: &admin::Change,
    ) -> Result<ChangedDoc, admin::Refusal> {
        let snapshot = Arc::clone(&self.publisher.current().load());
        let source = &orders::asker(change);
        let done = self.orders.change(change, &snapshot, state::unix_now()).await;
        let done = match done {
            Ok(done) => done,
            Err(refusal) => {
                let error = &refusal.doc.error;
                tracing::warn!(source, error, "a change of overrides is refused");
                return Err(refusal);
            }
        };
        for (how, all) in
            [(OverrideChange::Lifted, &done.doc.lifted), (OverrideChange::Given, &done.doc.given)]
        {
            all.iter().for_each(|one| told::an_override(how, one, source, &self.events));
        }
        self.replan_scopes(&done.touched);
        Ok(done.doc)
    }

    async fn expire_orders(&mut self) {
        let expired = self.orders.expire(state::unix_now()).await;
        let snapshot = Arc::clone(&self.publisher.current().load());
        for order in &expired {
            let doc = view::override_doc(order, &snapshot);
            told::an_override(OverrideChange::Expired, &doc, "its time is over", &self.events);
        }
        let scopes: Vec<Scope> = expired.into_iter().map(|order| order.scope).collect();
        self.replan_scopes(&scopes);
    }

    async fn handle_request(
        &mut self,
        request: Request,
        explainer: &mut Worker,
        tallies: &[Arc<Tally>],
    ) {
        let snapshot = Arc::clone(&self.publisher.current().load());
        let known = Known::now(&self.monitor, &self.guards, self.orders.overrides());
        let view = View { known, snapshot: &snapshot, tallies, now: now() };
        // Where a reply cannot be sent, nobody waits for it any more.
        match request {
            Request::Metrics(reply) => {
                drop(reply.send(self.books.facts(&self.monitor, &self.publisher, now())));
            }
            Request::Status(reply) => {
                drop(reply.send(view.status(self.started, self.orders.notice())));
            }
            Request::Service(id, reply) => drop(reply.send(view.service(&id))),
            Request::Node(id, reply) => drop(reply.send(view.node(&id))),
            Request::Change(change, reply) => drop(reply.send(self.change_orders(&change).await)),
            Request::Explain(inquiry, reply) => {
                explainer.begin_batch(&snapshot, now());
                let witness = Witness::new(known, self.publisher.atlas(), now());
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
