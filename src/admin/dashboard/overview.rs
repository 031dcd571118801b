//! `/`: all services, what operators say, what happened.

use askama::Template;

use super::super::docs::{OverrideDoc, ServiceDoc, StatusDoc};
use super::super::{Health, Phase};
use super::alerts::{self, Alert};
use super::draw;
use super::frame::{self, Frame};
use super::record::{Fate, LOOKS_MAX, Past};
use super::rows::{self, Filter, PoolView, ROWS_MAX, Standing, Wanted};
use super::words::{self, EventLine};

/// Services of one page.
pub(super) const SERVICES_MAX: usize = 100;
/// Overrides of one page; `rota status` lists all.
const OVERRIDES_MAX: usize = 50;
/// Events of one page.
const EVENTS_SHOWN: usize = 50;
/// The box of the course of queries.
const COURSE: (f64, f64) = (300.0, 48.0);

/// The page.
#[derive(Debug, Template)]
#[template(path = "overview.html")]
pub(super) struct Overview {
    frame: Frame,
    filter: Filter,
    alerts: Vec<Alert>,
    alerts_more: usize,
    zones: usize,
    services_all: usize,
    standing: Standing,
    traffic: Traffic,
    services: Vec<ServiceView>,
    crowded: bool,
    page: usize,
    pages: usize,
    overrides: Vec<OverrideView>,
    overrides_more: usize,
    events: Vec<EventLine>,
}

/// One service on it.
#[derive(Debug)]
pub(super) struct ServiceView {
    pub(super) id: String,
    pub(super) owner: String,
    pub(super) steer: Option<String>,
    pub(super) policy: String,
    pub(super) ttl: u32,
    pub(super) rate: Option<String>,
    pub(super) standing: Standing,
    /// The pools' parts of all clients, as JSON, where it is split.
    pub(super) shares: Option<String>,
    pub(super) pools: Vec<PoolView>,
    /// Its addresses that are not shown.
    pub(super) left_out: usize,
}

/// What is asked.
#[derive(Debug)]
pub(super) struct Traffic {
    /// Queries a second; none before it is known.
    pub(super) rate: Option<String>,
    /// Each fate's word, class and rate.
    pub(super) parts: Vec<(&'static str, &'static str, String)>,
    /// Each fate's class and area.
    pub(super) areas: Vec<(&'static str, String)>,
    pub(super) title: String,
}

/// One override.
#[derive(Debug)]
pub(super) struct OverrideView {
    pub(super) id: u64,
    pub(super) scope: String,
    pub(super) says: String,
    pub(super) author: String,
    pub(super) times: String,
    pub(super) reason: String,
    pub(super) nodes: usize,
}

/// A template hands over references.
fn thousands(number: &usize) -> String {
    words::thousands(*number)
}

impl OverrideView {
    pub(super) fn of(one: &OverrideDoc, now: u64) -> Self {
        Self {
            id: one.id,
            scope: one.scope.clone(),
            says: one.says.to_string(),
            author: one.author.clone(),
            times: words::times(one, now),
            reason: one.reason.clone().unwrap_or_default(),
            nodes: one.nodes,
        }
    }
}

impl ServiceView {
    /// A service with at most `room` of its addresses.
    pub(super) fn of(
        service: &ServiceDoc,
        chosen: &[bool],
        room: usize,
        past: &Past,
        now: u64,
    ) -> Self {
        let shares = past.shares(&service.id).filter(|it| it.of.len() == chosen.len());
        let pools = rows::pools(service, chosen, room, shares, now);
        let shown: usize = pools.iter().map(|pool| pool.rows.len()).sum();
        let standing = Standing::of(service);
        Self {
            id: service.id.clone(),
            owner: service.owner.clone(),
            steer: (service.pools.len() > 1).then(|| service.steer.clone()),
            policy: service.policy.clone(),
            ttl: service.ttl,
            rate: shares.map(|shares| words::rate(shares.per_second)),
            shares: rows::split(service),
            left_out: standing.all - shown,
            standing,
            pools: pools.into_iter().filter(|pool| !pool.rows.is_empty()).collect(),
        }
    }

