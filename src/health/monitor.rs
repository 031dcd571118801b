//! All targets of the configuration: who is probed next, who stands how.
//!
//! The monitor belongs to one task, the publisher. It asks [`poll_probe`](Monitor::poll_probe) what
//! to start, brings back every verdict and re-plans the services of a target whenever a
//! [`Change`] comes out. A verdict costs two look-ups in trees, whatever the number of targets;
//! only [`configure`](Monitor::configure) walks all of them.
//!
//! A reload changes no status. What becomes of a target, by what the new configuration asks:
//!
//! ```text
//!   the same target         stays as it is: status, count, history, schedule, probe in flight
//!   the same place          a new target that inherits status and history; the count too if the
//!                           question is word for word the same. A probe in flight is ignored: it
//!                           ran under another timeout or other codes
//!   nothing                 forgotten; a probe in flight is ignored, but fills its seat until it
//!                           ends, since its socket does too
//!   forgotten, asked again  unknown, due at once; a probe still in flight is taken over
//! ```
//!
//! It refuses to judge: an operator's override, a pool that is all down, a fleet's other vantages
//! are other floors' business.

use std::collections::{BTreeMap, HashMap};
use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use foldhash::fast::FixedState;

use super::schedule::{Flight, Pace};
use super::{
    Hold, Outcome, Place, Pulse, Reason, Schedule, Share, Standing, Status, Suspect, Suspicion,
};
use super::{Target, TargetId};
use super::{Tracker, Verdict, View, Warning};

/// Verdicts in a row that a target must pass before it is probed at its check's `idle`: a minute at
/// the default pace, in which a node that is going to break again mostly has.
pub const IDLE_AFTER: u32 = 12;

/// All targets and the schedule of their probes.
#[derive(Debug)]
pub struct Monitor {
    ids: HashMap<Arc<Target>, TargetId, FixedState>,
    entries: BTreeMap<TargetId, Entry>,
    /// Forgotten targets whose probe is still in flight.
    orphans: HashMap<TargetId, Arc<Target>>,
    schedule: Schedule,
    next_id: TargetId,
    /// Targets that are still unknown.
    unsettled: usize,
    last_verdict: Option<Instant>,
    suspicion: Suspicion,
}

#[derive(Debug)]
struct Entry {
    target: Arc<Target>,
    tracker: Tracker,
}

/// A probe to start now; its verdict is to be brought back exactly once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeOrder {
    /// Goes back with the verdict.
    pub id: TargetId,
    /// Whom to ask what.
    pub target: Arc<Target>,
    /// How long ago it should have started.
    pub late_by: Duration,
}

/// A target stands otherwise than before, its pace is another, or it warns of something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which target.
    pub target: Arc<Target>,
    /// How it stood.
    pub from: Standing,
    /// How it stands.
    pub to: Standing,
    /// What the deciding verdict complained of; none for a pass.
    pub reason: Option<Reason>,
    /// What it is held to before it is up again, if it flapped lately.
    pub hold: Option<Hold>,
    /// Its probes take so much longer or less than was told before that it matters, or its load is
    /// so much another.
    pub repaced: bool,
    /// What the verdict warns of, where no verdict before it did.
    pub warning: Option<Warning>,
}

impl Change {
    /// True where plans that depend on how the target stands are out of date.
    pub fn is_restanding(&self) -> bool {
        self.from != self.to
    }

    /// True where the status itself turned; else only the count against it began or ended, or the
    /// pace changed.
    pub fn is_transition(&self) -> bool {
        self.from.status != self.to.status
    }
}

impl Monitor {
    /// A monitor without targets and with at most `in_flight_max` probes under way.
    pub fn new(in_flight_max: usize) -> Self {
        Self {
            ids: HashMap::default(),
            entries: BTreeMap::new(),
            orphans: HashMap::new(),
            schedule: Schedule::new(in_flight_max),
            next_id: TargetId::FIRST,
            unsettled: 0,
            last_verdict: None,
            suspicion: Suspicion::default(),
        }
    }

