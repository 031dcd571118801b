//! Streams: TCP connections of many questions each (RFC 7766), and whatever else later carries the
//! same framing.
//!
//! ```text
//!  [ length:2 | message ] [ length:2 | message ] ...      both ways
//! ```
//!
//! Each thread has a small runtime of its own, its own listeners (`SO_REUSEPORT`) and one
//! [`Worker`] for all its connections. A turn of a connection: read what is there, answer every
//! whole message of it in the order asked, write all answers, prefixes included, in one call. The
//! middle part is one synchronous function under one snapshot; nothing borrowed crosses an `await`.
//!
//! What bounds a connection:
//!
//! - Memory: less than one message plus one read waits for its end, and answers are written
//!   before there are more than [`OUTPUT_SOFT_MAX`] octets of them. An idle connection keeps
//!   [`READ_CHUNK`].
//! - Time: `idle` from one answer to the next, however many octets trickle in meanwhile (a
//!   question in single octets is still one question), and [`WRITE_WAIT_MAX`] for a client to take
//!   its answers; while they wait nothing is read, so that the client's own window fills.
//! - Sense: a length that cannot hold a header means that the stream is out of step; it ends.
//! - Seats: when all are taken, a newcomer gets the place of the connection of this thread that
//!   has been idle longest (RFC 7766 §6.2.3 lets a server do so at any time), because a seat that
//!   asks nothing is worth least, and because otherwise whoever fills the seats keeps them for
//!   `idle`. A client above its own limit is turned away and pushes nobody out.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use tokio::time::{sleep, timeout, timeout_at};

use super::counters::Counters;
use super::now;
use super::seats::{Full, Seat, Seats};
use crate::respond::{Action, Client, Transport, Worker, respond};
use crate::snapshot::Current;

/// Octets of the length before each message. RFC 1035 §4.2.2.
const PREFIX_LEN: usize = 2;

/// Octets of a message header: nothing shorter is a message.
const HEADER_LEN: usize = 12;

/// Room made for one read: about a hundred pipelined questions.
const READ_CHUNK: usize = 4096;

/// Answers are written before another one is added to this many octets.
const OUTPUT_SOFT_MAX: usize = 64 * 1024;

/// How long a client may take to make room for its answers.
const WRITE_WAIT_MAX: Duration = Duration::from_secs(5);

/// Rest of the listeners when the process has no descriptor or memory for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How long a stop waits for clients to take the answers that are being written.
pub(super) const STOP_WAIT_MAX: Duration = Duration::from_secs(2);

/// What a thread needs to serve streams.
pub(super) struct Station {
    pub(super) current: Arc<Current>,
    pub(super) seats: Arc<Seats>,
    pub(super) idle: Duration,
    pub(super) counters: Counters,
    /// Which row of the counters is this thread's.
    pub(super) index: usize,
    /// Changes once, to say stop.
    pub(super) stop: watch::Receiver<bool>,
}

/// Serves these listeners until told to stop. Runs on a thread of its own, inside a `LocalSet`.
pub(super) async fn serve(
    listeners: Vec<std::net::TcpListener>,
    station: Station,
    worker: Worker,
) -> io::Result<()> {
    let listeners: Vec<TcpListener> =
        listeners.into_iter().map(TcpListener::from_std).collect::<io::Result<_>>()?;
    let mut stop = station.stop.clone();
    let mut house = House::new(station, worker);
    let mut turn = 0;
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            Some(ended) = house.tasks.join_next_with_id() => house.forget(ended),
            accepted = accept(&listeners, &mut turn) => match accepted {
                Ok((stream, client)) => house.admit(stream, client),
                Err(error) => house.note(&error).await,
            },
        }
    }
    drop(listeners);
    house.close().await;
    Ok(())
}

/// The next connection of any listener; each comes first in its turn.
async fn accept(
    listeners: &[TcpListener],
    turn: &mut usize,
) -> io::Result<(TcpStream, SocketAddr)> {
    poll_fn(|context| {
        for _ in listeners {
            *turn = (*turn + 1) % listeners.len();
            if let Poll::Ready(accepted) = listeners[*turn].poll_accept(context) {
                return Poll::Ready(accepted);
            }
        }
        Poll::Pending
    })
    .await
}

/// The connections of one thread.
struct House {
    station: Station,
    desk: Rc<Desk>,
    tasks: JoinSet<()>,
    guests: HashMap<Id, Guest>,
    /// The process was out of something when last a connection came; said once, not each time.
    starved: bool,
}

