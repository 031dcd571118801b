//! Any octets as the header of a proxy.

#![no_main]

#[path = "../judges.rs"]
mod judges;

libfuzzer_sys::fuzz_target!(|input: &[u8]| judges::proxy(input));
