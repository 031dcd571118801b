//! `rota.toml`: the server's folders, where it listens, and how it speaks.

use std::time::Duration;

use super::{GUARD, REPORTS};
use crate::config::keys::Fallback::{Rule, Value};
use crate::config::keys::{Key, Kind, Takes};

use super::listen::{LISTEN, SECRET};
use super::{LOG, METRICS};

/// `rota.toml`.
pub static SERVER: Kind = Kind {
    noun: "rota.toml",
    header: "rota.toml",
    keys: &[
        Key::new("zones", FOLDER, Value("\"zones\""), "The folder of zones"),
        Key::new("state", FOLDER, Value("\"state\""), "The folder of what must last"),
        Key::new(
            "user",
            Takes::Text("a user's name (\"rota\")"),
            Rule("none: it runs on as whoever started it"),
            "Whom the process becomes when root has started it",
        )
        .aka(&["username", "run_as", "setuid"]),
        Key::new("listen", Takes::Table(&LISTEN), Rule("its keys' own"), "Where to listen"),
        Key::new("tls", Takes::Table(&SECRET), Rule("its keys' own"), "Who this server is, in TLS")
            .aka(&["certs", "certificates", "ssl"]),
        Key::new("admin", Takes::Table(&ADMIN), Rule("its keys' own"), "Who may change things"),
        Key::new("dns", Takes::Table(&DNS), Rule("its keys' own"), "Protocol settings"),
        Key::new("guard", Takes::Table(&GUARD), Rule("its keys' own"), "When to doubt the prober"),
        Key::new("checks", Takes::Table(&CHECKS), Rule("its keys' own"), "What checks may do"),
        Key::new(
            "reports",
            Takes::Table(&REPORTS),
            Rule("its keys' own"),
            "What others say who look at nodes",
        )
        .aka(&["outlier_detection", "passive"]),
        Key::new("geo", Takes::Table(&GEO), Rule("its keys' own"), "Where clients are")
            .aka(&["geoip", "geoip2", "mmdb"]),
        Key::new("metrics", Takes::Table(&METRICS), Rule("its keys' own"), "What a scraper reads")
            .aka(&["prometheus", "telemetry"]),
        Key::new(
            "log",
            Takes::Table(&LOG),
            Rule("its keys' own"),
            "Which answers are written down",
        )
        .aka(&["logging"]),
        Key::new(
            "reload",
            Takes::Table(&RELOAD),
            Rule("its keys' own"),
            "When the configuration is read anew",
        ),
    ],
};

/// `[reload]`.
pub static RELOAD: Kind = Kind {
    noun: "[reload]",
    header: "[reload] of rota.toml",
    keys: &[
        // On, because a reload with mistakes changes nothing: what is half saved is told and waits.
        Key::new(
            "watch",
            Takes::Flag,
            Value("true"),
            "Whether changes to the files are noticed; without it a reload takes SIGHUP",
        )
        .aka(&["auto", "auto_reload", "zones_rfc1035_auto"]),
    ],
};

