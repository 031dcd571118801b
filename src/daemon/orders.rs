//! What operators say: taken, written down, put in force, and ended when its time is over.
//!
//! A change is all or nothing, and written down before it holds. It is thought through on a copy,
//! the [`Draft`]: whatever refuses it on the way (an unknown name, no room, a full disk) has
//! changed nothing. When it is written, and what happens meanwhile, is `control/spoken.rs`'s
//! business.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::admin::docs::{ChangeForm, ChangedDoc, OutrankedDoc, Wish};
use crate::admin::{Change, Refusal, RefusalKind, Wanted};
use crate::snapshot::Snapshot;
use crate::steer::overrides::{Kind, ORDERS_MAX, Scope, What};
use crate::steer::{Order, Override, Overrides, Service, Steer};

use super::kept::Store;
use super::scopes::resolve;
use super::view::override_doc;

/// Scopes of one change.
const SCOPES_MAX: usize = 100;
/// Longest texts, in characters: they are shown in rows.
const REASON_MAX: usize = 500;
const AUTHOR_MAX: usize = 100;
const SCOPE_MAX: usize = 1000;
/// Longest time of an order: what is meant for longer belongs into the configuration.
const SECONDS_MAX: u64 = 366 * 24 * 3600;
/// Nodes that are listed for which something else holds.
const OUTRANKED_MAX: usize = 100;

/// Everything that operators have said.
#[derive(Debug, Default)]
pub(super) struct Orders {
    overrides: Overrides,
    /// None where nothing is kept.
    store: Option<Arc<Store>>,
    /// What is wrong with what was kept.
    notice: Option<String>,
}

/// Who asked for a change over which way, as the log has it.
pub(super) fn asker(change: &Change) -> String {
    match &change.wanted {
        Wanted::Form(ChangeForm { author: Some(author), .. }) => {
            format!("{}, {}", author.escape_debug(), change.source)
        }
        Wanted::Form(_) | Wanted::Lift(_) => change.source.clone(),
    }
}

/// What is found in the state folder: where changes are kept, what is, and what is wrong with it.
pub(super) type Read = (Store, Overrides, Option<String>);

/// A change that is thought through, and holds when it is written down.
#[derive(Debug)]
pub(super) struct Draft {
    /// All orders with the change in them.
    pub(super) next: Overrides,
    given: Vec<Order>,
    lifted: Vec<Order>,
    /// Who asked for it over which way.
    pub(super) source: String,
}

impl Draft {
    /// Ends the orders whose time is over meanwhile.
    pub(super) fn expire(&mut self, now: u64) {
        self.next.expire(now);
    }
}

/// A change that holds now.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// What the operator is told.
    pub(super) doc: ChangedDoc,
    /// Whose plans are out of date.
    pub(super) touched: Vec<Scope>,
}

impl Orders {
    pub(super) fn overrides(&self) -> &Overrides {
        &self.overrides
    }

    pub(super) fn notice(&self) -> Option<&str> {
        self.notice.as_deref()
    }

    /// Keeps orders in this folder from now on, and takes over those that are there.
    pub(super) fn keep_in(&mut self, folder: PathBuf) {
        let (store, overrides, notice) = Store::open(folder);
        if let Some(notice) = &notice {
            tracing::error!("{notice}");
        }
        if !overrides.orders().is_empty() {
            tracing::info!(overrides = overrides.orders().len(), "overrides in force again");
        }
        *self = Self { overrides, store: Some(Arc::new(store)), notice };
    }

    /// Thinks a change through, or says why not; nothing holds by that.
    pub(super) fn draft(
        &self,
        change: &Change,
        snapshot: &Snapshot,
        now: u64,
    ) -> Result<Draft, Refusal> {
        let mut next = self.overrides.clone();
        let (given, lifted) = match &change.wanted {
            Wanted::Form(form) => {
                let words = Words::read(form, &change.source)?;
                obey(&mut next, form, &words, snapshot, now)?
            }
            Wanted::Lift(id) => {
                let error = || format!("no override has the id {id}");
                let lifted = next.remove(*id);
                let missing = || Refusal::new(RefusalKind::Unknown, error(), "");
                (Vec::new(), vec![lifted.ok_or_else(missing)?])
            }
        };
        Ok(Draft { next, given, lifted, source: asker(change) })
    }

