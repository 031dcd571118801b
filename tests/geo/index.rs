//! The index against look-ups in the file itself, and its prefixes against every network in them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use fastrand::Rng;
use maxminddb::{Reader, path};
use rota::geo::{Atlas, Class, Index, Location, Network, Place, Spot};

use super::{any_address, atlas, generated, network};

/// The country that the file has for an address, and the network that it says it of.
fn direct(reader: &Reader<&[u8]>, address: IpAddr) -> (Option<String>, u8) {
    // The tree of IPv4 stands at ::/96, where no client is.
    if Network::parse("::/96").unwrap().contains(address) {
        return (None, 96);
    }
    let found = reader.lookup(address).unwrap();
    let code: Option<String> = found.decode_path(&path!["country_code"]).unwrap();
    let known = code.filter(|code| code != "ZZ");
    (known, found.network().unwrap().prefix())
}

/// A class for every country that comes, and 0 for none.
fn by_country(classes: &mut BTreeMap<String, u32>, location: &Location) -> Class {
    let next = classes.len() as u32 + 1;
    let class = location.country.map(|it| *classes.entry(it.to_string()).or_insert(next));
    Class(class.unwrap_or(0))
}

#[test]
fn a_hundred_thousand_addresses_are_where_the_file_says() {
    for seed in [1, 2] {
        let mut rng = Rng::with_seed(seed);
        let bytes = generated(20_000, &mut rng);
        let (atlas, reader) = (atlas(&bytes), Reader::from_source(&*bytes).unwrap());
        let mut classes = BTreeMap::new();
        let index = Index::build(&atlas, &[], |spot| by_country(&mut classes, spot.location));
        let mut known = 0;
        for _ in 0..100_000 {
            let address = any_address(&mut rng);
            let (code, _) = direct(&reader, address);
            let (class, _) = index.locate(address);
            let expected = code.as_ref().map_or(0, |code| classes[code]);
            assert_eq!(class, Class(expected), "{address} with seed {seed}");
            assert_eq!(atlas.locate(address).0.country.map(|it| it.to_string()), code);
            known += u32::from(expected != 0);
        }
        assert!((20_000..95_000).contains(&known), "{known} are somewhere");
    }
}

/// A rule over places and networks, asked of the file directly.
struct Rule {
    places: Vec<Place>,
}

impl Rule {
    fn class(&self, location: &Location, networks: &[Network]) -> Class {
        let holding = self.places.iter().enumerate().filter(|(_, it)| it.holds(location, networks));
        let best = holding.max_by_key(|(_, place)| place.specificity());
        Class(best.map_or(0, |(at, _)| at as u32 + 1))
    }

    fn networks(&self) -> Vec<Network> {
        let networks = self.places.iter().map(|place| match place {
            Place::Network(network) => vec![*network],
            Place::Anywhere
            | Place::Continent(_)
            | Place::Country(_)
            | Place::Subdivision(_)
            | Place::As(_) => vec![],
        });
        networks.flatten().collect()
    }

    /// The class of an address, without an index.
    fn direct(&self, reader: &Reader<&[u8]>, address: IpAddr) -> Class {
        let country = direct(reader, address).0;
        let country = country.and_then(|code| rota::geo::Country::from_code(&code));
        let continent = country.map(rota::geo::Country::continent);
        let location = Location { continent, country, ..Location::default() };
        let networks = self.networks().into_iter().filter(|it| it.contains(address));
        self.class(&location, &networks.collect::<Vec<_>>())
    }

    /// True where a network is of one class: every network of the file and of the rule begins at
    /// an address that is asked.
    fn uniform(&self, reader: &Reader<&[u8]>, network: Network) -> bool {
        let mut edges = vec![network.address()];
        edges.extend(
            self.networks().iter().flat_map(|it| [Some(it.address()), after(it)]).flatten(),
        );
        let mut at = Some(network.address());
        while let Some(address) = at.filter(|it| network.contains(*it)) {
            edges.push(address);
            let length = direct(reader, address).1;
            at = after(&Network::new(address, length).unwrap());
        }
        let class = self.direct(reader, network.address());
        let mut inside = edges.into_iter().filter(|edge| network.contains(*edge));
        inside.all(|edge| self.direct(reader, edge) == class)
    }
}

