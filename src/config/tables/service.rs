//! `[service.<name>]`: a name whose addresses are steered.

use std::time::Duration;

use super::pool::{NEEDS, NODES, POOL, TOGETHER};
use super::{CHECK, MAX_WITHDRAW};
use crate::config::keys::Fallback::{Rule, Value};
use crate::config::keys::{Key, Kind, Takes};

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
            ASKED,
            Rule("none: its nodes always count as healthy"),
            "What is asked of every address; several must all pass",
        )
        .aka(&["checks", "health", "healthcheck", "health_check", "service_types"]),
        Key::new(
            "live",
            ASKED,
            Rule("none"),
            "What still passes where a node that is not ready lives: it drains, and is not down",
        )
        .aka(&["liveness", "alive", "live_check"]),
        Key::new(
            "policy",
            Takes::Words {
                words: &[
                    "rotate",
                    "weighted",
                    "ordered",
                    "shuffle",
                    "hash",
                    "nearest",
                    "fastest",
                    "least-loaded",
                ],
                other: None,
            },
            Rule("weighted where weights differ or climb (`slow_start`), else rotate"),
            "Which addresses come first in an answer",
        )
        .aka(&["method", "algorithm", "lb_method", "balance"]),
        Key::new(
            "answers",
            Takes::Either(&[
                Takes::Number { min: 1, max: 65_535 },
                Takes::Words { words: &["all"], other: None },
            ]),
            Rule("16; 1 under `policy = \"hash\"`"),
            "At most this many addresses in one answer; \"all\" has no limit. Under hash one alone \
             keeps a client at its node: resolvers change the order of more",
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
            Takes::Words { words: &["open", "closed", "last-known"], other: Some("a pool's name") },
            Value("\"open\""),
            "With no healthy address: all of the client's first pool (open), none (closed), those \
             that were answered last (last-known), or all of one pool",
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
            "quorum",
            Takes::Either(&[
                Takes::Number { min: 1, max: 17 },
                Takes::Words { words: &["majority", "all"], other: None },
            ]),
            Value("1"),
            "How many must find an address down of those who look at it: this server, and whoever \
             reports from outside; a number counts up to as many as there are",
        )
        .aka(&["health_threshold", "agree"]),
        Key::new(
            "needs",
            NEEDS,
            Rule("none"),
            "Services of the zone without which this one is worth nothing; it is as they are",
        )
        .aka(&["depends", "depends_on", "requires"]),
        Key::new(
            "max_withdraw",
            Takes::Either(&[Takes::Flag, Takes::Table(&MAX_WITHDRAW)]),
            Value("false"),
            "How much of the service may leave by its checks at once; true is half within 1m",
        )
        .aka(&["max_ejection_percent", "max_fail"]),
        Key::new(
            "slow_start",
            Takes::Duration {
                min: Duration::ZERO,
                max: Duration::from_secs(86_400),
                step: Duration::from_secs(1),
            },
            Value("\"0s\""),
            "For how long the weight of a node that has returned climbs to its own",
        )
        .aka(&["slowstart", "warmup", "ramp"]),
        Key::new(
            "steer",
            Takes::Words {
                words: &["failover", "geo", "nearest", "fastest", "split"],
                other: None,
            },
            Value("\"failover\""),
            "Which pool a client gets, and which next: as written (failover), by their `place` \
             (geo), by distance from their `at` (nearest), by what probes take (fastest), by their \
             `share` (split)",
        )
        .aka(&["steering", "routing"]),
        Key::new(
            "spread",
            Takes::List(&Takes::Text("a label's name")),
            Value("[]"),
            "Labels that the addresses of one answer should not share",
        )
        .aka(&["anti_affinity", "diversity"]),
        Key::new(
            "srv",
            Takes::Map(&PORT),
            Rule("none"),
            "SRV records of the nodes, by prefix and port: { \"_https._tcp\" = 443 }; nodes get \
             names of their own for it, as with `names = [\"nodes\"]`",
        ),
        Key::new(
            "https",
            Takes::Either(&[Takes::Flag, Takes::Table(&HTTPS)]),
            Value("false"),
            "An HTTPS record with the answer's addresses as hints",
        )
        .aka(&["svcb"]),
        Key::new(
            "names",
            Takes::List(&Takes::Words { words: &["nodes", "all"], other: None }),
            Value("[]"),
            "Further names, with addresses whatever their state: <node>.<service> for each node \
             (nodes), all.<service> for all of them (all)",
        ),
        Key::new(
            "explain",
            Takes::List(&Takes::Text("a network (\"192.0.2.0/24\")")),
            Value("[]"),
            "Who may ask for TXT at _rota.<service>, which says how the service answers them",
        ),
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

/// The `https` of a service, where it is more than `true`.
pub static HTTPS: Kind = Kind {
    noun: "an HTTPS record",
    header: "https = { … } of a service",
    keys: &[
        Key::new("port", PORT, Value("443"), "Where the nodes speak HTTPS"),
        Key::new(
            "alpn",
            Takes::List(&Takes::Text("a protocol (\"h2\")")),
            Value("[]"),
            "What they speak beside HTTP/1.1, the preferred first",
        )
        .aka(&["protocols"]),
    ],
};

/// What is asked: a check, or several that must all pass.
pub(super) const ASKED: Takes = Takes::Either(&[
    Takes::Text("a check's name"),
    Takes::Table(&CHECK),
    Takes::List(&Takes::Either(&[Takes::Text("a check's name"), Takes::Table(&CHECK)])),
]);
const PORT: Takes = Takes::Number { min: 1, max: 65_535 };
/// Whole seconds, as records have them; a day is far beyond what balancing can use.
const TTL_TIME: Takes = Takes::Duration {
    min: Duration::ZERO,
    max: Duration::from_secs(86_400),
    step: Duration::from_secs(1),
};
