//! What outlasts a node's leaving: answers that name it, in the caches of resolvers.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Answers that name a node and that resolvers may still hold. They outlast its leaving by their
/// TTLs; resolvers that keep answers for longer than they may are not seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CachedDoc {
    /// About how many resolvers hold one.
    pub resolvers: u64,
    /// There may be any number more.
    pub at_least: bool,
    /// After how many seconds none does, if it is in no further answer.
    pub gone_in_seconds: u32,
    /// For how many seconds answers of the process before may be held, of which nothing is known.
    pub unknown_seconds: u32,
}

/// One point of a curve: so many resolvers hold an answer after some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PointDoc {
    /// After how many seconds, from when the curve begins.
    pub after_seconds: u32,
    /// About how many resolvers.
    pub resolvers: u64,
}

/// A node that an override keeps out of the answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeavingDoc {
    /// Its id.
    pub node: String,
    /// It is answered all the same, because nothing else stands.
    pub answering: bool,
    /// About how many resolvers held an answer that names it when the override was given.
    pub resolvers_then: u64,
    /// Who does now.
    pub cached: CachedDoc,
    /// Who will, until nobody does: at most 61 points.
    pub curve: Vec<PointDoc>,
}

/// A node that has left the answers, and who has held it since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeftDoc {
    /// When: the override was given that keeps it out, or else its checks turned; now where it is
    /// neither, such as with a standby that is needed no more.
    pub since: u64,
    /// The id of the override that keeps it out, if one does.
    pub by: Option<u64>,
    /// About how many resolvers held an answer that names it then.
    pub resolvers_then: u64,
    /// How many have since, and will, until nobody does; from `since` on, at most 61 points.
    pub curve: Vec<PointDoc>,
}

impl CachedDoc {
    /// True where no resolver holds one any more, as far as anybody knows.
    pub fn is_gone(&self) -> bool {
        self.gone_in_seconds == 0 && self.unknown_seconds == 0
    }
}
