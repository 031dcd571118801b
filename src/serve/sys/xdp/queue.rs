//! One queue of an interface: a socket of `AF_XDP`, its four rings and its memory.
//!
//! ```text
//!   fill ──► the driver writes ──► received ──► answered in place ──► send ──► completion
//!     ▲                                                                           │
//!     └───────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! Memory and rings are this queue's alone: a worker that serves several has several, and nothing
//! is shared or locked. The face is that of [`Batch`](super::super::Batch): receive, answer, send.

use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Duration;
use std::{io, mem, ptr, thread};

use super::super::batch::{BATCH_WIDTH, Sent};
use super::super::done;
use super::Mode;
use super::exchange::{Exchange, Piece, Rings};
use super::ledger::{Census, FRAME_LEN, Frame};
use super::ring::{Mapping, Reader, Writer};

/// Frames of one queue, 8 MiB: half of them wait to be filled, which is what the network may send
/// while the worker is away; the others are on their way out.
const FRAMES: u32 = 4096;
/// Slots of the rings of frames to be filled, received, and to be sent.
const RING_LEN: u32 = FRAMES / 2;
/// Slots for those that were sent: for all, so that none waits for a slot.
const COMPLETION_LEN: u32 = FRAMES;
/// Octets that the kernel keeps free before a frame.
const HEADROOM: usize = 256;
/// Longest frame that is taken from the kernel, in octets.
pub(super) const TAKEN_LEN_MAX: usize = FRAME_LEN - HEADROOM;
/// Calls in a row that tell the kernel to send: one moves 32 frames.
const CALLS_MAX: usize = 2 * BATCH_WIDTH / 32;
/// How long the last answers may take to leave, and how often it is looked.
const LAST_PATIENCE: [Duration; 2] = [Duration::from_millis(2), Duration::from_millis(100)];

/// The family of these sockets, which not every C library names.
const AF_XDP: libc::c_int = 44;
/// An option that not every C library names: frames that one call sends. Linux 6.17.
const XDP_MAX_TX_SKB_BUDGET: libc::c_int = 9;

/// Frames that the kernel had and could not give, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::serve) struct Losses {
    /// The worker was away for longer than the rings hold.
    pub(in crate::serve) full: u64,
    /// Descriptors that the kernel could not read.
    pub(in crate::serve) invalid: u64,
}

/// One queue of an interface, taken below the sockets. Belongs to one thread.
#[derive(Debug)]
pub(in crate::serve) struct Queue {
    exchange: Exchange<Mapped>,
    interface: Box<str>,
    number: u32,
}

impl Queue {
    /// Opens the socket of a queue. Nothing arrives before it is put into the program's map.
    pub(super) fn open(
        interface: &str,
        index: u32,
        number: u32,
        mtu: usize,
        seed: u64,
    ) -> io::Result<Self> {
        let rings = Mapped::open()?;
        rings.bind(index, number)?;
        let exchange = Exchange::new(rings, FRAMES, mtu, seed);
        let mut queue = Self { exchange, interface: interface.into(), number };
        queue.exchange.recover();
        Ok(queue)
    }

    /// How the frames come from the driver.
    pub(super) fn mode(&self, generic: bool) -> Mode {
        let mut options: libc::xdp_options = libc::xdp_options { flags: 0 };
        let told = self.exchange.rings.ask(libc::XDP_OPTIONS, &mut options);
        match told {
            _ if generic => Mode::Generic,
            Ok(()) if options.flags & libc::XDP_OPTIONS_ZEROCOPY != 0 => Mode::ZeroCopy,
            Ok(()) | Err(_) => Mode::Copy,
        }
    }

    /// Takes what has arrived, up to one batch; returns how many frames that are.
    pub(in crate::serve) fn receive(&mut self) -> usize {
        self.exchange.receive()
    }

    /// As [`Batch::answer`](super::super::Batch::answer); frames without a query meet silence.
    pub(in crate::serve) fn answer(
        &mut self,
        respond: impl FnMut(&[u8], SocketAddr, &mut [u8]) -> Option<usize>,
    ) -> usize {
        self.exchange.answer(respond)
    }

    /// Sends the answers by the queue that the queries came from.
    pub(in crate::serve) fn send(&mut self) -> Sent {
        self.exchange.send()
    }

    /// Has the kernel go on with answers that it has yet to send, as after an interface was down.
    pub(in crate::serve) fn prod(&mut self) {
        if self.is_sending() {
            self.exchange.rings.flush();
        }
        self.exchange.recover();
    }

