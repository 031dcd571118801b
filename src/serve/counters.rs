//! What the transports count: one row a thread, summed when somebody asks.
//!
//! A row has one writer, its thread, so that counting is a plain load and a plain store without a
//! locked instruction; readers see numbers that are a moment old. What a query meant and how it
//! was answered is counted in `respond`; here is only what happened to its bytes. Everything adds
//! up:
//!
//! ```text
//!  received = silent + sent + send_errors     datagrams, or messages of streams
//!  accepted + refused_client + refused_house = all connections that came
//!  accepted - closed = those that are open;  evicted is a part of closed
//! ```

use std::iter::Sum;
use std::ops::Add;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::stopwatch::{Timed, Times};

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
    /// Connections taken.
    accepted,
    /// Of `accepted`: at their end, whoever closed them.
    closed,
    /// Of `closed`: idle ones that made room for a newer one.
    evicted,
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
    pub(super) udp: Arc<[Row]>,
    pub(super) tcp: Arc<[Row]>,
}

impl Counters {
    pub(super) fn for_workers(count: usize) -> Self {
        let rows = || (0..count).map(|_| Row::default()).collect();
        Self { udp: rows(), tcp: rows() }
    }

    /// The sum over the UDP workers.
    pub fn udp(&self) -> Totals {
        self.udp_by_thread().sum()
    }

    /// The sum over the threads that serve streams.
    pub fn tcp(&self) -> Totals {
        self.tcp_by_thread().sum()
    }

    /// How long the turns of the UDP workers took: from a batch received to its answers sent.
    pub fn udp_times(&self) -> Times {
        Times::of(self.udp.iter().map(|row| &row.timed))
    }

    /// How long the turns of streams took: from questions read to their answers made. How soon a
    /// client takes them is the client's affair.
    pub fn tcp_times(&self) -> Times {
        Times::of(self.tcp.iter().map(|row| &row.timed))
    }

    /// Each UDP worker by itself, in the order of their names.
    pub fn udp_by_thread(&self) -> impl Iterator<Item = Totals> {
        self.udp.iter().map(Row::totals)
    }

    /// Each thread that serves streams by itself, in the order of their names.
    pub fn tcp_by_thread(&self) -> impl Iterator<Item = Totals> {
        self.tcp.iter().map(Row::totals)
    }
}
