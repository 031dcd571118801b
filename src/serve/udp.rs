//! The UDP workers: datagrams in, datagrams out, one thread a core.
//!
//! Each worker has its own socket for every address (`SO_REUSEPORT`: the kernel spreads clients
//! over them), its own buffers and its own [`Worker`], so that workers share nothing but the
//! snapshot pointer. A turn is: receive what is there, note the time and take the snapshot once,
//! answer each, send all. The snapshot is let go at the end of the turn: a worker that waits
//! holds nothing, so what was replaced can be freed.
//!
//! A worker with one socket sleeps in `recvmmsg` itself, without a poll before each; only with
//! several does it ask first which of them have something. No runtime is involved: at the speed of
//! this path one would be most of its cost.
//!
//! Queues of interfaces that are taken below the sockets (`xdp.rs`) are one more thing that a
//! worker takes turns on, with the same [`Worker`] and the same counters: what is in them can be
//! seen without a call, so they come first, and while they are busy the sockets are looked at every
//! few turns. A second thread for them would fight this one for its core.
//!
//! A worker that is told to stop answers what its sockets and queues hold at that moment: these
//! clients asked in time, and a socket that is closed forgets them.
//!
//! Not here: limits on the rate of answers, and anything that reads the message.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::counters::Row;
use super::now;
use super::options::Proxies;
use super::stopwatch::Stopwatch;
use super::sys::xdp::{Census, Losses, Queue};
use super::sys::{Batch, Readiness, Sent};
use super::xdp::LetterBox;
use crate::respond::{Action, Client, Transport, Worker, respond};
use crate::snapshot::Current;
use crate::wire::proxy::{self, Header};

/// How long a worker may sleep before it looks whether it shall stop: the timeout of every
/// socket and of every poll.
pub(super) const STOP_NOTICE_MAX: Duration = Duration::from_millis(250);

/// Rest after an error that is no news about a datagram (out of memory, interface gone), so that
/// an error that stays does not burn a core.
const ERROR_PAUSE: Duration = Duration::from_millis(10);

/// Batches of one socket after the stop: more than [`SOCKET_BUFFER`](super::bind::SOCKET_BUFFER)
/// holds, which the kernel doubles, of the smallest datagrams, each of which it counts as 768
/// octets. Whoever asks faster than is answered cannot keep the process from its end.
const LAST_BATCHES_MAX: usize = 64;

/// Turns on busy queues between two looks at the sockets: a call for so many is lost among them.
const TURNS_BETWEEN: u32 = 8;

/// Rest while there are answers that the kernel could not send yet, because the other end was full
/// or the link down: nothing wakes a worker when it can.
const UNSENT_REST_MAX: Duration = Duration::from_millis(1);

/// Turns between two looks at what the kernel has counted, while there is no rest: not often, as it
/// takes calls.
const TURNS_BETWEEN_COUNTS: u32 = 1024;

/// What one worker serves, and by what.
pub(super) struct Station<'a> {
    pub(super) sockets: &'a [UdpSocket],
    /// Where its queues come from, if any may come.
    pub(super) queues: Option<LetterBox>,
    pub(super) current: &'a Current,
    pub(super) stop: &'a AtomicBool,
    pub(super) row: &'a Row,
    pub(super) proxies: &'a Proxies,
}

/// Serves a station on this thread until its `stop` is set.
pub(super) fn serve(station: Station<'_>, worker: Worker) {
    let Station { sockets, queues, current, stop, row, proxies } = station;
    let stopwatch = Stopwatch::default();
    let mut batch = Batch::new();
    let mut desk = Desk { worker, current, row, proxies, stopwatch };
    let going = || !stop.load(Ordering::Relaxed);
    match (sockets, queues) {
        ([only], None) => {
            while going() {
                desk.turn(&mut Letters { batch: &mut batch, socket: only, wait: true });
            }
        }
        (_, None) => {
            let mut readiness = Readiness::of(sockets);
            while going() {
                desk.look(&mut readiness, &[], &mut batch, STOP_NOTICE_MAX);
            }
        }
        (_, Some(letters)) => {
            let mut queues = Queues::new(letters);
            let mut readiness = Readiness::of(sockets);
            while going() {
                let busy = queues.turn(&mut desk);
                if busy && !queues.are_others_due() {
                    continue;
                }
                let wait = if busy { Duration::ZERO } else { queues.rest() };
                desk.look(&mut readiness, &queues.all, &mut batch, wait);
                queues.tend(row);
            }
            queues.finish(&mut desk);
        }
    }
    for socket in sockets {
        let mut last = 0..LAST_BATCHES_MAX;
        let mut letters = Letters { batch: &mut batch, socket, wait: false };
        while last.next().is_some() && desk.turn(&mut letters) > 0 {}
    }
}

