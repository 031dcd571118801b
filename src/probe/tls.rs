//! A TLS handshake: who the node is, and for how long still.
//!
//! The name, the chain and the dates of the certificate are judged as those of HTTPS are. A node
//! that wants to know the prober says so after the handshake in TLS 1.3 (RFC 8446 §4.4.2), when
//! this probe has gone: what comes of a client certificate, a check that asks something sees.

use std::net::SocketAddr;

use tokio::io::AsyncWriteExt;

use super::trust::Keyring;
use super::{Course, connect};
use crate::health::{Outcome, TlsAsk};

/// Asks once.
pub(super) async fn probe(
    socket: SocketAddr,
    ask: &TlsAsk,
    keyring: &Keyring,
    course: &mut Course,
) -> Result<(), Outcome> {
    let stream = connect::plain(socket, course).await?;
    let (host, secure) = (&ask.host, &ask.secure);
    let mut stream = connect::secured(stream, socket, host, secure, &[], keyring, course).await?;
    // A proper farewell keeps the node's log clean; whether it is heard does not matter any more.
    let _ = stream.shutdown().await;
    Ok(())
}
