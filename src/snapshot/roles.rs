//! What stands at the names of a service.
//!
//! ```text
//!   app                A, AAAA; HTTPS, if on port 443
//!   _https._tcp.app    SRV, one name for each that the operator wrote
//!   _8443._https.app   HTTPS, if on another port
//!   _rota.app          TXT: how the service answers
//!   eu1.app            ordinary records: a node by its own name, where SRV leads
//! ```
//!
//! One name has one [`Role`], and a role answers certain types. They come from the service whatever
//! ordinary records of these types there are at the name; other types come from the records.
//!
//! HTTPS: its parts that no status changes are made here, the hints behind them in the plan.
//!
//! ```text
//!   00 01  target  | 00 01 length  alpn: 02 h 2 … | ipv4hint | ipv6hint
//!   `- ServiceMode    `- none where nothing is spoken beside HTTP/1.1
//! ```
//!
//! There is no `port`: a client takes that of the origin, which is the one in the record's name
//! (RFC 9460 §7.2, §9.1).

use crate::steer::{Family, Https, Node, Service};
use crate::wire::{Folded, Name, RecordType};

use super::names::{EntryId, Lookup, NameTable};

/// What of which service stands at a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steered {
    /// By its index in the zone.
    pub service: u32,
    /// What of it.
    pub role: Role,
}

/// What of a service stands at a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The addresses: it is the service's own name.
    Addresses {
        /// The HTTPS record too.
        https: bool,
    },
    /// SRV records, by their index in the service.
    Srv(u16),
    /// The HTTPS record, at a name of its own.
    Https,
    /// The text that explains the service's answers.
    Explain,
}

/// What a service has for a type at one of its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// Picked addresses.
    Addresses(Family),
    /// SRV records, by their index in the service.
    Srv(u16),
    /// The HTTPS record.
    Https,
    /// The text that explains the service's answers.
    Explain,
}

/// Where SRV leads for one node.
#[derive(Debug)]
pub struct NodeName {
    /// The name.
    pub name: Name,
    /// Where its addresses are in the zone, if they are there.
    pub entry: Option<EntryId>,
}

impl Role {
    /// What the service has for a type; none where the type is not the service's.
    pub fn offers(self, rtype: RecordType) -> Option<Offer> {
        match (self, rtype) {
            (Self::Addresses { .. }, RecordType::A) => Some(Offer::Addresses(Family::V4)),
            (Self::Addresses { .. }, RecordType::AAAA) => Some(Offer::Addresses(Family::V6)),
            (Self::Addresses { https: true } | Self::Https, RecordType::HTTPS) => {
                Some(Offer::Https)
            }
            (Self::Srv(index), RecordType::SRV) => Some(Offer::Srv(index)),
            (Self::Explain, RecordType::TXT) => Some(Offer::Explain),
            (Self::Addresses { .. } | Self::Srv(_) | Self::Https | Self::Explain, _) => None,
        }
    }
}

/// The names of a service that are not those of its nodes, each with its role.
pub(super) fn of(service: &Service) -> impl Iterator<Item = (&Name, Role)> {
    let own = &service.owner;
    let https = service.https.as_ref().map(|https| &https.owner);
    let addresses = (own, Role::Addresses { https: https == Some(own) });
    let srv = service.srv.iter().zip(0..).map(|(srv, index)| (&srv.owner, Role::Srv(index)));
    let https = https.filter(|owner| *owner != own).map(|owner| (owner, Role::Https));
    let explain = service.explain.as_ref().map(|explain| (&explain.owner, Role::Explain));
    std::iter::once(addresses).chain(srv).chain(https).chain(explain)
}

/// The names of a service's nodes, for each in order; nothing where it has no SRV records.
pub(super) fn node_names(service: &Service, names: &NameTable) -> Box<[Option<NodeName>]> {
    if service.srv.is_empty() {
        return Box::default();
    }
    let mut folded = Folded::root();
    let mut node_name = |node: &Node| {
        let name = service.node_owner(node)?;
        folded.fold(name.as_wire());
        let entry = match names.lookup(&folded) {
            Lookup::Exact(entry) => Some(entry),
            Lookup::Wildcard { .. }
            | Lookup::Missing { .. }
            | Lookup::Cut(_)
            | Lookup::Renamed(_) => None,
        };
        Some(NodeName { name, entry })
    };
    service.nodes().map(&mut node_name).collect()
}

/// The RDATA of a service's HTTPS record up to its hints. RFC 9460 §2.2.
pub(super) fn https_rdata(service: &Service) -> Option<Box<[u8]>> {
    let Https { owner, alpn, .. } = service.https.as_ref()?;
    // Priority 1: ServiceMode, and the only one.
    let mut rdata = vec![0, 1];
    // RFC 9460 §2.5.2: "." is the owner itself, which has no addresses under a port's prefix.
    let itself = Name::root();
    let target = if *owner == service.owner { &itself } else { &service.owner };
    rdata.extend(target.as_wire());
    let protocols = alpn.iter().filter_map(|id| Some((u8::try_from(id.len()).ok()?, id)));
    let ids: Vec<u8> = protocols.flat_map(|(len, id)| [&[len], id.as_bytes()].concat()).collect();
    if !ids.is_empty() {
        rdata.extend([0, 1]);
        rdata.extend((ids.len() as u16).to_be_bytes());
        rdata.extend(ids);
    }
    Some(rdata.into())
}
