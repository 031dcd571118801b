//! Floor 6: bytes from and to the network.
//!
//! Transports know how messages come and go, and nothing of what they say: every one of them
//! hands the bytes of a query to [`respond`](crate::respond::respond) and carries away what
//! comes back.
//!
//! ```text
//!             core 0                core 1          ...
//!  udp.rs     thread udp-0          thread udp-1         recvmmsg -> respond -> sendmmsg
//!  xdp.rs                                                 and rings below the sockets
//!  stream.rs  thread tcp-0          thread tcp-1         a small tokio runtime each,
//!                                                         conversation.rs -> respond
//!  stream.rs  thread tls-0          thread tls-1         the same for TLS, HTTPS and QUIC,
//!                                                         where any of it is listened for
//!                 \____________________/
//!                 Current: the snapshot in force, loaded once a turn
//! ```
//!
//! Threads share the snapshot pointer and the table of seats (`seats.rs`), which is touched when
//! connections come and go. Sockets, buffers, counters (`counters.rs`) and `respond::Worker` belong
//! to one thread each. `sys/` holds the system calls.
//!
//! ```text
//!   a connection:  stream.rs  a seat, a task
//!                  reception.rs  PROXY header (wire::proxy), TLS with keys.rs    over line.rs,
//!                  conversation.rs  framed messages, over TCP and TLS            which keeps the
//!                  doh.rs  HTTP/1.1 and HTTP/2                                   pace of readers
//!                  doq.rs  QUIC, whose connections come in datagrams
//!                    └─► desk.rs ─► respond
//! ```
//!
//! `hickory.rs` is for others: the same answers inside a server of theirs.
//!
//! Starting has two steps, so that a port that cannot be had is reported before anything
//! else happens: [`Listeners::bind`], then [`start`]. [`Running`] tells if a thread ends that
//! should not, and stops them all. What stops need not be bound by what starts: `inherit.rs`.
//!
//! Not here: what an answer is, how often it may be given, who may ask.

mod bind;
mod bind_error;
mod conversation;
mod counters;
mod desk;
mod doh;
mod doh_request;
#[cfg_attr(not(feature = "doq"), path = "no_doq.rs")]
mod doq;
#[cfg(feature = "doh3")]
mod h3;
pub mod hickory;
mod inherit;
mod keys;
mod line;
mod options;
mod pace;
mod places;
mod presence;
mod reception;
mod seats;
mod stopwatch;
mod stream;
mod sys;
mod udp;
mod xdp;

pub use bind::Listeners;
pub use bind_error::BindError;
pub use counters::{Counters, Totals};
pub use inherit::{InheritError, Inherited};
pub use keys::{Keyring, Pair};
pub use options::{Gate, Limits, Options, Proxies, Way};
pub use stopwatch::Times;
pub use sys::{User, passed_descriptors, stand_back, use_large_pages};

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use tokio::sync::{mpsc, watch};
use tokio::task::LocalSet;

use crate::respond::{Tally, Transport, Worker};
use crate::snapshot::Current;
use bind::Share;
use desk::{Desk, Furniture};
use keys::Tls;
use seats::Seats;
use stream::Sockets;
use udp::Station;
use xdp::Links;

/// Threads that serve. Dropping it stops them without waiting.
#[derive(Debug)]
pub struct Running {
    gates: Vec<Gate>,
    counters: Counters,
    keyring: Arc<Keyring>,
    tallies: Vec<Arc<Tally>>,
    below: Arc<Links>,
    stop: Stop,
    threads: Vec<JoinHandle<()>>,
    ended: mpsc::UnboundedReceiver<Ended>,
}

/// What can be read of threads that serve, as long as anybody likes.
#[derive(Clone, Debug)]
pub struct Figures {
    /// What the workers' answers were, one tally a worker.
    pub tallies: Vec<Arc<Tally>>,
    /// What happened to their octets.
    pub counters: Counters,
    /// The certificates in force.
    pub keyring: Arc<Keyring>,
}

/// A thread is no more.
#[derive(Debug)]
pub struct Ended {
    /// `udp-0`, `tcp-0` and so on.
    pub thread: String,
    /// Why, unless it panicked or was told to.
    pub error: Option<io::Error>,
}

