//! What a service publishes beside its addresses: `srv`, `https`, `explain`, and further `names`.
//!
//! ```text
//!   [service.app]                      _https._tcp.app  SRV    to eu1.app, eu2.app
//!   srv = { "_https._tcp" = 443 }      app              HTTPS  (RFC 9460 §9.1: on another port
//!   https = true                                               than 443 at _8443._https.app)
//!   explain = ["127.0.0.0/8"]          _rota.app        TXT
//!   names = ["nodes", "all"]           eu1.app, eu2.app, all.app   A, AAAA
//! ```
//!
//! Further names are ordinary records, added to those that the zone has: they answer with all
//! addresses whatever their state. SRV records point at the nodes' names, so `srv` brings them.
//! None of these names may be one that the zone already has something of the kind at.

use std::net::IpAddr;
use std::ops::Range;

use toml::de::DeTable;

use super::dns::read_network;
use super::fields::Fields;
use super::pools::PoolDraft;
use super::reader::Reader;
use super::tables::HTTPS;
use super::value::{in_order, number};
use crate::steer::{Explain, Https, Srv};
use crate::wire::{Name, RecordType};
use crate::zone::RecordsBuilder;

/// Services have a few protocols, and each costs a name.
const SRV_MAX: usize = 32;
/// Clients try protocols one by one.
const ALPN_MAX: usize = 16;
/// One octet says how long an id is. RFC 7301 §3.1.
const ALPN_LEN_MAX: usize = 255;
/// A list of networks is walked for every answer.
const EXPLAIN_MAX: usize = 64;
/// Octets that answers have room for: a message less its header and the longest question.
/// RFC 1035 §4.2.2.
const RECORDS_LEN_MAX: usize = u16::MAX as usize - 12 - 255 - 4;
/// Octets of an SRV record besides its target: a pointer, type, class, TTL, length, and three
/// numbers. RFC 2782.
const SRV_OVERHEAD: usize = 2 + 2 + 2 + 4 + 2 + 6;

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Published {
    pub(super) srv: Vec<Srv>,
    pub(super) https: Option<Https>,
    pub(super) explain: Option<Explain>,
    pub(super) names: Vec<Extra>,
}

/// A name that comes with a service.
#[derive(Debug)]
pub(super) struct Extra {
    owner: Name,
    /// It is not the service's own name.
    is_further: bool,
    /// What stands there.
    types: &'static [RecordType],
    /// What it is added to the records with; none where the service itself answers.
    addresses: Vec<IpAddr>,
    /// In seconds, of the addresses.
    ttl: u32,
    /// What it comes from, and where that is written.
    key: &'static str,
    span: Range<usize>,
}

