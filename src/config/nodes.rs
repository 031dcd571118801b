//! The nodes of a service: `"192.0.2.11 x3"`, or a table with names, labels and more addresses.
//!
//! A node without a name is called by its first address, with dashes so that it can be a label.
//! Two nodes with one name, or one address in two nodes, would make ids and statuses ambiguous.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Range;

use super::reader::Reader;
use super::steering::read_at;
use super::tables::NODE;
use super::value::{Text, Value, in_order};
use crate::geo::Coordinates;

/// So many addresses in one service: of one family they still fit one message over TCP.
pub(super) const ADDRESSES_MAX: usize = 2048;
/// Longest name of a node: it must be able to be a label.
const NODE_NAME_LEN_MAX: usize = 63;

/// A node as written.
#[derive(Clone, Debug)]
pub(super) struct Draft<'t> {
    pub(super) name: String,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) weight: u16,
    pub(super) together: Option<bool>,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) at: Option<Coordinates>,
    /// `at` is written, and is none.
    pub(super) at_refused: bool,
    /// What is asked of it in place of what the service asks.
    pub(super) check: Option<&'t Value<'t>>,
    /// Where that is asked in place of its addresses.
    pub(super) check_address: Option<IpAddr>,
    /// Where it is written.
    pub(super) place: Range<usize>,
}

impl Draft<'_> {
    /// A node that is nothing but an address, written there.
    pub(super) fn of_address(address: IpAddr, place: Range<usize>) -> Self {
        Self {
            name: name_of(address),
            addresses: vec![address],
            weight: 1,
            together: None,
            labels: BTreeMap::new(),
            at: None,
            at_refused: false,
            check: None,
            check_address: None,
            place,
        }
    }
}

/// Reads the list, in its order.
pub(super) fn read<'t>(value: &'t Value<'t>, reader: &mut Reader<'_>) -> Vec<Draft<'t>> {
    let mut drafts: Vec<Draft<'t>> = Vec::new();
    let mut known: BTreeMap<IpAddr, String> = BTreeMap::new();
    for one in value.get_ref().as_array().into_iter().flat_map(|all| all.iter()) {
        let draft = match reader.text(one) {
            Some(text) => read_short(&text, reader),
            None => read_long(one, reader),
        };
        let Some(draft) = draft else { continue };
        let mut fresh = true;
        for address in &draft.addresses {
            if let Some(owner) = known.insert(*address, draft.name.clone()) {
                let message = format!("{address} is already an address of the node {owner}");
                let help = "keep one; for a larger share give that one a weight";
                reader.refuse(draft.place.clone(), message, help);
                fresh = false;
            }
        }
        if fresh && drafts.iter().any(|other| other.name.eq_ignore_ascii_case(&draft.name)) {
            let message = format!("another node is already called {}", draft.name);
            reader.refuse(draft.place.clone(), message, "give each node a name of its own");
        }
        drafts.push(draft);
    }
    if known.len() > ADDRESSES_MAX {
        let message = format!("{} addresses are more than {ADDRESSES_MAX}", known.len());
        let help = "an answer cannot hold more; split the service in two names";
        reader.refuse(value.span(), message, help);
    }
    drafts
}

/// An address, and perhaps a weight.
fn read_short<'t>(text: &Text, reader: &mut Reader<'_>) -> Option<Draft<'t>> {
    let mut words = text.text.split_ascii_whitespace();
    let first = words.next().unwrap_or_default();
    let address = read_address(&text.part(first), reader);
    let mut weight = Some(1);
    for (index, word) in words.enumerate() {
        let span = text.part(word).span;
        weight = word.strip_prefix(['x', 'X']).and_then(|digits| digits.parse().ok());
        if word.parse::<IpAddr>().is_ok() {
            let help = format!(
                "two nodes: \"{first}\", \"{word}\"; one node with both: {{ address = \
                 [\"{first}\", \"{word}\"] }}"
            );
            reader.refuse(span, "a node in one text has one address", help);
            return None;
        }
        if index > 0 || weight.is_none() {
            let message = format!("\"{word}\" is not a weight of x0 to x65535");
            reader.refuse(span, message, format!("write \"{first} x3\""));
            return None;
        }
    }
    Some(Draft { weight: weight?, ..Draft::of_address(address?, text.span.clone()) })
}

