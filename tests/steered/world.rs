//! Random worlds: networks inside one another, a file that says where they are, and a zone whose
//! pools are for them.

use std::fmt::Write;
use std::net::IpAddr;

use fastrand::Rng;
use rota::geo::{File, Network};

use super::after;
use super::mmdb::{Value, Writer};
use super::server::Server;

/// Names and addresses beside the services.
const MASTER: &str = "
$TTL 300
@      SOA   ns1 hostmaster 1 3600 600 86400 60
@      NS    ns1
ns1    A     192.0.2.53
static A     192.0.2.80
near-alias  CNAME geo
far-alias   CNAME near-alias
hash-alias  CNAME hash
plain-alias CNAME plain
static-alias CNAME static
";

/// Countries that files of these worlds know, of three continents.
const COUNTRIES: [&str; 6] = ["DE", "FR", "US", "CA", "JP", "ZA"];
/// What pools are for, beside networks.
const PLACES: [&str; 9] = ["DE", "FR", "US", "JP", "EU", "NA", "continent:AS", "AF", "*"];

/// A served world.
pub struct World {
    pub server: Server,
    /// Networks of the file and of the operator.
    pub networks: Vec<Network>,
    /// Where any of them begins, and the first address behind each: between two neighbours of
    /// these nothing changes.
    pub borders: Vec<IpAddr>,
    /// The zone as its operator wrote it.
    pub toml: String,
}

impl World {
    pub fn new(rng: &mut Rng) -> Self {
        let depth = rng.usize(4..40);
        let said: Vec<Network> = nested(rng, depth);
        let mut writer = Writer::new(6, *rng.choice(&[24, 28, 32]).unwrap());
        for network in &said {
            let record = Value::Map(vec![
                ("country_code", (*rng.choice(&COUNTRIES).unwrap()).into()),
                ("latitude", Value::Double(rng.f64() * 180.0 - 90.0)),
                ("longitude", Value::Double(rng.f64() * 360.0 - 180.0)),
            ]);
            writer.say(&network.to_string(), &record);
        }
        let file = writer.finish();
        // Some of the operator's networks are those of the file, others cross them.
        let mut own = nested(rng, 6);
        own.extend((0..4).map(|_| *rng.choice(&said).unwrap()));
        own.sort_unstable();
        own.dedup();
        rng.shuffle(&mut own);
        let networks: Vec<Network> = said.into_iter().chain(own.iter().copied()).collect();
        let edges = networks.iter().flat_map(|it| [Some(it.address()), after(it)]).flatten();
        let borders = edges.chain([[0; 4].into(), [0; 16].into()]).collect();
        let toml = zone(rng, own);
        let server = Server::new(&toml, Some(MASTER), &[File { name: "t.mmdb", bytes: &file }]);
        Self { server, networks, borders, toml }
    }

    /// An address near some border, or anywhere.
    pub fn address(&self, rng: &mut Rng) -> IpAddr {
        let network = rng.choice(&self.networks).unwrap();
        match rng.u8(..5) {
            0 => *rng.choice(&self.borders).unwrap(),
            1 => IpAddr::V4(rng.u32(..).into()),
            2 => IpAddr::V6((1 << 125 | rng.u128(..) >> 3).into()),
            _ => within(network, rng),
        }
    }
}

/// Any address of a network.
pub fn within(network: &Network, rng: &mut Rng) -> IpAddr {
    let length = u32::from(network.length());
    match network.address() {
        IpAddr::V4(v4) => {
            let host = u32::MAX.checked_shr(length).unwrap_or(0);
            IpAddr::V4((v4.to_bits() | rng.u32(..) & host).into())
        }
        IpAddr::V6(v6) => {
            let host = u128::MAX.checked_shr(length).unwrap_or(0);
            IpAddr::V6((v6.to_bits() | rng.u128(..) & host).into())
        }
    }
}

/// Networks of both families, many of them inside others, the widest first.
fn nested(rng: &mut Rng, count: usize) -> Vec<Network> {
    let crowded: [IpAddr; 2] = [[10, 0, 0, 0].into(), [0x2001, 0xdb8, 0, 0, 0, 0, 0, 0].into()];
    let mut all: Vec<Network> = crowded
        .iter()
        .zip([8, 32])
        .map(|(at, length)| Network::new(*at, length).unwrap())
        .collect();
    // In every other world IPv6 is divided below /64, which is another kind of index.
    let longest_v6 = *rng.choice(&[64, 128]).unwrap();
    for _ in 0..count {
        let outer = *rng.choice(&all).unwrap();
        let longest = if outer.address().is_ipv4() { 32 } else { longest_v6 };
        let length = (outer.length() + rng.u8(1..12)).min(longest);
        all.push(Network::new(within(&outer, rng), length).unwrap());
    }
    all.sort_unstable_by_key(|network| (network.length(), network.address()));
    all.dedup();
    all
}

/// A service of every kind whose answers depend on the client, and one whose answers do not.
fn zone(rng: &mut Rng, mut own: Vec<Network>) -> String {
    let pools = rng.usize(2..6);
    let mut toml = String::new();
    let mut places: Vec<Vec<String>> = vec![Vec::new(); pools];
    for pool in &mut places {
        for _ in 0..rng.usize(1..4) {
            match own.pop().filter(|_| rng.bool()) {
                Some(network) => pool.push(network.to_string()),
                None => pool.push((*rng.choice(&PLACES).unwrap()).to_owned()),
            }
        }
        pool.sort_unstable();
        pool.dedup();
    }
    let at = |rng: &mut Rng| {
        format!("{:.3}, {:.3}", rng.f64() * 180.0 - 90.0, rng.f64() * 360.0 - 180.0)
    };
    for (label, steer, policy) in [
        ("geo", "geo", "ordered"),
        ("near", "nearest", "ordered"),
        ("both", "geo", "nearest"),
        ("geo-hash", "geo", "hash"),
        ("split", "split", "ordered"),
        ("fallen", "failover", "hash"),
    ] {
        let _ = writeln!(toml, "[service.{label}]\nsteer = \"{steer}\"\npolicy = \"{policy}\"");
        toml.push_str("srv = { \"_x._tcp\" = 443 }\nhttps = true\n");
        for (number, places) in places.iter().enumerate() {
            let _ = writeln!(toml, "[service.{label}.pool.p{number}]");
            match steer {
                "geo" => {
                    let _ = writeln!(toml, "place = {places:?}");
                }
                "split" => {
                    let share = if number == 0 { 100 - 20 * (pools - 1) } else { 20 };
                    let _ = writeln!(toml, "share = {share}");
                }
                "nearest" => {
                    let _ = writeln!(toml, "at = \"{}\"", at(rng));
                }
                _ => {}
            }
            let nodes: Vec<String> = (0..3)
                .map(|node| {
                    let address = format!("address = \"192.0.2.{}\"", 10 * number + node + 1);
                    match policy {
                        "nearest" => format!("{{ {address}, at = \"{}\" }}", at(rng)),
                        _ => format!("{{ {address} }}"),
                    }
                })
                .collect();
            let _ = writeln!(toml, "nodes = [{}]", nodes.join(", "));
        }
    }
    let addresses: Vec<String> =
        (1..8).map(|node| format!("\"198.51.100.{node} x{node}\"")).collect();
    let nodes = addresses.join(", ");
    let _ = writeln!(toml, "[service.hash]\npolicy = \"hash\"\nnodes = [{nodes}]");
    let _ = writeln!(toml, "[service.plain]\npolicy = \"ordered\"\nnodes = [{nodes}]");
    toml
}
