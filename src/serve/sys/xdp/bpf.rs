//! The system call `bpf(2)`: a map, a program, and a link that holds it to an interface.
//!
//! A link goes with its descriptor: whatever ends the process, the interface is the kernel's again
//! (Linux 5.9). With netlink a program would stay and frames would wait for nobody.

use std::ffi::{CStr, c_long};
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

use super::super::done;
use super::assembler::Instruction;

const MAP_CREATE: c_long = 0;
const MAP_UPDATE: c_long = 2;
const PROGRAM_LOAD: c_long = 5;
const LINK_CREATE: c_long = 28;

/// A map of sockets by queue.
const MAP_OF_SOCKETS: u32 = 17;
/// A program that sees frames first; and where it is held to.
const PROGRAM_XDP: u32 = 6;
const ATTACH_XDP: u32 = 37;
/// Before the driver has made a packet of it, or after.
const GENERIC: u32 = 1 << 1;
const NATIVE: u32 = 1 << 2;

/// What shows up beside the program in `bpftool prog`.
const NAME: [u8; 16] = *b"rota\0\0\0\0\0\0\0\0\0\0\0\0";
/// Functions that only programs under the GPL may call are not called.
const LICENSE: &CStr = c"MIT OR Apache-2.0";
/// What the kernel says of a program that it refuses.
const COMPLAINT_LEN: usize = 64 * 1024;

// Each of these is the first part of a union that only grows; the kernel takes the rest as zero.

#[repr(C)]
struct MapCreate {
    kind: u32,
    key_len: u32,
    value_len: u32,
    entries: u32,
    flags: u32,
}

#[repr(C)]
struct MapUpdate {
    map: u32,
    _gap: u32,
    key: u64,
    value: u64,
    flags: u64,
}

#[repr(C)]
struct ProgramLoad {
    kind: u32,
    len: u32,
    code: u64,
    license: u64,
    log_level: u32,
    log_len: u32,
    log: u64,
    kernel: u32,
    flags: u32,
    name: [u8; 16],
    interface: u32,
    expected: u32,
}

#[repr(C)]
struct LinkCreate {
    program: u32,
    interface: u32,
    kind: u32,
    flags: u32,
}

/// Sockets by queue.
#[derive(Debug)]
pub(super) struct Map(OwnedFd);

impl Map {
    /// With room for so many queues.
    pub(super) fn new(queues: u32) -> io::Result<Self> {
        let wanted =
            MapCreate { kind: MAP_OF_SOCKETS, key_len: 4, value_len: 4, entries: queues, flags: 0 };
        // SAFETY: it holds integers alone.
        unsafe { create(MAP_CREATE, &wanted) }.map(Self)
    }

    /// From now on the frames of a queue go to this socket.
    pub(super) fn put(&self, queue: u32, socket: &impl AsFd) -> io::Result<()> {
        let descriptor = socket.as_fd().as_raw_fd() as u32;
        let update = MapUpdate {
            map: self.0.as_raw_fd() as u32,
            _gap: 0,
            key: ptr::from_ref(&queue) as u64,
            value: ptr::from_ref(&descriptor) as u64,
            flags: 0,
        };
        // SAFETY: both addresses are those of values of four octets, which outlive the call.
        done(unsafe { call(MAP_UPDATE, &update) } as libc::c_int)
    }

    /// Its number in a program.
    pub(super) fn descriptor(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// Loads a program. Where the kernel refuses it for what it does, the error says the kernel's last
/// words on it.
pub(super) fn load(code: &[Instruction]) -> io::Result<OwnedFd> {
    let mut wanted = ProgramLoad {
        kind: PROGRAM_XDP,
        len: code.len() as u32,
        code: code.as_ptr() as u64,
        license: LICENSE.as_ptr() as u64,
        log_level: 0,
        log_len: 0,
        log: 0,
        kernel: 0,
        flags: 0,
        name: NAME,
        interface: 0,
        expected: ATTACH_XDP,
    };
    // SAFETY: the addresses are those of so many instructions and of a text with its end, which
    // outlive the call.
    let refused = match unsafe { create(PROGRAM_LOAD, &wanted) } {
        Ok(program) => return Ok(program),
        Err(error) if error.raw_os_error() == Some(libc::EPERM) => return Err(error),
        Err(error) => error,
    };
    let mut log = vec![0_u8; COMPLAINT_LEN];
    wanted.log_level = 1;
    wanted.log_len = COMPLAINT_LEN as u32;
    wanted.log = log.as_mut_ptr() as u64;
    // SAFETY: as above; the kernel writes into `log` no more than it has.
    if let Ok(program) = unsafe { create(PROGRAM_LOAD, &wanted) } {
        return Ok(program);
    }
    let said = String::from_utf8_lossy(&log);
    let mut lines = said.trim_end_matches('\0').lines().rev();
    // The last line counts what was looked at.
    let last = lines.find(|line| !line.starts_with("processed ")).unwrap_or_default();
    Err(io::Error::new(refused.kind(), format!("{refused}: {last}")))
}

/// Holds a program to an interface as long as what is returned lives.
pub(super) fn attach(program: &OwnedFd, interface: u32, generic: bool) -> io::Result<OwnedFd> {
    let wanted = LinkCreate {
        program: program.as_raw_fd() as u32,
        interface,
        kind: ATTACH_XDP,
        flags: if generic { GENERIC } else { NATIVE },
    };
    // SAFETY: it holds integers alone.
    unsafe { create(LINK_CREATE, &wanted) }
}

/// Makes what has a descriptor.
///
/// # Safety
///
/// As for [`call`].
unsafe fn create<T>(command: c_long, attributes: &T) -> io::Result<OwnedFd> {
    // SAFETY: the caller keeps it.
    let status = unsafe { call(command, attributes) };
    let descriptor = RawFd::try_from(status).ok().filter(|descriptor| *descriptor >= 0);
    // SAFETY: the kernel has just opened it for nobody else.
    descriptor
        .map(|descriptor| unsafe { OwnedFd::from_raw_fd(descriptor) })
        .ok_or_else(io::Error::last_os_error)
}

/// Calls the kernel.
///
/// # Safety
///
/// `attributes` are those of the command, with addresses of what outlives the call.
unsafe fn call<T>(command: c_long, attributes: &T) -> c_long {
    // SAFETY: the pointer and the length are those of `attributes`; the caller keeps the rest.
    unsafe { libc::syscall(libc::SYS_bpf, command, ptr::from_ref(attributes), size_of::<T>()) }
}
