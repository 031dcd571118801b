//! One request over HTTP/1.1, plain or in TLS.
//!
//! What a probe is, and is not:
//!
//! * A redirect is an answer like another, and passes only if it is expected.
//! * It says `Connection: close`, and nothing is kept for the next one.
//! * The response code decides, then the body, if something is expected of it; it is read up to
//!   [`BODY_LEN_MAX`]. Otherwise the body is left unread, with one exception: a 503 that does not
//!   pass is looked into for a node that says it is draining, up to [`DRAINING_LEN_MAX`] octets.
//! * `Host` is the configured host as it was written, without the port: virtual hosts go by name,
//!   and the port of a probe is rarely the port that clients use. SNI and certificate go by the
//!   same name.
//!
//! It speaks through hyper's connection alone. What a client library adds above that (pools,
//! resolvers, redirects, proxies) a probe must not have, and it would hide which of connecting, TLS
//! and answering is slow.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::Poll;

use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper::header::{
    ACCEPT, CONNECTION, HOST, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT,
};
use hyper::{Method as Verb, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::trust::{Keyring, Protocols};
use super::{Course, connect, failure};
use crate::health::ask::BODY_LEN_MAX;
use crate::health::load::HEADER;
use crate::health::{Header, HttpAsk, Method, Outcome, Reason, Stage};

/// Most of a 503's body that is read.
pub const DRAINING_LEN_MAX: usize = 4096;
/// Most of an answer's head that is read.
pub const HEAD_LEN_MAX: usize = 64 * 1024;

/// What nodes see in their logs.
pub(super) const PRODUCT: &str = concat!("rota/", env!("CARGO_PKG_VERSION"), " (health check)");
pub(super) const HTTP_1: Protocols = &[b"http/1.1"];

/// Asks once.
pub(super) async fn probe(
    socket: SocketAddr,
    ask: &HttpAsk,
    keyring: &Keyring,
    course: &mut Course,
) -> Result<(), Outcome> {
    let request = request(ask).map_err(unwritable)?;
    let secure = ask.tls.as_ref();
    let stream = connect::open(socket, &ask.host, secure, HTTP_1, keyring, course).await?;
    converse(stream, request, socket, ask, course).await
}

/// The request of a check; what the operator wrote stands in place of what every probe says.
fn request(ask: &HttpAsk) -> Result<Request<String>, hyper::http::Error> {
    let (verb, body) = match &ask.method {
        Method::Get => (Verb::GET, ""),
        Method::Head => (Verb::HEAD, ""),
        Method::Options => (Verb::OPTIONS, ""),
        Method::Post(body) => (Verb::POST, body.as_str()),
    };
    let mut request = Request::builder()
        .method(verb)
        .uri(&ask.path)
        .header(HOST, &ask.host)
        .header(CONNECTION, "close")
        .header(USER_AGENT, PRODUCT)
        .header(ACCEPT, "*/*")
        .body(body.to_owned())?;
    insert(&ask.headers, request.headers_mut())?;
    Ok(request)
}

/// Puts what the operator wrote in place of what is there.
pub(super) fn insert(written: &[Header], into: &mut HeaderMap) -> Result<(), hyper::http::Error> {
    for header in written {
        let name = HeaderName::try_from(&header.name)?;
        into.insert(name, HeaderValue::try_from(&header.value)?);
    }
    Ok(())
}

/// A request that cannot be written: the configuration has judged it otherwise.
pub(super) fn unwritable(error: hyper::http::Error) -> Outcome {
    Outcome::NoVerdict(Reason::Local(format!("the request cannot be written: {error}")))
}

/// Writes the request and judges what comes.
async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    request: Request<String>,
    socket: SocketAddr,
    ask: &HttpAsk,
    course: &mut Course,
) -> Result<(), Outcome> {
    course.enter(Stage::Headers);
    let said = |error: hyper::Error| failure::outcome(&error, socket);
    let (mut sender, connection) = handshake(stream).await.map_err(said)?;
    let judging = async {
        let response = sender.send_request(request).await.map_err(said)?;
        let status = response.status();
        if ask.expect.iter().any(|range| range.contains(&status.as_u16())) {
            let load = ask.load.as_ref();
            let header = response.headers().get(HEADER).map(HeaderValue::as_bytes);
            course.report(load.zip(header).and_then(|(load, value)| load.of_header(value)));
            let load = load.filter(|load| load.needs_body());
            if ask.body.is_none() && load.is_none() {
                return Ok(());
            }
            course.enter(Stage::Body);
            let (body, whole) = read(response.into_body(), BODY_LEN_MAX).await.map_err(said)?;
            if let Some(load) = load {
                course.report(load.of_body(&body, whole));
            }
            let judged = ask.body.as_ref().map_or(Ok(()), |test| test.judge(&body, whole));
            return judged.map_err(|mismatch| Outcome::Fail(Reason::Mismatch(mismatch)));
        }
        Err(refusal(response, course).await)
    };
    beside(connection, judging).await
}

