//! The opening of a WebSocket, plain or in TLS: RFC 6455 §4.
//!
//! A proxy that passes requests but not upgrades, and a server that answers 101 to everything, both
//! look healthy to an HTTP check. So the answer must be 101 and carry the digest of this probe's
//! own key. Then the probe says goodbye in the protocol's words: a server that counts or logs
//! connections that broke off shall not count probes.

use std::net::SocketAddr;

use domain::utils::base64;
use hyper::header::{
    CONNECTION, HOST, HeaderMap, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_VERSION, UPGRADE, USER_AGENT,
};
use hyper::{Request, StatusCode, upgrade};
use hyper_util::rt::TokioIo;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use super::http::{HTTP_1, PRODUCT, beside, handshake, insert, refusal, unwritable};
use super::trust::Keyring;
use super::{Course, chance, connect, failure};
use crate::health::{Outcome, Reason, Stage, WebSocketAsk};

/// What the key of an opening is digested with: RFC 6455 §1.3.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// "The purpose for which the connection was established has been fulfilled": RFC 6455 §7.4.1.
const NORMAL_CLOSURE: u16 = 1000;

/// Asks once.
pub(super) async fn probe(
    socket: SocketAddr,
    ask: &WebSocketAsk,
    keyring: &Keyring,
    course: &mut Course,
) -> Result<(), Outcome> {
    let key = base64::encode_string(&chance::octets::<16>()?);
    let request = request(ask, &key).map_err(unwritable)?;
    let opening = Opening { request, accept: accept(&key), socket };
    let secure = ask.tls.as_ref();
    let stream = connect::open(socket, &ask.host, secure, HTTP_1, keyring, course).await?;
    opening.perform(stream, course).await
}

fn request(ask: &WebSocketAsk, key: &str) -> Result<Request<String>, hyper::http::Error> {
    let mut request = Request::get(&ask.path)
        .header(HOST, &ask.host)
        .header(UPGRADE, "websocket")
        .header(CONNECTION, "Upgrade")
        .header(SEC_WEBSOCKET_KEY, key)
        .header(SEC_WEBSOCKET_VERSION, "13")
        .header(USER_AGENT, PRODUCT)
        .body(String::new())?;
    insert(&ask.headers, request.headers_mut())?;
    Ok(request)
}

/// What must come back for a key: RFC 6455 §4.2.2.
fn accept(key: &str) -> String {
    let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("{key}{GUID}").as_bytes());
    base64::encode_string(digest.as_ref())
}

struct Opening {
    request: Request<String>,
    accept: String,
    socket: SocketAddr,
}

impl Opening {
    async fn perform(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        course: &mut Course,
    ) -> Result<(), Outcome> {
        let Self { request, accept, socket } = self;
        course.enter(Stage::Headers);
        let said = |error: hyper::Error| failure::outcome(&error, socket);
        let (mut sender, connection) = handshake(stream).await.map_err(said)?;
        let judging = async {
            let response = sender.send_request(request).await.map_err(said)?;
            if response.status() != StatusCode::SWITCHING_PROTOCOLS {
                return Err(refusal(response, course).await);
            }
            judge(response.headers(), &accept)
                .map_err(|why| Outcome::Fail(Reason::NoUpgrade(why)))?;
            let stream = upgrade::on(response).await.map_err(said)?;
            farewell(TokioIo::new(stream)).await;
            Ok(())
        };
        beside(connection.with_upgrades(), judging).await
    }
}

/// Whether a 101 opens a WebSocket, and this one: RFC 6455 §4.1.
fn judge(headers: &HeaderMap, accept: &str) -> Result<(), &'static str> {
    let has_token = |name: HeaderName, token: &str| {
        let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|it| it.trim().eq_ignore_ascii_case(token))
    };
    if !has_token(UPGRADE, "websocket") {
        return Err("no `Upgrade: websocket`");
    }
    if !has_token(CONNECTION, "upgrade") {
        return Err("no `Connection: upgrade`");
    }
    if headers.get(SEC_WEBSOCKET_ACCEPT).is_none_or(|value| value != accept) {
        return Err("wrong Sec-WebSocket-Accept");
    }
    Ok(())
}

/// A close frame, masked as all frames of a client: RFC 6455 §5.2, §5.5.1. Whether it is heard does
/// not matter any more.
async fn farewell(mut stream: impl AsyncWrite + Unpin) {
    let Ok([a, b, c, d]) = chance::octets::<4>() else { return };
    let [high, low] = NORMAL_CLOSURE.to_be_bytes();
    let (last_and_close, masked_2_octets) = (0x88, 0x82);
    let frame = [last_and_close, masked_2_octets, a, b, c, d, high ^ a, low ^ b];
    if stream.write_all(&frame).await.is_ok() {
        let _ = stream.shutdown().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_that_of_the_rfc() {
        assert_eq!(accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
