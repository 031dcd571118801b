//! Frames taken from the driver before the kernel makes packets of them, and answered there.
//!
//! ```text
//!   assembler.rs  instructions for the kernel's machine             pure
//!   program.rs    which frames are ours                             pure
//!   bpf.rs        the map, the program, the link to the interface
//!   interface.rs  what the kernel knows of an interface
//!   ledger.rs     whose each frame of the memory is                 pure
//!   exchange.rs   how frames go round                               pure
//!   ring.rs       the rings that are shared with the kernel
//!   queue.rs      a socket, its rings and its memory
//! ```
//!
//! By hand rather than by libraries, which were weighed: `xdp` has rings alone, hands out frames
//! that may be forgotten, and would still leave the loading to `aya`, which wants an ELF file that
//! clang or a nightly compiler made, and brings a dozen crates. What is needed of them are four
//! system calls of `bpf(2)`, one kind of socket whose structures `libc` has, and sixty
//! instructions. So nobody's build becomes longer, and it needs no feature: who does not name an
//! interface runs nothing of it.

mod assembler;
mod bpf;
mod error;
mod exchange;
mod interface;
mod ledger;
mod program;
mod queue;
mod ring;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use error::Step;
pub(in crate::serve) use error::XdpError;
use interface::Interface;
pub(in crate::serve) use ledger::Census;
use program::{VLANS_MAX, Wanted};
pub(in crate::serve) use queue::{Losses, Queue};

/// How frames come from the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::serve) enum Mode {
    /// The card writes into our memory.
    ZeroCopy,
    /// The driver's frame is copied into it.
    Copy,
    /// The driver has no part in it: the kernel's packet is copied. Works with any, and gains
    /// least.
    Generic,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ZeroCopy => "native, zero-copy",
            Self::Copy => "native, copy",
            Self::Generic => "generic",
        })
    }
}

/// An interface's frames go to its queues as long as this lives; then they are the kernel's again.
#[derive(Debug)]
pub(in crate::serve) struct Link {
    _descriptor: OwnedFd,
}

/// An interface that was taken.
#[derive(Debug)]
pub(in crate::serve) struct Taken {
    pub(in crate::serve) link: Link,
    pub(in crate::serve) queues: Vec<Queue>,
    pub(in crate::serve) mode: Mode,
    /// Whose frames are taken, with wildcards spelt out.
    pub(in crate::serve) addresses: Vec<SocketAddr>,
}

/// Takes what comes to these addresses by an interface: by its driver if that can, and by the
/// kernel below its own sockets if not.
pub(in crate::serve) fn take(
    name: &str,
    listened: &[SocketAddr],
    seeds: &mut fastrand::Rng,
) -> Result<Taken, XdpError> {
    let at = |step| move |error: io::Error| XdpError::Refused(step, error);
    let interface = Interface::find(name).map_err(at(Step::Look))?.ok_or(XdpError::Missing)?;
    let Interface { index, mac, mtu, queues, vlans, takes_tags_off } = interface;
    let mac = mac.ok_or(XdpError::Foreign)?;
    if takes_tags_off && !vlans.is_empty() {
        return Err(XdpError::Tags);
    }
    if vlans.len() > VLANS_MAX {
        return Err(XdpError::Vlans(vlans.len()));
    }
    let addresses = interface::reachable(listened).map_err(at(Step::Look))?;
    if addresses.is_empty() {
        return Err(XdpError::NoAddress);
    }
    let map = bpf::Map::new(queues).map_err(at(Step::Map))?;
    let frame_len_max = queue::TAKEN_LEN_MAX;
    let wanted = Wanted { mac, vlans, addresses, frame_len_max };
    let code = program::program(&wanted, map.descriptor())
        .ok_or(XdpError::Addresses(wanted.addresses.len()))?;
    let code = bpf::load(&code).map_err(at(Step::Load))?;
    // Queues first: where they are somebody else's still, the card has seen no program come and go,
    // which many answer by taking the link down for a while.
    let open = |number| Queue::open(name, index, number, mtu, seeds.u64(..));
    let queues: io::Result<Vec<Queue>> = (0..queues).map(open).collect();
    let queues = queues.map_err(at(Step::Open))?;
    for queue in &queues {
        map.put(queue.number(), queue).map_err(at(Step::Open))?;
    }
    let (link, generic) = match bpf::attach(&code, index, false) {
        Ok(link) => (link, false),
        Err(error) if is_unable(&error) => {
            (bpf::attach(&code, index, true).map_err(at(Step::Attach))?, true)
        }
        Err(error) => return Err(XdpError::Refused(Step::Attach, error)),
    };
    let mode = queues.first().map_or(Mode::Copy, |queue| queue.mode(generic));
    let link = Link { _descriptor: link };
    Ok(Taken { link, queues, mode, addresses: wanted.addresses })
}

/// True where the driver has no XDP, or none for an interface as this one is set up.
fn is_unable(error: &io::Error) -> bool {
    let codes = [libc::EOPNOTSUPP, libc::EINVAL, libc::ERANGE];
    error.raw_os_error().is_some_and(|code| codes.contains(&code))
}
