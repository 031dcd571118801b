//! Any octets through the answer path.

#![no_main]

#[path = "../judges.rs"]
mod judges;

libfuzzer_sys::fuzz_target!(|input: &[u8]| judges::respond(input));
