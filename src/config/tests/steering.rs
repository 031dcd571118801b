//! Pools beside each other: places, shares, distances, and which of them is for all down.

use super::{check, check_whole, good_in, said, service};
use crate::config::Grants;
use crate::config::tables::SERVICE;
use crate::config::{keys::Takes, read_zone_with};
use crate::geo::Atlas;
use crate::steer::{Answers, Policy, Steer, WhenAllDown};

/// A service `a` from line 3 on, with these lines and two pools with these ones; each pool has its
/// nodes in the line after its own.
fn pools(service: &str, eu: &str, us: &str) -> String {
    format!(
        "[service.a]\n{service}\n[service.a.pool.eu]\n{eu}\nnodes = [\"192.0.2.1\"]\n\
         [service.a.pool.us]\n{us}\nnodes = [\"192.0.2.2\"]"
    )
}

#[test]
fn every_word_of_the_model_is_a_word_of_its_key() {
    let words = |key: &str| {
        let Takes::Words { words, .. } = SERVICE.key(key).unwrap().takes else {
            panic!("{key} takes words")
        };
        words.to_vec()
    };
    let (mut policies, mut known) = (words("policy"), Policy::ALL.map(Policy::word));
    policies.sort_unstable();
    known.sort_unstable();
    assert_eq!(policies, known);
    assert_eq!(words("steer"), Steer::ALL.map(Steer::word));
}

#[test]
fn rules_between_pools_are_read() {
    let text =
        pools("steer = \"geo\"", "place = [\"EU\", \"us-ca\", \"AS64500\"]", "place = [\"*\"]");
    let geo = service(&text);
    assert_eq!(geo.steer, Steer::Geo);
    let places = |at: usize| geo.pools[at].places.iter().map(ToString::to_string);
    assert_eq!(places(0).collect::<Vec<_>>(), ["EU", "US-CA", "AS64500"]);
    assert_eq!(places(1).collect::<Vec<_>>(), ["*"]);

    let split = service(&pools("steer = \"split\"", "share = 95", "share = 5"));
    assert_eq!((split.steer, split.pools[0].share, split.pools[1].share), (Steer::Split, 95, 5));

    let (near, far) = ("at = \"52.52, 13.40\"", "at = \"37.77,-122.42\"");
    let nearest = service(&pools("steer = \"nearest\"\npolicy = \"nearest\"", near, far));
    assert_eq!((nearest.steer, nearest.policy), (Steer::Nearest, Policy::Nearest));
    assert_eq!(nearest.pools[1].at.unwrap().to_string(), "37.77, -122.42");
    let nodes = "nodes = [{ address = \"192.0.2.1\", at = \"0, 0\" }]";
    let simple = service(&format!("[service.a]\npolicy = \"nearest\"\n{nodes}"));
    assert_eq!(simple.nodes().next().unwrap().at.unwrap().to_string(), "0, 0");
}

#[test]
fn a_place_is_one_that_there_is() {
    let check = |place: &str, expected: &[&str]| {
        check(
            &pools("steer = \"geo\"", &format!("place = [{place}]"), "place = [\"*\"]"),
            expected,
        );
    };
    check(
        "\"Germany\", \"QQ\", \"uk\", \"US-CALI\", \"192.0.2.1/24\", \"AS0\"",
        &[
            "6:11: \"Germany\" is not a place (a place is a continent (EU), a country (DE), a part \
             of one (US-CA), AS64500, a network (192.0.2.0/24), or *)",
            "6:22: \"QQ\" is not a country (countries have the two letters of ISO 3166-1, as in \
             DE)",
            "6:28: \"uk\" is not a country (did you mean GB?)",
            "6:34: \"US-CALI\" is not a part of a country (as in US-CA: the country, then one to \
             three letters or digits of ISO 3166-2)",
            "6:45: \"192.0.2.1/24\" is not a network: bits are set beyond the prefix (write \
             192.0.2.0/24)",
            "6:61: \"AS0\" is not an AS number (AS numbers go from AS1 to AS4294967295)",
        ],
    );
    check("\"DE\", \"de\"", &["6:17: DE stands twice (remove one)"]);
    check(
        "\"AE\", \"SA\"",
        &["6:17: \"SA\" is South America here, not Saudi Arabia (write \"country:SA\" or \
           \"continent:SA\")"],
    );
}

