//! What clients may cost: connections that say little, or nothing, or take nothing, over every
//! transport. None of them keeps others from their answers.

use std::time::Duration;

use rota::respond::Transport;
use rota::serve::{Limits, Way};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::engine::query;
use super::world::{AMPLE, World, ask, ask_udp, framed, post, question};

/// Short enough to wait for, and long enough for whoever means it.
const SHORT: Duration = Duration::from_millis(300);

/// Waits for the end that the server makes.
async fn ended(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    drop(stream.read_to_end(&mut rest).await);
}

#[tokio::test]
async fn half_open_handshakes_end_in_their_time() {
    let world = World::new(Limits { handshake: SHORT, ..AMPLE });
    for (way, transport) in [(Way::Tls, Transport::Tls), (Way::Https, Transport::Https)] {
        // Silence; and the beginning of a record that never ends.
        for begin in [&b""[..], b"\x16\x03\x01\x02\x00\x01"] {
            let mut stream = TcpStream::connect(world.at(way)).await.unwrap();
            stream.write_all(begin).await.unwrap();
            ended(&mut stream).await;
        }
        world.eventually(transport, |it| it.cut_handshake == 2);
    }
}

#[tokio::test]
async fn who_asks_nothing_is_let_go() {
    let world = World::new(Limits { idle: SHORT, ..AMPLE });
    ended(&mut TcpStream::connect(world.at(Way::Dns)).await.unwrap()).await;
    let mut tls = world.tls(Way::Tls, b"dot").await;
    ask(&mut tls, &question()).await;
    assert_eq!(tls.read(&mut [0]).await.unwrap(), 0, "with a farewell");
    let mut h2 = world.tls(Way::Https, b"h2").await;
    drop(h2.read_to_end(&mut Vec::new()).await);
    for transport in [Transport::Tcp, Transport::Tls, Transport::Https] {
        world.eventually(transport, |it| it.cut_idle == 1);
    }
    #[cfg(feature = "doq")]
    {
        let (_endpoint, connection) = super::quic::connect(&world).await;
        super::quic::ask(&connection, &question()).await;
        connection.closed().await;
    }
}

