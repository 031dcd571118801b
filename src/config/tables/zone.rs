//! `zones/<apex>.toml`: the zone's name servers and the checks that its services share.

use std::time::Duration;

use super::{HOLD_DOWN, SERVICE};
use crate::config::keys::Fallback::{Required, Rule, Value};
use crate::config::keys::{Key, Kind, Takes};

/// `zones/<apex>.toml`.
pub static ZONE_FILE: Kind = Kind {
    noun: "a zone's file",
    header: "zones/<apex>.toml",
    keys: &[
        Key::new(
            "zone",
            Takes::Table(&ZONE),
            Rule("a master file's SOA and NS"),
            "The zone's name servers",
        ),
        Key::new("check", Takes::Named(&CHECK), Rule("none"), "Checks that services name")
            .aka(&["checks", "health_check"]),
        Key::new(
            "service",
            Takes::Named(&SERVICE),
            Rule("none"),
            "Names whose addresses are steered",
        )
        .aka(&["services", "cluster", "backend"]),
    ],
};

/// `[zone]`.
pub static ZONE: Kind = Kind {
    noun: "[zone]",
    header: "[zone] of a zone's file",
    keys: &[
        Key::new(
            "ns",
            Takes::List(&Takes::Text("a name and its addresses (\"ns1 192.0.2.53\")")),
            Required,
            "The zone's name servers, each with its addresses",
        )
        .aka(&["nameservers", "name_servers", "nameserver"]),
        Key::new(
            "contact",
            Takes::Text("a mail address (\"dns@example.org\")"),
            Rule("hostmaster at the zone's name"),
            "Who answers for the zone: the SOA's RNAME",
        )
        .aka(&["email", "hostmaster", "rname"]),
    ],
};

/// `[check.<name>]`, or the `check` of a service.
pub static CHECK: Kind = Kind {
    noun: "a check",
    header: "[check.<name>], or in check = { … }",
    keys: &[
        Key::new("http", HTTP_ASK, Rule("one of `http` and `https`"), "What to ask over HTTP")
            .aka(&["url"]),
        Key::new("https", HTTP_ASK, Rule("one of `http` and `https`"), "What to ask over HTTPS"),
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
    ],
};

/// The `http` or `https` of a check.
pub static HTTP: Kind = Kind {
    noun: "an HTTP check",
    header: "http = { … } of a check",
    keys: &[
        Key::new(
            "port",
            Takes::Number { min: 1, max: 65_535 },
            Rule("80; 443 for https"),
            "The port of the node",
        ),
        Key::new("path", Takes::Text("a path (\"/ready\")"), Value("\"/\""), "Path and query")
            .aka(&["uri", "url"]),
        Key::new(
            "host",
            Takes::Text("a host name (\"app.example.org\")"),
            Rule("the service's name"),
            "Host header, and the name in the certificate",
        )
        .aka(&["sni", "vhost", "server_name"]),
        Key::new(
            "expect",
            Takes::List(&Takes::Either(&[
                Takes::Text("codes (\"200-299\")"),
                Takes::Number { min: 100, max: 599 },
            ])),
            Value("[\"200-299\"]"),
            "Response codes that pass",
        )
        .aka(&["status", "codes", "ok_codes"]),
    ],
};

/// Faster would be load on the nodes rather than knowledge of them.
const EVERY: Takes = Takes::Duration {
    min: Duration::from_millis(100),
    max: Duration::from_secs(3600),
    step: MILLISECOND,
};
const MILLISECOND: Duration = Duration::from_millis(1);
const HTTP_ASK: Takes =
    Takes::Either(&[Takes::Text("port and path (\":8080/ready\")"), Takes::Table(&HTTP)]);
/// More in a row than this is no health check but a wait.
const STREAK: Takes = Takes::Number { min: 1, max: 100 };
