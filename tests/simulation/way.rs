//! The way from the prober to everybody: it breaks at times, and control targets tell.
//!
//! What is frozen is worked out the obvious way: from the last verdict of each control target.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rota::health::{Ask, Outcome, Place, Reason, Stage, Status, Suspicion, Target};

/// The longest that silence proves nothing: some cuts last longer.
const FREEZE_MAX: Duration = Duration::from_secs(120);

pub(crate) struct Way {
    pub(crate) is_cut: bool,
    control: Vec<SocketAddr>,
    /// Of those that have answered once: since when they have been silent.
    witnesses: HashMap<SocketAddr, Option<Instant>>,
    seen: usize,
}

impl Way {
    /// A way that is watched, or one of which nobody knows.
    pub(crate) fn new(watched: bool) -> Self {
        let control = ["192.0.2.1:80", "192.0.2.2:443"].map(|text| text.parse().expect("sockets"));
        let control = if watched { control.to_vec() } else { Vec::new() };
        Self { is_cut: false, control, witnesses: HashMap::new(), seen: 0 }
    }

    pub(crate) fn suspicion(&self) -> Suspicion {
        Suspicion::new(&self.control, FREEZE_MAX)
    }

    pub(crate) fn control_count(&self) -> usize {
        self.control.len()
    }

    /// True once every control target has been asked.
    pub(crate) fn is_settled(&self) -> bool {
        self.seen >= self.control.len()
    }

    /// What outlives a restart: that so many control targets had a status.
    pub(crate) fn restart(&mut self, saved: &HashMap<Place, Status>) {
        self.witnesses.clear();
        let known = |target: &Arc<Target>| saved.contains_key(&target.place());
        self.seen = self.suspicion().targets().filter(known).count();
    }

    pub(crate) fn is_control(&self, target: &Arc<Target>) -> bool {
        socket(target).is_some_and(|socket| self.control.contains(&socket))
    }

    /// What a probe finds that gets no further than the way.
    pub(crate) fn silence(timeout: Duration) -> (Outcome, Duration) {
        (Outcome::Fail(Reason::Timeout(Stage::Connect)), timeout)
    }

    /// Takes the verdict of a control target.
    pub(crate) fn land(&mut self, target: &Target, passed: bool, now: Instant) {
        let Some(socket) = socket(target) else { return };
        self.seen += 1;
        if passed {
            self.witnesses.insert(socket, None);
        } else if let Some(silent) = self.witnesses.get_mut(&socket) {
            silent.get_or_insert(now);
        }
    }

    /// True where silence proves nothing.
    pub(crate) fn is_frozen(&self, now: Instant) -> bool {
        let silent: Option<Vec<Instant>> = self.witnesses.values().copied().collect();
        let last = silent.and_then(|all| all.into_iter().max());
        last.is_some_and(|last| now < last + FREEZE_MAX)
    }
}

/// Where a target is connected to; control targets are.
fn socket(target: &Target) -> Option<SocketAddr> {
    let Ask::Tcp(ask) = &target.check.ask else { return None };
    Some(SocketAddr::new(target.address, ask.port))
}
