//! The configuration as an operator meets it: files in, a model or a list of problems out.

#![allow(clippy::unwrap_used, reason = "a test that cannot begin has failed")]

mod geo;
#[path = "../common/mmdb.rs"]
mod mmdb;
mod readings;
mod report;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rota::admin::metrics::Caps;
use rota::config::keys::{Kind, Takes};
use rota::config::tables::{SERVER, ZONE_FILE};
use rota::config::{Loaded, ZoneFiles, load, read_server, read_zone, render};
use rota::geo::Network;
use rota::snapshot::Authored;
use rota::snapshot::settings::EcsFrom;
use rota::wire::{Name, RecordType};
use rota::zone::{Diagnostic, Severity, Source};

fn zone(apex: &str, text: &str) -> (Authored, Vec<Diagnostic>) {
    let source = Source { path: format!("zones/{apex}.toml"), text: text.to_owned() };
    let files = ZoneFiles {
        apex: Name::from_text(apex).unwrap(),
        toml: Some(Arc::new(source)),
        master: None,
        serial: 1_700_000_000,
    };
    let mut out = Vec::new();
    let zone = read_zone(&files, &mut out);
    (zone, out)
}

/// A folder of files that is gone when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &[u8])]) -> Self {
        let path = std::env::temp_dir().join(format!("rota-config-{}-{name}", std::process::id()));
        for (file, text) in files {
            let file = path.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        Self(path)
    }

    fn load(&self) -> Loaded {
        load(Some(&self.0.join("rota.toml")))
    }

    /// What is said, with the folder's own path left out.
    fn said(&self, loaded: &Loaded) -> Vec<String> {
        let prefix = format!("{}/", self.0.display());
        loaded.diagnostics.iter().map(|one| one.to_string().replace(&prefix, "")).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn six_mistakes_are_told_at_once_each_with_its_place() {
    let (zone, out) = zone(
        "app.test",
        r#"[zone]
ns = ["ns1 192.0.2.53"]

[check.ready]
http = ":8080/ready"
evrey = "2s"
timeout = 2

[service.www]
check = "redy"
nodes = ["192.0.2.300 x4", "192.0.2.12"]
policy = "wieghted"

[service."www.example.org."]
nodes = ["192.0.2.13"]
"#,
    );
    assert_eq!(zone, Authored::Broken(Name::from_text("app.test").unwrap()));
    assert_eq!(
        render(&out, false),
        r#"error: a check has no key `evrey`
 --> zones/app.test.toml:6:1
  |
6 | evrey = "2s"
  | ^^^^^
  |
  = help: did you mean `every`?

error: `timeout` takes a duration (like "5s"), not a number
 --> zones/app.test.toml:7:11
  |
7 | timeout = 2
  |           ^
  |
  = help: write the unit: "2s"

error: there is no check "redy"
  --> zones/app.test.toml:10:10
   |
10 | check = "redy"
   |          ^^^^
   |
   = help: did you mean "ready"?

error: "192.0.2.300" is not an address
  --> zones/app.test.toml:11:11
   |
11 | nodes = ["192.0.2.300 x4", "192.0.2.12"]
   |           ^^^^^^^^^^^
   |
   = help: write IPv4 like 192.0.2.11, or IPv6 like 2001:db8::11

error: `policy` knows no "wieghted"
  --> zones/app.test.toml:12:10
   |
12 | policy = "wieghted"
   |          ^^^^^^^^^^
   |
   = help: did you mean "weighted"?

error: the service www.example.org. lies outside the zone app.test.
  --> zones/app.test.toml:14:10
   |
14 | [service."www.example.org."]
   |          ^^^^^^^^^^^^^^^^^^
   |
   = help: names that end with a dot are complete; others lie under the zone

6 errors
"#
    );
}

#[test]
fn every_syntax_error_is_told_and_nothing_that_only_follows_from_it() {
    let (_, out) = zone(
        "app.test",
        "[zone]\nns = [\"ns1 192.0.2.53\"\n[service.app]\nnodes = [\"192.0.2.11\" \
         \"192.0.2.12\"]\nanswers = 4x\nunknown = 1\n",
    );
    assert_eq!(
        out.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "zones/app.test.toml:2:6: this bracket is never closed (close it after its last item, \
             before the next key begins)",
            "zones/app.test.toml:4:23: this is not TOML: missing comma between array elements, \
             expected `,`",
            "zones/app.test.toml:5:11: this is not TOML: string values must be quoted, expected \
             literal string",
        ]
    );
}

