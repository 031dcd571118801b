//! Orders of choices: by place and by distance.

use std::net::IpAddr;

use fastrand::Rng;
use rota::geo::{Atlas, CHOICES_MAX, Coordinates, POINTS_MAX, Place, Ranking, TooMany, distance};

use super::mmdb::{Value, Writer};
use super::{atlas, network};

fn places(texts: &[&str]) -> Vec<Place> {
    texts.iter().map(|text| Place::parse(text).unwrap()).collect()
}

fn small_world() -> Atlas {
    let mut writer = Writer::new(6, 24);
    for (network, country, part, asn) in [
        ("192.0.2.0/24", "DE", "BE", 64_500),
        ("198.51.100.0/25", "US", "CA", 64_501),
        ("198.51.100.128/25", "US", "NY", 64_502),
        ("203.0.113.0/24", "ZA", "WC", 64_500),
        ("2001:db8::/32", "FR", "75", 64_503),
    ] {
        let record = Value::Map(vec![
            ("country_code", country.into()),
            ("region_code", part.into()),
            ("asn", Value::U32(asn)),
        ]);
        writer.say(network, &record);
    }
    atlas(&writer.finish())
}

/// The order for an address, and its scope.
fn check(choices: &[&[&str]], address: &str, expected: (&[u16], u8)) {
    let choices: Vec<Vec<Place>> = choices.iter().map(|texts| places(texts)).collect();
    let ranking = Ranking::by_place(&small_world(), &choices).unwrap();
    let found = ranking.of(address.parse().unwrap());
    let found = (found.order, found.scope);
    assert_eq!(found, expected, "{address} among {choices:?}");
}

#[test]
fn the_narrowest_place_comes_first() {
    let world: &[&[&str]] = &[&["*"], &["EU", "AF"], &["US"], &["US-CA", "AS64502"], &["DE"]];
    check(world, "192.0.2.1", (&[4, 1, 0, 2, 3], 24));
    check(world, "203.0.113.1", (&[1, 0, 2, 3, 4], 24));
    // By subdivision and by AS: the same choices in the same order, so one scope for both.
    check(world, "198.51.100.1", (&[3, 2, 0, 1, 4], 24));
    check(world, "198.51.100.129", (&[3, 2, 0, 1, 4], 24));
    check(world, "10.0.0.1", (&[0, 1, 2, 3, 4], 1));
    check(world, "2001:db8::1", (&[1, 0, 2, 3, 4], 32));
}

#[test]
fn an_operators_network_wins_and_the_longest_of_them() {
    let office: &[&[&str]] =
        &[&["DE", "AS64500"], &["192.0.2.0/25", "EU"], &["192.0.2.0/26"], &["::/0"]];
    check(office, "192.0.2.1", (&[2, 1, 0, 3], 26));
    check(office, "192.0.2.65", (&[1, 0, 2, 3], 26));
    check(office, "192.0.2.129", (&[0, 1, 2, 3], 25));
    // Whoever is in none of the places gets the same order as who is in the first.
    check(office, "203.0.113.1", (&[0, 1, 2, 3], 5));
    check(office, "2001:db8::1", (&[3, 1, 0, 2], 32));
    check(office, "2001:db9::1", (&[3, 0, 1, 2], 32));
}

#[test]
fn choices_of_one_kind_of_place_stand_as_listed() {
    check(&[&["EU"], &["EU"], &["*"]], "192.0.2.1", (&[0, 1, 2], 24));
    check(&[&["*"], &["*"]], "192.0.2.1", (&[0, 1], 0));
    check(&[&[], &["*"]], "192.0.2.1", (&[1, 0], 0));
    check(&[], "192.0.2.1", (&[], 0));
}

#[test]
fn distances_order_all_places() {
    let mut rng = Rng::with_seed(4);
    let globe = |rng: &mut Rng| {
        let (latitude, longitude) = (rng.f64() * 180.0 - 90.0, rng.f64() * 360.0 - 180.0);
        Coordinates::new(latitude, longitude).unwrap()
    };
    let mut writer = Writer::new(4, 24);
    let mut clients: Vec<(IpAddr, Coordinates)> = Vec::new();
    for net in 0..400_u32 {
        let address = IpAddr::V4((10 << 24 | net << 12).into());
        let at = globe(&mut rng);
        let record = Value::Map(vec![
            ("latitude", Value::Double(at.latitude())),
            ("longitude", Value::Double(at.longitude())),
        ]);
        writer.say(&network(address, 24), &record);
        clients.push((address, at));
    }
    let atlas = atlas(&writer.finish());
    for count in [1, 2, 5, POINTS_MAX] {
        let points: Vec<Coordinates> = (0..count).map(|_| globe(&mut rng)).collect();
        let ranking = Ranking::by_distance(&atlas, &points).unwrap();
        for &(address, at) in &clients {
            let found = ranking.of(address);
            let far: Vec<f64> =
                found.order.iter().map(|&it| distance(at, points[usize::from(it)])).collect();
            assert!(far.is_sorted_by(|a, b| *a <= *b + 1e-6), "{at} {far:?}");
            let mut all = found.order.to_vec();
            all.sort_unstable();
            assert_eq!(all, (0..count as u16).collect::<Vec<_>>());
        }
        // Of an address without coordinates nothing is known: as listed.
        let nowhere = ranking.of("192.0.2.1".parse().unwrap());
        assert_eq!(nowhere.order, (0..count as u16).collect::<Vec<_>>());
    }
}

#[test]
fn too_many_choices_are_refused() {
    let here = Coordinates::new(0.0, 0.0).unwrap();
    let atlas = Atlas::empty();
    let far = Ranking::by_distance(&atlas, &vec![here; POINTS_MAX + 1]).map(drop);
    assert_eq!(far, Err(TooMany { found: POINTS_MAX + 1, max: POINTS_MAX }));
    let many = Ranking::by_place(&atlas, &vec![vec![]; CHOICES_MAX + 1]).map(drop);
    assert_eq!(many, Err(TooMany { found: CHOICES_MAX + 1, max: CHOICES_MAX }));
}
