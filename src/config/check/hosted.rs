//! What names the host that it asks for, or leaves it to the service whose check it is.

use super::host_of;
use crate::health::{GrpcAsk, HttpAsk, TlsAsk, WebSocketAsk};
use crate::wire::Name;

/// What to ask, and whether its host was given; otherwise the service's name will be it.
#[derive(Clone, Debug)]
pub(super) struct Hosted<A> {
    pub(super) ask: A,
    given: bool,
}

/// What is asked of a host by its name.
pub(super) trait AsksHost {
    /// The name.
    fn host(&mut self) -> &mut String;
}

impl<A: AsksHost> Hosted<A> {
    /// What to ask of the host that was given, if one was.
    pub(super) fn new(mut ask: A, host: Option<String>) -> Self {
        let given = host.is_some();
        *ask.host() = host.unwrap_or_default();
        Self { ask, given }
    }

    /// What to ask for a service; none where its name would have to be the host and cannot be.
    pub(super) fn applied(mut self, owner: &Name) -> Option<A> {
        if !self.given {
            *self.ask.host() = host_of(owner)?;
        }
        Some(self.ask)
    }
}

impl AsksHost for HttpAsk {
    fn host(&mut self) -> &mut String {
        &mut self.host
    }
}

impl AsksHost for GrpcAsk {
    fn host(&mut self) -> &mut String {
        &mut self.host
    }
}

impl AsksHost for TlsAsk {
    fn host(&mut self) -> &mut String {
        &mut self.host
    }
}

impl AsksHost for WebSocketAsk {
    fn host(&mut self) -> &mut String {
        &mut self.host
    }
}
