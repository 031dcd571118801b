//! Words of the documents as people read them: on a board, in the log, on the dashboard.

use std::fmt;

use super::{CachedDoc, GuardWord, Says, Status};

/// A time that has passed or is to come: `8s`, `3m05`, `2h07`, `3d02h`.
pub fn age(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}", seconds / 60, seconds % 60),
        3600..86400 => format!("{}h{:02}", seconds / 3600, seconds / 60 % 60),
        _ => format!("{}d{:02}h", seconds / 86400, seconds / 3600 % 24),
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Draining => "draining",
            Self::Unknown => "unknown",
            Self::Unchecked => "unchecked",
        })
    }
}

/// A guard is called by its key in the configuration.
impl fmt::Display for GuardWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::MaxWithdraw => "max_withdraw",
            Self::SlowStart => "slow_start",
            Self::Needs => "needs",
            Self::HoldDown => "hold_down",
        })
    }
}

impl fmt::Display for Says {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Up => f.pad("up"),
            Self::Down => f.pad("down"),
            Self::Drain => f.pad("drain"),
            Self::Weight(weight) => f.pad(&format!("weight {weight}")),
            Self::Shares(shares) => {
                let shares = shares.iter().map(|(pool, share)| format!("{pool}={share}"));
                f.pad(&shares.collect::<Vec<_>>().join(" "))
            }
        }
    }
}

impl fmt::Display for CachedDoc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { resolvers, at_least, gone_in_seconds, unknown_seconds } = *self;
        let left = age(gone_in_seconds.max(unknown_seconds).into());
        match resolvers {
            _ if self.is_gone() => f.write_str("cached by no resolver"),
            _ if unknown_seconds > gone_in_seconds => {
                write!(f, "may be cached since before the start, gone in {left}")
            }
            1 => write!(f, "cached by 1 resolver, gone in {left}"),
            _ if at_least => write!(f, "cached by {resolvers} resolvers or more, gone in {left}"),
            _ => write!(f, "cached by about {resolvers} resolvers, gone in {left}"),
        }
    }
}