/// One connection, from outside.
struct Guest {
    standing: Rc<Cell<Standing>>,
    task: AbortHandle,
    _seat: Seat,
}

/// What a connection is doing.
#[derive(Clone, Copy)]
enum Standing {
    /// Nothing is owed to it since this time.
    Idle(Instant),
    /// Its answers are being written.
    Writing,
    /// As `Writing`, and then it ends.
    Leaving,
}

impl House {
    fn new(station: Station, worker: Worker) -> Self {
        let desk = Rc::new(Desk {
            current: Arc::clone(&station.current),
            counters: station.counters.clone(),
            index: station.index,
            idle: station.idle,
            tools: RefCell::new(Tools { worker, out: vec![0; usize::from(u16::MAX)].into() }),
        });
        Self { station, desk, tasks: JoinSet::new(), guests: HashMap::new(), starved: false }
    }

    /// Gives a connection a seat and a task, or closes it.
    fn admit(&mut self, stream: TcpStream, client: SocketAddr) {
        let seat = match self.station.seats.take(client.ip()) {
            Err(Full::House) if self.evict() => self.station.seats.take(client.ip()),
            taken => taken,
        };
        let Ok(seat) = seat else {
            self.desk.row().refused.add(1);
            return;
        };
        self.desk.row().accepted.add(1);
        self.starved = false;
        let standing = Rc::new(Cell::new(Standing::Idle(now())));
        let conversation = converse(stream, client, Rc::clone(&self.desk), Rc::clone(&standing));
        let task = self.tasks.spawn_local(conversation);
        self.guests.insert(task.id(), Guest { standing, task, _seat: seat });
    }

    /// Ends the connection that has been idle longest and frees its seat; says whether there
    /// was one.
    fn evict(&mut self) -> bool {
        let idle = self.guests.iter().filter_map(|(&id, guest)| match guest.standing.get() {
            Standing::Idle(since) => Some((since, id)),
            Standing::Writing | Standing::Leaving => None,
        });
        let Some(guest) = idle.min().and_then(|(_, id)| self.guests.remove(&id)) else {
            return false;
        };
        guest.task.abort();
        self.desk.row().evicted.add(1);
        true
    }

    /// Frees the seat of a connection that has ended.
    fn forget(&mut self, ended: Result<(Id, ()), JoinError>) {
        let id = match ended {
            Ok((id, ())) => id,
            Err(error) => error.id(),
        };
        self.guests.remove(&id);
    }

    /// After a failed accept: makes room and rests if the process is out of something.
    async fn note(&mut self, error: &io::Error) {
        self.desk.row().receive_errors.add(1);
        // Every other error says only that this one connection died early (accept(2)).
        let out_of_something = [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM];
        if error.raw_os_error().is_some_and(|code| out_of_something.contains(&code)) {
            if !self.starved {
                tracing::warn!(%error, "cannot accept connections; closing idle ones");
                self.starved = true;
            }
            self.evict();
            sleep(ACCEPT_PAUSE).await;
        }
    }

    /// Ends idle connections at once and the others when their answers are out.
    async fn close(mut self) {
        for guest in self.guests.values() {
            match guest.standing.get() {
                Standing::Idle(_) => guest.task.abort(),
                Standing::Writing | Standing::Leaving => guest.standing.set(Standing::Leaving),
            }
        }
        // Whoever is not done in time is dropped with the set.
        let _ = timeout(STOP_WAIT_MAX, async {
            while let Some(ended) = self.tasks.join_next_with_id().await {
                self.forget(ended);
            }
        })
        .await;
    }
}

/// One connection from its first octet to its last.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
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
struct Desk {
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
    fn row(&self) -> &super::counters::Row {
        &self.counters.tcp[self.index]
    }

    /// Answers the whole messages at the start of `input`, takes them away, and appends the
    /// answers to `output`; returns how many answers there are.
    fn answer(&self, input: &mut Vec<u8>, client: &Client, output: &mut Vec<u8>) -> (usize, Next) {
        let Tools { worker, out } = &mut *self.tools.borrow_mut();
        let snapshot = self.current.load();
        worker.begin_batch(&snapshot, now());
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
        self.row().received.add(received);
        self.row().silent.add(received - answers);
        (answers, next)
    }
}