/// `[admin]`.
pub static ADMIN: Kind = Kind {
    noun: "[admin]",
    header: "[admin] of rota.toml",
    keys: &[
        Key::new(
            "token_file",
            Takes::Text("a file with one line of 16 characters or more"),
            Rule("none: changes over TCP come from this machine alone"),
            "The token that changes over TCP need; the Unix socket needs none",
        )
        .aka(&["token", "api_key", "api-key", "password"]),
        Key::new(
            "plain_text",
            Takes::Flag,
            Value("false"),
            "Whether the token may travel a network as it is, where others reach the listener",
        )
        .aka(&["insecure"]),
        Key::new(
            "socket",
            Takes::Either(&[Takes::Text("a path"), Takes::Flag]),
            Rule("rota.sock in the state folder"),
            "The Unix socket that the command line uses, for this user alone; false for none",
        )
        .aka(&["control_socket", "unix_socket"]),
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
        Key::new(
            "nsid",
            Takes::Text("a text (\"ns1-fra\")"),
            Rule("none: it is not told"),
            "Which server of many this is: NSID, id.server, hostname.bind",
        )
        .aka(&["identity", "server_id"]),
        Key::new(
            "version",
            Takes::Either(&[Takes::Text("a text"), Takes::Flag]),
            Value("false"),
            "What version.bind says; true is Rota's own version",
        )
        .aka(&["hide_version"]),
        Key::new("cookies", Takes::Flag, Value("true"), "DNS cookies").aka(&["answer_cookie"]),
        Key::new(
            "cookie_secrets",
            Takes::List(&COOKIE_SECRET),
            Rule("one by chance at each start"),
            "What cookies are made with, the same for all servers of an address; the first makes, \
             a second is recognised too",
        )
        .aka(&["cookie_secret"]),
        Key::new(
            "rate_limit",
            Takes::Either(&[PER_SECOND, Takes::Flag, Takes::Table(&RATE_LIMIT)]),
            Value("false"),
            "Answers of one kind per second to one network, over UDP, for each worker; true is 200",
        )
        .aka(&["rrl", "rrl_ratelimit", "responses_per_second"]),
        Key::new(
            "ecs",
            Takes::Either(&[Takes::Flag, Takes::List(&NETWORK)]),
            Value("true"),
            "Whether answers follow the client subnet that a resolver tells; a list of networks \
             names the resolvers whose word counts",
        )
        .aka(&[
            "edns_client_subnet",
            "client_subnet",
            "ecs_trusted",
            "edns_subnet_processing",
            "edns_subnet_allow_list",
        ]),
    ],
};

/// `[checks]`.
pub static CHECKS: Kind = Kind {
    noun: "[checks]",
    header: "[checks] of rota.toml",
    keys: &[
        Key::new(
            "exec",
            FOLDER,
            Rule("none: no check may run a program"),
            "The folder of the programs that checks may run, and no others",
        )
        .aka(&["external-check", "insecure-fork-wanted", "plugins"]),
        Key::new(
            "exec_as_root",
            Takes::Flag,
            Value("false"),
            "Whether they may be run where the server runs as root",
        ),
        Key::new(
            "states",
            FOLDER,
            Rule("the folder of zones"),
            "The folder of the files of states that checks name",
        ),
    ],
};

/// `[geo]`.
pub static GEO: Kind = Kind {
    noun: "[geo]",
    header: "[geo] of rota.toml",
    keys: &[Key::new(
        "files",
        Takes::List(&Takes::Text("an mmdb file (\"GeoLite2-City.mmdb\")")),
        Value("[]"),
        "What says where addresses are, of any vendor, the most trusted first; read anew at \
             every reload",
    )
    .aka(&[
        "file",
        "database",
        "databases",
        "mmdb",
        "geoip_db",
        "geoip2_db",
        "geoip-database-files",
    ])],
};

/// The `rate_limit` of `[dns]`, where it is more than a number.
pub static RATE_LIMIT: Kind =
    Kind {
        noun: "a rate limit",
        header: "rate_limit = { … } of [dns]",
        keys: &[
            Key::new(
                // NSD's own default: a resolver of many users asks for one name that often at most.
                "per_second",
                PER_SECOND,
                Value("200"),
                "Answers of one kind to one network; as many at once after a second of none",
            )
            .aka(&["rate", "responses_per_second", "rrl_ratelimit"]),
            Key::new(
                // As in BIND and NSD.
                "slip",
                Takes::Number { min: 0, max: 10 },
                Value("2"),
                "Every so-manieth answer beyond the limit is a short one; 0 is none, 1 is all",
            )
            .aka(&["rrl_slip"]),
            Key::new("exempt", Takes::List(&NETWORK), Value("[]"), "Whom it does not hold for")
                .aka(&["whitelist", "exempt_clients", "allowlist"]),
        ],
    };

const PER_SECOND: Takes = Takes::Number { min: 1, max: 1_000_000 };
pub(super) const NETWORK: Takes = Takes::Text("a network (\"192.0.2.0/24\")");
const COOKIE_SECRET: Takes = Takes::Text("32 hexadecimal digits (128 bits)");
pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const MILLISECOND: Duration = Duration::from_millis(1);
const FOLDER: Takes = Takes::Text("a folder");
pub(super) const SOCKET: Takes = Takes::Text("an address and port (\"127.0.0.1:5300\")");
