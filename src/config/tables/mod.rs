//! Every table and key that an operator can write.
//!
//! `rota.toml` is one [`SERVER`]; each `zones/<apex>.toml` is one [`ZONE_FILE`]. What is described
//! but not built yet stands here too: its type is checked, and then it is refused with what to do
//! today, so that a file written for a later version is never half obeyed.

mod server;
mod service;
mod zone;

use super::keys::Kind;

pub use server::{ADMIN, DNS, LISTEN, RATE_LIMIT, SERVER};
pub use service::{HTTPS, NODE, POOL, SERVICE, TTL};
pub use zone::{CHECK, HTTP, ZONE, ZONE_FILE};

/// Every kind of table, for whoever documents or searches them.
pub static KINDS: &[&Kind] = &[
    &SERVER,
    &LISTEN,
    &ADMIN,
    &DNS,
    &RATE_LIMIT,
    &ZONE_FILE,
    &ZONE,
    &CHECK,
    &HTTP,
    &SERVICE,
    &TTL,
    &NODE,
    &POOL,
    &HTTPS,
];
