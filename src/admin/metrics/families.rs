//! Every family that `/metrics` has, in its order.
//!
//! A description is written here and nowhere else. Labels have few values, or a bound that the
//! operator sets: what a scraper keeps must not grow with what strangers ask or customers add.
//!
//! There are only kinds that the older text format of Prometheus has too, so that a reader which
//! knows no other can still make sense of the page.

use super::family::{Bound, Family, Kind, Label, Measure};

macro_rules! families {
    ($($name:ident = $kind:ident $metric:literal $([$unit:ident])? $({ $($label:ident),+ })?
        $(at most $bound:ident)?: $help:literal;)+) => {
        $(pub(super) static $name: Family = Family {
            name: $metric,
            kind: Kind::$kind,
            unit: families!(@option $(Measure::$unit)?),
            help: $help,
            labels: &[$($($label),+)?],
            bound: families!(@option $(Bound::$bound)?),
        };)+

        /// All of them, in the order of the page.
        pub static FAMILIES: &[&Family] = &[$(&$name),+];
    };
    (@option) => { None };
    (@option $value:expr) => { Some($value) };
}

macro_rules! labels {
    ($($constant:ident = $name:literal: $doc:literal;)+) => {
        $(const $constant: Label = Label { name: $name, doc: $doc };)+
    };
}

labels! {
    VERSION = "version": "of Rota";
    TRANSPORT = "transport": "`udp`, `tcp`, `tls`, `https`, `quic` or `h3`, as far as it is \
                              listened for";
    CLIENT = "family": "of the client's address: `ipv4` or `ipv6`";
    ASKED = "family": "of the addresses asked for: `ipv4` (A) or `ipv6` (AAAA)";
    TYPE = "type": "a mnemonic; `other` for those without a counter of their own, `none` where no \
                    question could be read";
    OUTCOME = "outcome": "see the list below";
    RCODE = "rcode": "`NOERROR`, `FORMERR`, `SERVFAIL`, `NXDOMAIN`, `NOTIMP`, `REFUSED`, \
                      `YXDOMAIN`, `BADVERS`, `BADCOOKIE`";
    DROPPED = "reason": "`rate_limit`, or `ignored`: a runt, or a response";
    FOLLOWED = "followed": "`yes`, or `no`: it had no bits, or came from where none is believed";
    COOKIE = "cookie": "`valid` or `wrong`";
    SAMPLE = "result": "`noted`, or `lost`: too many were waiting to be written down";
    ZONE = "zone": "its apex without the final dot; `(other)` beyond the bound";
    STATE = "state": "`served`, or `broken`: answered with SERVFAIL";
    SERVICE = "service": "`zone/service`; `(other)` beyond the bound";
    POOL = "pool": "its name; empty in a service without named pools";
    NODE = "node": "its name; `(other)` beyond the bound";
    TIER = "tier": "the row of the truth table: see the list below";
    DUTY = "duty": "`serving`, `draining`, `failed`, or `barred` by an operator";
    STATUS = "status": "`up`, `down`, `draining` or `unknown`";
    TO = "to": "`up`, `down` or `draining`";
    RESULT = "result": "`pass`, `fail`, or `none`: the prober itself could not try";
    REASON = "reason": "why it did not pass, in one word; `none` for a pass";
    TARGET = "target": "what is probed: the address, and what is asked there";
    VANTAGE = "vantage": "the name that a report came under; at most 16 at a time";
    SEEN = "result": "`passed` or `failed`";
    SAYS = "status": "`up`, `down`, or `unknown`: not enough has been said";
    GUARD = "guard": "`max_withdraw`: fails, and is held in the answers; `slow_start`: has \
                      returned, and its weight climbs";
    RELOAD = "result": "`applied`; `partial`: a part of it has mistakes and stays as it was; \
                        `refused`: nothing has changed";
    LIMIT = "limit": "`client`: its client had as many as it may have; `all`: every seat was taken";
    CUT_BY = "limit": "`handshake`, `idle`, `request` or `reader`: `handshake_time`, `idle_time`, \
                       `request_time` or `read_rate` of [listen]";
    FILE = "file": "of the certificate";
    LOST = "reason": "`full`: a worker was away for longer than its rings hold; `invalid`: the \
                      kernel could not read where a frame was";
}

