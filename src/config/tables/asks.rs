//! What a check can ask beside HTTP, TCP and TLS: a table for each kind.

use crate::config::keys::Fallback::{Required, Rule, Value};
use crate::config::keys::{Key, Kind, Takes};

use super::check::{
    CA, CERTIFICATE, HEADERS, HTTP_HOST, KEY, PATH, VERIFY, WARN_BEFORE, host, port,
};

/// The `agent` of a check.
pub static AGENT: Kind = Kind {
    noun: "an agent check",
    header: "agent = { … } of a check",
    keys: &[
        port(Required).aka(&["agent-port", "agent_port"]),
        Key::new(
            "send",
            Takes::Text("a text"),
            Value("\"\""),
            "What is said first; it is never shown",
        )
        .aka(&["agent-send", "agent_send"]),
    ],
};

/// The `exec` of a check.
pub static EXEC: Kind = Kind {
    noun: "a program",
    header: "exec = { … } of a check",
    keys: &[
        Key::new(
            "argv",
            ARGV,
            Required,
            "The program, in the folder that rota.toml names, and its arguments; {address} and \
             {node} stand for what is looked at",
        )
        .aka(&["command", "cmd", "args", "external-check"]),
        Key::new(
            "env",
            Takes::Map(&Takes::Text("a value")),
            Rule("none"),
            "Its environment beside ROTA_ADDRESS and ROTA_NODE; values are never shown",
        )
        .aka(&["environment"]),
    ],
};

/// The words of a program's command.
pub(super) const ARGV: Takes = Takes::List(&Takes::Text("a word (\"check_http\")"));

/// The `dns` of a check.
pub static DNS_QUESTION: Kind = Kind {
    noun: "a DNS check",
    header: "dns = { … } of a check",
    keys: &[
        port(Value("53")),
        Key::new("name", Takes::Text("a name (\"www.example.org\")"), Required, "What to ask for")
            .aka(&["query", "qname", "query_name", "record"]),
        Key::new("type", Takes::Text("a record type (\"A\")"), Value("\"A\""), "Which records")
            .aka(&["qtype", "query_type", "record_type"]),
        Key::new(
            "rcode",
            Takes::Text("a response code (\"NXDOMAIN\")"),
            Value("\"NOERROR\""),
            "The response code that passes",
        )
        .aka(&["expect", "status"]),
        Key::new(
            "answer",
            Takes::Text("a record's data (\"192.0.2.1\")"),
            Rule("none: the response code is enough"),
            "A record of the type that must be in the answer",
        )
        .aka(&["expected", "receive_string", "data"]),
        Key::new("tcp", Takes::Flag, Value("false"), "Whether to ask over TCP")
            .aka(&["transport", "use_tcp"]),
    ],
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
