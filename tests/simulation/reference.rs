//! What each status should be, worked out the slow and obvious way.
//!
//! Nothing is counted and nothing is remembered but the verdicts themselves. To know a status, all
//! of them are read from the first, and at each the last few are looked at. Where this and the real
//! tracker differ, one of them is wrong.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rota::health::{Ask, Check, HoldDown, Outcome, Reason, Standing, Status, Target};

/// Everything that was ever said of one target.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    /// What it was before the first verdict here: unknown, restored or inherited.
    pub(crate) inherited: Status,
    /// When it had fallen before the first verdict here.
    inherited_falls: Vec<Instant>,
    verdicts: Vec<Said>,
}

#[derive(Clone, Copy, Debug)]
struct Said {
    status: Status,
    at: Instant,
    fails: usize,
    passes: usize,
    /// The usual time to rise, and what is asked of those that flap.
    rise: Duration,
    hold_down: Option<HoldDown>,
}

impl Ledger {
    pub(crate) fn new(inherited: Status) -> Self {
        Self { inherited, inherited_falls: Vec::new(), verdicts: Vec::new() }
    }

    pub(crate) fn write(&mut self, outcome: &Outcome, check: &Check, at: Instant) {
        let status = match outcome {
            Outcome::Pass => Status::Up,
            Outcome::Fail(reason) if *reason == Reason::Draining => Status::Draining,
            Outcome::Fail(_) => Status::Down,
            Outcome::NoVerdict(_) => return,
        };
        let (fails, passes) = (check.fails as usize, check.passes as usize);
        let (rise, hold_down) = (check.every * check.passes, check.hold_down);
        self.verdicts.push(Said { status, at, fails, passes, rise, hold_down });
    }

    pub(crate) fn standing(&self) -> Standing {
        let (status, _) = self.read();
        let contradicted = self.verdicts.last().is_some_and(|said| said.status != status);
        Standing { status, contradicted }
    }

    /// When it fell from up, all its life.
    pub(crate) fn falls(&self) -> Vec<Instant> {
        self.read().1
    }

    fn read(&self) -> (Status, Vec<Instant>) {
        let (mut status, mut falls) = (self.inherited, self.inherited_falls.clone());
        for read in 1..=self.verdicts.len() {
            let next = turn(status, &falls, &self.verdicts[..read]);
            if status == Status::Up && next != Status::Up {
                falls.push(self.verdicts[read - 1].at);
            }
            status = next;
        }
        (status, falls)
    }

    /// How many of the latest verdicts, without a break, were good or were not.
    pub(crate) fn latest_run(&self, good: bool) -> usize {
        let is_good = |said: &&Said| (said.status == Status::Up) == good;
        self.verdicts.iter().rev().take_while(is_good).count()
    }

    pub(crate) fn is_blank(&self) -> bool {
        self.verdicts.is_empty()
    }
}

/// How long a target that fell so must pass without a break.
fn hold(falls: &[Instant], newest: &Said) -> Duration {
    let Some(hold_down) = newest.hold_down else { return Duration::ZERO };
    let recent = falls.iter().filter(|&&fall| newest.at - fall <= hold_down.within).count();
    let mut hold = newest.rise;
    for _ in hold_down.after as usize..=recent {
        hold *= 2;
    }
    if hold == newest.rise { Duration::ZERO } else { hold.min(hold_down.max) }
}

/// The status after the last of these verdicts, given the one before it.
fn turn(status: Status, falls: &[Instant], verdicts: &[Said]) -> Status {
    let newest = verdicts[verdicts.len() - 1];
    let last = |n: usize, wanted: &dyn Fn(Status) -> bool| {
        verdicts.len() >= n && verdicts.iter().rev().take(n).all(|said| wanted(said.status))
    };
    let turns = match status {
        Status::Unknown => true,
        Status::Up => last(newest.fails, &|said| said != Status::Up),
        Status::Down | Status::Draining if newest.status == Status::Up => {
            let good = verdicts.iter().rev().take_while(|said| said.status == Status::Up);
            let passed = newest.at - good.last().expect("the newest is").at;
            let rises = last(newest.passes, &|said| said == Status::Up);
            if rises && passed < hold(falls, &newest) {
                return Status::Draining;
            }
            rises
        }
        Status::Down | Status::Draining => last(newest.fails, &|said| said == newest.status),
    };
    if turns { newest.status } else { status }
}

/// All ledgers, and what a reload does to them.
#[derive(Debug, Default)]
pub(crate) struct Reference {
    pub(crate) ledgers: HashMap<Arc<Target>, Ledger>,
}

impl Reference {
    pub(crate) fn configure(&mut self, targets: &[Arc<Target>]) {
        let before = std::mem::take(&mut self.ledgers);
        for target in targets {
            let ledger = match before.get(target) {
                Some(same) => same.clone(),
                None => before
                    .iter()
                    .find(|(old, _)| !targets.contains(old) && place(old) == place(target))
                    .map_or(Ledger::new(Status::Unknown), |(old, ledger)| {
                        if old.check.ask == target.check.ask {
                            ledger.clone()
                        } else {
                            let falls = ledger.falls();
                            Ledger {
                                inherited_falls: falls,
                                ..Ledger::new(ledger.standing().status)
                            }
                        }
                    }),
            };
            self.ledgers.insert(Arc::clone(target), ledger);
        }
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.ledgers.values().all(|ledger| ledger.standing().status != Status::Unknown)
    }
}

/// The recipe's address.
pub(crate) fn place(target: &Target) -> (SocketAddr, bool, &str, &str) {
    let Ask::Http(ask) = &target.check.ask else { unreachable!("nodes are asked over HTTP") };
    (SocketAddr::new(target.address, ask.port), ask.tls.is_some(), &ask.path, &ask.host)
}
