//! A connection from the moment it is accepted until its first question.
//!
//! ```text
//!   accepted ─► PROXY header, from where one comes first ─► TLS ─► framed messages, or HTTP
//!               └────────── within the time of a handshake ───┘
//! ```
//!
//! Until both are over it is idle to the house: it has asked nothing, and goes first where there is
//! no room.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::conversation::converse;
use super::desk::Desk;
use super::doh;
use super::keys::H2;
use super::line::Line;
use super::options::Way;
use super::presence::{Cut, Presence};
use crate::respond::Client;
use crate::wire::proxy::{self, Header};

/// How a connection ended, where no limit ended it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// As connections end.
    Whole,
    /// Before a word of DNS: no keys, or a header without sense.
    Unheard,
    /// A proxy brought it for a client that had as many as it may have.
    Turned,
}

/// Octets read at a time while the header of a proxy is not whole.
const LOOK_LEN: usize = 256;

/// Serves one connection to its end.
pub(super) async fn receive(
    stream: TcpStream,
    peer: SocketAddr,
    way: Way,
    desk: Rc<Desk>,
    presence: Rc<Presence>,
) -> End {
    let line = Line::new(stream, desk.limits.rate, Rc::clone(&presence));
    let met = tokio::select! {
        met = timeout(desk.limits.handshake, meet(line, peer, way, &desk, &presence)) => met,
        () = presence.told_to_leave() => return End::Whole,
    };
    let (met, addr) = match met {
        Ok(Ok(met)) => met,
        Ok(Err(end)) => return end,
        Err(_) => {
            presence.cut(Cut::Handshake);
            return End::Whole;
        }
    };
    let client = Client { addr, transport: way.transport() };
    match met {
        Met::Plain(line) => converse(line, client, desk, presence).await,
        Met::Inside(tls) => converse(tls, client, desk, presence).await,
        Met::Http(line, http) => doh::converse(line, http, addr, desk, presence).await,
        Met::Https(tls, http) => doh::converse(tls, http, addr, desk, presence).await,
    }
    End::Whole
}

/// A connection on which DNS may begin.
enum Met {
    Plain(Line),
    Inside(Box<TlsStream<Line>>),
    Http(Line, doh::Version),
    Https(Box<TlsStream<Line>>, doh::Version),
}

/// Finds out for whom it is, and agrees on keys.
async fn meet(
    mut line: Line,
    peer: SocketAddr,
    way: Way,
    desk: &Desk,
    presence: &Presence,
) -> Result<(Met, SocketAddr), End> {
    let mut client = peer;
    if desk.proxies.introduce(peer.ip()) {
        client = introduced(&mut line).await.map_err(|_| End::Unheard)?.unwrap_or(peer);
        presence.seat_is_for(client.ip()).map_err(|_| End::Turned)?;
    } else if way == Way::Http && !desk.proxies.forward(peer.ip()) {
        // What is said here is not encrypted: that is for proxies alone.
        return Err(End::Unheard);
    }
    let met = match way {
        Way::Dns => Met::Plain(line),
        Way::Http => {
            let version = doh::Version::of(&mut line).await.map_err(|_| End::Unheard)?;
            Met::Http(line, version)
        }
        Way::Tls => Met::Inside(agree(line, &desk.tls.dot).await?),
        Way::Https => {
            let stream = agree(line, &desk.tls.doh).await?;
            // Whoever names no protocol speaks the one that is older than the naming of them.
            let two = stream.get_ref().1.alpn_protocol() == Some(H2);
            Met::Https(stream, if two { doh::Version::Two } else { doh::Version::One })
        }
        // Its connections come in datagrams, and elsewhere.
        Way::Quic | Way::H3 => return Err(End::Unheard),
    };
    Ok((met, client))
}

/// The TLS handshake.
async fn agree(line: Line, config: &Arc<ServerConfig>) -> Result<Box<TlsStream<Line>>, End> {
    let accepted = TlsAcceptor::from(Arc::clone(config)).accept(line).await;
    accepted.map(Box::new).map_err(|_| End::Unheard)
}

/// Reads the header of a proxy: the client, or none where the proxy speaks for itself.
async fn introduced(line: &mut Line) -> io::Result<Option<SocketAddr>> {
    loop {
        let ahead = line.look(LOOK_LEN).await?;
        match proxy::parse(ahead) {
            Ok(Some(Header { len, client })) => {
                line.skip(len);
                return Ok(client);
            }
            Ok(None) => {}
            Err(_) => return Err(ErrorKind::InvalidData.into()),
        }
    }
}
