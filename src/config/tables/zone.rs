//! `zones/<apex>.toml`: the zone's name servers and the checks that its services share.

use super::{CHECK, SERVICE};
use crate::config::keys::Fallback::{Required, Rule};
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
