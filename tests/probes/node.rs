//! A node for one connection, and what it does with that.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What a node does, once it has read what it waits for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    /// Writes this and closes.
    Answer(&'static str),
    /// Writes this, then the second over and over for as long as somebody takes it.
    Babble(&'static str, &'static str),
    /// Writes this, and then nothing, but stays.
    Stall(&'static str),
    /// Cuts the connection with a reset.
    Reset,
}

impl Act {
    pub(crate) async fn perform(self, stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
        let (first, forever) = match self {
            Self::Answer(text) | Self::Stall(text) => (text, None),
            Self::Babble(text, again) => (text, Some(again)),
            Self::Reset => return,
        };
        // A prober may hang up at any time.
        let mut heard = stream.write_all(first.as_bytes()).await;
        while let (Some(again), Ok(())) = (forever, &heard) {
            heard = stream.write_all(again.as_bytes()).await;
        }
        match self {
            Self::Stall(_) => drop(stream.read_to_end(&mut Vec::new()).await),
            Self::Answer(_) | Self::Babble(..) | Self::Reset => drop(stream.shutdown().await),
        }
    }
}

/// A node that takes one connection, reads until `end`, acts, and gives what it read.
pub(crate) async fn node_after(end: &'static str, act: Act) -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = read_until(&mut stream, end).await;
        if matches!(act, Act::Reset) {
            socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
        }
        act.perform(&mut stream).await;
        request
    });
    (address, serving)
}

/// A node that reads the head of a request first.
pub(crate) async fn node(act: Act) -> (SocketAddr, JoinHandle<String>) {
    node_after("\r\n\r\n", act).await
}

pub(crate) async fn read_until(stream: &mut (impl AsyncRead + Unpin), end: &str) -> String {
    let mut request = Vec::new();
    while !request.ends_with(end.as_bytes()) {
        match stream.read_u8().await {
            Ok(octet) => request.push(octet),
            Err(_) => break,
        }
    }
    String::from_utf8(request).unwrap()
}
