//! The transports from outside: real sockets on loopback, spare ports, the real answer path over
//! an empty snapshot. Only what every server owes is assumed of an answer: the id of the query,
//! the QR bit, and REFUSED for a name in no zone.
#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

use std::collections::HashSet;
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rota::respond::Transport;
use rota::serve::{self, BindError, Limits, Listeners, Options, Running, Totals};
use rota::snapshot::{Current, Publisher};

/// Long enough for any machine, so that only a fault runs into it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Limits that no test meets by accident.
const AMPLE: Limits = Limits {
    connections: 1000,
    connections_per_client: 1000,
    idle: Duration::from_secs(60),
    handshake: Duration::from_secs(60),
    request: Duration::from_secs(60),
    in_flight: 1000,
    rate: NonZeroU32::MIN,
};

/// A snapshot without a zone.
fn empty_snapshot() -> Arc<Current> {
    Arc::clone(Publisher::new().current())
}

fn options(addresses: &[&str], limits: Limits) -> Options {
    let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
    Options { addresses, workers: 2, limits, ..Options::default() }
}

fn start(options: &Options) -> Running {
    let listeners = Listeners::bind(options).unwrap();
    serve::start(listeners, empty_snapshot(), 1).unwrap()
}

fn serve_on(addresses: &[&str]) -> Running {
    start(&options(addresses, AMPLE))
}

/// `www.example.org A`, RD clear.
fn query(id: u16) -> Vec<u8> {
    let mut query = id.to_be_bytes().to_vec();
    query.extend_from_slice(b"\0\0\0\x01\0\0\0\0\0\0\x03www\x07example\x03org\0\0\x01\0\x01");
    query
}

/// Panics unless this is what a server owes to `query(id)`; returns the id.
#[track_caller]
fn id_of_refusal(answer: &[u8]) -> u16 {
    assert!(answer.len() >= 12, "a header");
    assert_eq!(answer[2] & 0x80, 0x80, "QR");
    assert_eq!(answer[3] & 0x0f, 5, "REFUSED");
    u16::from_be_bytes([answer[0], answer[1]])
}

fn udp_client(address: &str) -> UdpSocket {
    let socket = UdpSocket::bind(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

fn tcp_client(server: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(server).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

fn framed(message: &[u8]) -> Vec<u8> {
    let mut framed = u16::try_from(message.len()).unwrap().to_be_bytes().to_vec();
    framed.extend_from_slice(message);
    framed
}

fn read_framed(stream: &mut TcpStream) -> Vec<u8> {
    let mut prefix = [0; 2];
    stream.read_exact(&mut prefix).unwrap();
    let mut message = vec![0; usize::from(u16::from_be_bytes(prefix))];
    stream.read_exact(&mut message).unwrap();
    message
}

/// One question and its answer, on a stream that stays open.
#[track_caller]
fn ask(stream: &mut TcpStream, id: u16) {
    stream.write_all(&framed(&query(id))).unwrap();
    assert_eq!(id_of_refusal(&read_framed(stream)), id);
}

/// Whether the server has closed the stream; waits for it to do so.
fn is_closed(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0; 1]) {
        Ok(0) => true,
        Ok(_) => false,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

/// Waits until the counters say so: they are written after the answers.
#[track_caller]
fn eventually(running: &Running, what: &str, check: impl Fn(Totals, Totals) -> bool) {
    let counters = running.counters();
    for _ in 0..2000 {
        if check(counters.udp(), counters.tcp()) {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("{what}: {:?} {:?}", counters.udp(), counters.tcp());
}

fn has_v6() -> bool {
    let present = UdpSocket::bind("[::1]:0").is_ok();
    if !present {
        eprintln!("no IPv6 on this machine: that half is left out");
    }
    present
}

/// Many queries from several sockets: each is answered, to where it came from, by where it went.
#[track_caller]
fn check_udp(running: &Running, server: SocketAddr, local: &str) {
    const CLIENTS: usize = 8;
    const QUERIES: u16 = 200;
    let before = running.counters().udp();
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let client = udp_client(local);
                let mut answer = [0; 4096];
                // No more in flight than any socket buffer holds.
                for first in (0..QUERIES).step_by(20) {
                    let mut open: HashSet<u16> = (first..first + 20).collect();
                    for &id in &open {
                        client.send_to(&query(id), server).unwrap();
                    }
                    while !open.is_empty() {
                        let (len, source) = client.recv_from(&mut answer).unwrap();
                        assert_eq!(source, server, "answers come from the address asked");
                        assert!(open.remove(&id_of_refusal(&answer[..len])), "once each");
                    }
                }
            });
        }
    });
    let all = (CLIENTS * usize::from(QUERIES)) as u64;
    eventually(running, "each query is counted once", |udp, _| {
        udp.received - before.received == all && udp.sent - before.sent == all
    });
}

