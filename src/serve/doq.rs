//! DNS over QUIC (RFC 9250): every question has a stream of its own.
//!
//! ```text
//!   client opens a stream:  [ length:2 | message, id 0 ] FIN
//!   server on the same one: [ length:2 | message, id 0 ] FIN
//! ```
//!
//! The limits are those of all connections. What is particular to QUIC:
//!
//! - Who opens a connection may be anybody, until it answers to its address. Once a thread has
//!   [`UNPROVEN_MAX`] connections, newcomers must do so first (Retry, RFC 9000 §8.1.2), which keeps
//!   no memory of them here and costs them a round trip.
//! - A connection is in this process and not in the kernel. It ends where another process takes the
//!   place of this one, and its client asks anew.
//! - Nothing is read before the handshake is over: there is no 0-RTT.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::QuicServerConfig;
use quinn::{
    Connection, Endpoint, EndpointConfig, IdleTimeout, Incoming, RecvStream, SendStream,
    ServerConfig, TokioRuntime, TransportConfig, VarInt,
};
use tokio::sync::mpsc;
use tokio::task::{JoinSet, spawn_local};
use tokio::time::{sleep_until, timeout};

use super::desk::{Desk, HEADER_LEN, PREFIX_LEN};
use super::now;
use super::pace::PATIENCE;
use super::places::Places;
use super::presence::{Cut, Presence};
use super::reception::End;
use crate::respond::{Client, Transport};
use crate::wire::{Malformed, Query};

/// Connections of one thread, beyond which clients must prove their address first.
const UNPROVEN_MAX: usize = 32;
/// Connections that may wait for the thread, each with the first datagram of its client.
const WAITING_MAX: usize = 256;
/// The longest message with its length.
const QUESTION_LEN_MAX: usize = PREFIX_LEN + u16::MAX as usize;
/// What a client may send before it is told to go on.
const WINDOW_LEN: u32 = 256 * 1024;
/// Octets of answers that a connection keeps until they are acknowledged.
const SEND_WINDOW_LEN: u64 = 256 * 1024;
/// How long the last words of connections may take to go out.
const FAREWELL_MAX: Duration = Duration::from_millis(250);

/// RFC 9250 §4.3: no error.
const NO_ERROR: VarInt = VarInt::from_u32(0);
/// RFC 9250 §4.3: a server that cannot answer.
const INTERNAL_ERROR: VarInt = VarInt::from_u32(1);
/// RFC 9250 §4.3.3: what a client must not do.
const PROTOCOL_ERROR: VarInt = VarInt::from_u32(2);
/// RFC 9250 §4.3: nobody waits for it any more.
const CANCELLED: VarInt = VarInt::from_u32(3);
/// RFC 9250 §4.3: the server has other things to do.
const EXCESSIVE_LOAD: VarInt = VarInt::from_u32(4);

/// The sockets of one thread.
pub(super) struct Ports {
    endpoints: Vec<Endpoint>,
    arrivals: mpsc::Receiver<Incoming>,
}

/// A client that wants to connect.
pub(super) struct Arrival(Incoming);

impl Ports {
    /// Listens; inside the thread's runtime.
    pub(super) fn open(sockets: Vec<UdpSocket>, desk: &Desk) -> io::Result<Self> {
        let (tell, arrivals) = mpsc::channel(1);
        let mut endpoints = Vec::new();
        for socket in sockets {
            let settings = Some(settings(desk).map_err(io::Error::other)?);
            let runtime = Arc::new(TokioRuntime);
            let endpoint = Endpoint::new(EndpointConfig::default(), settings, socket, runtime)?;
            let (at, tell) = (endpoint.clone(), tell.clone());
            spawn_local(async move {
                while let Some(incoming) = at.accept().await {
                    if at.open_connections() >= UNPROVEN_MAX && !incoming.remote_address_validated()
                    {
                        // It fails only for those who have proven it already.
                        drop(incoming.retry());
                    } else if tell.send(incoming).await.is_err() {
                        return;
                    }
                }
            });
            endpoints.push(endpoint);
        }
        Ok(Self { endpoints, arrivals })
    }

    /// The next client of any socket; never one where there is no socket.
    pub(super) async fn arrival(&mut self) -> Arrival {
        match self.arrivals.recv().await {
            Some(incoming) => Arrival(incoming),
            None => std::future::pending().await,
        }
    }