/// A table with any of the keys of [`NODE`].
fn read_long<'t>(value: &'t Value<'t>, reader: &mut Reader<'_>) -> Option<Draft<'t>> {
    let table = value.get_ref().as_table()?;
    let fields = reader.fields(&NODE, table, value.span());
    let written = fields.value("address").map(|value| reader.texts(value)).unwrap_or_default();
    if written.is_empty() && fields.sound(&["address"]) {
        let help = "write address = \"192.0.2.11\"";
        reader.refuse(fields.value_span("address"), "the node has no address", help);
    }
    let mut addresses = Vec::new();
    for text in &written {
        let Some(address) = read_address(text, reader) else { continue };
        if addresses.contains(&address) {
            let message = format!("{address} stands twice");
            reader.refuse(text.span.clone(), message, "remove one");
        } else {
            addresses.push(address);
        }
    }
    let first = *addresses.first()?;
    let name = match fields.value("name").and_then(|value| reader.text(value)) {
        Some(text) => {
            judge_name("a node", &text, reader);
            text.text
        }
        None => name_of(first),
    };
    let at = read_at(&fields, reader);
    let elsewhere = fields.value("check_address").and_then(|value| reader.text(value));
    let labels = fields.table("labels").map(|(table, _)| in_order(table)).unwrap_or_default();
    Some(Draft {
        name,
        addresses,
        // The key's bounds lie within 16 bits.
        weight: u16::try_from(fields.number("weight")).unwrap_or(u16::MAX),
        together: fields.written("together").then(|| fields.flag("together")),
        labels: labels
            .into_iter()
            .filter_map(|(key, value)| {
                Some((key.get_ref().to_string(), value.get_ref().as_str()?.to_owned()))
            })
            .collect(),
        at,
        at_refused: at.is_none() && fields.written("at"),
        check: fields.value("check"),
        check_address: elsewhere.and_then(|text| read_address(&text, reader)),
        place: value.span(),
    })
}

/// A node's or pool's name is a part of ids, where slashes divide.
pub(super) fn judge_name(whose: &str, text: &Text, reader: &mut Reader<'_>) {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if text.text.is_empty() || text.text.len() > NODE_NAME_LEN_MAX || !text.text.chars().all(plain)
    {
        let message = format!("\"{}\" cannot be {whose}'s name", text.text);
        let help = "use 1 to 63 letters, digits, dashes, underscores and dots";
        reader.refuse(text.span.clone(), message, help);
    }
}

/// An address that another machine can use.
pub(super) fn read_address(text: &Text, reader: &mut Reader<'_>) -> Option<IpAddr> {
    let written = text.text.as_str();
    let Ok(address) = written.parse::<IpAddr>() else {
        let help = if written.parse::<std::net::SocketAddr>().is_ok() {
            "leave the port out: DNS answers carry addresses only, and a check has its own port"
        } else if written.contains('/') {
            "write one address, not a network"
        } else if written.contains(|c: char| c.is_ascii_alphabetic()) && !written.contains(':') {
            "write its address: host names of nodes are not yet built"
        } else {
            "write IPv4 like 192.0.2.11, or IPv6 like 2001:db8::11"
        };
        reader.refuse(text.span.clone(), format!("\"{written}\" is not an address"), help);
        return None;
    };
    if let Some(why) = unusable(address) {
        let message = format!("{address} cannot be a node's address: it is {why}");
        reader.refuse(text.span.clone(), message, "write the address that clients connect to");
        return None;
    }
    Some(address)
}

fn unusable(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(v4) if v4.is_broadcast() => Some("the broadcast address"),
        IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some() => Some("IPv4 written as IPv6"),
        IpAddr::V6(v6) if v6.is_unicast_link_local() => Some("of one link only (fe80::/10)"),
        IpAddr::V4(_) | IpAddr::V6(_) if address.is_unspecified() => Some("no machine's"),
        IpAddr::V4(_) | IpAddr::V6(_) if address.is_multicast() => Some("a multicast group"),
        IpAddr::V4(_) | IpAddr::V6(_) => None,
    }
}

/// `69.9.64.11` is `69-9-64-11`: an address as a label.
fn name_of(address: IpAddr) -> String {
    address.to_string().replace(['.', ':'], "-")
}
