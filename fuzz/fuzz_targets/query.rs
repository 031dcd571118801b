//! Any octets as a query.

#![no_main]

#[path = "../judges.rs"]
mod judges;

libfuzzer_sys::fuzz_target!(|input: &[u8]| judges::query(input));