#[test]
fn a_key_written_twice_does_not_hide_other_mistakes() {
    let (_, out) = zone(
        "app.test",
        "[zone]\nns = [\"ns1 192.0.2.53\"]\n[service.app]\nnodes = [\"192.0.2.11\"]\n\
         nodes = [\"192.0.2.12\"]\ntll = \"5s\"\n",
    );
    assert_eq!(
        out.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "zones/app.test.toml:5:1: `nodes` is written twice (keep one of the two; the first one \
             stands above)",
            "zones/app.test.toml:6:1: a service has no key `tll` (did you mean `ttl`?)",
        ]
    );
}

/// The longer example of the design.
const EXAMPLE: &str = r#"[zone]
ns = ["ns1 192.0.2.53"]
[check.ready]
http    = { port = 8080, path = "/ready", host = "app.customer.com", expect = ["200-299"] }
every   = "5s"
[service.app]
check  = ["ready"]
ttl    = { calm = "30s", alert = "5s" }
steer  = "geo"
policy = "weighted"
answers = 2
spread  = ["rack"]
when_all_down = "open"
srv     = { "_https._tcp" = 443 }
https   = { port = 443, alpn = ["h2"] }
[service.app.pool.eu]
place = ["EU", "AF"]
nodes = [{ name = "eu1", address = ["192.0.2.11", "2001:db8::11"], weight = 3, labels = { rack = "a" } }, "192.0.2.12"]
[service.app.pool.us]
place = ["*"]
nodes = ["198.51.100.11 x3", "198.51.100.12"]
"#;

#[test]
fn the_long_example_of_the_design_is_read() {
    let (zone, out) = zone("lb.customer.com", EXAMPLE);
    assert_eq!(out, []);
    let Authored::Good(model) = zone else { panic!("nothing was said against it") };
    let ids: Vec<_> = model.services[0].nodes().map(|node| node.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "lb.customer.com/app/eu/eu1",
            "lb.customer.com/app/eu/192-0-2-12",
            "lb.customer.com/app/us/198-51-100-11",
            "lb.customer.com/app/us/198-51-100-12"
        ]
    );
}

