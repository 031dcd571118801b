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
//! A worker that is told to stop answers what its sockets hold at that moment: these clients asked
//! in time, and a socket that is closed forgets them.
//!
//! Not here: limits on the rate of answers, and anything that reads the message.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::counters::Row;
use super::now;
use super::options::Proxies;
use super::stopwatch::Stopwatch;
use super::sys::{Batch, Readiness};
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

/// Serves these sockets on this thread until `stop` is set.
pub(super) fn serve(
    sockets: &[UdpSocket],
    current: &Current,
    worker: Worker,
    stop: &AtomicBool,
    row: &Row,
    proxies: &Proxies,
) {
    let stopwatch = Stopwatch::default();
    let mut desk = Desk { batch: Batch::new(), worker, current, row, proxies, stopwatch };
    let going = || !stop.load(Ordering::Relaxed);
    if let [only] = sockets {
        while going() {
            desk.turn(only, true);
        }
    } else {
        let mut readiness = Readiness::of(sockets);
        while going() {
            match readiness.wait(STOP_NOTICE_MAX) {
                Ok(ready) => {
                    for socket in ready {
                        desk.turn(socket, false);
                    }
                }
                Err(error) => desk.note(error.kind()),
            }
        }
    }
    for socket in sockets {
        let mut last = 0..LAST_BATCHES_MAX;
        while last.next().is_some() && desk.turn(socket, false) > 0 {}
    }
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
    batch: Batch,
    worker: Worker,
    current: &'a Current,
    row: &'a Row,
    proxies: &'a Proxies,
    stopwatch: Stopwatch,
}

impl Desk<'_> {
    /// Answers what one socket holds, up to one batch; returns how many queries that were.
    fn turn(&mut self, socket: &UdpSocket, wait: bool) -> usize {
        let received = match self.batch.receive(socket, wait) {
            Ok(received) => received,
            Err(error) => {
                self.note(error.kind());
                return 0;
            }
        };
        let Self { batch, worker, current, row, proxies, stopwatch } = self;
        let snapshot = current.load();
        let begun = now();
        worker.begin_batch(&snapshot, begun);
        let silent = batch.answer(|query, addr, out| {
            let (query, addr) = introduced(query, addr, proxies)?;
            let client = Client { addr, transport: Transport::Udp };
            match respond(query, &client, &snapshot, worker, &mut (), out) {
                Action::Send(len) => Some(len),
                Action::Drop => None,
            }
        });
        drop(snapshot);
        let outcome = batch.send(socket);
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
