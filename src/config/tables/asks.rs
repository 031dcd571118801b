//! What a check can ask beside HTTP, TCP and TLS: a table for each kind.

use crate::config::keys::Fallback::{Rule, Value};
use crate::config::keys::{Key, Kind, Takes};

use super::check::{CA, CERTIFICATE, HEADERS, HTTP_HOST, KEY, PATH, VERIFY, WARN_BEFORE, port};

/// The `websocket` of a check.
pub static WEBSOCKET: Kind = Kind {
    noun: "a WebSocket check",
    header: "websocket = { … } of a check",
    keys: &[
        port(Rule("80, or 443 with `tls`")),
        PATH,
        HTTP_HOST,
        HEADERS,
        IN_TLS,
        CA,
        CERTIFICATE,
        KEY,
        VERIFY,
        WARN_BEFORE,
    ],
};

const IN_TLS: Key = Key::new("tls", Takes::Flag, Value("false"), "Whether to speak inside TLS")
    .aka(&["ssl", "secure", "use_tls"]);
