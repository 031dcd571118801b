//! One mmdb file: its networks, and what it says of each.
//!
//! A file is read from its first network to its last by look-ups, each of which is bounded. The
//! tree of a damaged file may lead back into itself: then the networks are more than its nodes
//! allow, and the reading ends with an error.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use maxminddb::{LookupResult, MaxMindDbError, Reader, WithinOptions};
use serde::de::IgnoredAny;

use super::atlas::{Fact, FileError, FileProblem, Location};
use super::intern::Interner;
use super::record;
use super::runs::{Bits, Spans, push};

/// Where files that hold both families show the IPv4 tree once more in the IPv6 one: compatible and
/// mapped addresses (RFC 4291 §2.5.5), Teredo (RFC 4380 §2.6) and 6to4 (RFC 3056 §2). No client has
/// such an address today, and each would cost as much memory as all of IPv4.
const REPEATED: [(u128, u32); 4] =
    [(0, 96), (0xffff << 32, 96), (0x2001 << 112, 32), (0x2002 << 112, 16)];
/// How many networks are compared to tell whether a tree is a repetition.
const REPEATED_SAMPLE: u64 = 256;
/// A tree has one network more than nodes, and each is met once. Where both families are held,
/// trees that we do not know as repetitions may show again.
const NETWORKS_PER_NODE_MAX: u64 = 8;
/// How many keys of a record an error names.
const KEYS_SHOWN: usize = 8;

/// What one file says.
#[derive(Debug)]
pub(super) struct Contents {
    /// Indexes into `locations`.
    pub(super) v4: Spans<u32>,
    /// Indexes into `locations`.
    pub(super) v6: Spans<u128>,
    /// The first is that of addresses of which nothing is said.
    pub(super) locations: Interner<Location>,
}

/// Reads a whole file.
pub(super) fn read(name: &str, bytes: &[u8]) -> Result<Contents, FileError> {
    let error = |problem| FileError { file: name.to_owned(), problem };
    let reader = Reader::from_source(bytes).map_err(|reason| error(unreadable(bytes, reason)))?;
    let nodes = u64::from(reader.metadata().node_count);
    let mut scan = Scan {
        reader,
        left: NETWORKS_PER_NODE_MAX * (nodes + 1),
        locations: Interner::starting_with(Location::default()),
        known: HashMap::new(),
        sample: Vec::new(),
        sample_step: nodes / REPEATED_SAMPLE + 1,
        keys: None,
    };
    let v4 = scan.v4().map_err(&error)?;
    let v6 = scan.v6().map_err(&error)?;
    let says_something = Fact::ALL.iter().any(|fact| scan.locations.iter().any(|it| it.has(*fact)));
    if !says_something {
        let kind = scan.reader.metadata().database_type.clone();
        return Err(error(FileProblem::Kind { kind, keys: scan.keys.unwrap_or_default() }));
    }
    Ok(Contents { v4, v6, locations: scan.locations })
}

fn unreadable(bytes: &[u8], reason: MaxMindDbError) -> FileProblem {
    let has_marker = bytes.windows(METADATA_MARKER.len()).any(|window| window == METADATA_MARKER);
    if has_marker { broken(None, reason) } else { FileProblem::NotMmdb }
}

/// What stands before the metadata of every file of the format.
const METADATA_MARKER: &[u8] = b"\xab\xcd\xefMaxMind.com";

fn broken(address: Option<IpAddr>, reason: MaxMindDbError) -> FileProblem {
    let reason = match address {
        Some(address) => format!("at {address}: {reason}"),
        None => reason.to_string(),
    };
    FileProblem::Broken { reason }
}

struct Scan<'b> {
    reader: Reader<&'b [u8]>,
    /// How many networks there may still be.
    left: u64,
    locations: Interner<Location>,
    /// The location of each record that was read, by its offset.
    known: HashMap<usize, u32>,
    /// Some networks of IPv4: their first addresses, lengths, and the offsets of their records.
    sample: Vec<(u32, u32, Option<usize>)>,
    /// One network of so many is in the sample.
    sample_step: u64,
    /// Some keys of the first record.
    keys: Option<Vec<String>>,
}

