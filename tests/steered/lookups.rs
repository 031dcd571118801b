//! A built service against look-ups in the mmdb file itself, on 100,000 addresses of both families.
//!
//! The reference knows the rules as docs/policies.md has them and nothing of how Rota keeps them: it
//! looks the address up with the reader of the format, goes through the places of every pool, and
//! takes the first pool in order that is up. `ROTA_GEO_FILE` names another file to be looked at in
//! the same way: a vendor's, of countries or cities.

use std::collections::HashSet;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::net::IpAddr;

use fastrand::Rng;
use maxminddb::{PathElement, Reader, WithinOptions, path};
use rota::geo::{Country, File, Network};
use rota::wire::RecordType;

use super::mmdb::{Value, Writer};
use super::server::Server;

/// How many addresses are asked for.
const ADDRESSES: usize = 100_000;
/// How often other pools go down meanwhile.
const ROUNDS: usize = 8;

/// What a file says of an address, as text.
#[derive(Debug, Default)]
struct Said {
    continent: Option<String>,
    country: Option<String>,
    /// With its country before it.
    part: Option<String>,
    asn: Option<u32>,
}

impl Said {
    /// Looks an address up, in the layouts of several vendors.
    fn of(reader: &Reader<Vec<u8>>, address: IpAddr) -> Self {
        let record = reader.lookup(address).unwrap();
        // What is not of this form is another vendor's layout.
        let text = |path: &[PathElement<'_>]| -> Option<String> {
            record.decode_path(path).unwrap_or_default()
        };
        let number = |path: &[PathElement<'_>]| -> Option<u32> {
            record.decode_path(path).unwrap_or_default()
        };
        let code = text(&path!["country", "iso_code"]).or_else(|| text(&path!["country_code"]));
        // Some files have codes that are no country's: of the European Union, of "unknown".
        let country = code.as_deref().and_then(Country::from_code);
        let continent =
            text(&path!["continent", "code"]).or_else(|| text(&path!["continent_code"]));
        let own = country.map(|country| country.continent().to_string());
        let part =
            text(&path!["subdivisions", 0, "iso_code"]).or_else(|| text(&path!["region_code"]));
        Self {
            continent: continent.or(own),
            country: country.map(|_| code.unwrap_or_default()),
            part: country.zip(part).map(|(country, part)| format!("{country}-{part}")),
            asn: number(&path!["autonomous_system_number"]).or_else(|| number(&path!["asn"])),
        }
    }

    /// How narrow a place is that holds the address: none where it does not.
    fn narrowness(&self, place: &str, address: IpAddr) -> Option<(u8, u8)> {
        if place == "*" {
            return Some((0, 0));
        }
        if let Ok(network) = Network::parse(place) {
            return network.contains(address).then_some((5, network.length()));
        }
        if let Some(number) = place.strip_prefix("AS").and_then(|it| it.parse::<u32>().ok()) {
            return (self.asn == Some(number)).then_some((4, 0));
        }
        let is = |known: &Option<String>, code: &str| known.as_deref() == Some(code);
        let (holds, kind) = match place.split_once(':') {
            Some(("continent", code)) => (is(&self.continent, code), 1),
            Some((_, code)) => (is(&self.country, code), 2),
            None if place.contains('-') => (is(&self.part, place), 3),
            None if place == "EU" => (is(&self.continent, place), 1),
            None => (is(&self.country, place), 2),
        };
        holds.then_some((kind, 0))
    }
}

/// A service and what its pools are for.
struct Rule {
    label: &'static str,
    pools: Vec<Vec<String>>,
}

