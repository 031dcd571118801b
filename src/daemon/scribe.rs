//! Writes down what must last, where waiting for the disk keeps nobody waiting.
//!
//! A disk can hang: a network file system, a controller, a full journal. The task that thinks must
//! go on then, because answers depend on it. So it hands what is to be written over to a thread
//! that may block, and hears by its own door when that is done.
//!
//! ```text
//!   control ── write(work) ──► a blocking thread ── Written ──► control
//! ```
//!
//! Order is the asker's business: each asks for one piece of work of its kind at a time.

use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use crate::steer::Overrides;

use super::kept::Store;

/// Work that may be done at a time: one of each kind.
const KINDS: usize = 4;

/// Work that is done, and what came of it.
#[derive(Debug)]
pub(super) enum Written {
    /// Overrides are in their file, or why not.
    Orders(Result<(), String>),
    /// Statuses are in their file, or why not.
    Statuses(Result<(), String>),
    /// What the next process must know of our answers is in its file, or why not.
    Answers(Result<(), String>),
    /// Overrides were read anew; none where that could not be done.
    Reread(Option<(Store, Overrides, Option<String>)>),
}

/// Where work is handed in.
#[derive(Clone, Debug)]
pub(super) struct Scribe(mpsc::Sender<Written>);

impl Scribe {
    /// A scribe, and where it tells that work is done.
    pub(super) fn new() -> (Self, mpsc::Receiver<Written>) {
        let (tell, told) = mpsc::channel(KINDS);
        (Self(tell), told)
    }

    /// Has work done; `told` makes of it what is heard, also where it panicked.
    pub(super) fn take<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
        told: fn(Result<T, String>) -> Written,
    ) {
        let tell = self.0.clone();
        tokio::spawn(async move {
            let done = spawn_blocking(work).await.map_err(|error| error.to_string());
            // Nobody listens where the process ends.
            drop(tell.send(told(done)).await);
        });
    }
}
