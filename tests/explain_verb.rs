//! `rota explain` from outside: the built binary, with a server and without one.
//!
//! That explanations are true of the answer path is held by `explain`; here is what a person gets to
//! read and a script to act on: the stages in words, the same as JSON, and the exit code.

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod common;
#[path = "common/mmdb.rs"]
mod mmdb;

use std::fs;
use std::process::Command;

use common::{Client, Folder, Mode, Node, Rota, nodes, wait_until};
use hickory_proto::rr::RecordType;
use mmdb::{Value, Writer};

/// What the verb printed and how it ended.
struct Said {
    out: String,
    err: String,
    code: i32,
}

/// Runs the verb in a folder.
fn explain(folder: &Folder, arguments: &[&str]) -> Said {
    let mut rota = Command::new(env!("CARGO_BIN_EXE_rota"));
    let ended = rota.arg("explain").args(arguments).current_dir(&folder.0).output().unwrap();
    Said {
        out: String::from_utf8(ended.stdout).unwrap(),
        err: String::from_utf8(ended.stderr).unwrap(),
        code: ended.status.code().unwrap(),
    }
}

/// All of these lines are printed, apart from how far they are indented and padded, in this order,
/// and the exit code is this one.
#[track_caller]
fn check(folder: &Folder, arguments: &[&str], expected: &[&str], code: i32) {
    let said = explain(folder, arguments);
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut lines = said.out.lines().map(squeezed);
    for wanted in expected {
        let found = lines.any(|line| line == squeezed(wanted));
        assert!(found, "{arguments:?}: no {wanted:?} in its place in\n{}{}", said.out, said.err);
    }
    assert_eq!(said.code, code, "{arguments:?}:\n{}{}", said.out, said.err);
}

/// The verb could not do its work, and says so on standard error alone.
#[track_caller]
fn check_fails(folder: &Folder, arguments: &[&str], expected: &str) {
    let said = explain(folder, arguments);
    assert!(said.err.contains(expected), "{arguments:?}: {}", said.err);
    assert_eq!((said.out.as_str(), said.code), ("", 2), "{arguments:?}: {}", said.err);
}

/// What a file knows: one network in Germany, one in the United States.
fn places() -> Vec<u8> {
    let mut writer = Writer::new(6, 24);
    for (network, country) in [("192.0.2.0/24", "DE"), ("198.51.100.0/24", "US")] {
        writer.say(network, &Value::Map(vec![("country_code", country.into())]));
    }
    writer.finish()
}

/// A folder with a zone, and two nodes that its services check.
fn scene(name: &str) -> (Folder, Vec<Node>) {
    let nodes = nodes(&[[127, 0, 0, 81], [127, 0, 0, 82]]);
    let port = nodes[0].addr.port();
    let folder = Folder::new(&format!("explain-{name}"));
    let local = "\"127.0.0.1:0\"";
    let listen = format!("[listen]\ndns = [{local}]\nadmin = {local}\nworkers = 1\n");
    folder.write("rota.toml", &format!("{listen}[geo]\nfiles = [\"places.mmdb\"]\n"));
    fs::write(folder.0.join("places.mmdb"), places()).unwrap();
    let zone = format!(
        r#"
[zone]
ns = ["ns1 127.0.0.1"]
[service.geo]
steer = "geo"
[service.geo.pool.eu]
place = ["EU"]
nodes = ["203.0.113.11"]
[service.geo.pool.world]
place = ["*"]
nodes = ["203.0.113.21"]
[service.split]
steer = "split"
[service.split.pool.blue]
share = 100
nodes = ["203.0.113.11"]
[service.split.pool.green]
share = 0
nodes = ["203.0.113.21"]
[service.checked]
policy = "ordered"
check = {{ http = ":{port}/ready", every = "500ms", timeout = "500ms", fails = 2, passes = 1 }}
nodes = [{{ name = "one", address = ["127.0.0.81", "::1"] }}, "127.0.0.82"]
"#
    );
    folder.write("zones/app.test.toml", &zone);
    (folder, nodes)
}

#[test]
fn files_alone_explain_where_a_client_is_sent() {
    let (folder, _nodes) = scene("offline");
    let geo = ["geo.app.test", "--offline", "--client", "203.0.113.53", "--ecs", "192.0.2.0/25"];
    check(
        &folder,
        &geo,
        &[
            "geo.app.test A asked from 203.0.113.53",
            "client 192.0.2.0/25, told by its resolver 203.0.113.53 (ECS)",
            "place DE, Europe, like all of 192.0.2.0/24",
            "zone app.test",
            "service app.test/geo, its A addresses",
            "state pools serve",
            "1. eu EU holds the client; <- answers",
            "2. world * holds every client; could answer",
            "nodes eu/203-0-113-11 203.0.113.11 weight 1 kept: serving",
            "world/203-0-113-21 203.0.113.21 weight 1 dropped: its pool is not chosen",
            "ttl 5 s",
            "scope /24: all of that prefix choose the same",
            "answer NOERROR",
            "geo.app.test. 5 IN A 203.0.113.11",
        ],
        0,
    );
    check(
        &folder,
        &["geo.app.test", "--offline", "--client", "198.51.100.1"],
        &["client 198.51.100.1", "1. world * holds every client; <- answers"],
        0,
    );
    check(
        &folder,
        &["split.app.test", "--offline", "--client", "198.51.100.1"],
        &[
            "1. blue has 100 % of all clients; <- answers",
            "2. green has 0 % of all clients; could answer",
            "scope /32: all of that prefix choose the same",
        ],
        0,
    );
    // Nothing was probed, so every node counts as healthy.
    let unprobed = ["checked.app.test", "--offline", "--type", "AAAA"];
    check(&folder, &unprobed, &["nodes one ::1 weight 1 kept: serving"], 0);
}

