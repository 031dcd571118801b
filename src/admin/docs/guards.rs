//! What guards do: where Rota does not simply follow the checks.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a guard does to one address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GuardDoc {
    /// Which guard.
    pub guard: GuardWord,
    /// What it does, and since when, in words.
    pub says: String,
}

/// A guard of one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GuardWord {
    /// It fails, and stays in the answers, because too much has left them.
    MaxWithdraw,
    /// It has returned, and its weight climbs.
    SlowStart,
    /// Its pool needs a service that does not serve.
    Needs,
    /// It flapped: it must pass for a while before it is up again.
    HoldDown,
}

/// Why the prober itself is doubted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SuspectDoc {
    /// Since when every control target is silent.
    pub since: u64,
    /// Until when the silence of nodes proves nothing.
    pub frozen_until: u64,
}
