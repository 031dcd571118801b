//! A connection as the house sees it: what it is doing, who it is for, and why it was cut.
//!
//! The task of the connection writes here and the house reads, or the other way about; both are of
//! one thread.

use std::cell::{Cell, RefCell};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::now;
use super::seats::{Full, Seat};

/// What a connection is doing.
#[derive(Clone, Copy, Debug)]
pub(super) enum Standing {
    /// Nothing is owed to it since this time.
    Idle(Instant),
    /// Its answers are being written.
    Writing,
    /// As `Writing`, and then it ends.
    Leaving,
}

/// The limit that ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// It took too long to say who it is and to agree on keys.
    Handshake,
    /// It got no answer for too long.
    Idle,
    /// A question took too long to come in.
    Request,
    /// It took its answers too slowly.
    Reader,
}

/// A connection as the house sees it.
#[derive(Debug)]
pub(super) struct Presence {
    standing: Cell<Standing>,
    /// When last an answer went out, or the connection came.
    served: Cell<Instant>,
    cut: Cell<Option<Cut>>,
    leave: Notify,
    seat: RefCell<Option<Seat>>,
}

impl Presence {
    pub(super) fn new(seat: Seat) -> Self {
        let now = now();
        Self {
            standing: Cell::new(Standing::Idle(now)),
            served: Cell::new(now),
            cut: Cell::new(None),
            leave: Notify::new(),
            seat: RefCell::new(Some(seat)),
        }
    }

    pub(super) fn standing(&self) -> Standing {
        self.standing.get()
    }

    /// Something is owed from now on.
    pub(super) fn writes(&self) {
        if let Standing::Idle(_) = self.standing.get() {
            self.standing.set(Standing::Writing);
        }
    }

    /// An answer has gone out.
    pub(super) fn served(&self, now: Instant) {
        self.served.set(now);
    }

    /// Nothing is owed since then.
    pub(super) fn rests(&self, since: Instant) {
        self.served.set(since);
        if let Standing::Writing = self.standing.get() {
            self.standing.set(Standing::Idle(since));
        }
    }

    /// When it has been without an answer for so long.
    pub(super) fn idle_end(&self, idle: Duration) -> Instant {
        self.served.get() + idle
    }

    /// Tells it to end when its answers are out.
    pub(super) fn ask_to_leave(&self) {
        self.standing.set(Standing::Leaving);
        self.leave.notify_one();
    }

    /// Waits until it is told to.
    pub(super) async fn told_to_leave(&self) {
        self.leave.notified().await;
    }

    pub(super) fn is_leaving(&self) -> bool {
        matches!(self.standing.get(), Standing::Leaving)
    }

    /// Notes why it ends; the first reason counts.
    pub(super) fn cut(&self, why: Cut) {
        if self.cut.get().is_none() {
            self.cut.set(Some(why));
        }
    }

    pub(super) fn why_cut(&self) -> Option<Cut> {
        self.cut.get()
    }

    /// The seat is this client's, whoever brought the connection.
    pub(super) fn seat_is_for(&self, client: IpAddr) -> Result<(), Full> {
        self.seat.borrow_mut().as_mut().map_or(Ok(()), |seat| seat.assign(client))
    }

    /// Gives the seat back, before the task knows that it has ended.
    pub(super) fn give_up_seat(&self) {
        self.seat.take();
    }
}
