//! `[check.<name>]`: what is asked of every address, how often, and which answers pass.
//!
//! A check has exactly one of the keys that say what to ask; each of them takes a table of its own
//! kind, or a short text. Keys that several kinds have are described once and listed in each. The
//! kinds beside HTTP, TCP and TLS are described in [`super::asks`].

use std::time::Duration;

use super::{HOLD_DOWN, LOAD};
use crate::config::keys::Fallback::{Required, Rule, Value};
use crate::config::keys::{Fallback, Key, Kind, Takes};

use super::asks::{AGENT, ARGV, DNS_QUESTION, EXEC, GRPC, WEBSOCKET};

/// `[check.<name>]`, or the `check` of a service.
pub static CHECK: Kind = Kind {
    noun: "a check",
    header: "[check.<name>], or in check = { … }",
    keys: &[
        Key::new(
            "http",
            Takes::Either(&[PORT_AND_PATH, Takes::Table(&HTTP)]),
            ONE_OF,
            "What to ask over HTTP",
        )
        .aka(&["url"]),
        Key::new(
            "https",
            Takes::Either(&[PORT_AND_PATH, Takes::Table(&HTTP_IN_TLS)]),
            ONE_OF,
            "What to ask over HTTPS",
        ),
        Key::new(
            "tcp",
            Takes::Either(&[PORT_ALONE, Takes::Table(&TCP)]),
            ONE_OF,
            "Where to connect, and perhaps what to say and to expect",
        )
        .aka(&["tcp_connect", "connect"]),
        Key::new(
            "tls",
            Takes::Either(&[PORT_ALONE, Takes::Table(&TLS)]),
            ONE_OF,
            "Where to shake hands: name, chain and dates of the certificate",
        )
        .aka(&["ssl", "ssl_hello"]),
        Key::new(
            "grpc",
            Takes::Either(&[PORT_ALONE, Takes::Table(&GRPC)]),
            ONE_OF,
            "Where to call gRPC's health service",
        ),
        Key::new(
            "dns",
            Takes::Either(&[
                Takes::Text("a name (\"www.example.org\")"),
                Takes::Table(&DNS_QUESTION),
            ]),
            ONE_OF,
            "What to ask a node that is a name server",
        ),
        Key::new(
            "agent",
            Takes::Either(&[PORT_ALONE, Takes::Table(&AGENT)]),
            ONE_OF,
            "Where the node's agent says how it is, in the words of HAProxy's agent-check",
        )
        .aka(&["agent-check", "agent_check"]),
        Key::new(
            "exec",
            Takes::Either(&[ARGV, Takes::Table(&EXEC)]),
            ONE_OF,
            "A program that looks at the node; it needs `exec` in [checks] of rota.toml",
        )
        .aka(&["external-check", "external", "script", "command"]),
        Key::new(
            "file",
            Takes::Text("a file (\"eu.states\")"),
            ONE_OF,
            "A file of lines with a node and its state: up, down or drain",
        )
        .aka(&["extfile", "state_file", "states"]),
        Key::new(
            "websocket",
            Takes::Either(&[PORT_AND_PATH, Takes::Table(&WEBSOCKET)]),
            ONE_OF,
            "Where to open a WebSocket",
        )
        .aka(&["ws", "wss"]),
        Key::new("any", NAMES, ONE_OF, "Other checks by name: it passes where one of them does")
            .aka(&["or"]),
        Key::new("all", NAMES, ONE_OF, "Other checks by name: it passes where all of them do")
            .aka(&["and"]),
        Key::new(
            "address",
            Takes::Text("an address (\"10.0.0.1\")"),
            Rule("each address of each node, or the node's `check_address`"),
            "Whom to ask in place of the nodes",
        )
        .aka(&["host", "addr", "target"]),
        Key::new(
            "every",
            EVERY,
            Value("\"5s\""),
            "From the start of one probe to the start of the next",
        )
        .aka(&["interval", "inter", "period"]),
        Key::new(
            "timeout",
            Takes::Duration {
                min: Duration::from_millis(10),
                max: Duration::from_secs(3600),
                step: MILLISECOND,
            },
            Rule("2s, or `every` where that is shorter"),
            "A probe that takes longer has failed",
        ),
        Key::new(
            "max_latency",
            Takes::Duration { min: MILLISECOND, max: Duration::from_secs(3600), step: MILLISECOND },
            Rule("none"),
            "An answer that took longer, from connecting on, does not pass",
        )
        .aka(&["max_time", "max_response_time", "slow"]),
        Key::new("fails", STREAK, Value("3"), "Bad verdicts in a row that turn a target down")
            .aka(&["fall", "unhealthy_threshold", "failures", "down_thresh"]),
        Key::new("passes", STREAK, Value("2"), "Good verdicts in a row that turn a target up")
            .aka(&["rise", "healthy_threshold", "successes", "up_thresh"]),
        Key::new(
            "fast",
            EVERY,
            Rule("half of `every`, but at least 1s, or `every` where that is shorter"),
            "From probe to probe while a target is falling or rising",
        )
        .aka(&["fastinter", "fast_interval", "retry_interval"]),
        Key::new(
            "idle",
            EVERY,
            Rule("none: `every`"),
            "From probe to probe once a target has passed a dozen times in a row",
        )
        .aka(&["slow_interval"]),
        Key::new(
            "hold_down",
            Takes::Either(&[Takes::Flag, Takes::Table(&HOLD_DOWN)]),
            Rule("after 3 falls within 10m, for at most 10m"),
            "How much longer who falls often must pass to return; false is no longer",
        )
        .aka(&["flap", "damping", "dampening"]),
        Key::new(
            "load",
            Takes::Either(&[Takes::Words { words: &["header"], other: None }, Takes::Table(&LOAD)]),
            Rule("none"),
            "Where an answer over HTTP says how busy its node is, for policy = \"least-loaded\"",
        )
        .aka(&["agent", "feedback"]),
    ],
};

