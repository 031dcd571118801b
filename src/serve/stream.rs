//! Connections: listeners and who may stay (RFC 7766). What happens to a connection until the first
//! question is in `reception.rs`, what is said on it in `conversation.rs`, `doh.rs` and `doq.rs`.
//!
//! Each thread has a small runtime of its own, its own listeners (`SO_REUSEPORT`) and one
//! [`Worker`] for all its connections, each of which is a task. TCP has its threads and whatever is
//! encrypted has others, which the system runs after those of UDP and TCP where all want a core:
//! a handshake costs as much as a hundred answers.
//!
//! When all seats are taken, a newcomer gets the place of the connection of this thread that has
//! been idle longest (RFC 7766 §6.2.3 lets a server close an idle one at any time): a seat that
//! asks nothing is worth least, and otherwise whoever fills the seats keeps them for the idle time.
//! The same happens when the process runs out of descriptors. A client above its own limit is
//! turned away and pushes nobody out, and so is a newcomer when no connection is idle.

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

use super::Word;
use super::desk::Desk;
use super::doq::{Arrival, Ports};
use super::options::Way;
use super::presence::{Cut, Presence, Standing};
use super::reception::{self, End};
use super::seats::{Full, Seat, Seats};
use crate::respond::Transport;

/// Rest of the listeners when there is no descriptor or memory for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How long a stop waits for clients to take the answers that are being written.
pub(super) const STOP_WAIT_MAX: Duration = Duration::from_secs(2);

/// What a thread listens at.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    pub(super) streams: Vec<(Way, std::net::TcpListener)>,
    pub(super) quic: Vec<std::net::UdpSocket>,
}

impl Sockets {
    /// True where nobody could come.
    pub(super) fn is_empty(&self) -> bool {
        self.streams.is_empty() && self.quic.is_empty()
    }
}

/// Serves these listeners until told to stop. Runs on a thread of its own, inside a `LocalSet`.
pub(super) async fn serve(
    sockets: Sockets,
    desk: Desk,
    seats: Arc<Seats>,
    mut stop: watch::Receiver<Word>,
) -> io::Result<()> {
    let register = |(way, listener)| Ok((way, TcpListener::from_std(listener)?));
    let listeners: Vec<(Way, TcpListener)> =
        sockets.streams.into_iter().map(register).collect::<io::Result<_>>()?;
    let mut ports = Ports::open(sockets.quic, &desk)?;
    let mut house = House::new(desk, Arc::clone(&seats));
    let mut turn = 0;
    loop {
        tokio::select! {
            _ = stop.wait_for(|word| *word != Word::Serve) => break,
            Some(ended) = house.tasks.join_next_with_id() => house.forget(ended),
            accepted = accept(&listeners, &mut turn) => match accepted {
                Ok((way, stream, client)) => house.admit(way, stream, client),
                Err((way, error)) => house.note(way, &error).await,
            },
            arrival = ports.arrival() => house.admit_quic(arrival),
            () = seats.wanted() => { house.evict(); }
        }
    }
    drop(listeners);
    // QUIC has no connections of the kernel's: whoever serves on from the same sockets cannot know
    // ours, and would get their datagrams.
    house.dismiss(Transport::Quic);
    ports.close().await;
    if *stop.borrow_and_update() == Word::Leave {
        let idle = house.desk.limits.idle;
        tokio::select! {
            () = house.empty() => {}
            // By then whoever is still there has asked on, and may ask elsewhere.
            () = sleep(idle) => {}
            _ = stop.wait_for(|word| *word == Word::Stop) => {}
        }
    }
    house.close().await;
    Ok(())
}

/// The next connection of any listener; each comes first in its turn. None ever where there is no
/// listener.
async fn accept(
    listeners: &[(Way, TcpListener)],
    turn: &mut usize,
) -> Result<(Way, TcpStream, SocketAddr), (Way, io::Error)> {
    poll_fn(|context| {
        for _ in listeners {
            *turn = (*turn + 1) % listeners.len();
            let (way, listener) = &listeners[*turn];
            if let Poll::Ready(accepted) = listener.poll_accept(context) {
                return Poll::Ready(match accepted {
                    Ok((stream, client)) => Ok((*way, stream, client)),
                    Err(error) => Err((*way, error)),
                });
            }
        }
        Poll::Pending
    })
    .await
}

/// The connections of one thread.
struct House {
    desk: Rc<Desk>,
    seats: Arc<Seats>,
    tasks: JoinSet<End>,
    guests: HashMap<Id, Guest>,
    /// The process was out of something when last a connection came; said once, not each time.
    starved: bool,
}

/// One connection, from outside.
struct Guest {
    transport: Transport,
    presence: Rc<Presence>,
    task: AbortHandle,
}

