//! What one process leaves to the next, and what the next begins with.
//!
//! A running server keeps copies of all its sockets for whoever may come (`handover.rs` gives them
//! away); a server that starts takes what there is, from a process before it or from the service
//! manager, and makes the rest itself.

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::health::{Place, Status};
use crate::serve::{Gate, Inherited};

use super::control::Command;
use super::handover::Predecessor;
use super::state;

/// What a process that takes the place of this one needs, and the way to the statuses.
#[derive(Debug)]
pub struct Estate {
    pub(super) copies: Arc<Copies>,
    commands: mpsc::Sender<Command>,
}

/// Copies of all sockets, each with the address by which the configuration asks for it.
#[derive(Debug)]
pub(super) struct Copies {
    pub(super) dns: Vec<(Gate, OwnedFd)>,
    pub(super) admin: (SocketAddr, OwnedFd),
}

impl Estate {
    pub(super) fn new(copies: Copies, commands: mpsc::Sender<Command>) -> Self {
        Self { copies: Arc::new(copies), commands }
    }

    /// The statuses of now.
    pub(super) async fn statuses(&self) -> HashMap<Place, Status> {
        let (reply, answer) = oneshot::channel();
        drop(self.commands.send(Command::Statuses(reply)).await);
        answer.await.unwrap_or_default()
    }

    /// Waits until nothing is kept in the state folder any more.
    pub(super) async fn release(&self) {
        let (reply, released) = oneshot::channel();
        drop(self.commands.send(Command::Release(reply)).await);
        // Fails where the task has ended, which keeps nothing either.
        drop(released.await);
    }
}

/// What a process begins with.
#[derive(Debug, Default)]
pub struct Heritage {
    /// Sockets for DNS, and from a service manager for everything.
    pub(super) sockets: Inherited,
    /// The admin listener, with the address by which the configuration asks for it.
    pub(super) admin: Option<(SocketAddr, TcpListener)>,
    /// Statuses, as in the state folder's file.
    pub(super) statuses: Option<String>,
    /// Who waits for our word.
    pub(super) predecessor: Option<Predecessor>,
}

impl Heritage {
    /// Whether it comes from a process that still runs.
    pub(super) fn is_handed_over(&self) -> bool {
        self.statuses.is_some()
    }

    /// The statuses that were handed over, if a process does that.
    pub(super) fn take_statuses(&mut self) -> Option<HashMap<Place, Status>> {
        let read = state::from_text(&self.statuses.take()?);
        Some(read.unwrap_or_else(|error| {
            tracing::warn!(%error, "handed over statuses cannot be read");
            HashMap::new()
        }))
    }

    /// The admin listener of this address, from whoever bound it.
    pub(super) fn take_admin(&mut self, asked: SocketAddr) -> Option<TcpListener> {
        let handed = self.admin.take().filter(|(address, _)| *address == asked);
        handed.map(|(_, listener)| listener).or_else(|| self.sockets.take_listener(asked))
    }
}
