//! echo: what receiving and sending alone cost on one core.
//!
//! ```text
//! echo ADDR:PORT
//! ```
//!
//! Up to 64 datagrams are taken by one `recvmmsg`, each gets four canned A records appended, so
//! that it has the size of a real answer, and all leave by one `sendmmsg`. It ends when it is
//! ended.
#![allow(unsafe_code, reason = "system calls are all there is to it")]

use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::{env, io, mem, ptr};

const BATCH: usize = 64;
const ROOM: usize = 2048;
const HEADER: usize = 12;

fn main() -> io::Result<()> {
    let Some(address) = env::args().nth(1) else {
        return Err(io::Error::other("usage: echo ADDR:PORT"));
    };
    let socket = UdpSocket::bind(address)?;
    let records: Vec<u8> = (1..=4)
        .flat_map(|host| [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 192, 0, 2, host])
        .collect();
    let size: libc::c_int = 4 << 20;
    for option in [libc::SO_RCVBUF, libc::SO_SNDBUF] {
        // SAFETY: the pointer and the length are those of `size`.
        unsafe {
            let value = (&raw const size).cast();
            libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, option, value, 4);
        }
    }
    serve(&socket, &records);
    Err(io::Error::last_os_error())
}

fn serve(socket: &UdpSocket, records: &[u8]) {
    let mut buffers = vec![[0_u8; ROOM]; BATCH];
    let mut sources: [libc::sockaddr_storage; BATCH];
    let mut pieces: [libc::iovec; BATCH];
    let mut headers: [libc::mmsghdr; BATCH];
    // SAFETY: all three are integers and pointers, which may be zero.
    unsafe { (sources, pieces, headers) = (mem::zeroed(), mem::zeroed(), mem::zeroed()) };
    loop {
        for at in 0..BATCH {
            let base = buffers[at].as_mut_ptr().cast();
            pieces[at] = libc::iovec { iov_base: base, iov_len: ROOM - records.len() };
            headers[at].msg_hdr.msg_iov = &raw mut pieces[at];
            headers[at].msg_hdr.msg_iovlen = 1;
            headers[at].msg_hdr.msg_name = (&raw mut sources[at]).cast();
            headers[at].msg_hdr.msg_namelen = size_of::<libc::sockaddr_storage>() as u32;
        }
        // SAFETY: every header points into the arrays above, which live on.
        let received = unsafe {
            let flags = libc::MSG_WAITFORONE;
            let headers = headers.as_mut_ptr();
            libc::recvmmsg(socket.as_raw_fd(), headers, BATCH as _, flags as _, ptr::null_mut())
        };
        let Ok(received) = usize::try_from(received) else { return };
        for at in 0..received {
            let (buffer, len) = (&mut buffers[at], headers[at].msg_len as usize);
            if len >= HEADER {
                // A response, with authority.
                buffer[2] |= 0x84;
                buffer[7] = 4;
                buffer[len..len + records.len()].copy_from_slice(records);
                pieces[at].iov_len = len + records.len();
            }
        }
        // SAFETY: as above.
        unsafe { libc::sendmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), received as _, 0) };
    }
}