/// The `http` of a check.
pub static HTTP: Kind = Kind {
    noun: "an HTTP check",
    header: "http = { … } of a check",
    keys: &[port(Value("80")), METHOD, PATH, HTTP_HOST, HEADERS, SEND_BODY, EXPECT, BODY_KEY],
};

/// The `https` of a check.
pub static HTTP_IN_TLS: Kind = Kind {
    noun: "an HTTPS check",
    header: "https = { … } of a check",
    keys: &[
        port(Value("443")),
        METHOD,
        PATH,
        HTTP_HOST,
        HEADERS,
        SEND_BODY,
        EXPECT,
        BODY_KEY,
        CA,
        CERTIFICATE,
        KEY,
        VERIFY,
        WARN_BEFORE,
    ],
};

/// The `tcp` of a check.
pub static TCP: Kind = Kind {
    noun: "a TCP check",
    header: "tcp = { … } of a check",
    keys: &[
        port(Required),
        Key::new(
            "send",
            Takes::Text("a text"),
            Value("\"\""),
            "What is said first; it is never shown",
        ),
        Key::new(
            "expect",
            Takes::Text("a text"),
            Value("\"\""),
            "What the first 4 KiB that come must contain; empty does not wait",
        )
        .aka(&["banner", "receive", "string"]),
    ],
};

/// The `tls` of a check.
pub static TLS: Kind = Kind {
    noun: "a TLS check",
    header: "tls = { … } of a check",
    keys: &[port(Value("443")), TLS_HOST, CA, CERTIFICATE, KEY, VERIFY, WARN_BEFORE],
};

/// The `body` of an HTTP or HTTPS check.
pub static BODY: Kind = Kind {
    noun: "a body",
    header: "body = { … } of an HTTP check",
    keys: &[
        Key::new("contains", Takes::Text("a text"), BODY_RULE, "A text that stands in the body")
            .aka(&["string", "substring", "text"]),
        Key::new(
            "matches",
            Takes::Text("a regular expression (\"status: (ok|up)\")"),
            BODY_RULE,
            "A regular expression that matches somewhere in the body; octets and ASCII",
        )
        .aka(&["regex", "rstring", "pattern"]),
        Key::new(
            "json",
            Takes::Text("a JSON pointer (\"/status\")"),
            BODY_RULE,
            "Where in a JSON document to look, with `is`",
        )
        .aka(&["pointer", "json_path"]),
        Key::new(
            "is",
            Takes::Either(&[
                Takes::Text("a text"),
                Takes::Number { min: 0, max: i64::MAX as u64 },
                Takes::Flag,
            ]),
            Rule("none: it goes with `json`"),
            "What must stand there",
        )
        .aka(&["equals", "value"]),
    ],
};