    /// Whether there are answers that the kernel has yet to send.
    pub(in crate::serve) fn is_sending(&self) -> bool {
        self.exchange.rings.send.is_pending()
    }

    /// Waits a little until the last answers have left; returns where the frames are then.
    pub(in crate::serve) fn wind_up(&mut self) -> Census {
        let [step, patience] = LAST_PATIENCE;
        let mut waited = Duration::ZERO;
        loop {
            self.prod();
            let census = self.exchange.census();
            if census.leaving == 0 || waited >= patience {
                return census;
            }
            thread::sleep(step);
            waited += step;
        }
    }

    /// What the kernel could not give.
    pub(in crate::serve) fn losses(&self) -> io::Result<Losses> {
        // SAFETY: it is made of integers.
        let mut counts: libc::xdp_statistics = unsafe { mem::zeroed() };
        self.exchange.rings.ask(libc::XDP_STATISTICS, &mut counts)?;
        Ok(Losses {
            full: counts.rx_dropped + counts.rx_ring_full + counts.rx_fill_ring_empty_descs,
            invalid: counts.rx_invalid_descs + counts.tx_invalid_descs,
        })
    }

    /// Why nothing will ever arrive again; none while the interface is there.
    pub(in crate::serve) fn failure(&self) -> Option<io::Error> {
        let mut code: libc::c_int = 0;
        let told = option(&self.exchange.rings.socket, libc::SOL_SOCKET, libc::SO_ERROR, &mut code);
        (told.is_ok() && code != 0).then(|| io::Error::from_raw_os_error(code))
    }

    /// Its interface.
    pub(in crate::serve) fn interface(&self) -> &str {
        &self.interface
    }

    /// Which of the interface's queues it is.
    pub(in crate::serve) fn number(&self) -> u32 {
        self.number
    }
}

impl AsFd for Queue {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.exchange.rings.socket.as_fd()
    }
}

/// The kernel's side of a queue. The socket goes first, so that the kernel writes no more.
#[derive(Debug)]
struct Mapped {
    socket: OwnedFd,
    fill: Writer<u64>,
    completion: Reader<u64>,
    received: Reader<libc::xdp_desc>,
    send: Writer<libc::xdp_desc>,
    memory: Mapping,
}

