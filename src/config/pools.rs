//! The pools of a service: `[service.<name>.pool.<name>]`, or the one unnamed pool of a simple one.
//!
//! Pools stand in the order in which they are written, which is the order in which `failover` tries
//! them; [`steering`](super::steering) judges what else stands between them. A service has named
//! pools or nodes of its own, not both: where would its own nodes stand among the pools?

use std::net::IpAddr;

use super::fields::Fields;
use super::nodes::{self, Draft, judge_name};
use super::reader::Reader;
use super::steering::{Placed, read_at, read_places};
use super::tables::POOL;
use super::value::{Text, Value, in_order};
use crate::geo::Coordinates;
use crate::steer::service::POOLS_MAX;
use crate::wire::{Name, RecordType};
use crate::zone::RecordsBuilder;

/// A pool as written.
pub(super) struct PoolDraft<'t> {
    /// Empty for the one pool of a simple service.
    pub(super) name: Text,
    /// Its table; a simple service's pool has none of its own.
    pub(super) fields: Option<Fields<'t>>,
    pub(super) nodes: Vec<Draft<'t>>,
    pub(super) min_healthy: u32,
    pub(super) places: Vec<Placed>,
    pub(super) at: Option<Coordinates>,
}

/// Reads a service's pools, in their order.
pub(super) fn read<'t>(
    fields: &Fields<'t>,
    owner: &Name,
    records: &RecordsBuilder,
    reader: &mut Reader<'_>,
) -> Vec<PoolDraft<'t>> {
    let Some((table, span)) = fields.table("pool") else {
        let nodes = read_nodes(fields, owner, records, reader);
        let name = Text { text: String::new(), span: fields.span.clone() };
        let (places, at) = (Vec::new(), None);
        return vec![PoolDraft { name, fields: None, nodes, min_healthy: 0, places, at }];
    };
    if fields.written("nodes") {
        let message = format!("the service {owner} has `nodes` and pools");
        let help = "write them as a pool too: [service.<name>.pool.<pool>] nodes = […]";
        reader.refuse(fields.key_span("nodes"), message, help);
    }
    refuse_records(fields, "pool", owner, records, reader);
    let mut pools = Vec::new();
    for (name, value) in in_order(table) {
        let Some(table) = value.get_ref().as_table() else { continue };
        let name = Text { text: name.get_ref().to_string(), span: name.span() };
        judge_name("a pool", &name, reader);
        let pool = reader.fields(&POOL, table, name.span.clone());
        pools.push(read_pool(name, pool, reader));
    }
    if pools.is_empty() && fields.sound(&["pool"]) && table.is_empty() {
        let help = "write at least one: [service.<name>.pool.<pool>]";
        reader.refuse(span, format!("the service {owner} has no pools"), help);
    }
    if let Some(first) = pools.get(POOLS_MAX) {
        let message = format!("{} pools are more than {POOLS_MAX}", pools.len());
        reader.refuse(first.name.span.clone(), message, "put sites that stand close into one");
    }
    pools
}

fn read_pool<'t>(name: Text, fields: Fields<'t>, reader: &mut Reader<'_>) -> PoolDraft<'t> {
    let whose = format!("the pool {}", name.text);
    let nodes = fields.value("nodes").map(|list| read_list(list, &whose, reader));
    let nodes = nodes.unwrap_or_default();
    let weight: u64 = nodes.iter().map(|node| u64::from(node.weight)).sum();
    let min_healthy = fields.number("min_healthy");
    if min_healthy > weight && fields.sound(&["min_healthy", "nodes"]) {
        let message = format!("{whose} weighs only {weight} in all");
        let help = "lower `min_healthy`: as it is, the pool never serves by right";
        reader.refuse(fields.value_span("min_healthy"), message, help);
    }
    PoolDraft {
        nodes,
        // The key's bounds lie within 32 bits.
        min_healthy: u32::try_from(min_healthy).unwrap_or(u32::MAX),
        places: read_places(&fields, reader),
        at: read_at(&fields, reader),
        name,
        fields: Some(fields),
    }
}

/// The written nodes, or else those that the records have at this name.
fn read_nodes<'t>(
    fields: &Fields<'t>,
    owner: &Name,
    records: &RecordsBuilder,
    reader: &mut Reader<'_>,
) -> Vec<Draft<'t>> {
    let Some(value) = fields.value("nodes") else {
        let authored = addresses(records, owner);
        if authored.is_empty() && fields.sound(&["nodes", "pool"]) {
            let message = format!("the service {owner} has no nodes");
            let help = "write nodes = [\"192.0.2.11\", \"192.0.2.12\"], or address records of this \
                        name in the zone's master file";
            reader.refuse(fields.span.clone(), message, help);
        }
        let draft = |address| Draft::of_address(address, fields.span.clone());
        return authored.into_iter().map(draft).collect();
    };
    refuse_records(fields, "nodes", owner, records, reader);
    read_list(value, &format!("the service {owner}"), reader)
}

/// Address records of the service's own name would be hidden by what is written here.
fn refuse_records(
    fields: &Fields<'_>,
    key: &'static str,
    owner: &Name,
    records: &RecordsBuilder,
    reader: &mut Reader<'_>,
) {
    if !addresses(records, owner).is_empty() {
        let message = format!("{owner} has `{key}` here and address records in the zone too");
        reader.refuse(fields.key_span(key), message, "keep one of the two");
    }
}

/// A list of nodes that must not be empty; `whose` says in messages whose they are.
fn read_list<'t>(value: &'t Value<'t>, whose: &str, reader: &mut Reader<'_>) -> Vec<Draft<'t>> {
    if value.get_ref().as_array().is_some_and(|all| all.is_empty()) {
        let help = "write at least one: nodes = [\"192.0.2.11\"]";
        reader.refuse(value.span(), format!("{whose} has no nodes"), help);
    }
    let drafts = nodes::read(value, reader);
    if !drafts.is_empty() && drafts.iter().all(|draft| draft.weight == 0) {
        let help = "give at least one of them a weight above 0";
        reader.refuse(value.span(), "every node has weight 0, so none would be answered", help);
    }
    drafts
}

fn addresses(records: &RecordsBuilder, owner: &Name) -> Vec<IpAddr> {
    let of = |rtype| records.get(owner, rtype).into_iter();
    let v4 = of(RecordType::A).filter_map(|rdata| <[u8; 4]>::try_from(rdata).ok());
    let v6 = of(RecordType::AAAA).filter_map(|rdata| <[u8; 16]>::try_from(rdata).ok());
    v4.map(IpAddr::from).chain(v6.map(IpAddr::from)).collect()
}
