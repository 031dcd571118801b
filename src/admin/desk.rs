//! What the listener asks of the one task that thinks.
//!
//! The listener knows HTTP and nothing of plans; the task that owns every status knows nothing of
//! HTTP. They meet here: a request goes in by a channel and its answer comes back by another, so
//! neither locks anything of the other.

use std::net::IpAddr;

use tokio::sync::{mpsc, oneshot};

use crate::geo::Network;
use crate::respond::explain::Explanation;
use crate::wire::{Name, RecordType};

use super::metrics::Facts;

/// Requests that may wait.
const REQUESTS_MAX: usize = 64;

/// Where requests are handed in.
#[derive(Clone, Debug)]
pub struct Desk(mpsc::Sender<Request>);

/// What may be asked.
#[derive(Debug)]
pub enum Request {
    /// Why a client gets what it gets.
    Explain(Inquiry, oneshot::Sender<Explanation>),
    /// What `/metrics` is made of; none where it is switched off.
    Metrics(oneshot::Sender<Option<Box<Facts>>>),
}

/// Which answer is to be explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inquiry {
    /// The name asked for.
    pub name: Name,
    /// The type.
    pub rtype: RecordType,
    /// Where the query comes from.
    pub client: IpAddr,
    /// The client subnet that it tells, if any.
    pub subnet: Option<Network>,
}

impl Desk {
    /// A desk, and where the requests come out.
    pub fn new() -> (Self, mpsc::Receiver<Request>) {
        let (requests, received) = mpsc::channel(REQUESTS_MAX);
        (Self(requests), received)
    }

    /// Why a client gets what it gets; none where the server is stopping.
    pub async fn explain(&self, inquiry: Inquiry) -> Option<Explanation> {
        self.ask(|reply| Request::Explain(inquiry, reply)).await
    }

    /// What `/metrics` is made of, or that it is switched off; none where the server is stopping.
    pub async fn metrics(&self) -> Option<Option<Box<Facts>>> {
        self.ask(Request::Metrics).await
    }

    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> Request) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.0.send(request(reply)).await.ok()?;
        answer.await.ok()
    }
}
