//! What the transports count: one row a thread, summed when somebody asks.
//!
//! A row has one writer, its thread, so that counting is a plain load and a plain store without a
//! locked instruction; readers see numbers that are a moment old. What a query meant and how it
//! was answered is counted in `respond`; here is only what happened to its bytes. Everything adds
//! up:
//!
//! ```text
//!  received = silent + sent + send_errors     datagrams, or messages of connections
//!  accepted + refused_client + refused_house = all connections that came
//!  accepted - closed = those that are open
//!    evicted, refused_behind, cut_*, failed_handshakes    parts of closed, apart from each other
//!  requests = received + refused_requests     HTTP alone
//!  opened - over = requests that are open     HTTP and QUIC
//! ```

use std::iter::Sum;
use std::ops::Add;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::stopwatch::{Timed, Times};
use crate::respond::Transport;

/// A number that one thread raises and anybody reads.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    /// Raises it. Only the thread that owns the row calls this: a second writer would lose counts.
    pub(super) fn add(&self, amount: usize) {
        let now = self.0.load(Ordering::Relaxed);
        self.0.store(now.wrapping_add(amount as u64), Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

macro_rules! counted {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// The counters of one thread, on cache lines of their own (128 octets, because
        /// processors fetch lines in pairs).
        #[derive(Debug, Default)]
        #[repr(align(128))]
        pub(super) struct Row {
            $(pub(super) $name: Counter,)+
            /// How long some of the turns took.
            pub(super) timed: Timed,
        }

        impl Row {
            fn totals(&self) -> Totals {
                Totals { $($name: self.$name.read(),)+ }
            }
        }

        /// What threads have counted since the start.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Totals {
            $($(#[doc = $doc])+ pub $name: u64,)+
        }

        impl Add for Totals {
            type Output = Self;

            fn add(self, other: Self) -> Self {
                Self { $($name: self.$name.wrapping_add(other.$name),)+ }
            }
        }
    };
}

counted! {
    /// Datagrams, or whole messages of streams, that came.
    received,
    /// Of `received`: met with silence.
    silent,
    /// Of `received`: whose answer the kernel took.
    sent,
    /// Of `received`: whose answer could not be sent.
    send_errors,
    /// Failed calls to receive datagrams or accept a connection; no query is lost with them.
    receive_errors,
    /// Frames that were taken at a driver and lost, because this thread was away for too long.
    ring_full,
    /// Frames at a driver whose place in memory the kernel could not read.
    ring_invalid,
    /// Connections taken.
    accepted,
    /// Of `accepted`: at their end, whoever closed them.
    closed,
    /// Of `closed`: idle ones that made room for a newer one.
    evicted,
    /// Of `closed`: brought by a proxy for a client that had as many as it may have.
    refused_behind,
    /// Of `closed`: who they are and which keys to use took too long to say.
    cut_handshake,
    /// Of `closed`: without an answer for too long.
    cut_idle,
    /// Of `closed`: whose question took too long to come in.
    cut_request,
    /// Of `closed`: whose client took its answers too slowly.
    cut_reader,
    /// Of `closed`: where no keys were agreed on, or the header of a proxy made no sense.
    failed_handshakes,
    /// Requests that were answered without asking, because of what they are in HTTP.
    refused_requests,
    /// Requests with a stream each, over HTTP and QUIC, that began.
    opened,
    /// Of `opened`: at their end, whatever became of them.
    over,
    /// Of `opened`: that took the last place of their connection.
    filled,
    /// Connections closed at once, because their client had as many as it may have.
    refused_client,
    /// Connections closed at once, because all seats were taken by others that were not idle.
    refused_house,
}

impl Sum for Totals {
    fn sum<I: Iterator<Item = Self>>(rows: I) -> Self {
        rows.fold(Self::default(), Add::add)
    }
}

/// The counters of all threads, to read from anywhere and for as long as anybody likes.
#[derive(Clone, Debug)]
pub struct Counters {
    /// By transport and thread; no row where nothing is served by it.
    rows: [Arc<[Row]>; Transport::ALL.len()],
}

impl Counters {
    /// Rows for so many threads of each transport that is in use.
    pub(super) fn new(threads: impl Fn(Transport) -> usize) -> Self {
        let rows = |transport| (0..threads(transport)).map(|_| Row::default()).collect();
        Self { rows: Transport::ALL.map(rows) }
    }

    /// The row of one thread, which there must be.
    pub(super) fn row(&self, transport: Transport, thread: usize) -> &Row {
        &self.rows[transport as usize][thread]
    }

    /// What is served by a transport.
    pub fn is_in_use(&self, transport: Transport) -> bool {
        !self.rows[transport as usize].is_empty()
    }

    /// The sum over the threads of a transport.
    pub fn of(&self, transport: Transport) -> Totals {
        self.by_thread(transport).sum()
    }

    /// Each thread of a transport by itself, in the order of their names.
    pub fn by_thread(&self, transport: Transport) -> impl Iterator<Item = Totals> {
        self.rows[transport as usize].iter().map(Row::totals)
    }

    /// How long turns took. Of datagrams: from a batch received to its answers sent. Of all
    /// others: from questions read to their answers made; how soon a client takes them is the
    /// client's affair.
    pub fn times(&self, transport: Transport) -> Times {
        Times::of(self.rows[transport as usize].iter().map(|row| &row.timed))
    }

    /// The sum over the UDP workers.
    pub fn udp(&self) -> Totals {
        self.of(Transport::Udp)
    }

    /// The sum over the threads that serve TCP.
    pub fn tcp(&self) -> Totals {
        self.of(Transport::Tcp)
    }
}