    /// Takes over what a configuration asks for; identical targets are one.
    pub fn configure(
        &mut self,
        targets: impl IntoIterator<Item = Arc<Target>>,
        now: Instant,
        rng: &mut fastrand::Rng,
    ) {
        let mut leaving = mem::take(&mut self.ids);
        let mut revivable: HashMap<_, _> =
            self.orphans.iter().map(|(id, target)| (Arc::clone(target), *id)).collect();
        let mut arriving = Vec::new();
        let control: Vec<_> = self.suspicion.targets().collect();
        for target in control.into_iter().chain(targets) {
            if self.ids.contains_key(&target) {
                continue;
            }
            if let Some(id) = leaving.remove(&target) {
                self.ids.insert(target, id);
                continue;
            }
            let id = match revivable.remove(&target) {
                Some(id) => id,
                None => self.fresh_id(),
            };
            self.orphans.remove(&id);
            arriving.push((id, Arc::clone(&target)));
            self.ids.insert(target, id);
        }
        let left_behind = self.dismiss(leaving.into_values());
        for (id, target) in arriving {
            let (tracker, due) = match left_behind.get(&target.place()) {
                Some(heirloom) => heirloom.pass_on(&target, now, rng),
                None => (Tracker::new(), now),
            };
            self.schedule.add(id, due);
            self.entries.insert(id, Entry { target, tracker });
        }
        let unsettled = |entry: &&Entry| entry.tracker.standing().status == Status::Unknown;
        self.unsettled = self.entries.values().filter(unsettled).count();
    }

    fn fresh_id(&mut self) -> TargetId {
        let id = self.next_id;
        self.next_id = id.next();
        id
    }

    /// Has control targets probed too, from the next [`configure`](Self::configure) on.
    pub fn watch(&mut self, mut suspicion: Suspicion) {
        suspicion.inherit(&self.suspicion);
        self.suspicion = suspicion;
    }

    /// Whether the prober is suspected to be cut off.
    pub fn suspect(&self) -> Option<Suspect> {
        self.suspicion.suspect()
    }

    /// Forgets targets; what they leave is given back by place, if anything was known of it. Where
    /// several leave the same place, the one that was configured first is its voice.
    fn dismiss(&mut self, ids: impl Iterator<Item = TargetId>) -> HashMap<Place, Heirloom> {
        let mut ids: Vec<TargetId> = ids.collect();
        ids.sort_unstable();
        let mut left_behind = HashMap::new();
        for id in ids {
            let Some(entry) = self.entries.remove(&id) else { continue };
            let flight = self.schedule.flight(id);
            let due = self.schedule.due_at(id).or(flight.map(|flight| flight.deadline));
            self.schedule.forget(id);
            if flight.is_some() {
                self.orphans.insert(id, Arc::clone(&entry.target));
            }
            if entry.tracker.standing().status != Status::Unknown {
                left_behind.entry(entry.target.place()).or_insert(Heirloom { entry, due });
            }
        }
        left_behind
    }

    /// Gives unknown targets the status that was saved of their place.
    ///
    /// Whether what was saved is fresh enough is the caller's to say.
    pub fn restore(&mut self, saved: &HashMap<Place, Status>) {
        for entry in self.entries.values_mut() {
            if entry.tracker.standing().status != Status::Unknown {
                continue;
            }
            if let Some(status) = saved.get(&entry.target.place()) {
                entry.tracker.restore(*status);
                if *status != Status::Unknown {
                    self.unsettled -= 1;
                }
            }
        }
    }

    /// The next probe to start, if one is due and there is room; call until it gives none.
    pub fn poll_probe(&mut self, now: Instant) -> Option<ProbeOrder> {
        let (due, id) = self.schedule.first_due(now)?;
        let entry = self.entries.get(&id).expect("only known targets are on the schedule");
        let deadline = now + entry.target.check.timeout;
        self.schedule.launch(id, Flight { started: now, deadline });
        let late_by = now.saturating_duration_since(due);
        Some(ProbeOrder { id, target: Arc::clone(&entry.target), late_by })
    }