    pub(super) fn shows_any(&self) -> bool {
        !self.pools.is_empty()
    }
}

impl Traffic {
    pub(super) fn of(past: &Past) -> Self {
        const WORDS: [(&str, &str); 4] =
            [("answered", "a"), ("empty", "e"), ("errors", "x"), ("limited", "l")];
        let rates = past.rates();
        let part = |fate: Fate| {
            let (word, class) = WORDS[fate as usize];
            Some((word, class, words::rate(rates?[fate as usize])))
        };
        let course = draw::areas(&past.course(), LOOKS_MAX, COURSE);
        let title = match &course {
            Some((_, tallest)) => {
                format!(
                    "queries of the last five minutes, at most {} a second",
                    words::rate(*tallest)
                )
            }
            None => "queries of the last five minutes: not known yet".to_owned(),
        };
        let areas = course.map(|(paths, _)| paths).into_iter().flatten().zip(WORDS);
        Self {
            rate: rates.map(|rates| words::rate(rates.iter().sum())),
            parts: Fate::ALL.into_iter().filter_map(part).collect(),
            areas: areas.map(|(path, (_, class))| (class, path)).collect(),
            title,
        }
    }
}

impl Overview {
    /// The page of these facts; `page` counts from 1.
    pub(super) fn new(
        frame: Frame,
        status: &StatusDoc,
        past: &Past,
        (phase, health): (Phase, Health),
        filter: Filter,
        page: usize,
    ) -> Self {
        let mut standing = Standing::default();
        status.services.iter().for_each(|service| standing.add(service));
        let crowded = standing.all > ROWS_MAX;
        let chosen = |service| (service, rows::chosen(service, &filter, crowded));
        let mut meant: Vec<(&ServiceDoc, Vec<bool>)> = status.services.iter().map(chosen).collect();
        if !filter.is_empty() {
            meant.retain(|(_, chosen)| chosen.contains(&true));
        }
        if crowded {
            // What somebody should look at stands first, however far down it is written.
            meant.sort_by_key(|(service, _)| Standing::of(service).trouble == 0);
        }
        let pages = meant.len().div_ceil(SERVICES_MAX).max(1);
        let page = page.clamp(1, pages);
        let mut room = ROWS_MAX;
        let shown = meant.iter().skip((page - 1) * SERVICES_MAX).take(SERVICES_MAX);
        let services = shown.map(|(service, chosen)| {
            let view = ServiceView::of(service, chosen, room, past, status.now);
            room -= view.pools.iter().map(|pool| pool.rows.len()).sum::<usize>();
            view
        });
        let services = services.collect();
        let (alerts, alerts_more) = alerts::alerts(status, phase, health);
        let overrides = status.overrides.iter().rev().take(OVERRIDES_MAX);
        Self {
            frame,
            alerts,
            alerts_more,
            zones: status.zones.len(),
            services_all: status.services.len(),
            standing,
            traffic: Traffic::of(past),
            services,
            crowded,
            page,
            pages,
            overrides: overrides.map(|one| OverrideView::of(one, status.now)).collect(),
            overrides_more: status.overrides.len().saturating_sub(OVERRIDES_MAX),
            events: past.events().take(EVENTS_SHOWN).map(EventLine::of).collect(),
            filter,
        }
    }

    /// The title of the window: what is wrong is seen on a tab among others.
    fn title(&self) -> String {
        match (self.standing.down, self.alerts.len() + self.alerts_more) {
            (0, 0) => "rota".to_owned(),
            (0, alerts) => format!("{} · rota", words::count(alerts, "alert")),
            (down, _) => format!("{} down · rota", words::thousands(down)),
        }
    }

    /// Another page of the same search.
    fn href(&self, page: usize) -> String {
        let wanted = Wanted::ALL.into_iter().find(|(wanted, ..)| *wanted == self.filter.status);
        let status = wanted.map_or("", |(_, value, _)| value);
        format!("/?q={}&status={status}&page={page}", frame::escaped(&self.filter.text))
    }
}
