//! The answer log from outside: what was answered is written down, with names and without whole
//! addresses of clients, wherever the configuration says.

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use common::{Client, Folder, PATIENCE, Rota, wait_until};
use hickory_proto::rr::RecordType;
use serde_json::{Value, json};

const SERVER: &str = "[listen]\ndns = [\"127.0.0.1:0\"]\nadmin = \"127.0.0.1:0\"\nworkers = 1\n";
const ZONE: &str = "[zone]\nns = [\"ns1 127.0.0.1\"]\n[service.app]\nttl = \"7s\"\nsrv = { \"_x._tcp\" = 443 }\n\
    [service.app.pool.eu]\nplace = [\"*\"]\n\
    nodes = [{ name = \"n1\", address = [\"192.0.2.1\", \"2001:db8::1\"] }]\n";

fn folder(name: &str, log: &str) -> Folder {
    let folder = Folder::new(&format!("answers-{name}"));
    folder.write("rota.toml", &format!("{SERVER}[log]\n{log}\n"));
    folder.write("zones/lb.test.toml", ZONE);
    folder
}

fn lines(folder: &Folder, file: &str) -> Vec<Value> {
    let text = fs::read_to_string(folder.0.join(file)).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn reload(folder: &Folder) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rota"));
    assert!(command.arg("reload").current_dir(&folder.0).status().unwrap().success());
}

#[test]
fn every_answer_is_a_line_of_the_file_where_all_are_asked_for() {
    let folder = folder("file", "answers = \"1/1\"\nanswers_file = \"answers.jsonl\"");
    let rota = Rota::start(&folder.0, &["--seed", "7"]);
    let mut client = Client::new(rota.dns);
    client.ask("App.lb.test.", RecordType::A);
    client.ask("_x._tcp.app.lb.test.", RecordType::SRV);
    client.ask("app.lb.test.", RecordType::TXT);
    client.ask_stream(&["nobody.lb.test."], RecordType::A);
    client.ask("elsewhere.test.", RecordType::AAAA);
    wait_until("all are written", || lines(&folder, "answers.jsonl").len() == 5);
    let mut told = lines(&folder, "answers.jsonl");
    for line in &mut told {
        let line = line.as_object_mut().unwrap();
        assert!(line.remove("unix_ms").unwrap().as_u64().unwrap() > 1_600_000_000_000);
        assert!(line.remove("octets").unwrap().as_u64().unwrap() >= 12);
    }
    let answer = |name: &str, rtype: &str, rcode: &str, outcome: &str| {
        json!({
            "client": "127.0.0.0/24", "subnet": null, "transport": "udp", "name": name,
            "type": rtype, "service": null, "pool": null, "nodes": [], "addresses": 0,
            "ttl": null, "rcode": rcode, "outcome": outcome, "truncated": false,
        })
    };
    let with = |mut line: Value, more: Value| {
        let line = line.as_object_mut().unwrap();
        line.extend(more.as_object().unwrap().clone());
        Value::Object(line.clone())
    };
    let app = |addresses: u32| {
        json!({
            "service": "lb.test/app", "pool": "eu", "nodes": ["n1"], "addresses": addresses, "ttl": 7,
        })
    };
    let expected = [
        with(answer("App.lb.test.", "A", "NOERROR", "answered"), app(1)),
        with(answer("_x._tcp.app.lb.test.", "SRV", "NOERROR", "answered"), app(2)),
        answer("app.lb.test.", "TXT", "NOERROR", "no_data"),
        with(answer("nobody.lb.test.", "A", "NXDOMAIN", "nx_domain"), json!({"transport": "tcp"})),
        answer("elsewhere.test.", "AAAA", "REFUSED", "refused"),
    ];
    assert_eq!(told, expected);

    // A file that was moved away is begun anew, and so is one that a reload names.
    fs::rename(folder.0.join("answers.jsonl"), folder.0.join("old.jsonl")).unwrap();
    client.ask("app.lb.test.", RecordType::AAAA);
    wait_until("it is begun anew", || lines(&folder, "answers.jsonl").len() == 1);
    let other = "answers = \"1/1\"\nanswers_file = \"other.jsonl\"\nipv4_bits = 0";
    folder.write("rota.toml", &format!("{SERVER}[log]\n{other}\n"));
    reload(&folder);
    wait_until("the other file is there", || {
        client.ask("app.lb.test.", RecordType::AAAA);
        lines(&folder, "other.jsonl").first().is_some_and(|line| line["client"] == "0.0.0.0/0")
    });

    // And off again: not one more.
    folder.write("rota.toml", SERVER);
    reload(&folder);
    // What was noted before the reload may still have been on its way.
    client.ask("last.lb.test.", RecordType::A);
    let metrics = page(&rota, "/metrics");
    assert!(metrics.contains("rota_answer_samples_total{result=\"lost\"} 0"), "{metrics}");
    assert!(rota.stop().success());
    let all = lines(&folder, "other.jsonl");
    assert!(all.iter().all(|line| line["name"] != "last.lb.test."), "{all:?}");
}