#[test]
fn every_query_of_every_client_is_answered_over_v4() {
    let running = serve_on(&["127.0.0.1:0"]);
    check_udp(&running, running.addresses()[0], "127.0.0.1:0");
    running.stop();
}

#[test]
fn every_query_of_every_client_is_answered_over_v6() {
    if has_v6() {
        let running = serve_on(&["[::1]:0"]);
        check_udp(&running, running.addresses()[0], "[::1]:0");
        running.stop();
    }
}

#[test]
fn clients_are_spread_over_all_workers() {
    // Each client has one chance in two to reach either worker: 128 of them miss one of the two
    // about once in 10^38 runs.
    const CLIENTS: u16 = 128;
    let running = serve_on(&["127.0.0.1:0"]);
    let server = running.addresses()[0];
    let mut answer = [0; 512];
    for id in 0..CLIENTS {
        let client = udp_client("127.0.0.1:0");
        client.send_to(&query(id), server).unwrap();
        let len = client.recv(&mut answer).unwrap();
        assert_eq!(id_of_refusal(&answer[..len]), id);
        ask(&mut tcp_client(server), id);
    }
    let counters = running.counters();
    running.stop();
    let udp: Vec<u64> = counters.by_thread(Transport::Udp).map(|totals| totals.sent).collect();
    let tcp: Vec<u64> = counters.by_thread(Transport::Tcp).map(|totals| totals.sent).collect();
    for sent in [udp, tcp] {
        assert_eq!(sent.iter().sum::<u64>(), u64::from(CLIENTS));
        assert!(!sent.contains(&0), "{sent:?}");
    }
}

#[test]
fn several_addresses_are_served_by_the_same_workers() {
    let mut addresses = vec!["127.0.0.1:0", "127.0.0.2:0"];
    if has_v6() {
        addresses.push("[::1]:0");
    }
    let running = serve_on(&addresses);
    for (&server, asked) in running.addresses().iter().zip(addresses) {
        assert_eq!(server.ip(), asked.parse::<SocketAddr>().unwrap().ip());
        assert_ne!(server.port(), 0);
        check_udp(&running, server, if server.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" });
        ask(&mut tcp_client(server), 7);
    }
    running.stop();
}

#[test]
fn a_wildcard_socket_answers_from_the_address_asked() {
    let running = serve_on(&["0.0.0.0:0"]);
    let port = running.addresses()[0].port();
    for last in [1, 2, 3] {
        let server = SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), port));
        check_udp(&running, server, "127.0.0.9:0");
        ask(&mut tcp_client(server), 7);
    }
    running.stop();
}

#[test]
fn the_wildcards_of_both_families_are_two_addresses() {
    if !has_v6() {
        return;
    }
    let first = serve_on(&["[::]:0"]);
    let port = first.addresses()[0].port();
    check_udp(&first, SocketAddr::new("::1".parse::<IpAddr>().unwrap(), port), "[::1]:0");
    first.stop();
    // The same port for both, as on 53; another process may be quicker to take it.
    let both = [format!("[::]:{port}"), format!("0.0.0.0:{port}")];
    match Listeners::bind(&options(&[&both[0], &both[1]], AMPLE)) {
        Ok(_) => {}
        Err(BindError::Refused { error, .. }) => assert_eq!(error.kind(), ErrorKind::AddrInUse),
        Err(error @ (BindError::Overlap { .. } | BindError::Half { .. })) => panic!("{error}"),
    }
}

