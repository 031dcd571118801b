//! Many datagrams in one system call: `recvmmsg` and `sendmmsg` over arrays made once.
//!
//! One call for up to 64 datagrams costs a quarter less per query than one call for each. What
//! the kernel sees and fills:
//!
//! ```text
//!  slots    [ source | control | query ....... | response ....... ]  x 64   the bytes
//!              ^          ^       ^  (receive)     ^  (send)
//!              |          |       '---------+------'
//!  pieces      |          |         [ base, len ]                    x 64   one iovec a message
//!              |          |               ^
//!  headers  [ name ,   control ,     iov, 1     , flags | len ]      x 64   one mmsghdr a message
//! ```
//!
//! A slot owns everything about one datagram, so that its lines lie together, and is no multiple
//! of 4096 octets long, so that the first lines of all slots do not fight for the same few sets of
//! the first cache. The answer goes where the query came from, so `send` reuses `source` as it
//! was received, and `control` too: it tells the address that was asked, and the same structure,
//! sent back, makes that the address that the answer leaves from.
//!
//! Pieces and headers hold raw pointers, and these are made anew for every call, out of borrows
//! that live until the call returns. That is a few dozen stores, far below the price of the call,
//! and it means that no pointer ever outlives the function that made it.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket};
use std::os::fd::AsRawFd;
use std::{mem, ptr};

/// Datagrams in one call. At 64 the cost of the call itself is lost in the cost of the datagrams;
/// more would only let the first answer of a batch wait longer for the last (64 take a quarter of
/// a millisecond).
pub(in crate::serve) const BATCH_WIDTH: usize = 64;

/// Longest query taken in whole, in octets. No client has a reason to send more than a name, an
/// OPT record and some padding. The rest of a longer datagram is cut off by the kernel, and the
/// start is answered as what it is: a message whose counts promise more than there is.
const QUERY_LEN_MAX: usize = 4096;

/// Longest response, in octets: the most that `dns.udp_size` can allow.
pub(in crate::serve) const RESPONSE_LEN_MAX: usize = 4096;

/// Where a datagram came from, as the kernel writes it.
#[derive(Clone, Copy)]
#[repr(C)]
union Source {
    family: libc::sa_family_t,
    v4: libc::sockaddr_in,
    v6: libc::sockaddr_in6,
}

/// Room for the one control message that a wildcard-bound socket asks for: `in_pktinfo` (12
/// octets) or `in6_pktinfo` (20 octets).
#[derive(Clone, Copy)]
#[repr(C)]
struct Control {
    header: libc::cmsghdr,
    body: [u8; 20],
}

// `Control` is what CMSG_SPACE(20) asks for, with the body where CMSG_DATA looks for it.
const _: () = {
    // SAFETY: both only calculate with their argument.
    let (space, head) = unsafe { (libc::CMSG_SPACE(20), libc::CMSG_LEN(0)) };
    assert!(size_of::<Control>() == space as usize);
    assert!(mem::offset_of!(Control, body) == head as usize);
};

#[derive(Clone, Copy)]
#[repr(C)]
struct Slot {
    source: Source,
    control: Control,
    source_len: libc::socklen_t,
    /// 0: the socket is bound to one address, and so are its answers.
    control_len: usize,
    query_len: usize,
    /// 0: no answer.
    response_len: usize,
    query: [u8; QUERY_LEN_MAX],
    response: [u8; RESPONSE_LEN_MAX],
}

const _: () = assert!(!size_of::<Slot>().is_multiple_of(4096));

/// What became of the answers of one batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::serve) struct Sent {
    /// Taken by the kernel.
    pub(in crate::serve) sent: usize,
    /// Refused by it, or given up because the queue of the interface stayed full.
    pub(in crate::serve) failed: usize,
}

/// Up to [`BATCH_WIDTH`] datagrams and their answers. Belongs to one thread.
pub(in crate::serve) struct Batch {
    slots: Box<[Slot]>,
    pieces: Box<[libc::iovec]>,
    headers: Box<[libc::mmsghdr]>,
    /// How many slots hold a query that has not been followed by another `receive`.
    received: usize,
}

