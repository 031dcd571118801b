//! Every table and key that an operator can write.
//!
//! `rota.toml` is one [`SERVER`]; each `zones/<apex>.toml` is one [`ZONE_FILE`].

mod asks;
mod check;
mod guards;
mod listen;
mod log;
mod metrics;
mod pool;
mod server;
mod service;
mod zone;

use super::keys::Kind;

pub use asks::{AGENT, DNS_QUESTION, EXEC, GRPC, WEBSOCKET};
pub use check::{BODY, CHECK, HTTP, HTTP_IN_TLS, TCP, TLS};
pub use guards::{GUARD, HOLD_DOWN, LOAD, MAX_WITHDRAW, REPORTS};
pub use listen::{CERTIFICATE, LISTEN, SECRET};
pub use log::LOG;
pub use metrics::METRICS;
pub use pool::{NODE, POOL};
pub use server::{ADMIN, CHECKS, DNS, GEO, RATE_LIMIT, RELOAD, SERVER};
pub use service::{HTTPS, SERVICE, TTL};
pub use zone::{ZONE, ZONE_FILE};

/// Every kind of table, for whoever documents or searches them.
pub static KINDS: &[&Kind] = &[
    &SERVER,
    &LISTEN,
    &SECRET,
    &CERTIFICATE,
    &ADMIN,
    &DNS,
    &CHECKS,
    &REPORTS,
    &GEO,
    &METRICS,
    &LOG,
    &RELOAD,
    &RATE_LIMIT,
    &ZONE_FILE,
    &ZONE,
    &CHECK,
    &HTTP,
    &HTTP_IN_TLS,
    &BODY,
    &TCP,
    &TLS,
    &AGENT,
    &DNS_QUESTION,
    &EXEC,
    &GRPC,
    &WEBSOCKET,
    &SERVICE,
    &TTL,
    &NODE,
    &POOL,
    &HTTPS,
    &GUARD,
    &HOLD_DOWN,
    &LOAD,
    &MAX_WITHDRAW,
];
