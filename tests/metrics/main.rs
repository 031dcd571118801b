//! What is counted, and what a scraper reads of it.

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod bounds;
#[path = "../common/mod.rs"]
mod common;
mod documents;
#[path = "../common/engine.rs"]
mod engine;
mod openmetrics;
mod scrape;
mod sums;
