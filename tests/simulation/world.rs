//! A clock that jumps from event to event, and the checkers.
//!
//! The promises that are checked at every step, beside agreement with the reference:
//!
//! * at most the limit of probes in flight, and never two for one target;
//! * from one probe of a target to the next at most `every`, or the probe itself if that is longer;
//! * a node that is bad without a break is not up after `every × fails + timeout`, and one that is
//!   good without a break is up after `every × passes + timeout`, or when its hold-down ends;
//! * a node that flaps does not fall more often than its hold-down allows;
//! * a change is told exactly when there is one, and is a transition only after its count;
//! * when nothing is due, the time to come back lies ahead (no busy loop);
//! * a reload changes no status, and neither does a restart with saved ones;
//! * while control targets are silent, silence turns nobody, for a bounded time.
//!
//! Promises about time are not checked where the limit of probes in flight is reached, and a
//! prober in trouble starts their time anew.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rota::health::Verdict;
use rota::health::{
    Change, Check, Monitor, Outcome, ProbeOrder, Reason, Status, Target, TargetId, View,
};

use crate::node::{Mood, Node, change_expect, change_pace, change_path, mood, node, remade};
use crate::reference::{Ledger, Reference, place};
use crate::way::Way;

/// What kind of world a seed makes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Profile {
    pub(crate) nodes: usize,
    pub(crate) in_flight_max: usize,
    /// The world ends after so many verdicts.
    pub(crate) verdicts: usize,
    /// Operators change recipes, take nodes out and bring them back.
    pub(crate) reloads: bool,
    /// The prober lacks descriptors or routes at times.
    pub(crate) trouble: bool,
    /// Neighbours fail together.
    pub(crate) storms: bool,
    /// The way to everybody breaks at times, and control targets tell.
    pub(crate) cuts: bool,
    /// The process ends and starts again with saved statuses; the machine sleeps, and time leaps.
    pub(crate) restarts: bool,
}

#[derive(Clone, Debug)]
enum Event {
    Verdict(TargetId, Arc<Target>, Outcome, Duration),
    Turn(usize),
    Reload,
    Storm,
    Cut,
    Restart,
    Leap,
}

pub(crate) struct World {
    profile: Profile,
    now: Instant,
    rng: fastrand::Rng,
    monitor: Monitor,
    reference: Reference,
    way: Way,
    nodes: Vec<Node>,
    /// Where in `nodes` an address is.
    by_address: HashMap<IpAddr, usize>,
    events: BTreeMap<(Instant, u64), Event>,
    event_count: u64,
    in_flight: HashSet<Arc<Target>>,
    last_start: HashMap<Arc<Target>, Instant>,
    verdict_count: usize,
    saturated: bool,
}

impl World {
    pub(crate) fn new(profile: Profile, seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let now = start();
        let nodes: Vec<Node> = (0..profile.nodes).map(|n| node(n, now, &mut rng)).collect();
        let by_address = nodes.iter().enumerate().map(|(n, node)| (node.target.address, n));
        let mut world = Self {
            profile,
            now,
            monitor: Monitor::new(profile.in_flight_max),
            reference: Reference::default(),
            way: Way::new(profile.cuts),
            by_address: by_address.collect(),
            nodes,
            events: BTreeMap::new(),
            event_count: 0,
            in_flight: HashSet::new(),
            last_start: HashMap::new(),
            verdict_count: 0,
            saturated: false,
            rng,
        };
        world.monitor.watch(world.way.suspicion());
        world.configure();
        if world.rng.bool() {
            world.restore();
        }
        for n in 0..world.nodes.len() {
            world.turn_later(n);
        }
        if profile.reloads {
            world.happen_in(Duration::from_secs(7), Event::Reload);
        }
        if profile.storms {
            world.happen_in(Duration::from_secs(40), Event::Storm);
        }
        if profile.cuts {
            world.happen_in(Duration::from_secs(20), Event::Cut);
        }
        if profile.restarts {
            world.happen_in(Duration::from_secs(30), Event::Restart);
            world.happen_in(Duration::from_secs(45), Event::Leap);
        }
        world
    }

    pub(crate) fn now(&self) -> Instant {
        self.now
    }

    pub(crate) fn monitor(&self) -> &Monitor {
        &self.monitor
    }

