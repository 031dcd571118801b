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

/// One point of a curve: so many resolvers will hold an answer after some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PointDoc {
    /// After how many seconds from now.
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

impl CachedDoc {
    /// True where no resolver holds one any more, as far as anybody knows.
    pub fn is_gone(&self) -> bool {
        self.gone_in_seconds == 0 && self.unknown_seconds == 0
    }
}