impl Rule {
    /// Pools whose clients are these, and some that are alike.
    fn new(label: &'static str, pools: &[&[&str]], networks: &[Network], rng: &mut Rng) -> Self {
        let own = |texts: &&[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        let mut pools: Vec<Vec<String>> = pools.iter().map(own).collect();
        for network in networks {
            let pool = rng.usize(..pools.len());
            pools[pool].push(network.to_string());
        }
        Self { label, pools }
    }

    fn toml(&self) -> String {
        let label = self.label;
        let mut text = format!("[service.{label}]\nsteer = \"geo\"\npolicy = \"ordered\"\n");
        for (pool, places) in self.pools.iter().enumerate() {
            let nodes = format!("nodes = [\"192.0.2.{pool}\"]");
            let _ = writeln!(text, "[service.{label}.pool.p{pool}]\nplace = {places:?}\n{nodes}");
        }
        text
    }

    /// The pool that a client gets: the first by the narrowest of its places, those of one kind as
    /// written, and behind them the others as written; whoever is down is passed over.
    fn pool(&self, said: &Said, address: IpAddr, down: &HashSet<usize>) -> Option<usize> {
        let narrowest = |pool: usize| {
            let places = self.pools[pool].iter();
            places.filter_map(|place| said.narrowness(place, address)).max()
        };
        let able = (0..self.pools.len()).filter(|pool| !down.contains(pool));
        // The first of the best: a later one must be better than what is known.
        able.fold(None, |best: Option<(usize, _)>, pool| match best {
            Some((_, known)) if narrowest(pool) <= known => best,
            _ => Some((pool, narrowest(pool))),
        })
        .map(|(pool, _)| pool)
    }
}

/// Any address that a client may have. Where files show IPv4 once more in IPv6 there is none.
fn address(networks: &[Network], rng: &mut Rng) -> IpAddr {
    let six = |bits: u128| IpAddr::V6((1 << 125 | bits >> 3).into());
    loop {
        let address = match rng.u8(..6) {
            0 | 1 => IpAddr::V4(rng.u32(..).into()),
            2 => six(rng.u128(..)),
            // What registries have given out so far.
            3 => six(rng.u128(..) >> 5 | u128::from(rng.u8(..8)) << 120),
            _ => super::world::within(rng.choice(networks).unwrap(), rng),
        };
        let repeated = ["2001::/32", "2002::/16"].map(|text| Network::parse(text).unwrap());
        if !repeated.iter().any(|network| network.contains(address)) {
            return address;
        }
    }
}

/// Asks for all addresses; how many met a pool by each kind of place.
fn check(file: Vec<u8>, rules: &[Rule], networks: &[Network], seed: u64) -> [usize; 6] {
    let toml: String = rules.iter().map(Rule::toml).collect();
    let zone = format!("[zone]\nns = [\"ns1 192.0.2.53\"]\n{toml}");
    let mut server = Server::new(&zone, None, &[File { name: "t.mmdb", bytes: &file }]);
    let reader = Reader::from_source(file).unwrap();
    let mut rng = Rng::with_seed(seed);
    let mut met = [0; 6];
    for round in 0..ROUNDS {
        // All are up in the first round, and never is none.
        let down: Vec<HashSet<usize>> = rules
            .iter()
            .map(|rule| (1..rule.pools.len()).filter(|_| round > 0 && rng.u8(..3) == 0).collect())
            .collect();
        let ids = rules.iter().zip(&down).flat_map(|(rule, down)| {
            down.iter().map(|pool| format!("lb.test/{}/p{pool}/192-0-2-{pool}", rule.label))
        });
        server.down(ids.collect());
        for _ in 0..ADDRESSES / ROUNDS {
            let address = address(networks, &mut rng);
            let at = rng.usize(..rules.len());
            let rule = &rules[at];
            let said = Said::of(&reader, address);
            let expected = rule.pool(&said, address, &down[at]).unwrap();
            let heard = if rng.bool() {
                server.from(rule.label, RecordType::A, address)
            } else {
                let whole = if address.is_ipv4() { 32 } else { 128 };
                server.told(rule.label, RecordType::A, &Network::new(address, whole).unwrap())
            };
            assert_eq!(
                heard.records,
                [format!("192.0.2.{expected}")],
                "{address}, of which the file has {said:?}, by {:?} without {:?}, seed {seed}",
                rule.pools,
                down[at],
            );
            let places = rule.pools[expected].iter();
            let kind = places.filter_map(|it| said.narrowness(it, address)).max();
            if let Some((kind, _)) = kind {
                met[usize::from(kind)] += 1;
            }
        }
    }
    met
}

/// Networks of the operator's: some inside others.
fn own_networks(rng: &mut Rng) -> Vec<Network> {
    let mut all =
        vec![Network::parse("10.0.0.0/8").unwrap(), Network::parse("2001:db8::/32").unwrap()];
    for _ in 0..40 {
        let outer = *rng.choice(&all).unwrap();
        let longest = if outer.address().is_ipv4() { 32 } else { 64 };
        let length = (outer.length() + rng.u8(1..7)).min(longest);
        all.push(Network::new(super::world::within(&outer, rng), length).unwrap());
    }
    all.sort_unstable();
    all.dedup();
    all
}

#[test]
fn a_service_answers_as_the_file_says() {
    let mut rng = Rng::with_seed(20);
    let own = own_networks(&mut rng);
    let mut said = own.clone();
    said.extend((0..3_000).map(|_| {
        let address = address(&own, &mut rng);
        let length = if address.is_ipv4() { rng.u8(3..=24) } else { rng.u8(8..=48) };
        Network::new(address, length).unwrap()
    }));
    said.sort_unstable_by_key(|network| (network.length(), network.address()));
    said.dedup();
    let mut writer = Writer::new(6, 28);
    for network in &said {
        // The widest hold all others and would leave nowhere unknown.
        let country = *rng.choice(&["DE", "FR", "US", "CA", "TR", "NA", "SA", "ZZ", "EU"]).unwrap();
        let part = *rng.choice(&["BE", "CA", "NY"]).unwrap();
        let mut record = vec![("country_code", country.into()), ("region_code", part.into())];
        if rng.bool() {
            record.push(("asn", Value::U32(rng.u32(64_500..64_504))));
        }
        // A file's word on a continent is believed before any table.
        if rng.u8(..4) == 0 {
            record.push(("continent_code", (*rng.choice(&["EU", "AS", "AF"]).unwrap()).into()));
        }
        writer.say(&network.to_string(), &Value::Map(record));
    }
    let rules = [
        Rule::new("ties", &[&["*"], &["EU"], &["EU", "DE"], &["DE", "*"]], &[], &mut rng),
        Rule::new(
            "kinds",
            &[&["continent:AF", "AS64500"], &["US-CA", "DE"], &["*"]],
            &own,
            &mut rng,
        ),
        Rule::new("no-star", &[&["country:NA"], &["country:SA", "TR"], &["FR"]], &own, &mut rng),
        Rule::new("parts", &[&["DE-BE", "US-NY"], &["AS64501"], &["continent:NA"]], &[], &mut rng),
    ];
    let met = check(writer.finish(), &rules, &said, 21);
    assert!(met.iter().all(|count| *count > 1_000), "pools are met by all kinds: {met:?}");
}

#[test]
fn a_service_answers_as_the_named_file_says() {
    let Ok(name) = env::var("ROTA_GEO_FILE") else { return };
    let file = fs::read(&name).unwrap();
    let mut rng = Rng::with_seed(22);
    let own = own_networks(&mut rng);
    let rules = [
        Rule::new(
            "world",
            &[&["EU"], &["continent:NA"], &["continent:AS"], &["*"]],
            &own,
            &mut rng,
        ),
        Rule::new(
            "countries",
            &[&["US"], &["DE", "FR", "GB"], &["JP", "*"], &["EU"]],
            &own,
            &mut rng,
        ),
        Rule::new("no-star", &[&["country:SA"], &["CN", "BR"], &["continent:SA"]], &[], &mut rng),
    ];
    // Most addresses are where the file knows something, however little that is.
    let mut known: Vec<Network> = Reader::from_source(&*file)
        .unwrap()
        .networks(WithinOptions::default())
        .unwrap()
        .map(|found| found.unwrap().network().unwrap())
        .map(|found| Network::new(found.ip(), found.prefix()).unwrap())
        .collect();
    rng.shuffle(&mut known);
    known.truncate(20_000);
    known.extend(own);
    let met = check(file, &rules, &known, 23);
    eprintln!("{name}: by *, continent, country, part, AS and network {met:?}");
}
