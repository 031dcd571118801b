//! Others who look at the world's nodes: one tells the truth, one lies, one says anything, and one
//! speaks for a while and then never again.
//!
//! The checker keeps every word that was ever said, and holds each opinion against them: it is down
//! only after as many bad words in a row as it takes, it is down at once where one word is enough,
//! and nothing is left of who has said nothing for so long as opinions last.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use rota::health::{Counts, Quorum, Standing, Status, Vantages, Word};

/// Those who report.
const NAMES: [&str; 4] = ["honest", "liar", "babbler", "mute"];
/// When the last of them falls silent.
const MUTE_AFTER: Duration = Duration::from_secs(600);

#[derive(Clone, Copy, Debug)]
struct Said {
    at: Instant,
    passed: bool,
    count: u32,
}

/// All that is said, twice: as the server keeps it, and word for word.
#[derive(Debug)]
pub(crate) struct Outside {
    pub(crate) vantages: Vantages,
    said: BTreeMap<(String, IpAddr, &'static str), Vec<Said>>,
    start: Instant,
}

impl Outside {
    pub(crate) fn new(start: Instant) -> Self {
        Self { vantages: Vantages::default(), said: BTreeMap::new(), start }
    }

    /// Ends what is over, and has one of them say something of a node that stands so; gives the
    /// nodes of which something else is said now.
    pub(crate) fn step(
        &mut self,
        (node, ip): (&str, IpAddr),
        stands: Standing,
        now: Instant,
        rng: &mut fastrand::Rng,
    ) -> Vec<String> {
        let mut turns = self.vantages.lapse(now);
        let from = NAMES[rng.usize(0..NAMES.len())];
        let is_up = stands.status == Status::Up;
        let passed = match from {
            "honest" => is_up,
            "liar" => !is_up,
            _ => rng.bool(),
        };
        if from != "mute" || now - self.start < MUTE_AFTER {
            let count = rng.u32(1..8);
            assert_eq!(self.vantages.admits(from, [(node, ip)].into_iter()), Ok(()));
            let word = Word { at: now, passed, count, reason: None };
            turns.extend(self.vantages.handle_report(from, node, ip, word));
            let key = (node.to_owned(), ip, from);
            self.said.entry(key).or_default().push(Said { at: now, passed, count });
        }
        self.check(now);
        turns.into_iter().map(|turn| turn.node).collect()
    }

    /// Holds every opinion against all that was said.
    fn check(&self, now: Instant) {
        let counts = Counts::default();
        for ((node, ip, from), said) in &self.said {
            let mut opinions = self.vantages.opinions_on(node, *ip);
            let opinion = opinions.find(|(name, _)| name == from).map(|(_, opinion)| opinion);
            let last = said.last().expect("who has an entry has said something");
            let Some(opinion) = opinion else {
                assert!(now - last.at >= counts.lasts, "{from} is forgotten too early");
                continue;
            };
            assert!(now - last.at < counts.lasts, "{from} is believed for ever");
            let run = said.iter().rev().take_while(|word| word.passed == last.passed);
            let run: u32 = run.map(|word| word.count).sum();
            match (opinion.status(), last.passed) {
                (Status::Down, false) => {
                    // Some run of bad words was long enough; good ones since were too few.
                    assert!(said.iter().any(|word| !word.passed) && run > 0);
                }
                (Status::Down, true) => assert!(run < counts.passes, "{from} {said:?}"),
                (Status::Up, true) => {}
                (Status::Up, false) | (Status::Unknown, _) => {
                    assert!(last.count < counts.fails && !last.passed, "{from} {said:?}");
                }
                (Status::Draining, _) => panic!("nobody says that of another"),
            }
            if opinion.status() == Status::Down && opinion.since() == last.at {
                let lately = |word: &&Said| !word.passed && last.at - word.at < counts.lasts;
                let bad: u32 = said.iter().rev().take_while(lately).map(|word| word.count).sum();
                assert!(bad >= counts.fails, "down without its count: {from} {said:?}");
            }
        }
    }

    /// What all say together of an address that the prober finds like this, vote by vote.
    pub(crate) fn verdict(
        &self,
        quorum: Quorum,
        (node, ip): (&str, IpAddr),
        own: Status,
    ) -> Status {
        let all = self.vantages.opinions_on(node, ip).map(|(_, opinion)| opinion.status());
        let votes = all.chain([own]).filter(|status| *status != Status::Unknown);
        let votes: Vec<bool> = votes.map(|status| status == Status::Down).collect();
        let down = votes.iter().filter(|down| **down).count();
        let decides = match quorum {
            Quorum::Count(count) => down >= usize::from(count.get()).min(votes.len()),
            Quorum::Majority => down * 2 > votes.len(),
            Quorum::All => down == votes.len(),
        };
        match (decides && down > 0, own) {
            (true, _) => Status::Down,
            (false, Status::Down) => Status::Up,
            (false, own) => own,
        }
    }
}