#[test]
fn each_pool_of_geo_has_places_of_its_own() {
    let geo = "steer = \"geo\"";
    check(
        &pools(
            geo,
            "place = [\"DE\", \"10.0.0.0/8\", \"*\"]",
            "place = [\"10.0.0.0/8\", \"10.1.0.0/16\"]",
        ),
        &["9:11: 10.0.0.0/8 stands in the pool eu too (leave it in one: its clients get that \
           pool first, and the others after it)"],
    );
    // Two for the same country or continent: the first one written, then the other.
    let same = "place = [\"EU\", \"US\", \"US-CA\", \"AS64500\", \"*\"]";
    check(&pools(geo, same, same), &[]);
    let nobody = "so `geo` sends it nobody (write for example place = [\"EU\"], or [\"*\"] for all \
                  others)";
    check(
        &pools(geo, "place = [\"*\"]", "place = []"),
        &[&format!("8:17: the pool us has no `place`, {nobody}")],
    );
    check(
        &pools(geo, "", "place = [\"EU\"]"),
        &[
            "4:9: clients who are in none of these places get the pools as listed (write \"*\" \
             among the places of the pool that they should get)",
            &format!("5:17: the pool eu has no `place`, {nobody}"),
        ],
    );
    let unused = "`place` has no effect without `steer = \"geo\"` (write steer = \"geo\" in the \
                  service, or leave `place` out)";
    check(&pools("", "", "place = [\"*\"]"), &[&format!("9:1: {unused}")]);
    check(
        "[service.a]\nsteer = \"geo\"\nnodes = [\"192.0.2.1\"]",
        &["4:1: `steer` has no effect: there is one pool only (leave it out, or write more \
           pools: [service.<name>.pool.<pool>])"],
    );
    check(
        &pools("steer = \"gio\"", "place = [\"DE\"]", "place = [\"DE\"]"),
        &["4:9: `steer` knows no \"gio\" (did you mean \"geo\"?)"],
    );
}

#[test]
fn shares_are_a_hundred_together() {
    let split = "steer = \"split\"";
    check(&pools(split, "share = 100", "share = 0"), &[]);
    check(
        &pools(split, "share = 90", "share = 5"),
        &["9:9: the shares are 95 % together: eu 90, us 5 (make them 100 %)"],
    );
    check(
        &pools(split, "share = 100", ""),
        &["8:17: the pool us has no `share` (write its part of all clients in percent: share = \
             10)"],
    );
    check(
        &pools(split, "share = 101", "share = 5"),
        &["6:9: `share` is 101, but must be 0 to 100"],
    );
    check(
        &pools("", "share = 50", "weight = 50"),
        &[
            "6:1: `share` means nothing without `steer = \"split\"` (write steer = \"split\" in \
             the service, or leave `share` out)",
            "9:1: a pool has no key `weight` (here it is called `share`)",
        ],
    );
}

#[test]
fn whoever_is_to_be_near_stands_somewhere() {
    let at = "at = \"52.52, 13.40\"";
    let pool_help = "write where it stands: at = \"52.52, 13.40\"";
    check(
        &pools("steer = \"nearest\"", at, ""),
        &[&format!("8:17: the pool us has no `at`: how far is it? ({pool_help})")],
    );
    let node_help = "write where it stands, in its pool or as { address = \"…\", at = \"52.52, \
                     13.40\" }";
    check(
        &pools("policy = \"nearest\"", at, ""),
        &[&format!("10:11: the node 192-0-2-2 has no `at`: how far is it? ({node_help})")],
    );
    check(
        &pools("steer = \"nearest\"\npolicy = \"nearest\"", "at = \"north\"", "at = \"100, 20\""),
        &[
            "7:7: \"north\" is not coordinates (write degrees, latitude first, south and west \
             negative: \"52.52, 13.40\")",
            "10:7: \"100, 20\" is not a latitude (latitude comes first: did you mean \"20, 100\"?)",
        ],
    );
    check(
        &pools("", at, ""),
        &["6:1: `at` has no effect without `steer = \"nearest\"` (write steer = \"nearest\" in \
           the service, or leave `at` out)"],
    );
    check(
        "[service.a]\nnodes = [{ address = \"192.0.2.1\", at = \"0, 0\" }]",
        &["4:10: a node's `at` has no effect without `policy = \"nearest\"` (write policy = \
           \"nearest\" in the service, or leave `at` out)"],
    );
    let node = |n: u8| format!("{{ address = \"192.0.2.{n}\", at = \"{n}, 0\" }}");
    let nodes = |count| (1..=count).map(node).collect::<Vec<_>>().join(", ");
    let text = |count| format!("[service.a]\npolicy = \"nearest\"\nnodes = [{}]", nodes(count));
    check(&text(64), &[]);
    check(
        &text(65),
        &["4:10: nodes stand at 65 points, more than 64 (give nodes of one site or city the same \
           `at`)"],
    );
}

