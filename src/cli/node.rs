//! `rota node`: a small HTTP server that can be told to fail.
//!
//! It stands in for a machine of a cluster wherever there is none: in `rota demo`, in the compose
//! file, in tests. It really listens and really answers, so that what is shown of probing is true;
//! it can also be told to be ill in the ways that real machines are.
//!
//! ```text
//!   GET  /ready   200 "ready"                   what a check asks
//!                 503 "failing"                 after POST /fail
//!                 503 with Retry-After          after POST /drain
//!                 nothing, for ever             after POST /hang
//!   GET  /        name, address and mood        who answered
//!   POST /fail /drain /hang /heal               sets the mood
//! ```
//!
//! The four switches answer in every mood, so that a node can always be healed. There is no limit
//! on connections and no access control: it is for loopback and for closed networks.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use anyhow::Context;
use axum::Router;
use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::IncomingStream;
use tokio::net::TcpListener;

/// What a draining node asks clients to wait, in seconds.
const RETRY_AFTER_SECONDS: u16 = 30;

/// Arguments of `rota node`.
#[derive(clap::Args, Debug)]
pub struct NodeArgs {
    /// Where to listen
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "0.0.0.0:8080")]
    pub listen: SocketAddr,

    /// What the node calls itself
    #[arg(long, value_name = "NAME", default_value = "node")]
    pub name: String,
}

/// How a node feels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Mood {
    /// Passes its check.
    Ready,
    /// Answers 503.
    Failing,
    /// Answers 503 with `Retry-After`.
    Draining,
    /// Accepts and never answers.
    Hanging,
}

impl fmt::Display for Mood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ready => "ready",
            Self::Failing => "failing",
            Self::Draining => "draining",
            Self::Hanging => "hanging",
        })
    }
}

/// A node's name and mood; clones are handles to the same node.
#[derive(Clone, Debug)]
pub struct Node {
    name: Arc<str>,
    mood: Arc<AtomicU8>,
}

impl Node {
    /// A node that is ready.
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), mood: Arc::new(AtomicU8::new(Mood::Ready as u8)) }
    }

    /// What the node calls itself.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it feels now.
    pub fn mood(&self) -> Mood {
        [Mood::Ready, Mood::Failing, Mood::Draining, Mood::Hanging]
            .into_iter()
            .find(|mood| *mood as u8 == self.mood.load(Ordering::Relaxed))
            .expect("only set_mood stores, and it stores a mood")
    }

    /// Makes it feel otherwise from the next request on.
    pub fn set_mood(&self, mood: Mood) {
        self.mood.store(mood as u8, Ordering::Relaxed);
    }
}

/// Runs `rota node` until it is told to stop.
pub async fn run(args: &NodeArgs) -> anyhow::Result<()> {
    let listener = TcpListener::bind(args.listen)
        .await
        .with_context(|| format!("cannot listen on {}", args.listen))?;
    tracing::info!(name = args.name, listen = %args.listen, "node is ready");
    serve(listener, Node::new(&args.name), super::stop_signal()?).await?;
    tracing::info!("node stops");
    Ok(())
}

/// Serves a node until `stop` is over; requests that hang then do not keep it.
pub async fn serve(
    listener: TcpListener,
    node: Node,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let router = Router::new()
        .route("/ready", get(ready))
        .route("/", get(who))
        .route("/fail", post(fail))
        .route("/drain", post(drain))
        .route("/hang", post(hang))
        .route("/heal", post(heal))
        .fallback(unknown)
        .with_state(node);
    let service = router.into_make_service_with_connect_info::<Local>();
    tokio::select! {
        served = axum::serve(listener, service).into_future() => served,
        () = stop => Ok(()),
    }
}

/// The address that a client connected to: with `0.0.0.0`, the listener does not know it.
#[derive(Clone, Copy, Debug)]
struct Local(SocketAddr);

impl Connected<IncomingStream<'_, TcpListener>> for Local {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
        let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
        Self(stream.io().local_addr().unwrap_or(unknown))
    }
}

