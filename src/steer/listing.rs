//! What SRV records say of a pool: which of its nodes take clients, and how many each.
//!
//! SRV leads to nodes, A and AAAA to addresses. A node is listed for what is best among its
//! addresses of either family, so that a client which finds one of them closed has others to try:
//!
//! | one of its addresses                           | the node's weight in SRV |
//! |------------------------------------------------|--------------------------|
//! | serves, or has failed and is answered anyway   | its own                  |
//! | drains                                         | 0: no new clients        |
//! | (all have failed, or are barred)               | it is not listed         |
//!
//! Nodes stand as they are written: whoever compares two answers (a proxy that fills its servers
//! from SRV) finds the same node at the same place.
//!
//! HAProxy takes SRV weights for 256ths of its own, which end at 256, and rounds up. So a weight is
//! written 256 times as large: what the operator wrote arrives there. Where a service has weights
//! over 255, all of its weights shrink alike.

use super::board::Judged;
use super::eligible::Duty;
use super::service::Service;
use super::set::Set;

/// What a weight is multiplied by.
const SCALE: u32 = 256;
/// The largest weight in SRV: the last multiple of [`SCALE`] that its 16 bits hold.
const WEIGHT_MAX: u32 = 65_280;

/// One node in SRV records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// By its place among the service's nodes.
    pub node: u16,
    /// As SRV has it.
    pub weight: u16,
}

/// By pool, the nodes that SRV lists; nothing for a service without SRV.
pub(super) fn by_pool(service: &Service, judged: &[Judged], sets: &[Set]) -> Box<[Box<[Listed]>]> {
    if service.srv.is_empty() {
        return Box::default();
    }
    let mut answered = vec![false; judged.len()];
    for member in sets.iter().flat_map(|set| &set.members) {
        answered[usize::from(*member)] = true;
    }
    let largest = judged.iter().map(|address| address.seat.weight).max().unwrap_or(0);
    let (mut node, mut at) = (0, 0);
    let lists = service.pools.iter().map(|pool| {
        let mut list = Vec::new();
        for addresses in pool.nodes.iter().map(|node| node.addresses.len()) {
            let all = at..at + addresses;
            let weights = all.filter_map(|at| {
                let seat = &judged[at].seat;
                match seat.duty {
                    Duty::Serving => Some(scaled(seat.weight, largest)),
                    Duty::Failed if answered[at] => Some(scaled(seat.weight, largest)),
                    Duty::Draining => Some(0),
                    Duty::Failed | Duty::Barred => None,
                }
            });
            // A node's addresses share its weight: the greatest is its own or that of draining.
            list.extend(weights.max().map(|weight| Listed { node, weight }));
            (node, at) = (node + 1, at + addresses);
        }
        list.into()
    });
    lists.collect()
}

/// A weight as SRV has it, where `largest` is the largest of the service's. RFC 2782 leaves records
/// of weight 0 hardly any client, so no other weight becomes 0.
fn scaled(weight: u16, largest: u16) -> u16 {
    let (weight, largest) = (u32::from(weight), u32::from(largest));
    let scaled = if largest * SCALE > WEIGHT_MAX {
        (weight * WEIGHT_MAX / largest).max(weight.min(1))
    } else {
        weight * SCALE
    };
    scaled as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_256_times_as_large_until_they_would_not_fit() {
        for (weight, largest, expected) in [
            (0, 0, 0),
            (1, 1, 256),
            (255, 255, 65_280),
            (1, 255, 256),
            (0, 255, 0),
            (256, 256, 65_280),
            (128, 256, 32_640),
            (65_535, 65_535, 65_280),
            (32_768, 65_535, 32_640),
            (1, 65_535, 1),
            (0, 65_535, 0),
        ] {
            assert_eq!(scaled(weight, largest), expected, "{weight} of at most {largest}");
        }
    }
}