#[test]
fn a_file_is_judged_to_its_end() {
    let early = EXAMPLE.replace("\"weighted\"", "\"least-loadd\"");
    let wrong = early.replace("\"AF\"]", "7]").replace("weight = 3", "wait = 3");
    let (_, out) = zone("lb.customer.com", &wrong);
    let said: Vec<_> = out.iter().map(ToString::to_string).collect();
    let expected = [
        "10:10: `policy` knows no \"least-loadd\" (did you mean \"least-loaded\"?)",
        "17:16: `place` takes a place (\"EU\"), not a number",
        "18:68: a node has no key `wait`",
    ];
    assert_eq!(said.len(), expected.len(), "{said:#?}");
    for (said, expected) in said.iter().zip(expected) {
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn pools_are_judged_with_their_service() {
    let check = |text: &str, expected: &[&str]| {
        let (_, out) = zone("app.test", &format!("[zone]\nns = [\"ns1 192.0.2.53\"]\n{text}"));
        let said: Vec<_> = out.iter().map(ToString::to_string).collect();
        assert_eq!(said.len(), expected.len(), "{said:#?}");
        for (said, expected) in said.iter().zip(expected) {
            assert!(said.contains(expected), "{said} should hold {expected}");
        }
    };
    let pool = "[service.web.pool.a]\nnodes = [\"192.0.2.1\"]\n";
    check(pool, &[]);
    check(
        &format!("[service.web]\nnodes = [\"192.0.2.2\"]\n{pool}"),
        &["4:1: the service web.app.test. has `nodes` and pools"],
    );
    check("[service.web.pool.\"a/b\"]\nnodes = [\"192.0.2.1\"]\n", &["cannot be a pool's name"]);
    check("[service.web.pool.a]\nnodes = []\n", &["4:9: the pool a has no nodes"]);
    check("[service.web.pool.a]\n", &["a pool needs `nodes`"]);
    check("[service.web]\npool = {}\n", &["has no pools"]);
    check(
        &format!("{pool}min_healthy = 2\n"),
        &["5:15: the pool a weighs only 1 in all (lower `min_healthy`"],
    );
}

#[test]
fn every_key_of_the_design_is_described() {
    let mut known = Vec::new();
    collect(&SERVER, &mut known);
    collect(&ZONE_FILE, &mut known);
    for key in [
        "zones",
        "state",
        "geo",
        "files",
        "listen",
        "dns",
        "admin",
        "workers",
        "nsid",
        "version",
        "cookies",
        "rate_limit",
        "ecs",
        "udp_size",
        "zone",
        "ns",
        "check",
        "http",
        "every",
        "fails",
        "passes",
        "timeout",
        "service",
        "nodes",
        "ttl",
        "calm",
        "alert",
        "steer",
        "policy",
        "answers",
        "spread",
        "when_all_down",
        "srv",
        "https",
        "alpn",
        "pool",
        "place",
        "name",
        "address",
        "weight",
        "labels",
        "at",
        "share",
        "names",
        "explain",
        "together",
        "port",
        "path",
        "host",
        "expect",
        "tcp",
        "tls",
    ] {
        assert!(known.contains(&key), "{key}");
    }
}

fn collect(kind: &'static Kind, known: &mut Vec<&'static str>) {
    for key in kind.keys {
        known.push(key.name);
        collect_takes(&key.takes, known);
    }
}

fn collect_takes(takes: &'static Takes, known: &mut Vec<&'static str>) {
    match takes {
        Takes::Table(kind) | Takes::Named(kind) => collect(kind, known),
        Takes::List(inner) | Takes::Map(inner) => collect_takes(inner, known),
        Takes::Either(all) => all.iter().for_each(|one| collect_takes(one, known)),
        Takes::Text(_)
        | Takes::Number { .. }
        | Takes::Flag
        | Takes::Share
        | Takes::Duration { .. }
        | Takes::Words { .. } => {}
    }
}

fn server(text: &str) -> (Option<rota::config::Server>, Vec<String>) {
    let source = Arc::new(Source { path: "rota.toml".to_owned(), text: text.to_owned() });
    let mut out = Vec::new();
    let (_, server) = read_server(&source, Path::new("base"), &mut out);
    (server, out.iter().map(ToString::to_string).collect())
}

#[test]
fn an_empty_server_file_has_every_default() {
    let (server, said) = server("");
    let server = server.unwrap();
    assert_eq!(said, [""; 0]);
    assert_eq!(server.zones, Path::new("base/zones"));
    assert_eq!(server.state, Path::new("base/state"));
    assert_eq!(server.listen.dns.len(), 2);
    assert!(server.listen.dns.iter().all(|socket| socket.ip().is_loopback()));
    assert_eq!(server.listen.admin.to_string(), "127.0.0.1:9153");
    assert_eq!((server.listen.workers, server.dns.udp_size), (0, 1232));
}

#[test]
fn a_server_file_is_judged_whole() {
    let (server_read, said) = server(
        "zoness = \"z\"\nstate = 1\n[listen]\ndns = [\"127.0.0.1\", \"[::1]:53\", \"[::1]:53\"]\n\
         admin = \":9153\"\nconnections = 10\nconnections_per_client = 11\n\
         idle_time = \"0s\"\n[dns]\nudp_size = 511\nrate_limit = 0\n",
    );
    assert_eq!(server_read, None);
    let mut places: Vec<_> =
        said.iter().map(|one| one.split(' ').next().unwrap_or_default().to_owned()).collect();
    places.sort();
    let expected = ["10:12", "11:14", "1:1", "2:9", "4:34", "4:9", "5:10", "7:26", "8:13"];
    assert_eq!(places, expected.map(|place| format!("rota.toml:{place}:")), "{said:#?}");

    let (server_read, said) = server("zones = \"/srv/zones\"\n[listen]\ndns = [\"0.0.0.0:53\"]\n");
    assert_eq!(said, [""; 0]);
    assert_eq!(server_read.unwrap().zones, Path::new("/srv/zones"));
}

#[test]
fn how_much_metrics_show_is_read() {
    let caps = |zones, services, nodes| Some(Caps { zones, services, nodes });
    for (text, expected) in [
        ("", Some(Caps::default())),
        ("[metrics]\n", Some(Caps::default())),
        ("[metrics]\nzones = 0\nnodes = 100000\n", caps(0, 1000, 100_000)),
        ("[metrics]\nenabled = false\nservices = 7\n", None),
    ] {
        let (server, said) = server(text);
        assert_eq!((server.unwrap().metrics, said), (expected, Vec::new()), "{text}");
    }
    for (line, expected) in [
        ("zones = -1", "must be 0 to 100000"),
        ("nodes = 100001", "must be 0 to 100000"),
        ("nodes = \"all\"", "a number from 0 to 100000"),
        ("enabled = 1", "true or false"),
        ("node = 3", "`nodes`"),
        ("max_zones = 3", "`zones`"),
    ] {
        let (server, said) = server(&format!("[metrics]\n{line}\n"));
        assert_eq!((server, said.len()), (None, 1), "{line} {said:?}");
        assert!(said[0].starts_with("rota.toml:2:") && said[0].contains(expected), "{said:?}");
    }
}

#[test]
fn a_listener_that_others_reach_is_guarded() {
    let check = |lines: &str, expected: Option<&str>| {
        let (_, said) = server(lines);
        let said = said.first().map(String::as_str);
        let fits = match (said, expected) {
            (Some(said), Some(expected)) => said.contains(expected),
            (said, expected) => said == expected,
        };
        assert!(fits, "{lines}\n{said:?}");
    };
    let far = "[listen]\nadmin = \"0.0.0.0:9153\"\n";
    check(far, Some("2:9: others can reach `admin` at 0.0.0.0:9153, and changes would need no to"));
    let token = format!("{far}[admin]\ntoken_file = \"token\"\n");
    check(
        &token,
        Some("2:9: others can reach `admin` at 0.0.0.0:9153, and the token would travel"),
    );
    check(&format!("{token}plain_text = true\n"), None);
    check("[admin]\ntoken_file = \"token\"\n", None);
    check("[admin]\ntoken = \"secret\"\n", Some("here it is called `token_file`"));
    check("[admin]\nsocket = \"\"\n", Some("`socket` is empty"));

    let admin = |text: &str| server(text).0.unwrap().admin;
    assert_eq!(admin("").socket.as_deref(), Some(Path::new("base/state/rota.sock")));
    assert_eq!(admin("[admin]\nsocket = false\n").socket, None);
    let written = admin("[admin]\nsocket = \"/run/rota.sock\"\ntoken_file = \"token\"\n");
    assert_eq!(written.socket.as_deref(), Some(Path::new("/run/rota.sock")));
    assert_eq!(written.token_file.as_deref(), Some(Path::new("base/token")));
}

/// `[dns]` with these lines: what is wrong with them, each by its place and first words.
#[track_caller]
fn check_dns(lines: &str, expected: &[&str]) -> Option<rota::config::Dns> {
    let (server, said) = server(&format!("[dns]\n{lines}\n"));
    let fits = said.iter().zip(expected).all(|(said, wanted)| said.contains(wanted));
    assert!(fits && said.len() == expected.len(), "{said:#?} {expected:#?}");
    server.map(|server| server.dns)
}

#[test]
fn protocol_settings_are_read() {
    let dns = check_dns("", &[]).unwrap();
    assert_eq!((dns.nsid, dns.version, dns.cookies), (None, None, true));
    assert_eq!((dns.cookie_secrets, dns.rate_limit), (None, None));

    let dns = check_dns("nsid = \"ns1-fra\"\nversion = true\ncookies = false", &[]).unwrap();
    assert_eq!(dns.nsid.unwrap().as_bytes(), b"ns1-fra");
    assert!(dns.version.unwrap().as_bytes().starts_with(b"rota "));
    assert!(!dns.cookies);
    let dns = check_dns("version = \"none of yours\"", &[]).unwrap();
    assert_eq!(dns.version.unwrap().as_bytes(), b"none of yours");
    assert_eq!(check_dns("version = false", &[]).unwrap().version, None);

    let (old, new) = ("00112233445566778899aabbccddeeff", "FFeeddccbbaa99887766554433221100");
    let lines = format!("cookie_secrets = [\"{old}\", \"{new}\"]");
    let secrets = check_dns(&lines, &[]).unwrap().cookie_secrets.unwrap();
    let old: [u8; 16] = std::array::from_fn(|at| at as u8 * 0x11);
    let new: [u8; 16] = std::array::from_fn(|at| 0xff - at as u8 * 0x11);
    assert!(secrets.making == old.into() && secrets.also == Some(new.into()));
    for (lines, per_second, slip, exempt) in [
        ("rate_limit = true", 200, 2, &[][..]),
        ("rate_limit = 50", 50, 2, &[]),
        ("rate_limit = { slip = 0 }", 200, 0, &[]),
        (
            "rate_limit = { per_second = 7, slip = 1, exempt = [\"192.0.2.0/24\", \"::1\"] }",
            7,
            1,
            &["192.0.2.0/24", "::1/128"],
        ),
    ] {
        let limit = check_dns(lines, &[]).unwrap().rate_limit.unwrap();
        let networks: Vec<String> = limit.exempt.iter().map(ToString::to_string).collect();
        assert_eq!((limit.per_second.get(), limit.slip), (per_second, slip), "{lines}");
        assert_eq!(networks, exempt, "{lines}");
    }
}

#[test]
fn client_subnets_count_from_everyone_nobody_or_those_listed() {
    let listed = ["192.0.2.0/24", "2001:db8::53"].map(|text| Network::parse(text).unwrap());
    for (lines, expected) in [
        ("", EcsFrom::Everyone),
        ("ecs = true", EcsFrom::Everyone),
        ("ecs = false", EcsFrom::Nobody),
        ("ecs = [\"192.0.2.0/24\", \"2001:db8::53\"]", EcsFrom::Networks(listed.into())),
    ] {
        assert_eq!(check_dns(lines, &[]).unwrap().ecs, expected, "{lines}");
    }
}

#[test]
fn protocol_settings_that_cannot_be_are_told() {
    let long = "n".repeat(129);
    check_dns(&format!("nsid = \"{long}\""), &["2:9: `nsid` has 129 octets"]);
    check_dns("nsid = \"\"", &["`nsid` has 0 octets"]);
    check_dns(&format!("version = \"{0}{0}\"", "v".repeat(128)), &["`version` has 256 octets"]);
    let secret = "00112233445566778899aabbccddeeff";
    for wrong in
        ["", "0011", "+0112233445566778899aabbccddeeff", "xx112233445566778899aabbccddeeff"]
    {
        check_dns(&format!("cookie_secrets = [\"{wrong}\"]"), &["32 hexadecimal digits"]);
    }
    check_dns("cookie_secrets = []", &["lists 0"]);
    check_dns(&format!("cookie_secrets = [\"{secret}\", \"x\"]"), &["2:56: a secret has"]);
    let three = format!("cookie_secrets = [\"{secret}\", \"{secret}\", \"{secret}\"]");
    check_dns(&three, &["lists 3"]);
    let off = format!("cookies = false\ncookie_secrets = [\"{secret}\"]");
    check_dns(&off, &["3:1: cookies are switched off"]);
    check_dns("rate_limit = 0", &["2:14: `rate_limit` is 0"]);
    check_dns("rate_limit = { slip = 11 }", &["2:23: `slip` is 11"]);
    check_dns("rate_limit = { rrl_slip = 1 }", &["here it is called `slip`"]);
    check_dns(
        "rate_limit = { exempt = [\"192.0.2.1/24\", \"home\"] }",
        &["is an address inside of a network", "is not a network"],
    );
    let many = vec!["\"192.0.2.0/24\""; 65].join(", ");
    check_dns(&format!("rate_limit = {{ exempt = [{many}] }}"), &["`exempt` lists 65"]);
    check_dns("ecs = []", &["2:7: `ecs` lists no network"]);
    check_dns("ecs = \"192.0.2.0/24\"", &["2:7: `ecs` takes true or false or a list"]);
    check_dns(
        "ecs = [\"192.0.2.1/24\", \"home\"]",
        &["2:9: \"192.0.2.1/24\" is an address inside of a network", "2:25: \"home\" is not"],
    );
    check_dns(&format!("ecs = [{many}]"), &["`ecs` lists 65"]);
    check_dns("edns_client_subnet = true", &["here it is called `ecs`"]);
}

const SMALL: &[u8] = b"[zone]\nns = [\"ns1 192.0.2.53\"]\n";

#[test]
fn a_folder_holds_one_zone_for_each_apex() {
    let folder = Folder::new(
        "good",
        &[
            ("rota.toml", b""),
            ("zones/b.test.toml", SMALL),
            ("zones/a.b.test.toml", SMALL),
            ("zones/a.test.toml", SMALL),
            ("zones/root.toml", SMALL),
            ("zones/.hidden.toml", b"nonsense"),
            ("zones/a.test.toml~", b"nonsense"),
            ("zones/README", b"nonsense"),
            ("zones/deeper/c.test.toml", b"nonsense"),
        ],
    );
    let loaded = folder.load();
    assert_eq!(folder.said(&loaded), [""; 0]);
    let apexes: Vec<_> = loaded
        .zones
        .iter()
        .map(|zone| match zone {
            Authored::Good(model) => model.records.apex.to_string(),
            Authored::Broken(apex) => panic!("{apex} is right"),
        })
        .collect();
    assert_eq!(apexes, [".", "a.test.", "b.test.", "a.b.test."]);
    assert_eq!(folder.load(), loaded, "the same files make equal zones");
    assert!(loaded.into_config().is_some());
}

#[test]
fn a_link_is_what_it_leads_to() {
    let folder = Folder::new("links", &[("rota.toml", b""), ("elsewhere/a.test.toml", SMALL)]);
    fs::create_dir_all(folder.0.join("zones/folder.test.zone")).unwrap();
    let link = |to: &str, at: &str| symlink(folder.0.join(to), folder.0.join(at)).unwrap();
    link("elsewhere", "zones/old.test.zone");
    link("elsewhere/a.test.toml", "zones/a.test.toml");
    let loaded = folder.load();
    assert_eq!(folder.said(&loaded), [""; 0]);
    let [Authored::Good(model)] = &loaded.zones[..] else { panic!("{:?}", loaded.zones) };
    assert_eq!(model.records.apex.to_string(), "a.test.");
}

#[test]
fn a_master_file_and_a_toml_file_make_one_zone() {
    let master = "@ 300 SOA ns1 hostmaster 1 3600 600 86400 60\n@ 300 NS ns1\n\
                  ns1 300 A 192.0.2.53\napp 300 A 192.0.2.11\napp 300 A 192.0.2.12\n\
                  www 300 CNAME app\n";
    let toml = "[service.app]\ncheck = { http = \":8080/ready\" }\n";
    let folder = Folder::new(
        "both",
        &[
            ("rota.toml", b""),
            ("zones/a.test.zone", master.as_bytes()),
            ("zones/a.test.toml", toml.as_bytes()),
            ("zones/b.test.zone", master.as_bytes()),
            ("zones/b.test.toml", b"[zone]\nns = [\"ns1 192.0.2.53\"]\n"),
            ("zones/c.test.zone", b"@ 300 NS ns1\nns1 300 A 192.0.2.53\n"),
            ("zones/d.test.toml", b"[service.app]\nnodes = [\"192.0.2.11\"]\n"),
        ],
    );
    let loaded = folder.load();
    assert_eq!(
        folder.said(&loaded),
        [
            "zones/b.test.toml:1:2: [zone] stands beside the master file's SOA record (keep one of \
             the two: both say which name servers the zone has)",
            "zones/c.test.zone:1:1: the zone c.test. has no SOA record (add one, or write [zone] in \
             the zone's .toml file in place of NS records)",
            "zones/d.test.toml:1:1: the zone d.test. has no name servers (write [zone] with ns = \
             [\"ns1 192.0.2.53\"]: each server's name and public address)",
        ]
    );
    let Authored::Good(model) = &loaded.zones[0] else { panic!("the zone is right") };
    let ids: Vec<_> = model.services[0].nodes().map(|node| node.id.as_str()).collect();
    assert_eq!(ids, ["a.test/app/192-0-2-11", "a.test/app/192-0-2-12"]);
    assert_eq!(model.services[0].targets().count(), 2);
}

#[test]
fn the_serial_is_the_newest_time_of_the_files() {
    let folder = Folder::new("serial", &[("rota.toml", b""), ("zones/a.test.toml", SMALL)]);
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
    let file = fs::File::options().write(true).open(folder.0.join("zones/a.test.toml")).unwrap();
    file.set_modified(time).unwrap();
    let loaded = folder.load();
    let Authored::Good(model) = &loaded.zones[0] else { panic!("the zone is right") };
    let soa = model.records.get(&model.records.apex, RecordType::SOA).unwrap().first();
    assert_eq!(soa[soa.len() - 20..][..4], 1_700_000_000_u32.to_be_bytes());
}

#[test]
fn a_mistyped_secret_is_not_shown() {
    for text in [
        "[dns]\ncookie_secrets = [\"5ec0\"]\n",
        "[dns]\ncookie_secrets = [\n  \"5ec0\",\n]\n",
        "[dns]\ncookie_secrets = [\"5ec0\n",
    ] {
        let source = Arc::new(Source { path: "rota.toml".into(), text: text.into() });
        let mut out = Vec::new();
        read_server(&source, Path::new(""), &mut out);
        let shown = render(&out, false);
        assert!(!out.is_empty() && shown.contains("not shown"), "{shown}");
        assert!(!shown.contains("5ec0"), "{shown}");
        assert!(out.iter().all(|one| !one.to_string().contains("5ec0")), "{out:?}");
    }
}

#[test]
fn a_bad_file_spoils_its_own_zone_only() {
    let folder = Folder::new(
        "bad",
        &[
            ("rota.toml", b""),
            ("zones/a.test.toml", SMALL),
            ("zones/b.test.toml", b"[zone]\nns = [\"ns1\"]\n"),
            ("zones/c.test.toml", b"# \xff\n"),
            ("zones/D.test.toml", SMALL),
            ("zones/d.test.toml", SMALL),
            ("zones/e.test.tml", SMALL),
            ("zones/f..test.toml", SMALL),
        ],
    );
    let loaded = folder.load();
    assert_eq!(
        folder.said(&loaded),
        [
            "cannot read zones/c.test.toml: line 1 is not UTF-8",
            "zones/D.test.toml and zones/d.test.toml name the same zone (remove one: case makes no \
             difference)",
            "zones/e.test.tml is not read (did you mean e.test.toml?)",
            "zones/f..test.toml does not name a zone: \"f..test\" is not a name: a label is empty \
             (two dots in a row, or a leading dot) (a zone's file is called by the delegated name: \
             app.example.org.toml)",
            "zones/b.test.toml:2:8: the name server ns1.b.test. has no address (add it: \"ns1 \
             192.0.2.53\")",
        ]
    );
    let warnings =
        loaded.diagnostics.iter().filter(|one| one.severity == Severity::Warning).count();
    assert_eq!(warnings, 1);
    let good: Vec<_> = loaded.zones.iter().map(|zone| matches!(zone, Authored::Good(_))).collect();
    assert_eq!(good, [true, false, false, false]);
}

#[test]
fn without_zones_there_is_a_way_out() {
    let folder = Folder::new("none", &[("rota.toml", b"zones = \"here\"\n")]);
    let loaded = folder.load();
    let said = folder.said(&loaded).concat();
    assert!(said.contains("no zones to serve from the folder here"), "{said}");
    assert!(said.contains("rota demo"), "{said}");
    assert!(loaded.into_config().is_none());

    let missing = load(Some(&folder.0.join("missing.toml")));
    assert!(missing.server.is_none());
    assert!(missing.diagnostics[0].message.starts_with("cannot read "));
}

#[test]
fn interfaces_are_named_as_the_kernel_names_them() {
    let (read, said) = server("[listen]\nxdp = [\"eth0\", \"enp3s0f1np1.7\"]\n");
    assert_eq!(said, [""; 0]);
    assert_eq!(read.unwrap().listen.xdp, ["eth0", "enp3s0f1np1.7"]);
    let help = "(write it as `ip link` shows it: \"eth0\")";
    for (written, message) in [
        ("", "\"\" is not the name of an interface"),
        ("eth0:1", "\"eth0:1\" is not the name of an interface"),
        ("../eth0", "\"../eth0\" is not the name of an interface"),
        ("eth 0", "\"eth 0\" is not the name of an interface"),
        ("..", "\"..\" is not the name of an interface"),
        ("0123456789abcdef", "\"0123456789abcdef\" is not the name of an interface"),
    ] {
        let (read, said) = server(&format!("[listen]\nxdp = [\"{written}\"]\n"));
        // Within the quotes, where there is something.
        let column = if written.is_empty() { 8 } else { 9 };
        assert_eq!((read, said), (None, vec![format!("rota.toml:2:{column}: {message} {help}")]));
    }
    let (_, said) = server("[listen]\nxdp = [\"eth0\", \"eth0\"]\n");
    assert_eq!(said, ["rota.toml:2:17: eth0 is listed twice (remove one)"]);
    let (_, said) = server("[listen]\nxdp = \"eth0\"\n");
    assert_eq!(said.len(), 1, "{said:?}");
}

#[test]
fn control_targets_are_addresses_with_ports() {
    let (read, said) = server("[guard]\ncontrol = [\"192.0.2.1:80\", \"[2001:db8::1]:53\"]\n");
    assert_eq!(said, [""; 0]);
    let guard = read.unwrap().guard;
    assert_eq!((guard.control.len(), guard.freeze.as_secs()), (2, 600));
    let (read, said) =
        server("[guard]\ncontrol = [\"192.0.2.1\", \"192.0.2.2:1\", \"192.0.2.2:1\"]\n");
    assert_eq!(read, None);
    assert_eq!(
        said,
        [
            "rota.toml:2:13: \"192.0.2.1\" is not an address and port (write for example the \
             gateway's: \"192.0.2.1:80\"; any answer will do)",
            "rota.toml:2:41: 192.0.2.2:1 is listed twice (remove one)",
        ]
    );
}