/// The first address behind a network.
fn after(network: &Network) -> Option<IpAddr> {
    let host = |bits: u32| bits - u32::from(network.length());
    match network.address() {
        IpAddr::V4(v4) => {
            let size = 1_u32.checked_shl(host(32))?;
            v4.to_bits().checked_add(size).map(|bits| IpAddr::V4(bits.into()))
        }
        IpAddr::V6(v6) => {
            let size = 1_u128.checked_shl(host(128))?;
            v6.to_bits().checked_add(size).map(|bits| IpAddr::V6(bits.into()))
        }
    }
}

fn check_scopes(atlas: &Atlas, reader: &Reader<&[u8]>, rule: &Rule, addresses: &[IpAddr]) {
    let index = Index::build(atlas, &rule.networks(), |spot: &Spot<'_>| {
        assert!(spot.networks.is_sorted_by_key(|it| std::cmp::Reverse(it.length())));
        rule.class(spot.location, spot.networks)
    });
    for &address in addresses {
        let (class, length) = index.locate(address);
        let scope = Network::new(address, length).unwrap();
        assert_eq!(class, rule.direct(reader, address), "{address} by {:?}", rule.places);
        assert!(rule.uniform(reader, scope), "{scope} around {address} by {:?}", rule.places);
        if let Some(shorter) = length.checked_sub(1) {
            let wider = Network::new(address, shorter).unwrap();
            assert!(!rule.uniform(reader, wider), "{scope} is too long by {:?}", rule.places);
        }
    }
}

#[test]
fn a_scope_is_the_widest_prefix_of_one_class() {
    let rules: [&[&str]; 6] = [
        &["EU", "*"],
        &["DE", "EU", "US", "AU"],
        &["10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "10.1.2.3", "EU"],
        &["2001:db8::/32", "2001:db8:8000::/33", "2001:db8::1", "JP", "AF"],
        &["0.0.0.0/0", "::/0", "128.0.0.0/1", "ffff::/16", "255.255.255.255"],
        &["*"],
    ];
    for seed in 1..=3 {
        let mut rng = Rng::with_seed(seed);
        let bytes = generated(60, &mut rng);
        let (atlas, reader) = (atlas(&bytes), Reader::from_source(&*bytes).unwrap());
        for texts in rules {
            let mut rule =
                Rule { places: texts.iter().map(|text| Place::parse(text).unwrap()).collect() };
            // The operator's networks fall on those of the file, too.
            rule.places.extend((0..6).map(|_| {
                let address = any_address(&mut rng);
                let length = direct(&reader, address).1;
                let length = rng.u8(length.saturating_sub(3)..=length);
                Place::parse(&network(address, length.into())).unwrap()
            }));
            let edges: Vec<IpAddr> = rule
                .networks()
                .iter()
                .flat_map(|it| [Some(it.address()), after(it)])
                .flatten()
                .chain((0..60).map(|_| any_address(&mut rng)))
                .collect();
            check_scopes(&atlas, &reader, &rule, &edges);
        }
    }
}

#[test]
fn what_is_not_asked_costs_nothing() {
    let atlas = atlas(&generated(2_000, &mut Rng::with_seed(3)));
    let one = Index::build(&atlas, &[], |_| Class(7));
    for address in ["192.0.2.1", "2001:db8::1", "::"] {
        assert_eq!(one.locate(address.parse().unwrap()), (Class(7), 0));
    }
    assert_eq!(one.runs(), 2);
    assert!(one.bytes() < 200, "{} bytes", one.bytes());
    // Without any file there are the operator's networks.
    let office = Network::parse("192.0.2.0/24").unwrap();
    let only =
        Index::build(&Atlas::empty(), &[office, office], |spot| Class(spot.networks.len() as u32));
    for (address, expected) in [
        ("192.0.2.1", (Class(1), 24)),
        ("192.0.3.1", (Class(0), 24)),
        ("10.0.0.1", (Class(0), 1)),
        ("2001:db8::1", (Class(0), 0)),
    ] {
        assert_eq!(only.locate(address.parse().unwrap()), expected, "{address}");
    }
}