families! {
    BUILD = Gauge "rota_build_info" { VERSION }: "Always 1: the label says which Rota this is";
    QUERIES = Counter "rota_queries" { TRANSPORT, CLIENT, TYPE }:
        "Packets that came, whatever became of them";
    ZONE_QUERIES = Counter "rota_zone_queries" { ZONE } at most Zones:
        "Packets with a name in a zone that is served";
    OUTCOMES = Counter "rota_outcomes" { OUTCOME }: "Packets by what became of them";
    RESPONSES = Counter "rota_responses" { RCODE }: "Responses by their code";
    DROPPED_PACKETS = Counter "rota_packets_dropped" { DROPPED }: "Packets met with silence";
    TRUNCATED = Counter "rota_truncated_responses":
        "Responses that went out with TC set: the client comes again by TCP";
    RESPONSE_SIZE = Histogram "rota_response_size_bytes" [Bytes]: "Sizes of responses";
    RESPONSE_TIME = Histogram "rota_response_seconds" [Seconds] { TRANSPORT }:
        "From a batch received to its answers sent, over TCP to its answers made; one batch in \
         1024 is timed, and at least one a second";
    SUBNETS = Counter "rota_client_subnet_queries" { FOLLOWED }:
        "Packets that told a client subnet (ECS), by whether the answer was for it";
    COOKIES = Counter "rota_cookie_queries" { COOKIE }: "Packets that had a server cookie";
    SAMPLES = Counter "rota_answer_samples" { SAMPLE }:
        "Answers noted for the answer log of [log]";
    SEND_ERRORS = Counter "rota_send_errors" { TRANSPORT }: "Responses that could not be sent";
    RECEIVE_ERRORS = Counter "rota_receive_errors" { TRANSPORT }:
        "Failed calls to receive datagrams or accept a connection";
    FRAMES_LOST = Counter "rota_xdp_frames_lost" { LOST }:
        "Frames that were taken at the driver of an interface of `xdp` and lost";
    CONNECTIONS = Gauge "rota_connections" { TRANSPORT }: "Connections of clients that are open";
    ACCEPTED = Counter "rota_connections_accepted" { TRANSPORT }: "Connections taken";
    REFUSED = Counter "rota_connections_refused" { TRANSPORT, LIMIT }:
        "Connections closed at once, because of a limit";
    EVICTED = Counter "rota_connections_evicted" { TRANSPORT }:
        "Idle connections closed to make room for a newer one";
    CUT = Counter "rota_connections_cut" { TRANSPORT, CUT_BY }:
        "Connections closed because they ran into a limit of time";
    FAILED_HANDSHAKES = Counter "rota_handshakes_failed" { TRANSPORT }:
        "Connections that ended before a question: no keys were agreed on, or the header of a \
         proxy made no sense";
    REFUSED_REQUESTS = Counter "rota_http_requests_refused":
        "HTTP requests that were answered with an error of HTTP, and never asked";
    IN_FLIGHT = Gauge "rota_requests_in_flight" { TRANSPORT }:
        "Requests over HTTPS and QUIC that are open";
    FILLED = Counter "rota_requests_at_limit" { TRANSPORT }:
        "Requests that took the last place of `requests_in_flight` on their connection: further \
         ones wait at the client";
    ANSWERS = Counter "rota_answers" { SERVICE, POOL, NODE } at most Nodes:
        "Answers that began with an address of the node";
    FALLBACK_QUERIES = Counter "rota_fallback_queries" { TIER }:
        "Queries for addresses of a service that no pool served as it should";
    SERVICE_TIER = Gauge "rota_service_tier" { SERVICE, ASKED, TIER } at most Services:
        "1 for the row of the truth table that answers now";
    SERVICE_ADDRESSES = Gauge "rota_service_addresses" { SERVICE, DUTY } at most Services:
        "Addresses of a service by what they are to its answers";
    SERVICES = Gauge "rota_services" { ASKED, TIER }:
        "Services by the row of the truth table that answers now";
    SERVICES_PANICKING = Gauge "rota_services_panicking" { ASKED }:
        "Services of which a pool answers with all it has, because too little of it serves";
    GUARDED = Gauge "rota_guarded_addresses" { GUARD }:
        "Addresses with which a guard does something";
    NODE_UP = Gauge "rota_node_up" { SERVICE, POOL, NODE } at most Nodes:
        "1 where an address of the node is served as healthy, else 0";
    NODE_WEIGHT = Gauge "rota_node_weight" { SERVICE, POOL, NODE } at most Nodes:
        "What the node weighs in answers now";
    PLANS = Counter "rota_plans": "Plans made anew because a status or an override changed";
    GENERATION = Gauge "rota_generation": "The number of the configuration in force";
    ZONES = Gauge "rota_zones" { STATE }: "Zones of the configuration in force";
    ZONE_SERIAL = Gauge "rota_zone_serial" { ZONE } at most Zones: "The serial of a zone's SOA";
    TARGETS = Gauge "rota_targets" { STATUS }: "Targets of probes by their status";
    TARGETS_HELD = Gauge "rota_targets_held":
        "Targets that are held down for a while, because they flapped";
    SUSPECT = Gauge "rota_prober_suspect":
        "1 while the control targets of [guard] are silent too, so that silence turns no node";
    REPORTS = Counter "rota_reports" { VANTAGE, SEEN }:
        "What vantages have said of nodes, each word as often as it counts";
    VANTAGE_ADDRESSES = Gauge "rota_vantage_addresses" { VANTAGE, SAYS }:
        "Addresses of which a vantage says something now";
    VANTAGE_HEARD = Gauge "rota_vantage_heard_timestamp_seconds" [Seconds] { VANTAGE }:
        "When a vantage has said something last";
    TRANSITIONS = Counter "rota_transitions" { TO }: "Targets whose status turned";
    CHECKS = Counter "rota_checks" { RESULT, REASON }: "Probes that ended";
    CHECK_TIME = Histogram "rota_check_duration_seconds" [Seconds]: "How long probes took";
    CHECKS_IN_FLIGHT = Gauge "rota_checks_in_flight": "Probes under way";
    CHECK_START_DELAY = Histogram "rota_check_start_delay_seconds" [Seconds]:
        "How much later than planned probes started; in the first round, how long they waited for \
         others";
    CHECK_DELAY = Gauge "rota_check_delay_seconds" [Seconds]:
        "How late the most delayed probe is; more than a second means a stalled prober";
    CERTIFICATE = Gauge "rota_certificate_expiry_timestamp_seconds" [Seconds] { TARGET }
        at most Nodes: "When a target's certificate ends, where its check warns of that";
    OWN_CERTIFICATE = Gauge "rota_own_certificate_expiry_timestamp_seconds" [Seconds] { FILE }:
        "When a certificate that this server shows ends";
    RELOADS = Counter "rota_reloads" { RELOAD }: "Configurations read anew";
    RELOAD_SUCCESS = Gauge "rota_config_last_reload_success":
        "1 where all of the last configuration read is in force, else 0";
    RELOAD_TIME = Gauge "rota_config_last_reload_success_timestamp_seconds" [Seconds]:
        "When last all of a configuration was put in force";
    CPU = Counter "process_cpu_seconds" [Seconds]: "Time that the process has spent on a core";
    RESIDENT = Gauge "process_resident_memory_bytes" [Bytes]: "Memory of the process in RAM";
    VIRTUAL = Gauge "process_virtual_memory_bytes" [Bytes]: "Address space of the process";
    THREADS = Gauge "process_threads": "Threads of the process";
    OPEN_FDS = Gauge "process_open_fds": "Descriptors of the process that are open";
    MAX_FDS = Gauge "process_max_fds": "Descriptors that the process may have open";
    START_TIME = Gauge "process_start_time_seconds" [Seconds]: "When the process began to serve";
}
