//! The frame around a datagram, where a message is taken below the sockets.
//!
//! ```text
//!  | to:6 | from:6 | tag:4 ? | type:2 |  Ethernet, with at most one tag of a VLAN
//!  | IPv4, 20 octets and options   or   IPv6, 40 octets | UDP, 8 | payload | padding ? |
//! ```
//!
//! [`Datagram::parse`] judges as the kernel would before a socket hears of a datagram: RFC 1122
//! §3.2.1 and §4.1.3 for IPv4, RFC 8200 for IPv6. [`Datagram::reply`] turns the very frame round:
//! it leaves by the machine and the VLAN that it came from, so no neighbour has to be known.
//!
//! Not here: fragments, IPv6 extension headers, and what is sent to many. Whoever hands frames over
//! leaves those to the kernel; that one comes nevertheless is a small [`Unfit`].

mod checksum;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::Range;

use checksum::Sum;

/// Octets of an Ethernet header without a tag.
pub const ETHERNET_LEN: usize = 14;
/// Octets of a tag. IEEE 802.1Q.
pub const TAG_LEN: usize = 4;
/// Octets of an IPv4 header without options. RFC 791 §3.1.
pub const IPV4_LEN: usize = 20;
/// Octets of an IPv6 header. RFC 8200 §3.
pub const IPV6_LEN: usize = 40;
/// Octets of a UDP header. RFC 768.
pub const UDP_LEN: usize = 8;
/// The longest header of a frame that [`Datagram::reply`] writes.
pub const HEADERS_LEN_MAX: usize = ETHERNET_LEN + TAG_LEN + IPV6_LEN + UDP_LEN;

/// What is in a frame, after its addresses or its tag.
pub const TYPE_IPV4: [u8; 2] = [0x08, 0x00];
/// The same for IPv6.
pub const TYPE_IPV6: [u8; 2] = [0x86, 0xdd];
/// A tag: of a customer's VLAN, and of a provider's.
pub const TYPES_TAG: [[u8; 2]; 2] = [[0x81, 0x00], [0x88, 0xa8]];
/// The number of UDP among what IP carries.
pub const PROTOCOL_UDP: u8 = 17;

/// How far an answer may travel: what RFC 1700 recommends and Linux begins with.
const HOPS: u8 = 64;

/// Why a frame has no datagram that can be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It ends before its headers say, or these contradict each other.
    Short,
    /// To or from many machines.
    Group,
    /// Something else than UDP over IP.
    Foreign,
    /// A part of a datagram.
    Fragment,
    /// A source that nobody has, and that no answer can go to.
    Source,
    /// An octet changed on the way.
    Checksum,
}

/// A UDP datagram in a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// Who sent it.
    pub source: SocketAddr,
    /// Who was asked.
    pub destination: SocketAddr,
    /// Where in the frame its payload stands.
    pub payload: Range<usize>,
    /// Octets of the Ethernet header, with the tag.
    link_len: usize,
}

/// What the two versions of IP say in different places.
struct Packet<'f> {
    source: IpAddr,
    destination: IpAddr,
    /// What IP carries, without the padding of the frame.
    body: &'f [u8],
    /// Where that begins in the frame.
    body_at: usize,
    /// What the checksum of UDP covers of the addresses.
    addresses: Sum,
}

impl Datagram {
    /// Reads a frame, from its Ethernet header on; padding after the datagram is passed over.
    pub fn parse(frame: &[u8]) -> Result<Self, Unfit> {
        let link_len = link(frame)?;
        let packet = match [frame[link_len - 2], frame[link_len - 1]] {
            TYPE_IPV4 => ipv4(frame, link_len)?,
            TYPE_IPV6 => ipv6(frame, link_len)?,
            _ => return Err(Unfit::Foreign),
        };
        let Packet { source, destination, body, body_at, addresses } = packet;
        let Some((header, _)) = body.split_first_chunk::<UDP_LEN>() else {
            return Err(Unfit::Short);
        };
        let &[from_high, from_low, to_high, to_low, len_high, len_low, check @ ..] = header;
        let len = usize::from(u16::from_be_bytes([len_high, len_low]));
        let segment = body.get(..len).filter(|_| len >= UDP_LEN).ok_or(Unfit::Short)?;
        let source = SocketAddr::new(source, u16::from_be_bytes([from_high, from_low]));
        if !can_be_answered(source) {
            return Err(Unfit::Source);
        }
        judge_checksum(segment, check, addresses, source.is_ipv4())?;
        let destination = SocketAddr::new(destination, u16::from_be_bytes([to_high, to_low]));
        let payload = body_at + UDP_LEN..body_at + len;
        Ok(Self { source, destination, payload, link_len })
    }

