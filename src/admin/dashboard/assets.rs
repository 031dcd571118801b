//! The files that pages need: a style sheet, a script, an icon. They are part of the binary.
//!
//! A browser asks again each time with the tag of what it has, and is told that nothing changed:
//! cheap on a network of operators, and a new binary is a new page at once.

use std::fmt::Write;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// One file.
struct Asset {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
    tag: String,
}

static ASSETS: LazyLock<[Asset; 3]> = LazyLock::new(|| {
    let asset = |name, kind, text: &'static str| Asset { name, kind, text, tag: tag(text) };
    [
        asset("rota.css", "text/css; charset=utf-8", include_str!("assets/rota.css")),
        asset("rota.js", "text/javascript; charset=utf-8", include_str!("assets/rota.js")),
        asset("rota.svg", "image/svg+xml", include_str!("assets/rota.svg")),
    ]
});

/// RFC 9110 §8.8.3: in quotes.
fn tag(text: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    let mut tag = String::from("\"");
    for octet in &digest.as_ref()[..8] {
        let _ = write!(tag, "{octet:02x}");
    }
    tag.push('"');
    tag
}

/// Answers with a file, or with that it is the one that the browser has.
pub(super) async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return (StatusCode::NOT_FOUND, "no such file\n").into_response();
    };
    let tags = [(header::ETAG, asset.tag.as_str()), (header::CACHE_CONTROL, "no-cache")];
    let known = headers.get(header::IF_NONE_MATCH).and_then(|known| known.to_str().ok());
    // RFC 9110 §13.1.2: a list of tags, or any.
    let has_it = |known: &str| {
        known
            .split(',')
            .map(|one| one.trim().trim_start_matches("W/"))
            .any(|one| one == "*" || one == asset.tag)
    };
    if known.is_some_and(has_it) {
        return (StatusCode::NOT_MODIFIED, tags).into_response();
    }
    (tags, [(header::CONTENT_TYPE, asset.kind)], asset.text).into_response()
}
