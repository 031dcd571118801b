//! The system calls that std lacks; the only `unsafe` of the generator.
//!
//! Pieces and headers hold raw pointers, and these are made anew for every call, out of borrows
//! that live until the call returns: no pointer outlives the function that made it.
#![allow(unsafe_code, reason = "the system call file is where unsafe code lives")]

use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::{io, mem, ptr};

/// Datagrams in one call. At 64 the cost of the call itself is lost in that of the datagrams.
pub(crate) const BATCH_WIDTH: usize = 64;

/// Room for one message, in octets: more than any server sends in one datagram unless told to.
const ROOM: usize = 4096;

/// Octets that the kernel may hold for a socket in each direction: more than a window of answers.
const SOCKET_BUFFER_LEN: libc::c_int = 1 << 20;

/// Up to [`BATCH_WIDTH`] messages to or from one connected socket, in memory taken once.
pub(crate) struct Batch {
    messages: Box<[[u8; ROOM]]>,
    lens: Box<[usize]>,
    pieces: Box<[libc::iovec]>,
    headers: Box<[libc::mmsghdr]>,
    count: usize,
}

impl Batch {
    /// An empty batch.
    pub(crate) fn new() -> Self {
        // SAFETY: an `iovec` is a pointer and an integer, a `mmsghdr` is made of such: all of these
        // may be zero.
        let (piece, header) = unsafe { (mem::zeroed(), mem::zeroed()) };
        Self {
            messages: vec![[0; ROOM]; BATCH_WIDTH].into(),
            lens: vec![0; BATCH_WIDTH].into(),
            pieces: vec![piece; BATCH_WIDTH].into(),
            headers: vec![header; BATCH_WIDTH].into(),
            count: 0,
        }
    }

    /// The messages that are in it.
    pub(crate) fn messages(&self) -> impl Iterator<Item = &[u8]> {
        let messages = self.messages.iter().zip(&self.lens).take(self.count);
        messages.map(|(message, &len)| &message[..len])
    }

    /// Takes all messages out.
    pub(crate) fn clear(&mut self) {
        self.count = 0;
    }

    /// Puts a message with this id in. There must be room for it.
    pub(crate) fn push(&mut self, id: u16, message: &[u8]) {
        let place = &mut self.messages[self.count][..message.len()];
        place.copy_from_slice(message);
        place[..2].copy_from_slice(&id.to_be_bytes());
        self.lens[self.count] = message.len();
        self.count += 1;
    }

    /// Replaces the messages by what has come; nothing there is `WouldBlock`.
    pub(crate) fn receive(&mut self, socket: &UdpSocket) -> io::Result<()> {
        self.count = 0;
        self.lens.fill(ROOM);
        let headers = self.aim(BATCH_WIDTH);
        // SAFETY: there are BATCH_WIDTH headers, and every pointer in them was made by `aim` from
        // this batch, which is borrowed until the call returns; the lengths are ROOM.
        let received = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                headers,
                BATCH_WIDTH as libc::c_uint,
                libc::MSG_DONTWAIT as _,
                ptr::null_mut(),
            )
        };
        self.count = count_of(received)?;
        for (len, header) in self.lens.iter_mut().zip(&self.headers).take(self.count) {
            *len = header.msg_len as usize;
        }
        Ok(())
    }

    /// Sends the messages, and returns how many of them, from the first on, the kernel took.
    pub(crate) fn send(&mut self, socket: &UdpSocket) -> io::Result<usize> {
        let count = self.count;
        let headers = self.aim(count);
        // SAFETY: there are `count` headers, and every pointer in them was made by `aim` from this
        // batch, which is borrowed until the call returns; `push` keeps the lengths within ROOM.
        let sent = unsafe {
            let flags = libc::MSG_DONTWAIT as _;
            libc::sendmmsg(socket.as_raw_fd(), headers, count as libc::c_uint, flags)
        };
        count_of(sent)
    }

    /// Has so many headers point at their messages; returns the first of them.
    fn aim(&mut self, count: usize) -> *mut libc::mmsghdr {
        let messages = self.messages.iter_mut().zip(&self.lens);
        let places = self.pieces.iter_mut().zip(&mut self.headers).take(count);
        for ((message, &len), (piece, header)) in messages.zip(places) {
            *piece = libc::iovec { iov_base: message.as_mut_ptr().cast(), iov_len: len };
            header.msg_hdr.msg_iov = piece;
            header.msg_hdr.msg_iovlen = 1;
        }
        self.headers.as_mut_ptr()
    }
}

/// Negative is the one failure of the conversion.
fn count_of(returned: libc::c_int) -> io::Result<usize> {
    usize::try_from(returned).map_err(|_| io::Error::last_os_error())
}

/// Has the kernel hold as much for the socket as the window may bring at once.
pub(crate) fn widen_buffers(socket: &UdpSocket) -> io::Result<()> {
    let len = SOCKET_BUFFER_LEN;
    for option in [libc::SO_RCVBUF, libc::SO_SNDBUF] {
        // SAFETY: the pointer and the length are those of `len`, which outlives the call.
        let status = unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                option,
                (&raw const len).cast(),
                size_of_val(&len) as libc::socklen_t,
            )
        };
        count_of(status)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_goes_and_comes_back() {
        let [here, there] = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
        here.connect(there.local_addr().unwrap()).unwrap();
        there.connect(here.local_addr().unwrap()).unwrap();
        widen_buffers(&here).unwrap();
        let mut batch = Batch::new();
        assert_eq!(batch.receive(&here).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        let sent: Vec<[u8; 3]> = (0..BATCH_WIDTH as u8).map(|at| [1, at, 9]).collect();
        for at in 0..BATCH_WIDTH as u16 {
            batch.push(0x100 | at, &[0, 0, 9]);
        }
        assert!(batch.messages().eq(&sent));
        assert_eq!(batch.send(&here).unwrap(), BATCH_WIDTH);
        batch.clear();
        assert_eq!(batch.messages().count(), 0);
        batch.receive(&there).unwrap();
        assert!(batch.messages().eq(&sent));
    }
}
