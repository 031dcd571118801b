//! One answer in many, as the answer log has it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One answer that was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AnswerDoc {
    /// When, in milliseconds since 1970.
    pub unix_ms: u64,
    /// Where the query came from: a network, as wide as the configuration says.
    pub client: String,
    /// The client subnet that it told, where that was followed.
    pub subnet: Option<String>,
    /// `udp` or `tcp`.
    pub transport: String,
    /// The name asked for; none where no question could be read.
    pub name: Option<String>,
    /// The type asked for.
    #[serde(rename = "type")]
    pub rtype: Option<String>,
    /// The id of the service that answered, if one did.
    pub service: Option<String>,
    /// The pool of its first node; empty for the one pool of a simple service.
    pub pool: Option<String>,
    /// The names of the nodes in the answer, in order, as far as they are noted.
    pub nodes: Vec<String>,
    /// How many addresses it names.
    pub addresses: usize,
    /// Lifetime of the service's records in seconds, where it names any.
    pub ttl: Option<u32>,
    /// The code of the response.
    pub rcode: String,
    /// What became of the query, in one word.
    pub outcome: String,
    /// It was cut: the client comes again by TCP.
    pub truncated: bool,
    /// Its length.
    pub octets: u16,
}
