//! DNS over HTTP/3, carried by hickory's server: the answers are ours (`hickory.rs`), the limits
//! are its own. It ends a connection after 100 requests, answers POST alone at `/dns-query` alone,
//! and knows no bound on connections. So it is a part of those builds only that ask for it, and of
//! our limits there is one: the time of a handshake.

use std::io;
use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;

use hickory_server::Server;
use tokio::sync::watch;
use tokio::time::timeout;

use super::hickory::Handler;
use super::{Keyring, Word};

/// How long a stop waits for the library.
const FAREWELL_MAX: Duration = Duration::from_secs(1);

/// Serves these sockets until told to stop, on a thread of its own.
pub(super) fn serve(
    sockets: Vec<UdpSocket>,
    handler: Handler,
    keyring: Arc<Keyring>,
    handshake: Duration,
    mut stop: watch::Receiver<Word>,
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut server = Server::new(handler);
        for socket in sockets {
            socket.set_nonblocking(true)?;
            let socket = tokio::net::UdpSocket::from_std(socket)?;
            server.register_h3_listener(socket, handshake, Arc::clone(&keyring) as _, None)?;
        }
        tokio::select! {
            _ = stop.wait_for(|word| *word != Word::Serve) => {}
            ended = server.block_until_done() => return ended.map_err(io::Error::other),
        }
        // What is left of it ends with the runtime.
        drop(timeout(FAREWELL_MAX, server.shutdown_gracefully()).await);
        Ok(())
    })
}
