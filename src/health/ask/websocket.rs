//! The opening of a WebSocket: RFC 6455 §4.

use std::sync::Arc;

use super::{Header, Secure};

/// A request to speak WebSocket from now on; a node that agrees in the right form passes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WebSocketAsk {
    /// Inside TLS, with the host as SNI; none is plain. All nodes of a check share it.
    pub tls: Option<Arc<Secure>>,
    /// The port of the node.
    pub port: u16,
    /// Path and query, beginning with a slash.
    pub path: String,
    /// `Host` and SNI: the service's name unless the operator gave another. No final dot.
    pub host: String,
    /// Headers beyond those that every opening has: `Origin`, `Sec-WebSocket-Protocol`.
    pub headers: Vec<Header>,
}

impl WebSocketAsk {
    /// `ws` or `wss`.
    pub fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "wss" } else { "ws" }
    }
}