impl House {
    fn new(desk: Desk, seats: Arc<Seats>) -> Self {
        let (tasks, guests) = (JoinSet::new(), HashMap::new());
        Self { desk: Rc::new(desk), seats, tasks, guests, starved: false }
    }

    /// Gives a connection a seat and a task, or closes it.
    fn admit(&mut self, way: Way, stream: TcpStream, peer: SocketAddr) {
        let transport = way.transport();
        // For whom a proxy comes it has yet to say.
        let known = !self.desk.proxies.introduce(peer.ip());
        let Some(presence) = self.seat(transport, known.then_some(peer)) else { return };
        let desk = Rc::clone(&self.desk);
        let visit = reception::receive(stream, peer, way, desk, Rc::clone(&presence));
        let task = self.tasks.spawn_local(visit);
        self.guests.insert(task.id(), Guest { transport, presence, task });
    }

    /// The same for a connection of QUIC.
    fn admit_quic(&mut self, arrival: Arrival) {
        let transport = Transport::Quic;
        let Some(presence) = self.seat(transport, Some(arrival.peer())) else {
            return arrival.refuse();
        };
        let visit = arrival.receive(Rc::clone(&self.desk), Rc::clone(&presence));
        let task = self.tasks.spawn_local(visit);
        self.guests.insert(task.id(), Guest { transport, presence, task });
    }

    /// A place for a connection, if there is one.
    fn seat(&mut self, transport: Transport, client: Option<SocketAddr>) -> Option<Rc<Presence>> {
        let client = client.map(|client| client.ip());
        let seat = match self.seats.take(client) {
            Err(Full::House) if self.evict() => self.seats.take(client),
            taken => taken,
        };
        let row = self.desk.row(transport);
        let seat: Seat = match seat {
            Ok(seat) => seat,
            Err(Full::Client) => {
                row.refused_client.add(1);
                return None;
            }
            Err(Full::House) => {
                self.seats.want();
                row.refused_house.add(1);
                return None;
            }
        };
        row.accepted.add(1);
        self.starved = false;
        Some(Rc::new(Presence::new(seat)))
    }

    /// Ends the connection that has been idle longest and frees its seat; says whether there
    /// was one.
    fn evict(&mut self) -> bool {
        let idle = self.guests.iter().filter_map(|(&id, guest)| match guest.presence.standing() {
            Standing::Idle(since) => Some((since, id)),
            Standing::Writing | Standing::Leaving => None,
        });
        let Some(guest) = idle.min().and_then(|(_, id)| self.guests.remove(&id)) else {
            return false;
        };
        guest.presence.give_up_seat();
        guest.task.abort();
        let row = self.desk.row(guest.transport);
        row.evicted.add(1);
        row.closed.add(1);
        true
    }

    /// Frees the seat of a connection that has ended, and counts how.
    fn forget(&mut self, ended: Result<(Id, End), JoinError>) {
        let (id, end) = match ended {
            Ok((id, end)) => (id, end),
            Err(error) => (error.id(), End::Whole),
        };
        // Whoever was evicted is forgotten already.
        let Some(guest) = self.guests.remove(&id) else { return };
        let row = self.desk.row(guest.transport);
        row.closed.add(1);
        match (guest.presence.why_cut(), end) {
            (Some(Cut::Handshake), _) => row.cut_handshake.add(1),
            (Some(Cut::Idle), _) => row.cut_idle.add(1),
            (Some(Cut::Request), _) => row.cut_request.add(1),
            (Some(Cut::Reader), _) => row.cut_reader.add(1),
            (None, End::Unheard) => row.failed_handshakes.add(1),
            (None, End::Turned) => row.refused_behind.add(1),
            (None, End::Whole) => {}
        }
    }

    /// After a failed accept: makes room if the process has all the descriptors it may have, rests
    /// if the machine is short of something.
    async fn note(&mut self, way: Way, error: &io::Error) {
        self.desk.row(way.transport()).receive_errors.add(1);
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

    /// Ends idle connections of a transport at once and has the others end when their answers are
    /// out.
    fn dismiss(&self, transport: Transport) {
        for guest in self.guests.values().filter(|guest| guest.transport == transport) {
            // An idle one over TCP has nothing to say; inside TLS there is a farewell.
            match (transport, guest.presence.standing()) {
                (Transport::Tcp, Standing::Idle(_)) => guest.task.abort(),
                _ => guest.presence.ask_to_leave(),
            }
        }
    }

    /// Ends all connections, each when its answers are out.
    async fn close(mut self) {
        for transport in Transport::ALL {
            self.dismiss(transport);
        }
        // Whoever is not done in time is dropped with the set.
        let _ = timeout(STOP_WAIT_MAX, self.empty()).await;
    }

    /// Waits for the end of all connections.
    async fn empty(&mut self) {
        while let Some(ended) = self.tasks.join_next_with_id().await {
            self.forget(ended);
        }
    }
}
