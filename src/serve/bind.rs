//! Sockets, before anything is served: a port that cannot be had is the first thing to say.
//!
//! Every worker gets a socket of its own for each address and protocol, all of them sharing the
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
use super::options::{Gate, Options, Way};
use super::sys::{self, Family};
use super::udp::STOP_NOTICE_MAX;
use super::xdp::Below;

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
    /// Where it listens, in the order asked, with real ports.
    pub(super) gates: Vec<Gate>,
    /// The same, as asked.
    asked: Vec<Gate>,
    pub(super) shares: Vec<Share>,
    pub(super) options: Options,
    pub(super) below: Below,
}

/// The sockets of one worker, in the order of the addresses.
#[derive(Debug, Default)]
pub(super) struct Share {
    pub(super) udp: Vec<UdpSocket>,
    pub(super) tcp: Vec<TcpListener>,
    /// What is not plain DNS, over TCP.
    pub(super) streams: Vec<(Way, TcpListener)>,
    /// And over UDP.
    pub(super) datagrams: Vec<(Way, UdpSocket)>,
}

impl Share {
    fn add(&mut self, way: Way, kind: Kind, socket: Socket) {
        match (way, kind) {
            (Way::Dns, Kind::Udp) => self.udp.push(socket.into()),
            (Way::Dns, Kind::Tcp) => self.tcp.push(socket.into()),
            (_, Kind::Udp) => self.datagrams.push((way, socket.into())),
            (_, Kind::Tcp) => self.streams.push((way, socket.into())),
        }
    }

    /// All listeners that take connections.
    fn listeners(&self) -> impl Iterator<Item = (Way, &TcpListener)> {
        let plain = self.tcp.iter().map(|listener| (Way::Dns, listener));
        plain.chain(self.streams.iter().map(|(way, listener)| (*way, listener)))
    }

    /// All sockets, each with what is spoken there.
    fn sockets(&self) -> impl Iterator<Item = (Way, BorrowedFd<'_>)> {
        let plain = self.udp.iter().map(|socket| (Way::Dns, socket.as_fd()));
        let others = self.datagrams.iter().map(|(way, socket)| (*way, socket.as_fd()));
        let listeners = self.listeners().map(|(way, listener)| (way, listener.as_fd()));
        plain.chain(others).chain(listeners)
    }
}

impl Listeners {
    /// Binds every address for every worker. Port 0 means any port, the same for UDP and TCP.
    pub fn bind(options: &Options) -> Result<Self, BindError> {
        Self::adopt(options, &mut Inherited::default())
    }

    /// The same with the sockets that are there already; what is not asked for is left.
    pub fn adopt(options: &Options, inherited: &mut Inherited) -> Result<Self, BindError> {
        let asked = options.all_gates();
        refuse_overlaps(&asked)?;
        let workers = options.threads();
        let mut gates = Vec::with_capacity(asked.len());
        let mut shares: Vec<Share> = (0..workers).map(|_| Share::default()).collect();
        for &Gate { way, address } in &asked {
            let held = |kind: &Kind| (*kind, inherited.take(way, address, *kind));
            let mut sockets: Vec<(Kind, Vec<Socket>)> = way.kinds().iter().map(held).collect();
            if sockets.iter().all(|(_, sockets)| sockets.is_empty()) {
                sockets = claim(address, way.kinds())?;
            } else if let Some((kind, _)) = sockets.iter().find(|(_, held)| held.is_empty()) {
                return Err(BindError::Half { address, protocol: kind.name() });
            } else {
                for (kind, sockets) in &sockets {
                    fit(sockets, address, *kind)?;
                }
            }
            let (kind, first) = (sockets[0].0, &sockets[0].1[0]);
            let real = local_address(first).map_err(|e| refused(address, kind, e))?;
            gates.push(Gate { way, address: real });
            for (kind, sockets) in sockets {
                let sockets = enough(sockets, real, workers, way, kind)?;
                for (at, socket) in sockets.into_iter().enumerate() {
                    shares[at % workers].add(way, kind, socket);
                }
            }
        }
        let below = Below::default();
        Ok(Self { gates, asked, shares, options: options.clone(), below })
    }

    /// Takes UDP for these sockets' addresses at the drivers of the interfaces that the options
    /// name, or tells the log why not. Needs privileges that binding does not.
    pub fn take_below(&mut self, seed: u64) {
        let dns = self.gates.iter().filter(|gate| gate.way == Way::Dns);
        let addresses: Vec<SocketAddr> = dns.map(|gate| gate.address).collect();
        let mut seeds = fastrand::Rng::with_seed(seed);
        self.below = Below::open(&self.options.xdp, &addresses, self.shares.len(), &mut seeds);
    }

