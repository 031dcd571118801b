//! What each status should be, worked out the slow and obvious way.
//!
//! Nothing is counted and nothing is remembered but the verdicts themselves. To know a status, all
//! of them are read from the first, and at each the last few are looked at. Where this and the real
//! tracker differ, one of them is wrong.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use rota::health::{Ask, Check, Outcome, Reason, Standing, Status, Target};

/// Everything that was ever said of one target.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    /// What it was before the first verdict here: unknown, restored or inherited.
    pub(crate) inherited: Status,
    verdicts: Vec<Said>,
}

#[derive(Clone, Copy, Debug)]
struct Said {
    status: Status,
    fails: usize,
    passes: usize,
}

impl Ledger {
    pub(crate) fn new(inherited: Status) -> Self {
        Self { inherited, verdicts: Vec::new() }
    }

    pub(crate) fn write(&mut self, outcome: &Outcome, check: &Check) {
        let status = match outcome {
            Outcome::Pass => Status::Up,
            Outcome::Fail(reason) if *reason == Reason::Draining => Status::Draining,
            Outcome::Fail(_) => Status::Down,
            Outcome::NoVerdict(_) => return,
        };
        let (fails, passes) = (check.fails as usize, check.passes as usize);
        self.verdicts.push(Said { status, fails, passes });
    }

    pub(crate) fn standing(&self) -> Standing {
        let mut status = self.inherited;
        for read in 1..=self.verdicts.len() {
            status = turn(status, &self.verdicts[..read]);
        }
        let contradicted = self.verdicts.last().is_some_and(|said| said.status != status);
        Standing { status, contradicted }
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

/// The status after the last of these verdicts, given the one before it.
fn turn(status: Status, verdicts: &[Said]) -> Status {
    let newest = verdicts[verdicts.len() - 1];
    let last = |n: usize, wanted: &dyn Fn(Status) -> bool| {
        verdicts.len() >= n && verdicts.iter().rev().take(n).all(|said| wanted(said.status))
    };
    let turns = match status {
        Status::Unknown => true,
        Status::Up => last(newest.fails, &|said| said != Status::Up),
        Status::Down | Status::Draining if newest.status == Status::Up => {
            last(newest.passes, &|said| said == Status::Up)
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
                            Ledger::new(ledger.standing().status)
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