/// Starts all threads on sockets that were bound before. `seed` is the start of every random number
/// that the workers draw.
///
/// # Errors
///
/// When there is no thread or runtime to be had; what was started is stopped again.
pub fn start(listeners: Listeners, current: Arc<Current>, seed: u64) -> io::Result<Running> {
    listeners.listen()?;
    let Listeners { gates, shares, options, below, .. } = listeners;
    let served = |transport| gates.iter().any(|gate| gate.way.transports().contains(&transport));
    let workers = shares.len();
    let counters = Counters::new(|transport| if served(transport) { workers } else { 0 });
    let seats = Seats::new(options.limits);
    let cores = sys::cores();
    let mut seeds = fastrand::Rng::with_seed(seed);
    let (report, ended) = mpsc::unbounded_channel();
    let furniture = Furniture {
        current: Arc::clone(&current),
        counters: counters.clone(),
        limits: options.limits,
        proxies: options.proxies,
        path: options.path,
        tls: Tls::new(&options.keyring),
    };
    let mut running = Running {
        gates,
        counters,
        keyring: options.keyring,
        tallies: Vec::new(),
        below: below.links,
        stop: Stop::new(),
        threads: Vec::new(),
        ended,
    };
    let mut boxes = below.boxes.into_iter();

    for (index, Share { udp, tcp, streams, datagrams }) in shares.into_iter().enumerate() {
        // More workers than cores take turns on them.
        let core = cores.get(index % cores.len().max(1)).copied();

        let (furniture, stop) = (furniture.clone(), Arc::clone(&running.stop.flag));
        let worker = running.worker(seeds.u64(..));
        let (of_udp, queues) = (furniture.clone(), boxes.next());
        running.spawn(format!("udp-{index}"), core, &report, move || {
            let Furniture { current, counters, proxies, .. } = &of_udp;
            let (sockets, row) = (&udp[..], counters.row(Transport::Udp, index));
            udp::serve(Station { sockets, queues, current, stop: &stop, row, proxies }, worker);
            Ok(())
        })?;

        let tcp = tcp.into_iter().map(|listener| (Way::Dns, listener)).collect();
        let plain = Sockets { streams: tcp, quic: Vec::new() };
        let (quic, h3): (Vec<_>, Vec<_>) =
            datagrams.into_iter().partition(|(way, _)| *way == Way::Quic);
        let bare = |sockets: Vec<(Way, UdpSocket)>| sockets.into_iter().map(|it| it.1).collect();
        let secret = Sockets { streams, quic: bare(quic) };
        #[cfg(feature = "doh3")]
        running.start_h3(index, core, &report, &furniture, seeds.u64(..), bare(h3))?;
        #[cfg(not(feature = "doh3"))]
        drop(h3);
        for (name, sockets) in [("tcp", plain), ("tls", secret)] {
            if sockets.is_empty() {
                continue;
            }
            let (seats, stop) = (Arc::clone(&seats), running.stop.word.subscribe());
            let (furniture, worker) = (furniture.clone(), running.worker(seeds.u64(..)));
            running.spawn(format!("{name}-{index}"), core, &report, move || {
                if name == "tls" {
                    stand_back();
                }
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                let desk = Desk::new(furniture, worker, index);
                LocalSet::new().block_on(&runtime, stream::serve(sockets, desk, seats, stop))
            })?;
        }
    }
    Ok(running)
}