    /// Where in the frame the payload of the answer shall be written.
    pub fn reply_at(&self) -> usize {
        let ip_len = if self.source.is_ipv4() { IPV4_LEN } else { IPV6_LEN };
        self.link_len + ip_len + UDP_LEN
    }

    /// How long a frame may be on a link that takes IP packets of so many octets.
    pub fn frame_len_max(&self, mtu: usize) -> usize {
        self.link_len + mtu
    }

    /// Makes an answer of the frame that was parsed, with so many octets of payload, which stand at
    /// [`reply_at`](Self::reply_at) already; returns the length of the frame. Options of the
    /// query's IPv4 header are left out.
    ///
    /// `identification` tells parts of datagrams apart, should a router cut them (RFC 6864 §4): it
    /// should not be foreseen. None where the frame is too short, or the payload too long for UDP.
    pub fn reply(
        &self,
        frame: &mut [u8],
        payload_len: usize,
        identification: u16,
    ) -> Option<usize> {
        let udp_len = u16::try_from(UDP_LEN + payload_len).ok()?;
        let ip_at = self.link_len;
        let udp_at = self.reply_at() - UDP_LEN;
        let len = udp_at + usize::from(udp_len);
        let frame = frame.get_mut(..len)?;
        let (to, rest) = frame.split_at_mut(6);
        to.swap_with_slice(&mut rest[..6]);
        // The source of the answer is what was asked.
        let addresses = match (self.destination.ip(), self.source.ip()) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                let total = u16::try_from(len - ip_at).ok()?;
                let header = ipv4_header(from, to, total, identification);
                frame[ip_at..udp_at].copy_from_slice(&header);
                Sum::of(&header[12..])
            }
            (IpAddr::V6(from), IpAddr::V6(to)) => {
                let header = ipv6_header(from, to, udp_len);
                frame[ip_at..udp_at].copy_from_slice(&header);
                Sum::of(&header[8..])
            }
            // No parsed frame has one of each.
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return None,
        };
        let udp = &mut frame[udp_at..];
        udp[..2].copy_from_slice(&self.destination.port().to_be_bytes());
        udp[2..4].copy_from_slice(&self.source.port().to_be_bytes());
        udp[4..6].copy_from_slice(&udp_len.to_be_bytes());
        udp[6..8].fill(0);
        let check = pseudo(addresses, udp_len).plus(Sum::of(udp)).checksum();
        // RFC 768: none at all is written as zero, so zero is written as its other form.
        udp[6..8].copy_from_slice(if check == [0, 0] { &[0xff, 0xff] } else { &check });
        Some(len)
    }
}

/// The length of the Ethernet header of a frame from one machine to one other.
fn link(frame: &[u8]) -> Result<usize, Unfit> {
    let header = frame.first_chunk::<ETHERNET_LEN>().ok_or(Unfit::Short)?;
    // The first bit on the wire is that of groups.
    if (header[0] | header[6]) & 1 != 0 {
        return Err(Unfit::Group);
    }
    let tagged = TYPES_TAG.contains(&[header[12], header[13]]);
    let len = if tagged { ETHERNET_LEN + TAG_LEN } else { ETHERNET_LEN };
    if frame.len() < len { Err(Unfit::Short) } else { Ok(len) }
}

fn ipv4(frame: &[u8], at: usize) -> Result<Packet<'_>, Unfit> {
    let packet = &frame[at..];
    let header = packet.first_chunk::<IPV4_LEN>().ok_or(Unfit::Short)?;
    let header_len = usize::from(header[0] & 0x0f) * 4;
    let total = usize::from(u16::from_be_bytes([header[2], header[3]]));
    if header[0] >> 4 != 4 || header_len < IPV4_LEN || total < header_len || total > packet.len() {
        return Err(Unfit::Short);
    }
    if header[9] != PROTOCOL_UDP {
        return Err(Unfit::Foreign);
    }
    // More fragments follow, or some came before.
    if u16::from_be_bytes([header[6], header[7]]) & 0x3fff != 0 {
        return Err(Unfit::Fragment);
    }
    if !Sum::of(&packet[..header_len]).is_whole() {
        return Err(Unfit::Checksum);
    }
    let address =
        |at: usize| Ipv4Addr::new(header[at], header[at + 1], header[at + 2], header[at + 3]);
    let destination = address(16);
    if destination.is_multicast() || destination.is_broadcast() {
        return Err(Unfit::Group);
    }
    Ok(Packet {
        source: address(12).into(),
        destination: destination.into(),
        body: &packet[header_len..total],
        body_at: at + header_len,
        addresses: Sum::of(&header[12..]),
    })
}

