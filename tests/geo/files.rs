//! What files say, in the layouts of several vendors, in every size of record, and damaged.

use fastrand::Rng;
use rota::geo::{Atlas, Fact, File, FileError};

use super::mmdb::{Branch, Value, Writer};
use super::{any_address, atlas, generated};

fn map<const N: usize>(entries: [(&'static str, Value); N]) -> Value {
    Value::Map(entries.into())
}

/// What is known of an address whose record is this, as text.
fn check(value: &Value, expected: &str) {
    for record_bits in [24, 28, 32] {
        for (version, network, address) in [
            (4, "192.0.2.0/24", "192.0.2.77"),
            (6, "192.0.2.0/24", "192.0.2.77"),
            (6, "2001:db8::/32", "2001:db8:1::1"),
        ] {
            let mut writer = Writer::new(version, record_bits);
            writer.say("198.51.100.0/24", &map([("country_code", "XK".into())]));
            writer.say(network, value);
            let atlas = atlas(&writer.finish());
            let (location, found) = atlas.locate(address.parse().unwrap());
            assert_eq!(location.to_string(), expected, "{value:?}");
            assert_eq!((found.to_string() == network), expected != "nowhere known", "{found}");
        }
    }
}

#[test]
fn the_layouts_of_many_vendors_are_read() {
    let code = |code: &str| map([("iso_code", code.into())]);
    check(&map([("country_code", "DE".into())]), "DE, Europe");
    check(&map([("country", code("DE"))]), "DE, Europe");
    check(&map([("country", "DE".into()), ("country_name", "Germany".into())]), "DE, Europe");
    check(&map([("country", "Germany".into()), ("country_code", "DE".into())]), "DE, Europe");
    check(&map([("continent", map([("code", "AF".into())]))]), "Africa");
    check(&map([("continent", "Africa".into()), ("continent_code", "AF".into())]), "Africa");
    // What the file says of a continent is believed before our table.
    let turkey = map([("continent", map([("code", "EU".into())])), ("country", code("TR"))]);
    check(&turkey, "TR, Europe");
    let city = map([
        ("city", map([("names", map([("en", "Berlin".into())]))])),
        ("country", code("DE")),
        ("subdivisions", Value::Array(vec![code("BE"), code("XX")])),
        ("location", map([("latitude", Value::Double(52.5)), ("longitude", Value::Double(13.4))])),
        ("registered_country", code("FR")),
    ]);
    check(&city, "DE-BE, Europe, 52.5, 13.4");
    let flat = map([
        ("country_code", "US".into()),
        ("region_code", "US-CA".into()),
        ("latitude", "37.75".into()),
        ("longitude", "-122.5".into()),
        ("asn", "AS64500".into()),
    ]);
    check(&flat, "US-CA, North America, AS64500, 37.75, -122.5");
    let floats = map([("latitude", Value::Float(-33.5)), ("longitude", Value::Float(151.25))]);
    check(&floats, "-33.5, 151.25");
    check(&map([("lat", "1.5".into()), ("lng", "2.5".into())]), "1.5, 2.5");
    check(&map([("autonomous_system_number", Value::U32(64_500))]), "AS64500");
    check(&map([("autonomous_system_number", Value::U16(4_500))]), "AS4500");
    check(&map([("as_number", "64500".into())]), "AS64500");
    check(&map([("asn", Value::U32(0))]), "nowhere known");
    // No countries: unknown, by region, registered elsewhere, or of another type.
    check(&map([("country_code", "ZZ".into())]), "nowhere known");
    check(&map([("country_code", "EU".into())]), "nowhere known");
    check(&map([("country_code", "".into())]), "nowhere known");
    check(&map([("country_code", Value::U32(276))]), "nowhere known");
    check(&map([("registered_country", code("AU"))]), "nowhere known");
    check(&map([("subdivisions", Value::Array(vec![]))]), "nowhere known");
    check(&Value::Array(vec![]), "nowhere known");
    // A part of another country, and coordinates off the globe.
    let wrong = map([("country_code", "US".into()), ("region_code", "CA-ON".into())]);
    check(&wrong, "US, North America");
    let off = map([("latitude", Value::Double(91.0)), ("longitude", Value::Double(0.0))]);
    check(&off, "nowhere known");
}

#[test]
fn several_files_add_to_each_other() {
    let mut country = Writer::new(6, 24);
    country.say("192.0.2.0/24", &map([("country_code", "US".into())]));
    country.say("2001:db8::/32", &map([("country_code", "DE".into())]));
    let mut city = Writer::new(6, 28);
    for (network, code, part) in [
        ("192.0.2.0/25", "US", "CA"),
        ("192.0.2.128/25", "CA", "ON"),
        ("198.51.100.0/24", "FR", "75"),
    ] {
        city.say(network, &map([("country_code", code.into()), ("region_code", part.into())]));
    }
    let mut asn = Writer::new(4, 32);
    asn.say("192.0.2.64/26", &map([("autonomous_system_number", Value::U32(64_500))]));
    let [country, city, asn] = [country, city, asn].map(Writer::finish);
    let name = "any.mmdb";
    let files = [&country, &city, &asn].map(|bytes| File { name, bytes });
    let atlas = Atlas::read(&files).unwrap();
    for (address, expected, network) in [
        ("192.0.2.1", "US-CA, North America", "192.0.2.0/26"),
        ("192.0.2.64", "US-CA, North America, AS64500", "192.0.2.64/26"),
        // The first file is believed, and Ontario is not in it.
        ("192.0.2.129", "US, North America", "192.0.2.128/25"),
        ("198.51.100.1", "FR-75, Europe", "198.51.100.0/24"),
        ("2001:db8::1", "DE, Europe", "2001:db8::/32"),
        ("203.0.113.1", "nowhere known", "200.0.0.0/5"),
    ] {
        let (location, found) = atlas.locate(address.parse().unwrap());
        assert_eq!((location.to_string(), found.to_string()), (expected.into(), network.into()));
    }
    let known = Fact::ALL.map(|fact| atlas.has(fact));
    assert_eq!(known, [true, true, true, true, false]);
    assert_eq!(Fact::ALL.map(|fact| Atlas::empty().has(fact)), [false; 5]);
}

#[test]
fn ipv4_is_found_where_files_keep_it_and_not_where_they_repeat_it() {
    for aliases in [false, true] {
        let mut writer = Writer::new(6, 24);
        writer.say("192.0.2.0/24", &map([("country_code", "DE".into())]));
        writer.say("198.51.100.0/24", &map([("country_code", "FR".into())]));
        writer.say("2001:db8::/32", &map([("country_code", "US".into())]));
        writer.aliases = aliases;
        let atlas = atlas(&writer.finish());
        for (address, expected) in [
            ("192.0.2.1", "DE, Europe"),
            ("198.51.100.1", "FR, Europe"),
            ("2001:db8::1", "US, North America"),
            ("::192.0.2.1", "nowhere known"),
            ("::ffff:192.0.2.1", "nowhere known"),
            ("2002:c000:201::1", "nowhere known"),
            ("2001:0:c000:201::1", "nowhere known"),
        ] {
            let (location, _) = atlas.locate(address.parse().unwrap());
            assert_eq!(location.to_string(), expected, "{address} with aliases: {aliases}");
        }
        assert_eq!(atlas.stretches().count(), 8);
    }
    // Own data where others repeat IPv4 is kept.
    let mut writer = Writer::new(6, 24);
    writer.say("2002:c000:200::/40", &map([("country_code", "DE".into())]));
    let own = atlas(&writer.finish());
    assert_eq!(own.locate("2002:c000:201::1".parse().unwrap()).0.to_string(), "DE, Europe");
    // Without a tree of IPv4 nothing is known of it, though the IPv6 network there has a record.
    let mut writer = Writer::new(6, 24);
    writer.say("::/16", &map([("country_code", "DE".into())]));
    let without = atlas(&writer.finish());
    let (location, network) = without.locate("192.0.2.1".parse().unwrap());
    assert_eq!(
        (location.to_string(), network.to_string()),
        ("nowhere known".into(), "0.0.0.0/0".into())
    );
}

fn error(bytes: &[u8]) -> FileError {
    Atlas::read(&[File { name: "geo.mmdb", bytes }]).unwrap_err().remove(0)
}

#[test]
fn files_that_cannot_be_used_say_why() {
    let mut kind = Writer::new(6, 24);
    kind.kind = "Speed";
    kind.say("192.0.2.0/24", &map([("speed", "slow".into()), ("cable", "thin".into())]));
    let mut text = Writer::new(6, 24);
    text.say("192.0.2.0/24", &"DE".into());
    let mut empty = Writer::new(4, 28);
    empty.kind = "Country";
    let mut beyond = Writer::new(4, 24);
    beyond.put(0, 1, Branch::Data(1 << 20));
    let mut bad_record = Writer::new(4, 24);
    // A map of one entry that ends before its key.
    bad_record.put(0, 1, Branch::Data(0));
    let good = generated(50, &mut Rng::with_seed(1));
    for (bytes, expected) in [
        (vec![], "geo.mmdb is not an mmdb file"),
        (b"network,country\n".to_vec(), "geo.mmdb is not an mmdb file"),
        (good[..good.len() / 2].to_vec(), "geo.mmdb is not an mmdb file"),
        (good[good.len() / 2..].to_vec(), "geo.mmdb is damaged: "),
        (kind.finish(), "geo.mmdb (Speed) says nothing of places: its records hold cable, speed"),
        (text.finish(), "geo.mmdb (Test) says nothing of places"),
        (empty.finish(), "geo.mmdb (Country) says nothing of places"),
        (beyond.finish(), "geo.mmdb is damaged: at 0.0.0.0: "),
        (bad_record.finish(), "geo.mmdb is damaged: at 0.0.0.0: "),
    ] {
        let found = error(&bytes);
        assert!(found.to_string().starts_with(expected), "{found}");
        assert!(!found.problem.help().is_empty());
    }
    // All are told at once.
    let two =
        [("a", &[] as &[u8]), ("b", &good), ("c", b"x")].map(|(name, bytes)| File { name, bytes });
    let errors = Atlas::read(&two).unwrap_err();
    assert_eq!(errors.iter().map(|it| &*it.file).collect::<Vec<_>>(), ["a", "c"]);
}

#[test]
fn a_tree_that_leads_back_into_itself_ends() {
    let record = map([("country_code", "DE".into())]);
    for version in [4, 6] {
        for record_bits in [24, 28, 32] {
            // One side leads to the root, one has data: an endless walk along the left.
            let mut cycle = Writer::new(version, record_bits);
            cycle.say("128.0.0.0/1", &record);
            cycle.put(0, 1, Branch::Node(0));
            // Both sides of every node lead to the next: few nodes, more networks than addresses
            // could be walked.
            let mut doubling = Writer::new(version, record_bits);
            doubling.say("0.0.0.0/24", &record);
            let (bits, length) = doubling.key("0.0.0.0/24");
            for depth in 1..length {
                let across = bits | 1 << (128 - depth);
                doubling.put(across, depth, Branch::Node(depth as usize));
            }
            // Below the last bit stands another node.
            let mut deep = Writer::new(version, record_bits);
            deep.say("192.0.2.0/24", &record);
            let (bits, length) = deep.key("192.0.2.255/32");
            deep.put(bits, length, Branch::Node(1));
            for writer in [cycle, doubling, deep] {
                let found = error(&writer.finish()).to_string();
                let known = ["leads back into itself", "cycle or invalid structure"];
                assert!(known.iter().any(|reason| found.contains(reason)), "{found}");
            }
        }
    }
}

#[test]
fn damaged_files_give_an_error_or_an_atlas() {
    let mut rng = Rng::with_seed(2);
    let good = generated(40, &mut rng);
    for round in 0..600 {
        let mut bytes = good.clone();
        match round % 3 {
            0 => bytes.truncate(rng.usize(..good.len())),
            1 => bytes.drain(..rng.usize(..good.len())).for_each(drop),
            _ => (0..rng.usize(1..20)).for_each(|_| {
                let at = rng.usize(..bytes.len());
                bytes[at] ^= 1 << rng.u8(..8);
            }),
        }
        if let Ok(atlas) = Atlas::read(&[File { name: "x", bytes: &bytes }]) {
            let address = any_address(&mut rng);
            let (_, network) = atlas.locate(address);
            assert!(network.contains(address));
        }
    }
}
