//! Guards that remember: who is held in the answers, and whose weight still climbs.
//!
//! ```text
//!   a change, a load, a time that came ──► observe(service, board, now) ──► news for the log
//!                                              │
//!   holds(node, address), part(node) ◄─────────┘  what a Board says of them to plans
//!   poll_due(now): the services whose guards have something to do by the time alone
//! ```
//!
//! They stand between what checks say and what plans are made of, so no status ever changes because
//! of a guard. Each is bounded: a hold by windows, a ramp by its steps.

mod ramp;
mod withdraw;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::health::Share;

use self::withdraw::{Place, Said};
use super::board::{Board, Judged, judge};
use super::eligible::Duty;
use super::service::{Node, Service};

/// What guards know of every service that has some.
#[derive(Clone, Debug, Default)]
pub struct Guards {
    nodes: HashMap<String, Watched>,
    /// By service: when to look again.
    due: HashMap<String, Instant>,
}

/// One node.
#[derive(Clone, Debug, Default)]
struct Watched {
    places: Vec<(IpAddr, Place)>,
    /// Whether any of its addresses serves; none where nothing has been known of it yet.
    serves: Option<bool>,
    /// Since when its weight climbs, and to what it has.
    ramp: Option<(Instant, Share)>,
}

/// What a guard did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// An address fails, and stays in the answers because too much has left them.
    Held(String, IpAddr),
    /// An address that was held has left the answers, or serves again.
    Released(String, IpAddr),
    /// A node has returned, and its weight climbs.
    Climbs(String),
    /// A node has all of its weight again.
    Climbed(String),
}

/// What a guard does to an address now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hand {
    /// It fails, and has been held in the answers since then.
    Holds(Instant),
    /// It returned then, and has this part of its weight.
    Ramps(Instant, Share),
}

impl Hand {
    /// For people: what it does, and since when.
    pub fn told(&self, now: Instant) -> String {
        let ago = |since: Instant| {
            let secs = now.saturating_duration_since(since).as_secs();
            humantime::format_duration(Duration::from_secs(secs)).to_string()
        };
        match self {
            Self::Holds(since) => {
                format!("held in the answers for {}: too much has left them", ago(*since))
            }
            Self::Ramps(since, share) => {
                format!("returned {} ago: has {share} of its weight", ago(*since))
            }
        }
    }
}

impl Guards {
    /// Looks at a service whose nodes may stand otherwise; `board` is without guards.
    pub fn observe(&mut self, service: &Service, board: &impl Board, now: Instant) -> Vec<News> {
        self.due.remove(&service.id);
        let (limit, lasts) = (service.guard.max_withdraw.as_ref(), service.guard.slow_start);
        if limit.is_none() && lasts.is_none() {
            service.nodes().for_each(|node| drop(self.nodes.remove(&node.id)));
            return Vec::new();
        }
        let judged = judge(service, board, |_| false);
        let said: Vec<(Said, u16)> = judged.iter().map(said).collect();
        let addresses = service.nodes().flat_map(|node| {
            node.addresses.iter().map(move |address| (node.id.as_str(), address.ip))
        });
        let addresses: Vec<(&str, IpAddr)> = addresses.collect();
        let mut places: Vec<Place> = addresses.iter().map(|(id, ip)| self.place(id, *ip)).collect();
        let before = places.clone();
        let mut due = withdraw::rule(&mut places, &said, limit, now);
        let mut news = Vec::new();
        for ((id, ip), (before, after)) in addresses.into_iter().zip(before.iter().zip(&places)) {
            match (is_held(before), is_held(after)) {
                (false, true) => news.push(News::Held(id.to_owned(), ip)),
                (true, false) => news.push(News::Released(id.to_owned(), ip)),
                (true, true) | (false, false) => {}
            }
        }
        let mut rest = places.iter().zip(&said);
        for node in service.nodes() {
            let own: Vec<_> = rest.by_ref().take(node.addresses.len()).collect();
            let watched = self.nodes.entry(node.id.clone()).or_default();
            let ips = node.addresses.iter().map(|address| address.ip);
            watched.places = ips.zip(own.iter().map(|(place, _)| **place)).collect();
            // What an operator puts in by force is to have its whole weight.
            let lasts = lasts.filter(|_| board.forced(&node.id).is_none());
            let next = watched.climb(&own, lasts, now, |climbs| {
                let id = node.id.clone();
                news.push(if climbs { News::Climbs(id) } else { News::Climbed(id) });
            });
            due = due.into_iter().chain(next).min();
        }
        if let Some(due) = due {
            self.due.insert(service.id.clone(), due);
        }
        news
    }