/// One network of a file.
struct Found {
    is_v4: bool,
    length: u32,
    /// Of its record, if it has one.
    offset: Option<usize>,
    location: u32,
}

impl Scan<'_> {
    fn v4(&mut self) -> Result<Spans<u32>, FileProblem> {
        let mut spans = Spans::new();
        let mut at = 0_u32;
        loop {
            let found = self.network(Ipv4Addr::from_bits(at).into())?;
            // No tree of IPv4: what was found is the IPv6 network where it would stand.
            if !found.is_v4 {
                return Ok(vec![(0, 0)]);
            }
            push(&mut spans, at, found.location);
            if self.left.is_multiple_of(self.sample_step) {
                self.sample.push((at, found.length, found.offset));
            }
            let last = at.last_of(found.length);
            if last == u32::MAX {
                break;
            }
            at = last.next();
        }
        Ok(spans)
    }

    fn v6(&mut self) -> Result<Spans<u128>, FileProblem> {
        if self.reader.metadata().ip_version != 6 {
            return Ok(vec![(0, 0)]);
        }
        let mut spans = Spans::new();
        let mut at = 0_u128;
        loop {
            let repeated = REPEATED.iter().find(|(base, _)| *base == at);
            let last = match repeated {
                Some(&(base, length)) if self.repeats(base, length)? => {
                    push(&mut spans, at, 0);
                    at.last_of(length)
                }
                Some(_) | None => {
                    let found = self.network(Ipv6Addr::from_bits(at).into())?;
                    push(&mut spans, at, found.location);
                    at.last_of(found.length)
                }
            };
            if last == u128::MAX {
                break;
            }
            at = last.next();
        }
        Ok(spans)
    }

    /// True where the tree of IPv4 stands here once more.
    fn repeats(&self, base: u128, length: u32) -> Result<bool, FileProblem> {
        for &(network, bits, offset) in &self.sample {
            let address = Ipv6Addr::from_bits(base | u128::from(network) << (96 - length));
            let found = self.reader.lookup(address.into());
            let found = found.map_err(|reason| broken(Some(address.into()), reason))?;
            let found_length =
                found.network().map_err(|reason| broken(Some(address.into()), reason))?.prefix();
            if found.offset() != offset || u32::from(found_length) != length + bits {
                return Ok(false);
            }
        }
        Ok(!self.sample.is_empty())
    }

    /// The network that an address lies in.
    fn network(&mut self, address: IpAddr) -> Result<Found, FileProblem> {
        let fail = |reason| broken(Some(address), reason);
        self.left = self.left.checked_sub(1).ok_or_else(|| FileProblem::Broken {
            reason: "its search tree leads back into itself".to_owned(),
        })?;
        let record = self.reader.lookup(address).map_err(fail)?;
        let network = record.network().map_err(fail)?;
        let bits = if network.is_ipv4() { u32::BITS } else { u128::BITS };
        if record.offset().is_none() && u32::from(network.prefix()) == bits {
            // No record, or a tree that goes on below the last bit: a walk tells.
            let options = WithinOptions::default().include_networks_without_data();
            let mut walk = self.reader.within(network, options).map_err(fail)?;
            walk.next().transpose().map_err(fail)?;
        }
        let location = match record.offset() {
            None => 0,
            Some(offset) => match self.known.get(&offset) {
                Some(&location) => location,
                None => {
                    self.keys.get_or_insert_with(|| keys_of(&record));
                    let location = record::location(record).map_err(fail)?;
                    let location = self.locations.add(location);
                    self.known.insert(offset, location);
                    location
                }
            },
        };
        Ok(Found {
            is_v4: network.is_ipv4(),
            length: u32::from(network.prefix()),
            offset: record.offset(),
            location,
        })
    }
}

/// The first keys of a record: they say what kind of file it is. None where it is no map.
fn keys_of(record: &LookupResult<'_, &[u8]>) -> Vec<String> {
    let keys: Option<BTreeMap<String, IgnoredAny>> = record.decode().unwrap_or_default();
    keys.unwrap_or_default().into_keys().take(KEYS_SHOWN).collect()
}
