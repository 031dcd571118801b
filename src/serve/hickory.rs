//! The engine inside a hickory server: whoever runs one gives it a [`Handler`], and whatever
//! hickory's transports carry (TLS, HTTPS, QUIC with its features) is answered by [`respond`].
//!
//! ```text
//!   hickory: bytes ─► Request ─┐
//!                              ├─ request.as_slice() ─► respond ─► bytes ─► Reply ─┐
//!   hickory: bytes ◄─ encoder ◄┴─ ResponseHandler::send_response ◄─────────────────┘
//! ```
//!
//! The query's own octets go in, so nothing of it is lost. The way back is narrower: hickory takes
//! a response as records and encodes them itself, so the octets of ours are taken apart into what
//! that encoder puts together again, and into nothing that it would interpret. `Reply` tells how.
//!
//! What comes out differs from our own octets in this much:
//!
//! - Names are compressed otherwise, and less. A UDP response that becomes too large by that leaves
//!   with TC and without records, as one may that was too large from the start.
//! - The header's Z bit is 0. It is in ours.
//! - Hickory answers by itself, before anyone is asked, what it cannot parse (FORMERR without the
//!   question) and whom its access list denies (REFUSED), and drops runts and responses.
//! - Under DNS over QUIC it sets the id to 0, as RFC 9250 §4.2.1 wants.
//!
//! One worker answers for a handler, behind a mutex that is held for one answer and never across an
//! `await`. So rotation is exact for the handler as a whole, and the lock, held for less than a
//! microsecond beside the task that hickory spawns for each datagram, is not what bounds it. Who
//! needs our own speed uses [`start`](super::start).

use std::iter::Empty;
use std::slice::Iter;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use hickory_server::net::runtime::Time;
use hickory_server::net::xfer::Protocol;
use hickory_server::proto::ProtoError;
use hickory_server::proto::op::{Edns, EdnsFlags, Header, HeaderCounts, Metadata, ResponseCode};
use hickory_server::proto::rr::rdata::NULL;
use hickory_server::proto::rr::rdata::opt::{EdnsCode, EdnsOption};
use hickory_server::proto::rr::{self, DNSClass, Name, RData, Record};
use hickory_server::proto::serialize::binary::{
    BinDecodable, BinDecoder, BinEncodable, BinEncoder, Restrict,
};
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::zone_handler::{MessageResponse, MessageResponseBuilder, Queries};

use super::now;
use crate::respond::{Action, Client, Tally, Transport, Worker, respond};
use crate::snapshot::Current;
use crate::wire::RecordType;
use crate::zone::rdata::{Part, name_layout};

/// Types that hickory encodes to the octets they came from, whose names it may compress.
///
/// All others pass it as octets: a reader that understands a type may also refuse it, or write it
/// in another way than it was.
const TYPED: [RecordType; 7] = [
    RecordType::A,
    RecordType::AAAA,
    RecordType::NS,
    RecordType::CNAME,
    RecordType::PTR,
    RecordType::MX,
    RecordType::SOA,
];

/// Answers hickory's requests from the snapshot in force.
pub struct Handler {
    current: Arc<Current>,
    tally: Arc<Tally>,
    desk: Mutex<Desk>,
}

/// What answering needs, used by one request at a time.
struct Desk {
    worker: Worker,
    /// The largest message.
    out: Box<[u8]>,
}

impl Handler {
    /// Answers from `current`; `seed` is the start of every random number.
    pub fn new(current: Arc<Current>, seed: u64) -> Self {
        let worker = Worker::new(seed);
        let tally = Arc::clone(worker.tally());
        let out = vec![0; usize::from(u16::MAX)].into();
        Self { current, tally, desk: Mutex::new(Desk { worker, out }) }
    }

    /// What the answers were.
    pub fn tally(&self) -> &Arc<Tally> {
        &self.tally
    }

    /// The response's octets, and the most that the client takes; none for silence.
    fn answer(&self, request: &Request) -> Option<(Vec<u8>, u16)> {
        let snapshot = self.current.load();
        let transport = transport_of(request.protocol());
        let limit = match transport.is_datagram() {
            true => request.max_payload().min(snapshot.settings().udp_size),
            false => u16::MAX,
        };
        let client = Client { addr: request.src(), transport };
        // An answer cannot panic, and a worker is whole between any two of its steps.
        let mut desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
        let Desk { worker, out } = &mut *desk;
        worker.begin_batch(&snapshot, now());
        match respond(request.as_slice(), &client, &snapshot, worker, &mut (), out) {
            Action::Send(len) => Some((out[..len].to_vec(), limit)),
            Action::Drop => None,
        }
    }
}

