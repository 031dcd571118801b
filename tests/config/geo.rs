//! `[geo]`: files that say where clients are, and rules that they cannot serve.

use std::fs;
use std::sync::Arc;

use rota::cli::report::report;
use rota::config::{Readings, reload};
use rota::geo::Fact;
use rota::snapshot::Authored;

use super::mmdb::{Value, Writer};
use super::{Folder, SMALL, server};

/// An mmdb file in which 192.0.2.0/24 is in Germany.
fn countries() -> Vec<u8> {
    let mut writer = Writer::new(6, 24);
    writer.say("192.0.2.0/24", &Value::Map(vec![("country_code", "DE".into())]));
    writer.finish()
}

/// One that knows who announces it.
fn numbers() -> Vec<u8> {
    let mut writer = Writer::new(4, 24);
    let announced = ("autonomous_system_number", Value::U32(64_500));
    writer.say("192.0.2.0/24", &Value::Map(vec![announced]));
    writer.finish()
}

#[test]
fn geo_files_are_laid_over_each_other() {
    let rota = b"[geo]\nfiles = [\"geo/as.mmdb\", \"geo/country.mmdb\"]\n";
    let folder = Folder::new(
        "geo",
        &[
            ("rota.toml", rota),
            ("geo/as.mmdb", &numbers()),
            ("geo/country.mmdb", &countries()),
            ("zones/a.test.toml", SMALL),
        ],
    );
    let mut readings = Readings::default();
    let mut load = || reload(Some(&folder.0.join("rota.toml")), &mut readings);
    let loaded = load();
    assert_eq!(folder.said(&loaded), [""; 0]);
    let text = report(&loaded);
    let known = "geo knows                   continents, countries, AS numbers\n";
    assert!(text.contains("geo/country.mmdb\"]\n") && text.contains(known), "{text}");
    let geo = loaded.geo.unwrap();
    assert_eq!(geo.atlas.facts(), [Fact::Continent, Fact::Country, Fact::As]);
    let (location, _) = geo.atlas.locate([192, 0, 2, 1].into());
    assert_eq!(location.to_string(), "DE, Europe, AS64500");
    assert_eq!(loaded.server.unwrap().geo[0], folder.0.join("geo/as.mmdb"));

    // The same content, written again, is the same atlas; another is another.
    let mut again = || load().geo.unwrap();
    fs::write(folder.0.join("geo/as.mmdb"), numbers()).unwrap();
    assert!(Arc::ptr_eq(&again().atlas, &geo.atlas));
    fs::write(folder.0.join("geo/as.mmdb"), countries()).unwrap();
    let other = again();
    assert_eq!(other.atlas.facts(), [Fact::Continent, Fact::Country]);
    assert!(other != geo);
}

#[test]
fn all_geo_files_that_cannot_be_used_are_told() {
    let zone = "[zone]\nns = [\"ns1 192.0.2.53\"]\n[service.a]\nsteer = \"geo\"\n\
                [service.a.pool.x]\nplace = [\"DE\"]\nnodes = [\"192.0.2.1\"]\n\
                [service.a.pool.y]\nplace = [\"*\"]\nnodes = [\"192.0.2.2\"]\n";
    let rota = b"[geo]\nfiles = [\"cut.mmdb\", \"gone.mmdb\", \"rota.toml\"]\n";
    let cut = &countries()[..200];
    let folder = Folder::new(
        "geo-bad",
        &[("rota.toml", rota), ("cut.mmdb", cut), ("zones/a.test.toml", zone.as_bytes())],
    );
    let loaded = folder.load();
    let not = "is not an mmdb file (give a MaxMind DB (.mmdb) file as it is inside the vendor's \
               archive; CSV files are not read)";
    assert_eq!(
        folder.said(&loaded),
        [
            "cannot read gone.mmdb: No such file or directory (os error 2) (put it there, or take \
             it out of `files` in [geo] of rota.toml)"
                .to_owned(),
            format!("cut.mmdb {not}"),
            format!("rota.toml {not}"),
        ]
    );
    // What nobody could read may well know countries: the zone is not to blame.
    assert!(matches!(loaded.zones[0], Authored::Good(_)));
    assert!(loaded.geo.is_none() && loaded.into_config().is_none());

    let (_, said) = server("[geo]\nfiles = [\"a\", \"\", \"a\"]\ndatabase = \"b\"\n[geoip]");
    assert_eq!(
        said,
        [
            "rota.toml:2:15: a file has a name (write its path, relative to rota.toml: \
             \"GeoLite2-Country.mmdb\")",
            "rota.toml:2:20: a is listed twice (remove one)",
            "rota.toml:3:1: [geo] has no key `database` (here it is called `files`)",
            "rota.toml:4:2: rota.toml has no key `geoip` (here it is called `geo`)",
        ]
    );
}

#[test]
fn a_rule_that_no_geo_file_can_serve_is_told() {
    let zone = "[zone]\nns = [\"ns1 192.0.2.53\"]\n[service.a]\nsteer = \"geo\"\n\
                [service.a.pool.x]\nplace = [\"DE\", \"AS1\", \"10.0.0.0/8\"]\n\
                nodes = [\"192.0.2.1\"]\n\
                [service.a.pool.y]\nplace = [\"*\"]\nnodes = [\"192.0.2.2\"]\n";
    let check = |rota: &str, expected: &[&str]| {
        let folder = Folder::new(
            &format!("geo-facts-{}", rota.len()),
            &[
                ("rota.toml", rota.as_bytes()),
                ("c.mmdb", &countries()),
                ("n.mmdb", &numbers()),
                ("zones/a.test.toml", zone.as_bytes()),
            ],
        );
        assert_eq!(folder.said(&folder.load()), expected, "{rota}");
    };
    let nothing = |at: &str, what: &str, place: &str, file: &str| {
        format!(
            "zones/a.test.toml:6:{at}: nothing is known of clients' {what}, so {place} holds nobody \
             (name a file that knows them in rota.toml: [geo] files = [\"GeoLite2-{file}.mmdb\"]; \
             networks and \"*\" need none)"
        )
    };
    let two =
        [nothing("11", "countries", "DE", "Country"), nothing("17", "AS numbers", "AS1", "ASN")];
    check("", &[&two[0], &two[1]]);
    check(
        "[geo]\nfiles = [\"c.mmdb\"]",
        &["zones/a.test.toml:6:17: the files of [geo] know continents, countries, but no AS \
           numbers, so AS1 holds nobody (add one that knows them to rota.toml: [geo] files = \
           [\"GeoLite2-ASN.mmdb\"])"],
    );
    check("[geo]\nfiles = [\"c.mmdb\", \"n.mmdb\"]", &[]);
}
