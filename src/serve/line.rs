//! A TCP connection as every stream transport has it.
//!
//! What is above it (framed messages, TLS, HTTP) need not know two things: that some octets were
//! read ahead, to see a PROXY header or which HTTP it is; and that a client must take its answers
//! at a certain [`Pace`], which holds here for all of them alike.

use std::io::{self, ErrorKind, IoSlice};
use std::num::NonZeroU32;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep_until};

use super::now;
use super::pace::Pace;
use super::presence::{Cut, Presence};

/// One connection.
pub(super) struct Line {
    stream: TcpStream,
    /// Octets that were read and not taken yet.
    ahead: Vec<u8>,
    pace: Pace,
    /// Ends the patience, while there is no room.
    alarm: Option<Pin<Box<Sleep>>>,
    presence: Rc<Presence>,
}

impl Line {
    pub(super) fn new(stream: TcpStream, rate: NonZeroU32, presence: Rc<Presence>) -> Self {
        Self { stream, ahead: Vec::new(), pace: Pace::new(rate), alarm: None, presence }
    }

    /// Reads more octets ahead, at most `room`; gives all of them. An error is also the end.
    pub(super) async fn look(&mut self, room: usize) -> io::Result<&[u8]> {
        let before = self.ahead.len();
        self.ahead.reserve_exact(room);
        let mut limited = (&mut self.stream).take(room as u64);
        if limited.read_buf(&mut self.ahead).await? == 0 || self.ahead.len() == before {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(&self.ahead)
    }

    /// Forgets the first of the octets that were read ahead.
    pub(super) fn skip(&mut self, len: usize) {
        self.ahead.drain(..len);
    }

    /// After an attempt to write: an error where the client has been waited for long enough.
    fn judge(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(len)) => {
                if !self.pace.is_even() {
                    self.pace.took(len, now());
                    self.alarm = None;
                }
                Poll::Ready(Ok(len))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                let end = self.pace.waits(now());
                let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(end.into())));
                ready!(alarm.as_mut().poll(context));
                self.presence.cut(Cut::Reader);
                Poll::Ready(Err(ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let line = self.get_mut();
        if line.ahead.is_empty() {
            return Pin::new(&mut line.stream).poll_read(context, into);
        }
        let len = line.ahead.len().min(into.remaining());
        into.put_slice(&line.ahead[..len]);
        line.skip(len);
        if line.ahead.is_empty() {
            line.ahead = Vec::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        let line = self.get_mut();
        let written = Pin::new(&mut line.stream).poll_write(context, octets);
        line.judge(context, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let line = self.get_mut();
        let written = Pin::new(&mut line.stream).poll_write_vectored(context, pieces);
        line.judge(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
