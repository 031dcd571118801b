//! A server whose process may open few files: it closes idle connections and serves on.
//!
//! The limit is the process's, so the server is this test again, started with `ulimit -n`.
#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rota::serve::{self, Limits, Listeners, Options};
use rota::snapshot::{Current, Publisher};

/// Says to this program that it is the server.
const SERVER: &str = "ROTA_TEST_SERVER_WITH_FEW_DESCRIPTORS";

/// A snapshot without a zone.
fn empty_snapshot() -> Arc<Current> {
    Arc::clone(Publisher::new().current())
}

/// `www.example.org A`, framed for a stream.
const QUERY: &[u8; 35] =
    b"\0\x21\0\x07\0\0\0\x01\0\0\0\0\0\0\x03www\x07example\x03org\0\0\x01\0\x01";

#[test]
fn idle_connections_make_room_when_descriptors_run_out() {
    if std::env::var_os(SERVER).is_some() {
        return be_the_server();
    }
    let mut server = Command::new("sh")
        .args(["-c", "ulimit -n 48 && exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "idle_connections_make_room_when_descriptors_run_out", "--nocapture"])
        .env(SERVER, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stderr.take().unwrap()).read_line(&mut line).unwrap();
    let address: SocketAddr = line.trim().parse().unwrap();

    let mut held = Vec::new();
    for _ in 0..100 {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(QUERY).unwrap();
        let mut answer = [0; 14];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(answer[2..4], QUERY[2..4], "the id");
        held.push(stream);
    }
    drop(server.stdin.take());
    assert!(server.wait().unwrap().success());
}

/// Serves until its input ends.
fn be_the_server() {
    let options = Options {
        addresses: vec!["127.0.0.1:0".parse().unwrap()],
        workers: 1,
        limits: Limits {
            connections_per_client: 1000,
            idle: Duration::from_secs(60),
            ..Limits::default()
        },
        ..Options::default()
    };
    let listeners = Listeners::bind(&options).unwrap();
    let running = serve::start(listeners, empty_snapshot(), 1).unwrap();
    eprintln!("{}", running.addresses()[0]);
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    let counters = running.counters();
    running.stop();
    assert!(counters.tcp().evicted >= 52, "{:?}", counters.tcp());
}