    /// Another descriptor of every socket, with the address by which the configuration asks for it.
    pub fn copies(&self) -> io::Result<Vec<(Gate, OwnedFd)>> {
        let sockets = self.shares.iter().flat_map(Share::sockets);
        let copy = |(way, descriptor): (Way, BorrowedFd<'_>)| {
            let copy = descriptor.try_clone_to_owned()?;
            let real = Gate { way, address: local_address(&SockRef::from(&copy))? };
            let at = self.gates.iter().position(|gate| *gate == real);
            Ok((at.map_or(real, |at| self.asked[at]), copy))
        };
        sockets.map(copy).collect()
    }

    /// Where it listens, in the order asked, with the real port in place of 0.
    pub fn gates(&self) -> &[Gate] {
        &self.gates
    }

    /// Lets connections in. Not a part of `bind`: until there is somebody to serve them, clients
    /// shall be refused at once and go to another server.
    pub(super) fn listen(&self) -> io::Result<()> {
        let mut listeners = self.shares.iter().flat_map(Share::listeners);
        listeners.try_for_each(|(_, listener)| SockRef::from(listener).listen(BACKLOG))
    }
}

impl Options {
    /// Every address, those for UDP and TCP first.
    pub(super) fn all_gates(&self) -> Vec<Gate> {
        let dns = self.addresses.iter().map(|&address| Gate { way: Way::Dns, address });
        dns.chain(self.gates.iter().copied()).collect()
    }

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
fn refuse_overlaps(gates: &[Gate]) -> Result<(), BindError> {
    let meet = |one: &Gate, other: &Gate| {
        let (wide, narrow) = (one.address, other.address);
        one.way.meets(other.way)
            && wide.port() == narrow.port()
            && wide.port() != 0
            && wide.is_ipv4() == narrow.is_ipv4()
            && (wide.ip() == narrow.ip() || wide.ip().is_unspecified())
    };
    for (index, gate) in gates.iter().enumerate() {
        let mut others = gates.iter().enumerate().filter(|(other, _)| *other != index);
        if let Some((_, wide)) = others.find(|(_, wide)| meet(wide, gate)) {
            return Err(BindError::Overlap { wide: wide.address, address: gate.address });
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
fn fit(sockets: &[Socket], address: SocketAddr, kind: Kind) -> Result<(), BindError> {
    let mut each = sockets.iter();
    // Late is early enough for siblings, as with `claim`.
    let fitted = each.try_for_each(|socket| {
        set_options(socket, address, kind)?;
        socket.set_reuse_port(true)
    });
    fitted.map_err(|error| refused(address, kind, error))
}

/// At least one socket for each worker: siblings of those that are there, or, where these cannot be
/// had because the port is another user's, the same ones again. Not so for datagrams of
/// connections, which only the thread that has the connection understands: then some have none.
fn enough(
    mut sockets: Vec<Socket>,
    address: SocketAddr,
    workers: usize,
    way: Way,
    kind: Kind,
) -> Result<Vec<Socket>, BindError> {
    let there = sockets.len();
    for at in there..workers {
        let again = sockets[at % there].try_clone();
        let more = match sibling(address, kind) {
            Err(_) if way != Way::Dns && kind == Kind::Udp => break,
            sibling => sibling.or(again).map_err(|e| refused(address, kind, e))?,
        };
        sockets.push(more);
    }
    Ok(sockets)
}

/// The first sockets of an address, one of each kind: nobody else has its port.
fn claim(asked: SocketAddr, kinds: &[Kind]) -> Result<Vec<(Kind, Vec<Socket>)>, BindError> {
    let mut tries = 0;
    'again: loop {
        tries += 1;
        let mut sockets = Vec::with_capacity(kinds.len());
        let mut real = asked;
        for &kind in kinds {
            match claim_one(real, kind) {
                Ok(socket) => {
                    real = local_address(&socket).map_err(|e| refused(asked, kind, e))?;
                    sockets.push((kind, vec![socket]));
                }
                // The port that the first got may be taken for the other.
                Err(error)
                    if error.kind() == ErrorKind::AddrInUse
                        && asked.port() == 0
                        && tries < PORT_TRIES_MAX =>
                {
                    continue 'again;
                }
                Err(error) => return Err(refused(asked, kind, error)),
            }
        }
        return Ok(sockets);
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
