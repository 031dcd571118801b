//! `/explain`: why a client gets what it gets, stage by stage, as the answer path told it.

use askama::Template;

use super::super::docs::Status;
use super::super::explain::Params;
use super::frame::{self, Frame};
use super::words;
use crate::respond::explain::{Explanation, NodeLine, PoolLine, ServiceStage, Stage};

/// Nodes of one stage that are shown: those that were kept stand first.
pub(super) const NODES_MAX: usize = 100;

/// The page.
#[derive(Debug, Template)]
#[template(path = "explain.html")]
pub(super) struct ExplainPage {
    pub(super) frame: Frame,
    pub(super) params: Params,
    pub(super) told: Told,
}

/// What came of the question.
#[derive(Debug)]
pub(super) enum Told {
    /// Nothing was asked yet.
    Nothing,
    /// It has no meaning.
    Wrong(String),
    /// The decision.
    Stages(Explanation),
}

impl ExplainPage {
    fn title(&self) -> String {
        match self.params.name.trim() {
            "" => "explain · rota".to_owned(),
            name => format!("{name} explained · rota"),
        }
    }

    fn field<'a>(&self, text: &'a Option<String>) -> &'a str {
        text.as_deref().unwrap_or_default()
    }
}

/// A name without its final dot, as people write it.
fn bare(name: &str) -> &str {
    name.strip_suffix('.').filter(|stem| !stem.is_empty()).unwrap_or(name)
}

/// True where nothing is known of the place that an asker is at.
fn is_nowhere(network: &str) -> bool {
    network.ends_with("/0")
}

fn fate(pool: &PoolLine, service: &ServiceStage) -> String {
    let has_any = service.nodes.iter().any(|node| node.pool == pool.name);
    match (pool.chosen, pool.able) {
        (true, _) => "answers".to_owned(),
        (false, true) => "could answer".to_owned(),
        (false, false) if has_any => "cannot answer: too little of it serves".to_owned(),
        (false, false) => format!("cannot answer: it has no {} address", service.family),
    }
}

/// The nodes that are shown, with where each was picked.
fn nodes(service: &ServiceStage) -> Vec<(&NodeLine, Option<usize>)> {
    let place = |node: &NodeLine| {
        let at = service.picked.iter().position(|ip| *ip == node.address);
        at.filter(|_| node.kept).map(|at| at + 1)
    };
    let mut nodes: Vec<_> = service.nodes.iter().map(|node| (node, place(node))).collect();
    if nodes.len() > NODES_MAX {
        nodes.sort_by_key(|(node, place)| (place.is_none(), !node.kept));
        nodes.truncate(NODES_MAX);
    }
    nodes
}

fn kept(service: &ServiceStage) -> usize {
    service.nodes.iter().filter(|node| node.kept).count()
}

/// The mark of a node that was kept, or was not.
fn kept_mark(node: &NodeLine) -> char {
    words::mark(if node.kept { Status::Up } else { Status::Down })
}