/// A question in single octets that never ends.
#[tokio::test]
async fn a_question_must_be_whole_in_its_time() {
    let world = World::new(Limits { request: SHORT, ..AMPLE });
    let mut tcp = TcpStream::connect(world.at(Way::Dns)).await.unwrap();
    let mut tls = world.tls(Way::Tls, b"dot").await;
    let mut http = world.tls(Way::Https, b"http/1.1").await;
    let octets = framed(&question());
    let (mut open, mut at) = (3, 0);
    while open > 0 && at < 10_000 {
        let octet = octets[at.min(octets.len() - 2)..][..1].to_vec();
        open = 0;
        if at < octets.len() - 1 {
            open += usize::from(tcp.write_all(&octet).await.is_ok());
            open += usize::from(tls.write_all(&octet).await.is_ok());
        }
        let octet = b"GET / HTTP/1.1\r\nX: ".get(at).copied().unwrap_or(b'x');
        open += usize::from(http.write_all(&[octet]).await.is_ok());
        drop(http.flush().await);
        at += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    world.eventually(Transport::Tcp, |it| it.cut_request == 1);
    world.eventually(Transport::Tls, |it| it.cut_request == 1);
    world.eventually(Transport::Https, |it| it.cut_request == 1);
}

#[tokio::test]
async fn a_body_must_come_whole_in_its_time() {
    let world = World::new(Limits { request: SHORT, ..AMPLE });
    let stream = world.tls(Way::Https, b"h2").await;
    let (send, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let mut ready = send.ready().await.unwrap();
    let (response, mut body) = ready.send_request(post(), false).unwrap();
    body.send_data(hyper::body::Bytes::from_static(b"half"), false).unwrap();
    assert_eq!(response.await.unwrap().status(), 408);
}

/// Asks and asks and reads nothing: what waits for it is bounded, and it is left.
#[tokio::test]
async fn who_takes_no_answers_is_left() {
    let world = World::new(AMPLE);
    let questions: Vec<u8> =
        (0..500).flat_map(|id| framed(&query(id, "big.example.test", 255, None))).collect();
    let mut tcp = TcpStream::connect(world.at(Way::Dns)).await.unwrap();
    let mut tls = world.tls(Way::Tls, b"dot").await;
    let push = async |stream: &mut (dyn tokio::io::AsyncWrite + Unpin)| {
        // Until the server reads no more, and then until it is gone.
        while stream.write_all(&questions).await.is_ok() {}
    };
    tokio::join!(push(&mut tcp), push(&mut tls));
    for transport in [Transport::Tcp, Transport::Tls] {
        world.eventually(transport, |it| it.cut_reader == 1 && it.send_errors > 0);
    }
}

#[tokio::test]
async fn answers_go_on_over_udp_whatever_connections_do() {
    let limits = Limits { connections: 200, ..AMPLE };
    let world = World::new(limits);
    let mut open = Vec::new();
    for at in 0..600 {
        let way = [Way::Dns, Way::Tls, Way::Https][at % 3];
        let mut stream = TcpStream::connect(world.at(way)).await.unwrap();
        drop(stream.write_all(b"\x16\x03\x01").await);
        open.push(stream);
        if at % 50 == 0 {
            assert_eq!(ask_udp(world.at(Way::Dns), &question())[..2], [0, 0]);
        }
    }
    // Those who came last have the seats of those who said nothing, whichever thread they are at.
    let mut tls = world.tls(Way::Tls, b"dot").await;
    ask(&mut tls, &question()).await;
    let all = [Transport::Tcp, Transport::Tls, Transport::Https];
    let held: u64 = all.map(|it| world.totals(it)).iter().map(|it| it.accepted - it.closed).sum();
    assert!(held <= 200, "{held}");
    assert_eq!(ask_udp(world.at(Way::Dns), &question())[..2], [0, 0]);
    assert!(world.counters().is_in_use(Transport::Https));
}

#[tokio::test]
async fn a_thread_without_idle_connections_gets_a_seat_of_another() {
    let world = World::new(Limits { connections: 3, ..AMPLE });
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut tcp = TcpStream::connect(world.at(Way::Dns)).await.unwrap();
        ask(&mut tcp, &question()).await;
        held.push(tcp);
    }
    // The first to come finds none; one is let go for the next.
    ended(&mut TcpStream::connect(world.at(Way::Tls)).await.unwrap()).await;
    world.eventually(Transport::Tcp, |it| it.evicted == 1);
    ask(&mut world.tls(Way::Tls, b"dot").await, &question()).await;
}

/// Requests that say too little to be answered keep their places until they go.
#[tokio::test(flavor = "multi_thread")]
async fn requests_of_a_connection_are_counted_up_to_the_last_place() {
    let world = World::new(Limits { in_flight: 3, ..AMPLE });
    let stream = world.tls(Way::Https, b"h2").await;
    let (send, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let mut open = Vec::new();
    for at in 1..=3 {
        let mut ready = send.clone().ready().await.unwrap();
        open.push(ready.send_request(post(), false).unwrap());
        world.eventually(Transport::Https, |it| (it.opened, it.over, it.filled) == (at, 0, at / 3));
    }
    drop(open);
    world.eventually(Transport::Https, |it| (it.opened, it.over, it.filled) == (3, 3, 1));
    #[cfg(feature = "doq")]
    {
        let (_endpoint, connection) = super::quic::connect(&world).await;
        let mut open = Vec::new();
        for at in 1..=3 {
            let mut stream = connection.open_bi().await.unwrap();
            // A stream that nothing was said on is none to the server.
            stream.0.write_all(b"\0").await.unwrap();
            open.push(stream);
            world.eventually(Transport::Quic, |it| {
                (it.opened, it.over, it.filled) == (at, 0, at / 3)
            });
        }
        // Where the connection ends, so do they.
        connection.close(0_u32.into(), b"");
        world.eventually(Transport::Quic, |it| (it.opened, it.over, it.filled) == (3, 3, 1));
    }
}
