//! Descriptors: every socket, connection and probe is one, and the system allows so many.
//!
//! Running out of them is noticed at the worst time, when many clients come at once. So the sum is
//! made at the start, and the limit raised as far as it may be.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::health::IN_FLIGHT_MAX;
use crate::serve;

/// Admin connections, files being read, the log, the runtime's own.
const RESERVE: u64 = 160;

/// Raises the limit of descriptors to what it may be where it is too low; warns where that is too
/// low as well. Raises that of locked memory for interfaces that are to be taken.
pub(super) fn raise(options: &serve::Options) {
    if !options.xdp.is_empty() {
        let maximum = getrlimit(Resource::Memlock).maximum;
        // Where it is too low nevertheless, taking an interface fails and says so.
        let _ = setrlimit(Resource::Memlock, Rlimit { current: maximum, maximum });
    }
    let needed = needed(options);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // None is no limit.
    let Some(soft) = current.filter(|soft| *soft < needed) else { return };
    let allowed = match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => maximum.unwrap_or(u64::MAX),
        Err(_) => soft,
    };
    if allowed >= needed {
        tracing::info!(from = soft, to = allowed, needed, "limit of descriptors raised");
    } else {
        tracing::warn!(
            allowed,
            needed,
            help = "raise LimitNOFILE= of the unit, or `ulimit -n`; or lower `connections`",
            "too few descriptors are allowed: connections and probes will fail under load"
        );
    }
}

/// Each address has a socket of each of its protocols for each worker, and a copy of each to hand
/// over.
fn needed(options: &serve::Options) -> u64 {
    let gates = options.addresses.len() * 2 + options.gates.len();
    let sockets = gates * options.threads() * 2;
    (sockets + options.limits.connections + IN_FLIGHT_MAX) as u64 + RESERVE
}
