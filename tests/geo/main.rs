//! Places from files that the tests write themselves, compared with what another reader of the
//! format says of the same address.

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]
#![allow(unreachable_pub, reason = "the modules are one crate of tests")]

mod files;
mod index;
#[path = "../common/mmdb.rs"]
mod mmdb;
mod ranking;

use std::net::IpAddr;

use fastrand::Rng;
use mmdb::{Value, Writer};
use rota::geo::{Atlas, File};

/// Reads one file that is in order.
fn atlas(bytes: &[u8]) -> Atlas {
    Atlas::read(&[File { name: "test.mmdb", bytes }]).unwrap()
}

/// A file of both families with about `networks` networks in each, nested and side by side, whose
/// records are flat country codes.
fn generated(networks: usize, rng: &mut Rng) -> Vec<u8> {
    let mut writer = Writer::new(6, *rng.choice(&[24, 28, 32]).unwrap());
    let codes = ["DE", "FR", "US", "CA", "JP", "ZA", "BR", "AU", "ZZ"];
    let mut all: Vec<(u32, String)> = (0..networks)
        .flat_map(|_| {
            let (v4, v6) = (rng.u32(8..=32), rng.u32(20..=64));
            let crowd = 0x2001_0db8 << 96 | rng.u128(..) >> 36;
            let anywhere = rng.u128(..) >> 3 | 1 << 125;
            let six = if rng.bool() { crowd } else { anywhere };
            [(v4, network(IpAddr::V4(rng.u32(..).into()), v4)), (v6, network(six_of(six), v6))]
        })
        .collect();
    // The widest first: what is written later lies inside or beside.
    all.sort_by_key(|(length, _)| *length);
    for (_, network) in all {
        let code = rng.choice(codes).unwrap();
        writer.say(&network, &Value::Map(vec![("country_code", code.into())]));
    }
    writer.finish()
}

fn network(address: IpAddr, length: u32) -> String {
    rota::geo::Network::new(address, length as u8).unwrap().to_string()
}

fn six_of(bits: u128) -> IpAddr {
    IpAddr::V6(bits.into())
}

/// Any address of either family; IPv6 ones mostly where there are networks.
fn any_address(rng: &mut Rng) -> IpAddr {
    match rng.u8(..4) {
        0 => IpAddr::V4(rng.u32(..).into()),
        1 => six_of(rng.u128(..)),
        2 => six_of(rng.u128(..) >> 3 | 1 << 125),
        _ => six_of(0x2001_0db8 << 96 | rng.u128(..) >> 36),
    }
}
