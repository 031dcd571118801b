//! Floor 6: one execution of a check.
//!
//! [`health`](crate::health) decides what is due and what a verdict means; here is what touches the
//! network in between. One file per kind of check, each a function that asks a target once:
//!
//! ```text
//!   runner     one task for each probe, which reports exactly once; the timeout, the latency
//!     http       a request over HTTP or HTTPS
//!     tcp        a connection, and perhaps a text said and a text expected
//!     tls        a handshake
//!     grpc       a call of gRPC's health service
//!     dns        a question, over UDP or TCP
//!     agent      a line in which the node's agent says how it is
//!     exec       a program
//!     file       a line of a file
//!     websocket  the opening of a WebSocket
//!   connect    what kinds share: a connection, and TLS on it
//!   http1      one request and its answer
//!   line       the connection itself, with a limit on what is listened to
//!   trust      whom TLS trusts, and who the prober is
//!   judge      what makes a certificate good
//!   term       its dates
//!   course     how far a probe has come: what it says if its time is over
//!   chance     octets that nobody can foresee
//!   failure    the target's faults, told from the prober's own
//! ```
//!
//! A kind returns as soon as it knows, and never looks at the clock: the runner ends what takes too
//! long, and tells from the course what was waited for.
//!
//! A node under examination is not trusted: it may hang, talk for ever or talk nonsense, and may
//! cost the prober one socket, some kilobytes and the check's timeout.

mod agent;
mod chance;
mod connect;
mod course;
mod dns;
mod exec;
pub mod failure;
mod file;
mod grpc;
pub mod http;
mod http1;
mod judge;
pub mod line;
pub mod runner;
mod tcp;
mod term;
mod tls;
pub mod trust;
mod websocket;

use course::Course;

pub use runner::{Prober, Report, Reports};
