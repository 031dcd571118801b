//! `[service.<name>.pool.<name>]` and `nodes`: the machines behind a service, and where they stand.

use super::service::ASKED;
use crate::config::keys::Fallback::{Required, Rule, Value};
use crate::config::keys::{Key, Kind, Takes};

/// `[service.<name>.pool.<name>]`.
pub static POOL: Kind = Kind {
    noun: "a pool",
    header: "[service.<name>.pool.<name>]",
    keys: &[
        Key::new(
            "place",
            Takes::List(&Takes::Text("a place (\"EU\")")),
            Rule("none; needed under `steer = \"geo\"`"),
            "Whom it is for: continents (EU), countries (DE), parts of them (US-CA), AS64500, \
             networks (10.1.0.0/16), all others (*); the narrowest place wins",
        )
        .aka(&["places", "geo", "regions", "countries", "continents"]),
        Key::new("nodes", NODES, Required, "The machines that serve"),
        Key::new(
            "min_healthy",
            Takes::Number { min: 0, max: u32::MAX as u64 },
            Value("0"),
            "It serves while its healthy addresses of a family weigh so much; 0 is any",
        )
        .aka(&["minimum", "min_members", "up_thresh"]),
        Key::new(
            "needs",
            NEEDS,
            Rule("none"),
            "Services of the zone without which the pool is worth nothing; it is as they are",
        )
        .aka(&["depends", "depends_on", "requires"]),
        Key::new(
            "share",
            Takes::Number { min: 0, max: 100 },
            Rule("none; needed under `steer = \"split\"`"),
            "Its part of all clients in percent; the shares of all pools are 100 together",
        )
        .aka(&["percent", "percentage", "weight"]),
        Key::new("at", AT, Rule("none; needed under `steer = \"nearest\"`"), "Where it stands")
            .aka(&["coordinates", "location", "latlon"]),
    ],
};

/// One service, or several.
pub(super) const NEEDS: Takes = Takes::Either(&[
    Takes::Text("a service of the zone (\"db\")"),
    Takes::List(&Takes::Text("a service of the zone (\"db\")")),
]);

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
        Key::new(
            "check",
            ASKED,
            Rule("the service's"),
            "What is asked of its addresses, in place of the service's `check`; [] is nothing",
        )
        .aka(&["checks", "health", "healthcheck"]),
        Key::new(
            "check_address",
            ADDRESS,
            Rule("each of its addresses"),
            "Where to ask in place of its addresses, for one that answers elsewhere about itself",
        )
        .aka(&["check-addr", "management", "agent-addr", "health_address"]),
        Key::new("together", Takes::Flag, Rule("the service's"), TOGETHER),
        Key::new("at", AT, Rule("its pool's"), "Where it stands, for `policy = \"nearest\"`")
            .aka(&["coordinates", "location", "latlon"]),
    ],
};

/// The `nodes` of a service or pool.
pub(super) const NODES: Takes = Takes::List(&Takes::Either(&[
    Takes::Text("an address (\"192.0.2.11 x3\")"),
    Takes::Table(&NODE),
]));
/// What `together` means, wherever it is written.
pub(super) const TOGETHER: &str = "One address of a node down takes all of the node's down";
const ADDRESS: Takes = Takes::Text("an address (\"192.0.2.11\")");
const AT: Takes = Takes::Text("coordinates (\"52.52, 13.40\")");
