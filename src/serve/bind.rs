//! Sockets, before anything is served: a port that cannot be had is the first thing to say.
//!
//! Every worker gets one UDP socket and one TCP listener for each address, all of them sharing the
//! port by `SO_REUSEPORT`. That option has a trap: a second rota of the same user, started by
//! mistake, would join the group in silence and take half of the queries. So the first socket of
//! an address is bound *without* it, which fails if anybody at all has the port, and only then is
//! it opened to sharing, for its siblings. There is no moment at which the port is free again, as
//! there would be with a probe that is closed. (The kernel looks at the option of a bound socket at
//! the time of the next bind, and so it may be set late.)
//!
//! Sockets that somebody else has bound already (`inherit.rs`) take the place of all this where
//! they have the address.
//!
//! IPv6 sockets are `IPV6_V6ONLY`: `0.0.0.0` and `[::]` are two addresses here, each with control
//! messages of its own family, and no client appears as an IPv4-mapped address.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use socket2::{Domain, Protocol, SockRef, Socket, Type};

use super::bind_error::BindError;
use super::inherit::Inherited;
use super::sys::{self, Family};
use super::udp::STOP_NOTICE_MAX;
use super::{Limits, Options};

/// Asked of the kernel for each UDP socket in each direction, in octets. The usual default holds
/// about 270 small queries, a few milliseconds of a busy server's load.
pub(super) const SOCKET_BUFFER: usize = 1 << 20;

/// Connections that may wait to be accepted; the kernel cuts it to `net.core.somaxconn`.
const BACKLOG: i32 = 4096;

/// How often port 0 is tried: the port that UDP got may be taken for TCP.
const PORT_TRIES_MAX: usize = 16;

/// Bound sockets for all workers, not yet served.
#[derive(Debug)]
pub struct Listeners {
    pub(super) addresses: Vec<SocketAddr>,
    /// The same, as asked.
    asked: Vec<SocketAddr>,
    pub(super) shares: Vec<Share>,
    pub(super) limits: Limits,
}

/// The sockets of one worker, in the order of the addresses.
#[derive(Debug, Default)]
pub(super) struct Share {
    pub(super) udp: Vec<UdpSocket>,
    pub(super) tcp: Vec<TcpListener>,
}

impl Listeners {
    /// Binds UDP and TCP of every address for every worker. Port 0 means any port, the same for
    /// both.
    pub fn bind(options: &Options) -> Result<Self, BindError> {
        Self::adopt(options, &mut Inherited::default())
    }

    /// The same with the sockets that are there already; what is not asked for is left.
    pub fn adopt(options: &Options, inherited: &mut Inherited) -> Result<Self, BindError> {
        refuse_overlaps(&options.addresses)?;
        let workers = options.threads();
        let mut addresses = Vec::with_capacity(options.addresses.len());
        let mut shares: Vec<Share> = (0..workers).map(|_| Share::default()).collect();
        for &address in &options.addresses {
            let udp = inherited.take(address, Kind::Udp);
            let tcp = inherited.take(address, Kind::Tcp);
            let (udp, tcp) = match (udp.is_empty(), tcp.is_empty()) {
                (true, true) => claim(address).map(|(_, udp, tcp)| (vec![udp], vec![tcp]))?,
                (false, false) => (fit(udp, address, Kind::Udp)?, fit(tcp, address, Kind::Tcp)?),
                (true, false) => return Err(BindError::Half { address, protocol: "UDP" }),
                (false, true) => return Err(BindError::Half { address, protocol: "TCP" }),
            };
            let real = local_address(&udp[0]).map_err(|e| refused(address, Kind::Udp, e))?;
            addresses.push(real);
            let (udp, tcp) =
                (enough(udp, real, workers, Kind::Udp)?, enough(tcp, real, workers, Kind::Tcp)?);
            let seats = || (0..workers).cycle();
            udp.into_iter().zip(seats()).for_each(|(it, at)| shares[at].udp.push(it.into()));
            tcp.into_iter().zip(seats()).for_each(|(it, at)| shares[at].tcp.push(it.into()));
        }
        Ok(Self { addresses, asked: options.addresses.clone(), shares, limits: options.tcp })
    }

    /// Another descriptor of every socket, with the address by which the configuration asks for it.
    pub fn copies(&self) -> io::Result<Vec<(SocketAddr, OwnedFd)>> {
        let copy = |real: SocketAddr, descriptor: BorrowedFd<'_>| {
            let at = self.addresses.iter().position(|address| *address == real);
            let asked = at.map_or(real, |at| self.asked[at]);
            Ok((asked, descriptor.try_clone_to_owned()?))
        };
        let udp = self.shares.iter().flat_map(|share| &share.udp);
        let udp = udp.map(|socket| copy(socket.local_addr()?, socket.as_fd()));
        let tcp = self.shares.iter().flat_map(|share| &share.tcp);
        udp.chain(tcp.map(|socket| copy(socket.local_addr()?, socket.as_fd()))).collect()
    }

    /// Where it listens, in the order asked, with the real port in place of 0.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Lets connections in. Not a part of `bind`: until there is somebody to serve them, clients
    /// shall be refused at once and go to another server.
    pub(super) fn listen(&self) -> io::Result<()> {
        let mut listeners = self.shares.iter().flat_map(|share| &share.tcp);
        listeners.try_for_each(|listener| SockRef::from(listener).listen(BACKLOG))
    }
}

