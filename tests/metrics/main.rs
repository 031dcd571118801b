//! What is counted, and what a scraper reads of it.

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

#[path = "../common/engine.rs"]
mod engine;
mod sums;