pub(super) const fn port(default: Fallback) -> Key {
    Key::new("port", Takes::Number { min: 1, max: 65_535 }, default, "The port of the node")
}

pub(super) const fn host(doc: &'static str) -> Key {
    let takes = Takes::Text("a host name (\"app.example.org\")");
    Key::new("host", takes, Rule("the service's name"), doc).aka(&["sni", "vhost", "server_name"])
}

const METHOD: Key = Key::new(
    "method",
    Takes::Words { words: &["GET", "HEAD", "OPTIONS", "POST"], other: None },
    Value("\"GET\""),
    "How to ask; only POST has a body to send",
);
pub(super) const PATH: Key =
    Key::new("path", Takes::Text("a path (\"/ready\")"), Value("\"/\""), "Path and query")
        .aka(&["uri", "url"]);
pub(super) const HTTP_HOST: Key = host("Host header, and the name in the certificate");
const TLS_HOST: Key = host("The name that is asked for, and that the certificate must have");
pub(super) const HEADERS: Key = Key::new(
    "headers",
    Takes::Map(&Takes::Text("a header's value")),
    Rule("none"),
    "Headers beyond Host, User-Agent, Accept and Connection: close; values are never shown",
)
.aka(&["header", "hdr"]);
const SEND_BODY: Key = Key::new("send", Takes::Text("a text"), Value("\"\""), "The body of a POST")
    .aka(&["post_body", "payload"]);
const EXPECT: Key = Key::new(
    "expect",
    Takes::List(&Takes::Either(&[
        Takes::Text("codes (\"200-299\")"),
        Takes::Number { min: 100, max: 599 },
    ])),
    Value("[\"200-299\"]"),
    "Response codes that pass",
)
.aka(&["status", "codes", "ok_codes"]);
const BODY_KEY: Key = Key::new(
    "body",
    Takes::Table(&BODY),
    Rule("none: it is not read"),
    "What the first 64 KiB of the body must say",
);

pub(super) const CA: Key = Key::new(
    "ca",
    Takes::Text("a file of certificates (\"ca.pem\")"),
    Rule("whom the system trusts"),
    "The authorities that are trusted in place of the system's, in PEM, below the zones folder",
)
.aka(&["ca_file", "cafile", "ca_cert", "cacert", "root_ca"]);
pub(super) const CERTIFICATE: Key = Key::new(
    "certificate",
    Takes::Text("a file of certificates (\"rota.pem\")"),
    Rule("none"),
    "The certificate that the prober shows, and those it rests on, in PEM; with `key`",
)
.aka(&["cert", "crt", "client_cert", "certificate_file"]);
pub(super) const KEY: Key = Key::new(
    "key",
    Takes::Text("a file with a private key (\"rota.key\")"),
    Rule("none"),
    "The private key of `certificate`, in PEM",
)
.aka(&["client_key", "private_key", "key_file"]);
pub(super) const VERIFY: Key = Key::new(
    "verify",
    Takes::Flag,
    Value("true"),
    "Whether the certificate is looked at; false takes any, of any name and age",
)
.aka(&["tls_verify", "ssl_verify"]);
pub(super) const WARN_BEFORE: Key = Key::new(
    "warn_before",
    Takes::Duration { min: Duration::ZERO, max: Duration::from_secs(366 * 86_400), step: SECOND },
    Value("\"14days\""),
    "A certificate that ends so soon passes with a warning; 0s never warns",
)
.aka(&["expiry", "expires_in", "warn_expiry"]);

/// Faster would be load on the nodes rather than knowledge of them.
const EVERY: Takes = Takes::Duration {
    min: Duration::from_millis(100),
    max: Duration::from_secs(3600),
    step: MILLISECOND,
};
const NAMES: Takes = Takes::List(&Takes::Text("a check's name (\"ready\")"));
const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const ONE_OF: Fallback = Rule("a check asks exactly one thing");
const BODY_RULE: Fallback = Rule("one of `contains`, `matches` and `json`");
const PORT_ALONE: Takes = Takes::Text("a port (\":6379\")");
const PORT_AND_PATH: Takes = Takes::Text("port and path (\":8080/ready\")");
/// More in a row than this is no health check but a wait.
const STREAK: Takes = Takes::Number { min: 1, max: 100 };
