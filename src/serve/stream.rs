//! Streams: TCP listeners and who may stay (RFC 7766). What is said on a connection is in
//! `conversation.rs`.
//!
//! Each thread has a small runtime of its own, its own listeners (`SO_REUSEPORT`) and one
//! [`Worker`] for all its connections, each of which is a task.
//!
//! When all seats are taken, a newcomer gets the place of the connection of this thread that has
//! been idle longest (RFC 7766 §6.2.3 lets a server close an idle one at any time): a seat that
//! asks nothing is worth least, and otherwise whoever fills the seats keeps them for the idle time.
//! The same happens when the process runs out of descriptors. A client above its own limit is
//! turned away and pushes nobody out, and so is a newcomer when no connection is idle.

use std::cell::Cell;
use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, Id, JoinError, JoinSet, yield_now};
use tokio::time::{sleep, timeout};

use super::conversation::{Desk, Standing, converse};
use super::counters::Counters;
use super::now;
use super::seats::{Full, Seat, Seats};
use crate::respond::Worker;
use crate::snapshot::Current;

/// Rest of the listeners when there is no descriptor or memory for another connection.
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

impl House {
    fn new(station: Station, worker: Worker) -> Self {
        let (current, counters) = (Arc::clone(&station.current), station.counters.clone());
        let desk = Rc::new(Desk::new(current, worker, station.idle, counters, station.index));
        Self { station, desk, tasks: JoinSet::new(), guests: HashMap::new(), starved: false }
    }

    /// Gives a connection a seat and a task, or closes it.
    fn admit(&mut self, stream: TcpStream, client: SocketAddr) {
        let seat = match self.station.seats.take(client.ip()) {
            Err(Full::House) if self.evict() => self.station.seats.take(client.ip()),
            taken => taken,
        };
        let seat = match seat {
            Ok(seat) => seat,
            Err(Full::Client) => return self.desk.row().refused_client.add(1),
            Err(Full::House) => return self.desk.row().refused_house.add(1),
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
        self.desk.row().closed.add(1);
    }

    /// After a failed accept: makes room if the process has all the descriptors it may have, rests
    /// if the machine is short of something.
    async fn note(&mut self, error: &io::Error) {
        self.desk.row().receive_errors.add(1);
        let shortages = [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM];
        let Some(code) = error.raw_os_error().filter(|code| shortages.contains(code)) else {
            // Every other error says only that this one connection died early (accept(2)).
            return;
        };
        if !self.starved {
            tracing::warn!(%error, "cannot accept a connection");
            self.starved = true;
        }
        if code == libc::EMFILE && self.evict() {
            // The task ends, and its descriptor is closed, when it runs next.
            yield_now().await;
        } else {
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
