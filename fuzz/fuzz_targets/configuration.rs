//! Any text as a zone's TOML file and as the server's.

#![no_main]

#[path = "../judges.rs"]
mod judges;

libfuzzer_sys::fuzz_target!(|input: &[u8]| judges::configuration(input));