#[async_trait]
impl RequestHandler for Handler {
    async fn handle_request<R: ResponseHandler, T: Time>(
        &self,
        request: &Request,
        mut response_handle: R,
    ) -> ResponseInfo {
        let unsent = Header { metadata: request.metadata, counts: HeaderCounts::default() };
        let Some((octets, limit)) = self.answer(request) else { return unsent.into() };
        let sent = match Reply::read(&octets) {
            Ok(reply) => {
                let reply = reply.within(limit);
                response_handle.send_response(reply.message()).await
            }
            Err(error) => {
                tracing::error!(%error, "hickory cannot carry a response");
                let response = MessageResponseBuilder::from_message_request(request);
                let response = response.error_msg(&request.metadata, ResponseCode::ServFail);
                response_handle.send_response(response).await
            }
        };
        sent.unwrap_or_else(|error| {
            tracing::debug!(%error, "a response could not be handed to hickory");
            unsent.into()
        })
    }
}

/// Our name of a protocol. Which ones there are depends on what hickory is built with, so all but
/// two are known by their words alone.
fn transport_of(protocol: Protocol) -> Transport {
    match (protocol.is_datagram(), protocol.as_str()) {
        (true, _) => Transport::Udp,
        (false, "tls") => Transport::Tls,
        (false, "https") => Transport::Https,
        (false, "quic") => Transport::Quic,
        (false, "http3") => Transport::H3,
        (false, _) => Transport::Tcp,
    }
}

/// A response taken apart for hickory's encoder.
///
/// | part                 | passes as                                                        |
/// |----------------------|------------------------------------------------------------------|
/// | id, flags, opcode    | hickory's metadata: every bit but Z                              |
/// | rcode                | one number of 12 bits, from the header and OPT                   |
/// | question             | its octets                                                       |
/// | owner, class, TTL    | themselves; a name keeps its case                                |
/// | RDATA of [`TYPED`]   | hickory's type of it                                             |
/// | any other RDATA      | octets, with the names that our encoder compressed written out   |
/// | OPT                  | size, version, all flags; each option as octets, in their order  |
struct Reply {
    metadata: Metadata,
    queries: Queries,
    answers: Vec<Record>,
    authorities: Vec<Record>,
    additionals: Vec<Record>,
    edns: Option<Edns>,
}

/// Hickory's form of a response, borrowed from ours.
type Message<'r> = MessageResponse<
    'r,
    'r,
    Iter<'r, Record>,
    Iter<'r, Record>,
    Empty<&'r Record>,
    Iter<'r, Record>,
>;

impl Reply {
    fn read(octets: &[u8]) -> Result<Self, ProtoError> {
        let decoder = &mut BinDecoder::new(octets);
        let Header { metadata, counts } = Header::read(decoder)?;
        let queries = Queries::read(decoder, usize::from(counts.queries))?;
        let (answers, authorities, additionals) = (vec![], vec![], vec![]);
        let mut reply = Self { metadata, queries, answers, authorities, additionals, edns: None };
        reply.answers = reply.section(counts.answers, decoder)?;
        reply.authorities = reply.section(counts.authorities, decoder)?;
        reply.additionals = reply.section(counts.additionals, decoder)?;
        Ok(reply)
    }

    fn section(
        &mut self,
        count: u16,
        from: &mut BinDecoder<'_>,
    ) -> Result<Vec<Record>, ProtoError> {
        let records = (0..count).filter_map(|_| self.record(from).transpose());
        records.collect()
    }

