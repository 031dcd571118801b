//! DNS over HTTPS (RFC 8484), HTTP/1.1 and HTTP/2: what a request is, is in `doh_request.rs`.
//!
//! What a connection can hold is bounded on every side:
//!
//! ```text
//!   header     HEADER_LEN_MAX octets; over HTTP/1.1 whole within the time of a request, which also
//!              ends a connection that asks nothing more
//!   body       a DNS message, within the time of a request
//!   requests   as many at a time as are allowed in flight (one over HTTP/1.1)
//!   answers    OUTPUT_SOFT_MAX octets that the client has not made room for; then questions wait
//!   silence    the idle time, counted from the last answer that the client made room for
//! ```

use std::cell::Cell;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio::task::spawn_local;
use tokio::time::{sleep_until, timeout};

use super::desk::{Desk, OUTPUT_SOFT_MAX};
use super::doh_request::{Asked, MESSAGE_LEN_MAX, MESSAGE_TYPE, Refusal, client_behind, read_head};
use super::line::Line;
use super::now;
use super::places::Places;
use super::presence::{Cut, Presence};
use crate::respond::{Client, Transport};
use crate::wire::freshness::freshness;

/// Longest header of a request, in octets: a GET with some kilobytes of cookies beside it. hyper
/// allows no smaller buffer for HTTP/1.1 than this.
const HEADER_LEN_MAX: usize = 8192;
/// Octets of an answer handed to HTTP/2 at a time, which may keep one piece for each request.
const PIECE_LEN: usize = 4096;
/// What a client of HTTP/2 may send before it is told to go on: a question, many times over.
const WINDOW_LEN: u32 = 16 * 1024;
/// How long a client may take to hear that this was all.
const FAREWELL_MAX: Duration = Duration::from_secs(1);
/// How HTTP/2 begins. RFC 9113 §3.4.
const PREFACE: &[u8] = b"PRI * HTTP/2.0";

/// Which HTTP is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// HTTP/1.1.
    One,
    /// HTTP/2.
    Two,
}

impl Version {
    /// What a connection without ALPN begins with.
    pub(super) async fn of(line: &mut Line) -> io::Result<Self> {
        loop {
            let ahead = line.look(PREFACE.len()).await?;
            let len = ahead.len().min(PREFACE.len());
            if ahead[..len] != PREFACE[..len] {
                return Ok(Self::One);
            }
            if len == PREFACE.len() {
                return Ok(Self::Two);
            }
        }
    }
}

/// One connection from its first request to its last.
pub(super) async fn converse<S: AsyncRead + AsyncWrite + Unpin + 'static>(
    stream: S,
    version: Version,
    peer: SocketAddr,
    desk: Rc<Desk>,
    presence: Rc<Presence>,
) {
    let limits = desk.limits;
    let places = Places::new(Rc::clone(&desk), Transport::Https);
    let visit = Visit { peer, desk, presence, places, owed: Cell::new(0) };
    let visit = Rc::new((visit, Notify::new()));
    let of = Rc::clone(&visit);
    let service = service_fn(move |request| {
        let visit = Rc::clone(&of);
        async move { Ok::<_, Infallible>(serve(visit, request).await) }
    });
    let (stream, timer) = (TokioIo::new(stream), TokioTimer::new());
    let presence = &visit.0.presence;
    match version {
        Version::One => {
            let mut http = http1::Builder::new();
            http.timer(timer).header_read_timeout(limits.request).max_buf_size(HEADER_LEN_MAX);
            let connection = http.serve_connection(stream, service);
            keep(connection, http1::Connection::graceful_shutdown, limits.idle, presence).await;
        }
        Version::Two => {
            let mut http = http2::Builder::new(Local);
            http.timer(timer)
                .max_concurrent_streams(limits.in_flight)
                .initial_stream_window_size(WINDOW_LEN)
                .initial_connection_window_size(4 * WINDOW_LEN)
                .max_header_list_size(HEADER_LEN_MAX as u32)
                .max_send_buf_size(PIECE_LEN);
            let connection = http.serve_connection(stream, service);
            keep(connection, http2::Connection::graceful_shutdown, limits.idle, presence).await;
        }
    }
}

/// Runs a connection until it has been idle for too long, or is told to leave.
async fn keep<C: Future<Output = hyper::Result<()>>>(
    connection: C,
    say_farewell: fn(Pin<&mut C>),
    idle: Duration,
    presence: &Presence,
) {
    let mut connection = pin!(connection);
    loop {
        let end = presence.idle_end(idle);
        tokio::select! {
            ended = &mut connection => {
                if ended.is_err_and(|error| error.is_timeout()) {
                    presence.cut(Cut::Request);
                }
                return;
            }
            () = presence.told_to_leave() => break,
            () = sleep_until(end.into()) => {
                if presence.idle_end(idle) <= now() {
                    presence.cut(Cut::Idle);
                    break;
                }
            }
        }
    }
    say_farewell(connection.as_mut());
    // Whoever does not listen is cut off.
    drop(timeout(FAREWELL_MAX, connection).await);
}

/// Tasks of HTTP/2, on this thread like all others.
#[derive(Clone)]
struct Local;