impl Batch {
    /// An empty batch; all its memory is taken here.
    pub(in crate::serve) fn new() -> Self {
        // SAFETY: `Slot`, `iovec` and `mmsghdr` are integers, arrays of them and raw pointers;
        // all of these may be all zeroes.
        unsafe {
            Self {
                slots: Box::new_zeroed_slice(BATCH_WIDTH).assume_init(),
                pieces: Box::new_zeroed_slice(BATCH_WIDTH).assume_init(),
                headers: Box::new_zeroed_slice(BATCH_WIDTH).assume_init(),
                received: 0,
            }
        }
    }

    /// Takes what has arrived at the socket, waiting (as long as the socket's receive timeout) for
    /// the first datagram if `wait`; returns how many there are. Nothing there is `WouldBlock`.
    pub(in crate::serve) fn receive(
        &mut self,
        socket: &UdpSocket,
        wait: bool,
    ) -> io::Result<usize> {
        self.received = 0;
        let slots = self.slots.iter_mut();
        for ((slot, piece), header) in slots.zip(&mut self.pieces).zip(&mut self.headers) {
            piece.iov_base = slot.query.as_mut_ptr().cast();
            piece.iov_len = slot.query.len();
            header.msg_hdr.msg_name = (&raw mut slot.source).cast();
            header.msg_hdr.msg_namelen = size_of::<Source>() as libc::socklen_t;
            header.msg_hdr.msg_iov = piece;
            header.msg_hdr.msg_iovlen = 1;
            header.msg_hdr.msg_control = (&raw mut slot.control).cast();
            header.msg_hdr.msg_controllen = size_of::<Control>() as _;
        }
        // WAITFORONE: block for the first datagram only, then take what is there.
        let flags = if wait { libc::MSG_WAITFORONE } else { libc::MSG_DONTWAIT };
        // SAFETY: there are BATCH_WIDTH headers, and every pointer in them was made above from
        // the unique borrows of this batch's slots and pieces, which last until the call returns.
        let count = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                self.headers.as_mut_ptr(),
                BATCH_WIDTH as libc::c_uint,
                flags as _,
                ptr::null_mut(),
            )
        };
        // Negative is the one failure of the conversion.
        let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
        for (slot, header) in self.slots.iter_mut().zip(&self.headers).take(count) {
            slot.source_len = header.msg_hdr.msg_namelen;
            slot.control_len = header.msg_hdr.msg_controllen as _;
            slot.query_len = header.msg_len as usize;
            slot.response_len = 0;
        }
        self.received = count;
        Ok(count)
    }

    /// Hands every query received to `respond`, with where it came from and room for the answer;
    /// `respond` returns the length of the answer, or nothing for silence. Returns the number of
    /// queries that met silence.
    pub(in crate::serve) fn answer(
        &mut self,
        mut respond: impl FnMut(&[u8], SocketAddr, &mut [u8]) -> Option<usize>,
    ) -> usize {
        let mut silent = 0;
        for slot in &mut self.slots[..self.received] {
            let query = &slot.query[..slot.query_len.min(QUERY_LEN_MAX)];
            // Port 0 cannot be answered: only a forged datagram comes from there.
            slot.response_len = slot
                .source
                .address()
                .filter(|source| source.port() != 0)
                .and_then(|source| respond(query, source, &mut slot.response))
                .map_or(0, |len| len.min(RESPONSE_LEN_MAX));
            silent += usize::from(slot.response_len == 0);
        }
        silent
    }

    /// Sends the answers to where their queries came from. An answer that the kernel refuses (no
    /// route, a packet filter) is left out and the rest go on; when the send queue stays full for
    /// the socket's send timeout, the rest is given up.
    pub(in crate::serve) fn send(&mut self, socket: &UdpSocket) -> Sent {
        let mut ready = 0;
        let slots = self.slots[..self.received].iter_mut().filter(|slot| slot.response_len > 0);
        for ((slot, piece), header) in slots.zip(&mut self.pieces).zip(&mut self.headers) {
            slot.control.release_interface();
            piece.iov_base = slot.response.as_mut_ptr().cast();
            piece.iov_len = slot.response_len;
            header.msg_hdr.msg_name = (&raw mut slot.source).cast();
            header.msg_hdr.msg_namelen = slot.source_len;
            header.msg_hdr.msg_iov = piece;
            header.msg_hdr.msg_iovlen = 1;
            header.msg_hdr.msg_control = (&raw mut slot.control).cast();
            header.msg_hdr.msg_controllen = slot.control_len as _;
            ready += 1;
        }
        let mut outcome = Sent { sent: 0, failed: 0 };
        let mut next = 0;
        while next < ready {
            let rest = &mut self.headers[next..ready];
            // SAFETY: `rest` is a slice of headers, and every pointer in it was made above from
            // the unique borrows of this batch's slots and pieces; this function touches neither
            // again.
            let count = unsafe {
                libc::sendmmsg(socket.as_raw_fd(), rest.as_mut_ptr(), rest.len() as _, 0)
            };
            // The kernel reports an error only for the first message of a call.
            let Ok(count) = usize::try_from(count) else {
                let error = io::Error::last_os_error().kind();
                if error == io::ErrorKind::WouldBlock {
                    outcome.failed += ready - next;
                    break;
                }
                if error != io::ErrorKind::Interrupted {
                    outcome.failed += 1;
                    next += 1;
                }
                continue;
            };
            outcome.sent += count;
            next += count;
        }
        self.received = 0;
        outcome
    }
}