    /// Reads one record; OPT is none and goes to its own place, which hickory encodes last.
    fn record(&mut self, decoder: &mut BinDecoder<'_>) -> Result<Option<Record>, ProtoError> {
        let owner = Name::read(decoder)?;
        let rtype = RecordType(decoder.read_u16()?.unverified());
        let class = decoder.read_u16()?.unverified();
        let ttl = decoder.read_u32()?.unverified();
        let len = decoder.read_u16()?.unverified();
        if rtype == RecordType::OPT {
            let options = decoder.read_slice(usize::from(len))?.unverified();
            let edns = edns(class, ttl, options);
            let low = self.metadata.response_code.low();
            self.metadata.response_code = ResponseCode::from(edns.rcode_high(), low);
            self.edns = Some(edns);
            return Ok(None);
        }
        let mut record = Record::from_rdata(owner, ttl, rdata(rtype, len, decoder)?);
        record.dns_class = DNSClass::from(class);
        Ok(Some(record))
    }

    /// The reply itself where hickory encodes it within `limit` octets; else TC alone, since its
    /// encoder would cut inside an RRset and drop OPT. RFC 2181 §9, RFC 6891 §7.
    fn within(mut self, limit: u16) -> Self {
        let mut octets = Vec::new();
        let mut encoder = BinEncoder::new(&mut octets);
        encoder.set_max_size(limit);
        let counts = self.counts();
        let encoded = self.message().destructive_emit(&mut encoder);
        if !encoded.is_ok_and(|info| info.counts() == counts) {
            self.metadata.truncation = true;
            self.answers.clear();
            self.authorities.clear();
            self.additionals.clear();
        }
        self
    }

    fn message(&self) -> Message<'_> {
        MessageResponseBuilder::new(&self.queries, self.edns.as_ref()).build(
            self.metadata,
            &self.answers,
            &self.authorities,
            std::iter::empty(),
            &self.additionals,
        )
    }

    fn counts(&self) -> HeaderCounts {
        // Each was read from two octets, or is one more than what was counted without OPT.
        let count = |len: usize| u16::try_from(len).unwrap_or(u16::MAX);
        HeaderCounts {
            queries: count(self.queries.len()),
            answers: count(self.answers.len()),
            authorities: count(self.authorities.len()),
            additionals: count(self.additionals.len() + usize::from(self.edns.is_some())),
        }
    }
}

/// The RDATA that the decoder stands before, of `len` octets.
fn rdata(rtype: RecordType, len: u16, decoder: &mut BinDecoder<'_>) -> Result<RData, ProtoError> {
    let code = rr::RecordType::from(rtype.0);
    if len == 0 {
        // RFC 3597 §5 has RDATA without octets; hickory knows that from UPDATE (RFC 2136 §2.4).
        return Ok(RData::Update0(code));
    }
    if TYPED.contains(&rtype) {
        return Ok(RData::read(decoder, code, Restrict::new(len))?);
    }
    let end = decoder.index() + usize::from(len);
    let mut octets = Vec::with_capacity(usize::from(len));
    for part in name_layout(rtype) {
        match part {
            Part::Bytes(count) => octets.extend(decoder.read_slice(*count)?.unverified()),
            Part::Compressible => octets.extend(Name::read(decoder)?.to_bytes()?),
            // What follows one of these has no names that are compressed.
            Part::CharString | Part::Name | Part::Rest => break,
        }
    }
    let rest = end.checked_sub(decoder.index());
    let rest = rest.ok_or(ProtoError::Message("a name goes beyond its RDATA"))?;
    octets.extend(decoder.read_slice(rest)?.unverified());
    Ok(RData::Unknown { code, rdata: NULL::with(octets) })
}

/// An OPT record from its class, TTL and RDATA. RFC 6891 §6.1.
fn edns(class: u16, ttl: u32, options: &[u8]) -> Edns {
    let [rcode_high, version, flags @ ..] = ttl.to_be_bytes();
    let mut edns = Edns::new();
    edns.set_max_payload(class).set_version(version).set_rcode_high(rcode_high);
    *edns.flags_mut() = EdnsFlags::from(u16::from_be_bytes(flags));
    let mut rest = options;
    while let Some((&[high, low, len_high, len_low], tail)) = rest.split_first_chunk() {
        let len = usize::from(u16::from_be_bytes([len_high, len_low]));
        let (data, after) = tail.split_at(len.min(tail.len()));
        let code = u16::from_be_bytes([high, low]);
        // As octets, whatever the code: hickory reads some options and writes them otherwise.
        let option = EdnsOption::Unknown(code, data.to_vec());
        edns.options_mut().options.push((EdnsCode::from(code), option));
        rest = after;
    }
    edns
}

#[cfg(test)]
mod tests;
