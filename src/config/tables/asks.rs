//! What a check can ask beside HTTP, TCP and TLS: a table for each kind.

use crate::config::keys::Fallback::{Required, Rule, Value};
use crate::config::keys::{Key, Kind, Takes};

use super::check::{
    CA, CERTIFICATE, HEADERS, HTTP_HOST, KEY, PATH, VERIFY, WARN_BEFORE, host, port,
};

/// The `grpc` of a check.
pub static GRPC: Kind = Kind {
    noun: "a gRPC check",
    header: "grpc = { … } of a check",
    keys: &[
        port(Required),
        Key::new(
            "service",
            Takes::Text("a service's name (\"acme.Shop\")"),
            Value("\"\""),
            "Which of the node's services; empty is the node as a whole",
        )
        .aka(&["service_name", "grpc_service"]),
        GRPC_HOST,
        IN_TLS,
        CA,
        CERTIFICATE,
        KEY,
        VERIFY,
        WARN_BEFORE,
    ],
};

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

const GRPC_HOST: Key = host("`:authority`, and the name in the certificate");
const IN_TLS: Key = Key::new("tls", Takes::Flag, Value("false"), "Whether to speak inside TLS")
    .aka(&["ssl", "secure", "use_tls"]);
