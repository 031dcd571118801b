//! Which interfaces are answered below the sockets, and by whom.
//!
//! ```text
//!   start   each interface of `xdp` is taken, while the process may   sys/xdp
//!           its queues go to the workers in turns, and the log says how
//!   busy    somebody else has it: the process that is being replaced, or one that was killed a
//!           moment ago. The sockets answer, and a thread tries on for a while
//!   no      one line says why and what to do, and the sockets answer
//!   stop    frames are the kernel's again first; then what is in the rings is answered
//! ```
//!
//! Sockets are always there: for TCP, for other interfaces, for whatever the program leaves to the
//! kernel. So nothing here can keep a server from starting.
//!
//! A worker gets its queues by a letter box, since they may come late. The thread that tries on has
//! the powers that the process had when it began, and ends with them.

use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use fastrand::Rng;

use super::sys::xdp::{Link, Queue, Taken, XdpError, take};

/// How often, and how many times, an interface that is busy is tried again, for ten minutes in all.
/// A process that is being replaced lets go within a second; but Linux frees a queue later than
/// that, under load by many seconds.
const AGAIN: Duration = Duration::from_millis(200);
const TRIES: usize = 3000;
/// The same where another program has the interface, which a process that ends takes with it at
/// once: trying on would set up the card's queues anew each time.
const TRIES_OF_PROGRAM: usize = 5;

/// Queues on their way to one worker.
pub(super) type LetterBox = Receiver<Queue>;

/// What is taken below the sockets, from before the workers start until they stop.
#[derive(Debug, Default)]
pub(super) struct Below {
    /// One for each worker; none where no interface is named.
    pub(super) boxes: Vec<LetterBox>,
    pub(super) links: Arc<Links>,
}

/// What holds the interfaces.
#[derive(Debug, Default)]
pub(super) struct Links(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    held: Vec<Link>,
    closed: bool,
}

impl Links {
    /// Lets go of all interfaces, and of those that would come late.
    pub(super) fn close(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.closed = true;
        state.held.clear();
    }

    fn is_closed(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).closed
    }

    /// Holds one more; gives it back where it is too late.
    fn hold(&self, link: Link) -> Result<(), Link> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.closed {
            return Err(link);
        }
        state.held.push(link);
        Ok(())
    }
}

impl Below {
    /// Takes the interfaces of these names for so many workers, or says why not.
    pub(super) fn open(
        names: &[String],
        listened: &[SocketAddr],
        workers: usize,
        seeds: &mut Rng,
    ) -> Self {
        if names.is_empty() {
            return Self::default();
        }
        let (senders, boxes) = (0..workers).map(|_| channel()).unzip();
        let links = Arc::new(Links::default());
        for name in names {
            let post = Post {
                name: name.clone(),
                listened: listened.to_vec(),
                workers: Vec::clone(&senders),
                links: Arc::clone(&links),
                seeds: seeds.fork(),
            };
            post.begin();
        }
        Self { boxes, links }
    }
}

fn patience(error: &XdpError) -> usize {
    if error.is_of_the_program() { TRIES_OF_PROGRAM } else { TRIES }
}

/// One interface that is to be taken.
struct Post {
    name: String,
    listened: Vec<SocketAddr>,
    workers: Vec<Sender<Queue>>,
    links: Arc<Links>,
    seeds: Rng,
}

impl Post {
    /// Tries once, and goes on in a thread where somebody else has the interface.
    fn begin(mut self) {
        let error = match take(&self.name, &self.listened, &mut self.seeds) {
            Ok(taken) => return self.deliver(taken),
            Err(error) => error,
        };
        if !error.is_busy() {
            return self.give_up(&error);
        }
        let xdp = self.name.clone();
        tracing::info!(xdp, why = %error, "busy: sockets answer until it is free");
        let thread = thread::Builder::new().name(format!("xdp-{xdp}"));
        if let Err(error) = thread.spawn(move || self.try_on()) {
            tracing::warn!(xdp, why = %error, "not taken at the driver: sockets answer");
        }
    }

    fn try_on(mut self) {
        for tries in 1.. {
            thread::sleep(AGAIN);
            if self.links.is_closed() {
                return;
            }
            match take(&self.name, &self.listened, &mut self.seeds) {
                Ok(taken) => return self.deliver(taken),
                Err(error) if error.is_busy() && tries < patience(&error) => {}
                Err(error) => return self.give_up(&error),
            }
        }
    }

    /// Gives the workers their queues.
    fn deliver(self, taken: Taken) {
        let Taken { link, queues, mode, addresses } = taken;
        if self.links.hold(link).is_err() {
            return;
        }
        let count = queues.len();
        for (queue, worker) in queues.into_iter().zip(self.workers.iter().cycle()) {
            // A worker that has ended has been told of elsewhere.
            drop(worker.send(queue));
        }
        let addresses: Vec<String> = addresses.iter().map(SocketAddr::to_string).collect();
        let (xdp, addresses) = (self.name, addresses.join(", "));
        tracing::info!(xdp, %mode, queues = count, addresses, "listening");
    }

    fn give_up(&self, error: &XdpError) {
        let (xdp, help) = (&self.name, error.remedy());
        tracing::warn!(xdp, why = %error, help, "not taken at the driver: sockets answer");
    }
}