impl Source {
    /// The address and port; nothing for a family that a DNS socket does not have.
    fn address(&self) -> Option<SocketAddr> {
        // SAFETY: every field is made of integers, and all octets of the union are initialised:
        // by zeroes in `Batch::new`, then by the kernel, which writes the family that it names.
        unsafe {
            match libc::c_int::from(self.family) {
                libc::AF_INET => Some(SocketAddr::V4(SocketAddrV4::new(
                    Ipv4Addr::from(u32::from_be(self.v4.sin_addr.s_addr)),
                    u16::from_be(self.v4.sin_port),
                ))),
                libc::AF_INET6 => Some(SocketAddr::V6(SocketAddrV6::new(
                    Ipv6Addr::from(self.v6.sin6_addr.s6_addr),
                    u16::from_be(self.v6.sin6_port),
                    0,
                    self.v6.sin6_scope_id,
                ))),
                _ => None,
            }
        }
    }
}

impl Control {
    /// Forgets by which interface the query came: routing decides by which the answer leaves, and
    /// the two may differ. Link-local addresses mean nothing without the interface and keep it.
    ///
    /// ```text
    ///  in_pktinfo   ifindex:4  spec_dst:4  addr:4      answers leave from spec_dst
    ///  in6_pktinfo  addr:16    ifindex:4               answers leave from addr
    /// ```
    fn release_interface(&mut self) {
        match (self.header.cmsg_level, self.header.cmsg_type) {
            (libc::IPPROTO_IP, libc::IP_PKTINFO) => self.body[..4].fill(0),
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                let (asked, interface) = self.body.split_at_mut(16);
                let link_local = asked[0] == 0xfe && asked[1] & 0xc0 == 0x80;
                if !link_local {
                    interface.fill(0);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
impl Batch {
    /// Has the query in this slot come from elsewhere.
    pub(in crate::serve) fn readdress(&mut self, slot: usize, to: SocketAddrV4) {
        // SAFETY: a `sockaddr_in` is made of integers.
        let mut v4: libc::sockaddr_in = unsafe { mem::zeroed() };
        v4.sin_family = libc::AF_INET as libc::sa_family_t;
        v4.sin_port = to.port().to_be();
        v4.sin_addr.s_addr = u32::from(*to.ip()).to_be();
        self.slots[slot].source.v4 = v4;
    }
}
