//! From an address to a class, in a few loads.
//!
//! A configuration asks little of an address: is it in Europe, is it in one of our offices? What
//! the atlas knows and the configuration does not ask is left out here, so that neighbouring ranges
//! with the same answer become one. That makes the index small, and it makes the prefix that it
//! reports the shortest for which the answer is the same, which is what resolvers are told by
//! RFC 7871 §7.2.1. The reported prefixes never overlap: each is the widest of its class.

use std::collections::HashMap;
use std::net::IpAddr;

use super::atlas::{Atlas, Location};
use super::intern::Interner;
use super::network::Network;
use super::runs::{Bits, Runs, Runs6, Spans, overlay};

/// One of the things that a configuration tells apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Class(pub u32);

/// What classes are made from.
#[derive(Clone, Copy, Debug)]
pub struct Spot<'s> {
    /// What the atlas knows.
    pub location: &'s Location,
    /// Those of the operator's networks that hold it, the narrowest first.
    pub networks: &'s [Network],
}

/// A class for every address.
#[derive(Debug)]
pub struct Index {
    v4: Runs<u32>,
    v6: Runs6,
}

impl Index {
    /// Lays the operator's networks over an atlas and keeps what `classify` tells apart; it is
    /// asked once for each pair of location and networks.
    pub fn build(
        atlas: &Atlas,
        networks: &[Network],
        mut classify: impl FnMut(&Spot<'_>) -> Class,
    ) -> Self {
        let mut chains = Interner::starting_with(Vec::new());
        let (v4, v6) = chain_spans(networks, &mut chains);
        let mut known: HashMap<(u32, u32), u32> = HashMap::new();
        let mut both = |location: u32, chain: u32| {
            *known.entry((location, chain)).or_insert_with(|| {
                let location = &atlas.locations[location as usize];
                classify(&Spot { location, networks: chains.get(chain) }).0
            })
        };
        Self {
            v4: Runs::new(overlay(atlas.v4.starts(), v4.into_iter(), &mut both)),
            v6: Runs6::new(overlay(atlas.v6.starts(), v6.into_iter(), &mut both)),
        }
    }

    /// The class of an address, and the length of the shortest prefix around it in which all
    /// addresses are of that class: 0 where the whole family is.
    pub fn locate(&self, address: IpAddr) -> (Class, u8) {
        let hit = match address {
            IpAddr::V4(v4) => self.v4.find(v4.to_bits()),
            IpAddr::V6(v6) => self.v6.find(v6.to_bits()),
        };
        (Class(hit.value), hit.length)
    }

    /// How many runs of one class there are, of both families.
    pub fn runs(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    /// Bytes of memory.
    pub fn bytes(&self) -> usize {
        self.v4.bytes() + self.v6.bytes()
    }
}

/// For each family: where which networks hold an address, as numbers of chains.
fn chain_spans(
    networks: &[Network],
    chains: &mut Interner<Vec<Network>>,
) -> (Spans<u32>, Spans<u128>) {
    // By address and then length: what holds a network comes before it.
    let mut sorted = networks.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let (mut v4, mut v6) = (Vec::new(), Vec::new());
    for network in sorted {
        match network.address() {
            IpAddr::V4(address) => v4.push((address.to_bits(), network)),
            IpAddr::V6(address) => v6.push((address.to_bits(), network)),
        }
    }
    (nest(&v4, chains), nest(&v6, chains))
}

/// Networks with their first addresses, flattened.
fn nest<A: Bits>(sorted: &[(A, Network)], chains: &mut Interner<Vec<Network>>) -> Spans<A> {
    let mut spans: Spans<A> = vec![(A::ZERO, 0)];
    // Those that hold the address at hand, the widest first, with their last addresses.
    let mut open: Vec<(A, Network)> = Vec::new();
    for &(first, network) in sorted {
        close(&mut open, Some(first), &mut spans, chains);
        open.push((first.last_of(u32::from(network.length())), network));
        begin(first, &open, &mut spans, chains);
    }
    close(&mut open, None, &mut spans, chains);
    spans
}

/// Ends the networks that lie wholly before an address.
fn close<A: Bits>(
    open: &mut Vec<(A, Network)>,
    before: Option<A>,
    spans: &mut Spans<A>,
    chains: &mut Interner<Vec<Network>>,
) {
    while let Some((last, _)) = open.pop_if(|(last, _)| before.is_none_or(|at| *last < at)) {
        if last != A::MAX {
            begin(last.next(), open, spans, chains);
        }
    }
}

/// From an address on, these networks hold.
fn begin<A: Bits>(
    at: A,
    open: &[(A, Network)],
    spans: &mut Spans<A>,
    chains: &mut Interner<Vec<Network>>,
) {
    let chain = chains.add(open.iter().rev().map(|(_, network)| *network).collect());
    match spans.last_mut() {
        Some((start, last)) if *start == at => *last = chain,
        Some(_) | None => spans.push((at, chain)),
    }
}
