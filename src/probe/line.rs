//! A connection that listens to so much and no more.
//!
//! Every kind bounds what it keeps of an answer. But a node can also say what nobody keeps, for
//! ever: interim responses, session tickets. Each is read and thrown away, and a
//! node that sends them as fast as it can would have the prober do nothing else until the timeout.

use std::io::{Error, IoSlice, Result};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Most octets that are listened to in one probe: a chain of certificates, a head and a body of
/// their greatest length, with room for the worst way to cut the body into chunks.
pub const LISTEN_LEN_MAX: usize = 1 << 20;

/// A connection to a target.
#[derive(Debug)]
pub struct Line {
    stream: TcpStream,
    /// Octets that are still listened to.
    left: usize,
}

impl Line {
    /// Connects.
    pub(super) async fn connect(socket: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(socket).await?;
        Ok(Self { stream, left: LISTEN_LEN_MAX })
    }

    /// From now on no packet waits for the one before it to be acknowledged.
    ///
    /// A kind that says all it has to say in one packet does not need it.
    pub(super) fn hurry(&self) -> Result<()> {
        self.stream.set_nodelay(true)
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        if self.left == 0 {
            return Poll::Ready(Err(Error::other("says too much")));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        // Beyond the limit by one buffer at most.
        self.left = self.left.saturating_sub(buffer.filled().len() - before);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, octets)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
