//! From an address to the order in which several choices (pools, nodes) suit it.
//!
//! Classes of the index are orders: two clients are told apart only where they should be sent to
//! the choices in another order. Every order holds every choice, so that the next one is known when
//! the first cannot serve. How many of them hold the client is not told: two orders that are alike
//! but for that would be two classes, and scopes longer than they need to be.

use std::cmp::Reverse;
use std::fmt;
use std::net::IpAddr;

use super::atlas::Atlas;
use super::coordinates::{Coordinates, Globe};
use super::index::{Class, Index, Spot};
use super::intern::Interner;
use super::network::Network;
use super::place::{Place, Specificity};

/// How many places distances are compared to: orders of more tell every town apart from the next.
pub const POINTS_MAX: usize = 64;
/// How many choices an order may have.
pub const CHOICES_MAX: usize = 4096;

/// For every address, an order of choices.
#[derive(Debug)]
pub struct Ranking {
    index: Index,
    /// How many choices each order has.
    choices: usize,
    /// The orders, one behind the other.
    orders: Box<[u16]>,
}

/// What a client should be offered first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ranked<'r> {
    /// All choices by their indexes, the best first; those that are not meant for the client
    /// follow as they are listed.
    pub order: &'r [u16],
    /// The length of the shortest prefix around the address with the same order.
    pub scope: u8,
}

/// More choices than can be ranked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany {
    /// How many there are.
    pub found: usize,
    /// How many there may be.
    pub max: usize,
}

impl Ranking {
    /// By place: choices of the narrowest place first (network, AS, subdivision, country,
    /// continent, `*`), then as listed; those whose places do not hold the client come last.
    pub fn by_place(atlas: &Atlas, choices: &[Vec<Place>]) -> Result<Self, TooMany> {
        limit(choices.len(), CHOICES_MAX)?;
        let networks: Vec<Network> = choices.iter().flatten().filter_map(network).collect();
        Ok(Self::build(atlas, &networks, choices.len(), |spot| {
            let narrowest: Vec<Option<Specificity>> =
                choices.iter().map(|places| narrowest(places, spot)).collect();
            let mut order: Vec<u16> = (0..choices.len() as u16).collect();
            order.sort_by_key(|&choice| Reverse(narrowest[usize::from(choice)]));
            order
        }))
    }

    /// By great-circle distance, the nearest first, then as listed. Where the atlas has no
    /// coordinates for a client, all stand as listed.
    pub fn by_distance(atlas: &Atlas, points: &[Coordinates]) -> Result<Self, TooMany> {
        limit(points.len(), POINTS_MAX)?;
        let points: Vec<Globe> = points.iter().map(|point| point.on_globe()).collect();
        Ok(Self::build(atlas, &[], points.len(), |spot| {
            let mut order: Vec<u16> = (0..points.len() as u16).collect();
            let Some(client) = spot.location.coordinates.map(Coordinates::on_globe) else {
                return order;
            };
            let chords: Vec<f64> =
                points.iter().map(|point| point.chord_squared(&client)).collect();
            let chord = |choice: &u16| chords[usize::from(*choice)];
            order.sort_by(|a, b| chord(a).total_cmp(&chord(b)));
            order
        }))
    }

    fn build(
        atlas: &Atlas,
        networks: &[Network],
        choices: usize,
        mut rank: impl FnMut(&Spot<'_>) -> Vec<u16>,
    ) -> Self {
        let mut orders = Interner::starting_with((0..choices as u16).collect());
        let index = Index::build(atlas, networks, |spot| Class(orders.add(rank(spot))));
        Self { index, choices, orders: orders.into_values().concat().into() }
    }

    /// The order for an address.
    pub fn of(&self, address: IpAddr) -> Ranked<'_> {
        let (Class(class), scope) = self.index.locate(address);
        let class = class as usize;
        Ranked { order: &self.orders[class * self.choices..][..self.choices], scope }
    }

    /// How many orders there are.
    pub fn orders(&self) -> usize {
        // Of no choices there is one order: none.
        self.orders.len().checked_div(self.choices).unwrap_or(1)
    }

    /// The index of addresses.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Bytes of memory.
    pub fn bytes(&self) -> usize {
        self.index.bytes() + size_of_val(&*self.orders)
    }
}

fn limit(found: usize, max: usize) -> Result<(), TooMany> {
    if found > max { Err(TooMany { found, max }) } else { Ok(()) }
}

fn network(place: &Place) -> Option<Network> {
    match place {
        Place::Network(network) => Some(*network),
        Place::Anywhere
        | Place::Continent(_)
        | Place::Country(_)
        | Place::Subdivision(_)
        | Place::As(_) => None,
    }
}

/// The narrowest of the places that hold a spot.
fn narrowest(places: &[Place], spot: &Spot<'_>) -> Option<Specificity> {
    let holding = places.iter().filter(|place| place.holds(spot.location, spot.networks));
    holding.map(Place::specificity).max()
}

impl fmt::Display for TooMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} places to choose from; there may be {}", self.found, self.max)
    }
}

impl std::error::Error for TooMany {}
