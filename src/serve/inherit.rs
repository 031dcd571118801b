//! Sockets that somebody else has bound: the service manager, or the process before this one.
//!
//! Such a socket keeps its port, and the datagrams and connections that wait at it, from one
//! process to the next; one that is bound anew beside it would be another queue, and what waits in
//! the old one is lost when it closes. So they are taken as they are, as many as there are:
//!
//! ```text
//!   more sockets than workers     a worker reads several
//!   fewer                         the others bind siblings, or where they may not, as with the
//!                                 port of another user, share one
//! ```

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use socket2::{Socket, Type};

use super::bind::{Kind, local_address};
use super::options::{Gate, Way};

/// Bound sockets, waiting for whoever asks for their addresses.
#[derive(Debug, Default)]
pub struct Inherited {
    heirlooms: Vec<Heirloom>,
}

#[derive(Debug)]
struct Heirloom {
    /// The address by which the configuration asks for it: port 0 where any would do.
    asked: SocketAddr,
    /// What is spoken there; none where only the address says it.
    way: Option<Way>,
    kind: Kind,
    socket: Socket,
    /// Two descriptors of one socket have the same.
    cookie: u64,
}

/// Why a socket cannot be served.
#[derive(Debug)]
pub enum InheritError {
    /// Neither UDP nor TCP of an Internet family, or not bound.
    Foreign,
    /// It takes both families, and ours take one each.
    BothFamilies(SocketAddr),
    /// The kernel does not say what it is.
    Unknown(io::Error),
}

impl Inherited {
    /// Adds a socket. `asked` is where and for what the configuration has it, where somebody knows.
    pub fn add(&mut self, descriptor: OwnedFd, asked: Option<Gate>) -> Result<(), InheritError> {
        let socket = Socket::from(descriptor);
        let unknown = InheritError::Unknown;
        let kind = match socket.r#type().map_err(unknown)? {
            Type::DGRAM => Kind::Udp,
            Type::STREAM => Kind::Tcp,
            _ => return Err(InheritError::Foreign),
        };
        let real = local_address(&socket).map_err(|_| InheritError::Foreign)?;
        if real.port() == 0 {
            return Err(InheritError::Foreign);
        }
        if real.is_ipv6() && real.ip().is_unspecified() && !socket.only_v6().map_err(unknown)? {
            return Err(InheritError::BothFamilies(real));
        }
        let cookie = socket.cookie().map_err(unknown)?;
        // One that workers shared came once from each of them.
        if self.heirlooms.iter().all(|other| other.cookie != cookie) {
            let (asked, way) = (asked.map_or(real, |it| it.address), asked.map(|it| it.way));
            self.heirlooms.push(Heirloom { asked, way, kind, socket, cookie });
        }
        Ok(())
    }

    /// Whether there is a socket for this.
    pub fn holds(&self, gate: Gate) -> bool {
        self.heirlooms.iter().any(|it| gate.way.kinds().iter().any(|&kind| it.is_for(gate, kind)))
    }

    /// Takes one TCP listener of this address, for whoever serves something else than DNS on it.
    pub fn take_listener(&mut self, asked: SocketAddr) -> Option<std::net::TcpListener> {
        let wanted = |heirloom: &mut Heirloom| {
            (heirloom.asked, heirloom.kind, heirloom.way) == (asked, Kind::Tcp, None)
        };
        self.heirlooms.extract_if(.., wanted).next().map(|heirloom| heirloom.socket.into())
    }

    /// Takes all sockets of an address.
    pub(super) fn take(&mut self, way: Way, asked: SocketAddr, kind: Kind) -> Vec<Socket> {
        let gate = Gate { way, address: asked };
        let wanted = |heirloom: &mut Heirloom| heirloom.is_for(gate, kind);
        self.heirlooms.extract_if(.., wanted).map(|heirloom| heirloom.socket).collect()
    }

    /// The sockets whose addresses are not these: `192.0.2.1:53 (UDP)`.
    pub fn unasked(&self, asked: impl Fn(&SocketAddr) -> bool) -> impl Iterator<Item = String> {
        let unasked = self.heirlooms.iter().filter(move |heirloom| !asked(&heirloom.asked));
        unasked.map(|heirloom| format!("{} ({})", heirloom.asked, heirloom.kind.name()))
    }
}

impl Heirloom {
    fn is_for(&self, gate: Gate, kind: Kind) -> bool {
        self.asked == gate.address && self.kind == kind && self.way.is_none_or(|it| it == gate.way)
    }
}

impl fmt::Display for InheritError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => f.write_str("it is not a bound UDP or TCP socket"),
            Self::BothFamilies(address) => write!(
                f,
                "{address} takes IPv4 too: bind both families by themselves \
                 (BindIPv6Only=ipv6-only, and a line for 0.0.0.0)"
            ),
            Self::Unknown(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for InheritError {}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};

    use super::*;

    #[test]
    fn sockets_are_taken_by_their_address_and_kind_once() {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let (at_udp, at_tcp) = (udp.local_addr().unwrap(), tcp.local_addr().unwrap());
        let mut inherited = Inherited::default();
        inherited.add(udp.try_clone().unwrap().into(), None).unwrap();
        inherited.add(udp.into(), None).unwrap();
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let at_other = other.local_addr().unwrap();
        inherited.add(tcp.into(), Some(Gate { way: Way::Tls, address: any })).unwrap();
        inherited.add(other.into(), None).unwrap();
        let holds = |way, address| inherited.holds(Gate { way, address });
        assert!(holds(Way::Dns, at_udp) && holds(Way::Quic, at_udp), "the address says it");
        assert!(holds(Way::Tls, any) && !holds(Way::Https, any) && !holds(Way::Tls, at_tcp));
        assert!(inherited.take(Way::Quic, any, Kind::Udp).is_empty());
        assert!(inherited.take(Way::Https, any, Kind::Tcp).is_empty());
        let taken = inherited.take(Way::Dns, at_udp, Kind::Udp);
        assert_eq!(taken.len(), 1, "one socket, whatever its numbers");
        let unasked = inherited.unasked(|address| *address == at_other);
        assert_eq!(unasked.collect::<Vec<_>>(), ["127.0.0.1:0 (TCP)"]);
        assert!(inherited.take_listener(any).is_none(), "it is known what that one is for");
        assert_eq!(inherited.take(Way::Tls, any, Kind::Tcp).len(), 1);
        assert_eq!(inherited.take_listener(at_other).unwrap().local_addr().unwrap(), at_other);
        assert!(inherited.take_listener(at_other).is_none());
    }

    #[test]
    fn what_is_no_bound_socket_is_refused() {
        let check = |descriptor: OwnedFd, expected: &str| {
            let error = Inherited::default().add(descriptor, None).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        };
        let foreign = "not a bound UDP or TCP socket";
        let (unix, _other) = std::os::unix::net::UnixDatagram::pair().unwrap();
        check(unix.into(), foreign);
        let unbound = Socket::new(socket2::Domain::IPV4, Type::STREAM, None).unwrap();
        check(unbound.into(), foreign);
        check(std::fs::File::open("/dev/null").unwrap().into(), "ocket");
        if let Ok(both) = Socket::new(socket2::Domain::IPV6, Type::DGRAM, None) {
            let any: SocketAddr = "[::]:0".parse().unwrap();
            both.set_only_v6(false).unwrap();
            both.bind(&any.into()).unwrap();
            check(both.into(), "takes IPv4 too");
        }
    }
}
