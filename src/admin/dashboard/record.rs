//! What the dashboard remembers: how many queries came lately, and what happened.
//!
//! The API tells how everything stands and keeps nothing for showing; a rate and a log need a past.
//! So one task looks at what the workers count, every [`PACE`], and listens to what is told.
//!
//! ```text
//!   workers ─ count ─► Tally ◄─ read ─┐
//!   control ─ tell ──► Events ────────┴► keep_record ─► Record ◄─ read ─ a page
//! ```
//!
//! The workers notice nothing of it: numbers that they write anyway are read. It is all bounded:
//! some minutes of sums, some seconds of each service, the latest events.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::broadcast::error::RecvError;
use tokio::time::{MissedTickBehavior, interval};

use super::super::shares::{Shares, Window};
use super::super::{Desk, Event};
use crate::respond::{Outcome, Tally};
use crate::snapshot::{Current, Snapshot};

/// Between two looks at the counts.
pub(super) const PACE: Duration = Duration::from_secs(2);
/// Looks that are kept: five minutes.
pub(super) const LOOKS_MAX: usize = 150;
/// Rates are over so many looks.
const RATE_LOOKS: usize = 5;
/// Events that are kept.
pub(super) const EVENTS_MAX: usize = 200;

/// What became of a query, as far as people look at it first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It got records, or the way to them.
    Answered,
    /// There is no such name, or nothing of that type.
    Empty,
    /// It got an error: refused, broken, malformed.
    Error,
    /// It got nothing, or less than it asked for, because of a limit.
    Limited,
}

impl Fate {
    pub(super) const ALL: [Self; 4] = [Self::Answered, Self::Empty, Self::Error, Self::Limited];

    fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Answered | Outcome::Referred | Outcome::Told | Outcome::CookieGiven => {
                Self::Answered
            }
            Outcome::NoData | Outcome::NxDomain => Self::Empty,
            Outcome::Refused
            | Outcome::Failed
            | Outcome::Malformed
            | Outcome::NotImplemented
            | Outcome::BadVersion
            | Outcome::TooLong => Self::Error,
            Outcome::BadCookie | Outcome::Slipped | Outcome::Limited | Outcome::Dropped => {
                Self::Limited
            }
        }
    }
}

/// All packets since the process started, by their fate.
pub(super) type Counts = [u64; 4];

/// What the dashboard remembers.
#[derive(Debug, Default)]
pub struct Record(Mutex<Past>);

#[derive(Debug, Default)]
pub(super) struct Past {
    looks: VecDeque<(Instant, Counts)>,
    services: HashMap<String, (Window, Shares)>,
    /// With when each was told, in Unix seconds; the latest last.
    events: VecDeque<(u64, Event)>,
}

impl Record {
    /// What is remembered, for as long as it takes to read.
    pub(super) fn past(&self) -> MutexGuard<'_, Past> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Past {
    /// Takes a look at all counts: of packets, and for each service of what its addresses were
    /// first in.
    pub(super) fn look(
        &mut self,
        now: Instant,
        counts: Counts,
        firsts: impl IntoIterator<Item = (String, Vec<u64>)>,
    ) {
        if self.looks.len() == LOOKS_MAX {
            self.looks.pop_front();
        }
        self.looks.push_back((now, counts));
        let mut before = std::mem::take(&mut self.services);
        let services = firsts.into_iter().map(|(id, firsts)| {
            let (mut window, _) = before.remove(&id).unwrap_or_default();
            let shares = window.note(now, firsts);
            (id, (window, shares))
        });
        self.services = services.collect();
    }

    pub(super) fn note(&mut self, unix_now: u64, event: Event) {
        if self.events.len() == EVENTS_MAX {
            self.events.pop_front();
        }
        self.events.push_back((unix_now, event));
    }

    /// Packets a second between each two looks, by their fate, the oldest first.
    pub(super) fn course(&self) -> Vec<[f64; 4]> {
        let pairs = self.looks.iter().zip(self.looks.iter().skip(1));
        pairs.map(|(before, after)| rate(before, after)).collect()
    }

    /// Packets a second lately, by their fate; none before there were two looks.
    pub(super) fn rates(&self) -> Option<[f64; 4]> {
        let last = self.looks.len().checked_sub(1)?;
        let first = last.saturating_sub(RATE_LOOKS);
        (first < last).then(|| rate(&self.looks[first], &self.looks[last]))
    }

    /// What a service's addresses answer lately.
    pub(super) fn shares(&self, service: &str) -> Option<&Shares> {
        self.services.get(service).map(|(_, shares)| shares)
    }