#[test]
fn what_has_no_answer_is_said_and_found() {
    let (folder, _nodes) = scene("nothing");
    folder.write("zones/broken.test.toml", "[zone]\nns = [\"ns1 127.0.0.1\"]\n[service.a]\n");
    for (arguments, expected) in [
        (
            &["nothing.app.test", "--offline"][..],
            &["zone app.test", "name the name does not exist", "answer NXDOMAIN"][..],
        ),
        (
            &["geo.app.test", "--offline", "--type", "AAAA"],
            &[
                "state the service has no address of this family",
                "1. world * holds every client; cannot answer: it has no AAAA address",
                "answer NOERROR: the name has nothing of this type",
            ],
        ),
        (
            &["www.example.org", "--offline"],
            &["zone none that answers this", "answer REFUSED: Not Authoritative"],
        ),
        (
            &["a.broken.test", "--offline"],
            &["zone none that answers this", "answer SERVFAIL: the zone's files have errors"],
        ),
    ] {
        check(&folder, arguments, expected, 1);
    }
    let said = explain(&folder, &["a.broken.test", "--offline"]);
    assert!(said.err.contains("the service a.broken.test. has no nodes"), "{}", said.err);
}

#[test]
fn what_cannot_be_asked_says_why() {
    let (folder, _nodes) = scene("unasked");
    let no_server = ["geo.app.test", "--admin", "127.0.0.1:9"];
    check_fails(&folder, &no_server, "--offline reads the files instead");
    check_fails(&folder, &["geo.app.test", "--type", "ADDRESS"], "'ADDRESS'");
    check_fails(&folder, &["geo.app.test", "--client", "home"], "'home'");
    check_fails(&folder, &["geo.app.test", "--ecs", "192.0.2.1/24"], "bits are set beyond");
    check_fails(&folder, &["geo..test"], "'geo..test'");
    check_fails(&folder, &[], "<NAME>");
    folder.write("rota.toml", "[listen]\ndnz = 1\n");
    check_fails(&folder, &["geo.app.test", "--offline"], "the configuration has errors");
}

#[test]
fn a_server_explains_what_it_answers_now() {
    let (folder, nodes) = scene("online");
    let rota = Rota::start(&folder.0, &[]);
    let admin = rota.admin.to_string();
    let asked = |name: &'static str, rtype: &'static str| {
        [name, "--type", rtype, "--admin", &admin].map(String::from)
    };
    let told = |name, rtype| {
        let arguments = asked(name, rtype);
        let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        arguments.push("--json");
        let said = explain(&folder, &arguments);
        serde_json::from_str::<serde_json::Value>(&said.out).unwrap()
    };
    let mut client = Client::new(rota.dns);
    let mut compare = |name: &'static str| {
        let told = told(name, "A");
        let stages = told["stages"].as_array().unwrap();
        let service = stages.iter().find_map(|stage| stage.get("service")).unwrap();
        let picked: Vec<String> = serde_json::from_value(service["picked"].clone()).unwrap();
        let answered = client.ask(&format!("{name}."), RecordType::A);
        let answered: Vec<String> =
            answered.answers.iter().map(|record| record.data.to_string()).collect();
        assert_eq!(picked, answered, "{told:#}");
        let records: Vec<String> = serde_json::from_value(told["answer"].clone()).unwrap();
        let ends = records.iter().zip(&answered).all(|(record, address)| record.ends_with(address));
        assert!(ends && records.len() == answered.len(), "{told:#}");
        picked
    };
    // Nobody listens on ::1: that address alone is down, and the other family is whole.
    assert_eq!(compare("checked.app.test"), ["127.0.0.81", "127.0.0.82"]);
    assert_eq!(compare("geo.app.test"), ["203.0.113.21"]);
    assert_eq!(compare("split.app.test"), ["203.0.113.11"]);
    let is_left = || told("checked.app.test", "AAAA")["answer"] == serde_json::json!([]);
    wait_until("the broken family is given up", is_left);
    let arguments = asked("checked.app.test", "AAAA");
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    check(
        &folder,
        &arguments,
        &[
            "state nothing of this family serves: clients are left to the other one",
            "nodes one ::1 weight 1 dropped: down: connection refused",
            "answer NOERROR: the name has nothing of this type",
        ],
        1,
    );

    nodes[0].set(Mode::Unready);
    wait_until("the node is down", || {
        let told = told("checked.app.test", "A");
        told["answer"].as_array().unwrap().len() == 1
    });
    assert_eq!(compare("checked.app.test"), ["127.0.0.82"]);
    let arguments = asked("checked.app.test", "A");
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    check(
        &folder,
        &arguments,
        &[
            "nodes one 127.0.0.81 weight 1 dropped: down: status 503",
            "127-0-0-82 127.0.0.82 weight 1 kept: serving",
            "pick ordered: 1 of 1 kept: 127.0.0.82",
        ],
        0,
    );
    assert!(rota.stop().success());
    check_fails(&folder, &arguments, "a running server explains best");
}