async fn ready(State(node): State<Node>) -> Response {
    match node.mood() {
        Mood::Ready => "ready\n".into_response(),
        Mood::Failing => (StatusCode::SERVICE_UNAVAILABLE, "failing\n").into_response(),
        Mood::Draining => {
            let wait = [(header::RETRY_AFTER, RETRY_AFTER_SECONDS)];
            (StatusCode::SERVICE_UNAVAILABLE, wait, "draining\n").into_response()
        }
        Mood::Hanging => match never().await {},
    }
}

async fn who(State(node): State<Node>, ConnectInfo(local): ConnectInfo<Local>) -> String {
    match node.mood() {
        Mood::Hanging => match never().await {},
        mood @ (Mood::Ready | Mood::Failing | Mood::Draining) => {
            format!("{} at {} is {mood}\n", node.name(), local.0)
        }
    }
}

async fn never() -> Infallible {
    std::future::pending().await
}

async fn fail(node: State<Node>, local: ConnectInfo<Local>) -> String {
    turn(&node, Mood::Failing, &local)
}

async fn drain(node: State<Node>, local: ConnectInfo<Local>) -> String {
    turn(&node, Mood::Draining, &local)
}

async fn hang(node: State<Node>, local: ConnectInfo<Local>) -> String {
    turn(&node, Mood::Hanging, &local)
}

async fn heal(node: State<Node>, local: ConnectInfo<Local>) -> String {
    turn(&node, Mood::Ready, &local)
}

fn turn(node: &Node, mood: Mood, local: &ConnectInfo<Local>) -> String {
    node.set_mood(mood);
    let address = local.0.0;
    match mood {
        Mood::Ready => format!("{} at {address} is ready again\n", node.name()),
        Mood::Failing | Mood::Draining | Mood::Hanging => format!(
            "{} at {address} is {mood} now; heal it: curl -X POST http://{address}/heal\n",
            node.name()
        ),
    }
}

async fn unknown(request: Request) -> Response {
    let text = format!(
        "no {} here; there are GET / and /ready, POST /fail /drain /hang /heal\n",
        request.uri().path()
    );
    (StatusCode::NOT_FOUND, text).into_response()
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::time::Duration;

    use super::*;

    /// Runs a node on a spare port and gives its address.
    async fn start() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, Node::new("n1"), std::future::pending()));
        address
    }

    /// The first line and the text after the head; nothing where nothing came for a while.
    async fn ask(address: SocketAddr, request: &'static str) -> String {
        tokio::task::spawn_blocking(move || {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
            write!(stream, "{request} HTTP/1.1\r\nhost: n1.test\r\nconnection: close\r\n\r\n")
                .unwrap();
            let mut response = String::new();
            let _ = stream.read_to_string(&mut response);
            response
        })
        .await
        .unwrap()
    }

    #[tokio::test]
    async fn says_what_it_was_told_to_say() {
        let address = start().await;
        for (request, expected) in [
            ("GET /ready", "200 OK"),
            ("GET /", "n1 at 127.0.0.1:"),
            ("POST /fail", "is failing now"),
            ("GET /ready", "503 Service Unavailable"),
            ("GET /", "is failing"),
            ("POST /drain", "is draining now"),
            ("GET /ready", "retry-after: 30"),
            ("POST /hang", "heal it: curl -X POST"),
            ("POST /heal", "is ready again"),
            ("GET /ready", "200 OK"),
            ("GET /fail", "405 Method Not Allowed"),
            ("GET /what", "no /what here"),
        ] {
            let response = ask(address, request).await;
            assert!(response.contains(expected), "{request}: {response}");
        }
    }

    #[tokio::test]
    async fn a_hanging_node_accepts_and_stays_silent() {
        let address = start().await;
        ask(address, "POST /hang").await;
        assert_eq!(ask(address, "GET /ready").await, "");
        assert_eq!(ask(address, "GET /").await, "");
        assert!(ask(address, "POST /heal").await.contains("is ready again"));
    }
}