fn ipv6(frame: &[u8], at: usize) -> Result<Packet<'_>, Unfit> {
    let packet = &frame[at..];
    let header = packet.first_chunk::<IPV6_LEN>().ok_or(Unfit::Short)?;
    let len = usize::from(u16::from_be_bytes([header[4], header[5]]));
    let body = packet[IPV6_LEN..].get(..len);
    let body = body.filter(|_| header[0] >> 4 == 6).ok_or(Unfit::Short)?;
    if header[6] != PROTOCOL_UDP {
        return Err(Unfit::Foreign);
    }
    let address = |at: usize| {
        let octets = header[at..].first_chunk::<16>().expect("both lie within the header");
        Ipv6Addr::from(*octets)
    };
    let destination = address(24);
    if destination.is_multicast() {
        return Err(Unfit::Group);
    }
    Ok(Packet {
        source: address(8).into(),
        destination: destination.into(),
        body,
        body_at: at + IPV6_LEN,
        addresses: Sum::of(&header[8..]),
    })
}

/// Whether an answer could arrive there. RFC 1122 §3.2.1.3, RFC 4291 §2.5 and §2.7: addresses that
/// no machine sends from.
fn can_be_answered(source: SocketAddr) -> bool {
    let nobody = match source.ip() {
        IpAddr::V4(ip) => ip.is_multicast() || ip.is_broadcast() || ip.octets()[0] == 0,
        IpAddr::V6(ip) => ip.is_multicast() || ip.is_unspecified(),
    };
    !nobody && !source.ip().is_loopback() && source.port() != 0
}

/// Judges what is said of the datagram's octets.
fn judge_checksum(
    segment: &[u8],
    said: [u8; 2],
    addresses: Sum,
    may_be_absent: bool,
) -> Result<(), Unfit> {
    if said == [0, 0] {
        // RFC 768: the sender made none. RFC 8200 §8.1: over IPv6 everybody must.
        return if may_be_absent { Ok(()) } else { Err(Unfit::Checksum) };
    }
    let len = u16::try_from(segment.len()).map_err(|_| Unfit::Short)?;
    let pseudo = pseudo(addresses, len);
    // A sender on this very machine leaves the sum to a card that the frame has not come by: then
    // only what is no part of the datagram is in it.
    if pseudo.plus(Sum::of(segment)).is_whole() || pseudo.folded() == said {
        Ok(())
    } else {
        Err(Unfit::Checksum)
    }
}

/// What the checksum covers beside the datagram. RFC 768, RFC 8200 §8.1.
fn pseudo(addresses: Sum, udp_len: u16) -> Sum {
    let [high, low] = udp_len.to_be_bytes();
    addresses.plus(Sum::of(&[0, PROTOCOL_UDP, high, low]))
}

fn ipv4_header(from: Ipv4Addr, to: Ipv4Addr, total: u16, identification: u16) -> [u8; IPV4_LEN] {
    let mut header = [0; IPV4_LEN];
    header[0] = 0x45;
    header[2..4].copy_from_slice(&total.to_be_bytes());
    header[4..6].copy_from_slice(&identification.to_be_bytes());
    header[8] = HOPS;
    header[9] = PROTOCOL_UDP;
    header[12..16].copy_from_slice(&from.octets());
    header[16..].copy_from_slice(&to.octets());
    let check = Sum::of(&header).checksum();
    header[10..12].copy_from_slice(&check);
    header
}

fn ipv6_header(from: Ipv6Addr, to: Ipv6Addr, udp_len: u16) -> [u8; IPV6_LEN] {
    let mut header = [0; IPV6_LEN];
    header[0] = 0x60;
    header[4..6].copy_from_slice(&udp_len.to_be_bytes());
    header[6] = PROTOCOL_UDP;
    header[7] = HOPS;
    header[8..24].copy_from_slice(&from.octets());
    header[24..].copy_from_slice(&to.octets());
    header
}

#[cfg(test)]
pub(crate) mod made;
#[cfg(test)]
mod tests;
