//! Words of the documents as people read them: on a board, in the log, on the dashboard.

use std::fmt;

use super::{Says, Status};

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
