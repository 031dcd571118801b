//! `[service.<name>]`: a name whose addresses are steered, and the nodes behind it.

use std::time::Duration;

use super::CHECK;
use crate::config::keys::Fallback::{Required, Rule, Value};
use crate::config::keys::{Key, Kind, Takes, Word};

/// `[service.<name>]`.
pub static SERVICE: Kind = Kind {
    noun: "a service",
    header: "[service.<name>]",
    keys: &[
        Key::new(
            "nodes",
            NODES,
            Rule("the addresses that the master file has at this name"),
            "The machines that serve",
        )
        .aka(&[
            "members",
            "servers",
            "backends",
            "addresses",
            "addrs",
            "targets",
            "endpoints",
        ]),
        Key::new(
            "check",
            CHECKS,
            Rule("none: its nodes always count as healthy"),
            "What is asked of every address; several must all pass",
        )
        .aka(&["checks", "health", "healthcheck", "health_check", "service_types"]),
        Key::new(
            "live",
            CHECKS,
            Rule("none"),
            "What still passes where a node that is not ready lives: it drains, and is not down",
        )
        .aka(&["liveness", "alive", "live_check"]),
        Key::new(
            "policy",
            Takes::Words {
                words: &[
                    Word::new("rotate"),
                    Word::new("weighted"),
                    Word::new("ordered"),
                    Word::new("shuffle"),
                    Word::later("hash", "use \"rotate\" or \"weighted\""),
                    Word::later("nearest", "use \"rotate\" or \"weighted\""),
                    Word::later("fastest", "use \"rotate\" or \"weighted\""),
                    Word::later("least-loaded", "use \"weighted\", with weights you set"),
                ],
                other: None,
            },
            Rule("weighted where weights differ, else rotate"),
            "Which addresses come first in an answer",
        )
        .aka(&["method", "algorithm", "lb_method", "balance"]),
        Key::new(
            "answers",
            Takes::Either(&[
                Takes::Number { min: 1, max: 65_535 },
                Takes::Words { words: &[Word::new("all")], other: None },
            ]),
            Value("16"),
            "At most this many addresses in one answer, taking turns; \"all\" has no limit",
        )
        .aka(&["max_answers", "max_addrs_returned", "count"]),
        Key::new(
            "ttl",
            Takes::Either(&[TTL_TIME, Takes::Table(&TTL)]),
            Value("\"5s\""),
            "How long resolvers keep an answer",
        ),
        Key::new(
            "when_all_down",
            Takes::Words {
                words: &[
                    Word::new("open"),
                    Word::new("closed"),
                    Word::later("last-known", "use \"open\" or \"closed\""),
                ],
                other: Some(("a pool's name", "use \"open\" or \"closed\"")),
            },
            Value("\"open\""),
            "With no healthy address: all of them (open) or none (closed)",
        )
        .aka(&["fallback", "fail_open"]),
        Key::new("together", Takes::Flag, Value("false"), TOGETHER),
        Key::new(
            "panic",
            Takes::Share,
            Value("0"),
            "A pool of which less than this part is healthy answers with all it has; 0 is off",
        )
        .aka(&["panic_threshold", "min_active"]),
        Key::new(
            "steer",
            Takes::Words {
                words: &[
                    Word::new("failover"),
                    Word::later("geo", STEER_TODAY),
                    Word::later("nearest", STEER_TODAY),
                    Word::later("fastest", STEER_TODAY),
                    Word::later("split", STEER_TODAY),
                ],
                other: None,
            },
            Value("\"failover\""),
            "The order of the pools for a client: as written (failover)",
        )
        .aka(&["steering", "routing"]),
        Key::new("spread", Takes::List(&Takes::Text("a label's name")), Value("[]"), SPREAD)
            .later("leave it out: the addresses of one answer are those whose turn it is"),
        Key::new(
            "srv",
            Takes::Map(&Takes::Number { min: 1, max: 65_535 }),
            Rule("none"),
            "SRV records of the nodes, by prefix and port",
        )
        .later("leave it out; write SRV records in the zone's master file"),
        Key::new("https", Takes::Table(&HTTPS), Rule("none"), "HTTPS records of the nodes")
            .later("leave it out; write HTTPS records in the zone's master file"),
        Key::new(
            "pool",
            Takes::Named(&POOL),
            Rule("one without a name, which is `nodes`"),
            "Named groups of nodes, in the order in which they are tried",
        )
        .aka(&["pools"]),
    ],
};

