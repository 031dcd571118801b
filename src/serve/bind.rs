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
//! IPv6 sockets are `IPV6_V6ONLY`: `0.0.0.0` and `[::]` are two addresses here, each with control
//! messages of its own family, and no client appears as an IPv4-mapped address.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, UdpSocket};

use socket2::{Domain, Protocol, SockRef, Socket, Type};

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
    pub(super) shares: Vec<Share>,
    pub(super) limits: Limits,
}

/// The sockets of one worker, in the order of the addresses.
#[derive(Debug, Default)]
pub(super) struct Share {
    pub(super) udp: Vec<UdpSocket>,
    pub(super) tcp: Vec<TcpListener>,
}

/// Why an address cannot be listened on.
#[derive(Debug)]
pub enum BindError {
    /// Two of the addresses mean the same port of the same place.
    Overlap {
        /// The one that takes in the other.
        wide: SocketAddr,
        /// The one that says nothing new.
        address: SocketAddr,
    },
    /// The kernel refused.
    Refused {
        /// Where.
        address: SocketAddr,
        /// `"UDP"` or `"TCP"`.
        protocol: &'static str,
        /// What the kernel said.
        error: io::Error,
    },
}

impl Listeners {
    /// Binds UDP and TCP of every address for every worker. Port 0 means any port, the same for
    /// both.
    pub fn bind(options: &Options) -> Result<Self, BindError> {
        refuse_overlaps(&options.addresses)?;
        let workers = match options.workers {
            0 => default_workers(),
            some => some,
        };
        let mut addresses = Vec::with_capacity(options.addresses.len());
        let mut shares: Vec<Share> = (0..workers).map(|_| Share::default()).collect();
        for &address in &options.addresses {
            let (address, udp, tcp) = claim(address)?;
            let (first, siblings) = shares.split_first_mut().expect("there is a worker");
            first.udp.push(udp.into());
            first.tcp.push(tcp.into());
            for share in siblings {
                share.udp.push(sibling(address, Kind::Udp)?.into());
                share.tcp.push(sibling(address, Kind::Tcp)?.into());
            }
            addresses.push(address);
        }
        Ok(Self { addresses, shares, limits: options.tcp })
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

/// One per core that the process may use.
fn default_workers() -> usize {
    match sys::cores().len() {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        cores => cores,
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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Udp,
    Tcp,
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

fn sibling(address: SocketAddr, kind: Kind) -> Result<Socket, BindError> {
    let attempt = || {
        let socket = open(address, kind)?;
        socket.set_reuse_port(true)?;
        socket.bind(&address.into())?;
        Ok(socket)
    };
    attempt().map_err(|error| refused(address, kind, error))
}

/// A socket with every option that does not depend on its siblings.
fn open(address: SocketAddr, kind: Kind) -> io::Result<Socket> {
    let family = if address.is_ipv4() { Family::V4 } else { Family::V6 };
    let (style, protocol) = match kind {
        Kind::Udp => (Type::DGRAM, Protocol::UDP),
        Kind::Tcp => (Type::STREAM, Protocol::TCP),
    };
    let socket = Socket::new(Domain::for_address(address), style, Some(protocol))?;
    if family == Family::V6 {
        socket.set_only_v6(true)?;
    }
    match kind {
        Kind::Udp => {
            // The kernel grants what `net.core.rmem_max` and `wmem_max` allow.
            socket.set_recv_buffer_size(SOCKET_BUFFER)?;
            socket.set_send_buffer_size(SOCKET_BUFFER)?;
            socket.set_read_timeout(Some(STOP_NOTICE_MAX))?;
            socket.set_write_timeout(Some(STOP_NOTICE_MAX))?;
            sys::ignore_path_mtu(&socket, family)?;
            if address.ip().is_unspecified() {
                sys::answer_from_the_address_asked(&socket, family)?;
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
    Ok(socket)
}

fn local_address(socket: &Socket) -> io::Result<SocketAddr> {
    socket.local_addr()?.as_socket().ok_or_else(|| ErrorKind::Unsupported.into())
}

fn refused(address: SocketAddr, kind: Kind, error: io::Error) -> BindError {
    let protocol = match kind {
        Kind::Udp => "UDP",
        Kind::Tcp => "TCP",
    };
    BindError::Refused { address, protocol, error }
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overlap { wide, address } if wide == address => {
                write!(f, "{address} is listed twice: keep one")
            }
            Self::Overlap { wide, address } => {
                write!(f, "{wide} takes in {address}: keep one of the two")
            }
            Self::Refused { address, protocol, error } => {
                let (port, family, wildcard) = match address {
                    SocketAddr::V4(v4) => (v4.port(), "IPv4", "0.0.0.0"),
                    SocketAddr::V6(v6) => (v6.port(), "IPv6", "[::]"),
                };
                write!(f, "cannot listen on {address} ({protocol}): ")?;
                if error.kind() == ErrorKind::AddrInUse {
                    write!(
                        f,
                        "the port is taken; `ss -lnp sport = {port}` shows by whom: stop that, \
                         or choose another port"
                    )
                } else if error.kind() == ErrorKind::PermissionDenied {
                    write!(f, "no permission: needs CAP_NET_BIND_SERVICE, or a port above 1023")
                } else if error.kind() == ErrorKind::AddrNotAvailable {
                    write!(
                        f,
                        "this machine has no such address: choose one that `ip address` shows, or \
                         the wildcard {wildcard}"
                    )
                } else if error.raw_os_error() == Some(libc::EAFNOSUPPORT) {
                    write!(f, "this machine has no {family}: remove the address")
                } else {
                    write!(f, "{error}")
                }
            }
        }
    }
}

impl std::error::Error for BindError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Overlap { .. } => None,
            Self::Refused { error, .. } => Some(error),
        }
    }
}
