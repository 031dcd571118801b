//! What the kernel knows of an interface, and of this machine's addresses.

use std::ffi::CString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd};
use std::{fs, io, mem, ptr};

use super::super::done;

/// The kind of links that frames here are of.
const ETHERNET: libc::sa_family_t = 1;
/// What is asked of a card: how many queues it has, and what it does with frames by itself.
const GET_CHANNELS: u32 = 0x3c;
const GET_FLAGS: u32 = 0x25;
/// The card takes tags of VLANs off.
const TAKES_TAGS_OFF: u32 = 1 << 8;

/// Where Linux lists VLANs, if it has any.
const VLANS: &str = "/proc/net/vlan/config";

/// What the kernel knows of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Interface {
    pub(super) index: u32,
    /// None where it is no Ethernet.
    pub(super) mac: Option<[u8; 6]>,
    /// The longest IP packet, in octets.
    pub(super) mtu: usize,
    /// Queues that frames come by.
    pub(super) queues: u32,
    /// VLANs that this machine has upon it.
    pub(super) vlans: Vec<u16>,
    /// Whether tags are gone before a program could see them.
    pub(super) takes_tags_off: bool,
}

#[repr(C)]
struct Channels {
    command: u32,
    /// Only for receiving, only for sending, for other things, for both.
    most: [u32; 4],
    now: [u32; 4],
}

#[repr(C)]
struct Value {
    command: u32,
    value: u32,
}

impl Interface {
    /// The interface of this name; none where there is none.
    pub(super) fn find(name: &str) -> io::Result<Option<Self>> {
        let name_text = CString::new(name)?;
        // SAFETY: the name ends with NUL and outlives the call.
        let index = unsafe { libc::if_nametoindex(name_text.as_ptr()) };
        if index == 0 {
            return Ok(None);
        }
        let card = Card::of(name)?;
        let mut channels = Channels { command: GET_CHANNELS, most: [0; 4], now: [0; 4] };
        // A driver that does not say has one queue.
        let queues = match card.ask(&mut channels) {
            Ok(()) => channels.now[0] + channels.now[3],
            Err(_) => 1,
        };
        let mut flags = Value { command: GET_FLAGS, value: 0 };
        let takes_tags_off = card.ask(&mut flags).is_ok() && flags.value & TAKES_TAGS_OFF != 0;
        let vlans = vlans(&fs::read_to_string(VLANS).unwrap_or_default(), name);
        let (mac, mtu, queues) = (card.mac()?, card.mtu()?, queues.max(1));
        Ok(Some(Self { index, mac, mtu, queues, vlans, takes_tags_off }))
    }
}

/// A way to ask the kernel of one interface by its name.
struct Card {
    socket: OwnedFd,
    name: [libc::c_char; libc::IFNAMSIZ],
}

impl Card {
    fn of(name: &str) -> io::Result<Self> {
        let mut octets = [0; libc::IFNAMSIZ];
        // The last stays NUL.
        for (place, octet) in octets[..libc::IFNAMSIZ - 1].iter_mut().zip(name.bytes()) {
            *place = octet as libc::c_char;
        }
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None)?;
        Ok(Self { socket: socket.into(), name: octets })
    }

    fn request(&self) -> libc::ifreq {
        // SAFETY: an `ifreq` is integers and raw pointers, all of which may be zero.
        let mut request: libc::ifreq = unsafe { mem::zeroed() };
        request.ifr_name = self.name;
        request
    }

    fn mac(&self) -> io::Result<Option<[u8; 6]>> {
        let mut request = self.request();
        // SAFETY: the call reads and writes an `ifreq`, which outlives it.
        done(unsafe {
            libc::ioctl(self.socket.as_raw_fd(), libc::SIOCGIFHWADDR as _, &mut request)
        })?;
        // SAFETY: the kernel has written this field.
        let address = unsafe { request.ifr_ifru.ifru_hwaddr };
        let [a, b, c, d, e, f, ..] = address.sa_data.map(|octet| octet as u8);
        Ok((address.sa_family == ETHERNET).then_some([a, b, c, d, e, f]))
    }

    fn mtu(&self) -> io::Result<usize> {
        let mut request = self.request();
        // SAFETY: the call reads and writes an `ifreq`, which outlives it.
        done(unsafe { libc::ioctl(self.socket.as_raw_fd(), libc::SIOCGIFMTU as _, &mut request) })?;
        // SAFETY: the kernel has written this field.
        let mtu = unsafe { request.ifr_ifru.ifru_mtu };
        usize::try_from(mtu).map_err(|_| io::ErrorKind::InvalidData.into())
    }

    /// Asks the driver; `question` is one of the structures above, whose first field is its
    /// command.
    fn ask<T>(&self, question: &mut T) -> io::Result<()> {
        let mut request = self.request();
        request.ifr_ifru.ifru_data = ptr::from_mut(question).cast();
        // SAFETY: `request` outlives the call, and so does what it points to, which is as long as
        // its command says.
        done(unsafe { libc::ioctl(self.socket.as_raw_fd(), libc::SIOCETHTOOL as _, &mut request) })
    }
}

