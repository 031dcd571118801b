//! Floor 2: from verdicts to statuses. No sockets, no clock.
//!
//! A [`Check`] is a recipe, a [`Target`] is the recipe applied to one address. The [`Monitor`] owns
//! every target of the configuration: it says which probe is due ([`Schedule`]), takes what the
//! probe found and keeps one state machine per target ([`Tracker`]). Somebody else owns the
//! sockets and the clock, and drives it with four verbs:
//!
//! ```text
//!    configure(targets, now)   after every load of the configuration
//!    poll_probe(now)           until it gives none: start what it gives
//!    handle_verdict(id, now)   once for every probe started; a `Change` asks for new plans
//!    poll_timeout()            when to poll again, if no verdict comes first
//! ```
//!
//! What others see of nodes comes in by another door ([`Vantages`]), and a [`Quorum`] decides what
//! it is worth beside this prober's own verdicts.
//!
//! Nothing here knows of services, weights or overrides: what a status means for answers is
//! decided one floor up, and what an operator forces never reaches a tracker.

pub mod ask;
pub mod check;
pub mod history;
pub mod hold;
mod latency;
pub mod load;
pub mod monitor;
pub mod opinion;
pub mod quorum;
pub mod reason;
pub mod schedule;
pub mod share;
pub mod status;
pub mod suspicion;
pub mod tracker;
pub mod vantage;
pub mod view;

pub use ask::{
    AgentAsk, Ask, BodyTest, DnsAsk, ExecAsk, FileAsk, GrpcAsk, Header, HttpAsk, Identity, Method,
    Mismatch, Pattern, Pem, Secure, TcpAsk, TlsAsk, Trust, WebSocketAsk,
};
pub use check::{Check, Place, Target};
pub use history::{HISTORY_MAX, History, Seen};
pub use hold::{Hold, HoldDown};
pub use load::{LoadAt, LoadFrom, LoadSays};
pub use monitor::{Change, Monitor, ProbeOrder};
pub use opinion::{Counts, Opinion, Word};
pub use quorum::{Poll, Quorum};
pub use reason::{DnsFault, GrpcFault, Reason, Stage, TlsFault, Warning};
pub use schedule::{IN_FLIGHT_MAX, Schedule, TargetId};
pub use share::Share;
pub use status::{Outcome, Standing, Status, Verdict};
pub use suspicion::{Suspect, Suspicion};
pub use tracker::Tracker;
pub use vantage::{Hearing, Turn, Unheard, Vantages};
pub use view::{Pulse, View};