    /// Steps until the profile's verdicts are used up.
    pub(crate) fn run(&mut self) {
        while self.verdict_count < self.profile.verdicts {
            self.step();
        }
        for node in self.nodes.iter().filter(|node| node.configured) {
            self.check_time(node);
            assert_eq!(
                self.monitor.standing(&node.target),
                self.reference.ledgers[&node.target].standing()
            );
        }
    }

    /// Starts what is due, then lets the next thing happen; gives the change that came of it.
    pub(crate) fn step(&mut self) -> Option<Change> {
        while let Some(order) = self.monitor.poll_probe(self.now) {
            self.launch(order);
        }
        let next_event = self.events.first_key_value().map(|((at, _), _)| *at);
        let wake = self.monitor.poll_timeout();
        assert!(wake.is_none_or(|at| at > self.now), "told to come back at once, for nothing");
        let next = next_event.into_iter().chain(wake).min().expect("moods always turn");
        self.now = self.now.max(next);
        let first = self.events.first_entry().filter(|event| event.key().0 <= self.now)?;
        match first.remove() {
            Event::Verdict(id, target, outcome, latency) => {
                return self.land(id, &target, Verdict::new(outcome, latency));
            }
            Event::Turn(n) => {
                self.nodes[n].mood = mood(self.profile.trouble, &mut self.rng);
                self.nodes[n].since = self.now;
                self.turn_later(n);
            }
            Event::Reload => {
                self.reload();
                // Often again at once: what was taken out returns while its probe is in flight.
                let pause = Duration::from_secs(30).mul_f64(self.rng.f64().powi(6));
                self.happen_in(pause, Event::Reload);
            }
            Event::Storm => {
                let (first, count) = (self.rng.usize(0..self.nodes.len()), self.rng.usize(2..9));
                for node in self.nodes.iter_mut().skip(first).take(count) {
                    (node.mood, node.since) = (Mood::Refusing, self.now);
                }
                let pause = Duration::from_millis(self.rng.u64(1_000..60_000));
                self.happen_in(pause, Event::Storm);
            }
            Event::Cut => {
                self.way.is_cut = !self.way.is_cut;
                self.begin_anew();
                let pause = Duration::from_millis(self.rng.u64(3_000..200_000));
                self.happen_in(pause, Event::Cut);
            }
            Event::Restart => {
                self.restart();
                let pause = Duration::from_millis(self.rng.u64(100..120_000));
                self.happen_in(pause, Event::Restart);
            }
            Event::Leap => {
                self.now += Duration::from_secs(3_600).mul_f64(self.rng.f64().powi(8));
                self.last_start.clear();
                self.begin_anew();
                let pause = Duration::from_millis(self.rng.u64(100..120_000));
                self.happen_in(pause, Event::Leap);
            }
        }
        None
    }

    fn launch(&mut self, order: ProbeOrder) {
        let ProbeOrder { id, target, .. } = order;
        let alone = self.in_flight.insert(Arc::clone(&target));
        assert!(alone, "two probes at once for {target:?}");
        assert!(self.in_flight.len() <= self.profile.in_flight_max);
        self.saturated |= self.in_flight.len() == self.profile.in_flight_max;
        if let Some(before) = self.last_start.insert(Arc::clone(&target), self.now) {
            let gap = self.now - before;
            assert!(self.saturated || gap <= slowest_pace(&target.check), "{gap:?} apart");
        }

        if self.way.is_cut || self.way.is_control(&target) {
            let reached = (Outcome::Pass, Duration::from_millis(1));
            let lost = Way::silence(target.check.timeout);
            let (outcome, latency) = if self.way.is_cut { lost } else { reached };
            self.happen_in(latency, Event::Verdict(id, target, outcome, latency));
            return;
        }
        let node = &self.nodes[self.by_address[&target.address]];
        let lived = self.now - node.since;
        let (outcome, latency) = node.mood.answer(target.check.timeout, lived, &mut self.rng);
        self.happen_in(latency, Event::Verdict(id, target, outcome, latency));
    }

