//! Every table and key that an operator can write.
//!
//! `rota.toml` is one [`SERVER`]; each `zones/<apex>.toml` is one [`ZONE_FILE`]. What is described
//! but not built yet stands here too: its type is checked, and then it is refused with what to do
//! today, so that a file written for a later version is never half obeyed.

use std::time::Duration;

use super::keys::Fallback::{Required, Rule, Value};
use super::keys::{Key, Kind, Takes, Word};

/// Every kind of table, for whoever documents or searches them.
pub static KINDS: &[&Kind] = &[
    &SERVER, &LISTEN, &DNS, &ZONE_FILE, &ZONE, &CHECK, &HTTP, &SERVICE, &TTL, &NODE, &POOL, &HTTPS,
];

/// `rota.toml`.
pub static SERVER: Kind = Kind {
    noun: "rota.toml",
    header: "rota.toml",
    keys: &[
        Key::new("zones", FOLDER, Value("\"zones\""), "The folder of zones"),
        Key::new("state", FOLDER, Value("\"state\""), "The folder of what must last"),
        Key::new("listen", Takes::Table(&LISTEN), Rule("its keys' own"), "Where to listen"),
        Key::new("dns", Takes::Table(&DNS), Rule("its keys' own"), "Protocol settings"),
    ],
};

/// `[listen]`.
pub static LISTEN: Kind = Kind {
    noun: "[listen]",
    header: "[listen] of rota.toml",
    keys: &[
        Key::new(
            "dns",
            Takes::List(&SOCKET),
            Value("[\"127.0.0.1:5300\", \"[::1]:5300\"]"),
            "Where queries come in, over UDP and TCP",
        ),
        Key::new("admin", SOCKET, Value("\"127.0.0.1:9153\""), "Health and readiness over HTTP"),
        Key::new(
            "workers",
            Takes::Number { min: 0, max: 1024 },
            Value("0"),
            "UDP threads; 0 is one per core",
        )
        .aka(&["threads", "udp_threads"]),
        Key::new(
            "tcp_connections",
            Takes::Number { min: 1, max: 100_000 },
            Value("1000"),
            "TCP connections in all",
        )
        .aka(&["max_connections", "tcp_clients"]),
        Key::new(
            "tcp_connections_per_client",
            Takes::Number { min: 1, max: 100_000 },
            Value("50"),
            "TCP connections of one client address",
        ),
        Key::new(
            "tcp_idle",
            Takes::Duration { min: SECOND, max: Duration::from_secs(300), step: MILLISECOND },
            Value("\"10s\""),
            "A TCP connection that asks nothing for this long is closed",
        )
        .aka(&["tcp_timeout", "idle_timeout"]),
    ],
};

/// `[dns]`.
pub static DNS: Kind = Kind {
    noun: "[dns]",
    header: "[dns] of rota.toml",
    keys: &[
        Key::new(
            // From the least that RFC 1035 promises to the most that is worth fragments.
            "udp_size",
            Takes::Number { min: 512, max: 4096 },
            Value("1232"),
            "Largest UDP response, in octets",
        )
        .aka(&["edns_size", "edns_buffer_size", "max_udp_size"]),
        Key::new("nsid", Takes::Text("text"), Rule("none"), "Which server of many this is")
            .later("leave it out; no NSID is sent"),
        Key::new("version", Takes::Text("text"), Rule("none"), "The answer to version.bind")
            .later("leave it out; the version is not told to anyone"),
        Key::new("cookies", Takes::Flag, Value("true"), "DNS cookies")
            .later("leave it out; cookies are ignored, as RFC 7873 allows"),
        Key::new(
            "rate_limit",
            Takes::Either(&[Takes::Flag, Takes::Number { min: 1, max: 1_000_000 }]),
            Value("false"),
            "Responses per second to one network",
        )
        .later("leave it out, and limit rates in the firewall"),
    ],
};

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
            // Faster would be load on the nodes rather than knowledge of them.
            "every",
            Takes::Duration {
                min: Duration::from_millis(100),
                max: Duration::from_secs(3600),
                step: MILLISECOND,
            },
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
            Takes::Either(&[
                Takes::Text("a check's name"),
                Takes::Table(&CHECK),
                Takes::List(&Takes::Either(&[Takes::Text("a check's name"), Takes::Table(&CHECK)])),
            ]),
            Rule("none: its nodes always count as healthy"),
            "What is asked of every address; several must all pass",
        )
        .aka(&["checks", "health", "healthcheck", "health_check", "service_types"]),
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
            "steer",
            Takes::Words {
                words: &[
                    Word::new("failover"),
                    Word::new("geo"),
                    Word::new("nearest"),
                    Word::new("fastest"),
                    Word::new("split"),
                ],
                other: None,
            },
            Value("\"failover\""),
            "The order of the pools for a client",
        )
        .later("leave it out: a service has one pool, which is its `nodes`"),
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
        Key::new("pool", Takes::Named(&POOL), Rule("none"), "Named groups of nodes")
            .later("write all nodes in one list, `nodes`, of the service")
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
        ),
        Key::new("nodes", NODES, Required, "The machines that serve"),
        Key::new("share", Takes::Number { min: 0, max: 100 }, Rule("none"), "Its share, of 100"),
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

const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);
const DAY: Duration = Duration::from_secs(86_400);

const FOLDER: Takes = Takes::Text("a folder");
const SOCKET: Takes = Takes::Text("an address and port (\"127.0.0.1:5300\")");
const ADDRESS: Takes = Takes::Text("an address (\"192.0.2.11\")");
const HTTP_ASK: Takes =
    Takes::Either(&[Takes::Text("port and path (\":8080/ready\")"), Takes::Table(&HTTP)]);
const NODES: Takes = Takes::List(&Takes::Either(&[
    Takes::Text("an address (\"192.0.2.11 x3\")"),
    Takes::Table(&NODE),
]));
/// More in a row than this is no health check but a wait.
const STREAK: Takes = Takes::Number { min: 1, max: 100 };
/// Whole seconds, as records have them; a day is far beyond what balancing can use.
const TTL_TIME: Takes = Takes::Duration { min: Duration::ZERO, max: DAY, step: SECOND };
const TOGETHER: &str = "One address of a node down takes all of the node's down";
const SPREAD: &str = "Labels that the addresses of one answer should not share";
