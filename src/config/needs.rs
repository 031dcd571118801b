//! `needs`: services of the same zone without which a service, or a pool of it, is worth nothing.
//!
//! A need is written as a name and becomes the service itself, inside the pool that needs it. So
//! what is needed is made first, and what needs each other in a circle cannot be made at all.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::names;
use super::reader::Reader;
use super::suggest::nearest;
use super::value::{Text, Value, in_order};
use crate::steer::Service;
use crate::wire::Name;

/// So many steps from a service to what it needs in the end: each plan looks at all of them.
const DEPTH_MAX: usize = 4;

/// One word under `needs`.
struct Need {
    /// Who needs, and which of its pools; all of them where it is the service's word.
    service: usize,
    pool: Option<usize>,
    /// What.
    needed: usize,
    span: Range<usize>,
}

/// Gives every service what it needs, in the order in which they came; each stands beside the
/// value that it was read from.
pub(super) fn resolve(
    read: Vec<(&Value<'_>, Service)>,
    apex: &Name,
    reader: &mut Reader<'_>,
) -> Vec<Arc<Service>> {
    let owners: HashMap<Name, usize> =
        read.iter().enumerate().map(|(at, (_, service))| (service.owner.clone(), at)).collect();
    let ids: Vec<String> = read.iter().map(|(_, service)| service.id.clone()).collect();
    let mut needs = Vec::new();
    for (service, (value, _)) in read.iter().enumerate() {
        for (pool, text) in written(value, reader) {
            match names::read(&text.text, apex).ok().and_then(|owner| owners.get(&owner)) {
                Some(&needed) => needs.push(Need { service, pool, needed, span: text.span }),
                None => refuse_unknown(&text, &ids, reader),
            }
        }
    }
    let mut waiting: Vec<Option<Service>> =
        read.into_iter().map(|(_, service)| Some(service)).collect();
    let mut made: Vec<Option<(Arc<Service>, usize)>> = vec![None; waiting.len()];
    loop {
        let before = made.iter().flatten().count();
        for at in 0..waiting.len() {
            let own: Vec<&Need> = needs.iter().filter(|need| need.service == at).collect();
            let ready: Option<Vec<_>> = own.iter().map(|need| made[need.needed].clone()).collect();
            let Some(ready) = ready else { continue };
            let Some(service) = waiting[at].take() else { continue };
            let depth = ready.iter().map(|(_, depth)| depth + 1).max().unwrap_or(0);
            if let (true, Some(need)) = (depth > DEPTH_MAX, own.first()) {
                let message = format!("a chain of more than {DEPTH_MAX} needs ends here");
                reader.refuse(need.span.clone(), message, "let it need the last of them itself");
            }
            made[at] = Some((Arc::new(with(service, &own, ready)), depth));
        }
        if made.iter().flatten().count() == before {
            break;
        }
    }
    refuse_circles(&needs, &made, &ids, reader);
    // What is in a circle is made without its needs: the zone is not served with it anyway.
    let all = made.into_iter().zip(waiting);
    all.filter_map(|(made, left)| made.map(|(it, _)| it).or_else(|| left.map(Arc::new))).collect()
}

/// The words under `needs` of a service and of its pools.
fn written(value: &Value<'_>, reader: &Reader<'_>) -> Vec<(Option<usize>, Text)> {
    let texts = |value: &Value<'_>| {
        let needs = value.get_ref().as_table().and_then(|table| table.get("needs"));
        needs.map_or_else(Vec::new, |needs| reader.texts(needs))
    };
    let mut all: Vec<_> = texts(value).into_iter().map(|text| (None, text)).collect();
    let pools = value.get_ref().as_table().and_then(|table| table.get("pool"));
    let pools = pools.and_then(|pools| pools.get_ref().as_table());
    let pools = pools.into_iter().flat_map(|pools| in_order(pools));
    for (at, (_, pool)) in pools.filter(|(_, pool)| pool.get_ref().is_table()).enumerate() {
        all.extend(texts(pool).into_iter().map(|text| (Some(at), text)));
    }
    all
}

/// A service with what its pools need.
fn with(mut service: Service, needs: &[&Need], ready: Vec<(Arc<Service>, usize)>) -> Service {
    for (need, (needed, _)) in needs.iter().zip(ready) {
        for (at, pool) in service.pools.iter_mut().enumerate() {
            let meant = need.pool.is_none_or(|pool| pool == at);
            if meant && !pool.needs.contains(&needed) {
                pool.needs.push(Arc::clone(&needed));
            }
        }
    }
    service
}

fn refuse_unknown(text: &Text, ids: &[String], reader: &mut Reader<'_>) {
    let known = ids.iter().filter_map(|id| id.rsplit_once('/')).map(|(_, name)| name);
    let help = match nearest(&text.text, known) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("write a service of this zone: [service.{}]", text.text),
    };
    reader.refuse(text.span.clone(), format!("there is no service \"{}\"", text.text), help);
}

/// Reports each circle once, at one of its words.
fn refuse_circles(
    needs: &[Need],
    made: &[Option<(Arc<Service>, usize)>],
    ids: &[String],
    reader: &mut Reader<'_>,
) {
    let mut told = vec![false; ids.len()];
    let unmade = |need: &&Need| made[need.service].is_none() && made[need.needed].is_none();
    for first in needs.iter().filter(unmade) {
        // From any word in or before a circle, the way on never ends; it is walked to a place that
        // it has been at before.
        let (mut way, mut at) = (Vec::new(), first.service);
        while !way.contains(&at) && !told[at] {
            way.push(at);
            let next = needs.iter().filter(unmade).find(|need| need.service == at);
            at = next.map_or(at, |need| need.needed);
        }
        if let Some(begin) = way.iter().position(|&it| it == at) {
            let names: Vec<&str> = way[begin..].iter().map(|&it| ids[it].as_str()).collect();
            let message = format!("services need each other in a circle: {}", names.join(", "));
            let word = needs.iter().filter(unmade).find(|need| need.service == at);
            let span = word.map_or_else(|| first.span.clone(), |need| need.span.clone());
            reader.refuse(span, message, "take one of these needs away");
        }
        way.iter().for_each(|&it| told[it] = true);
    }
}