    /// Forgets the nodes and services that are not in force any more.
    pub fn retain<'s>(&mut self, services: impl Iterator<Item = &'s Service> + Clone) {
        let ids: HashSet<&str> =
            services.clone().flat_map(|it| it.nodes()).map(|node| node.id.as_str()).collect();
        self.nodes.retain(|id, _| ids.contains(id.as_str()));
        let ids: HashSet<&str> = services.map(|service| service.id.as_str()).collect();
        self.due.retain(|id, _| ids.contains(id.as_str()));
    }

    /// The services whose guards have something to do by the time alone: observe them, and make
    /// new plans for them.
    pub fn poll_due(&self, now: Instant) -> Vec<String> {
        let due = self.due.iter().filter(|(_, at)| **at <= now);
        due.map(|(service, _)| service.clone()).collect()
    }

    /// When [`poll_due`](Self::poll_due) has something next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.due.values().min().copied()
    }

    /// True for an address that fails, and is held in the answers.
    pub fn holds(&self, node: &Node, ip: IpAddr) -> bool {
        is_held(&self.place(&node.id, ip))
    }

    /// What a node has of its weight.
    pub fn part(&self, node: &Node) -> Share {
        let ramp = self.nodes.get(&node.id).and_then(|watched| watched.ramp);
        ramp.map_or(Share::WHOLE, |(_, share)| share)
    }

    /// What a guard does to an address of a node now.
    pub fn hand(&self, node: &str, ip: IpAddr) -> Option<Hand> {
        let watched = self.nodes.get(node)?;
        match (self.place(node, ip), watched.ramp) {
            (Place::Held(since), _) => Some(Hand::Holds(since)),
            (_, Some((since, share))) => Some(Hand::Ramps(since, share)),
            (Place::New | Place::In | Place::Out(_), None) => None,
        }
    }

    /// Of how many addresses what fails is held in the answers, and of how many the weight climbs.
    pub fn acting(&self) -> (usize, usize) {
        let all = || self.nodes.values();
        let held = all().flat_map(|it| &it.places).filter(|(_, place)| is_held(place)).count();
        let climbing = all().filter(|it| it.ramp.is_some()).map(|it| it.places.len()).sum();
        (held, climbing)
    }

    fn place(&self, node: &str, ip: IpAddr) -> Place {
        let places = self.nodes.get(node).map(|watched| &watched.places);
        let known = places.into_iter().flatten().find(|(known, _)| *known == ip);
        known.map_or(Place::New, |(_, place)| *place)
    }
}

impl Watched {
    /// Begins, goes on with or ends the climb of a node's weight; tells where it began (true) or
    /// ended, and gives when to look again.
    fn climb(
        &mut self,
        own: &[(&Place, &(Said, u16))],
        lasts: Option<Duration>,
        now: Instant,
        mut tell: impl FnMut(bool),
    ) -> Option<Instant> {
        let known = own.iter().any(|(place, _)| **place != Place::New);
        let serves = own.iter().any(|(place, _)| matches!(place, Place::In | Place::Held(_)));
        let returned = known && serves && self.serves == Some(false);
        if known {
            self.serves = Some(serves);
        }
        let since = match self.ramp {
            _ if returned => Some(now),
            Some((since, _)) if serves => Some(since),
            Some(_) | None => None,
        };
        let climbed = self.ramp.is_some();
        let (Some(since), Some(lasts)) = (since, lasts) else {
            self.ramp = None;
            return None;
        };
        let (share, next) = ramp::part(since, lasts, now);
        self.ramp = next.map(|_| (since, share));
        if climbed != next.is_some() {
            tell(next.is_some());
        }
        next
    }
}

fn is_held(place: &Place) -> bool {
    matches!(place, Place::Held(_))
}

fn said(judged: &Judged) -> (Said, u16) {
    let said = match judged.bare {
        Duty::Serving if !judged.known => Said::Nothing,
        Duty::Serving => Said::Serves,
        Duty::Barred => Said::Taken,
        Duty::Draining if judged.forced => Said::Taken,
        Duty::Draining => Said::Drains,
        Duty::Failed => Said::Fails,
    };
    (said, judged.seat.full)
}

impl fmt::Display for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held(node, ip) => {
                write!(f, "{node} {ip} fails, and is held in the answers: too much has left them")
            }
            Self::Released(node, ip) => write!(f, "{node} {ip} is held no more"),
            Self::Climbs(node) => write!(f, "{node} has returned: its weight climbs"),
            Self::Climbed(node) => write!(f, "{node} has its whole weight"),
        }
    }
}

#[cfg(test)]
mod tests;
