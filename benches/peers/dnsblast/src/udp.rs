//! UDP: connected sockets, each with a port of its own, many datagrams in one call.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use crate::load::{Received, Transport};
use crate::sys::{self, Batch};
use crate::window::Window;

/// Sockets that ask one server.
pub(crate) struct Udp {
    sockets: Vec<UdpSocket>,
    incoming: Batch,
    outgoing: Batch,
    /// Those of the messages in `outgoing`.
    ids: Vec<u16>,
}

impl Udp {
    pub(crate) fn connect(server: SocketAddr, sockets: usize) -> io::Result<Self> {
        let sockets = (0..sockets).map(|_| socket(server)).collect::<io::Result<_>>()?;
        Ok(Self { sockets, incoming: Batch::new(), outgoing: Batch::new(), ids: Vec::new() })
    }
}

fn socket(server: SocketAddr) -> io::Result<UdpSocket> {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(server)?;
    sys::widen_buffers(&socket)?;
    Ok(socket)
}

impl Transport for Udp {
    fn receive(&mut self, at: usize) -> Received {
        match self.incoming.receive(&self.sockets[at]) {
            Ok(()) => Received::Some,
            Err(error) if error.kind() == ErrorKind::WouldBlock => Received::Nothing,
            // Nobody listens there, for one.
            Err(_) => Received::Failed,
        }
    }

    fn take(&mut self, _: usize, each: impl FnMut(&[u8])) {
        self.incoming.messages().for_each(each);
    }

    /// The kernel either takes a datagram or does not; nothing waits here.
    fn has_room(&self, _: usize) -> bool {
        true
    }

    fn send(
        &mut self,
        at: usize,
        window: &mut Window<'_>,
        times_ns: impl Iterator<Item = u64>,
    ) -> io::Result<usize> {
        self.outgoing.clear();
        self.ids.clear();
        for asked_ns in times_ns {
            let (id, question) = window.ask(asked_ns);
            self.outgoing.push(id, question.wire());
            self.ids.push(id);
        }
        let sent = self.outgoing.send(&self.sockets[at]);
        let unsent = &self.ids[*sent.as_ref().unwrap_or(&0)..];
        // Last first, so that the free slots are again in the order they were.
        unsent.iter().rev().for_each(|&id| window.take_back(id));
        sent
    }

    fn flush(&mut self, _: usize) -> bool {
        false
    }

    /// Sockets without a connection are never closed by the other side.
    fn reopen(&mut self, _: usize) -> io::Result<()> {
        Ok(())
    }
}
