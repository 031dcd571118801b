//! What must pass at each address of a service, before it is known which address.

use std::net::IpAddr;
use std::sync::Arc;

use crate::health::{Check, Target};
use crate::steer::Rule;

/// What must pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::config) enum Demand {
    /// A check, at the address that it names or else at each address of each node.
    One(Box<Check>, Option<IpAddr>),
    /// All of these.
    All(Vec<Demand>),
    /// Any of these.
    Any(Vec<Demand>),
}

impl Demand {
    /// Every check in it.
    pub(in crate::config) fn checks(&self) -> Vec<&Check> {
        match self {
            Self::One(check, _) => vec![check],
            Self::All(demands) | Self::Any(demands) => {
                demands.iter().flat_map(Self::checks).collect()
            }
        }
    }

    /// What must pass at one address of the node with this id.
    pub(in crate::config) fn rule(&self, node: &str, address: IpAddr) -> Rule {
        let rules =
            |demands: &[Self]| demands.iter().map(|demand| demand.rule(node, address)).collect();
        match self {
            Self::One(check, elsewhere) => {
                let (address, check) = (elsewhere.unwrap_or(address), check.for_node(node));
                Rule::Target(Arc::new(Target { address, check }))
            }
            Self::All(demands) => Rule::All(rules(demands)),
            Self::Any(demands) => Rule::Any(rules(demands)),
        }
    }
}
