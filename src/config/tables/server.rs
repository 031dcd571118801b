//! `rota.toml`: the server's folders, where it listens, and how it speaks.

use std::time::Duration;

use crate::config::keys::Fallback::{Rule, Value};
use crate::config::keys::{Key, Kind, Takes};

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

const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);
const FOLDER: Takes = Takes::Text("a folder");
const SOCKET: Takes = Takes::Text("an address and port (\"127.0.0.1:5300\")");
