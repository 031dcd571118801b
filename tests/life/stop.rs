//! The end of the service: who has asked is answered, and who sends it questions is told in time.

use std::net::UdpSocket;
use std::time::Duration;

use super::common::{Client, PATIENCE, Rota, http_status, wait_until};
use super::{folder, settings, zone};
use hickory_proto::rr::RecordType;

/// As many as the sockets of two workers surely hold.
const WAITING: usize = 400;

#[test]
fn what_waits_in_the_sockets_at_the_end_is_answered() {
    let folder = folder("waiting", &zone(&["192.0.2.1"]));
    let rota = Rota::start(&folder.0, &[]);
    let server = rota.dns;
    let mut client = Client::new(server);
    let clients: Vec<UdpSocket> = (0..8)
        .map(|_| {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            socket.set_read_timeout(Some(PATIENCE)).unwrap();
            socket
        })
        .collect();
    // A process that is stopped reads nothing, so that all of it waits when it is told to end.
    rota.signal("STOP");
    for _ in 0..WAITING / clients.len() {
        for socket in &clients {
            let (question, _) = client.question("app.test.", RecordType::A);
            socket.send_to(&question, server).unwrap();
        }
    }
    rota.signal("TERM");
    rota.signal("CONT");
    let mut answer = [0; 512];
    for socket in &clients {
        for at in 0..WAITING / clients.len() {
            socket.recv(&mut answer).unwrap_or_else(|error| panic!("answer {at}: {error}"));
        }
    }
    assert!(rota.ended().success());
}

#[test]
fn a_lame_duck_answers_on_and_is_not_ready() {
    let folder = folder("duck", &zone(&["192.0.2.1"]));
    folder.write("rota.toml", &settings(1, "lame_duck = \"300s\"\n"));
    let rota = Rota::start(&folder.0, &[]);
    let mut client = Client::new(rota.dns);
    assert_eq!(http_status(rota.admin, "/readyz"), "200");
    rota.signal("TERM");
    wait_until("it is not ready", || http_status(rota.admin, "/readyz") == "503");
    assert_eq!(http_status(rota.admin, "/healthz"), "200");
    for _ in 0..10 {
        assert_eq!(client.addresses("app.test.").len(), 1);
        std::thread::sleep(Duration::from_millis(10));
    }
    // The second word is the last one.
    assert!(rota.stop().success());
}