    fn land(&mut self, id: TargetId, target: &Arc<Target>, verdict: Verdict) -> Option<Change> {
        self.verdict_count += 1;
        assert!(self.in_flight.remove(target));
        if self.way.is_control(target) {
            let passed = verdict.outcome == Outcome::Pass;
            let was_frozen = self.way.is_frozen(self.now);
            self.way.land(target, passed, self.now);
            self.monitor.handle_verdict(id, verdict, self.now, &mut self.rng);
            if was_frozen && !self.way.is_frozen(self.now) {
                self.begin_anew();
            }
            return None;
        }
        self.check_time(&self.nodes[self.by_address[&target.address]]);

        let outcome = verdict.outcome.clone();
        let silent = matches!(outcome, Outcome::Fail(Reason::Timeout(_)));
        let frozen = silent && self.way.is_frozen(self.now);
        assert_eq!(self.monitor.suspect().is_some_and(|it| self.now < it.frozen_until), {
            self.way.is_frozen(self.now)
        });
        let before = self.monitor.standing(target);
        let change = self.monitor.handle_verdict(id, verdict, self.now, &mut self.rng);
        assert_eq!(self.monitor.handle_verdict(id, pass(), self.now, &mut self.rng), None);
        let after = self.monitor.standing(target);

        let Some(ledger) = self.reference.ledgers.get_mut(target) else {
            assert_eq!(change, None, "a forgotten target changed");
            return None;
        };
        if frozen {
            assert_eq!(change, None, "silence counted while the prober was cut off");
        } else {
            ledger.write(&outcome, &target.check, self.now);
        }
        assert_eq!(after, ledger.standing(), "{ledger:?}");
        if matches!(outcome, Outcome::NoVerdict(_)) {
            assert_eq!(change, None, "the prober's trouble changed a target");
        }
        match &change {
            Some(change) => {
                assert_eq!((change.from, change.to), (before, after));
                assert!(before != after || change.repaced);
                assert!(!change.repaced || outcome == Outcome::Pass);
                assert_eq!(change.reason.is_none(), outcome == Outcome::Pass);
                if before != after {
                    check_count(change, ledger);
                    check_falls(change, ledger, self.now);
                }
            }
            None => assert_eq!(before, after),
        }
        if self.profile.nodes < 1_000 {
            let settled = self.reference.is_settled() && self.way.is_settled();
            assert_eq!(self.monitor.is_settled(), settled);
        }
        change
    }

    /// What must be true of a node that has been the same for long enough.
    fn check_time(&self, node: &Node) {
        // Who sleeps or is cut off proves nothing.
        let leapt = self.profile.restarts;
        if self.saturated || !node.configured || self.way.is_cut || leapt {
            return;
        }
        let check = &node.target.check;
        let after = |count: u32| node.since + slowest_pace(check) * count + check.timeout;
        let status = self.monitor.standing(&node.target).status;
        match node.mood {
            Mood::Good if self.now <= after(check.passes) || status == Status::Up => {}
            Mood::Good => {
                let fell = !self.reference.ledgers[&node.target].falls().is_empty();
                let hold = check.hold_down.filter(|_| fell).map_or(Duration::ZERO, |it| it.max);
                assert!(self.now <= after(check.passes) + hold, "{node:?}");
            }
            Mood::Erring | Mood::Refusing | Mood::Silent | Mood::Draining => {
                assert!(self.now <= after(check.fails) || status != Status::Up, "{node:?}");
            }
            Mood::Flapping | Mood::Cycling | Mood::OutOfReach => {}
        }
    }

