//! DNS over TLS, and the certificates that every encrypted transport shows.

use std::sync::Arc;

use rota::respond::Transport;
use rota::serve::Way;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::engine::{query, query_with_options};
use super::world::{
    AMPLE, HOST, SHARED, World, ask, certificate, client, framed, question, read_framed,
};

#[tokio::test]
async fn questions_are_answered_in_their_order_on_one_connection() {
    let mut stream = SHARED.tls(Way::Tls, b"dot").await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"dot"[..]));
    let all: Vec<u8> =
        (1..=200).flat_map(|id| framed(&query(id, "www.example.test", 1, None))).collect();
    stream.write_all(&all).await.unwrap();
    for id in 1..=200_u16 {
        assert_eq!(read_framed(&mut stream).await[..2], id.to_be_bytes());
    }
    // A question in single octets is a question.
    for octet in framed(&question()) {
        stream.write_all(&[octet]).await.unwrap();
        stream.flush().await.unwrap();
    }
    assert_eq!(read_framed(&mut stream).await[..2], [0, 0]);
}

#[tokio::test]
async fn who_names_no_protocol_is_served_and_who_names_another_is_not() {
    let mut plain = client(&SHARED.root, &[]);
    let name = || ServerName::try_from(HOST).unwrap();
    let connect = async |config| {
        let stream = TcpStream::connect(SHARED.at(Way::Tls)).await.unwrap();
        TlsConnector::from(Arc::new(config)).connect(name(), stream).await
    };
    ask(&mut connect(plain.clone()).await.unwrap(), &question()).await;
    plain.alpn_protocols = vec![b"h2".to_vec()];
    assert!(connect(plain).await.is_err());
}

/// RFC 8467: blocks of 468 octets, for those who pad; RFC 7828: the idle time.
#[tokio::test]
async fn padding_and_keepalive_are_for_who_asks() {
    let mut stream = SHARED.tls(Way::Tls, b"dot").await;
    let padded =
        ask(&mut stream, &query_with_options("text.example.test", 16, b"\0\x0c\0\0")).await;
    assert_eq!(padded.len(), 468);
    let plain = ask(&mut stream, &question()).await;
    assert!(plain.len() < 200);
    let kept = ask(&mut stream, &query_with_options("text.example.test", 16, b"\0\x0b\0\0")).await;
    // Of the settings of this world: 10 s.
    assert!(kept.ends_with(&[0, 11, 0, 2, 0, 100]), "{}", kept.escape_ascii());
    let mut https = Vec::new();
    let http = SHARED.h2().await;
    for option in [&b"\0\x0c\0\0"[..], b"\0\x0b\0\0"] {
        https.push(http.ask(&query_with_options("text.example.test", 16, option)).await);
    }
    assert_eq!(https[0].len(), 468);
    assert_eq!(https[1].len(), plain.len());
}

#[tokio::test]
async fn a_session_is_resumed_by_its_ticket() {
    let config = Arc::new(SHARED.client(&[b"dot"]));
    for round in 0..2 {
        let stream = TcpStream::connect(SHARED.at(Way::Tls)).await.unwrap();
        let name = ServerName::try_from(HOST).unwrap();
        let mut stream =
            TlsConnector::from(Arc::clone(&config)).connect(name, stream).await.unwrap();
        ask(&mut stream, &question()).await;
        let kind = stream.get_ref().1.handshake_kind();
        let resumed = kind == Some(rustls::HandshakeKind::Resumed);
        assert_eq!(resumed, round == 1, "{kind:?}");
    }
}

#[tokio::test]
async fn other_certificates_hold_for_those_who_come_later() {
    let world = World::new(AMPLE);
    let mut before = world.tls(Way::Tls, b"dot").await;
    let (pair, root) = certificate("ns2.example.test");
    world.keyring.replace(vec![pair]);
    let connect = async |name: &'static str| {
        let stream = TcpStream::connect(world.at(Way::Tls)).await.unwrap();
        let config = Arc::new(client(&root, &[b"dot"]));
        TlsConnector::from(config).connect(ServerName::try_from(name).unwrap(), stream).await
    };
    ask(&mut connect("ns2.example.test").await.unwrap(), &question()).await;
    assert!(connect(HOST).await.is_err(), "its certificate is gone");
    ask(&mut before, &question()).await;
    world.eventually(Transport::Tls, |it| it.failed_handshakes == 1);
}

#[tokio::test]
async fn what_is_no_handshake_is_counted_and_ends() {
    let world = World::new(AMPLE);
    let mut stream = TcpStream::connect(world.at(Way::Tls)).await.unwrap();
    stream.write_all(&framed(&question())).await.unwrap();
    let mut rest = Vec::new();
    // An alert, perhaps, and then the end.
    drop(stream.read_to_end(&mut rest).await);
    assert!(rest.len() < 32, "{}", rest.escape_ascii());
    world.eventually(Transport::Tls, |it| (it.failed_handshakes, it.closed) == (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_says_farewell() {
    let world = World::new(AMPLE);
    let mut tls = world.tls(Way::Tls, b"dot").await;
    ask(&mut tls, &question()).await;
    let http = world.h2().await;
    http.ask(&question()).await;
    let stopping = tokio::task::spawn_blocking(|| world.stop());
    // close_notify: without it this were an error.
    assert_eq!(tls.read(&mut [0]).await.unwrap(), 0);
    stopping.await.unwrap();
}