/// What writes a request, and what moves it.
pub(super) async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
) -> hyper::Result<(http1::SendRequest<String>, http1::Connection<TokioIo<S>, String>)> {
    http1::Builder::new().max_buf_size(HEAD_LEN_MAX).handshake(TokioIo::new(stream)).await
}

/// What an answer with another code than those that pass says of its node.
pub(super) async fn refusal(response: Response<Incoming>, course: &mut Course) -> Outcome {
    let status = response.status();
    // A node that never ends its body has not said that it is draining.
    course.has_failed(Reason::HttpStatus(status.as_u16()));
    if status == StatusCode::SERVICE_UNAVAILABLE && says_draining(response).await {
        return Outcome::Fail(Reason::Draining);
    }
    course.at_timeout()
}

/// Does the work while the connection moves what it needs.
pub(super) async fn beside<T>(connection: impl Future, work: impl Future<Output = T>) -> T {
    let (mut connection, mut work) = (pin!(connection), pin!(work));
    let mut open = true;
    poll_fn(|context| {
        if let Poll::Ready(done) = work.as_mut().poll(context) {
            return Poll::Ready(done);
        }
        if open {
            // How the connection ended, the work learns from what it waits for.
            open = connection.as_mut().poll(context).is_pending();
        }
        work.as_mut().poll(context)
    })
    .await
}

/// A body up to a length, and whether that is all of it.
async fn read(mut body: Incoming, length_max: usize) -> hyper::Result<(Vec<u8>, bool)> {
    let mut octets = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        // Trailers say nothing here.
        let Ok(data) = frame?.into_data() else { continue };
        let room = length_max - octets.len();
        octets.extend_from_slice(&data[..data.len().min(room)]);
        if data.len() > room {
            return Ok((octets, false));
        }
    }
    Ok((octets, true))
}

/// Whether a 503 says that its node is leaving.
async fn says_draining(response: Response<Incoming>) -> bool {
    if response.headers().contains_key(RETRY_AFTER) {
        return true;
    }
    let body = read(response.into_body(), DRAINING_LEN_MAX).await;
    body.is_ok_and(|(body, _)| body_says_draining(&body))
}

/// `draining` alone as text, or as the member `status` of a JSON object; case is ignored.
fn body_says_draining(body: &[u8]) -> bool {
    let is_draining = |text: &str| text.trim().eq_ignore_ascii_case("draining");
    let says_as_json = || {
        let value: serde_json::Value = serde_json::from_slice(body).ok()?;
        Some(is_draining(value.get("status")?.as_str()?))
    };
    std::str::from_utf8(body).is_ok_and(is_draining) || says_as_json().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_word_or_the_status_of_an_object_says_draining() {
        for (body, expected) in [
            ("draining", true),
            (" DRAINING\r\n", true),
            (r#"{"node":"eu1","status":"draining"}"#, true),
            ("", false),
            ("not draining", false),
            (r#"{"state":"draining"}"#, false),
            (r#"{"status":["draining"]}"#, false),
            (r#"["draining"]"#, false),
            (r#"{"status":"draining""#, false),
        ] {
            assert_eq!(body_says_draining(body.as_bytes()), expected, "{body}");
        }
    }
}
