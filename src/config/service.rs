//! Services: `[service.<name>]`, a name in the zone whose addresses are steered.

use std::net::IpAddr;
use std::ops::Range;

use super::check::{Checks, Demand};
use super::fields::Fields;
use super::nodes::Draft;
use super::pools::{self, PoolDraft};
use super::published::{self, Extra, Published};
use super::reader::Reader;
use super::tables::SERVICE;
use super::value::Value;
use super::{answers, guard, names, steering};
use crate::geo::Atlas;
use crate::steer::{Address, Node, Pool, Rule, Service};
use crate::wire::{Name, RecordType};
use crate::zone::RecordsBuilder;

/// A service's name in its file, and what it means.
pub(super) struct Heading {
    /// The name it answers for.
    pub(super) owner: Name,
    /// Where it is written.
    pub(super) span: Range<usize>,
}

impl Heading {
    /// Judges a service's name: `@`, relative, `*.app`, or absolute with a final dot.
    pub(super) fn read(
        written: &str,
        span: Range<usize>,
        apex: &Name,
        reader: &mut Reader<'_>,
    ) -> Option<Self> {
        if written.is_empty() {
            let help = "write [service.\"@\"] for the zone's own name";
            reader.refuse(span, "the service has no name", help);
            return None;
        }
        let owner = match names::read(written, apex) {
            Ok(owner) => owner,
            Err((why, help)) => {
                reader.refuse(span, why, help);
                return None;
            }
        };
        if !owner.is_at_or_under(apex) {
            let message = format!("the service {owner} lies outside the zone {apex}");
            let help = "names that end with a dot are complete; others lie under the zone";
            reader.refuse(span, message, help);
            return None;
        }
        let apex_text = apex.to_string();
        let stem = apex_text.trim_end_matches('.');
        if !apex.is_root() && !written.ends_with('.') && ends_in_name(written, stem) {
            let message = format!("this is the service {owner}");
            let help = "the zone's name is added to names without a final dot: leave it out here";
            reader.warn(span.clone(), message, help);
        }
        Some(Self { owner, span })
    }
}

/// What is around a service in its zone.
pub(super) struct Around<'a> {
    /// The zone's own records.
    pub(super) records: &'a RecordsBuilder,
    /// What is known of clients; none where that cannot be told.
    pub(super) atlas: Option<&'a Atlas>,
}

/// Reads one service and the names that come with it; none where it is no table.
pub(super) fn read(
    heading: &Heading,
    value: &Value<'_>,
    around: &Around<'_>,
    checks: &mut Checks,
    reader: &mut Reader<'_>,
) -> Option<(Service, Vec<Extra>)> {
    let Heading { owner, span } = heading;
    let Around { records, atlas } = *around;
    let Some(table) = value.get_ref().as_table() else {
        return None; // reported as being of the wrong type
    };
    let fields = reader.fields(&SERVICE, table, span.clone());
    if records.has(owner, RecordType::CNAME) {
        let message = format!("{owner} has a CNAME record, so it cannot be a service");
        let help = "remove the record or the service: beside a CNAME nothing else can stand";
        reader.refuse(span.clone(), message, help);
    }
    let pools = pools::read(&fields, owner, records, reader);
    let asked = read_asked(&fields, owner, checks, reader);
    let policy = answers::read_policy(&fields, &pools, reader);
    guard::judge_load(&fields, policy, &asked.check, reader);
    let steer = steering::read(&fields, &pools, policy, atlas, reader);
    let count = answers::read_answers(&fields, policy);
    let spread = answers::read_spread(&fields, &pools, count, reader);
    let when_all_down = answers::read_when_all_down(&fields, &pools, reader);
    let ttl = answers::read_ttl(&fields, reader);
    let Published { srv, https, explain, names } =
        published::read(&fields, owner, &pools, ttl.calm, reader);
    let id = id(&records.apex, owner);
    let common = Common { service: &id, together: fields.flag("together"), asked: &asked };
    let mut own = |value: &Value<'_>| checks.of_service(value, owner, reader);
    let pools = pools.into_iter().map(|pool| make_pool(pool, &common, &mut own)).collect();
    let service = Service {
        steer,
        policy,
        answers: count,
        spread,
        ttl,
        when_all_down,
        quorum: guard::read_quorum(&fields),
        guard: guard::read(&fields, policy, reader),
        srv,
        https,
        explain,
        ..Service::new(owner.clone(), id, pools)
    };
    Some((service, names))
}

