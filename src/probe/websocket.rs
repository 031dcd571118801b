//! The opening of a WebSocket, plain or in TLS: RFC 6455 §4.
//!
//! A proxy that passes requests but not upgrades, and a server that answers 101 to everything, both
//! look healthy to an HTTP check. So the answer must be 101 and carry the digest of this probe's
//! own key. Then the probe says goodbye in the protocol's words: a server that counts or logs
//! connections that broke off shall not count probes.

use std::net::SocketAddr;

use domain::utils::base64;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use super::http::{HTTP_1, PRODUCT, refusal};
use super::http1::{Answer, Request, SWITCHING_PROTOCOLS};
use super::trust::Keyring;
use super::{Course, chance, connect};
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
    let request = request(ask, &key)?;
    let secure = ask.tls.as_ref();
    let stream = connect::open(socket, &ask.host, secure, HTTP_1, keyring, course).await?;
    course.enter(Stage::Headers);
    let answer = request.ask(stream, socket).await?;
    if answer.status != SWITCHING_PROTOCOLS {
        return Err(refusal(answer, course).await);
    }
    judge(&answer, &accept(&key)).map_err(|why| Outcome::Fail(Reason::NoUpgrade(why)))?;
    farewell(answer.into_stream()).await;
    Ok(())
}

fn request(ask: &WebSocketAsk, key: &str) -> Result<Request, Outcome> {
    let own = [
        ("host", ask.host.as_str()),
        ("upgrade", "websocket"),
        ("connection", "Upgrade"),
        ("sec-websocket-key", key),
        ("sec-websocket-version", "13"),
        ("user-agent", PRODUCT),
    ];
    Request::new("GET", &ask.path, &own, &ask.headers, "")
}

/// What must come back for a key: RFC 6455 §4.2.2.
fn accept(key: &str) -> String {
    let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("{key}{GUID}").as_bytes());
    base64::encode_string(digest.as_ref())
}

/// Whether a 101 opens a WebSocket, and this one: RFC 6455 §4.1.
fn judge(answer: &Answer<impl AsyncRead + Unpin>, accept: &str) -> Result<(), &'static str> {
    let has_token = |name: &str, token: &str| {
        let mut tokens = answer.values(name).flat_map(|it| it.split(|octet| *octet == b','));
        tokens.any(|it| it.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
    };
    if !has_token("upgrade", "websocket") {
        return Err("no `Upgrade: websocket`");
    }
    if !has_token("connection", "upgrade") {
        return Err("no `Connection: upgrade`");
    }
    if answer.values("sec-websocket-accept").next() != Some(accept.as_bytes()) {
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
