//! Why an interface cannot be taken below the sockets, each with its way out.

use std::fmt;
use std::io;

use super::program::{ADDRESSES_MAX, VLANS_MAX};

/// Why an interface cannot be taken.
#[derive(Debug)]
pub(in crate::serve) enum XdpError {
    /// There is none of this name.
    Missing,
    /// Its frames have other headers.
    Foreign,
    /// Nothing that is listened on can be reached by a wire.
    NoAddress,
    /// The program would compare too long.
    Addresses(usize),
    /// The same of VLANs.
    Vlans(usize),
    /// The card hides in which VLAN a frame came.
    Tags,
    /// The kernel or the driver refused.
    Refused(Step, io::Error),
}

/// What was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::serve) enum Step {
    Look,
    Map,
    Load,
    Attach,
    Open,
}

impl XdpError {
    /// Whether it may be free in a moment: another process has it, perhaps one that is ending. Its
    /// program goes at once then, and its queues later.
    pub(in crate::serve) fn is_busy(&self) -> bool {
        matches!(self, Self::Refused(_, error) if error.raw_os_error() == Some(libc::EBUSY))
    }

    /// Whether it was the program's place that is somebody else's.
    pub(in crate::serve) fn is_of_the_program(&self) -> bool {
        matches!(self, Self::Refused(Step::Attach, _))
    }

    /// What to do about it.
    pub(in crate::serve) fn remedy(&self) -> &'static str {
        match self {
            Self::Missing => "see the names with `ip link`, and mend `xdp` under [listen]",
            Self::Foreign => "name an Ethernet interface in `xdp` under [listen]",
            Self::NoAddress => "list an address of this machine in `dns`, or take `xdp` out",
            Self::Addresses(_) => "list those that are asked in `dns`, in place of a wildcard",
            Self::Vlans(_) => "name an interface with fewer VLANs, or take `xdp` out",
            Self::Tags => "let the card leave tags where they are: ethtool -K INTERFACE rxvlan off",
            Self::Refused(step, error) => match error.raw_os_error() {
                Some(libc::EPERM | libc::EACCES) => {
                    "start it as root, or grant CAP_NET_ADMIN, CAP_BPF and CAP_NET_RAW"
                }
                Some(libc::EBUSY) => {
                    "another program has it: see `ip link`; one that was left there goes by \
                     ip link set dev INTERFACE xdp off"
                }
                Some(libc::ENOBUFS | libc::ENOMEM) => {
                    "allow more locked memory (LimitMEMLOCK=infinity), or grant CAP_IPC_LOCK"
                }
                Some(libc::ENOSYS | libc::EAFNOSUPPORT) => "it needs Linux 5.9 with XDP sockets",
                _ => match step {
                    Step::Attach => "it needs Linux 5.9, and an MTU that the driver has pages for",
                    Step::Look | Step::Map | Step::Load | Step::Open => {
                        "it needs Linux 5.9 with XDP sockets; take `xdp` out to go without"
                    }
                },
            },
        }
    }
}

impl fmt::Display for XdpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is no interface of this name"),
            Self::Foreign => f.write_str("it is no Ethernet"),
            Self::NoAddress => f.write_str("`dns` lists nothing that a client could reach by it"),
            Self::Addresses(count) => {
                write!(f, "{count} addresses and ports are more than {ADDRESSES_MAX}")
            }
            Self::Vlans(count) => write!(f, "{count} VLANs upon it are more than {VLANS_MAX}"),
            Self::Tags => f.write_str("it takes the tags of its VLANs off before they are seen"),
            Self::Refused(step, error) => {
                let what = match step {
                    Step::Look => "it cannot be looked at",
                    Step::Map => "no map can be made",
                    Step::Load => "the program is not taken",
                    Step::Attach => "no program can be attached",
                    Step::Open => "a queue cannot be opened",
                };
                write!(f, "{what}: {error}")
            }
        }
    }
}

impl std::error::Error for XdpError {}
