//! A TCP connection, and perhaps a text said and a text expected.

use std::fmt;

use super::body::contains;

/// Most of a node's answer that is read: far beyond any greeting.
pub const ANSWER_LEN_MAX: usize = 4096;

/// Connects; says `send` and waits for `expect`, where they are not empty.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TcpAsk {
    /// The port of the node.
    pub port: u16,
    /// What is said first. It may hold a password, and is not shown.
    pub send: String,
    /// What must come within the first [`ANSWER_LEN_MAX`] octets; empty where connecting is all.
    pub expect: String,
}

impl TcpAsk {
    /// Whether what came so far is enough.
    pub fn is_answered(&self, octets: &[u8]) -> bool {
        contains(octets, self.expect.as_bytes())
    }
}

impl fmt::Debug for TcpAsk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { port, send, expect } = self;
        write!(f, "TcpAsk {{ {port}, send {} octets, expect {expect:?} }}", send.len())
    }
}