impl Options {
    /// How many threads there are for UDP, and for TCP: one per core that the process may use,
    /// unless the operator says otherwise.
    pub fn threads(&self) -> usize {
        match (self.workers, sys::cores().len()) {
            (0, 0) => std::thread::available_parallelism().map_or(1, usize::from),
            (0, cores) => cores,
            (some, _) => some,
        }
    }
}

/// The port of a wildcard address takes in every address of its family.
fn refuse_overlaps(addresses: &[SocketAddr]) -> Result<(), BindError> {
    for (index, &address) in addresses.iter().enumerate() {
        let clash = addresses.iter().enumerate().find(|&(other, wide)| {
            other != index
                && wide.port() == address.port()
                && wide.port() != 0
                && wide.is_ipv4() == address.is_ipv4()
                && (wide.ip() == address.ip() || wide.ip().is_unspecified())
        });
        if let Some((_, &wide)) = clash {
            return Err(BindError::Overlap { wide, address });
        }
    }
    Ok(())
}

/// The two protocols of every address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Udp,
    Tcp,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
        }
    }
}

/// Gives sockets of somebody else the options of our own.
fn fit(sockets: Vec<Socket>, address: SocketAddr, kind: Kind) -> Result<Vec<Socket>, BindError> {
    let mut each = sockets.iter();
    // Late is early enough for siblings, as with `claim`.
    let fitted = each.try_for_each(|socket| {
        set_options(socket, address, kind)?;
        socket.set_reuse_port(true)
    });
    fitted.map(|()| sockets).map_err(|error| refused(address, kind, error))
}

/// At least one socket for each worker: siblings of those that are there, or, where these cannot be
/// had because the port is another user's, the same ones again.
fn enough(
    mut sockets: Vec<Socket>,
    address: SocketAddr,
    workers: usize,
    kind: Kind,
) -> Result<Vec<Socket>, BindError> {
    let there = sockets.len();
    for at in there..workers {
        let again = sockets[at % there].try_clone();
        let more = sibling(address, kind).or(again).map_err(|e| refused(address, kind, e))?;
        sockets.push(more);
    }
    Ok(sockets)
}

/// The first sockets of an address: nobody else has its port.
fn claim(asked: SocketAddr) -> Result<(SocketAddr, Socket, Socket), BindError> {
    let mut tries = 0;
    loop {
        tries += 1;
        let udp = claim_one(asked, Kind::Udp).map_err(|e| refused(asked, Kind::Udp, e))?;
        let real = local_address(&udp).map_err(|e| refused(asked, Kind::Udp, e))?;
        match claim_one(real, Kind::Tcp) {
            Ok(tcp) => return Ok((real, udp, tcp)),
            Err(error)
                if error.kind() == ErrorKind::AddrInUse
                    && asked.port() == 0
                    && tries < PORT_TRIES_MAX => {}
            Err(error) => return Err(refused(asked, Kind::Tcp, error)),
        }
    }
}

fn claim_one(address: SocketAddr, kind: Kind) -> io::Result<Socket> {
    let socket = open(address, kind)?;
    socket.bind(&address.into())?;
    socket.set_reuse_port(true)?;
    Ok(socket)
}

fn sibling(address: SocketAddr, kind: Kind) -> io::Result<Socket> {
    let socket = open(address, kind)?;
    socket.set_reuse_port(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// A socket with every option that does not depend on its siblings.
fn open(address: SocketAddr, kind: Kind) -> io::Result<Socket> {
    let (style, protocol) = match kind {
        Kind::Udp => (Type::DGRAM, Protocol::UDP),
        Kind::Tcp => (Type::STREAM, Protocol::TCP),
    };
    let socket = Socket::new(Domain::for_address(address), style, Some(protocol))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    set_options(&socket, address, kind)?;
    Ok(socket)
}

/// The options that can be set at any time.
fn set_options(socket: &Socket, address: SocketAddr, kind: Kind) -> io::Result<()> {
    let family = if address.is_ipv4() { Family::V4 } else { Family::V6 };
    match kind {
        Kind::Udp => {
            // The kernel grants what `net.core.rmem_max` and `wmem_max` allow.
            socket.set_recv_buffer_size(SOCKET_BUFFER)?;
            socket.set_send_buffer_size(SOCKET_BUFFER)?;
            socket.set_read_timeout(Some(STOP_NOTICE_MAX))?;
            socket.set_write_timeout(Some(STOP_NOTICE_MAX))?;
            sys::ignore_path_mtu(socket, family)?;
            if address.ip().is_unspecified() {
                sys::answer_from_the_address_asked(socket, family)?;
            }
        }
        Kind::Tcp => {
            // Connections of an earlier process that linger in TIME_WAIT do not hold the port;
            // one that listens does, also with this option.
            socket.set_reuse_address(true)?;
            // Without it the second answer of a connection waits for the client's delayed
            // acknowledgement of the first. Accepted sockets inherit it.
            socket.set_tcp_nodelay(true)?;
            socket.set_nonblocking(true)?;
        }
    }
    Ok(())
}

pub(super) fn local_address(socket: &Socket) -> io::Result<SocketAddr> {
    socket.local_addr()?.as_socket().ok_or_else(|| ErrorKind::Unsupported.into())
}

fn refused(address: SocketAddr, kind: Kind, error: io::Error) -> BindError {
    BindError::Refused { address, protocol: kind.name(), error }
}