#[test]
fn without_a_file_answers_are_lines_of_the_log_and_live_events() {
    let folder = folder("log", "answers = \"1/1\"");
    let mut rota = Rota::start(&folder.0, &["--seed", "7"]);
    let mut stream = TcpStream::connect(rota.admin).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!("GET /api/v1/answers HTTP/1.1\r\nhost: {}\r\n\r\n", rota.admin);
    stream.write_all(request.as_bytes()).unwrap();
    let mut live = BufReader::new(stream).lines().map(|line| line.unwrap());
    live.find(|line| line.is_empty()).unwrap();
    let mut client = Client::new(rota.dns);
    client.ask("app.lb.test.", RecordType::A);
    let line =
        rota.wait_for_log("the answer", |line| (line["message"] == "answer").then(|| line.clone()));
    let shown = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
    let keys = ["client", "name", "rtype", "service", "pool", "nodes", "rcode"];
    assert_eq!(
        keys.map(shown),
        ["127.0.0.0/24", "app.lb.test.", "A", "lb.test/app", "eu", "n1", "NOERROR"]
    );
    let event = live.find(|line| line.starts_with("data: ")).unwrap();
    let event: Value = serde_json::from_str(&event["data: ".len()..]).unwrap();
    assert_eq!((&event["nodes"], &event["ttl"]), (&json!(["n1"]), &json!(7)));
    assert!(rota.stop().success());
}

#[test]
fn the_verb_prints_answers_as_they_are_given() {
    let folder = folder("verb", "answers = \"1/1\"");
    let rota = Rota::start(&folder.0, &["--seed", "7"]);
    let begin = |line: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rota"));
        command.arg("answers").args(line.split(' ')).current_dir(&folder.0);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let verbs = ["APP.lb -n 2", "n1 --count 1 --json"].map(begin);
    // Until both listen, what is answered is not told them.
    let (mut client, done) = (Client::new(rota.dns), AtomicBool::new(false));
    let [lines, json] = thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Relaxed) {
                client.ask("other.lb.test.", RecordType::A);
                client.ask("app.lb.test.", RecordType::AAAA);
            }
        });
        let outputs = verbs.map(|verb| verb.wait_with_output().unwrap());
        done.store(true, Relaxed);
        outputs
    })
    .map(|output| {
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    });
    assert_eq!(lines.lines().count(), 2, "{lines}");
    for line in lines.lines() {
        let told = "127.0.0.0/24  udp  app.lb.test. AAAA  NOERROR  eu: n1  ttl 7";
        assert!(line.ends_with(told), "{line}");
    }
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["nodes"], &json["ttl"]), (&json!(["n1"]), &json!(7)));
    assert!(rota.stop().success());
}

#[test]
fn where_no_answers_are_noted_it_is_said_which_key_does() {
    let folder = folder("off", "");
    let rota = Rota::start(&folder.0, &["--seed", "7"]);
    let output = Command::new(env!("CARGO_BIN_EXE_rota"))
        .arg("answers")
        .current_dir(&folder.0)
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("no answers are noted"), "{told}");
    assert!(told.contains("answers = \"1/1000\" under [log] of rota.toml"), "{told}");
    assert!(rota.stop().success());
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_place() {
    for (log, expected) in [
        ("answers = \"1000\"", "\"1000\" is not a part of all answers"),
        ("answers = \"1/0\"", "is not a part of all answers"),
        ("answers = \"2/1000\"", "write \"1/1000\" for one in a thousand"),
        ("answers = 5", "`answers` takes"),
        ("answers = true\nanswers_file = \"\"", "`answers_file` is empty"),
        ("answers_file = \"a\"", "no answers are written to it"),
        ("answers = true\nipv4_bits = 33", "`ipv4_bits`"),
        ("answers = true\nquerylog = true", "has no key `querylog`"),
    ] {
        let folder = folder("wrong", log);
        let output = Command::new(env!("CARGO_BIN_EXE_rota"))
            .args(["check", "--strict"])
            .current_dir(&folder.0)
            .output()
            .unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert_eq!(output.status.code(), Some(1), "{log}\n{text}");
        assert!(text.contains(expected) && text.contains("rota.toml:"), "{log}\n{text}");
    }
}

/// The body of a page.
fn page(rota: &Rota, path: &str) -> String {
    let mut stream = TcpStream::connect(rota.admin).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!("GET {path} HTTP/1.0\r\nhost: {}\r\n\r\n", rota.admin);
    stream.write_all(request.as_bytes()).unwrap();
    std::io::read_to_string(stream).unwrap()
}
