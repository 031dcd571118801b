//! What guards do: where Rota does not simply follow the checks.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::FamilyDoc;
use super::words::age;

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

impl SuspectDoc {
    /// What that means now, in words.
    pub fn says(&self, now: u64) -> String {
        let since = age(now.saturating_sub(self.since));
        match self.frozen_until.saturating_sub(now) {
            0 => format!("control targets have been silent for {since}; silence counts again"),
            left => format!(
                "control targets have been silent for {since}: no node goes down for silence, \
                 for {} yet",
                age(left)
            ),
        }
    }
}

impl FamilyDoc {
    /// That pools answer with all they have, in words; none where none does.
    pub fn panic(&self) -> Option<String> {
        let Self { family, panicking, .. } = self;
        let named: Vec<&str> =
            panicking.iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
        let whose = match named[..] {
            [] => "it answers".to_owned(),
            [one] => format!("{one} answers"),
            _ => format!("{} answer", named.join(", ")),
        };
        let says = format!("{family}: too little is up, so {whose} with all nodes");
        (!panicking.is_empty()).then_some(says)
    }
}