    /// When to call [`poll_probe`](Self::poll_probe) again, if no verdict comes before.
    ///
    /// None where only a verdict can make the next probe possible.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.schedule.wake_at()
    }

    /// Takes what a probe found; gives a change where the target stands otherwise now, or warns.
    ///
    /// A verdict that nobody waits for, of a forgotten target or a second one of the same probe,
    /// changes nothing.
    pub fn handle_verdict(
        &mut self,
        id: TargetId,
        verdict: Verdict,
        now: Instant,
        rng: &mut fastrand::Rng,
    ) -> Option<Change> {
        let flight = self.schedule.finish(id)?;
        self.last_verdict = Some(now);
        self.orphans.remove(&id);
        let entry = self.entries.get_mut(&id)?;
        let Entry { target, tracker } = entry;

        let (from, paced) = (tracker.standing(), (tracker.pace(), tracker.load()));
        let reason = match &verdict.outcome {
            Outcome::Pass => None,
            Outcome::Fail(reason) | Outcome::NoVerdict(reason) => Some(reason.clone()),
        };
        let is_first = tracker.history().is_empty();
        self.suspicion.handle_verdict(target, &verdict.outcome, now);
        let warning = if self.suspicion.freezes(&verdict.outcome, now) {
            tracker.note(verdict, now)
        } else {
            tracker.handle_verdict(verdict, &target.check, now)
        };
        let (to, paced_now) = (tracker.standing(), (tracker.pace(), tracker.load()));

        let pace = match to.status {
            _ if to.contradicted => Pace::Changing,
            Status::Unknown => Pace::Changing,
            Status::Up | Status::Down | Status::Draining if is_first => Pace::First,
            Status::Up if tracker.agreed() >= IDLE_AFTER => Pace::Idle,
            Status::Up | Status::Down | Status::Draining => Pace::Steady,
        };
        let hold = tracker.hold(&target.check, now);
        // From start to start; a probe that outlasted its interval is followed at once.
        let due = (flight.started + pace.draw(&target.check, rng)).max(now);
        let target = Arc::clone(target);
        self.schedule.add(id, due);
        if from.status == Status::Unknown && to.status != Status::Unknown {
            self.unsettled -= 1;
        }
        let repaced = paced != paced_now;
        let change = Change { target, from, to, reason, hold, repaced, warning };
        let is_news = change.is_restanding() || repaced || warning.is_some();
        is_news.then_some(change)
    }

    /// How a target stands; one that is not configured is unknown.
    pub fn standing(&self, target: &Target) -> Standing {
        match self.view(target) {
            Some(view) => view.standing(),
            None => Standing { status: Status::Unknown, contradicted: false },
        }
    }

    /// How long probes of a target take, smoothed and in steps that matter.
    pub fn pace(&self, target: &Target) -> Option<Duration> {
        self.view(target).and_then(|view| view.pace())
    }

    /// The part of its weight that a node has by the load that a target tells.
    pub fn load(&self, target: &Target) -> Option<Share> {
        self.view(target).and_then(|view| view.load())
    }

    /// True once every target has a verdict or a restored status.
    pub fn is_settled(&self) -> bool {
        self.unsettled == 0
    }

    /// One target as a board shows it.
    pub fn view(&self, target: &Target) -> Option<View<'_>> {
        let id = self.ids.get(target)?;
        self.entries.get(id).map(Entry::view)
    }

    /// Every target as a board shows it, in the order in which they were first configured.
    pub fn views(&self) -> impl Iterator<Item = View<'_>> {
        self.entries.values().map(Entry::view)
    }

    /// What is worth saving for a restart: the status of every place that has one.
    ///
    /// Two checks may look at one place and differ in what passes. Where they say different things
    /// of it, neither is saved: a restart would give both the same.
    pub fn statuses(&self) -> HashMap<Place, Status> {
        let mut all = HashMap::new();
        for view in self.views() {
            let status = view.standing().status;
            let known = all.entry(view.target.place()).or_insert(status);
            if *known != status {
                *known = Status::Unknown;
            }
        }
        all.retain(|_, status| *status != Status::Unknown);
        all
    }

    /// Signs of life, for a watchdog.
    pub fn pulse(&self, now: Instant) -> Pulse {
        let (in_flight, in_flight_max) = self.schedule.in_flight();
        let late_by = self.schedule.late_by(now);
        Pulse { in_flight, in_flight_max, late_by, last_verdict: self.last_verdict }
    }
}

impl Entry {
    fn view(&self) -> View<'_> {
        View::new(&self.target, &self.tracker)
    }
}

/// What a dismissed target leaves to a new one at the same place.
#[derive(Debug)]
struct Heirloom {
    entry: Entry,
    /// When it would have been probed next, or when its probe in flight must have ended.
    due: Option<Instant>,
}

impl Heirloom {
    /// The tracker for the heir, and when its first probe is due: as planned, within its own pace.
    fn pass_on(&self, heir: &Target, now: Instant, rng: &mut fastrand::Rng) -> (Tracker, Instant) {
        let mut tracker = self.entry.tracker.clone();
        if self.entry.target.check.ask != heir.check.ask {
            tracker.restart_count();
        }
        let latest = now + Pace::Steady.draw(&heir.check, rng);
        (tracker, self.due.map_or(now, |due| due.min(latest)))
    }
}

#[cfg(test)]
mod tests;