/// What is asked of every address of a service.
struct Asked {
    /// All must pass.
    check: Vec<Demand>,
    /// What still passes where a node is alive but not ready.
    live: Vec<Demand>,
}

fn read_asked(
    fields: &Fields<'_>,
    owner: &Name,
    checks: &mut Checks<'_>,
    reader: &mut Reader<'_>,
) -> Asked {
    let mut of = |key: &str, reader: &mut Reader<'_>| {
        fields.value(key).map_or_else(Vec::new, |value| checks.of_service(value, owner, reader))
    };
    let (check, live) = (of("check", reader), of("live", reader));
    if fields.written("live") && !fields.written("check") {
        let help = "write `check` too: `live` says whether a node that fails it is still alive";
        reader.refuse(fields.key_span("live"), "`live` stands without `check`", help);
    }
    if live.iter().any(|one| check.contains(one)) {
        let help = "ask what a node that is not ready still answers, or leave `live` out";
        reader.refuse(fields.value_span("live"), "`live` asks the same as `check`", help);
    }
    Asked { check, live }
}

/// What the nodes of a service have in common.
struct Common<'c> {
    /// The service's id.
    service: &'c str,
    together: bool,
    asked: &'c Asked,
}

/// `own` reads what is asked of one node alone.
fn make_pool(
    draft: PoolDraft<'_>,
    common: &Common<'_>,
    own: &mut dyn FnMut(&Value<'_>) -> Vec<Demand>,
) -> Pool {
    let name = draft.name.text;
    // The key's bound is 100.
    let share = draft.fields.as_ref().map_or(0, |fields| fields.number("share"));
    let share = u8::try_from(share).unwrap_or(u8::MAX);
    let node = |node: Draft<'_>| {
        let own = node.check.map(&mut *own);
        make_node(node, &name, common, own)
    };
    let nodes = draft.nodes.into_iter().map(node).collect();
    Pool {
        min_healthy: draft.min_healthy,
        places: draft.places.into_iter().map(|(place, _)| place).collect(),
        at: draft.at,
        share,
        ..Pool::new(name.as_str(), nodes)
    }
}

fn make_node(draft: Draft<'_>, pool: &str, common: &Common<'_>, own: Option<Vec<Demand>>) -> Node {
    let Common { service, together, asked } = *common;
    let stem = if pool.is_empty() { service.to_owned() } else { format!("{service}/{pool}") };
    let id = format!("{stem}/{}", draft.name);
    let check = own.as_ref().unwrap_or(&asked.check);
    let address = |ip: IpAddr| {
        let at = draft.check_address.unwrap_or(ip);
        let rule = |demands: &[Demand]| {
            Rule::All(demands.iter().map(|demand| demand.rule(&id, at)).collect())
        };
        Address { ip, check: rule(check), live: rule(&asked.live) }
    };
    let addresses = draft.addresses.iter().copied().map(address).collect();
    Node {
        weight: draft.weight,
        together: draft.together.unwrap_or(together),
        labels: draft.labels,
        at: draft.at,
        ..Node::new(id, draft.name, addresses)
    }
}

/// `zone/service`: both without final dots, in lower case, so that no way of writing a name in the
/// file changes the ids of its nodes.
fn id(apex: &Name, owner: &Name) -> String {
    let zone = apex.to_string().to_ascii_lowercase();
    let zone = zone.strip_suffix('.').filter(|stem| !stem.is_empty()).unwrap_or(".");
    format!("{zone}/{}", relative(apex, owner))
}

/// A name as the zone's file has it: `@`, or without the zone's own labels.
pub(crate) fn relative(apex: &Name, owner: &Name) -> String {
    let (zone, name) = (apex.to_string(), owner.to_string().to_ascii_lowercase());
    if owner == apex {
        return "@".to_owned();
    }
    let stem_len = if apex.is_root() { name.len() } else { name.len() - zone.len() };
    name[..stem_len].trim_end_matches('.').to_owned()
}

fn ends_in_name(text: &str, name: &str) -> bool {
    let (text, name) = (text.to_ascii_lowercase(), name.to_ascii_lowercase());
    text.strip_suffix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}
