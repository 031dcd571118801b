//! Proxies in front: whom they speak for is whom the answer is for.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use rota::geo::Network;
use rota::respond::Transport;
use rota::serve::{Limits, Proxies, Way};
use rota::snapshot::Settings;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::engine::query;
use super::world::{AMPLE, Http, PATIENCE, World, ask, post, question};

fn behind(protocol: &[&str], forwarded: &[&str], limits: Limits) -> World {
    let read = |all: &[&str]| all.iter().map(|text| Network::parse(text).unwrap()).collect();
    let proxies = Proxies { protocol: read(protocol), forwarded: read(forwarded) };
    World::with(limits, proxies, Settings::default())
}

/// The header of a proxy, in its second version.
fn header(client: &str, udp: bool) -> Vec<u8> {
    let client: SocketAddr = client.parse().unwrap();
    let IpAddr::V4(ip) = client.ip() else { panic!("these tests are of IPv4") };
    let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21".to_vec();
    header.extend([0x11 + u8::from(udp), 0, 12]);
    header.extend(ip.octets());
    header.extend([127, 0, 0, 1]);
    header.extend(client.port().to_be_bytes());
    header.extend([0, 53]);
    header
}

/// Whose half of the addresses an answer for `split` by place is from: the client's network, or the
/// others'.
fn half(answer: &[u8]) -> &'static str {
    let message = hickory_proto::op::Message::from_vec(answer).unwrap();
    let hickory_proto::rr::RData::A(first) = &message.answers[0].data else {
        panic!("{message}");
    };
    let last = first.0.octets()[3];
    // The engine's twelve nodes: six are for 192.0.2.0/24.
    if last < 6 { "near" } else { "far" }
}

fn placed() -> Vec<u8> {
    query(0, "placed.example.test", 1, None)
}

/// The halves as the engine has them.
fn halves(world: &mut World) -> [&'static str; 2] {
    ["192.0.2.7:4711", "198.51.100.9:4711"].map(|client| {
        let engine = world.engine();
        engine.client = client.parse().unwrap();
        let mut out = vec![0; 65_535];
        let len = engine.respond(&placed(), Transport::Tcp, &mut out).unwrap();
        half(&out[..len])
    })
}

#[tokio::test]
async fn an_answer_is_for_the_client_behind_the_proxy() {
    let mut world = behind(&["127.0.0.0/8"], &[], AMPLE);
    let expected = halves(&mut world);
    assert_ne!(expected[0], expected[1]);
    for (client, expected) in ["192.0.2.7:4711", "198.51.100.9:4711"].into_iter().zip(expected) {
        let mut tcp = TcpStream::connect(world.at(Way::Dns)).await.unwrap();
        // In pieces, and the first version as well as the second.
        for piece in header(client, false).chunks(5) {
            tcp.write_all(piece).await.unwrap();
        }
        assert_eq!(half(&ask(&mut tcp, &placed()).await), expected);
        let mut tls = TcpStream::connect(world.at(Way::Tls)).await.unwrap();
        let (ip, port) = client.split_once(':').unwrap();
        let line = format!("PROXY TCP4 {ip} 127.0.0.1 {port} 853\r\n");
        tls.write_all(line.as_bytes()).await.unwrap();
        let mut tls = world.tls_over(tls, b"dot").await;
        assert_eq!(half(&ask(&mut tls, &placed()).await), expected);
        let mut https = TcpStream::connect(world.at(Way::Https)).await.unwrap();
        https.write_all(&header(client, false)).await.unwrap();
        let http = Http::begin(world.tls_over(https, b"h2").await).await;
        assert_eq!(half(&http.ask(&placed()).await), expected);

        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        udp.set_read_timeout(Some(PATIENCE)).unwrap();
        let datagram = [header(client, true), placed()].concat();
        udp.send_to(&datagram, world.at(Way::Dns)).unwrap();
        let mut answer = [0; 4096];
        let len = udp.recv(&mut answer).unwrap();
        assert_eq!(half(&answer[..len]), expected);
    }
}

#[tokio::test]
async fn without_its_header_a_proxy_is_not_heard() {
    let world = behind(&["127.0.0.0/8"], &[], AMPLE);
    let mut tcp = TcpStream::connect(world.at(Way::Dns)).await.unwrap();
    tcp.write_all(&super::world::framed(&question())).await.unwrap();
    assert!(matches!(tcp.read(&mut [0]).await, Ok(0) | Err(_)));
    world.eventually(Transport::Tcp, |it| it.failed_handshakes == 1);
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    udp.send_to(&question(), world.at(Way::Dns)).unwrap();
    world.eventually(Transport::Udp, |it| (it.received, it.silent) == (1, 1));
}

/// Anybody else's header is what it is: no question.
#[tokio::test]
async fn the_header_of_whoever_is_no_proxy_means_nothing() {
    let world = behind(&["198.51.100.0/24"], &[], AMPLE);
    let mut tcp = TcpStream::connect(world.at(Way::Dns)).await.unwrap();
    tcp.write_all(b"PROXY UNKNOWN\r\n").await.unwrap();
    tcp.shutdown().await.unwrap();
    let mut rest = Vec::new();
    drop(tcp.read_to_end(&mut rest).await);
    assert!(rest.is_empty());
    assert_eq!(world.totals(Transport::Tcp).received, 0);
}

#[tokio::test]
async fn a_client_behind_a_proxy_has_its_own_share_of_connections() {
    let limits = Limits { connections_per_client: 2, ..AMPLE };
    let world = behind(&["127.0.0.0/8"], &[], limits);
    let mut open = Vec::new();
    let come = async |client: &str| {
        let mut tcp = TcpStream::connect(world.at(Way::Dns)).await.unwrap();
        tcp.write_all(&header(client, false)).await.unwrap();
        tcp
    };
    for client in ["192.0.2.1:1", "192.0.2.1:2", "192.0.2.2:1", "192.0.2.3:1"] {
        let mut tcp = come(client).await;
        ask(&mut tcp, &question()).await;
        open.push(tcp);
    }
    let mut third = come("192.0.2.1:3").await;
    assert!(matches!(third.read(&mut [0]).await, Ok(0) | Err(_)));
    world.eventually(Transport::Tcp, |it| it.refused_behind == 1);
}

#[tokio::test]
async fn a_request_names_its_client_where_a_proxy_made_it() {
    let mut world = behind(&[], &["127.0.0.0/8"], AMPLE);
    let [near, far] = halves(&mut world);
    let plain = TcpStream::connect(world.at(Way::Http)).await.unwrap();
    let clients = [world.h2().await, Http::begin(plain).await];
    for http in clients {
        let told = async |name: &str, value: &str| {
            let mut request = post();
            let name = hyper::header::HeaderName::try_from(name).unwrap();
            request.headers_mut().insert(name, value.try_into().unwrap());
            half(&http.send(request, &placed()).await.unwrap().1)
        };
        assert_eq!(told("x-forwarded-for", "192.0.2.7").await, near);
        assert_eq!(told("x-forwarded-for", "192.0.2.7, 198.51.100.9").await, far);
        assert_eq!(told("forwarded", "for=\"192.0.2.7:80\";proto=https").await, near);
        assert_eq!(half(&http.ask(&placed()).await), far, "the proxy itself");
    }
    // Of whoever is no proxy it is not believed.
    let world = behind(&[], &["198.51.100.0/24"], AMPLE);
    let mut request = post();
    request.headers_mut().insert("x-forwarded-for", "192.0.2.7".parse().unwrap());
    let (_, answer) = world.h2().await.send(request, &placed()).await.unwrap();
    assert_eq!(half(&answer), far);
}
