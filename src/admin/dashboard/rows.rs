//! One address of one node as a page shows it, and which addresses a page shows.
//!
//! A page must stay usable with a thousand nodes, so it never shows all of them at once. While
//! there are few, all are shown. Where there are many, those are that somebody should look at, and
//! the others are a number; a filter or the page of their service shows them. However many there
//! are, a page has at most [`ROWS_MAX`] of them.

use super::super::docs::{AddressDoc, NodeDoc, PoolDoc, ServiceDoc, Status};
use super::super::reports::OpinionDoc;
use super::super::shares::Shares;
use super::draw::{Spark, Strip, spark};
use super::words;

/// Rows of one page; about 60 elements each.
pub(super) const ROWS_MAX: usize = 100;

/// Opinions of others that a row has room for.
const OPINIONS_MAX: usize = 3;

/// What is looked for: text in names, addresses and reasons, and a status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    /// As it was typed.
    pub(super) text: String,
    pub(super) status: Wanted,
    lower: String,
}

/// Which addresses are looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All.
    #[default]
    All,
    /// Those that somebody should look at.
    Trouble,
    /// Those of an effective status.
    Only(Status),
}

impl Wanted {
    /// What may be chosen: the value in the URL, and the word for it.
    pub(super) const ALL: [(Self, &'static str, &'static str); 6] = [
        (Self::All, "", "any status"),
        (Self::Trouble, "trouble", "needs a look"),
        (Self::Only(Status::Up), "up", "up"),
        (Self::Only(Status::Down), "down", "down"),
        (Self::Only(Status::Draining), "draining", "draining"),
        (Self::Only(Status::Unknown), "unknown", "unknown"),
    ];

    pub(super) fn read(text: &str) -> Self {
        let found = Self::ALL.into_iter().find(|(_, value, _)| *value == text);
        found.map_or(Self::All, |(wanted, ..)| wanted)
    }

    fn takes(self, node: &NodeDoc, address: &AddressDoc) -> bool {
        match self {
            Self::All => true,
            Self::Trouble => is_trouble(node, address),
            Self::Only(status) => address.effective == status,
        }
    }
}