    /// Puts a draft in force. It must be of what was in force before.
    pub(super) fn put_in_force(&mut self, draft: Draft, snapshot: &Snapshot, now: u64) -> Done {
        let Draft { next, given, lifted, source: _ } = draft;
        self.overrides = next;
        let scope = |order: &Order| order.scope.clone();
        let touched: Vec<Scope> = given.iter().chain(&lifted).map(scope).collect();
        let docs = |orders: &[Order]| orders.iter().map(|it| override_doc(it, snapshot)).collect();
        let outranked = self.outranked(&given, snapshot, now);
        let doc = ChangedDoc { given: docs(&given), lifted: docs(&lifted), outranked };
        Done { doc, touched }
    }

    /// True where a draft is another than what is in force.
    pub(super) fn is_news(&self, draft: &Draft) -> bool {
        draft.next != self.overrides
    }

    /// Ends the orders whose time is over; gives them.
    pub(super) fn expire(&mut self, now: u64) -> Vec<Order> {
        match self.overrides.next_expiry() {
            Some(next) if next <= now => self.overrides.expire(now),
            Some(_) | None => Vec::new(),
        }
    }

    /// What writes these down, whole or not at all, and blocks; none where nothing is kept.
    pub(super) fn saving(
        &self,
        overrides: &Overrides,
    ) -> Option<impl FnOnce() -> Result<(), String> + Send + 'static> {
        let (store, overrides) = (Arc::clone(self.store.as_ref()?), overrides.clone());
        Some(move || store.save(&overrides).map_err(|unkept| unkept.to_string()))
    }

    /// What reads the folder again, and blocks; none where nothing is kept.
    pub(super) fn reading(&self) -> Option<impl FnOnce() -> Read + Send + 'static> {
        let folder = self.store.as_ref()?.folder().to_owned();
        Some(move || Store::open(folder))
    }

    /// Takes over what was read again; gives the scopes of what is another than before.
    pub(super) fn take_over(&mut self, (store, overrides, notice): Read) -> Vec<Scope> {
        let (before, after) = (self.overrides.orders(), overrides.orders());
        let gone = before.iter().filter(|order| !after.contains(order));
        let come = after.iter().filter(|order| !before.contains(order));
        let scopes: Vec<Scope> = gone.chain(come).map(|order| order.scope.clone()).collect();
        if !scopes.is_empty() {
            tracing::info!(changed = scopes.len(), "overrides taken over that were given last");
        }
        let notice = notice.or_else(|| self.notice.take());
        *self = Self { overrides, store: Some(Arc::new(store)), notice };
        scopes
    }

    /// Nodes that were meant, but for which something else holds.
    fn outranked(&self, given: &[Order], snapshot: &Snapshot, now: u64) -> Vec<OutrankedDoc> {
        let mut outranked = Vec::new();
        for node in services(snapshot).flat_map(Service::nodes) {
            for order in given.iter().filter(|order| order.scope.rank(&node.id).is_some()) {
                let ruling = match order.what.kind() {
                    Kind::Force => self.overrides.forced(&node.id, now).map(|(_, by)| by),
                    Kind::Weight => self.overrides.weight(&node.id, now).map(|(_, by)| by),
                    Kind::Shares => None,
                };
                if let Some(by) = ruling.filter(|by| by.id != order.id) {
                    let (node, by) = (node.id.clone(), override_doc(by, snapshot));
                    outranked.push(OutrankedDoc { node, by });
                }
            }
        }
        outranked.truncate(OUTRANKED_MAX);
        outranked
    }
}

/// The texts of a form, fit to be shown and logged.
struct Words {
    reason: Option<String>,
    author: String,
}

impl Words {
    fn read(form: &ChangeForm, source: &str) -> Result<Self, Refusal> {
        let text = |name: &str, text: &Option<String>, most: usize| {
            let text = text.as_deref().map(str::trim).filter(|text| !text.is_empty());
            let Some(text) = text else { return Ok(None) };
            if text.chars().count() > most || text.chars().any(char::is_control) {
                let error = format!("`{name}` must be one line of at most {most} characters");
                return Err(Refusal::new(RefusalKind::Wrong, error, ""));
            }
            Ok(Some(text.to_owned()))
        };
        let author = text("author", &form.author, AUTHOR_MAX)?;
        Ok(Self {
            reason: text("reason", &form.reason, REASON_MAX)?,
            author: author.unwrap_or_else(|| source.to_owned()),
        })
    }
}

