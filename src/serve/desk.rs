//! Where the connections of one thread are answered: one worker, one buffer, for all of them.
//!
//! Nothing here waits: each turn is one synchronous function under one snapshot, so nothing
//! borrowed crosses an `await`, and a connection that waits holds no snapshot.

use std::cell::RefCell;
use std::sync::Arc;

use super::counters::{Counters, Row};
use super::keys::Tls;
use super::now;
use super::options::{Limits, Proxies};
use super::stopwatch::Stopwatch;
use crate::respond::{Action, Client, Transport, Worker, respond};
use crate::snapshot::Current;

/// Octets of the length before each message. RFC 1035 §4.2.2.
pub(super) const PREFIX_LEN: usize = 2;

/// Octets of a message header: nothing shorter is a message.
pub(super) const HEADER_LEN: usize = 12;

/// Octets of answers that are written before another answer is made.
pub(super) const OUTPUT_SOFT_MAX: usize = 64 * 1024;

/// What the connections of one thread share.
pub(super) struct Desk {
    pub(super) limits: Limits,
    pub(super) proxies: Proxies,
    /// The path of DNS over HTTPS.
    pub(super) path: String,
    pub(super) tls: Tls,
    current: Arc<Current>,
    counters: Counters,
    /// Which row of the counters is this thread's.
    index: usize,
    /// Borrowed while answering only.
    tools: RefCell<Tools>,
}

struct Tools {
    worker: Worker,
    /// The largest message; answers are made here and copied, short as they are, to their place.
    out: Box<[u8]>,
    stopwatch: Stopwatch,
}

/// What a connection does after the answers at hand are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// There may be more whole messages: answer these.
    Answer,
    /// What is left is the start of a message, or nothing.
    Read,
    /// The stream is out of step.
    Close,
}

/// What all desks are made of.
#[derive(Clone)]
pub(super) struct Furniture {
    pub(super) current: Arc<Current>,
    pub(super) counters: Counters,
    pub(super) limits: Limits,
    pub(super) proxies: Proxies,
    pub(super) path: String,
    pub(super) tls: Tls,
}

impl Desk {
    /// What the connections of thread `index` share.
    pub(super) fn new(furniture: Furniture, worker: Worker, index: usize) -> Self {
        let Furniture { current, counters, limits, proxies, path, tls } = furniture;
        let out = vec![0; usize::from(u16::MAX)].into();
        let tools = RefCell::new(Tools { worker, out, stopwatch: Stopwatch::default() });
        Self { limits, proxies, path, tls, current, counters, index, tools }
    }

    /// The counters of this thread.
    pub(super) fn row(&self, transport: Transport) -> &Row {
        self.counters.row(transport, self.index)
    }

    /// Answers the whole messages at the start of `input`, takes them away, and appends the
    /// answers to `output`; returns how many answers there are.
    pub(super) fn answer_stream(
        &self,
        input: &mut Vec<u8>,
        client: &Client,
        output: &mut Vec<u8>,
    ) -> (usize, Next) {
        let Tools { worker, out, stopwatch } = &mut *self.tools.borrow_mut();
        let snapshot = self.current.load();
        let begun = now();
        worker.begin_batch(&snapshot, begun);
        let mut rest = &input[..];
        let (mut received, mut answers) = (0, 0);
        let next = loop {
            let Some((&prefix, tail)) = rest.split_first_chunk::<PREFIX_LEN>() else {
                break Next::Read;
            };
            let len = usize::from(u16::from_be_bytes(prefix));
            if len < HEADER_LEN {
                break Next::Close;
            }
            let Some((query, tail)) = tail.split_at_checked(len) else {
                break Next::Read;
            };
            if output.len() >= OUTPUT_SOFT_MAX {
                break Next::Answer;
            }
            rest = tail;
            received += 1;
            match respond(query, client, &snapshot, worker, &mut (), out) {
                Action::Send(len) => {
                    let prefix = u16::try_from(len).expect("`out` has as much as a u16 can say");
                    output.extend_from_slice(&prefix.to_be_bytes());
                    output.extend_from_slice(&out[..len]);
                    answers += 1;
                }
                Action::Drop => {}
            }
        };
        let consumed = input.len() - rest.len();
        input.drain(..consumed);
        let row = self.row(client.transport);
        if received > 0 && stopwatch.takes(begun) {
            row.timed.add(now().saturating_duration_since(begun));
        }
        row.received.add(received);
        row.silent.add(received - answers);
        (answers, next)
    }

    /// Answers one message; `keep` makes of the answer what outlives this. None is silence.
    pub(super) fn answer<T>(
        &self,
        query: &[u8],
        client: &Client,
        keep: impl FnOnce(&[u8]) -> T,
    ) -> Option<T> {
        let Tools { worker, out, stopwatch } = &mut *self.tools.borrow_mut();
        let snapshot = self.current.load();
        let begun = now();
        worker.begin_batch(&snapshot, begun);
        let kept = match respond(query, client, &snapshot, worker, &mut (), out) {
            Action::Send(len) => Some(keep(&out[..len])),
            Action::Drop => None,
        };
        let row = self.row(client.transport);
        if stopwatch.takes(begun) {
            row.timed.add(now().saturating_duration_since(begun));
        }
        row.received.add(1);
        row.silent.add(usize::from(kept.is_none()));
        kept
    }
}