/// The VLANs upon an interface, out of the kernel's list: `eth0.100 | 100 | eth0`.
fn vlans(list: &str, interface: &str) -> Vec<u16> {
    let of = |line: &str| {
        let mut fields = line.split('|').skip(1).map(str::trim);
        let (id, below) = (fields.next()?, fields.next()?);
        id.parse().ok().filter(|_| below == interface)
    };
    list.lines().filter_map(of).collect()
}

/// What to take of the addresses that are listened on: wildcards become all addresses that this
/// machine has, and those of the machine itself are left out, since nothing comes there by a wire.
pub(super) fn reachable(listened: &[SocketAddr]) -> io::Result<Vec<SocketAddr>> {
    let own = own_addresses()?;
    Ok(expand(listened, &own))
}

fn expand(listened: &[SocketAddr], own: &[IpAddr]) -> Vec<SocketAddr> {
    let mut all = Vec::new();
    for address in listened {
        let ip = address.ip();
        let same = own.iter().filter(|other| other.is_ipv4() == ip.is_ipv4());
        let ips: Vec<IpAddr> = if ip.is_unspecified() { same.copied().collect() } else { vec![ip] };
        all.extend(ips.into_iter().map(|ip| SocketAddr::new(ip, address.port())));
    }
    all.retain(|address| !address.ip().is_loopback());
    all.sort_unstable();
    all.dedup();
    all
}

/// All addresses of this machine, of whatever interface: the kernel takes what is sent to any of
/// them, by whichever it comes.
fn own_addresses() -> io::Result<Vec<IpAddr>> {
    let mut first: *mut libc::ifaddrs = ptr::null_mut();
    // SAFETY: the pointer is that of `first`.
    done(unsafe { libc::getifaddrs(&mut first) })?;
    let mut all = Vec::new();
    let mut next = first;
    while !next.is_null() {
        // SAFETY: the list is whole until it is freed below, and ends with null.
        let entry = unsafe { &*next };
        if !entry.ifa_addr.is_null() {
            // SAFETY: an address begins with its family, and is as long as that says.
            all.extend(unsafe { address(entry.ifa_addr) });
        }
        next = entry.ifa_next;
    }
    // SAFETY: `getifaddrs` has made it, and nothing points into it any more.
    unsafe { libc::freeifaddrs(first) };
    Ok(all)
}

/// # Safety
///
/// The pointer is that of an address that is as long as its family says.
unsafe fn address(at: *const libc::sockaddr) -> Option<IpAddr> {
    // SAFETY: the caller keeps it.
    match libc::c_int::from(unsafe { (*at).sa_family }) {
        libc::AF_INET => {
            // SAFETY: as the family says.
            let v4 = unsafe { at.cast::<libc::sockaddr_in>().read_unaligned() };
            Some(Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr)).into())
        }
        libc::AF_INET6 => {
            // SAFETY: as the family says.
            let v6 = unsafe { at.cast::<libc::sockaddr_in6>().read_unaligned() };
            Some(Ipv6Addr::from(v6.sin6_addr.s6_addr).into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_there_and_is_no_ethernet_address_to_be_asked_at() {
        let lo = Interface::find("lo").unwrap().unwrap();
        assert_eq!((lo.mac, lo.queues), (None, 1));
        assert!(lo.mtu >= 1280 && lo.index > 0);
        assert_eq!(Interface::find("no-such-thing0").unwrap(), None);
        assert!(own_addresses().unwrap().iter().any(IpAddr::is_loopback));
    }

    #[test]
    fn wildcards_are_the_addresses_that_the_machine_has() {
        let parse = |all: &[&str]| -> Vec<SocketAddr> {
            all.iter().map(|it| it.parse().unwrap()).collect()
        };
        let own = ["127.0.0.1", "192.0.2.1", "198.51.100.9", "::1", "2001:db8::1"];
        let own = own.map(|it| it.parse().unwrap());
        for (listened, expected) in [
            (&["0.0.0.0:53"][..], &["192.0.2.1:53", "198.51.100.9:53"][..]),
            (&["[::]:53"], &["[2001:db8::1]:53"]),
            (&["192.0.2.1:53", "0.0.0.0:54"], &["192.0.2.1:53", "192.0.2.1:54", "198.51.100.9:54"]),
            (&["203.0.113.1:53"], &["203.0.113.1:53"]),
            (&["127.0.0.1:53", "[::1]:53"], &[]),
        ] {
            assert_eq!(expand(&parse(listened), &own), parse(expected), "{listened:?}");
        }
    }

    #[test]
    fn vlans_are_those_of_the_interface() {
        let list = "VLAN Dev name\t | VLAN ID\nName-Type: VLAN_NAME_TYPE_RAW_PLUS_VID_NO_PAD\n\
                    eth0.100       | 100  | eth0\nv7 | 7 | eth1\nback           | 4000  | eth0\n";
        assert_eq!(vlans(list, "eth0"), [100, 4000]);
        assert_eq!(vlans(list, "eth1"), [7]);
        assert_eq!(vlans("", "eth0"), [0; 0]);
    }
}
