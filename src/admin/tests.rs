//! The listener over real loopback sockets, and the facts behind it over invented time.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::{JoinHandle, spawn_blocking};

use super::*;

const SILENCE_MAX: Duration = Duration::from_secs(30);

struct Running {
    address: SocketAddr,
    state: Arc<State>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

async fn start() -> Running {
    let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let state = Arc::new(State::new(now(), SILENCE_MAX));
    let (stop, stopped) = oneshot::channel::<()>();
    let (desk, _) = Desk::new(&Events::default());
    let task = tokio::spawn(serve(Door::Tcp(listener, None), Arc::clone(&state), desk, async {
        let _ = stopped.await;
    }));
    Running { address, state, stop, task }
}

/// Sends bytes and gives what comes until the end of the stream.
async fn talk(address: SocketAddr, bytes: Vec<u8>) -> String {
    spawn_blocking(move || {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(&bytes).unwrap();
        let mut response = Vec::new();
        // A refusal may reset the connection behind its last octet.
        let _ = stream.read_to_end(&mut response);
        String::from_utf8_lossy(&response).into_owned()
    })
    .await
    .unwrap()
}

async fn check(address: SocketAddr, request: &str, status: &str, text: &str) {
    let request = format!("{request} HTTP/1.1\r\nhost: rota.test\r\nconnection: close\r\n\r\n");
    let response = talk(address, request.clone().into_bytes()).await;
    assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{request}{response}");
    assert!(response.ends_with(text), "{request}{response}");
}

#[tokio::test]
async fn readiness_follows_the_phase() {
    let running = start().await;
    check(running.address, "GET /readyz", "503", "waiting for a first verdict of every target\n")
        .await;
    running.state.enter(Phase::Serving);
    check(running.address, "GET /readyz", "200", "ready\n").await;
    running.state.enter(Phase::Stopping);
    check(running.address, "GET /readyz", "503", "stopping\n").await;
    check(running.address, "GET /healthz", "200", "ok\n").await;
}

#[tokio::test]
async fn what_is_not_there_is_said() {
    let running = start().await;
    let all = "GET / /explain /healthz /readyz /metrics /api/v1/openapi.json\n";
    check(running.address, "HEAD /healthz", "200", "\r\n\r\n").await;
    check(running.address, "GET /metric", "404", &format!("there are {all}")).await;
    check(running.address, "POST /readyz", "405", &format!("only {all}")).await;
}

#[tokio::test]
async fn a_header_without_end_is_refused() {
    let running = start().await;
    let mut request = b"GET /readyz HTTP/1.1\r\nx: ".to_vec();
    request.resize(64 * 1024, b'x');
    let response = talk(running.address, request).await;
    assert!(response.is_empty() || response.starts_with("HTTP/1.1 431 "), "{response}");
}

#[tokio::test]
async fn a_stop_ends_idle_connections() {
    let running = start().await;
    let idle = tokio::net::TcpStream::connect(running.address).await.unwrap();
    check(running.address, "GET /healthz", "200", "ok\n").await;
    running.stop.send(()).unwrap();
    running.task.await.unwrap();
    drop(idle);
    assert!(tokio::net::TcpStream::connect(running.address).await.is_err());
}

#[tokio::test]
async fn a_taken_address_is_named_with_the_way_out() {
    let running = start().await;
    let message = bind(running.address).await.unwrap_err().to_string();
    assert!(message.contains(&running.address.to_string()), "{message}");
    assert!(message.contains("`admin` under `[listen]`"), "{message}");
}

#[test]
fn a_silent_prober_is_stalled() {
    let born = now();
    let state = State::new(born, SILENCE_MAX);
    let after = |seconds| born + Duration::from_secs(seconds);
    assert_eq!(state.health(after(30)), Health::Well);
    assert_eq!(state.health(after(31)), Health::Stalled(Duration::from_secs(31)));
    state.beat(after(40));
    // Beats of two threads may come out of order: the latest one counts.
    state.beat(after(35));
    assert_eq!(state.health(after(70)), Health::Well);
    assert_eq!(state.health(after(71)), Health::Stalled(Duration::from_secs(31)));
}
