//! Floor 2: from verdicts to statuses. No sockets, no clock.

pub mod check;
pub mod status;

pub use check::{Ask, Check, HttpAsk, Target};
pub use status::{Outcome, Reason, Standing, Status, Verdict};