impl Filter {
    pub(super) fn new(text: &str, status: Wanted) -> Self {
        let text = text.trim();
        Self { text: text.to_owned(), status, lower: text.to_lowercase() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lower.is_empty() && self.status == Wanted::All
    }

    fn is_in(&self, text: &str) -> bool {
        text.to_lowercase().contains(&self.lower)
    }

    /// A service's name takes all of its addresses along.
    fn takes(&self, service: &ServiceDoc, node: &NodeDoc, address: &AddressDoc) -> bool {
        let reason = address.last.as_ref().and_then(|last| last.reason.as_deref());
        self.status.takes(node, address)
            && (self.lower.is_empty()
                || self.is_in(&service.owner)
                || self.is_in(&service.id)
                || self.is_in(&node.id)
                || self.is_in(&address.address.to_string())
                || reason.is_some_and(|reason| self.is_in(reason)))
    }
}

/// True for an address that somebody should look at.
pub(super) fn is_trouble(node: &NodeDoc, address: &AddressDoc) -> bool {
    let well = matches!(address.effective, Status::Up | Status::Unchecked);
    let doubted = address.vantages.iter().any(is_bad);
    let told = !node.overrides.is_empty() || address.guard.is_some() || address.turning;
    let warned = address.last.as_ref().is_some_and(|last| last.warning.is_some());
    !well || told || warned || doubted
}

/// Which of a service's addresses are shown, in the order written; `crowded` where there are too
/// many to show all of them.
pub(super) fn chosen(service: &ServiceDoc, filter: &Filter, crowded: bool) -> Vec<bool> {
    let nodes = service.pools.iter().flat_map(|pool| &pool.nodes);
    let of = nodes.flat_map(|node| node.addresses.iter().map(move |address| (node, address)));
    let taken = |(node, address)| match filter.is_empty() {
        true => !crowded || is_trouble(node, address),
        false => filter.takes(service, node, address),
    };
    of.map(taken).collect()
}

/// One address.
#[derive(Debug)]
pub(super) struct Row {
    /// The node's id; an operator's word is about the node.
    pub(super) node_id: String,
    pub(super) name: String,
    /// The first of its node's rows.
    pub(super) leads: bool,
    pub(super) address: String,
    pub(super) status: Status,
    pub(super) mark: char,
    /// What checks say, where something else holds.
    pub(super) real: Option<Status>,
    pub(super) turning: bool,
    pub(super) answering: bool,
    /// The ids of the overrides that hold.
    pub(super) overrides: Vec<u64>,
    pub(super) guard: Option<String>,
    /// What resolvers hold of its node, which is out of the answers.
    pub(super) cached: Option<String>,
    /// What others say who look at it, where it is not well to them.
    pub(super) opinions: Vec<String>,
    pub(super) since: String,
    /// When that was, for a machine.
    pub(super) since_moment: String,
    pub(super) reason: String,
    /// `p`, `w`, `f`, `n` as of a strip, or nothing.
    pub(super) reason_class: &'static str,
    pub(super) spark: Option<Spark>,
    pub(super) strip: Strip,
    /// Its part of the service's answers: in percent for people, and as wide as its bar is.
    pub(super) share: Option<(String, String)>,
    pub(super) rate: String,
    pub(super) weight: u16,
    pub(super) weight_configured: u16,
}

impl Row {
    /// `at` is the address's place among those of its node, `index` among those of the service.
    pub(super) fn of(
        node: &NodeDoc,
        at: usize,
        shares: Option<&Shares>,
        index: usize,
        now: u64,
    ) -> Self {
        let address = &node.addresses[at];
        let share = shares.and_then(|shares| shares.of.get(index).copied().flatten());
        let percent =
            |share: f64| (format!("{:.0}%", share * 100.0), format!("{:.1}", share * 100.0));
        let rate = shares.zip(share).map(|(shares, share)| shares.per_second * share);
        let cached = node.cached.as_ref().filter(|cached| !cached.is_gone());
        let (last, reported) = (address.last.as_ref(), address.reported());
        Self {
            node_id: node.id.clone(),
            name: node.name.clone(),
            leads: at == 0,
            address: address.address.to_string(),
            status: address.effective,
            mark: words::mark(address.effective),
            real: (address.real != address.effective).then_some(address.real),
            turning: address.turning,
            answering: address.answering,
            overrides: node.overrides.clone(),
            guard: address.guard.as_ref().map(|guard| guard.says.clone()),
            cached: cached.filter(|_| at == 0).map(ToString::to_string),
            opinions: opinions(address),
            since: address.since.map_or_else(String::new, |at| words::age(now.saturating_sub(at))),
            since_moment: address.since.map_or_else(String::new, words::moment),
            reason_class: match &reported {
                Some(_) => "f",
                None => last.map_or("", |last| super::draw::mark(last).class()),
            },
            reason: reported
                .or_else(|| last.map(words::verdict))
                .unwrap_or_else(|| "not probed".to_owned()),
            spark: spark(&address.latencies_ms),
            strip: Strip::of_latencies(&address.latencies_ms),
            share: share.map(percent),
            rate: rate.map_or_else(String::new, words::rate),
            weight: node.weight,
            weight_configured: node.weight_configured,
        }
    }
}

/// True for an opinion that an address is not well; unknown is none.
fn is_bad(one: &OpinionDoc) -> bool {
    matches!(one.status, Status::Down | Status::Draining)
}

/// What others say of an address, where it is not well to them.
fn opinions(address: &AddressDoc) -> Vec<String> {
    let bad = address.vantages.iter().filter(|one| is_bad(one));
    let told = bad.take(OPINIONS_MAX).map(|one| {
        let reason = one.reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        format!("{} says {}{reason}", one.from, one.status)
    });
    told.collect()
}

/// One pool with the rows of it that are shown.
#[derive(Debug)]
pub(super) struct PoolView {
    /// Empty for the one pool of a simple service.
    pub(super) name: String,
    /// `zone/service/pool`; the service's for a pool without a name.
    pub(super) id: String,
    /// Its part of all clients, where the service is split.
    pub(super) share: Option<String>,
    pub(super) rows: Vec<Row>,
}

/// The pools of a service with those of its addresses that are chosen, at most `room` of them.
pub(super) fn pools(
    service: &ServiceDoc,
    chosen: &[bool],
    room: usize,
    shares: Option<&Shares>,
    now: u64,
) -> Vec<PoolView> {
    let (mut index, mut left) = (0, room);
    let mut views = Vec::new();
    for pool in &service.pools {
        let mut rows = Vec::new();
        for node in &pool.nodes {
            for at in 0..node.addresses.len() {
                if left > 0 && chosen.get(index).copied().unwrap_or(false) {
                    let mut row = Row::of(node, at, shares, index, now);
                    let shown = rows.last().is_some_and(|before: &Row| before.node_id == node.id);
                    row.leads = !shown;
                    rows.push(row);
                    left -= 1;
                }
                index += 1;
            }
        }
        let share = pool.share.zip(pool.share_configured).map(|(share, configured)| {
            if share == configured {
                format!("{share} % of all clients")
            } else {
                format!("{share} % of all clients, configured {configured} %")
            }
        });
        let id = match pool.name.as_str() {
            "" => service.id.clone(),
            name => format!("{}/{name}", service.id),
        };
        views.push(PoolView { name: pool.name.clone(), id, share, rows });
    }
    views
}

/// The pools of a split service with their parts of all clients in percent, as JSON; none where it
/// is not split.
pub(super) fn split(service: &ServiceDoc) -> Option<String> {
    let of = |pool: &PoolDoc| Some((pool.name.clone(), pool.share?));
    let shares: Vec<(String, u8)> = service.pools.iter().map(of).collect::<Option<_>>()?;
    (shares.len() > 1).then(|| serde_json::json!(shares).to_string())
}

/// How many addresses stand how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) all: usize,
    pub(super) up: usize,
    pub(super) down: usize,
    pub(super) draining: usize,
    pub(super) unknown: usize,
    pub(super) unchecked: usize,
    /// Those that somebody should look at.
    pub(super) trouble: usize,
}

impl Standing {
    pub(super) fn add(&mut self, service: &ServiceDoc) {
        for node in service.pools.iter().flat_map(|pool| &pool.nodes) {
            for address in &node.addresses {
                self.all += 1;
                self.trouble += usize::from(is_trouble(node, address));
                *match address.effective {
                    Status::Up => &mut self.up,
                    Status::Down => &mut self.down,
                    Status::Draining => &mut self.draining,
                    Status::Unknown => &mut self.unknown,
                    Status::Unchecked => &mut self.unchecked,
                } += 1;
            }
        }
    }

    pub(super) fn of(service: &ServiceDoc) -> Self {
        let mut standing = Self::default();
        standing.add(service);
        standing
    }

    /// Those that there are, with the word, the mark and the class of each.
    pub(super) fn parts(&self) -> Vec<(usize, Status, char)> {
        let all = [
            (self.up, Status::Up),
            (self.down, Status::Down),
            (self.draining, Status::Draining),
            (self.unknown, Status::Unknown),
            (self.unchecked, Status::Unchecked),
        ];
        let some = all.into_iter().filter(|(count, _)| *count > 0);
        some.map(|(count, status)| (count, status, words::mark(status))).collect()
    }
}