/// What brings queries in batches and takes their answers away.
trait Carrier {
    /// Takes what has arrived; returns how many queries that are.
    fn receive(&mut self) -> io::Result<usize>;
    /// Hands each to `respond`, which returns the length of its answer, or nothing for silence;
    /// returns how many met silence.
    fn answer(
        &mut self,
        respond: impl FnMut(&[u8], SocketAddr, &mut [u8]) -> Option<usize>,
    ) -> usize;
    /// Sends the answers.
    fn send(&mut self) -> Sent;
}

/// A socket.
struct Letters<'a> {
    batch: &'a mut Batch,
    socket: &'a UdpSocket,
    /// Whether to sleep until there is something.
    wait: bool,
}

impl Carrier for Letters<'_> {
    fn receive(&mut self) -> io::Result<usize> {
        self.batch.receive(self.socket, self.wait)
    }

    fn answer(
        &mut self,
        respond: impl FnMut(&[u8], SocketAddr, &mut [u8]) -> Option<usize>,
    ) -> usize {
        self.batch.answer(respond)
    }

    fn send(&mut self) -> Sent {
        self.batch.send(self.socket)
    }
}

impl Carrier for Queue {
    fn receive(&mut self) -> io::Result<usize> {
        match Self::receive(self) {
            0 => Err(ErrorKind::WouldBlock.into()),
            some => Ok(some),
        }
    }

    fn answer(
        &mut self,
        respond: impl FnMut(&[u8], SocketAddr, &mut [u8]) -> Option<usize>,
    ) -> usize {
        Self::answer(self, respond)
    }

    fn send(&mut self) -> Sent {
        Self::send(self)
    }
}

/// The queues of one worker.
struct Queues {
    letters: LetterBox,
    all: Vec<Queue>,
    /// What each has lost so far, as far as it is counted.
    lost: Vec<Losses>,
    turns: u32,
    /// The last of these that brought nothing, in a row.
    idle: u32,
}

impl Queues {
    fn new(letters: LetterBox) -> Self {
        Self { letters, all: Vec::new(), lost: Vec::new(), turns: 0, idle: 0 }
    }

    /// Answers what they hold, up to one batch each; says whether that was anything.
    fn turn(&mut self, desk: &mut Desk<'_>) -> bool {
        self.turns = self.turns.wrapping_add(1);
        let received: usize = self.all.iter_mut().map(|queue| desk.turn(queue)).sum();
        let busy = received > 0;
        self.idle = if busy { 0 } else { self.idle.saturating_add(1) };
        busy
    }

    /// How long nothing has to be done where nothing comes.
    fn rest(&self) -> Duration {
        let stuck = self.all.iter().any(Queue::is_sending);
        if stuck { UNSENT_REST_MAX } else { STOP_NOTICE_MAX }
    }

    fn are_others_due(&self) -> bool {
        self.turns.is_multiple_of(TURNS_BETWEEN)
    }

    /// Takes queues that came, and sees after those that are there.
    fn tend(&mut self, row: &Row) {
        for queue in self.letters.try_iter() {
            self.all.push(queue);
            self.lost.push(Losses::default());
        }
        self.all.iter_mut().for_each(Queue::prod);
        // What woke this worker up was no queue, or it has not slept for long.
        if self.idle > 1 || self.turns.is_multiple_of(TURNS_BETWEEN_COUNTS) {
            self.count(row);
        }
    }

