//! An answer as the verbs look at it: its flags, and the records that they know.

use std::net::IpAddr;

use domain::base::iana::Rcode;
use domain::base::opt::{ClientSubnet, Cookie};
use domain::base::{Message, ParsedName, ParsedRecord, ToName};
use domain::rdata::{A, Aaaa, Cname, Ns, Soa};

use crate::wire::{Name, RecordType};

/// What a server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Reply {
    /// The response code.
    pub(in crate::cli) rcode: Rcode,
    /// The server has authority over what it says.
    pub(in crate::cli) authoritative: bool,
    /// There was more than fits.
    pub(in crate::cli) truncated: bool,
    /// What EDNS adds; none where there is no OPT record.
    pub(in crate::cli) edns: Option<Edns>,
    /// The answer section.
    pub(in crate::cli) answer: Vec<Record>,
    /// The authority section.
    pub(in crate::cli) authority: Vec<Record>,
    /// The additional section without the OPT record.
    pub(in crate::cli) additional: Vec<Record>,
}

/// What an OPT record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Edns {
    /// How many leading bits of the client's address it depends on, if it says so. RFC 7871.
    pub(in crate::cli) scope: Option<u8>,
    /// The server's clock in seconds since 1970, from its cookie. RFC 9018 §4.3.
    pub(in crate::cli) clock: Option<u32>,
}

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Record {
    /// Whose it is.
    pub(in crate::cli) owner: Name,
    /// In seconds.
    pub(in crate::cli) ttl: u32,
    /// What it says.
    pub(in crate::cli) data: Data,
}

/// What a record says, of the types that verbs look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Data {
    /// A or AAAA.
    Address(IpAddr),
    /// NS.
    NameServer(Name),
    /// CNAME.
    Alias(Name),
    /// SOA.
    Start {
        /// The zone's serial.
        serial: u32,
    },
    /// Another type.
    Other(RecordType),
}

impl Reply {
    /// Reads an answer to the query with this id; none where it is another message or garbled.
    pub(in crate::cli) fn parse(id: u16, octets: &[u8]) -> Option<Self> {
        let message = Message::from_octets(octets).ok()?;
        let header = message.header();
        if header.id() != id || !header.qr() {
            return None;
        }
        let edns = message.opt().map(|record| {
            let opt = record.opt();
            let cookie = opt.first::<Cookie>().and_then(|cookie| {
                cookie.server()?.try_to_standard().filter(|standard| standard.version() == 1)
            });
            Edns {
                scope: opt.first::<ClientSubnet>().map(|subnet| subnet.scope_prefix_len()),
                clock: cookie.map(|cookie| cookie.timestamp().into_int()),
            }
        });
        let section = |records: Option<_>| -> Option<Vec<Record>> {
            let records: domain::base::message::RecordSection<'_, &[u8]> = records?;
            let mut read = Vec::new();
            for found in records {
                let found = found.ok()?;
                if RecordType(found.rtype().to_int()) != RecordType::OPT {
                    read.push(record(&found)?);
                }
            }
            Some(read)
        };
        Some(Self {
            rcode: header.rcode(),
            authoritative: header.aa(),
            truncated: header.tc(),
            edns,
            answer: section(message.answer().ok())?,
            authority: section(message.authority().ok())?,
            additional: section(message.additional().ok())?,
        })
    }

    /// The addresses of the answer, in their order.
    pub(in crate::cli) fn addresses(&self) -> Vec<IpAddr> {
        addresses(&self.answer, None)
    }

    /// Where the name that was asked for leads: the last alias of the answer.
    pub(in crate::cli) fn alias(&self) -> Option<&Name> {
        self.answer.iter().rev().find_map(|record| match &record.data {
            Data::Alias(target) => Some(target),
            Data::Address(_) | Data::NameServer(_) | Data::Start { .. } | Data::Other(_) => None,
        })
    }

    /// The zone's serial, where the answer has an SOA.
    pub(in crate::cli) fn serial(&self) -> Option<u32> {
        self.answer.iter().find_map(|record| match record.data {
            Data::Start { serial } => Some(serial),
            Data::Address(_) | Data::NameServer(_) | Data::Alias(_) | Data::Other(_) => None,
        })
    }
}

/// The addresses in a section, of one owner or of all.
pub(in crate::cli) fn addresses(records: &[Record], owner: Option<&Name>) -> Vec<IpAddr> {
    let wanted = records.iter().filter(|record| owner.is_none_or(|owner| record.owner == *owner));
    wanted
        .filter_map(|record| match record.data {
            Data::Address(address) => Some(address),
            Data::NameServer(_) | Data::Alias(_) | Data::Start { .. } | Data::Other(_) => None,
        })
        .collect()
}

/// The name servers of an owner in a section.
pub(in crate::cli) fn name_servers(records: &[Record], owner: &Name) -> Vec<Name> {
    let wanted = records.iter().filter(|record| record.owner == *owner);
    wanted
        .filter_map(|record| match &record.data {
            Data::NameServer(name) => Some(name.clone()),
            Data::Address(_) | Data::Alias(_) | Data::Start { .. } | Data::Other(_) => None,
        })
        .collect()
}

fn record(found: &ParsedRecord<'_, &[u8]>) -> Option<Record> {
    type Parsed<'m> = ParsedName<&'m [u8]>;
    let data = match RecordType(found.rtype().to_int()) {
        RecordType::A => Data::Address(found.to_record::<A>().ok()??.data().addr().into()),
        RecordType::AAAA => Data::Address(found.to_record::<Aaaa>().ok()??.data().addr().into()),
        RecordType::NS => {
            Data::NameServer(name(found.to_record::<Ns<Parsed<'_>>>().ok()??.data().nsdname())?)
        }
        RecordType::CNAME => {
            Data::Alias(name(found.to_record::<Cname<Parsed<'_>>>().ok()??.data().cname())?)
        }
        RecordType::SOA => {
            let soa = found.to_record::<Soa<Parsed<'_>>>().ok()??;
            Data::Start { serial: soa.data().serial().into_int() }
        }
        other => Data::Other(other),
    };
    Some(Record { owner: name(&found.owner())?, ttl: found.ttl().as_secs(), data })
}

fn name(name: &impl ToName) -> Option<Name> {
    Name::from_wire(name.to_vec().as_slice()).ok()
}
