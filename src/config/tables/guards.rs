//! What keeps checks from doing harm: the kinds of tables that say how far they may go.

use std::time::Duration;

use crate::config::keys::Fallback::{Rule, Value};
use crate::config::keys::{Key, Kind, Takes};

/// The `hold_down` of a check.
pub static HOLD_DOWN: Kind = Kind {
    noun: "a hold-down",
    header: "hold_down = { … } of a check",
    keys: &[
        Key::new(
            "after",
            Takes::Number { min: 1, max: 20 },
            Value("3"),
            "So many falls within `within` are too many",
        ),
        Key::new("within", WINDOW, Value("\"10m\""), "Falls are forgotten after so long"),
        Key::new("max", WINDOW, Value("\"10m\""), "The longest that a target must pass to return"),
    ],
};

/// `[guard]`.
pub static GUARD: Kind = Kind {
    noun: "[guard]",
    header: "[guard] of rota.toml",
    keys: &[
        Key::new(
            "control",
            Takes::List(&Takes::Text("an address and port (\"192.0.2.1:80\")")),
            Value("[]"),
            "What always answers TCP: while all of it is silent, no node goes down for silence",
        )
        .aka(&["suspect", "canaries", "gateway"]),
        Key::new("freeze", WINDOW, Value("\"10m\""), "The longest that no node goes down so"),
    ],
};

/// `[reports]`.
pub static REPORTS: Kind = Kind {
    noun: "[reports]",
    header: "[reports] of rota.toml",
    keys: &[
        Key::new(
            "from",
            Takes::List(&Takes::Text("a vantage's name (\"haproxy-eu\")")),
            Rule("whoever may change things, under 16 names at a time"),
            "Who is heard that reports from outside how nodes are",
        )
        .aka(&["vantages", "vantage", "allow", "sources"]),
        Key::new(
            // As Envoy counts 5xx.
            "fails",
            Takes::Number { min: 1, max: 1000 },
            Value("5"),
            "Failures in a row, told by one vantage, that make an address down to it",
        )
        .aka(&["consecutive_5xx", "error_limit", "max_fails"]),
        Key::new(
            "passes",
            Takes::Number { min: 1, max: 1000 },
            Value("2"),
            "Passes in a row that make it up to it again",
        ),
        Key::new(
            "lasts",
            Takes::Duration {
                min: Duration::from_secs(1),
                max: Duration::from_secs(3600),
                step: Duration::from_millis(1),
            },
            Value("\"30s\""),
            "What a vantage says of an address is forgotten so long after its last word on it",
        )
        .aka(&["base_ejection_time", "fail_timeout", "stale"]),
    ],
};

/// The `load` of a check.
pub static LOAD: Kind = Kind {
    noun: "a report of load",
    header: "load = { … } of a check",
    keys: &[
        Key::new(
            "json",
            Takes::Text("a JSON pointer (\"/load\")"),
            Rule("none: the header X-Rota-Load"),
            "Where the number stands in a JSON body",
        ),
        Key::new(
            "metric",
            Takes::Text("a metric's name (\"http_connections\")"),
            Rule("none: the header X-Rota-Load"),
            "The metric of a Prometheus page that is the number; its lines are added up",
        ),
        Key::new(
            "full",
            Takes::Number { min: 1, max: u32::MAX as u64 },
            Value("1"),
            "The number that is a full load: 100 for percent, or the connections a node takes",
        ),
        Key::new(
            "says",
            Takes::Words { words: &["load", "weight"], other: None },
            Value("\"load\""),
            "Whether the number is how busy the node is, or what it wants of its weight",
        ),
    ],
};

/// The `max_withdraw` of a service.
pub static MAX_WITHDRAW: Kind = Kind {
    noun: "a limit of withdrawals",
    header: "max_withdraw = { … } of a service",
    keys: &[
        Key::new("share", Takes::Share, Value("0.5"), "No more of the service's weight than this"),
        Key::new("within", WINDOW, Value("\"1m\""), "The window in which no more leaves"),
    ],
};

/// From what a check can see at all to what an operator would have acted on.
const WINDOW: Takes = Takes::Duration {
    min: Duration::from_secs(1),
    max: Duration::from_secs(86_400),
    step: Duration::from_millis(1),
};
