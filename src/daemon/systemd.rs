//! What the service manager is told, and what it passes: sd_notify(3) and sd_listen_fds(3).
//!
//! The protocol of the first is a datagram of a few lines to a socket that the environment names,
//! and that of the second is two numbers in the environment. That is less code than the use of a
//! library for it would be, and works with whatever else speaks it. Without a manager all of it is
//! silence.
//!
//! ```text
//!   READY=1                               started, or a reload has ended
//!   RELOADING=1  MONOTONIC_USEC=…         a reload that was asked for begins
//!   STOPPING=1                            SIGTERM was heard
//!   WATCHDOG=1                            the control task lives; without it, restart us
//!   MAINPID=…                             another process has taken the place of this one
//! ```

use std::env;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{self as unix, UnixDatagram};
use std::sync::Arc;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::config::Listen;
use crate::serve::{InheritError, Inherited, passed_descriptors};

/// As many sockets as are passed to one service: every address of a large machine, several times.
const PASSED_MAX: usize = 4096;

/// Whoever supervises this process.
#[derive(Clone, Debug)]
pub(super) struct Supervisor {
    /// None where nobody wants to know.
    line: Option<Arc<(UnixDatagram, unix::SocketAddr)>>,
    /// How often it wants to hear that all is well.
    patience: Option<Duration>,
}

impl Supervisor {
    /// As the environment says.
    pub(super) fn from_environment() -> Self {
        let line = env::var("NOTIFY_SOCKET").ok().and_then(|name| match connect(&name) {
            Ok(line) => Some(Arc::new(line)),
            Err(error) => {
                tracing::warn!(socket = name, %error, "the service manager cannot be told");
                None
            }
        });
        let number = |name| env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
        let ours = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
        let patience = number("WATCHDOG_USEC").filter(|_| ours).map(Duration::from_micros);
        Self { line, patience: patience.filter(|patience| !patience.is_zero()) }
    }

    /// Started, or a reload has ended: so many zones are served.
    pub(super) fn ready(&self, zones: usize, addresses: &[SocketAddr]) {
        let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        let plural = if zones == 1 { "" } else { "s" };
        let status = format!("serving {zones} zone{plural} on {}", addresses.join(", "));
        self.say(&format!("READY=1\nSTATUS={status}"));
    }

    /// A reload begins.
    pub(super) fn reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        let usec = now.tv_sec * 1_000_000 + now.tv_nsec / 1000;
        self.say(&format!("RELOADING=1\nMONOTONIC_USEC={usec}"));
    }

    /// The end begins.
    pub(super) fn stopping(&self) {
        self.say("STOPPING=1\nSTATUS=stopping");
    }

    /// Another process is the service from now on.
    pub(super) fn replaced(&self, by: i32) {
        self.say(&format!("MAINPID={by}"));
    }

    /// Says that all is well, as often as it is wanted and as long as `is_well`. Never ends.
    pub(super) async fn keep_well(self, is_well: impl Fn() -> bool) {
        let Some(patience) = self.patience else { return std::future::pending().await };
        // Half of it, as sd_watchdog_enabled(3) advises.
        let mut ticks = tokio::time::interval(patience / 2);
        loop {
            ticks.tick().await;
            if is_well() {
                self.say("WATCHDOG=1");
            }
        }
    }

    fn say(&self, text: &str) {
        let Some((socket, address)) = self.line.as_deref() else { return };
        if let Err(error) = socket.send_to_addr(text.as_bytes(), address) {
            tracing::debug!(%error, text, "the service manager was not told");
        }
    }
}

/// `/run/…` is a file, `@…` a name in the abstract space.
fn connect(name: &str) -> io::Result<(UnixDatagram, unix::SocketAddr)> {
    let address = match name.strip_prefix('@') {
        Some(name) => unix::SocketAddr::from_abstract_name(name)?,
        None => unix::SocketAddr::from_pathname(name)?,
    };
    let socket = UnixDatagram::unbound()?;
    // A manager that does not read must not hold us up.
    socket.set_nonblocking(true)?;
    Ok((socket, address))
}

/// Why passed sockets cannot be served.
#[derive(Debug)]
pub enum PassedError {
    /// The environment promises what is not there.
    Missing(io::Error),
    /// One of them, by its number.
    Unfit(usize, InheritError),
    /// The configuration asks for none of these.
    Unasked(Vec<String>),
}

impl fmt::Display for PassedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(error) => write!(f, "LISTEN_FDS promises sockets: {error}"),
            Self::Unfit(number, error) => {
                write!(f, "the passed socket {number} cannot be served: {error}")
            }
            Self::Unasked(sockets) => write!(
                f,
                "sockets are passed that [listen] does not name: {}; write the same addresses \
                 there as in the .socket unit",
                sockets.join(", ")
            ),
        }
    }
}

impl std::error::Error for PassedError {}

/// The sockets that the manager has bound for this process, all of them for addresses of `listen`.
pub(super) fn passed(listen: &Listen) -> Result<Inherited, PassedError> {
    let number = |name| env::var(name).ok().and_then(|text| text.parse::<usize>().ok());
    let mut inherited = Inherited::default();
    // What a shell or a parent has inherited in its turn is meant for them.
    if number("LISTEN_PID") != usize::try_from(std::process::id()).ok() {
        return Ok(inherited);
    }
    let count = number("LISTEN_FDS").unwrap_or(0).min(PASSED_MAX);
    let descriptors = passed_descriptors(count).map_err(PassedError::Missing)?;
    for (at, descriptor) in descriptors.into_iter().enumerate() {
        inherited.add(descriptor, None).map_err(|error| PassedError::Unfit(at + 3, error))?;
    }
    let asked = |address: &SocketAddr| {
        let gates = listen.gates.iter().map(|gate| &gate.address);
        listen.dns.iter().chain(gates).chain([&listen.admin]).any(|asked| asked == address)
    };
    let unasked: Vec<String> = inherited.unasked(asked).collect();
    if unasked.is_empty() { Ok(inherited) } else { Err(PassedError::Unasked(unasked)) }
}