impl Mapped {
    fn open() -> io::Result<Self> {
        // SAFETY: all arguments are integers.
        let socket = unsafe { libc::socket(AF_XDP, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
        if socket < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: it was just opened, and nobody else owns it.
        let socket = unsafe { OwnedFd::from_raw_fd(socket) };
        let memory = Mapping::anonymous(FRAMES as usize * FRAME_LEN)?;
        // SAFETY: it is made of integers.
        let mut umem: libc::xdp_umem_reg = unsafe { mem::zeroed() };
        umem.addr = memory.start().as_ptr() as u64;
        umem.len = memory.len() as u64;
        umem.chunk_size = FRAME_LEN as u32;
        set(&socket, libc::XDP_UMEM_REG, &umem)?;
        set(&socket, libc::XDP_UMEM_FILL_RING, &RING_LEN)?;
        set(&socket, libc::XDP_UMEM_COMPLETION_RING, &COMPLETION_LEN)?;
        set(&socket, libc::XDP_RX_RING, &RING_LEN)?;
        set(&socket, libc::XDP_TX_RING, &RING_LEN)?;
        // One call for a batch rather than two, where the kernel can; all the same where not.
        drop(set(&socket, XDP_MAX_TX_SKB_BUDGET, &(BATCH_WIDTH as u32)));
        // SAFETY: it is made of integers.
        let mut offsets: libc::xdp_mmap_offsets = unsafe { mem::zeroed() };
        option(&socket, libc::SOL_XDP, libc::XDP_MMAP_OFFSETS, &mut offsets)?;
        let (fd, pages) = (socket.as_fd(), Pages::default());
        Ok(Self {
            fill: Writer::new(fd, pages.fill, offsets.fr, RING_LEN)?,
            completion: Reader::new(fd, pages.completion, offsets.cr, COMPLETION_LEN)?,
            received: Reader::new(fd, pages.received, offsets.rx, RING_LEN)?,
            send: Writer::new(fd, pages.send, offsets.tx, RING_LEN)?,
            memory,
            socket,
        })
    }

    /// Without a word on copies: the kernel takes the driver's memory where that can be had.
    fn bind(&self, index: u32, number: u32) -> io::Result<()> {
        let address = libc::sockaddr_xdp {
            sxdp_family: AF_XDP as u16,
            sxdp_flags: libc::XDP_USE_NEED_WAKEUP,
            sxdp_ifindex: index,
            sxdp_queue_id: number,
            sxdp_shared_umem_fd: 0,
        };
        let len = size_of::<libc::sockaddr_xdp>() as libc::socklen_t;
        // SAFETY: the pointer and the length are those of `address`, which outlives the call.
        done(unsafe { libc::bind(self.socket.as_raw_fd(), (&raw const address).cast(), len) })
    }

    fn ask<T>(&self, name: libc::c_int, value: &mut T) -> io::Result<()> {
        option(&self.socket, libc::SOL_XDP, name, value)
    }

    /// Tells the kernel that there is something to send.
    fn call_to_send(&self) {
        for _ in 0..CALLS_MAX {
            // SAFETY: there is nothing to send beside what is in the ring: no pointer is given.
            let status = unsafe {
                let (fd, none) = (self.socket.as_raw_fd(), ptr::null());
                libc::sendto(fd, none, 0, libc::MSG_DONTWAIT, ptr::null(), 0)
            };
            let again = status < 0
                && matches!(
                    io::Error::last_os_error().kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                );
            // What it could not take now it is told of again with the next batch.
            if !again || !self.send.is_pending() {
                break;
            }
        }
    }

    /// Tells the kernel that there are frames to be filled again.
    fn call_to_fill(&self) {
        // SAFETY: nothing is read: no pointer is given.
        unsafe {
            let (fd, none) = (self.socket.as_raw_fd(), ptr::null_mut());
            libc::recvfrom(fd, none, 0, libc::MSG_DONTWAIT, ptr::null_mut(), ptr::null_mut());
        }
    }
}

impl Rings for Mapped {
    fn arrived(&mut self) -> Option<Piece> {
        self.received.take().map(|it| Piece { address: it.addr, len: it.len })
    }

    fn gone(&mut self) -> Option<u64> {
        self.completion.take()
    }

    fn fill(&mut self, address: u64) -> bool {
        self.fill.put(address)
    }

    fn leave(&mut self, piece: Piece) -> bool {
        self.send.put(libc::xdp_desc { addr: piece.address, len: piece.len, options: 0 })
    }

    fn publish(&mut self) {
        self.completion.release();
        self.received.release();
        self.fill.publish();
        if self.fill.wants_a_call() {
            self.call_to_fill();
        }
    }

    fn flush(&mut self) {
        self.send.publish();
        if self.send.wants_a_call() {
            self.call_to_send();
        }
    }

    fn octets(&mut self, frame: &Frame) -> &mut [u8] {
        assert!(frame.at() + FRAME_LEN <= self.memory.len(), "ledger and memory are of one size");
        // SAFETY: the place lies within the memory, which was made of zeroes. There is one `Frame`
        // for each place, the ledger gives it only while the kernel does not have it, and it and
        // `self` are borrowed as long as the octets are.
        unsafe {
            let start = self.memory.start().add(frame.at());
            std::slice::from_raw_parts_mut(start.as_ptr(), FRAME_LEN)
        }
    }
}

/// Where each ring of a socket is mapped.
struct Pages {
    received: u64,
    send: u64,
    fill: u64,
    completion: u64,
}

impl Default for Pages {
    fn default() -> Self {
        Self {
            received: libc::XDP_PGOFF_RX_RING as u64,
            send: libc::XDP_PGOFF_TX_RING as u64,
            fill: libc::XDP_UMEM_PGOFF_FILL_RING,
            completion: libc::XDP_UMEM_PGOFF_COMPLETION_RING,
        }
    }
}

fn set<T>(socket: &OwnedFd, name: libc::c_int, value: &T) -> io::Result<()> {
    let len = size_of::<T>() as libc::socklen_t;
    // SAFETY: the pointer and the length are those of `value`, which outlives the call.
    done(unsafe {
        let value = ptr::from_ref(value).cast();
        libc::setsockopt(socket.as_raw_fd(), libc::SOL_XDP, name, value, len)
    })
}

/// Asks for an option; `value` is integers, any of which the kernel may write.
fn option<T>(
    socket: &OwnedFd,
    level: libc::c_int,
    name: libc::c_int,
    value: &mut T,
) -> io::Result<()> {
    let mut len = size_of::<T>() as libc::socklen_t;
    // SAFETY: the pointer and the length are those of `value`, which outlives the call; callers
    // here give integers and structures of them alone.
    done(unsafe {
        let value = ptr::from_mut(value).cast();
        libc::getsockopt(socket.as_raw_fd(), level, name, value, &mut len)
    })
}