#[test]
fn datagrams_that_are_no_query_meet_silence_and_do_not_stop_the_rest() {
    let running = serve_on(&["127.0.0.1:0"]);
    let server = running.addresses()[0];
    let client = udp_client("127.0.0.1:0");
    let mut response = query(1);
    response[2] |= 0x80;
    for junk in [&b""[..], b"\0", b"12345678901", &response] {
        client.send_to(junk, server).unwrap();
    }
    client.send_to(&query(2), server).unwrap();
    let mut answer = [0; 512];
    let len = client.recv(&mut answer).unwrap();
    assert_eq!(id_of_refusal(&answer[..len]), 2);
    eventually(&running, "silence is counted", |udp, _| {
        (udp.received, udp.silent, udp.sent, udp.send_errors) == (5, 4, 1, 0)
    });
    running.stop();
}

/// Queries in one stream, cut into writes of `piece` octets: all are answered, in order.
#[track_caller]
fn check_pipeline(piece: usize) {
    let running = serve_on(&["127.0.0.1:0"]);
    let mut stream = tcp_client(running.addresses()[0]);
    let questions: Vec<u8> = (0..100).flat_map(|id| framed(&query(id))).collect();
    let mut writer = stream.try_clone().unwrap();
    let piece = piece.min(questions.len());
    thread::scope(|scope| {
        scope.spawn(|| questions.chunks(piece).for_each(|part| writer.write_all(part).unwrap()));
        for id in 0..100 {
            assert_eq!(id_of_refusal(&read_framed(&mut stream)), id);
        }
    });
    eventually(&running, "each is counted once", |_, tcp| (tcp.received, tcp.sent) == (100, 100));
    running.stop();
}

#[test]
fn a_hundred_queries_in_one_write_are_answered_in_order() {
    check_pipeline(usize::MAX);
}

#[test]
fn a_hundred_queries_in_single_octets_are_answered_in_order() {
    check_pipeline(1);
}

#[test]
fn a_hundred_queries_cut_anywhere_are_answered_in_order() {
    check_pipeline(37);
}

#[test]
fn a_client_that_only_stopped_asking_gets_its_answers() {
    let running = serve_on(&["127.0.0.1:0"]);
    let mut stream = tcp_client(running.addresses()[0]);
    let questions: Vec<u8> = (0..3).flat_map(|id| framed(&query(id))).collect();
    stream.write_all(&questions).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    for id in 0..3 {
        assert_eq!(id_of_refusal(&read_framed(&mut stream)), id);
    }
    assert!(is_closed(&mut stream));
    running.stop();
}

#[test]
fn a_flood_of_questions_waits_for_a_client_that_reads_late() {
    let running = serve_on(&["127.0.0.1:0"]);
    let mut stream = tcp_client(running.addresses()[0]);
    let mut writer = stream.try_clone().unwrap();
    let questions: Vec<u8> = (0..50_000).flat_map(|id| framed(&query(id))).collect();
    thread::scope(|scope| {
        scope.spawn(|| writer.write_all(&questions).unwrap());
        for id in 0..50_000 {
            assert_eq!(id_of_refusal(&read_framed(&mut stream)), id);
        }
    });
    running.stop();
}

/// Asks without ever reading, until nothing more fits or the server has had enough.
fn ask_and_never_read(stream: &mut TcpStream) -> ErrorKind {
    let questions: Vec<u8> = (0..1000).flat_map(|id| framed(&query(id))).collect();
    loop {
        if let Err(error) = stream.write_all(&questions) {
            return error.kind();
        }
    }
}

