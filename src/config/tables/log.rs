//! `[log]` of `rota.toml`: which answers are written down, and what of them.

use crate::config::keys::Fallback::{Rule, Value};
use crate::config::keys::{Key, Kind, Takes};

/// `[log]`.
pub static LOG: Kind = Kind {
    noun: "[log]",
    header: "[log] of rota.toml",
    keys: &[
        Key::new(
            "answers",
            Takes::Either(&[Takes::Text("a part of all (\"1/1000\")"), Takes::Flag]),
            Value("false"),
            "Which part of all answers is written down, drawn by chance; true is 1/1000",
        )
        .aka(&["querylog", "queries", "dnstap", "sample"]),
        Key::new(
            "answers_file",
            Takes::Text("a file (\"answers.jsonl\")"),
            Rule("none: they are lines of the log"),
            "Where to: a JSON object a line; it may be moved away at any time",
        )
        .aka(&["file", "path"]),
        Key::new(
            // What resolvers tell of their clients' addresses, too: RFC 7871 §11.1.
            "ipv4_bits",
            Takes::Number { min: 0, max: 32 },
            Value("24"),
            "How many leading bits of an IPv4 address are written down",
        )
        .aka(&["v4_bits", "anonymize"]),
        Key::new(
            "ipv6_bits",
            Takes::Number { min: 0, max: 128 },
            Value("56"),
            "How many leading bits of an IPv6 address are written down",
        )
        .aka(&["v6_bits"]),
    ],
};
