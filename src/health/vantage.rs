//! Who else looks at nodes, and says what it sees: a proxy, another prober, a person with a script.
//!
//! A *vantage* is a name that reports come under. It says of one address of one node that requests
//! passed or failed there, and so gets an [`Opinion`]; what all opinions on an address say together
//! is a [`Poll`], and a [`Quorum`](super::Quorum) decides what that is worth beside this prober's
//! own verdicts.
//!
//! ```text
//!   handle_report(spot, name, word)    once for every word; a `Turn` asks for new plans
//!   lapse(now)                         ends what nobody repeats; a `Turn` for each
//!   poll(node, ip)                     what all say of an address
//! ```
//!
//! What comes from outside may be wrong, doubled or endless. So an opinion ends by itself when
//! nobody repeats it, names and opinions have limits, and nothing here survives a restart: who has
//! something to say says it again. Addresses are named by the id of their node, so a reload keeps
//! what was said of nodes that stay.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use super::Status;
use super::opinion::{Counts, Opinion, Word};
use super::quorum::Poll;

/// Vantages at a time: each is a label of metrics, and a vote.
pub const VANTAGES_MAX: usize = 16;
/// Opinions at a time, of all vantages on all addresses: some 20 MB with their words.
pub const OPINIONS_MAX: usize = 10_000;
/// Longest name of a vantage, in octets.
pub const NAME_LEN_MAX: usize = 64;

/// Who may report, and how words become opinions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hearing {
    /// The names that are heard; none of them where all are, up to [`VANTAGES_MAX`].
    pub names: Vec<String>,
    /// When an opinion turns, and ends.
    pub counts: Counts,
}

/// All that others say.
#[derive(Clone, Debug, Default)]
pub struct Vantages {
    hearing: Hearing,
    voices: BTreeMap<Arc<str>, Voice>,
    /// By the node's id.
    opinions: HashMap<String, Vec<Entry>>,
    count: usize,
}

#[derive(Clone, Debug)]
struct Entry {
    ip: IpAddr,
    from: Arc<str>,
    opinion: Opinion,
}

/// What is known of one vantage itself.
#[derive(Clone, Debug)]
pub struct Voice {
    /// When it said something last.
    pub heard: Instant,
    /// Words that passed.
    pub passed: u64,
    /// Words that failed.
    pub failed: u64,
}

/// An opinion is another than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Whose.
    pub from: Arc<str>,
    /// On which node, by its id.
    pub node: String,
    /// On which of its addresses.
    pub ip: IpAddr,
    /// What it was.
    pub before: Status,
    /// What it is; unknown where it has lapsed.
    pub now: Status,
    /// What was complained of last.
    pub reason: Option<String>,
    /// It decides, or did: else only words against it began or ceased to be counted.
    pub is_status: bool,
}

/// Why a report is not heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unheard {
    /// The name is not among those that are heard.
    Stranger,
    /// The name is none.
    Name,
    /// There are [`VANTAGES_MAX`] already, all with something to say.
    Vantages,
    /// There are [`OPINIONS_MAX`] opinions already.
    Opinions,
}

impl Vantages {
    /// Hears by these rules from now on; who is not heard any more has said nothing. Gives what
    /// turned by that.
    pub fn configure(&mut self, hearing: Hearing) -> Vec<Turn> {
        self.voices.retain(|name, _| hearing.hears(name));
        let turns = self.end(|entry| !hearing.hears(&entry.from));
        self.hearing = hearing;
        turns
    }

    /// The rules in force.
    pub fn hearing(&self) -> &Hearing {
        &self.hearing
    }

    /// Forgets what is said of addresses that are not in force any more.
    pub fn retain(&mut self, is_in_force: impl Fn(&str, IpAddr) -> bool) {
        self.keep(|node, entry| is_in_force(node, entry.ip));
    }

    fn keep(&mut self, wanted: impl Fn(&str, &Entry) -> bool) {
        self.opinions.retain(|node, entries| {
            entries.retain(|entry| wanted(node, entry));
            !entries.is_empty()
        });
        self.count = self.opinions.values().map(Vec::len).sum();
    }

    /// Whether words of this vantage on these addresses, by their nodes' ids, will be heard.
    pub fn admits<'s>(
        &self,
        from: &str,
        spots: impl Iterator<Item = (&'s str, IpAddr)>,
    ) -> Result<(), Unheard> {
        if !is_name(from) {
            return Err(Unheard::Name);
        }
        if !self.hearing.hears(from) {
            return Err(Unheard::Stranger);
        }
        let is_full = self.voices.len() >= VANTAGES_MAX && !self.voices.contains_key(from);
        if is_full && self.quietest().is_none() {
            return Err(Unheard::Vantages);
        }
        let news = spots.filter(|(node, ip)| self.entry(node, *ip, from).is_none()).count();
        if self.count + news > OPINIONS_MAX { Err(Unheard::Opinions) } else { Ok(()) }
    }