#[test]
fn a_client_that_never_takes_its_answers_is_let_go() {
    let running = serve_on(&["127.0.0.1:0"]);
    let mut stream = tcp_client(running.addresses()[0]);
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    let end = ask_and_never_read(&mut stream);
    assert!(matches!(end, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{end}");
    eventually(&running, "all is counted", |_, tcp| {
        tcp.send_errors > 0 && tcp.received == tcp.silent + tcp.sent + tcp.send_errors
    });
    running.stop();
}

#[test]
fn a_stop_does_not_wait_for_a_client_that_never_reads() {
    let running = serve_on(&["127.0.0.1:0"]);
    let mut stream = tcp_client(running.addresses()[0]);
    stream.set_nonblocking(true).unwrap();
    assert_eq!(ask_and_never_read(&mut stream), ErrorKind::WouldBlock);
    running.stop();
}

/// After one good question, `bytes` end the connection; what was asked before is answered.
#[track_caller]
fn check_broken(bytes: &[u8]) {
    let running = serve_on(&["127.0.0.1:0"]);
    let mut stream = tcp_client(running.addresses()[0]);
    let mut all = framed(&query(1));
    all.extend_from_slice(bytes);
    stream.write_all(&all).unwrap();
    assert_eq!(id_of_refusal(&read_framed(&mut stream)), 1);
    assert!(is_closed(&mut stream), "{bytes:?}");
    ask(&mut tcp_client(running.addresses()[0]), 2);
    running.stop();
}

#[test]
fn a_length_that_holds_no_header_ends_the_stream() {
    check_broken(&[0, 0]);
    check_broken(&[0, 11]);
    check_broken(&[0, 1, 0xff]);
}

#[test]
fn half_a_message_and_an_end_is_an_end() {
    let running = serve_on(&["127.0.0.1:0"]);
    for cut in [1, 2, 20] {
        let mut stream = tcp_client(running.addresses()[0]);
        stream.write_all(&framed(&query(1))[..cut]).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        assert!(is_closed(&mut stream), "nothing but the end comes");
    }
    eventually(&running, "no message was whole", |_, tcp| (tcp.accepted, tcp.received) == (3, 0));
    running.stop();
}

#[test]
fn the_longest_message_is_taken() {
    let running = serve_on(&["127.0.0.1:0"]);
    let mut stream = tcp_client(running.addresses()[0]);
    // A response is met with silence, whatever it holds.
    let mut longest = vec![0; usize::from(u16::MAX)];
    longest[2] = 0x80;
    stream.write_all(&framed(&longest)).unwrap();
    ask(&mut stream, 2);
    eventually(&running, "both came", |_, tcp| (tcp.received, tcp.silent, tcp.sent) == (2, 1, 1));
    running.stop();
}

#[test]
fn a_connection_that_gets_no_answer_is_closed() {
    let idle = Duration::from_secs(2);
    let running = start(&options(&["127.0.0.1:0"], Limits { idle, ..AMPLE }));
    let server = running.addresses()[0];
    let mut silent = tcp_client(server);
    let mut asked_once = tcp_client(server);
    ask(&mut asked_once, 1);
    assert!(is_closed(&mut silent));
    assert!(is_closed(&mut asked_once));
    // Octets alone do not keep a connection: this one would last for 400 of them.
    let mut trickle = tcp_client(server);
    let long = framed(&[0; 400]);
    let written = long.iter().take_while(|octet| {
        thread::sleep(Duration::from_millis(50));
        trickle.write_all(&[**octet]).is_ok()
    });
    assert!(written.count() < long.len());
    running.stop();
}

#[test]
fn one_client_has_so_many_connections_and_another_has_its_own() {
    let limits = Limits { connections_per_client: 2, ..AMPLE };
    let running = start(&options(&["0.0.0.0:0"], limits));
    let port = running.addresses()[0].port();
    let from = |client: [u8; 4]| {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
        let socket = socket.unwrap();
        socket.bind(&SocketAddr::from((client, 0)).into()).unwrap();
        socket.connect(&SocketAddr::from(([127, 0, 0, 1], port)).into()).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        TcpStream::from(socket)
    };
    let mut held = [from([127, 0, 0, 1]), from([127, 0, 0, 1])];
    held.iter_mut().for_each(|stream| ask(stream, 1));
    assert!(is_closed(&mut from([127, 0, 0, 1])));
    ask(&mut from([127, 0, 0, 2]), 2);
    // Nobody was pushed out by the one too many.
    held.iter_mut().for_each(|stream| ask(stream, 3));
    eventually(&running, "one was refused", |_, tcp| {
        (tcp.refused_client, tcp.refused_house, tcp.evicted) == (1, 0, 0)
    });
    // A seat that is left can be taken again.
    drop(held);
    let mut tries = 0;
    while is_refused(&mut from([127, 0, 0, 1])) {
        tries += 1;
        assert!(tries < 1000, "the seats come back");
        thread::sleep(Duration::from_millis(10));
    }
    running.stop();
}

fn is_refused(stream: &mut TcpStream) -> bool {
    stream.write_all(&framed(&query(9))).is_err() || is_closed(stream)
}

#[test]
fn when_all_seats_are_taken_the_longest_idle_leaves() {
    let limits = Limits { connections: 3, ..AMPLE };
    // One worker, so that one thread has all connections: which of several gets one is chance.
    let running = start(&Options { workers: 1, ..options(&["127.0.0.1:0"], limits) });
    let server = running.addresses()[0];
    let mut held: Vec<TcpStream> = (0..3).map(|_| tcp_client(server)).collect();
    // Idle since: 1 the longest, then 2, then 0.
    for index in [1, 2, 0] {
        ask(&mut held[index], 1);
    }
    let mut newcomer = tcp_client(server);
    ask(&mut newcomer, 2);
    assert!(is_closed(&mut held[1]));
    ask(&mut held[0], 3);
    ask(&mut held[2], 4);
    eventually(&running, "one has left", |_, tcp| {
        (tcp.evicted, tcp.closed, tcp.refused_client, tcp.refused_house) == (1, 1, 0, 0)
    });
    let counters = running.counters();
    assert!(
        counters.times(Transport::Tcp).buckets().any(|(_, count)| count > 0),
        "the first turn is timed"
    );
    assert_eq!(counters.times(Transport::Udp).buckets().map(|(_, count)| count).sum::<u64>(), 0);
    running.stop();
}

#[test]
fn a_stop_closes_connections_and_frees_the_port() {
    // An address of its own, where no other test finds the port that is free again.
    let running = serve_on(&["127.0.0.77:0"]);
    let server = running.addresses()[0];
    let mut stream = tcp_client(server);
    ask(&mut stream, 1);
    let counters = running.counters();
    running.stop();
    assert!(is_closed(&mut stream));
    assert!(TcpStream::connect(server).is_err(), "nobody listens");
    assert_eq!(counters.tcp().sent, 1, "counters outlive the threads");
    UdpSocket::bind(server).unwrap();
}

#[test]
fn a_port_that_somebody_has_is_refused_with_a_remedy() {
    let running = serve_on(&["127.0.0.1:0"]);
    let ours = running.addresses()[0];
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let places = [
        // Another rota of the same user, which shares its port among its own threads.
        (ours, "UDP"),
        (udp.local_addr().unwrap(), "UDP"),
        (tcp.local_addr().unwrap(), "TCP"),
    ];
    for (place, protocol) in places {
        let error = Listeners::bind(&options(&[&place.to_string()], AMPLE)).unwrap_err();
        let port = place.port();
        let expected = format!(
            "cannot listen on {place} ({protocol}): the port is taken; `ss -lnp sport = {port}` \
             shows by whom: stop that, or choose another port"
        );
        assert_eq!(error.to_string(), expected);
    }
    ask(&mut tcp_client(ours), 1);
    running.stop();
}

/// What `bind` says of addresses that cannot be.
#[track_caller]
fn check_bind_error(addresses: &[&str], expected: &str) {
    let error = Listeners::bind(&options(addresses, AMPLE)).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

#[test]
fn addresses_that_cannot_be_are_explained() {
    check_bind_error(
        &["127.0.0.1:5300", "[::1]:5300", "127.0.0.1:5300"],
        "127.0.0.1:5300 is listed twice: keep one",
    );
    check_bind_error(
        &["127.0.0.1:5300", "0.0.0.0:5300"],
        "0.0.0.0:5300 takes in 127.0.0.1:5300: keep one of the two",
    );
    check_bind_error(
        &["192.0.2.1:0"],
        "cannot listen on 192.0.2.1:0 (UDP): this machine has no such address: choose one that \
         `ip address` shows, or the wildcard 0.0.0.0",
    );
}