    /// Ends all connections, once their clients were told or could have been.
    pub(super) async fn close(self) {
        for endpoint in &self.endpoints {
            endpoint.close(NO_ERROR, b"");
        }
        let told = async {
            for endpoint in &self.endpoints {
                endpoint.wait_idle().await;
            }
        };
        drop(timeout(FAREWELL_MAX, told).await);
    }
}

fn settings(desk: &Desk) -> Result<ServerConfig, Box<dyn std::error::Error + Send + Sync>> {
    let limits = &desk.limits;
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(limits.in_flight.into())
        // RFC 9250 §4.3.3: nobody opens one.
        .max_concurrent_uni_streams(0_u32.into())
        .stream_receive_window(VarInt::from_u32(QUESTION_LEN_MAX as u32))
        .receive_window(VarInt::from_u32(WINDOW_LEN))
        .send_window(SEND_WINDOW_LEN)
        .datagram_receive_buffer_size(None)
        .max_idle_timeout(Some(IdleTimeout::try_from(limits.idle)?));
    let crypto = QuicServerConfig::try_from(Arc::clone(&desk.tls.doq))?;
    let mut settings = ServerConfig::with_crypto(Arc::new(crypto));
    settings
        .transport_config(Arc::new(transport))
        .max_incoming(WAITING_MAX)
        .retry_token_lifetime(limits.handshake)
        // The socket of another thread would get the datagrams of a client that has moved.
        .migration(false);
    Ok(settings)
}

impl Arrival {
    pub(super) fn peer(&self) -> SocketAddr {
        self.0.remote_address()
    }

    /// There is no seat for it.
    pub(super) fn refuse(self) {
        self.0.refuse();
    }

    /// Serves the connection to its end.
    pub(super) async fn receive(self, desk: Rc<Desk>, presence: Rc<Presence>) -> End {
        let Ok(connecting) = self.0.accept() else { return End::Unheard };
        match timeout(desk.limits.handshake, connecting).await {
            Ok(Ok(connection)) => converse(&connection, &desk, &presence).await,
            Ok(Err(_)) => return End::Unheard,
            Err(_) => presence.cut(Cut::Handshake),
        }
        End::Whole
    }
}

/// One connection from its first stream to its last.
async fn converse(connection: &Connection, desk: &Rc<Desk>, presence: &Rc<Presence>) {
    let addr = connection.remote_address();
    let client = Client { addr, transport: Transport::Quic };
    let places = Rc::new(Places::new(Rc::clone(desk), Transport::Quic));
    let mut turns: JoinSet<Result<(), Fault>> = JoinSet::new();
    let code = loop {
        let end = presence.idle_end(desk.limits.idle);
        tokio::select! {
            stream = connection.accept_bi(), if !presence.is_leaving() => {
                let Ok((send, receive)) = stream else { return };
                presence.writes();
                let (place, desk) = (Place::take(&places), Rc::clone(desk));
                turns.spawn_local(async move {
                    let _place = place;
                    turn(send, receive, client, desk).await
                });
            }
            Some(turn) = turns.join_next() => match turn {
                Ok(Err(Fault::Protocol)) => break PROTOCOL_ERROR,
                Ok(Err(Fault::Slow(why))) => {
                    presence.cut(why);
                    break EXCESSIVE_LOAD;
                }
                Ok(Ok(())) | Err(_) if turns.is_empty() => {
                    presence.rests(now());
                    if presence.is_leaving() {
                        break NO_ERROR;
                    }
                }
                Ok(Ok(())) | Err(_) => presence.served(now()),
            },
            () = presence.told_to_leave() => {
                if turns.is_empty() {
                    break NO_ERROR;
                }
            }
            () = sleep_until(end.into()) => {
                if presence.idle_end(desk.limits.idle) <= now() {
                    presence.cut(Cut::Idle);
                    break NO_ERROR;
                }
            }
        }
    };
    connection.close(code, b"");
}

/// One stream's place, given back also where the connection ends before its turn.
struct Place(Rc<Places>);

impl Place {
    fn take(places: &Rc<Places>) -> Self {
        places.take();
        Self(Rc::clone(places))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.give_back();
    }
}

/// What ends a connection and not its stream alone.
enum Fault {
    Protocol,
    Slow(Cut),
}