impl Running {
    /// Where DNS is answered over UDP and TCP, in the order asked, with real ports.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.addresses_of(Way::Dns)
    }

    /// The same of any way.
    pub fn addresses_of(&self, way: Way) -> Vec<SocketAddr> {
        let gates = self.gates.iter().filter(|gate| gate.way == way);
        gates.map(|gate| gate.address).collect()
    }

    /// Where it listens, for whatever.
    pub fn gates(&self) -> &[Gate] {
        &self.gates
    }

    /// The counters, which outlive this.
    pub fn counters(&self) -> Counters {
        self.counters.clone()
    }

    /// What the workers' answers were, one tally a worker; they outlive this.
    pub fn tallies(&self) -> &[Arc<Tally>] {
        &self.tallies
    }

    /// All that can be read of them.
    pub fn figures(&self) -> Figures {
        let (tallies, counters) = (self.tallies.clone(), self.counters.clone());
        Figures { tallies, counters, keyring: Arc::clone(&self.keyring) }
    }

    /// Waits until a thread has ended, which none does before [`stop`](Self::stop): whatever the
    /// reason, a part of the clients gets no answers from then on, and the process should end.
    /// May be dropped and called again.
    pub async fn ended(&mut self) -> Ended {
        match self.ended.recv().await {
            Some(ended) => ended,
            // All threads have ended and all have been told.
            None => std::future::pending().await,
        }
    }

    /// Stops all threads and waits for them: a quarter of a second for UDP, 2 s for clients of TCP
    /// that are slow to take their last answers. Blocks.
    pub fn stop(self) {
        self.end(Word::Stop);
    }

    /// The same where another process serves on from the same sockets: connections may ask on for
    /// their idle time, which keeps whoever is just asking from having to ask again. Blocks.
    pub fn leave(self) {
        self.end(Word::Leave);
    }

    fn end(mut self, word: Word) {
        // What comes from now on waits in the sockets.
        self.below.close();
        self.stop.say(word);
        for thread in self.threads.drain(..) {
            // A panic has been printed by the thread itself, and told by `ended`.
            let _ = thread.join();
        }
    }

    /// Starts a thread for HTTP/3, where there are sockets for it.
    #[cfg(feature = "doh3")]
    fn start_h3(
        &mut self,
        index: usize,
        core: Option<sys::Core>,
        report: &mpsc::UnboundedSender<Ended>,
        furniture: &Furniture,
        seed: u64,
        sockets: Vec<UdpSocket>,
    ) -> io::Result<()> {
        if sockets.is_empty() {
            return Ok(());
        }
        let handler = hickory::Handler::new(Arc::clone(&furniture.current), seed);
        self.tallies.push(Arc::clone(handler.tally()));
        let (keyring, stop) = (Arc::clone(&self.keyring), self.stop.word.subscribe());
        let handshake = furniture.limits.handshake;
        self.spawn(format!("h3-{index}"), core, report, move || {
            stand_back();
            h3::serve(sockets, handler, keyring, handshake, stop)
        })
    }

    /// A worker whose tally is known here.
    fn worker(&mut self, seed: u64) -> Worker {
        let worker = Worker::new(seed);
        self.tallies.push(Arc::clone(worker.tally()));
        worker
    }

    /// Starts a thread on its core. It reports its end, however that comes.
    fn spawn(
        &mut self,
        name: String,
        core: Option<sys::Core>,
        report: &mpsc::UnboundedSender<Ended>,
        body: impl FnOnce() -> io::Result<()> + Send + 'static,
    ) -> io::Result<()> {
        let ended = Ended { thread: name.clone(), error: None };
        let mut farewell = Farewell { ended: Some(ended), report: report.clone() };
        let thread = thread::Builder::new().name(name).spawn(move || {
            if let Some(Err(error)) = core.map(sys::pin) {
                // Caches are colder without it; nothing else changes.
                tracing::debug!(%error, "a thread could not be kept on its core");
            }
            if let (Err(error), Some(ended)) = (body(), &mut farewell.ended) {
                ended.error = Some(error);
            }
        })?;
        self.threads.push(thread);
        Ok(())
    }
}

/// Tells the end of its thread when dropped, also by a panic that unwinds.
struct Farewell {
    ended: Option<Ended>,
    report: mpsc::UnboundedSender<Ended>,
}

impl Drop for Farewell {
    fn drop(&mut self) {
        if let Some(ended) = self.ended.take() {
            // Nobody listens once `Running` is gone.
            let _ = self.report.send(ended);
        }
    }
}

/// What threads are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Serve,
    /// Take no more connections; those that are there may stay for their idle time.
    Leave,
    Stop,
}

/// The word to stop, in the form that each kind of thread can hear.
#[derive(Debug)]
struct Stop {
    flag: Arc<AtomicBool>,
    word: watch::Sender<Word>,
}

impl Stop {
    fn new() -> Self {
        Self { flag: Arc::default(), word: watch::Sender::new(Word::Serve) }
    }

    fn say(&self, word: Word) {
        self.flag.store(true, Ordering::Relaxed);
        self.word.send_replace(word);
    }
}

impl Drop for Stop {
    fn drop(&mut self) {
        // `leave` has waited for all threads; whoever only drops waits for none.
        self.say(Word::Stop);
    }
}

/// The time, asked once or twice a turn of a worker and around the life of a connection, never per
/// query.
#[expect(clippy::disallowed_methods, reason = "transports are where time enters")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests;
