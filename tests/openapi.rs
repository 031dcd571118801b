//! The committed description of the API is the API.

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

use std::path::Path;

/// Set, the file is written rather than compared.
const RENEW: &str = "ROTA_RENEW";

#[test]
fn the_committed_document_is_true() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
    let made = rota::admin::openapi::document().to_pretty_json().unwrap() + "\n";
    if std::env::var_os(RENEW).is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = made.lines().zip(kept.lines()).position(|(made, kept)| made != kept);
    assert!(
        made == kept,
        "docs/openapi.json differs from the API, first at line {}; renew it, and look at what \
         changes for those who use it: {RENEW}=1 cargo test --test openapi",
        differs.map_or(kept.lines().count(), |at| at) + 1,
    );
}