    /// Counts what the kernel could not give, and lets go of queues whose interface is no more.
    fn count(&mut self, row: &Row) {
        let mut at = 0;
        while let Some(queue) = self.all.get(at) {
            if let Some(error) = queue.failure() {
                let (xdp, queue) = (queue.interface(), queue.number());
                tracing::warn!(xdp, queue, why = %error, "gone from the driver: sockets answer");
                self.all.remove(at);
                self.lost.remove(at);
                continue;
            }
            if let Ok(lost) = queue.losses() {
                let before = std::mem::replace(&mut self.lost[at], lost);
                row.ring_full.add(since(lost.full, before.full));
                row.ring_invalid.add(since(lost.invalid, before.invalid));
            }
            at += 1;
        }
    }

    /// Answers what they hold, now that nothing comes any more, and sees the answers off.
    fn finish(&mut self, desk: &mut Desk<'_>) {
        self.tend(desk.row);
        self.count(desk.row);
        for queue in &mut self.all {
            let mut last = 0..LAST_BATCHES_MAX;
            while last.next().is_some() && desk.turn(queue) > 0 {}
            let Census { spare, here, filling, leaving } = queue.wind_up();
            let (xdp, queue) = (queue.interface(), queue.number());
            tracing::debug!(xdp, queue, spare, here, filling, leaving, "frames at the end");
        }
    }
}

fn since(now: u64, before: u64) -> usize {
    usize::try_from(now.saturating_sub(before)).unwrap_or(usize::MAX)
}

/// The query of a datagram, and whose it is: behind the header of a proxy, from where one comes.
/// None where that makes no sense.
fn introduced<'q>(
    datagram: &'q [u8],
    peer: SocketAddr,
    proxies: &Proxies,
) -> Option<(&'q [u8], SocketAddr)> {
    // None of them is what all servers but a few have.
    if proxies.protocol.is_empty() || !proxies.introduce(peer.ip()) {
        return Some((datagram, peer));
    }
    let Header { len, client } = proxy::parse_datagram(datagram).ok()?;
    Some((&datagram[len..], client.unwrap_or(peer)))
}

/// What one worker works with.
struct Desk<'a> {
    worker: Worker,
    current: &'a Current,
    row: &'a Row,
    proxies: &'a Proxies,
    stopwatch: Stopwatch,
}

impl Desk<'_> {
    /// Waits until a socket or a queue has something, and answers what is at the sockets.
    fn look(
        &mut self,
        readiness: &mut Readiness<'_>,
        queues: &[Queue],
        batch: &mut Batch,
        wait: Duration,
    ) {
        match readiness.wait(queues, wait) {
            Ok(ready) => {
                for socket in ready {
                    self.turn(&mut Letters { batch, socket, wait: false });
                }
            }
            Err(error) => self.note(error.kind()),
        }
    }

    /// Answers what one carrier has, up to one batch; returns how many queries that were.
    fn turn(&mut self, carrier: &mut impl Carrier) -> usize {
        let received = match carrier.receive() {
            Ok(received) => received,
            Err(error) => {
                self.note(error.kind());
                return 0;
            }
        };
        let Self { worker, current, row, proxies, stopwatch } = self;
        let snapshot = current.load();
        let begun = now();
        worker.begin_batch(&snapshot, begun);
        let silent = carrier.answer(|query, addr, out| {
            let (query, addr) = introduced(query, addr, proxies)?;
            let client = Client { addr, transport: Transport::Udp };
            match respond(query, &client, &snapshot, worker, &mut (), out) {
                Action::Send(len) => Some(len),
                Action::Drop => None,
            }
        });
        drop(snapshot);
        let outcome = carrier.send();
        if stopwatch.takes(begun) {
            row.timed.add(now().saturating_duration_since(begun));
        }
        row.received.add(received);
        row.silent.add(silent);
        row.sent.add(outcome.sent);
        row.send_errors.add(outcome.failed);
        received
    }

    /// Counts a failed call and rests, unless it only says that there was nothing.
    fn note(&self, error: ErrorKind) {
        if !matches!(error, ErrorKind::WouldBlock | ErrorKind::Interrupted) {
            self.row.receive_errors.add(1);
            thread::sleep(ERROR_PAUSE);
        }
    }
}