/// One stream: a question and its answer.
async fn turn(
    mut send: SendStream,
    mut receive: RecvStream,
    client: Client,
    desk: Rc<Desk>,
) -> Result<(), Fault> {
    let limits = &desk.limits;
    let read = timeout(limits.request, receive.read_to_end(QUESTION_LEN_MAX)).await;
    let octets = match read {
        Ok(Ok(octets)) => octets,
        // The client has thought better of it.
        Ok(Err(quinn::ReadToEndError::Read(_))) => return unanswered(send, CANCELLED, None),
        // It has said more than a question.
        Ok(Err(quinn::ReadToEndError::TooLong)) => {
            return unanswered(send, PROTOCOL_ERROR, Some(Fault::Protocol));
        }
        Err(_) => return unanswered(send, EXCESSIVE_LOAD, Some(Fault::Slow(Cut::Request))),
    };
    let Some(question) = question(&octets) else {
        return unanswered(send, PROTOCOL_ERROR, Some(Fault::Protocol));
    };
    let framed = |answer: &[u8]| {
        // No answer is longer than its prefix can say.
        let prefix = (answer.len() as u16).to_be_bytes();
        [&prefix, answer].concat()
    };
    let Some(answer) = desk.answer(question, &client, framed) else {
        // RFC 9250 §4.3: whoever waits shall know that nothing comes.
        return unanswered(send, INTERNAL_ERROR, None);
    };
    let row = desk.row(Transport::Quic);
    let allowed = PATIENCE + Duration::from_secs(answer.len() as u64) / limits.rate.get();
    let sent = match timeout(allowed, send.write_all(&answer)).await {
        Ok(written) => written.is_ok() && send.finish().is_ok(),
        Err(_) => {
            row.send_errors.add(1);
            return unanswered(send, EXCESSIVE_LOAD, Some(Fault::Slow(Cut::Reader)));
        }
    };
    if sent {
        row.sent.add(1)
    } else {
        row.send_errors.add(1)
    }
    Ok(())
}

/// Ends a stream without an answer; one that is dropped would look like an answer without octets.
fn unanswered(mut send: SendStream, code: VarInt, fault: Option<Fault>) -> Result<(), Fault> {
    // It fails where all is over anyway.
    drop(send.reset(code));
    fault.map_or(Ok(()), Err)
}

/// The question of a stream; none where there is more or less than one, or one that RFC 9250 rules
/// out: §4.2.1 has ids of 0 alone, §5.5.2 no keepalive option.
fn question(octets: &[u8]) -> Option<&[u8]> {
    let (prefix, question) = octets.split_first_chunk::<PREFIX_LEN>()?;
    let whole = usize::from(u16::from_be_bytes(*prefix)) == question.len();
    if !whole || question.len() < HEADER_LEN || question[..2] != [0, 0] {
        return None;
    }
    let edns = match Query::parse(question) {
        Ok(query) => query.edns,
        Err(Malformed::Answered { edns, .. }) => edns,
        Err(Malformed::CookieOnly { edns, .. }) => Some(edns),
        Err(Malformed::Ignored) => None,
    };
    let keepalive = edns.is_some_and(|edns| edns.options.keepalive.is_some());
    (!keepalive).then_some(question)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_has_one_question_with_the_id_0_and_no_keepalive() {
        let plain = b"\0\0\0\0\0\x01\0\0\0\0\0\0\x01a\0\0\x01\0\x01".to_vec();
        let framed = |message: &[u8]| [&(message.len() as u16).to_be_bytes()[..], message].concat();
        let check = |octets: &[u8], expected: bool| {
            let found = question(octets);
            assert_eq!(found.is_some(), expected, "{}", octets.escape_ascii());
            assert!(found.is_none_or(|found| found == &octets[2..]));
        };
        check(&framed(&plain), true);
        check(b"", false);
        check(b"\0", false);
        check(b"\0\0", false);
        check(&framed(b"runt"), false);
        check(&framed(&plain)[..10], false);
        check(&[framed(&plain), framed(&plain)].concat(), false);
        let mut numbered = plain.clone();
        numbered[1] = 1;
        check(&framed(&numbered), false);
        let with = |option: &[u8]| {
            let mut message = plain.clone();
            message[11] = 1;
            let len = option.len() as u8;
            message.extend([&b"\0\0\x29\x04\xd0\0\0\0\0\0"[..], &[len], option].concat());
            message
        };
        check(&framed(&with(b"")), true);
        check(&framed(&with(b"\0\x0c\0\0")), true);
        check(&framed(&with(b"\0\x0b\0\0")), false);
    }
}
