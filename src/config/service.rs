//! Services: `[service.<name>]`, a name in the zone whose addresses are steered.

use std::num::NonZeroU16;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::check::Checks;
use super::fields::Fields;
use super::guard;
use super::names;
use super::nodes::Draft;
use super::pools::{self, PoolDraft};
use super::reader::Reader;
use super::tables::{SERVICE, TTL};
use super::value::{Value, as_duration, number};
use crate::health::{Check, Target};
use crate::steer::{Address, Answers, Node, Policy, Pool, Service, Ttl, WhenAllDown};
use crate::wire::{Name, RecordType};
use crate::zone::Records;

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

/// Reads one service; none where there were errors that leave nothing to serve.
pub(super) fn read(
    heading: &Heading,
    value: &Value<'_>,
    records: &Records,
    checks: &mut Checks,
    reader: &mut Reader<'_>,
) -> Option<Service> {
    let Heading { owner, span } = heading;
    let Some(table) = value.get_ref().as_table() else {
        return None; // reported as being of the wrong type
    };
    let fields = reader.fields(&SERVICE, table, span.clone());
    if records.get(owner, RecordType::CNAME).is_some() {
        let message = format!("{owner} has a CNAME record, so it cannot be a service");
        let help = "remove the record or the service: beside a CNAME nothing else can stand";
        reader.refuse(span.clone(), message, help);
    }
    let pools = pools::read(&fields, owner, records, reader);
    let asked = read_asked(&fields, owner, checks, reader);
    let policy = read_policy(&fields, &pools, reader);
    let id = id(&records.apex, owner);
    let together = fields.flag("together");
    let pool = |draft: PoolDraft| {
        let node = |node| make_node(node, &id, &draft.name, together, &asked);
        let nodes = draft.nodes.into_iter().map(node).collect();
        Pool { min_healthy: draft.min_healthy, ..Pool::new(draft.name.as_str(), nodes) }
    };
    let pools = pools.into_iter().map(pool).collect();
    Some(Service {
        policy,
        answers: read_answers(&fields),
        ttl: read_ttl(&fields, reader),
        when_all_down: match fields.word("when_all_down").as_str() {
            "closed" => WhenAllDown::Closed,
            _ => WhenAllDown::Open,
        },
        guard: guard::read(&fields),
        ..Service::new(owner.clone(), id, pools)
    })
}

/// What is asked of every address of a service.
struct Asked {
    /// All must pass.
    check: Vec<Check>,
    /// What still passes where a node is alive but not ready.
    live: Vec<Check>,
}

fn read_asked(
    fields: &Fields<'_>,
    owner: &Name,
    checks: &mut Checks,
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

fn read_policy(fields: &Fields<'_>, pools: &[PoolDraft], reader: &mut Reader<'_>) -> Policy {
    let differ = |pair: &[Draft]| pair[0].weight != pair[1].weight;
    let weighted = pools.iter().any(|pool| pool.nodes.windows(2).any(differ));
    let policy = match fields.word("policy").as_str() {
        "rotate" => Policy::Rotate,
        "weighted" => Policy::Weighted,
        "ordered" => Policy::Ordered,
        "shuffle" => Policy::Shuffle,
        // Not written, or refused.
        _ if weighted => Policy::Weighted,
        _ => Policy::Rotate,
    };
    if weighted && policy != Policy::Weighted {
        let help = "write policy = \"weighted\", or leave the key out";
        let message =
            format!("`policy = \"{}\"` takes no notice of weights", fields.word("policy"));
        reader.warn(fields.value_span("policy"), message, help);
    }
    policy
}

fn read_answers(fields: &Fields<'_>) -> Answers {
    let Some(value) = fields.value("answers") else { return Answers::DEFAULT };
    match number(value.get_ref()) {
        // The key's bounds lie within 16 bits, without zero.
        Some(count) => u16::try_from(count)
            .ok()
            .and_then(NonZeroU16::new)
            .map_or(Answers::DEFAULT, Answers::UpTo),
        None => Answers::All,
    }
}

/// One duration for both, or a table of two.
fn read_ttl(fields: &Fields<'_>, reader: &mut Reader<'_>) -> Ttl {
    let Some((table, span)) = fields.table("ttl") else {
        let both = fields.value("ttl").and_then(|value| as_duration(value.get_ref()));
        let both = seconds(both.unwrap_or(TTL_DEFAULT));
        return Ttl { calm: both, alert: both };
    };
    let ttl = reader.fields(&TTL, table, span);
    let calm = ttl.duration("calm");
    let alert = if ttl.written("alert") { ttl.duration("alert") } else { TTL_DEFAULT.min(calm) };
    if alert > calm && ttl.sound(&["calm", "alert"]) {
        let message = "`alert` is longer than `calm`, but answers must age faster in trouble";
        reader.refuse(ttl.value_span("alert"), message, "lower `alert`, or raise `calm`");
    }
    Ttl { calm: seconds(calm), alert: seconds(alert) }
}

/// Short enough that a dead node is soon forgotten, long enough to be kept at all.
const TTL_DEFAULT: Duration = Duration::from_secs(5);

fn seconds(duration: Duration) -> u32 {
    // The key's bound is a day.
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

fn make_node(draft: Draft, service: &str, pool: &str, together: bool, asked: &Asked) -> Node {
    let target = |ip, check: &Check| Arc::new(Target { address: ip, check: check.clone() });
    let targets = |ip, checks: &[Check]| checks.iter().map(|check| target(ip, check)).collect();
    let stem = if pool.is_empty() { service.to_owned() } else { format!("{service}/{pool}") };
    let address =
        |ip| Address { ip, targets: targets(ip, &asked.check), live: targets(ip, &asked.live) };
    let addresses = draft.addresses.into_iter().map(address).collect();
    Node {
        weight: draft.weight,
        together: draft.together.unwrap_or(together),
        labels: draft.labels,
        ..Node::new(format!("{stem}/{}", draft.name), draft.name, addresses)
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
