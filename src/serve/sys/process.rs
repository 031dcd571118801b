//! What was passed to the process by whoever started it, and as whom it runs.

use std::ffi::CString;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::{io, mem, ptr};

/// Standard input, output and error come first.
const FIRST_PASSED: RawFd = 3;
/// Octets for the texts of one entry of the user database; glibc asks for a thousand.
const USER_LEN_MAX: usize = 16 * 1024;

/// The first `count` descriptors that this process was started with, beside the standard three.
///
/// # Errors
///
/// Where one of them is not open, or was opened by the process itself: then `count` is wrong.
pub fn passed_descriptors(count: usize) -> io::Result<Vec<OwnedFd>> {
    let last = RawFd::try_from(count).ok().and_then(|count| FIRST_PASSED.checked_add(count));
    let all = FIRST_PASSED..last.ok_or(io::ErrorKind::InvalidInput)?;
    all.map(|number| {
        // SAFETY: F_GETFD takes no argument and any number.
        let flags = unsafe { libc::fcntl(number, libc::F_GETFD) };
        if flags < 0 {
            return Err(io::Error::last_os_error());
        }
        if flags & libc::FD_CLOEXEC != 0 {
            let why = format!("the descriptor {number} was not passed to this process");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        // SAFETY: F_SETFD takes an integer.
        super::done(unsafe { libc::fcntl(number, libc::F_SETFD, flags | libc::FD_CLOEXEC) })?;
        // SAFETY: it is open, and nobody owns it: std and every library here open theirs with
        // FD_CLOEXEC, so that one without came through exec; and it has the flag from here on, so
        // that a second call does not get so far.
        Ok(unsafe { OwnedFd::from_raw_fd(number) })
    })
    .collect()
}

/// Somebody whom the system knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    name: CString,
    uid: libc::uid_t,
    gid: libc::gid_t,
}

impl User {
    /// The user of this name; none where the system knows none.
    pub fn find(name: &str) -> io::Result<Option<Self>> {
        let name = CString::new(name)?;
        let mut texts = vec![0; USER_LEN_MAX];
        // SAFETY: a `passwd` is integers and raw pointers, all of which may be zero.
        let mut entry: libc::passwd = unsafe { mem::zeroed() };
        let mut found = ptr::null_mut();
        // SAFETY: the name ends with NUL; the pointers are those of values that outlive the call,
        // and the length is that of `texts`.
        let status = unsafe {
            let (room, len) = (texts.as_mut_ptr(), texts.len());
            libc::getpwnam_r(name.as_ptr(), &mut entry, room, len, &mut found)
        };
        // Libraries differ in how they say that there is none.
        match status {
            0 if found.is_null() => Ok(None),
            0 => Ok(Some(Self { name, uid: entry.pw_uid, gid: entry.pw_gid })),
            libc::ENOENT | libc::ESRCH | libc::EBADF | libc::EPERM => Ok(None),
            error => Err(io::Error::from_raw_os_error(error)),
        }
    }

    /// The user's number.
    pub fn uid(&self) -> u32 {
        self.uid
    }

    /// The number of the user's own group.
    pub fn gid(&self) -> u32 {
        self.gid
    }

    /// Makes the whole process, all of its threads, this user's for good. Only root may.
    pub fn become_it(&self) -> io::Result<()> {
        // SAFETY: the name ends with NUL and outlives the call.
        super::done(unsafe { libc::initgroups(self.name.as_ptr(), self.gid as _) })?;
        // SAFETY: both take integers. The group first: whoever is not root cannot change it.
        super::done(unsafe { libc::setgid(self.gid) })?;
        // SAFETY: as above.
        super::done(unsafe { libc::setuid(self.uid) })?;
        // SAFETY: as above; it must fail, or nothing was given up.
        if self.uid != 0 && unsafe { libc::setuid(0) } == 0 {
            return Err(io::Error::other("root could be had back"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_known_by_their_names() {
        let root = User::find("root").unwrap().unwrap();
        assert_eq!((root.uid(), root.gid()), (0, 0));
        assert_eq!(User::find("nobody of this name").unwrap(), None);
        assert!(User::find("with\0nul").is_err());
    }

    #[test]
    fn what_the_process_opened_itself_was_not_passed() {
        // Somewhere above the standard three the harness has opened something of its own.
        let _file = std::fs::File::open("/dev/null").unwrap();
        assert!(passed_descriptors(200).is_err());
        assert!(passed_descriptors(usize::MAX).is_err());
        assert!(passed_descriptors(0).unwrap().is_empty());
    }
}
