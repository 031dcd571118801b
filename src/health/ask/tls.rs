//! A TLS handshake: the certificate is all that is looked at.

use std::sync::Arc;

use super::Secure;

/// Connects and shakes hands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TlsAsk {
    /// The port of the node.
    pub port: u16,
    /// SNI, and the name that the certificate must have. No final dot.
    pub host: String,
    /// Whom to trust. All nodes of a check share it.
    pub secure: Arc<Secure>,
}
