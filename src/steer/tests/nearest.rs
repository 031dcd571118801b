//! The nearest nodes first, against distances measured one by one.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use fastrand::Rng;

use super::{Client, Statuses, check_shares, numbered, service, up_to};
use crate::geo::{Atlas, Coordinates, File, distance};
use crate::steer::{Family, Guides, Plan, Policy, Pool, Service};

#[path = "../../../tests/common/mmdb.rs"]
mod writer;

use writer::{Value, Writer};

fn globe(rng: &mut Rng) -> Coordinates {
    Coordinates::new(rng.f64() * 180.0 - 90.0, rng.f64() * 360.0 - 180.0).unwrap()
}

/// Networks that are somewhere, each with an address of it.
fn world(count: u32, rng: &mut Rng) -> (Arc<Atlas>, Vec<(IpAddr, Coordinates)>) {
    let mut writer = Writer::new(4, 24);
    let mut clients = Vec::new();
    for net in 0..count {
        let address = Ipv4Addr::from_bits(20 << 24 | net << 10);
        let at = globe(rng);
        let record = Value::Map(vec![
            ("latitude", Value::Double(at.latitude())),
            ("longitude", Value::Double(at.longitude())),
        ]);
        writer.say(&format!("{address}/24"), &record);
        clients.push((address.into(), at));
    }
    let bytes = writer.finish();
    let atlas = Atlas::read(&[File { name: "world.mmdb", bytes: &bytes }]).unwrap();
    (Arc::new(atlas), clients)
}

fn located(service: &Service, atlas: &Arc<Atlas>, board: &Statuses) -> Plan {
    let guide = Guides::new(Arc::clone(atlas)).guide(service);
    Plan::make(service, guide, board, |_| false)
}

#[test]
fn answers_go_from_near_to_far() {
    let mut rng = Rng::with_seed(5);
    let (atlas, clients) = world(150, &mut rng);
    for (count, places, answers, lost) in
        [(1, 1, 1, 0), (3, 3, 2, 0), (40, 10, 16, 0), (40, 10, 5, 11), (90, 64, 0, 30)]
    {
        let points: Vec<Coordinates> = (0..places).map(|_| globe(&mut rng)).collect();
        let mut nodes = numbered(0, vec![1; count]);
        let at: Vec<Coordinates> = (0..count).map(|_| points[rng.usize(..places)]).collect();
        // What stands where its pool does need not say so.
        nodes.iter_mut().zip(&at).for_each(|(node, &at)| {
            node.at = Some(at).filter(|&at| at != points[0]);
        });
        let pool = Pool { at: Some(points[0]), ..Pool::new("", nodes) };
        let service = Service { answers: up_to(answers), ..service(Policy::Nearest, vec![pool]) };
        let plan = located(&service, &atlas, &Statuses::down(0..lost));
        let mut client = Client::new(6);
        for &(from, here) in &clients {
            let (_, found) = client.ask_from(&plan, Family::V4, from).unwrap();
            let mut far: Vec<f64> = at[lost..].iter().map(|&at| distance(here, at)).collect();
            far.sort_by(f64::total_cmp);
            for (number, expected) in found.iter().zip(far) {
                assert!((distance(here, at[*number]) - expected).abs() < 1e-6, "{from}: {found:?}");
            }
        }
    }
}

#[test]
fn nodes_of_one_place_take_turns() {
    let mut rng = Rng::with_seed(6);
    let (atlas, clients) = world(1, &mut rng);
    let (from, here) = clients[0];
    let mut nodes = numbered(0, [1; 7]);
    for (number, node) in nodes.iter_mut().enumerate() {
        node.at = Some(if number < 4 { Coordinates::new(-80.0, 0.0).unwrap() } else { here });
    }
    let service =
        Service { answers: up_to(5), ..service(Policy::Nearest, vec![Pool::new("", nodes)]) };
    let plan = located(&service, &atlas, &Statuses::default());
    let mut client = Client::new(7);
    let (mut firsts, mut fourths) = ([0; 7], [0; 7]);
    for _ in 0..6_000 {
        let (_, found) = client.ask_from(&plan, Family::V4, from).unwrap();
        firsts[found[0]] += 1;
        fourths[found[3]] += 1;
    }
    check_shares(&firsts, &[0, 0, 0, 0, 1, 1, 1], "the near ones");
    check_shares(&fourths, &[1, 1, 1, 1, 0, 0, 0], "the far ones");
}

#[test]
fn what_stands_nowhere_comes_last() {
    let mut rng = Rng::with_seed(8);
    let (atlas, clients) = world(5, &mut rng);
    let mut nodes = numbered(0, [1; 6]);
    for node in &mut nodes[2..4] {
        node.at = Some(globe(&mut rng));
    }
    let service = service(Policy::Nearest, vec![Pool::new("", nodes)]);
    let plan = located(&service, &atlas, &Statuses::default());
    let mut client = Client::new(9);
    for (from, _) in clients {
        let (_, mut found) = client.ask_from(&plan, Family::V6, from).unwrap();
        found[..2].sort_unstable();
        found[2..].sort_unstable();
        assert_eq!(found, [2, 3, 0, 1, 4, 5]);
    }
}
