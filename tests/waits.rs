//! `--wait` from outside: resolvers ask, a node is taken out, and the verb returns when they have
//! forgotten it: not before their TTLs have run, and not without saying what it waited for.

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]
#![allow(clippy::disallowed_methods, reason = "the outside of the program has a clock")]

mod common;

use std::net::{Ipv4Addr, UdpSocket};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use common::{Client, Folder, PATIENCE, Rota, wait_until};
use hickory_proto::rr::RecordType;
use serde_json::Value;

const NAME: &str = "app.lb.test.";
const SERVER: &str = "[listen]\ndns = [\"127.0.0.1:0\"]\nadmin = \"127.0.0.1:0\"\nworkers = 2\n\
    idle_time = \"1s\"\n";
const ZONE: &str = "[zone]\nns = [\"ns1 127.0.0.1\"]\n[service.app]\nttl = \"TTLs\"\n\
    nodes = [{ name = \"n1\", address = \"192.0.2.1\" }, \
    { name = \"n2\", address = [\"192.0.2.2\", \"2001:db8::2\"] }]\n";

fn folder(name: &str, ttl: u32) -> Folder {
    let folder = Folder::new(&format!("waits-{name}"));
    folder.write("rota.toml", SERVER);
    folder.write("zones/lb.test.toml", &ZONE.replace("TTL", &ttl.to_string()));
    // As if a process before had answered with this TTL at most, so that it is over at once.
    std::fs::create_dir_all(folder.0.join("state")).unwrap();
    folder.write("state/answers.json", "{\"version\": 1, \"longest_ttl\": 0}");
    folder
}

fn start(folder: &Folder) -> Rota {
    Rota::start(&folder.0, &["--seed", "7"])
}

fn command(folder: &Folder, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rota"));
    command.args(line.split(' ')).current_dir(&folder.0).env("USER", "ada");
    command
}

