//! Floor 6: bytes from and to the network.
//!
//! Transports know how messages come and go, and nothing of what they say: every one of them
//! hands the bytes of a query to [`respond`](crate::respond::respond) and carries away what
//! comes back.
//!
//! ```text
//!             core 0                core 1          ...
//!  udp.rs     thread udp-0          thread udp-1         recvmmsg -> respond -> sendmmsg
//!  stream.rs  thread tcp-0          thread tcp-1         a small tokio runtime each,
//!                                                         conversation.rs -> respond
//!                 \____________________/
//!                 Current: the snapshot in force, loaded once a turn
//! ```
//!
//! Threads share the snapshot pointer and the table of seats (`seats.rs`), which is touched when
//! connections come and go. Sockets, buffers, counters (`counters.rs`) and `respond::Worker` belong
//! to one thread each. `sys/` holds the system calls.
//!
//! `hickory.rs` is for others: the same answers inside a server of theirs.
//!
//! Starting has two steps, so that a port that cannot be had is reported before anything
//! else happens: [`Listeners::bind`], then [`start`]. [`Running`] tells if a thread ends that
//! should not, and stops them all.
//!
//! Not here: what an answer is, how often it may be given, who may ask.

mod bind;
mod conversation;
mod counters;
pub mod hickory;
mod seats;
mod stopwatch;
mod stream;
mod sys;
mod udp;

pub use bind::{BindError, Listeners};
pub use counters::{Counters, Totals};
pub use stopwatch::Times;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio::task::LocalSet;

use crate::respond::{Tally, Worker};
use crate::snapshot::Current;
use bind::Share;
use seats::Seats;
use stream::Station;

/// What transports are told by the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Where to listen, on UDP and TCP; port 0 is any port, the same for both.
    pub addresses: Vec<SocketAddr>,
    /// Threads for UDP and as many for TCP; 0 = one of each per core of the affinity mask.
    pub workers: usize,
    /// What TCP clients may use.
    pub tcp: Limits,
}

/// What TCP clients may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections in all.
    pub connections: usize,
    /// Connections of one client: an IPv4 address, or an IPv6 /64.
    pub connections_per_client: usize,
    /// A connection that gets no answer for this long is closed.
    pub idle: Duration,
}

/// Threads that serve. Dropping it stops them without waiting.
#[derive(Debug)]
pub struct Running {
    addresses: Vec<SocketAddr>,
    counters: Counters,
    tallies: Vec<Arc<Tally>>,
    stop: Stop,
    threads: Vec<JoinHandle<()>>,
    ended: mpsc::UnboundedReceiver<Ended>,
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
    let Listeners { addresses, shares, limits } = listeners;
    let counters = Counters::for_workers(shares.len());
    let seats = Seats::new(limits);
    let cores = sys::cores();
    let mut seeds = fastrand::Rng::with_seed(seed);
    let (report, ended) = mpsc::unbounded_channel();
    let mut running = Running {
        addresses,
        counters,
        tallies: Vec::new(),
        stop: Stop::new(),
        threads: Vec::new(),
        ended,
    };

    for (index, Share { udp, tcp }) in shares.into_iter().enumerate() {
        // More workers than cores take turns on them.
        let core = cores.get(index % cores.len().max(1)).copied();

        let (snapshots, stop) = (Arc::clone(&current), Arc::clone(&running.stop.flag));
        let counters = running.counters.clone();
        let worker = running.worker(seeds.u64(..));
        running.spawn(format!("udp-{index}"), core, &report, move || {
            udp::serve(&udp, &snapshots, worker, &stop, &counters.udp[index]);
            Ok(())
        })?;

        let station = Station {
            current: Arc::clone(&current),
            seats: Arc::clone(&seats),
            idle: limits.idle,
            counters: running.counters.clone(),
            index,
            stop: running.stop.word.subscribe(),
        };
        let worker = running.worker(seeds.u64(..));
        running.spawn(format!("tcp-{index}"), core, &report, move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            LocalSet::new().block_on(&runtime, stream::serve(tcp, station, worker))
        })?;
    }
    Ok(running)
}

impl Running {
    /// Where it listens, in the order asked, with the real port in place of 0.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The counters, which outlive this.
    pub fn counters(&self) -> Counters {
        self.counters.clone()
    }

    /// What the workers' answers were, one tally a worker; they outlive this.
    pub fn tallies(&self) -> &[Arc<Tally>] {
        &self.tallies
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
    pub fn stop(mut self) {
        self.stop.say();
        for thread in self.threads.drain(..) {
            // A panic has been printed by the thread itself, and told by `ended`.
            let _ = thread.join();
        }
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

/// The word to stop, in the form that each kind of thread can hear.
#[derive(Debug)]
struct Stop {
    flag: Arc<AtomicBool>,
    word: watch::Sender<bool>,
}

impl Stop {
    fn new() -> Self {
        Self { flag: Arc::default(), word: watch::Sender::new(false) }
    }

    fn say(&self) {
        self.flag.store(true, Ordering::Relaxed);
        self.word.send_replace(true);
    }
}

impl Drop for Stop {
    fn drop(&mut self) {
        self.say();
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