/// Reads what the service at `owner` publishes; addresses get the TTL `calm`.
pub(super) fn read(
    fields: &Fields<'_>,
    owner: &Name,
    pools: &[PoolDraft<'_>],
    calm: u32,
    reader: &mut Reader<'_>,
) -> Published {
    if owner.is_wildcard() {
        return read_wildcard(fields, owner, reader);
    }
    let mut read = Maker { owner, calm, reader, made: Published::default() };
    read.srv(fields);
    read.https(fields);
    read.explain(fields);
    let wanted = fields.texts("names", read.reader);
    let wants = |word| wanted.iter().any(|text| text.text == word);
    if wants("nodes") || fields.value("srv").is_some() {
        read.nodes(if wants("nodes") { "names" } else { "srv" }, pools);
    }
    if wants("all") {
        let all = pools.iter().flat_map(|pool| &pool.nodes).flat_map(|node| &node.addresses);
        let addresses = all.copied().collect();
        read.extra("all", "names", fields.value_span("names"), &ADDRESSES, addresses);
    }
    read.made
}

/// A wildcard has an HTTPS record on port 443 at most: other names would need names below all that
/// it covers.
fn read_wildcard(fields: &Fields<'_>, owner: &Name, reader: &mut Reader<'_>) -> Published {
    for key in ["srv", "names", "explain"].into_iter().filter(|key| fields.written(key)) {
        let message = format!("`{key}` needs names of its own, which the wildcard {owner} has not");
        let help = "write it in a service with a name of its own";
        reader.refuse(fields.key_span(key), message, help);
    }
    let mut read = Maker { owner, calm: 0, reader, made: Published::default() };
    read.https(fields);
    read.made
}

const ADDRESSES: [RecordType; 2] = [RecordType::A, RecordType::AAAA];

struct Maker<'m, 'r> {
    owner: &'m Name,
    calm: u32,
    reader: &'m mut Reader<'r>,
    made: Published,
}

impl Maker<'_, '_> {
    fn srv(&mut self, fields: &Fields<'_>) {
        let Some((table, span)) = fields.table("srv") else { return };
        if table.len() > SRV_MAX {
            let message = format!("{} SRV names are more than {SRV_MAX}", table.len());
            self.reader.refuse(span, message, "split the service in two");
        }
        for (prefix, port) in in_order(table) {
            let written: &str = prefix.get_ref();
            // What is out of its bounds has been told.
            let port = number(port.get_ref()).and_then(|port| u16::try_from(port).ok());
            if !is_srv_prefix(written) {
                let bare = written.trim_start_matches('_').split(['.', '/']).next();
                let help = format!("write \"_{}._tcp\"", bare.unwrap_or("https"));
                let message = format!("\"{written}\" is not a service and its protocol");
                self.reader.refuse(prefix.span(), message, help);
            } else if let (Some(owner), Some(port)) =
                (self.extra(written, "srv", prefix.span(), &[RecordType::SRV], Vec::new()), port)
            {
                self.made.srv.push(Srv { owner, port });
            }
        }
    }

    fn https(&mut self, fields: &Fields<'_>) {
        let empty = DeTable::new();
        let Some(written) = fields.value("https") else { return };
        if written.get_ref().as_bool() == Some(false) {
            return;
        }
        let (table, span) = fields.table("https").unwrap_or_else(|| (&empty, written.span()));
        let https = self.reader.fields(&HTTPS, table, span.clone());
        // The key's bounds lie within 16 bits.
        let port = u16::try_from(https.number("port")).unwrap_or(u16::MAX);
        let alpn = self.alpn(&https);
        // RFC 9460 §9.1: the default port's record stands at the name itself.
        let prefix = if port == 443 { "@".to_owned() } else { format!("_{port}._https") };
        if self.owner.is_wildcard() && port != 443 {
            let message = format!(
                "HTTPS on port {port} needs a name that the wildcard {} has not",
                self.owner
            );
            let help = "leave the port out for 443, or write a service with a name of its own";
            self.reader.refuse(span, message, help);
            return;
        }
        let owner = self.extra(&prefix, "https", span, &[RecordType::HTTPS], Vec::new());
        self.made.https = owner.map(|owner| Https { owner, port, alpn });
    }

    fn alpn(&mut self, https: &Fields<'_>) -> Vec<String> {
        let mut alpn: Vec<String> = Vec::new();
        for id in https.texts("alpn", self.reader) {
            let plain = id.text.bytes().all(|octet| octet.is_ascii_graphic());
            if id.text.is_empty() || id.text.len() > ALPN_LEN_MAX || !plain {
                let message = format!("\"{}\" is not a protocol's id", id.text);
                let help = format!("write 1 to {ALPN_LEN_MAX} visible ASCII characters: \"h2\"");
                self.reader.refuse(id.span, message, help);
            } else if alpn.contains(&id.text) {
                self.reader.refuse(id.span, format!("{} stands twice", id.text), "remove one");
            } else {
                alpn.push(id.text);
            }
        }
        if alpn.len() > ALPN_MAX {
            let message = format!("{} protocols are more than {ALPN_MAX}", alpn.len());
            self.reader.refuse(https.value_span("alpn"), message, "keep what clients shall try");
        }
        alpn
    }

    fn explain(&mut self, fields: &Fields<'_>) {
        let texts = fields.texts("explain", self.reader);
        if texts.is_empty() {
            return;
        }
        let span = fields.value_span("explain");
        if texts.len() > EXPLAIN_MAX {
            let message = format!("`explain` lists {}, but at most {EXPLAIN_MAX}", texts.len());
            self.reader.refuse(span.clone(), message, "list larger networks");
        }
        let to = texts.iter().filter_map(|text| read_network(text, self.reader)).collect();
        let owner = self.extra("_rota", "explain", span, &[RecordType::TXT], Vec::new());
        self.made.explain = owner.map(|owner| Explain { owner, to });
    }

    /// A name for each node, which `key` wants.
    fn nodes(&mut self, key: &'static str, pools: &[PoolDraft<'_>]) {
        let mut octets = 0;
        let mut last = 0..0;
        for node in pools.iter().flat_map(|pool| &pool.nodes) {
            let (name, span) = (&node.name, node.place.clone());
            if name.contains('.') {
                let message = format!("`{key}` makes the node's name {name} a label, without dots");
                let help = format!("write for example \"{}\"", name.replace('.', "-"));
                self.reader.refuse(span, message, help);
                continue;
            }
            let addresses = node.addresses.clone();
            let owner = self.extra(name, key, span.clone(), &ADDRESSES, addresses);
            octets += SRV_OVERHEAD + owner.map_or(0, |owner| owner.as_wire().len());
            last = span;
        }
        if octets > RECORDS_LEN_MAX && !self.made.srv.is_empty() {
            let message = format!("SRV records of all nodes need {octets} octets: no message can");
            let help = "give the nodes shorter names, or split the service in two";
            self.reader.refuse(last, message, help);
        }
    }

    /// Notes a name below the service's own; none where there can be no such name.
    fn extra(
        &mut self,
        prefix: &str,
        key: &'static str,
        span: Range<usize>,
        types: &'static [RecordType],
        addresses: Vec<IpAddr>,
    ) -> Option<Name> {
        let owner = match Name::from_text_under(prefix, self.owner) {
            Ok(owner) => owner,
            Err(why) => {
                let message =
                    format!("`{key}` needs \"{prefix}\" before {}, but {why}", self.owner);
                self.reader.refuse(span, message, "choose shorter names");
                return None;
            }
        };
        // What a service itself answers needs the whole name.
        let answers = |addresses: &[IpAddr]| addresses.is_empty();
        let clashes = |other: &&Extra| {
            let both_answer = answers(&other.addresses) && answers(&addresses);
            other.owner == owner && (other.types == types || both_answer)
        };
        if let Some(other) = self.made.names.iter().find(clashes) {
            let message = if other.key == "names" && prefix == "all" {
                format!("\"all\" would be {owner}, as a node's name is too")
            } else {
                format!("{owner} would come from here and from what is written above")
            };
            self.reader.refuse(span, message, "choose names that differ");
            return None;
        }
        self.made.names.push(Extra {
            owner: owner.clone(),
            is_further: owner != *self.owner,
            types,
            addresses,
            ttl: self.calm,
            key,
            span,
        });
        Some(owner)
    }
}

