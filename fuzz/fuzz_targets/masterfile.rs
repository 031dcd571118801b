//! Any text as a master file.

#![no_main]

#[path = "../judges.rs"]
mod judges;

libfuzzer_sys::fuzz_target!(|input: &[u8]| judges::masterfile(input));
