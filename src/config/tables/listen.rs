//! `[listen]` and `[tls]`: where queries come in, what their connections may cost, and who this
//! server is.

use std::time::Duration;

use super::server::{MILLISECOND, NETWORK, SECOND, SOCKET};
use crate::config::keys::Fallback::{Required, Value};
use crate::config::keys::{Key, Kind, Takes};

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
        Key::new(
            "xdp",
            Takes::List(&INTERFACE),
            Value("[]"),
            "Interfaces at whose drivers UDP for `dns` is taken, past the kernel (AF_XDP); needs \
             CAP_NET_ADMIN, CAP_BPF and CAP_NET_RAW, and without them sockets answer",
        )
        .aka(&["af_xdp", "listen-xdp", "xdp_listen"]),
        Key::new(
            "tls",
            Takes::List(&SOCKET),
            Value("[]"),
            "Where queries come in over TLS (DoT), usually at port 853",
        )
        .aka(&["dot", "tls_port", "tls-port"]),
        Key::new(
            "https",
            Takes::List(&SOCKET),
            Value("[]"),
            "Where queries come in over HTTPS (DoH), usually at port 443",
        )
        .aka(&["doh", "https_port", "https-port"]),
        Key::new(
            "http",
            Takes::List(&SOCKET),
            Value("[]"),
            "The same without TLS, for the proxies of `forwarded` and `proxy_protocol` alone",
        ),
        Key::new(
            "quic",
            Takes::List(&SOCKET),
            Value("[]"),
            "Where queries come in over QUIC (DoQ), usually at port 853",
        )
        .aka(&["doq", "quic_port", "quic-port"]),
        Key::new(
            "h3",
            Takes::List(&SOCKET),
            Value("[]"),
            "Where queries come in over HTTP/3, usually at port 443; of builds with `doh3` alone",
        )
        .aka(&["doh3", "http3"]),
        Key::new(
            "doh_path",
            Takes::Text("a path (\"/dns-query\")"),
            Value("\"/dns-query\""),
            "The path of DNS over HTTPS",
        )
        .aka(&["path", "endpoint", "http_path", "uri"]),
        Key::new(
            "admin",
            SOCKET,
            Value("\"127.0.0.1:9153\""),
            "Health, readiness and the API over HTTP",
        ),
        Key::new(
            "workers",
            Takes::Number { min: 0, max: 1024 },
            Value("0"),
            "UDP threads; 0 is one per core",
        )
        .aka(&["threads", "udp_threads"]),
        Key::new(
            "proxy_protocol",
            Takes::List(&NETWORK),
            Value("[]"),
            "Networks of proxies: what comes from there begins with a header of the PROXY protocol",
        )
        .aka(&[
            "proxy-protocol-from",
            "allow-proxy-protocol",
            "proxy_from",
            "accept-proxy",
        ]),
        Key::new(
            "forwarded",
            Takes::List(&NETWORK),
            Value("[]"),
            "Networks of proxies whose `Forwarded` or `X-Forwarded-For` tells the client",
        )
        .aka(&["trusted_proxies", "set_real_ip_from", "trust-forwarded-for-header"]),
        Key::new(
            "connections",
            Takes::Number { min: 1, max: 1_000_000 },
            Value("1000"),
            "Connections in all, of TCP, TLS, HTTPS and QUIC together",
        )
        .aka(&["max_connections", "tcp_clients", "tcp_connections", "tcp-count"]),
        Key::new(
            "connections_per_client",
            Takes::Number { min: 1, max: 1_000_000 },
            Value("50"),
            "Connections of one client: an IPv4 address, or an IPv6 /64",
        )
        .aka(&["tcp_connections_per_client", "max-tcp-connections-per-client"]),
        Key::new(
            "idle_time",
            Takes::Duration { min: SECOND, max: Duration::from_secs(300), step: MILLISECOND },
            Value("\"10s\""),
            "A connection that gets no answer for this long is closed",
        )
        .aka(&["tcp_timeout", "idle_timeout", "tcp_idle", "tcp-idle-timeout"]),
        Key::new(
            // A handshake is two round trips; a slow telephone has time for ten.
            "handshake_time",
            Takes::Duration { min: MILLISECOND, max: Duration::from_secs(60), step: MILLISECOND },
            Value("\"5s\""),
            "How long a proxy's header and the TLS or QUIC handshake may take together",
        )
        .aka(&["handshake_timeout", "tls_handshake_timeout"]),
        Key::new(
            "request_time",
            Takes::Duration { min: MILLISECOND, max: Duration::from_secs(60), step: MILLISECOND },
            Value("\"5s\""),
            "How long one question, or one HTTP header, may take to come in whole",
        )
        .aka(&["header_timeout", "request_timeout", "client_header_timeout"]),
        Key::new(
            "requests_in_flight",
            Takes::Number { min: 1, max: 1000 },
            Value("100"),
            "Questions of one connection that may be open at a time, over HTTP/2 and QUIC",
        )
        .aka(&[
            "http_streams_per_connection",
            "max_concurrent_streams",
            "http2_max_streams",
        ]),
        Key::new(
            // A sixteenth of a megabit: less is no network but an intention.
            "read_rate",
            Takes::Number { min: 1, max: 1_000_000_000 },
            Value("4096"),
            "A client that takes its answers slower than so many octets a second is left",
        )
        .aka(&["min_rate", "send_timeout"]),
        Key::new(
            // None: resolvers ask another server of the zone at once, and nobody else waits for a
            // restart. Who announces an address by /readyz needs as long as that takes.
            "lame_duck",
            Takes::Duration { min: Duration::ZERO, max: Duration::from_secs(300), step: SECOND },
            Value("\"0s\""),
            "How long answers go on after SIGTERM, while /readyz already fails",
        )
        .aka(&["shutdown_delay", "drain_time", "grace_period"]),
    ],
};

/// `[tls]`.
pub static SECRET: Kind = Kind {
    noun: "[tls]",
    header: "[tls] of rota.toml",
    keys: &[
        Key::new(
            "certs",
            Takes::List(&Takes::Table(&CERTIFICATE)),
            Value("[]"),
            "Certificates, each with its key: a client gets the first that has the name it asks \
             for and that it can judge, or else the first of all",
        )
        .aka(&["certificates", "cert", "certificate", "cert-file"]),
        Key::new(
            // Two thirds of the life of a certificate of 45 days is when renewal is tried.
            "warn_before",
            Takes::Duration { min: Duration::ZERO, max: DAY.saturating_mul(365), step: SECOND },
            Value("\"14d\""),
            "How long before its end a certificate is warned of",
        )
        .aka(&["expiry", "expires_in", "warn_expiry"]),
    ],
};

/// One of `certs`.
pub static CERTIFICATE: Kind = Kind {
    noun: "a certificate",
    header: "certs = [{ … }] of [tls]",
    keys: &[
        Key::new(
            "cert",
            PEM,
            Required,
            "The file of the certificate and of those that lead to an authority, in this order",
        )
        .aka(&["certificate", "chain", "fullchain", "cert-file", "tls-service-pem"]),
        Key::new("key", PEM, Required, "The file of its private key").aka(&[
            "private_key",
            "key-file",
            "tls-service-key",
        ]),
    ],
};

const INTERFACE: Takes = Takes::Text("the name of an interface (\"eth0\")");
const PEM: Takes = Takes::Text("a file in PEM (\"fullchain.pem\")");
const DAY: Duration = Duration::from_secs(86_400);