/// Adds further names to the records of the zone; `services` are the names of all its services.
pub(super) fn add(
    extras: Vec<Extra>,
    services: &[Name],
    records: &mut RecordsBuilder,
    reader: &mut Reader<'_>,
) {
    for Extra { owner, is_further, types, addresses, ttl, key, span } in extras {
        let taken = types.iter().chain([&RecordType::CNAME, &RecordType::NS]);
        let mut taken = taken.filter(|&&rtype| rtype != RecordType::NS || owner != records.apex);
        if is_further && services.contains(&owner) {
            let message = format!("`{key}` makes the name {owner}, which is a service");
            reader.refuse(span, message, "give one of the two another name");
        } else if let Some(rtype) = taken.find(|&&rtype| records.has(&owner, rtype)) {
            let message = format!("`{key}` makes the name {owner}, which has {rtype} records");
            reader.refuse(span, message, "remove the records, or choose another name");
        } else {
            for address in addresses {
                records.add_address(&owner, ttl, address);
            }
        }
    }
}

/// `_service._proto`, each a label. RFC 2782, RFC 6335 §5.1.
fn is_srv_prefix(text: &str) -> bool {
    let label = |text: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        text.strip_prefix('_').is_some_and(|rest| !rest.is_empty() && rest.chars().all(plain))
    };
    text.split_once('.').is_some_and(|(service, proto)| label(service) && label(proto))
}
