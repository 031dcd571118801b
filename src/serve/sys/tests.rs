//! Batches over real loopback sockets, without a worker.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use super::*;

fn socket(address: &str) -> UdpSocket {
    let socket = UdpSocket::bind(address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    socket
}

/// Sends `query` from `client` to `server` and returns what `batch` answers by `respond`.
fn exchange(
    batch: &mut Batch,
    server: &UdpSocket,
    client: &UdpSocket,
    query: &[u8],
    respond: impl FnMut(&[u8], SocketAddr, &mut [u8]) -> Option<usize>,
) -> Sent {
    client.send_to(query, server.local_addr().unwrap()).unwrap();
    assert_eq!(batch.receive(server, true).unwrap(), 1);
    batch.answer(respond);
    batch.send(server)
}

#[test]
fn a_batch_takes_what_is_there_and_no_more_than_its_width() {
    let (server, client) = (socket("127.0.0.1:0"), socket("127.0.0.1:0"));
    for number in 0..BATCH_WIDTH + 3 {
        client.send_to(&number.to_be_bytes(), server.local_addr().unwrap()).unwrap();
    }
    let mut batch = Batch::new();
    let mut seen = Vec::new();
    for expected in [BATCH_WIDTH, 3] {
        assert_eq!(batch.receive(&server, true).unwrap(), expected);
        let silent = batch.answer(|query, source, _| {
            assert_eq!(source, client.local_addr().unwrap());
            seen.push(usize::from_be_bytes(query.try_into().unwrap()));
            None
        });
        assert_eq!(silent, expected);
        assert_eq!(batch.send(&server), Sent { sent: 0, failed: 0 });
    }
    assert_eq!(seen, (0..BATCH_WIDTH + 3).collect::<Vec<_>>());
    let error = batch.receive(&server, false).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    // What failed left nothing behind that could be answered again.
    assert_eq!(batch.answer(|_, _, _| unreachable!("nothing was received")), 0);
}

#[test]
fn silence_leaves_no_gap_among_the_answers() {
    let (server, client) = (socket("127.0.0.1:0"), socket("127.0.0.1:0"));
    for number in 0..10_u8 {
        client.send_to(&[number], server.local_addr().unwrap()).unwrap();
    }
    let mut batch = Batch::new();
    assert_eq!(batch.receive(&server, true).unwrap(), 10);
    let silent = batch.answer(|query, _, out| {
        out[..2].copy_from_slice(&[query[0], 0xaa]);
        query[0].is_multiple_of(3).then_some(2)
    });
    assert_eq!(silent, 6);
    assert_eq!(batch.send(&server), Sent { sent: 4, failed: 0 });
    let mut answer = [0; 16];
    for number in [0, 3, 6, 9] {
        let len = client.recv(&mut answer).unwrap();
        assert_eq!(answer[..len], [number, 0xaa]);
    }
}

#[test]
fn an_answer_that_the_kernel_refuses_does_not_stop_the_others() {
    let (server, client) = (socket("127.0.0.1:0"), socket("127.0.0.1:0"));
    for number in 0..3_u8 {
        client.send_to(&[number], server.local_addr().unwrap()).unwrap();
    }
    let mut batch = Batch::new();
    assert_eq!(batch.receive(&server, true).unwrap(), 3);
    batch.answer(|query, _, out| {
        out[0] = query[0];
        Some(1)
    });
    // The second one is to go where a socket bound to loopback cannot send.
    batch.readdress(1, "192.0.2.1:9".parse().unwrap());
    assert_eq!(batch.send(&server), Sent { sent: 2, failed: 1 });
    let mut answer = [0; 16];
    for number in [0, 2] {
        let len = client.recv(&mut answer).unwrap();
        assert_eq!(answer[..len], [number]);
    }
}

#[test]
fn a_query_from_port_0_meets_silence() {
    let (server, client) = (socket("127.0.0.1:0"), socket("127.0.0.1:0"));
    client.send_to(b"?", server.local_addr().unwrap()).unwrap();
    let mut batch = Batch::new();
    assert_eq!(batch.receive(&server, true).unwrap(), 1);
    // Only a raw socket could send this.
    batch.readdress(0, "127.0.0.1:0".parse().unwrap());
    assert_eq!(batch.answer(|_, _, _| unreachable!("it has no sender")), 1);
    assert_eq!(batch.send(&server), Sent { sent: 0, failed: 0 });
}

#[test]
fn a_long_datagram_is_cut_and_an_empty_one_is_a_datagram() {
    let (server, client) = (socket("127.0.0.1:0"), socket("127.0.0.1:0"));
    let mut batch = Batch::new();
    for (sent, seen) in [(9000, 4096), (0, 0), (4096, 4096), (12, 12)] {
        let outcome = exchange(&mut batch, &server, &client, &vec![7; sent], |query, _, out| {
            assert_eq!((query.len(), out.len()), (seen, RESPONSE_LEN_MAX));
            assert!(query.iter().all(|&octet| octet == 7));
            None
        });
        assert_eq!(outcome, Sent { sent: 0, failed: 0 });
    }
}

#[test]
fn the_largest_answer_goes_out_whole() {
    let (server, client) = (socket("127.0.0.1:0"), socket("127.0.0.1:0"));
    let outcome = exchange(&mut Batch::new(), &server, &client, b"?", |_, _, out| {
        out.fill(0x5a);
        Some(out.len())
    });
    assert_eq!(outcome, Sent { sent: 1, failed: 0 });
    let mut answer = [0; RESPONSE_LEN_MAX + 1];
    let len = client.recv(&mut answer).unwrap();
    assert_eq!(len, RESPONSE_LEN_MAX);
    assert!(answer[..len].iter().all(|&octet| octet == 0x5a));
}

#[test]
fn a_thread_can_stay_on_each_of_its_cores() {
    let allowed = cores();
    assert!(!allowed.is_empty());
    for core in allowed {
        let inside = std::thread::spawn(move || {
            pin(core).unwrap();
            cores()
        });
        assert_eq!(inside.join().unwrap(), [core]);
    }
}

#[test]
fn readiness_names_the_sockets_that_have_something() {
    let sockets = [socket("127.0.0.1:0"), socket("127.0.0.1:0"), socket("127.0.0.1:0")];
    let client = socket("127.0.0.1:0");
    let mut readiness = Readiness::of(&sockets);
    let none: &[UdpSocket] = &[];
    assert_eq!(readiness.wait(none, Duration::ZERO).unwrap().count(), 0);
    for index in [0, 2] {
        client.send_to(b"x", sockets[index].local_addr().unwrap()).unwrap();
    }
    let address = |socket: &UdpSocket| socket.local_addr().unwrap();
    let ready: Vec<_> =
        readiness.wait(none, Duration::from_secs(5)).unwrap().map(address).collect();
    assert_eq!(ready, [address(&sockets[0]), address(&sockets[2])]);
    let others = [socket("127.0.0.1:0")];
    client.send_to(b"x", address(&others[0])).unwrap();
    let ready = readiness.wait(&others, Duration::from_secs(5)).unwrap().map(address);
    assert_eq!(ready.count(), 2, "another wakes it, and is not among the sockets");
}
