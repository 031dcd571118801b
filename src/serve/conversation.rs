//! One stream of questions and answers, over TCP or whatever else carries the same framing.
//!
//! ```text
//!  [ length:2 | message ] [ length:2 | message ] ...      both ways
//! ```
//!
//! A turn: read what is there, answer every whole message of it in the order asked, write all
//! answers, prefixes included, in one call. The middle part is one synchronous function under one
//! snapshot; nothing borrowed crosses an `await`, and a connection that waits holds no snapshot.
//!
//! What bounds a connection:
//!
//! - Memory: less than one message plus one read waits for its end, and once there are
//!   [`OUTPUT_SOFT_MAX`] octets of answers they are written before the next is made. An idle
//!   connection keeps [`READ_CHUNK`] for each direction at most.
//! - Time: the idle time from one answer to the next, however many octets trickle in meanwhile (a
//!   question in single octets is still one question), and [`WRITE_WAIT_MAX`] for a client to take
//!   its answers; while they wait nothing is read, so that the client's own window fills.
//! - Sense: a length that cannot hold a header means that the stream is out of step; it ends.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{timeout, timeout_at};

use super::counters::{Counters, Row};
use super::now;
use super::stopwatch::Stopwatch;
use crate::respond::{Action, Client, Transport, Worker, respond};
use crate::snapshot::Current;

/// Octets of the length before each message. RFC 1035 §4.2.2.
const PREFIX_LEN: usize = 2;

/// Octets of a message header: nothing shorter is a message.
const HEADER_LEN: usize = 12;

/// Room made for one read: about a hundred pipelined questions.
const READ_CHUNK: usize = 4096;

/// Octets of answers that are written before another answer is made.
const OUTPUT_SOFT_MAX: usize = 64 * 1024;

/// How long a client may take to make room for its answers.
const WRITE_WAIT_MAX: Duration = Duration::from_secs(5);

/// What a connection is doing.
#[derive(Clone, Copy)]
pub(super) enum Standing {
    /// Nothing is owed to it since this time.
    Idle(Instant),
    /// Its answers are being written.
    Writing,
    /// As `Writing`, and then it ends.
    Leaving,
}

/// One connection from its first octet to its last.
pub(super) async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    addr: SocketAddr,
    desk: Rc<Desk>,
    standing: Rc<Cell<Standing>>,
) {
    let client = Client { addr, transport: Transport::Tcp };
    let mut input = Vec::new();
    let mut output = Vec::new();
    let mut deadline = now() + desk.idle;
    loop {
        input.reserve(READ_CHUNK);
        match timeout_at(deadline.into(), stream.read_buf(&mut input)).await {
            Ok(Ok(1..)) => {}
            // The client has gone, or has been silent for too long.
            Ok(Ok(0) | Err(_)) | Err(_) => return,
        }
        loop {
            let (answers, next) = desk.answer(&mut input, &client, &mut output);
            if answers > 0 {
                standing.set(Standing::Writing);
                let written = timeout(WRITE_WAIT_MAX, stream.write_all(&output)).await;
                if !matches!(written, Ok(Ok(()))) {
                    desk.row().send_errors.add(answers);
                    return;
                }
                desk.row().sent.add(answers);
                output.clear();
                if matches!(standing.get(), Standing::Leaving) {
                    return;
                }
                let now = now();
                standing.set(Standing::Idle(now));
                deadline = now + desk.idle;
            }
            match next {
                Next::Answer => {}
                Next::Read => break,
                Next::Close => return,
            }
        }
        // A long message or many answers shall not leave their buffers with an idle connection.
        if input.is_empty() {
            input.shrink_to(READ_CHUNK);
        }
        output.shrink_to(READ_CHUNK);
    }
}

/// What the connections of one thread share.
pub(super) struct Desk {
    current: Arc<Current>,
    counters: Counters,
    index: usize,
    idle: Duration,
    /// Borrowed in `answer` only, which does not wait for anything.
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
enum Next {
    /// There may be more whole messages: answer these.
    Answer,
    /// What is left is the start of a message, or nothing.
    Read,
    /// The stream is out of step.
    Close,
}

impl Desk {
    /// What the connections of thread `index` share.
    pub(super) fn new(
        current: Arc<Current>,
        worker: Worker,
        idle: Duration,
        counters: Counters,
        index: usize,
    ) -> Self {
        let out = vec![0; usize::from(u16::MAX)].into();
        let tools = RefCell::new(Tools { worker, out, stopwatch: Stopwatch::default() });
        Self { current, counters, index, idle, tools }
    }

    /// The counters of this thread.
    pub(super) fn row(&self) -> &Row {
        &self.counters.tcp[self.index]
    }

    /// Answers the whole messages at the start of `input`, takes them away, and appends the
    /// answers to `output`; returns how many answers there are.
    fn answer(&self, input: &mut Vec<u8>, client: &Client, output: &mut Vec<u8>) -> (usize, Next) {
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
        if received > 0 && stopwatch.takes(begun) {
            self.row().timed.add(now().saturating_duration_since(begun));
        }
        self.row().received.add(received);
        self.row().silent.add(received - answers);
        (answers, next)
    }
}
