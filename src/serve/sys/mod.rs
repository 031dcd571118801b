//! The system calls that no safe library offers in the shape we need; the only `unsafe` of Rota.
//!
//! - [`Batch`]: many datagrams in one call, each answer leaving from the address that was asked.
//!   `nix` takes one control message for a whole batch, so it could not do the second half.
//! - [`answer_from_the_address_asked`] and [`ignore_path_mtu`]: two options that `socket2` lacks.
//! - [`Readiness`]: which of several sockets has something.
//! - [`cores`] and [`pin`]: which cores the process may use, and staying on one.
//! - `xdp/`: frames from the driver, before the kernel makes packets of them.
//! - [`use_large_pages`]: fewer pages for much memory. No library asks for it.
//! - `process.rs`: what was passed to the process, and as whom it runs. `rustix` speaks of threads
//!   here, and a user is the whole process's.
//!
//! Everything here has a safe face: no caller can pass an argument that breaks a promise made to
//! the kernel. What can be done with `std`, `socket2` or `tokio` is not done here.
#![allow(unsafe_code, reason = "the system call files are where unsafe code lives")]

mod batch;
mod memory;
mod process;
pub(super) mod xdp;

#[cfg(test)]
use batch::{BATCH_WIDTH, RESPONSE_LEN_MAX};
pub(super) use batch::{Batch, Sent};
pub use memory::use_large_pages;
pub use process::{User, passed_descriptors};

use std::net::UdpSocket;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;
use std::{io, mem};

/// The family of a socket, where its options have two names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// Has the kernel tell with every datagram which of our addresses it was sent to (RFC 3542 §6.2
/// for IPv6). Only a socket bound to the wildcard address needs to be told.
pub(super) fn answer_from_the_address_asked(socket: &impl AsFd, family: Family) -> io::Result<()> {
    match family {
        Family::V4 => set_option(socket, libc::IPPROTO_IP, libc::IP_PKTINFO, 1),
        Family::V6 => set_option(socket, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 1),
    }
}

/// Sends datagrams as large as the interface takes, whatever path MTU somebody reported: a forged
/// ICMP message must not be able to make answers fragment or fail.
pub(super) fn ignore_path_mtu(socket: &impl AsFd, family: Family) -> io::Result<()> {
    let (level, option, omit, dont) = match family {
        Family::V4 => (
            libc::IPPROTO_IP,
            libc::IP_MTU_DISCOVER,
            libc::IP_PMTUDISC_OMIT,
            libc::IP_PMTUDISC_DONT,
        ),
        Family::V6 => (
            libc::IPPROTO_IPV6,
            libc::IPV6_MTU_DISCOVER,
            libc::IPV6_PMTUDISC_OMIT,
            libc::IPV6_PMTUDISC_DONT,
        ),
    };
    // OMIT is missing from old kernels and some sandboxes; DONT at least never sets DF.
    set_option(socket, level, option, omit).or_else(|_| set_option(socket, level, option, dont))
}

fn set_option(
    socket: &impl AsFd,
    level: libc::c_int,
    option: libc::c_int,
    value: libc::c_int,
) -> io::Result<()> {
    // SAFETY: the pointer and the length are those of `value`, which outlives the call.
    let status = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            level,
            option,
            (&raw const value).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    done(status)
}

/// Which of several sockets has something to read.
pub(super) struct Readiness<'a> {
    sockets: &'a [UdpSocket],
    /// Those of the sockets, and room for others behind them.
    entries: Vec<libc::pollfd>,
}

impl<'a> Readiness<'a> {
    /// Watches these sockets for as long as it lives.
    pub(super) fn of(sockets: &'a [UdpSocket]) -> Self {
        Self { sockets, entries: sockets.iter().map(entry).collect() }
    }

    /// Waits until a socket, or one of the others, has something, and gives all sockets that do;
    /// none when `timeout` passed.
    pub(super) fn wait(
        &mut self,
        others: &[impl AsFd],
        timeout: Duration,
    ) -> io::Result<impl Iterator<Item = &'a UdpSocket>> {
        self.entries.truncate(self.sockets.len());
        self.entries.extend(others.iter().map(entry));
        let timeout = libc::c_int::try_from(timeout.as_millis()).unwrap_or(libc::c_int::MAX);
        // SAFETY: pointer and length are those of `entries`; the descriptors in it are open,
        // because `sockets` and `others` are borrowed.
        let count = unsafe {
            libc::poll(self.entries.as_mut_ptr(), self.entries.len() as libc::nfds_t, timeout)
        };
        if count < 0 {
            return Err(io::Error::last_os_error());
        }
        // An error waiting at a socket is an event too: receiving takes it away.
        let ready = self.entries.iter().zip(self.sockets).filter(|(entry, _)| entry.revents != 0);
        Ok(ready.map(|(_, socket)| socket))
    }
}

fn entry(of: &impl AsFd) -> libc::pollfd {
    libc::pollfd { fd: of.as_fd().as_raw_fd(), events: libc::POLLIN, revents: 0 }
}

/// A core of this machine, by the kernel's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Core(usize);

/// The cores that this thread may run on, which for a container are those it was given. Empty if
/// the kernel does not say, as with more cores than the mask has bits (1024).
pub(super) fn cores() -> Vec<Core> {
    // SAFETY: a `cpu_set_t` is an array of integers; pointer and length are those of `mask`.
    let (mask, status) = unsafe {
        let mut mask: libc::cpu_set_t = mem::zeroed();
        let status = libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &mut mask);
        (mask, status)
    };
    if status != 0 {
        return Vec::new();
    }
    // SAFETY: the index stays below the number of bits of the mask.
    let allowed = |&core: &usize| unsafe { libc::CPU_ISSET(core, &mask) };
    (0..libc::CPU_SETSIZE as usize).filter(allowed).map(Core).collect()
}

/// Keeps the calling thread on this core, so that its memory stays in this core's caches.
pub(super) fn pin(core: Core) -> io::Result<()> {
    // SAFETY: a `cpu_set_t` is an array of integers; a `Core` is an index below its number of
    // bits, because only `cores` makes one; pointer and length are those of `mask`.
    let status = unsafe {
        let mut mask: libc::cpu_set_t = mem::zeroed();
        libc::CPU_SET(core.0, &mut mask);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &mask)
    };
    done(status)
}

/// Has the calling thread run after others that want the same core: what it does can wait.
pub fn stand_back() {
    if let Err(error) = rustix::process::setpriority_process(None, LATER) {
        // It is as quick as the others then.
        tracing::debug!(%error, "a thread could not be put behind others");
    }
}

/// A nice value: where two threads want one core, this one gets a quarter of it. Of Linux it is the
/// thread's own (sched(7)).
const LATER: i32 = 5;

fn done(status: libc::c_int) -> io::Result<()> {
    if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests;