impl<F: Future + 'static> hyper::rt::Executor<F> for Local {
    fn execute(&self, task: F) {
        spawn_local(async move { drop(task.await) });
    }
}

/// What the requests of a connection share.
struct Visit {
    peer: SocketAddr,
    desk: Rc<Desk>,
    presence: Rc<Presence>,
    /// Of requests without a whole response.
    places: Places,
    /// Octets of answers that the client has made no room for.
    owed: Cell<usize>,
}

/// With word of room for more.
type Shared = Rc<(Visit, Notify)>;

/// One request.
async fn serve(shared: Shared, request: Request<Incoming>) -> Response<Answer> {
    let ticket = Ticket::new(Rc::clone(&shared));
    let (visit, room) = &*shared;
    let row = visit.desk.row(Transport::Https);
    let (client, message) = match read(visit, request).await {
        Ok(read) => read,
        Err(refusal) => {
            row.refused_requests.add(1);
            return refused(refusal, ticket);
        }
    };
    while visit.owed.get() >= OUTPUT_SOFT_MAX {
        room.notified().await;
    }
    let keep = |octets: &[u8]| (Bytes::copy_from_slice(octets), freshness(octets));
    let Some((octets, fresh)) = visit.desk.answer(&message, &client, keep) else {
        return refused(Refusal::NoQuestion, ticket);
    };
    let mut response = Response::new(ticket.answer(octets));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(MESSAGE_TYPE));
    // Answers take turns, and follow who asks: nobody shall hand one on to others.
    let control = HeaderValue::from_str(&format!("private, max-age={fresh}"));
    headers.insert(CACHE_CONTROL, control.expect("words and a number"));
    response
}

fn refused(refusal: Refusal, ticket: Ticket) -> Response<Answer> {
    let octets = Bytes::from_static(refusal.sentence().as_bytes());
    let mut response = Response::new(Answer { octets, ticket });
    *response.status_mut() = refusal.status();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, POST"));
    }
    response
}

/// The message of a request, and who asks.
async fn read(visit: &Visit, request: Request<Incoming>) -> Result<(Client, Vec<u8>), Refusal> {
    let (head, body) = request.into_parts();
    let message = match read_head(&head.method, &head.uri, &head.headers, &visit.desk.path)? {
        Asked::Target(message) => message,
        Asked::Body => {
            let read = timeout(visit.desk.limits.request, read_body(body));
            read.await.map_err(|_| Refusal::TooSlow)??
        }
    };
    let proxies = &visit.desk.proxies;
    let behind = proxies.forward(visit.peer.ip()).then(|| {
        client_behind(&head.headers, |address| proxies.forward(address)).unwrap_or(visit.peer)
    });
    let addr = behind.unwrap_or(visit.peer);
    Ok((Client { addr, transport: Transport::Https }, message))
}

async fn read_body(body: Incoming) -> Result<Vec<u8>, Refusal> {
    if body.size_hint().lower() > MESSAGE_LEN_MAX as u64 {
        return Err(Refusal::TooLong);
    }
    let mut body = pin!(body);
    let mut message = Vec::new();
    while let Some(frame) = std::future::poll_fn(|context| body.as_mut().poll_frame(context)).await
    {
        let frame = frame.map_err(|_| Refusal::Broken)?;
        let octets = frame.data_ref().map_or(&[][..], |data| data);
        if message.len() + octets.len() > MESSAGE_LEN_MAX {
            return Err(Refusal::TooLong);
        }
        message.extend_from_slice(octets);
    }
    Ok(message)
}

/// A request that is open, as the house and the counters see it.
struct Ticket {
    shared: Shared,
    /// Octets of a DNS answer that the client has made no room for; none where there is no answer.
    left: Option<usize>,
}

impl Ticket {
    fn new(shared: Shared) -> Self {
        let (visit, _) = &*shared;
        visit.places.take();
        visit.presence.writes();
        Self { shared, left: None }
    }

    fn answer(mut self, octets: Bytes) -> Answer {
        let (visit, _) = &*self.shared;
        visit.owed.set(visit.owed.get() + octets.len());
        self.left = Some(octets.len());
        Answer { octets, ticket: self }
    }

    fn took(&mut self, octets: usize) {
        let (visit, room) = &*self.shared;
        if let Some(left) = &mut self.left {
            *left -= octets;
            visit.owed.set(visit.owed.get() - octets);
            room.notify_waiters();
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let left = self.left.unwrap_or_default();
        self.took(left);
        let (visit, _) = &*self.shared;
        match self.left.map(|_| left) {
            Some(0) => visit.desk.row(Transport::Https).sent.add(1),
            Some(1..) => visit.desk.row(Transport::Https).send_errors.add(1),
            None => {}
        }
        visit.places.give_back();
        let now = now();
        if left == 0 {
            visit.presence.served(now);
        }
        if visit.places.taken() == 0 {
            visit.presence.rests(now);
        }
    }
}

/// The body of a response, handed out in pieces.
struct Answer {
    octets: Bytes,
    ticket: Ticket,
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let answer = self.get_mut();
        if answer.octets.is_empty() {
            return Poll::Ready(None);
        }
        let len = answer.octets.len().min(PIECE_LEN);
        let piece = answer.octets.split_to(len);
        answer.ticket.took(len);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.octets.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.octets.len() as u64)
    }
}