/// Does what a form says; gives what was given, and what was lifted or replaced.
fn obey(
    overrides: &mut Overrides,
    form: &ChangeForm,
    words: &Words,
    snapshot: &Snapshot,
    now: u64,
) -> Result<(Vec<Order>, Vec<Order>), Refusal> {
    let wrong = |error: String, help: &str| Refusal::new(RefusalKind::Wrong, error, help);
    let long = form.scopes.iter().any(|scope| scope.len() > SCOPE_MAX);
    if form.scopes.is_empty() || form.scopes.len() > SCOPES_MAX || long {
        let error = format!("`scopes` must hold 1 to {SCOPES_MAX} names");
        return Err(wrong(error, "a pattern with * means many nodes at once"));
    }
    if form.for_seconds.is_some_and(|seconds| !(1..=SECONDS_MAX).contains(&seconds)) {
        let help = "what is to hold for longer belongs into the configuration";
        return Err(wrong(format!("`for_seconds` must be 1 to {SECONDS_MAX}"), help));
    }
    let (mut given, mut lifted) = (Vec::new(), Vec::new());
    for text in &form.scopes {
        let mut known = overrides.orders().iter().map(|order| &order.scope);
        let known = known.rfind(|scope| scope.text() == text).cloned();
        let resolved = || resolve(text, services(snapshot));
        let what = match &form.set {
            Wish::Up => What::Force(Override::Up),
            Wish::Down => What::Force(Override::Down),
            Wish::Drain => What::Force(Override::Drain),
            Wish::Weight(weight) => What::Weight(*weight),
            Wish::Shares(shares) => What::Shares(shares.clone()),
            // What is lifted may be about something that the configuration has no more.
            Wish::Undrain => {
                let scope = known.map_or_else(resolved, Ok)?;
                lifted.extend(overrides.lift(&scope, |it| *it == What::Force(Override::Drain)));
                continue;
            }
            Wish::Auto => {
                let scope = known.map_or_else(resolved, Ok)?;
                lifted.extend(overrides.lift(&scope, |_| true));
                continue;
            }
        };
        let scope = resolved()?;
        if let What::Shares(shares) = &what {
            judge_shares(shares, &scope, snapshot)?;
        }
        if given.iter().any(|order: &Order| order.scope == scope) {
            continue;
        }
        let order = Order {
            id: 0,
            scope,
            what,
            reason: words.reason.clone(),
            author: words.author.clone(),
            since: now,
            until: form.for_seconds.map(|seconds| now.saturating_add(seconds)),
        };
        let full = |_| {
            let error = format!("there are {ORDERS_MAX} overrides already");
            Refusal::new(RefusalKind::Full, error, "lift some: rota status lists them")
        };
        given.push(overrides.give(order).map_err(full)?.clone());
    }
    Ok((given, lifted))
}

/// Shares are of a split service, of pools that it has, and 100 together.
fn judge_shares(
    shares: &BTreeMap<String, u8>,
    scope: &Scope,
    snapshot: &Snapshot,
) -> Result<(), Refusal> {
    let wrong = |error: String, help: String| Err(Refusal::new(RefusalKind::Wrong, error, help));
    let service = services(snapshot).find(|it| *scope == Scope::Named(it.id.clone()));
    let Some(service) = service else {
        let help = "shares are of a service's pools: name the service".to_owned();
        return wrong(format!("{} is not a service", scope.text()), help);
    };
    if service.steer != Steer::Split {
        let error = format!("{} is not split between its pools", service.id);
        let help = "steer = \"split\" with `share` in each pool makes it so; until then \
                    `rota weight` and `rota drain` move clients"
            .to_owned();
        return wrong(error, help);
    }
    let pools: Vec<&str> = service.pools.iter().map(|pool| pool.name.as_str()).collect();
    if let Some(stranger) = shares.keys().find(|name| !pools.contains(&name.as_str())) {
        let error = format!("{} has no pool {stranger:?}", service.id);
        return wrong(error, format!("its pools are {}", pools.join(", ")));
    }
    let sum: u32 = shares.values().map(|&share| u32::from(share)).sum();
    if sum != 100 {
        let help = "a pool that is not named gets none".to_owned();
        return wrong(format!("the shares are {sum} together, and must be 100"), help);
    }
    Ok(())
}

