//! `[metrics]` of `rota.toml`: what a scraper reads, and how much of it.

use crate::config::keys::Fallback::Value;
use crate::config::keys::{Key, Kind, Takes};

/// `[metrics]`.
pub static METRICS: Kind = Kind {
    noun: "[metrics]",
    header: "[metrics] of rota.toml",
    keys: &[
        Key::new(
            "enabled",
            Takes::Flag,
            Value("true"),
            "Whether /metrics is on the admin listener",
        )
        .aka(&["enable", "on"]),
        Key::new(
            "zones",
            CAP,
            Value("1000"),
            "How many zones have figures of their own; the first do, the others share one row",
        )
        .aka(&["zones_max", "max_zones"]),
        Key::new(
            "services",
            CAP,
            Value("1000"),
            "How many services have figures of their own; all are counted by their state",
        )
        .aka(&["services_max", "max_services"]),
        Key::new(
            "nodes",
            CAP,
            Value("1000"),
            "How many nodes have figures of their own; the first do, the others share one row",
        )
        .aka(&["nodes_max", "max_nodes"]),
    ],
};

/// Each is some series, and a scraper holds each series in memory.
const CAP: Takes = Takes::Number { min: 0, max: 100_000 };