    /// What happened, the latest first.
    pub(super) fn events(&self) -> impl Iterator<Item = &(u64, Event)> {
        self.events.iter().rev()
    }
}

fn rate((then, before): &(Instant, Counts), (now, after): &(Instant, Counts)) -> [f64; 4] {
    let seconds = now.saturating_duration_since(*then).as_secs_f64().max(0.001);
    let mut rates = [0.0; 4];
    for (at, rate) in rates.iter_mut().enumerate() {
        *rate = after[at].saturating_sub(before[at]) as f64 / seconds;
    }
    rates
}

/// Keeps the record of a desk until `stop` is over.
pub async fn keep_record(
    desk: Desk,
    tallies: Vec<Arc<Tally>>,
    current: Arc<Current>,
    stop: impl Future<Output = ()>,
) {
    let mut stop = std::pin::pin!(stop);
    let mut events = desk.events();
    let mut looks = interval(PACE);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = &mut stop => return,
            _ = looks.tick() => {
                let snapshot = Arc::clone(&current.load());
                let (counts, firsts) = counted(&tallies, &snapshot);
                desk.record().past().look(super::super::now(), counts, firsts);
            }
            event = events.recv() => match event {
                Ok(event) => desk.record().past().note(unix_now(), event),
                Err(RecvError::Lagged(events)) => {
                    desk.record().past().note(unix_now(), Event::Lost { events });
                }
                // Nothing is told any more: the end is near.
                Err(RecvError::Closed) => return,
            },
        }
    }
}

fn counted(tallies: &[Arc<Tally>], snapshot: &Snapshot) -> (Counts, Vec<(String, Vec<u64>)>) {
    let mut counts = Counts::default();
    for outcome in Outcome::ALL {
        let sum: u64 = tallies.iter().map(|tally| tally.outcome(outcome)).sum();
        counts[Fate::of(outcome) as usize] += sum;
    }
    let mut sums = Vec::new();
    tallies.iter().for_each(|tally| tally.add_firsts(&mut sums));
    let entries = snapshot.zones().flat_map(|(_, zone)| zone.services());
    let firsts = entries.map(|entry| {
        let first = |slot: &crate::snapshot::AddressSlot| sums.get(slot.0 as usize).copied();
        let firsts = entry.addresses.iter().map(|slot| first(slot).unwrap_or(0));
        (entry.service.id.clone(), firsts.collect())
    });
    (counts, firsts.collect())
}

#[expect(clippy::disallowed_methods, reason = "an I/O floor: a log has times")]
fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(past: &mut Past, at: Instant, answered: u64, firsts: &[(&str, [u64; 2])]) {
        let firsts = firsts.iter().map(|(id, firsts)| ((*id).to_owned(), firsts.to_vec()));
        past.look(at, [answered, 0, 0, 0], firsts);
    }

    #[test]
    fn rates_are_of_the_last_looks_and_the_course_is_bounded() {
        let (mut past, start) = (Past::default(), super::super::super::now());
        assert_eq!((past.rates(), past.course().len()), (None, 0));
        look(&mut past, start, 1000, &[]);
        assert_eq!(past.rates(), None, "what was counted before the first look is no rate");
        for n in 1..1000 {
            look(&mut past, start + n * PACE, 1000 + u64::from(n) * 20, &[]);
        }
        assert_eq!(past.rates(), Some([10.0, 0.0, 0.0, 0.0]));
        assert_eq!(past.course().len(), LOOKS_MAX - 1);
    }

    #[test]
    fn services_that_go_are_forgotten_and_a_count_that_begins_anew_is_no_rate() {
        let (mut past, start) = (Past::default(), super::super::super::now());
        look(&mut past, start, 9, &[("a", [0, 0]), ("b", [5, 5])]);
        look(&mut past, start + PACE, 4, &[("a", [6, 2])]);
        assert_eq!(past.rates(), Some([0.0; 4]));
        assert_eq!(past.shares("a").unwrap().of, [Some(0.75), Some(0.25)]);
        assert!(past.shares("b").is_none());
    }

    #[test]
    fn of_events_the_latest_are_kept() {
        let mut past = Past::default();
        for n in 0..1000 {
            past.note(n, Event::Lost { events: n });
        }
        let times: Vec<u64> = past.events().map(|(at, _)| *at).collect();
        assert_eq!((times.len(), times[0], times[EVENTS_MAX - 1]), (EVENTS_MAX, 999, 800));
    }

    #[test]
    fn every_outcome_has_one_fate() {
        let fates: Vec<Fate> = Outcome::ALL.into_iter().map(Fate::of).collect();
        assert!(Fate::ALL.iter().all(|fate| fates.contains(fate)));
    }
}
