//! Encrypted transports from outside: real sockets on loopback, spare ports, the real answer path.
//! The clients are made of the protocols' own libraries (`rustls`, `h2`, `quinn`) and know nothing of
//! the server. What clients that nobody here wrote say is in `tests/encrypted_peers.rs`.
#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]
#![allow(clippy::disallowed_methods, reason = "the outside of the program has a clock")]

#[path = "../common/engine.rs"]
mod engine;
#[cfg(feature = "doh3")]
mod h3;
mod https;
mod limits;
mod proxies;
#[cfg(feature = "doq")]
mod quic;
mod same;
mod tls;
mod world;
