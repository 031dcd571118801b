//! TCP: connections that last, with many questions open on each (RFC 7766 §6.2.1).
//!
//! The next batch is asked only after the last one has left whole. A connection that ends is an
//! error, what was in flight on it is lost, and another takes its place.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::load::{Received, Transport};
use crate::window::Window;

/// Octets taken by one call.
const READ_MAX: usize = 1 << 16;

/// Connections to one server.
pub(crate) struct Tcp {
    server: SocketAddr,
    connections: Vec<Connection>,
    buffer: Vec<u8>,
}

struct Connection {
    stream: TcpStream,
    /// What has come and is not taken yet.
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
    /// How much of `outgoing` has left.
    written: usize,
}

impl Tcp {
    pub(crate) fn connect(server: SocketAddr, connections: usize) -> io::Result<Self> {
        let connections =
            (0..connections).map(|_| Connection::open(server)).collect::<io::Result<_>>()?;
        Ok(Self { server, connections, buffer: vec![0; READ_MAX] })
    }
}

impl Connection {
    fn open(server: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(server)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self { stream, incoming: Vec::new(), outgoing: Vec::new(), written: 0 })
    }
}

impl Transport for Tcp {
    fn receive(&mut self, at: usize) -> Received {
        let connection = &mut self.connections[at];
        match connection.stream.read(&mut self.buffer) {
            Ok(0) => Received::Closed,
            Ok(len) => {
                connection.incoming.extend_from_slice(&self.buffer[..len]);
                Received::Some
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Received::Nothing,
            Err(_) => Received::Closed,
        }
    }

    fn take(&mut self, at: usize, mut each: impl FnMut(&[u8])) {
        let incoming = &mut self.connections[at].incoming;
        let mut rest = &incoming[..];
        while let Some((message, after)) = split_message(rest) {
            each(message);
            rest = after;
        }
        let taken = incoming.len() - rest.len();
        incoming.drain(..taken);
    }

    fn has_room(&self, at: usize) -> bool {
        let connection = &self.connections[at];
        connection.written == connection.outgoing.len()
    }

    /// What a connection takes leaves by and by: all of it counts as sent.
    fn send(
        &mut self,
        at: usize,
        window: &mut Window<'_>,
        times_ns: impl Iterator<Item = u64>,
    ) -> io::Result<usize> {
        let Connection { outgoing, written, .. } = &mut self.connections[at];
        outgoing.clear();
        *written = 0;
        let mut count = 0;
        for asked_ns in times_ns {
            let (id, question) = window.ask(asked_ns);
            push_message(outgoing, id, question.wire());
            count += 1;
        }
        Ok(count)
    }

    fn flush(&mut self, at: usize) -> bool {
        let Connection { stream, outgoing, written, .. } = &mut self.connections[at];
        let waiting = &outgoing[*written..];
        if waiting.is_empty() {
            return false;
        }
        // If the connection is over, the next read says so.
        let Ok(len) = stream.write(waiting) else { return false };
        *written += len;
        true
    }

    fn reopen(&mut self, at: usize) -> io::Result<()> {
        self.connections[at] = Connection::open(self.server)?;
        Ok(())
    }
}

/// The first message, without the length before it (RFC 1035 §4.2.2), and what follows; None while
/// it is not there whole.
fn split_message(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = octets.split_first_chunk()?;
    rest.split_at_checked(u16::from_be_bytes(*len).into())
}

/// Appends a message with this id, and its length before it. No question is near 64 KiB.
fn push_message(out: &mut Vec<u8>, id: u16, message: &[u8]) {
    out.extend_from_slice(&(message.len() as u16).to_be_bytes());
    out.extend_from_slice(&id.to_be_bytes());
    out.extend_from_slice(&message[2..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_told_apart_by_their_length() {
        let mut stream = Vec::new();
        push_message(&mut stream, 0x102, b"\0\0abc");
        push_message(&mut stream, 0x304, b"\0\0");
        let (first, rest) = split_message(&stream).unwrap();
        assert_eq!((first, rest), (&b"\x01\x02abc"[..], &b"\0\x02\x03\x04"[..]));
        assert_eq!(split_message(rest), Some((&b"\x03\x04"[..], &b""[..])));
    }

    #[test]
    fn a_message_in_parts_is_awaited() {
        for part in [&b""[..], b"\0", b"\0\x02", b"\0\x02\x03"] {
            assert_eq!(split_message(part), None);
        }
    }
}