#[test]
fn rules_need_to_know_what_they_ask_of_clients() {
    let check = |text: &str, expected: &[&str]| {
        let mut out = Vec::new();
        let files = super::files(&format!("[zone]\nns = [\"ns1 192.0.2.53\"]\n{text}"));
        let mut none = |_: &str| Err(String::new());
        read_zone_with(&files, &mut none, &Grants::none(), Some(&Atlas::empty()), &mut out);
        assert_eq!(said(&out), expected, "{text}");
    };
    let help = |file: &str| {
        format!(
            "name a file that knows them in rota.toml: [geo] files = [\"{file}\"]; networks and \
             \"*\" need none"
        )
    };
    let unknown = |at: &str, what: &str, so: &str, file: &str| {
        format!("{at}: nothing is known of clients' {what}, so {so} ({})", help(file))
    };
    let geo = "steer = \"geo\"";
    check(&pools(geo, "place = [\"127.0.0.0/8\", \"::1\"]", "place = [\"*\"]"), &[]);
    check(
        &pools(geo, "place = [\"DE\", \"FR\", \"EU\"]", "place = [\"US-CA\", \"AS64500\", \"*\"]"),
        &[
            &unknown("6:11", "countries", "DE holds nobody", "GeoLite2-Country.mmdb"),
            &unknown("6:23", "continents", "EU holds nobody", "GeoLite2-Country.mmdb"),
            &unknown("9:11", "parts of countries", "US-CA holds nobody", "GeoLite2-City.mmdb"),
            &unknown("9:20", "AS numbers", "AS64500 holds nobody", "GeoLite2-ASN.mmdb"),
        ],
    );
    let (at, city) = ("at = \"0, 0\"", "GeoLite2-City.mmdb");
    let listed = |what: &str| format!("all clients get the {what} as listed");
    check(
        &pools("steer = \"nearest\"", at, at),
        &[&unknown("4:9", "coordinates", &listed("pools"), city)],
    );
    check(
        &pools("steer = \"nearest\"\npolicy = \"nearest\"", at, at),
        &[&unknown("5:10", "coordinates", &listed("nodes"), city)],
    );
}

#[test]
fn all_down_is_for_a_rule_or_a_pool() {
    for (written, expected) in [
        ("open", WhenAllDown::Open),
        ("closed", WhenAllDown::Closed),
        ("last-known", WhenAllDown::LastKnown),
        ("us", WhenAllDown::Pool(1)),
    ] {
        let service = service(&pools(&format!("when_all_down = \"{written}\""), "", ""));
        assert_eq!(service.when_all_down, expected, "{written}");
    }
    let takes = "it takes \"open\", \"closed\", \"last-known\"";
    check(
        &pools("when_all_down = \"sorry\"", "", ""),
        &[&format!("4:17: there is no pool \"sorry\" ({takes}, or a pool: eu, us)")],
    );
    check(
        &pools("when_all_down = \"last-knwon\"", "", ""),
        &["4:17: there is no pool \"last-knwon\" (did you mean \"last-known\"?)"],
    );
    check(
        "[service.a]\nwhen_all_down = \"sorry\"\nnodes = [\"192.0.2.1\"]",
        &[&format!("4:17: there is no pool \"sorry\" ({takes})")],
    );
    check(
        "[service.a]\nwhen_all_down = \"closed\"\n[service.a.pool.closed]\nnodes = [\"192.0.2.1\"]",
        &["4:17: \"closed\" is a rule and a pool's name too (give the pool another name)"],
    );
}

#[test]
fn hash_answers_with_one_address_unless_more_are_asked_for() {
    let nodes = "nodes = [\"192.0.2.1 x2\", \"192.0.2.2\"]";
    let one = service(&format!("[service.a]\npolicy = \"hash\"\n{nodes}"));
    assert_eq!((one.policy, one.answers), (Policy::Hash, Answers::default_of(Policy::Hash)));
    assert_eq!(one.answers, Answers::UpTo(std::num::NonZeroU16::MIN));
    let all = service(&format!("[service.a]\npolicy = \"hash\"\nanswers = \"all\"\n{nodes}"));
    assert_eq!(all.answers, Answers::All);
    let fastest = service("[service.a]\npolicy = \"fastest\"\nnodes = [\"192.0.2.1\"]");
    assert_eq!((fastest.policy, fastest.answers), (Policy::Fastest, Answers::DEFAULT));
}

#[test]
fn answers_spread_over_labels_that_nodes_have() {
    let node = "nodes = [{ address = \"192.0.2.1\", labels = { rack = \"a\" } }]";
    let spread = |spread: &str| format!("[service.a]\n{spread}\n{node}");
    assert_eq!(service(&spread("spread = [\"rack\"]")).spread, ["rack"]);
    check(
        &spread("spread = [\"rak\", \"site\", \"rack\", \"rack\"]"),
        &[
            "4:12: no node has the label rak (did you mean \"rack\"?)",
            "4:19: no node has the label site (write it: { …, labels = { site = \"a\" } })",
            "4:35: rack stands twice (remove one)",
        ],
    );
    check(
        &spread("spread = [\"rack\"]\nanswers = 1"),
        &["4:10: `spread` has no effect: an answer holds one address (raise `answers`, or leave \
           `spread` out)"],
    );
}

#[test]
fn a_service_has_no_more_pools_than_can_be_counted() {
    let pool = |n: usize| format!("[service.a.pool.p{n}]\nnodes = [\"192.0.2.{n}\"]\n");
    let pools = |count| (1..=count).map(pool).collect::<String>();
    assert_eq!(good_in(&pools(64)).services[0].pools.len(), 64);
    check(&pools(65), &["131:17: 65 pools are more than 64 (put sites that stand close into one)"]);
    check_whole(
        "[service.a]\npool = 1",
        &[
            "1:1: the zone app.test. has no name servers (write \
        [zone] with ns = [\"ns1 192.0.2.53\"]: each server's name and public address)",
            "2:8: `pool` takes tables [service.<name>.pool.<name>], not a number",
        ],
    );
}