/// The `ttl` of a service, where it has two.
pub static TTL: Kind = Kind {
    noun: "a ttl",
    header: "ttl = { … } of a service",
    keys: &[
        Key::new("calm", TTL_TIME, Value("\"5s\""), "While verdicts agree with every status"),
        Key::new(
            "alert",
            TTL_TIME,
            Rule("5s, or `calm` where that is shorter"),
            "While a node is falling or rising",
        ),
    ],
};

/// A node in its long form.
pub static NODE: Kind = Kind {
    noun: "a node",
    header: "nodes = [{ … }]",
    keys: &[
        Key::new("name", Takes::Text("a name (\"eu1\")"), Rule("its first address"), "Its name"),
        Key::new(
            "address",
            Takes::Either(&[ADDRESS, Takes::List(&ADDRESS)]),
            Required,
            "Its addresses, IPv4 and IPv6",
        )
        .aka(&["addresses", "ip", "ips", "addr", "host", "server"]),
        Key::new(
            "weight",
            Takes::Number { min: 0, max: 65_535 },
            Value("1"),
            "Its share beside the other nodes",
        ),
        Key::new(
            "labels",
            Takes::Map(&Takes::Text("text")),
            Rule("none"),
            "What it is: rack, site",
        )
        .aka(&["tags", "meta"]),
        Key::new("together", Takes::Flag, Rule("the service's"), TOGETHER),
    ],
};

/// `[service.<name>.pool.<name>]`.
pub static POOL: Kind = Kind {
    noun: "a pool",
    header: "[service.<name>.pool.<name>]",
    keys: &[
        Key::new(
            "place",
            Takes::List(&Takes::Text("a place (\"EU\")")),
            Value("[\"*\"]"),
            "Whom it serves",
        )
        .later("leave it out: pools are tried in the order in which they are written"),
        Key::new("nodes", NODES, Required, "The machines that serve"),
        Key::new(
            "min_healthy",
            Takes::Number { min: 0, max: u32::MAX as u64 },
            Value("0"),
            "It serves while its healthy addresses of a family weigh so much; 0 is any",
        )
        .aka(&["minimum", "min_members", "up_thresh"]),
        Key::new("share", Takes::Number { min: 0, max: 100 }, Rule("none"), "Its share, of 100")
            .later("leave it out: pools are tried in the order in which they are written"),
    ],
};

/// The `https` of a service.
pub static HTTPS: Kind = Kind {
    noun: "HTTPS records",
    header: "https = { … } of a service",
    keys: &[
        Key::new("port", Takes::Number { min: 1, max: 65_535 }, Value("443"), "The port"),
        Key::new(
            "alpn",
            Takes::List(&Takes::Text("a protocol (\"h2\")")),
            Value("[]"),
            "Protocols",
        ),
    ],
};

const CHECKS: Takes = Takes::Either(&[
    Takes::Text("a check's name"),
    Takes::Table(&CHECK),
    Takes::List(&Takes::Either(&[Takes::Text("a check's name"), Takes::Table(&CHECK)])),
]);
const ADDRESS: Takes = Takes::Text("an address (\"192.0.2.11\")");
const NODES: Takes = Takes::List(&Takes::Either(&[
    Takes::Text("an address (\"192.0.2.11 x3\")"),
    Takes::Table(&NODE),
]));
/// Whole seconds, as records have them; a day is far beyond what balancing can use.
const TTL_TIME: Takes = Takes::Duration {
    min: Duration::ZERO,
    max: Duration::from_secs(86_400),
    step: Duration::from_secs(1),
};
const STEER_TODAY: &str = "use \"failover\": the pools in the order in which they are written";
const TOGETHER: &str = "One address of a node down takes all of the node's down";
const SPREAD: &str = "Labels that the addresses of one answer should not share";
