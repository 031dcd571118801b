//! Floor 5: query and snapshot to response bytes.

use std::net::SocketAddr;
use std::time::Instant;

use crate::snapshot::Snapshot;

/// What a client is to an answer.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// Where the query came from.
    pub addr: SocketAddr,
    /// How it came.
    pub transport: Transport,
}

/// How a query came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A datagram: answers are bounded by what the client says it can take, and truncated.
    Udp,
    /// A stream: answers may have 65,535 octets.
    Tcp,
}

/// What is to be done with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send this many octets of the output buffer.
    Send(usize),
    /// Say nothing.
    Drop,
}

/// What one worker owns: counters, rotation positions, the random state, buffers.
pub struct Worker {}

impl Worker {
    /// A worker; `seed` is the start of its random numbers.
    pub fn new(seed: u64) -> Self {
        let _ = seed;
        Self {}
    }

    /// Called between batches: what is sized by the snapshot grows here, and the time is noted.
    pub fn begin_batch(&mut self, snapshot: &Snapshot, now: Instant) {
        let _ = (snapshot, now);
    }
}

/// Records the steps of a decision for `explain`; `()` on the hot path.
pub trait Trace {}

impl Trace for () {}

/// Query bytes to response bytes: the one answer path.
pub fn respond(
    query: &[u8],
    client: &Client,
    snapshot: &Snapshot,
    worker: &mut Worker,
    trace: &mut impl Trace,
    out: &mut [u8],
) -> Action {
    let _ = (client, snapshot, worker, trace);
    if query.len() < 12 || query[2] & 0x80 != 0 || out.len() < query.len() {
        return Action::Drop;
    }
    out[..query.len()].copy_from_slice(query);
    out[2] |= 0x80;
    out[3] = 5;
    Action::Send(query.len())
}
