//! Requests that have a stream each, over HTTP and QUIC: how many of one connection are open.
//!
//! The limit itself is kept by the protocols: a client is told how many streams it may have, and
//! further requests wait on its side, unseen. So what can be counted here is how many are open, and
//! how often the last place of a connection was taken: from there on a client may be waiting.

use std::cell::Cell;
use std::rc::Rc;

use super::desk::Desk;
use crate::respond::Transport;

/// The places of one connection.
pub(super) struct Places {
    desk: Rc<Desk>,
    transport: Transport,
    taken: Cell<u32>,
}

impl Places {
    pub(super) fn new(desk: Rc<Desk>, transport: Transport) -> Self {
        Self { desk, transport, taken: Cell::new(0) }
    }

    /// A request begins.
    pub(super) fn take(&self) {
        let (row, taken) = (self.desk.row(self.transport), self.taken.get() + 1);
        self.taken.set(taken);
        row.opened.add(1);
        if taken == self.desk.limits.in_flight {
            row.filled.add(1);
        }
    }

    /// A request is over, whatever became of it.
    pub(super) fn give_back(&self) {
        self.taken.set(self.taken.get() - 1);
        self.desk.row(self.transport).over.add(1);
    }

    /// How many requests are open.
    pub(super) fn taken(&self) -> u32 {
        self.taken.get()
    }
}