/// Every service of every zone that is answered from.
pub(super) fn services(snapshot: &Snapshot) -> impl Iterator<Item = &Service> + Clone {
    let zones: Vec<_> = snapshot.zones().map(|(_, zone)| zone.services()).collect();
    zones.into_iter().flatten().map(|entry| &*entry.service)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{Authored, Publisher, Settings, ZoneModel};
    use crate::steer::{Address, Node, Pool, Unchecked};
    use crate::wire::Name;
    use crate::zone::Records;

    fn service(label: &str, steer: Steer, pools: &[&str]) -> Arc<Service> {
        let pool = |name: &&str| {
            let address = Address::new([192, 0, 2, 1].into(), Vec::new());
            let node = Node::new(format!("lb.test/{label}/{name}/n"), "n", vec![address]);
            Pool::new(*name, vec![node])
        };
        let owner = Name::from_text(&format!("{label}.lb.test")).unwrap();
        let pools = pools.iter().map(pool).collect();
        Arc::new(Service { steer, ..Service::new(owner, format!("lb.test/{label}"), pools) })
    }

    /// A snapshot of a service that is split and one that is not.
    fn publisher() -> Publisher {
        let services =
            vec![service("app", Steer::Split, &["eu", "us"]), service("web", Steer::Geo, &["eu"])];
        let records = Records::none(Name::from_text("lb.test").unwrap());
        let zone = Authored::Good(Arc::new(ZoneModel { records, services }));
        let mut publisher = Publisher::new();
        publisher.publish(&[zone], Settings::default(), &Unchecked);
        publisher
    }

    fn form(scope: &str, set: Wish) -> ChangeForm {
        let scopes = vec![scope.to_owned()];
        ChangeForm { scopes, set, reason: None, author: None, for_seconds: None }
    }

    fn tell(orders: &mut Orders, form: ChangeForm) -> Result<ChangedDoc, String> {
        let change = Change { wanted: Wanted::Form(form), source: "a test".to_owned() };
        let publisher = publisher();
        let snapshot = publisher.current().load();
        let draft = orders.draft(&change, &snapshot, 100).map_err(|refusal| refusal.doc.error)?;
        Ok(orders.put_in_force(draft, &snapshot, 100).doc)
    }

    #[test]
    fn shares_are_of_pools_that_there_are_and_100_together() {
        let mut orders = Orders::default();
        for (scope, shares, expected) in [
            ("app", &[("eu", 90), ("us", 10)][..], Ok(())),
            ("app", &[("eu", 100)], Ok(())),
            ("app", &[("eu", 90), ("us", 20)], Err("the shares are 110 together, and must be 100")),
            ("app", &[("eu", 90), ("asia", 10)], Err("lb.test/app has no pool \"asia\"")),
            ("app/eu", &[("eu", 100)], Err("lb.test/app/eu is not a service")),
            ("*/app/*", &[("eu", 100)], Err("*/app/* is not a service")),
            ("web", &[("eu", 100)], Err("lb.test/web is not split between its pools")),
        ] {
            let shares = shares.iter().map(|&(pool, share)| (pool.to_owned(), share)).collect();
            let told = tell(&mut orders, form(scope, Wish::Shares(shares)));
            assert_eq!(told.map(drop), expected.map_err(str::to_owned), "{scope}");
        }
        let held = orders.overrides().shares("lb.test/app", |_| true, 100);
        assert_eq!(held.map(|(shares, _)| shares.get("eu")), Some(Some(&100)));
    }

    #[test]
    fn an_order_without_an_author_is_of_its_source() {
        let mut orders = Orders::default();
        let changed = tell(&mut orders, form("app/eu", Wish::Drain)).unwrap();
        assert_eq!((changed.given[0].author.as_str(), changed.given[0].nodes), ("a test", 1));
        // The same scope twice is one order.
        let twice = ChangeForm { scopes: vec!["web".into(), "web".into()], ..form("", Wish::Down) };
        assert_eq!(tell(&mut orders, twice).unwrap().given.len(), 1);
        let long = ChangeForm { reason: Some("x".repeat(501)), ..form("app", Wish::Down) };
        assert!(tell(&mut orders, long).unwrap_err().contains("`reason` must be one line"));
        let crowd = ChangeForm { scopes: vec!["web".into(); 101], ..form("", Wish::Down) };
        assert!(tell(&mut orders, crowd).unwrap_err().contains("1 to 100 names"));
    }
}
