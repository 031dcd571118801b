//! What WebSocket checks say of nodes that open one, and of those that only seem to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use domain::utils::base64;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use rota::health::{Ask, Header, Outcome, Reason, Stage, Verdict, WebSocketAsk};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::authority::{Authority, Term, tls_node};
use super::node::{Act, node, read_until};
use super::{PATIENT, SHORT, fail};

const HOST: &str = "app.example.org";

fn ask(port: u16) -> WebSocketAsk {
    let origin = Header { name: "Origin".into(), value: "https://app.example.org".into() };
    let (path, host) = ("/Thingworx/WS".into(), HOST.into());
    WebSocketAsk { tls: None, port, path, host, headers: vec![origin] }
}

async fn probe(ask: WebSocketAsk, patience: Duration) -> Verdict {
    super::probe(super::check(Ask::WebSocket(ask), patience)).await
}

/// A node that agrees with these headers, `%` being the digest; gives the request, and what came
/// after it.
async fn opening(headers: &'static str) -> (SocketAddr, JoinHandle<(String, Vec<u8>)>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = read_until(&mut stream, "\r\n\r\n").await;
        let find = |line: &str| line.strip_prefix("sec-websocket-key: ").map(str::to_owned);
        let key = request.lines().find_map(find).unwrap();
        assert_eq!(base64::decode::<Vec<u8>>(&key).unwrap().len(), 16);
        let text = format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
        let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
        let headers = headers.replace('%', &base64::encode_string(digest.as_ref()));
        let answer = format!("HTTP/1.1 101 Switching Protocols\r\n{headers}\r\n");
        stream.write_all(answer.as_bytes()).await.unwrap();
        let mut after = Vec::new();
        stream.read_to_end(&mut after).await.unwrap();
        (request, after)
    });
    (address, serving)
}

#[tokio::test]
async fn a_node_that_opens_passes_and_hears_a_goodbye() {
    let (address, serving) = opening(
        "Upgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: %\r\n",
    )
    .await;
    assert_eq!(probe(ask(address.port()), PATIENT).await.outcome, Outcome::Pass);
    let (request, after) = serving.await.unwrap();
    assert!(request.starts_with("GET /Thingworx/WS HTTP/1.1\r\nhost: app.example.org\r\n"));
    for line in ["upgrade: websocket", "connection: Upgrade", "sec-websocket-version: 13"] {
        assert!(request.contains(&format!("\r\n{line}\r\n")), "{request}");
    }
    assert!(request.contains("\r\nOrigin: https://app.example.org\r\n"), "{request}");
    let [0x88, 0x82, a, b, _, _, high, low] = after[..] else { panic!("{after:?}") };
    assert_eq!(u16::from_be_bytes([high ^ a, low ^ b]), 1000);
}

#[tokio::test]
async fn a_101_that_opens_nothing_says_what_it_lacks() {
    for (headers, why) in [
        ("Connection: Upgrade\r\nSec-WebSocket-Accept: %\r\n", "no `Upgrade: websocket`"),
        ("Upgrade: h2c\r\nConnection: Upgrade\r\n", "no `Upgrade: websocket`"),
        ("Upgrade: websocket\r\nSec-WebSocket-Accept: %\r\n", "no `Connection: upgrade`"),
        ("Upgrade: websocket\r\nConnection: upgrade\r\n", "wrong Sec-WebSocket-Accept"),
        (
            "Upgrade: websocket\r\nConnection: upgrade\r\n\
             Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n",
            "wrong Sec-WebSocket-Accept",
        ),
    ] {
        let (address, serving) = opening(headers).await;
        let outcome = probe(ask(address.port()), PATIENT).await.outcome;
        assert_eq!(outcome, fail(Reason::NoUpgrade(why)));
        serving.await.unwrap();
    }
}

#[tokio::test]
async fn other_answers_are_those_of_http() {
    use Act::{Answer, Babble, Stall};
    for (act, expected) in [
        (Answer("HTTP/1.1 200 OK\r\n\r\n"), fail(Reason::HttpStatus(200))),
        (Answer("HTTP/1.1 426 Upgrade Required\r\n\r\n"), fail(Reason::HttpStatus(426))),
        (Answer("HTTP/1.1 503 Bye\r\nRetry-After: 9\r\n\r\n"), fail(Reason::Draining)),
        (Babble("HTTP/1.1 503 Busy\r\n\r\n", "x"), fail(Reason::HttpStatus(503))),
        (Stall("HTTP/1.1 101 S"), fail(Reason::Timeout(Stage::Headers))),
        (Act::Reset, fail(Reason::Reset)),
    ] {
        let (address, serving) = node(act).await;
        let patience = if matches!(act, Stall(_)) { SHORT } else { PATIENT };
        assert_eq!(probe(ask(address.port()), patience).await.outcome, expected, "{act:?}");
        serving.await.unwrap();
    }
    let (address, serving) = node(Babble("HTTP/1.1 101 S\r\n", "X-More: of this\r\n")).await;
    let outcome = probe(ask(address.port()), PATIENT).await.outcome;
    assert!(matches!(outcome, Outcome::Fail(Reason::Protocol(_))), "{outcome:?}");
    serving.await.unwrap();
}

#[tokio::test]
async fn tls_is_under_the_hosts_name() {
    let authority = Authority::new("one");
    let (address, serving) = tls_node(authority.sign(HOST, Term::Long), None).await;
    let ask = WebSocketAsk { tls: Some(Arc::new(authority.trusted())), ..ask(address.port()) };
    // That node knows only 200.
    assert_eq!(probe(ask, PATIENT).await.outcome, fail(Reason::HttpStatus(200)));
    assert_eq!(serving.await.unwrap().as_deref(), Some(HOST));
}
