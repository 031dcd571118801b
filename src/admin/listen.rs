//! The listener: accepts within limits, and stops when told.
//!
//! axum's own loop has neither a limit on connections nor a timeout for a client that sends its
//! header one octet a minute, so this one drives hyper itself. What a client can hold is bounded
//! on every side:
//!
//! ```text
//!   connections   CONNECTIONS_MAX, then the backlog of the kernel waits
//!   header        HEADER_LEN_MAX octets within HEADER_PATIENCE, which also ends idle keep-alive
//!   body          BODY_LEN_MAX octets within BODY_PATIENCE, where one is taken at all (`api`)
//!   stop          open requests have STOP_PATIENCE to end
//! ```

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::guard::{Token, Way};
use super::{Desk, Socket, State};

/// Connections at one time: a supervisor, a scraper and a few people, many times over.
const CONNECTIONS_MAX: usize = 64;
/// Longest request header, in octets; hyper allows no smaller buffer than 8192.
const HEADER_LEN_MAX: usize = 8192;
/// How long a header may take to arrive, counted from the end of the request before.
const HEADER_PATIENCE: Duration = Duration::from_secs(5);
/// How long open requests may take to end after the stop.
const STOP_PATIENCE: Duration = Duration::from_secs(1);
/// Rest after a failed accept: out of descriptors, trying again at once would only spin.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// The admin listener could not be bound.
#[derive(Debug)]
pub struct BindError {
    address: SocketAddr,
    error: io::Error,
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the admin listener cannot use {}", self.address)?;
        let kind = self.error.kind();
        if kind == io::ErrorKind::AddrInUse {
            f.write_str(
                ": something listens there, perhaps another rota; choose another address with \
                 `admin` under `[listen]`",
            )
        } else if kind == io::ErrorKind::AddrNotAvailable {
            f.write_str(": no interface of this machine has that address")
        } else if kind == io::ErrorKind::PermissionDenied {
            f.write_str(": ports below 1024 need a privilege; choose a higher one")
        } else {
            write!(f, ": {}", self.error)
        }
    }
}

impl std::error::Error for BindError {}

/// Takes the address.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    TcpListener::bind(address).await.map_err(|error| BindError { address, error })
}

/// Where requests come in.
#[derive(Debug)]
pub enum Door {
    /// An address; changes need the token, where there is one.
    Tcp(TcpListener, Option<Token>),
    /// A file.
    Unix(Socket),
}

enum Connection {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Door {
    async fn accept(&self) -> io::Result<(Connection, Way)> {
        match self {
            Self::Tcp(listener, token) => {
                let (stream, peer) = listener.accept().await?;
                // By the listener, not the connection: behind one on all addresses a peer on
                // loopback may be a proxy's.
                let loopback = listener.local_addr().is_ok_and(|own| own.ip().is_loopback());
                let way = Way::Tcp { peer, loopback, token: token.clone() };
                Ok((Connection::Tcp(stream), way))
            }
            Self::Unix(socket) => {
                let (stream, _) = socket.listener.accept().await?;
                let uid = stream.peer_cred().ok().map(|peer| peer.uid());
                Ok((Connection::Unix(stream), Way::Unix { uid }))
            }
        }
    }
}

/// Answers until `stop` is over and the last open request has ended or was cut.
pub async fn serve(door: Door, state: Arc<State>, desk: Desk, stop: impl Future<Output = ()>) {
    let router = super::router(state, desk);
    let seats = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let (stopping, stopped) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&door, &seats) => accepted,
            Some(_) = connections.join_next() => continue,
            () = &mut stop => break,
        };
        let (connection, way, seat) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "the admin listener cannot accept");
                sleep(ACCEPT_REST).await;
                continue;
            }
        };
        let (router, stopped) = (router.clone().layer(Extension(way)), stopped.clone());
        connections.spawn(async move {
            match connection {
                Connection::Tcp(stream) => converse(stream, router, stopped).await,
                Connection::Unix(stream) => converse(stream, router, stopped).await,
            }
            drop(seat);
        });
    }
    drop(door);
    drop(stopping);
    // What is still open after the patience is cut by dropping the set.
    let _ =
        timeout(STOP_PATIENCE, async { while connections.join_next().await.is_some() {} }).await;
}

/// The next connection, once there is a seat for it.
async fn accept(
    door: &Door,
    seats: &Arc<Semaphore>,
) -> io::Result<(Connection, Way, tokio::sync::OwnedSemaphorePermit)> {
    let seat = Arc::clone(seats).acquire_owned().await.expect("the semaphore is never closed");
    let (connection, way) = door.accept().await?;
    Ok((connection, way, seat))
}

/// One connection, from its first request to its last.
async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    router: axum::Router,
    mut stopped: watch::Receiver<()>,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_PATIENCE).max_buf_size(HEADER_LEN_MAX);
    let service = TowerToHyperService::new(router);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = &mut connection => ended,
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "an admin connection broke");
    }
}
