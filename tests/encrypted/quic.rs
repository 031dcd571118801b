//! DNS over QUIC: one question a stream, and what RFC 9250 has a server end connections for.

use std::net::SocketAddr;
use std::sync::Arc;

use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Connection, ConnectionError, Endpoint};
use rota::respond::Transport;
use rota::serve::Way;

use super::engine::{query, query_with_options};
use super::world::{AMPLE, HOST, SHARED, World, framed, question};

/// A connection, and what keeps it.
pub(crate) async fn connect(world: &World) -> (Endpoint, Connection) {
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let endpoint = Endpoint::client(any).unwrap();
    let config = QuicClientConfig::try_from(world.client(&[b"doq"])).unwrap();
    let config = ClientConfig::new(Arc::new(config));
    let connecting = endpoint.connect_with(config, world.at(Way::Quic), HOST).unwrap();
    let connection = connecting.await.unwrap();
    (endpoint, connection)
}

/// What is said on a stream on which this was said.
async fn say(connection: &Connection, octets: &[u8]) -> Result<Vec<u8>, quinn::ReadToEndError> {
    let (mut send, mut receive) = connection.open_bi().await.unwrap();
    // A server that has heard enough may have closed everything by now: reading tells.
    drop(send.write_all(octets).await);
    drop(send.finish());
    receive.read_to_end(70_000).await
}

/// A question and its answer.
pub(crate) async fn ask(connection: &Connection, query: &[u8]) -> Vec<u8> {
    let answer = say(connection, &framed(query)).await.unwrap();
    assert_eq!(usize::from(u16::from_be_bytes([answer[0], answer[1]])), answer.len() - 2);
    answer[2..].to_vec()
}

#[tokio::test]
async fn every_stream_has_its_answer() {
    let (_endpoint, connection) = connect(&SHARED).await;
    let asked = (0..300).map(|_| {
        let connection = connection.clone();
        tokio::spawn(async move { ask(&connection, &question()).await })
    });
    for answer in asked.collect::<Vec<_>>() {
        assert_eq!(answer.await.unwrap()[..2], [0, 0]);
    }
    let padded = query_with_options("text.example.test", 16, b"\0\x0c\0\0");
    let padded = ask(&connection, &[&[0, 0], &padded[2..]].concat()).await;
    assert_eq!(padded.len(), 468);
    // A response is no question: its stream is reset, and the others go on.
    let mut response = question();
    response[2] |= 0x80;
    assert!(say(&connection, &framed(&response)).await.is_err());
    ask(&connection, &question()).await;
}

#[tokio::test]
async fn what_no_client_may_do_ends_the_connection() {
    let numbered = query(7, "text.example.test", 16, None);
    let mut kept = query_with_options("text.example.test", 16, b"\0\x0b\0\0");
    kept[..2].fill(0);
    for wrong in [
        framed(&numbered),
        framed(&kept),
        [framed(&question()), framed(&question())].concat(),
        framed(&question())[..10].to_vec(),
        vec![0; 66_000],
        Vec::new(),
    ] {
        let (_endpoint, connection) = connect(&SHARED).await;
        assert!(say(&connection, &wrong).await.is_err());
        let ConnectionError::ApplicationClosed(close) = connection.closed().await else {
            panic!("not closed by the server's word: {:?}", connection.close_reason());
        };
        assert_eq!(close.error_code.into_inner(), 2, "DOQ_PROTOCOL_ERROR");
    }
}

#[tokio::test]
async fn beyond_some_connections_an_address_must_be_proven_and_all_are_served() {
    let world = World::new(AMPLE);
    let mut open = Vec::new();
    for _ in 0..40 {
        let pair = connect(&world).await;
        ask(&pair.1, &question()).await;
        open.push(pair);
    }
    world.eventually(Transport::Quic, |it| it.accepted == 40 && it.sent == 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_closes_connections_with_a_word() {
    let world = World::new(AMPLE);
    let (_endpoint, connection) = connect(&world).await;
    ask(&connection, &question()).await;
    let stopping = tokio::task::spawn_blocking(|| world.stop());
    let ConnectionError::ApplicationClosed(close) = connection.closed().await else {
        panic!("{:?}", connection.close_reason());
    };
    assert_eq!(close.error_code.into_inner(), 0, "DOQ_NO_ERROR");
    stopping.await.unwrap();
}
