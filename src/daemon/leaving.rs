//! Nodes on their way out: an operator has taken them from the answers, and resolvers that may hold
//! them are fewer and fewer. When there are none, it is told, once.

use std::collections::BTreeMap;

use crate::admin::{Event, Events};

use super::view::View;

/// The nodes that are waited for, by their ids.
#[derive(Debug, Default)]
pub(super) struct Leaving(BTreeMap<String, Wait>);

#[derive(Clone, Copy, Debug)]
struct Wait {
    /// The override that took it out.
    by: u64,
    /// How many resolvers held it then.
    resolvers: u64,
}

impl Leaving {
    /// Waits for the nodes that these overrides have just taken out.
    pub(super) fn begin(&mut self, overrides: impl Iterator<Item = u64>, view: &View<'_>) {
        for by in overrides {
            for node in view.leaving(by).into_iter().flatten() {
                self.0.insert(node.node, Wait { by, resolvers: node.cached.resolvers });
            }
        }
    }

    /// Tells of those that nobody holds any more, and gives up those that are to stay.
    pub(super) fn tell(&mut self, view: &View<'_>, events: &Events) {
        if self.0.is_empty() {
            return;
        }
        let mut still = BTreeMap::new();
        for placed in view.nodes() {
            let Some((node, wait)) = self.0.remove_entry(&placed.node.id) else { continue };
            let order = view.known.overrides.orders().iter().find(|order| order.id == wait.by);
            let Some(order) = order.filter(|order| view.keeps_out(order, &placed)) else {
                continue;
            };
            let cached = view.cached(&view.holders(&placed, view.now));
            if view.is_answering(&placed) || !cached.is_gone() {
                still.insert(node, wait);
                continue;
            }
            let Wait { by, resolvers } = wait;
            let seconds = view.known.now.saturating_sub(order.since);
            tracing::info!(%node, by, resolvers, seconds, "drained: no resolver holds it");
            events.tell(Event::Drained { node, by, resolvers, seconds });
        }
        self.0 = still;
    }
}
