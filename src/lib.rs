//! Rota: an authoritative DNS server that balances load.
//!
//! The floors, from the ground up. A module uses only floors below it.
//!
//! ```text
//!  1 wire/      DNS messages as bytes: header, name, query, edns, writer
//!  2 zone/      what operators author: master file, RRsets, semantic checks
//!    geo/       address to place: mmdb files and the operator's networks, in one index
//!    health/    verdicts to statuses: check, verdict, tracker, schedule, monitor
//!  3 steer/     service, pool, node, policies; plan.rs in the cold, pick.rs in the hot
//!  4 snapshot/  compile, name table, lookup, publish
//!  5 respond/   query + snapshot to response bytes, on one page
//!  == the I/O line: above it no socket, file, clock or tokio ==
//!  6 serve/     UDP workers, stream listeners
//!    probe/     one file per kind of check
//!    admin/     health, metrics, API, dashboard
//!  7 config/    rota.toml and zones/ to a validated model
//!    cli/       one file per verb
//!    daemon/    start, reload, stop
//! ```

pub mod admin;
pub mod cli;
pub mod config;
pub mod daemon;
pub mod geo;
pub mod health;
pub mod probe;
pub mod respond;
pub mod serve;
pub mod snapshot;
pub mod steer;
pub mod wire;
pub mod zone;
