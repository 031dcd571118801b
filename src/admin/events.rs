//! What happens, told to whoever listens.
//!
//! The task that thinks tells and never waits: a listener that is slow loses the oldest events and
//! is told how many. Nothing is kept for listeners that come later; they ask for the status first.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;
use utoipa::ToSchema;

use super::docs::{OverrideDoc, Status};

/// Events that a slow listener may be behind.
const BEHIND_MAX: usize = 256;

/// Where events are told; the streams of all listeners end when it is dropped.
#[derive(Debug)]
pub struct Events(broadcast::Sender<Event>);

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    /// The real status of what is probed has changed.
    Status {
        /// What is probed.
        target: String,
        /// Before.
        from: Status,
        /// Now.
        to: Status,
        /// What the deciding verdict complained of.
        reason: Option<String>,
        /// The ids of the nodes that it is probed for.
        #[serde(default)]
        nodes: Vec<String>,
    },
    /// A vantage says something else of an address than before.
    Vantage {
        /// Its name.
        from: String,
        /// The node's id.
        node: String,
        /// The address.
        #[schema(value_type = String)]
        address: IpAddr,
        /// What it said before.
        before: Status,
        /// What it says now; unknown where nobody repeated it for too long.
        now: Status,
        /// What it complains of.
        reason: Option<String>,
    },
    /// Another row of the truth table, or other pools, answer a service.
    Tier {
        /// The service's id.
        service: String,
        /// `A` or `AAAA`.
        family: String,
        /// The row.
        row: String,
        /// The names of the pools that can answer.
        pools: Vec<String>,
    },
    /// What operators say has changed.
    Override {
        /// How.
        change: OverrideChange,
        /// What it is about.
        says: OverrideDoc,
    },
    /// No resolver holds an answer any more that names a node which an operator took out.
    Drained {
        /// The node's id.
        node: String,
        /// The id of the override.
        by: u64,
        /// About how many resolvers held one when it was given.
        resolvers: u64,
        /// How long it took.
        seconds: u64,
    },
    /// A snapshot was published.
    Published {
        /// Its number.
        generation: u64,
        /// Zones in it, broken ones too.
        zones: usize,
    },
    /// The listener was too slow: it should ask for the status again.
    Lost {
        /// How many events.
        events: u64,
    },
}

/// What became of an override.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OverrideChange {
    /// It holds from now on.
    Given,
    /// Somebody lifted it.
    Lifted,
    /// Its time is over.
    Expired,
}

impl Default for Events {
    fn default() -> Self {
        Self(broadcast::Sender::new(BEHIND_MAX))
    }
}

impl Events {
    /// Tells all who listen.
    pub fn tell(&self, event: Event) {
        // Fails where nobody listens.
        drop(self.0.send(event));
    }

    /// Whether anybody listens.
    pub fn are_heard(&self) -> bool {
        self.0.receiver_count() > 0
    }

    /// What happens from now on.
    pub(super) fn listen(&self) -> broadcast::Receiver<Event> {
        self.0.subscribe()
    }
}

impl OverrideChange {
    /// As a line of the log ends.
    pub fn word(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Lifted => "lifted",
            Self::Expired => "expired",
        }
    }
}

impl Event {
    /// Its name in the stream.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Status { .. } => "status",
            Self::Vantage { .. } => "vantage",
            Self::Tier { .. } => "tier",
            Self::Override { .. } => "override",
            Self::Drained { .. } => "drained",
            Self::Published { .. } => "published",
            Self::Lost { .. } => "lost",
        }
    }
}
