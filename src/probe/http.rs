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
//! It speaks by [`http1`](super::http1) alone. What a client library adds above that (pools,
//! resolvers, redirects, proxies) a probe must not have, and it would hide which of connecting, TLS
//! and answering is slow.

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncWrite};

use super::http1::{Answer, Request};
use super::trust::{Keyring, Protocols};
use super::{Course, connect};
use crate::health::ask::BODY_LEN_MAX;
use crate::health::load::HEADER;
use crate::health::{HttpAsk, Method, Outcome, Reason, Stage};

/// Most of a 503's body that is read.
pub const DRAINING_LEN_MAX: usize = 4096;

/// What nodes see in their logs.
pub(super) const PRODUCT: &str = concat!("rota/", env!("CARGO_PKG_VERSION"), " (health check)");
pub(super) const HTTP_1: Protocols = &[b"http/1.1"];

const SERVICE_UNAVAILABLE: u16 = 503;

/// Asks once.
pub(super) async fn probe(
    socket: SocketAddr,
    ask: &HttpAsk,
    keyring: &Keyring,
    course: &mut Course,
) -> Result<(), Outcome> {
    let request = request(ask)?;
    let secure = ask.tls.as_ref();
    let stream = connect::open(socket, &ask.host, secure, HTTP_1, keyring, course).await?;
    course.enter(Stage::Headers);
    let answer = request.ask(stream, socket).await?;
    judge(answer, ask, course).await
}

/// The request of a check.
fn request(ask: &HttpAsk) -> Result<Request, Outcome> {
    let every = [
        ("host", ask.host.as_str()),
        ("connection", "close"),
        ("user-agent", PRODUCT),
        ("accept", "*/*"),
    ];
    let verb = match &ask.method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        Method::Options => "OPTIONS",
        Method::Post(body) => {
            let length = body.len().to_string();
            let own = [every.as_slice(), &[("content-length", &length)]].concat();
            return Request::new("POST", &ask.path, &own, &ask.headers, body);
        }
    };
    Request::new(verb, &ask.path, &every, &ask.headers, "")
}

/// Judges what has come, and what must still come for that.
async fn judge(
    answer: Answer<impl AsyncRead + AsyncWrite + Unpin>,
    ask: &HttpAsk,
    course: &mut Course,
) -> Result<(), Outcome> {
    if !ask.expect.iter().any(|range| range.contains(&answer.status)) {
        return Err(refusal(answer, course).await);
    }
    let load = ask.load.as_ref();
    let header = answer.values(HEADER).next();
    course.report(load.zip(header).and_then(|(load, value)| load.of_header(value)));
    let load = load.filter(|load| load.needs_body());
    if ask.body.is_none() && load.is_none() {
        return Ok(());
    }
    course.enter(Stage::Body);
    let (body, whole) = answer.body(BODY_LEN_MAX).await?;
    if let Some(load) = load {
        course.report(load.of_body(&body, whole));
    }
    let judged = ask.body.as_ref().map_or(Ok(()), |test| test.judge(&body, whole));
    judged.map_err(|mismatch| Outcome::Fail(Reason::Mismatch(mismatch)))
}

/// What an answer with another code than those that pass says of its node.
pub(super) async fn refusal(
    answer: Answer<impl AsyncRead + AsyncWrite + Unpin>,
    course: &mut Course,
) -> Outcome {
    let status = answer.status;
    // A node that never ends its body has not said that it is draining.
    course.has_failed(Reason::HttpStatus(status));
    if status == SERVICE_UNAVAILABLE && says_draining(answer).await {
        return Outcome::Fail(Reason::Draining);
    }
    course.at_timeout()
}

/// Whether a 503 says that its node is leaving.
async fn says_draining(answer: Answer<impl AsyncRead + AsyncWrite + Unpin>) -> bool {
    if answer.values("retry-after").next().is_some() {
        return true;
    }
    let body = answer.body(DRAINING_LEN_MAX).await;
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
