//! One query to one server and what comes back, bounded in time and size.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

/// How long an answer may take.
pub(in crate::cli) const PATIENCE: Duration = Duration::from_secs(2);
/// Largest UDP answer that is read.
pub(in crate::cli) const ANSWER_LEN_MAX: usize = 4096;

/// Why there is no answer.
#[derive(Debug)]
pub(in crate::cli) enum Silence {
    /// Nothing came within [`PATIENCE`].
    TooLong,
    /// Something came that is no answer.
    Garbled,
    /// What the system said.
    System(io::Error),
}

impl From<io::Error> for Silence {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "no answer within {PATIENCE:?}"),
            Self::Garbled => f.write_str("what came is no answer"),
            Self::System(error) if error.kind() == ErrorKind::ConnectionRefused => {
                f.write_str("nothing listens there")
            }
            Self::System(error) if error.kind() == ErrorKind::UnexpectedEof => {
                f.write_str("it closed the connection unasked")
            }
            Self::System(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for Silence {}

/// Over UDP, from a fresh port and through a connected socket: only the server can answer here.
pub(in crate::cli) async fn udp(server: SocketAddr, query: &[u8]) -> Result<Vec<u8>, Silence> {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let talk = async {
        let socket = UdpSocket::bind((any, 0)).await?;
        socket.connect(server).await?;
        socket.send(query).await?;
        let mut answer = vec![0; ANSWER_LEN_MAX];
        let len = socket.recv(&mut answer).await?;
        answer.truncate(len);
        Ok(answer)
    };
    timeout(PATIENCE, talk).await.map_err(|_elapsed| Silence::TooLong)?
}

/// Over a TCP connection of its own. RFC 7766.
pub(in crate::cli) async fn tcp(server: SocketAddr, query: &[u8]) -> Result<Vec<u8>, Silence> {
    let len = u16::try_from(query.len()).expect("a query of one question is short");
    let talk = async {
        let mut stream = TcpStream::connect(server).await?;
        // RFC 7766 §8: length and message in one segment.
        stream.write_all(&[&len.to_be_bytes()[..], query].concat()).await?;
        let len = stream.read_u16().await?;
        let mut answer = vec![0; usize::from(len)];
        stream.read_exact(&mut answer).await?;
        Ok(answer)
    };
    timeout(PATIENCE, talk).await.map_err(|_elapsed| Silence::TooLong)?
}