fn begin(folder: &Folder, line: &str) -> Child {
    command(folder, line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[track_caller]
fn told(output: Output, code: i32) -> String {
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{text}");
    text
}

fn status(folder: &Folder) -> Value {
    serde_json::from_slice(&command(folder, "status --json").output().unwrap().stdout).unwrap()
}

/// What resolvers hold of a node that has left the answers.
fn cached(folder: &Folder, node: usize) -> Value {
    status(folder)["services"][0]["pools"][0]["nodes"][node]["cached"].clone()
}

/// Asks once from each of these addresses.
fn ask(rota: &Rota, froms: impl Iterator<Item = u8>) {
    let mut client = Client::new(rota.dns);
    for last in froms {
        let socket = UdpSocket::bind((Ipv4Addr::new(127, 0, 1, last), 0)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let (question, _) = client.question(NAME, RecordType::A);
        socket.send_to(&question, rota.dns).unwrap();
        socket.recv_from(&mut [0; 1500]).unwrap();
    }
}

#[test]
fn a_drain_returns_when_resolvers_have_forgotten_and_not_before() {
    let folder = folder("drain", 3);
    let mut rota = start(&folder);
    // What may be held of the process before is over.
    wait_until("the past is over", || {
        let detail: Value =
            serde_json::from_str(&get(&rota, "/api/v1/nodes/lb.test/app/n1")).unwrap();
        detail["cached"]["unknown_seconds"] == 0
    });
    ask(&rota, 1..=20);
    // The same ones again, over another port: they count once.
    ask(&rota, 1..=20);
    let asked = Instant::now();
    let waiting = begin(&folder, "drain n1 --wait=100");
    wait_until("it is drained", || cached(&folder, 0).is_object());
    let held = cached(&folder, 0);
    assert_eq!(held["resolvers"], 20, "{held}");
    assert!(held["gone_in_seconds"].as_u64().unwrap() <= 5, "{held}");
    assert!(cached(&folder, 1).is_null(), "it answers");
    let board = told(command(&folder, "status").output().unwrap(), 0);
    assert!(board.contains("cached by about 20 resolvers, gone in "), "{board}");

    // The curve falls from what is held to nothing.
    let detail: Value = serde_json::from_str(&get(&rota, "/api/v1/nodes/lb.test/app/n1")).unwrap();
    let curve: Vec<u64> = detail["curve"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["resolvers"].as_u64().unwrap())
        .collect();
    assert!(curve.is_sorted_by(|one, next| one >= next) && curve.last() == Some(&0), "{curve:?}");

    let said = told(waiting.wait_with_output().unwrap(), 0);
    assert!(asked.elapsed() >= Duration::from_secs(3), "sooner than the TTL: {said}");
    assert!(said.contains("waiting: lb.test/app/n1: held by about 20 resolvers"), "{said}");
    assert!(said.contains("lb.test/app/n1: drained after "), "{said}");
    assert!(said.contains("; about 20 resolvers held it"), "{said}");
    assert!(said.contains("not seen: resolvers that stretch TTLs"), "{said}");
    let drained = rota.wait_for_log("the end", |line| {
        (line["message"] == "drained: no resolver holds it").then(|| line.clone())
    });
    assert_eq!((&drained["node"], &drained["resolvers"]), (&"lb.test/app/n1".into(), &20.into()));
    assert_eq!(cached(&folder, 0)["gone_in_seconds"], 0);
    assert!(rota.stop().success());
}

#[test]
fn what_is_not_forgotten_in_time_is_told_as_such() {
    let folder = folder("timeout", 300);
    let rota = start(&folder);
    ask(&rota, 1..=3);
    let said = told(command(&folder, "down n1 --wait --timeout 1ms").output().unwrap(), 1);
    assert!(said.contains("lb.test/app/n1: not drained after 0s; held by about 3"), "{said}");

    // Nothing else stands: it is answered on, and no time helps.
    let said = told(command(&folder, "drain app --wait --timeout 1ms").output().unwrap(), 1);
    assert!(said.contains("lb.test/app/n2: not drained after 0s; it is answered still"), "{said}");
    let said = told(command(&folder, "weight n2 3 --wait").output().unwrap(), 2);
    assert!(said.contains("only weight 0 takes nodes out"), "{said}");
    let said = told(command(&folder, "drain n1 --timeout 5s").output().unwrap(), 2);
    assert!(said.contains("--wait"), "{said}");
    let said = told(command(&folder, "drain n1 --wait=101").output().unwrap(), 2);
    assert!(said.contains("write a part in percent"), "{said}");

    let json = command(&folder, "down n1 --wait --timeout 1ms --json").output().unwrap();
    let json: Value = serde_json::from_str(&told(json, 1)).unwrap();
    assert_eq!((&json["drained"], &json["nodes"][0]["answering"]), (&false.into(), &false.into()));
    assert_eq!(json["nodes"][0]["cached"]["resolvers"], 3, "{json}");
    assert!(rota.stop().success());
}

#[test]
fn nobody_asked_and_nobody_is_waited_for() {
    let folder = folder("idle", 300);
    let rota = start(&folder);
    wait_until("the past is over", || {
        let said = command(&folder, "drain n1 --wait --timeout 1ms").output().unwrap();
        said.status.code() == Some(0)
    });
    // What n2 has been given meanwhile does not matter to n1.
    ask(&rota, 1..=3);
    told(command(&folder, "drain n1 --wait --timeout 1m").output().unwrap(), 0);
    assert!(rota.stop().success());
}

#[test]
fn after_a_restart_what_was_answered_before_is_waited_for() {
    let folder = folder("restart", 300);
    let rota = start(&folder);
    ask(&rota, 1..=3);
    let kept = folder.0.join("state/answers.json");
    wait_until("the next process is told", || {
        std::fs::read_to_string(&kept).unwrap().contains("300")
    });
    assert!(rota.stop().success());
    // The configuration has shorter TTLs now, which takes nothing back.
    folder.write("zones/lb.test.toml", &ZONE.replace("TTL", "1"));
    let rota = start(&folder);
    let said = told(command(&folder, "drain n1 --wait --timeout 1ms").output().unwrap(), 1);
    assert!(said.contains("the process before may have answered with it"), "{said}");
    let unknown = cached(&folder, 0)["unknown_seconds"].as_u64().unwrap();
    assert!((270..=303).contains(&unknown), "{unknown}");
    let board = told(command(&folder, "status").output().unwrap(), 0);
    assert!(board.contains("may be cached since before the start"), "{board}");
    assert!(rota.stop().success());
}

/// The body of a page.
fn get(rota: &Rota, path: &str) -> String {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(rota.admin).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!("GET {path} HTTP/1.0\r\nhost: {}\r\n\r\n", rota.admin);
    stream.write_all(request.as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response.split_once("\r\n\r\n").unwrap_or_default().1.to_owned()
}