    /// Takes one word of a vantage that is [admitted](Self::admits), on an address of a node.
    pub fn handle_report(
        &mut self,
        from: &str,
        node: &str,
        ip: IpAddr,
        word: Word,
    ) -> Option<Turn> {
        let from = self.voice(from, &word);
        let counts = self.hearing.counts;
        let entries = self.opinions.entry(node.to_owned()).or_default();
        let at = entries.iter().position(|entry| entry.ip == ip && entry.from == from);
        let (before, was_turning, entry) = match at {
            Some(at) => {
                let entry = &mut entries[at];
                let before = (entry.opinion.status(), entry.opinion.is_turning());
                if entry.opinion.ends(&counts) <= word.at {
                    entry.opinion = Opinion::new(word, &counts);
                } else {
                    entry.opinion.take(word, &counts);
                }
                (before.0, before.1, entry)
            }
            None => {
                self.count += 1;
                let opinion = Opinion::new(word, &counts);
                entries.push(Entry { ip, from, opinion });
                (Status::Unknown, false, entries.last_mut().expect("it was pushed"))
            }
        };
        let now = entry.opinion.status();
        let is_news = before != now || was_turning != entry.opinion.is_turning();
        is_news.then(|| entry.turn(node, before, now))
    }

    /// The name's own copy; its words are counted.
    fn voice(&mut self, from: &str, word: &Word) -> Arc<str> {
        if self.voices.len() >= VANTAGES_MAX
            && !self.voices.contains_key(from)
            && let Some(quietest) = self.quietest()
        {
            self.voices.remove(&quietest);
        }
        let known = self.voices.get_key_value(from).map(|(name, _)| Arc::clone(name));
        let name = known.unwrap_or_else(|| Arc::from(from));
        let fresh = Voice { heard: word.at, passed: 0, failed: 0 };
        let voice = self.voices.entry(Arc::clone(&name)).or_insert(fresh);
        voice.heard = word.at;
        *(if word.passed { &mut voice.passed } else { &mut voice.failed }) += u64::from(word.count);
        name
    }

    /// Of those that have nothing to say now, the one that has been silent longest.
    fn quietest(&self) -> Option<Arc<str>> {
        let speaks = |name: &Arc<str>| self.opinions.values().flatten().any(|it| it.from == *name);
        let silent = self.voices.iter().filter(|(name, _)| !speaks(name));
        silent.min_by_key(|(_, voice)| voice.heard).map(|(name, _)| Arc::clone(name))
    }

    /// Ends every opinion that nobody has repeated for too long.
    pub fn lapse(&mut self, now: Instant) -> Vec<Turn> {
        let counts = self.hearing.counts;
        self.end(|entry| entry.opinion.ends(&counts) <= now)
    }

    fn end(&mut self, is_over: impl Fn(&Entry) -> bool) -> Vec<Turn> {
        let mut turns = Vec::new();
        for (node, entries) in &self.opinions {
            let over = entries.iter().filter(|entry| is_over(entry));
            turns.extend(over.map(|it| it.turn(node, it.opinion.status(), Status::Unknown)));
        }
        if !turns.is_empty() {
            self.keep(|_, entry| !is_over(entry));
        }
        turns
    }

    /// When [`lapse`](Self::lapse) has something next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let all = self.opinions.values().flatten();
        all.map(|entry| entry.opinion.ends(&self.hearing.counts)).min()
    }

    /// What all of them say of one address.
    pub fn poll(&self, node: &str, ip: IpAddr) -> Poll {
        let mut poll = Poll::default();
        for (_, opinion) in self.opinions_on(node, ip) {
            match opinion.status() {
                Status::Up => poll.up += 1,
                Status::Down => poll.down += 1,
                Status::Draining | Status::Unknown => {}
            }
            poll.turning |= opinion.is_turning();
        }
        poll
    }

    /// What each says of one address, in the order in which they began to.
    pub fn opinions_on(&self, node: &str, ip: IpAddr) -> impl Iterator<Item = (&str, &Opinion)> {
        let entries = self.opinions.get(node).into_iter().flatten();
        let own = entries.filter(move |entry| entry.ip == ip);
        own.map(|entry| (&*entry.from, &entry.opinion))
    }

    /// Every vantage that has said something, and how many addresses are up, down and unknown to
    /// it.
    pub fn voices(&self) -> impl Iterator<Item = (&str, &Voice, [usize; 3])> {
        self.voices.iter().map(|(name, voice)| {
            let own = || self.opinions.values().flatten().filter(|entry| entry.from == *name);
            let are = |status| own().filter(|entry| entry.opinion.status() == status).count();
            let all = [Status::Up, Status::Down, Status::Unknown];
            (&**name, voice, all.map(are))
        })
    }

    fn entry(&self, node: &str, ip: IpAddr, from: &str) -> Option<&Entry> {
        let entries = self.opinions.get(node)?;
        entries.iter().find(|entry| entry.ip == ip && *entry.from == *from)
    }
}

/// True for what a vantage may be called: short, and fit for logs and labels.
pub fn is_name(text: &str) -> bool {
    let fit = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    !text.is_empty() && text.len() <= NAME_LEN_MAX && text.chars().all(fit)
}

impl Hearing {
    fn hears(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|known| known == name)
    }
}

impl Entry {
    fn turn(&self, node: &str, before: Status, now: Status) -> Turn {
        let reason = self.opinion.complaint().and_then(|word| word.reason.clone());
        Turn {
            from: Arc::clone(&self.from),
            node: node.to_owned(),
            ip: self.ip,
            before,
            now,
            reason: reason.filter(|_| now == Status::Down),
            is_status: before != now,
        }
    }
}

#[cfg(test)]
mod tests;
