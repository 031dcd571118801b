//! The scope that resolvers are told, by brute force: whoever is inside gets the same, and one bit
//! less would be too wide. RFC 7871 §7.2.1.

use std::collections::BTreeMap;
use std::net::IpAddr;

use fastrand::Rng;
use hickory_proto::op::ResponseCode;
use rota::geo::Network;
use rota::wire::RecordType;

use super::server::{Heard, Server};
use super::world::{World, within};

/// Every world with one of these seeds is looked at.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=10;
/// How many ask in one world.
const ASKERS: usize = 24;
/// Up to so many addresses of a scope all of them are asked, and as many otherwise.
const INSIDE: usize = 256;
/// Services whose choice follows the client's place and nothing else.
const PLACED: [&str; 3] = ["geo", "near", "both"];

/// A resolver's word on its client: a whole address, or a prefix as long as resolvers tell.
fn subnet(world: &World, rng: &mut Rng) -> Network {
    let address = world.address(rng);
    let whole = whole(address);
    let lengths = if address.is_ipv4() { 8..=32 } else { 16..=128 };
    let length = if rng.bool() { whole } else { rng.u8(lengths) };
    Network::new(address, length).unwrap()
}

fn whole(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// One address, as a network.
fn one(address: IpAddr) -> Network {
    Network::new(address, whole(address)).unwrap()
}

/// Addresses of a network: all borders in it, and all others where they are few, or some.
fn addresses(world: &World, network: &Network, rng: &mut Rng) -> Vec<IpAddr> {
    let mut all: Vec<IpAddr> =
        world.borders.iter().copied().filter(|border| network.contains(*border)).collect();
    all.push(network.address());
    if whole(network.address()) - network.length() <= INSIDE.ilog2() as u8 {
        let mut at = Some(network.address());
        while let Some(address) = at.filter(|it| network.contains(*it)) {
            all.push(address);
            at = super::after(&one(address));
        }
    } else {
        all.extend((0..INSIDE / 4).map(|_| within(network, rng)));
    }
    all
}

/// The other half of the network that has one bit less.
fn sibling(network: &Network) -> Option<Network> {
    let length = network.length().checked_sub(1)?;
    let wider = Network::new(network.address(), length)?;
    let lower = Network::new(wider.address(), network.length())?;
    if lower == *network {
        Network::new(super::after(&lower)?, network.length())
    } else {
        Some(lower)
    }
}

/// How often a scope could be looked at from outside, and how often there was another answer.
#[derive(Default, Debug)]
struct Count {
    scopes: usize,
    others: usize,
}

fn check_inside(world: &mut World, label: &str, heard: &Heard, scope: &Network, rng: &mut Rng) {
    for address in addresses(world, scope, rng) {
        let same = world.server.told(label, RecordType::A, &one(address));
        assert_eq!(&same, heard, "{label} at {address} in {scope} of\n{}", world.toml);
    }
}

#[test]
fn everybody_in_a_scope_gets_the_same_and_one_bit_less_is_too_wide() {
    let mut counts: BTreeMap<&str, Count> = BTreeMap::new();
    for seed in SEEDS {
        let mut rng = Rng::with_seed(seed);
        let mut world = World::new(&mut rng);
        for _ in 0..ASKERS {
            let subnet = subnet(&world, &mut rng);
            for label in PLACED {
                let heard = world.server.told(label, RecordType::A, &subnet);
                let scope = Network::new(subnet.address(), heard.scope.unwrap()).unwrap();
                check_inside(&mut world, label, &heard, &scope, &mut rng);
                // A resolver in there that tells of nobody gets the same.
                let source = within(&scope, &mut rng);
                let near = world.server.from(label, RecordType::A, source);
                assert_eq!((near.records, near.scope), (heard.records.clone(), None), "{source}");

                let Some(sibling) = sibling(&scope) else { continue };
                let here = world.server.orders(label, scope.address());
                let beside = addresses(&world, &sibling, &mut rng);
                assert!(
                    beside.iter().any(|it| world.server.orders(label, *it) != here),
                    "seed {seed}: {scope} of {label} could be wider: {here:?} in\n{}",
                    world.toml
                );
                let count = counts.entry(label).or_default();
                count.scopes += 1;
                let mut others = beside.into_iter().map(|it| {
                    world.server.told(label, RecordType::A, &one(it)).records != heard.records
                });
                count.others += usize::from(others.any(|other| other));
            }
        }
    }
    // Orders that differ behind the first pool show only once it is down.
    for (label, count) in &counts {
        assert!(count.scopes > 100 && count.others * 2 > count.scopes, "{label}: {count:?}");
    }
}

#[test]
fn scopes_do_not_follow_statuses() {
    for seed in SEEDS {
        let mut rng = Rng::with_seed(seed);
        let mut world = World::new(&mut rng);
        let nodes = world.server.nodes();
        let askers: Vec<Network> = (0..ASKERS).map(|_| subnet(&world, &mut rng)).collect();
        let labels = ["geo", "near", "both", "geo-hash", "split", "hash", "fallen", "plain"];
        let ask = |world: &mut World, label| -> Vec<Heard> {
            askers.iter().map(|it| world.server.told(label, RecordType::A, it)).collect()
        };
        let calm = labels.map(|label| ask(&mut world, label));
        for down in [30, 60, 100] {
            world.server.down(nodes.iter().filter(|_| rng.u8(..100) < down).cloned().collect());
            for (label, calm) in labels.iter().zip(&calm) {
                let now = ask(&mut world, label);
                for ((before, heard), subnet) in calm.iter().zip(&now).zip(&askers) {
                    // All is down: a negative answer, which is everybody's.
                    let none = heard.rcode == ResponseCode::NoError && heard.records.is_empty();
                    let scope = if none { Some(0) } else { before.scope };
                    assert_eq!(heard.scope, scope, "{label} for {subnet}, seed {seed}");
                }
                let at = rng.usize(..askers.len());
                if !now[at].records.is_empty() && *label != "plain" {
                    let scope = Network::new(askers[at].address(), now[at].scope.unwrap()).unwrap();
                    check_inside(&mut world, label, &now[at], &scope, &mut rng);
                }
            }
        }
    }
}

#[test]
fn who_keeps_nodes_or_pools_does_so_by_networks_of_24_and_56_bits() {
    let mut counts: BTreeMap<&str, Count> = BTreeMap::new();
    for seed in SEEDS {
        let mut rng = Rng::with_seed(seed);
        let mut world = World::new(&mut rng);
        for _ in 0..4 {
            let subnet = subnet(&world, &mut rng);
            let bits = if subnet.address().is_ipv4() { 24 } else { 56 };
            let placed = world.server.told("geo", RecordType::A, &subnet).scope.unwrap();
            for (label, expected) in [
                ("hash", bits),
                ("hash-alias", bits),
                ("split", bits),
                ("fallen", bits),
                ("geo-hash", bits.max(placed)),
            ] {
                let heard = world.server.told(label, RecordType::A, &subnet);
                assert_eq!(heard.scope, Some(expected), "{label} for {subnet}, seed {seed}");
                let scope = Network::new(subnet.address(), expected).unwrap();
                check_inside(&mut world, label, &heard, &scope, &mut rng);
                let Some(sibling) = sibling(&scope) else { continue };
                let other = world.server.told(label, RecordType::A, &sibling);
                let count = counts.entry(label).or_default();
                count.scopes += 1;
                count.others += usize::from(other.records != heard.records);
            }
        }
    }
    for (label, count) in &counts {
        assert!(count.scopes >= 40 && count.others * 4 > count.scopes, "{label}: {count:?}");
    }
}

/// The scope for every name of a world and its types that have one.
fn check(server: &mut Server, name: &str, rtype: RecordType, subnet: &Network, expected: u8) {
    let heard = server.told(name, rtype, subnet);
    assert_eq!(heard.scope, Some(expected), "{name} {rtype} for {subnet}: {heard:?}");
}

#[test]
fn a_scope_is_of_the_whole_answer_and_of_nothing_else() {
    for seed in SEEDS {
        let mut rng = Rng::with_seed(seed);
        let mut world = World::new(&mut rng);
        for _ in 0..ASKERS {
            let subnet = subnet(&world, &mut rng);
            let server = &mut world.server;
            let placed = server.told("geo", RecordType::A, &subnet).scope.unwrap();
            let hashed = server.told("hash", RecordType::A, &subnet).scope.unwrap();
            // All that the service has is chosen alike, and aliases lead there.
            check(server, "geo", RecordType::HTTPS, &subnet, placed);
            check(server, "_x._tcp.geo", RecordType::SRV, &subnet, placed);
            check(server, "near-alias", RecordType::A, &subnet, placed);
            check(server, "far-alias", RecordType::A, &subnet, placed);
            check(server, "hash-alias", RecordType::A, &subnet, hashed);
            // The same for everybody, or nothing: negative answers have no scope (§7.4).
            for name in ["static", "static-alias", "plain", "plain-alias"] {
                check(server, name, RecordType::A, &subnet, 0);
            }
            check(server, "far-alias", RecordType::CNAME, &subnet, 0);
            for name in ["geo", "far-alias", "hash", "static"] {
                check(server, name, RecordType::AAAA, &subnet, 0);
            }
            check(server, "nothing", RecordType::A, &subnet, 0);
            check(server, "nothing.geo", RecordType::A, &subnet, 0);
            // §7.1.2: no bits are as good as no option, and come back with none.
            check(server, "geo", RecordType::A, &Network::parse("0.0.0.0/0").unwrap(), 0);
        }
    }
}