    /// All nodes as a board shows them, without control targets.
    fn views(&self) -> impl Iterator<Item = View<'_>> {
        self.monitor.views().filter(|view| !self.way.is_control(view.target))
    }

    fn reload(&mut self) {
        let before: Vec<_> = self.views().map(|v| (Arc::clone(v.target), v.standing())).collect();
        for node in &mut self.nodes {
            match self.rng.u8(0..20) {
                0..=2 => node.configured = !node.configured,
                3 => node.target = remade(&node.target, |check| change_pace(check, &mut self.rng)),
                4 => node.target = remade(&node.target, change_expect),
                5 => node.target = remade(&node.target, change_path),
                _ => continue,
            }
            node.since = self.now;
        }
        self.configure();
        for (target, standing) in before {
            for node in self.nodes.iter().filter(|node| node.configured) {
                if place(&node.target) == place(&target) {
                    assert_eq!(self.monitor.standing(&node.target).status, standing.status);
                }
            }
        }
    }

    fn configure(&mut self) {
        let configured = self.nodes.iter().filter(|node| node.configured);
        let targets: Vec<_> = configured.map(|node| Arc::clone(&node.target)).collect();
        // Two services may name the same target.
        let named_twice = targets.iter().step_by(3).map(|target| Arc::new((**target).clone()));
        let all = targets.iter().cloned().chain(named_twice);
        self.monitor.configure(all, self.now, &mut self.rng);
        assert_eq!(self.monitor.views().count(), targets.len() + self.way.control_count());
        let staying: HashSet<_> = targets.iter().collect();
        let way = &self.way;
        self.last_start.retain(|it, _| staying.contains(it) || way.is_control(it));
        self.reference.configure(&targets);
    }

    /// Nodes are as they are from now on, for promises about time.
    fn begin_anew(&mut self) {
        self.nodes.iter_mut().for_each(|node| node.since = self.now);
    }

    /// The process ends, with its probes, and starts again from what it saved.
    fn restart(&mut self) {
        let saved = self.monitor.statuses();
        self.events.retain(|_, event| !matches!(event, Event::Verdict(..)));
        self.in_flight.clear();
        self.last_start.clear();
        self.way.restart(&saved);
        self.monitor = Monitor::new(self.profile.in_flight_max);
        self.monitor.watch(self.way.suspicion());
        self.reference = Reference::default();
        self.configure();
        self.monitor.restore(&saved);
        for node in self.nodes.iter_mut().filter(|node| node.configured) {
            let status = saved.get(&node.target.place()).copied().unwrap_or(Status::Unknown);
            self.reference.ledgers.insert(Arc::clone(&node.target), Ledger::new(status));
            assert_eq!(self.monitor.standing(&node.target).status, status);
        }
        self.begin_anew();
    }

    fn restore(&mut self) {
        let mut saved = HashMap::new();
        for node in self.nodes.iter().step_by(2) {
            let status = [Status::Up, Status::Down, Status::Draining][self.rng.usize(0..3)];
            saved.insert(node.target.place(), status);
            self.reference.ledgers.insert(Arc::clone(&node.target), Ledger::new(status));
        }
        self.monitor.restore(&saved);
    }

    fn turn_later(&mut self, n: usize) {
        let pause = Duration::from_millis(self.rng.u64(1_000..90_000));
        self.happen_in(pause, Event::Turn(n));
    }

    fn happen_in(&mut self, pause: Duration, event: Event) {
        self.event_count += 1;
        self.events.insert((self.now + pause, self.event_count), event);
    }
}

/// No transition without its count: the first verdict alone, afterwards as many as configured.
fn check_count(change: &Change, ledger: &Ledger) {
    if !change.is_transition() || change.from.status == Status::Unknown {
        return;
    }
    assert!(!ledger.is_blank());
    let check = &change.target.check;
    let (good, needed) = match change.to.status {
        Status::Up => (true, check.passes),
        // Held down: it passes, but has fallen too often to be believed at once.
        Status::Draining if change.reason.is_none() => (true, check.passes),
        Status::Down | Status::Draining => (false, check.fails),
        Status::Unknown => panic!("nothing becomes unknown by a verdict"),
    };
    assert!(ledger.latest_run(good) >= needed as usize, "{change:?} after {ledger:?}");
}

/// Who flaps is not let back faster than holds allow: within the window of a hold-down there are at
/// most the falls that are forgiven, and as many more as holds fit into it.
fn check_falls(change: &Change, ledger: &Ledger, now: Instant) {
    let Check { every, passes, hold_down: Some(hold_down), .. } = &change.target.check else {
        return;
    };
    let (mut most, mut hold) = (hold_down.after as usize, *every * *passes * 2);
    let mut held = hold;
    while held <= hold_down.within {
        most += 1;
        hold = (hold * 2).min(hold_down.max);
        held += hold;
    }
    let falls = ledger.falls();
    let recent = falls.iter().filter(|&&fall| now - fall <= hold_down.within).count();
    assert!(recent <= most + 1, "{recent} falls, at most {most}: {change:?}");
}

/// From one probe to the next at most: a probe that outlasts its interval is not overtaken.
fn slowest_pace(check: &Check) -> Duration {
    check.slowest().max(check.timeout)
}

#[expect(clippy::disallowed_methods, reason = "where virtual time starts; it is not asked again")]
fn start() -> Instant {
    Instant::now()
}

fn pass() -> Verdict {
    Verdict::new(Outcome::Pass, Duration::ZERO)
}
