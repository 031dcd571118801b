//! What an operator does to a running server, from outside: the built binary is told by the built
//! binary, and DNS shows what came of it. What was said must hold over any end of the process, and
//! whoever may say nothing must change nothing.

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod common;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;

use common::operator::{status, told, verb};
use common::{Client, Folder, Mode, PATIENCE, Rota, nodes, wait_until};
use serde_json::Value;

const NAME: &str = "app.lb.test.";
/// `rota.toml` that listens where nobody else does.
const SERVER: &str = "[listen]\ndns = [\"127.0.0.1:0\"]\nadmin = \"127.0.0.1:0\"\nworkers = 1\n";
const ZONE: &str = "[zone]\nns = [\"ns1 127.0.0.1\"]\n\
    [service.app]\nnodes = [{ name = \"n1\", address = \"192.0.2.1\", weight = 2 }, \
    { name = \"n2\", address = \"192.0.2.2\" }, { name = \"n3\", address = \"192.0.2.3\" }]\n";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn folder(name: &str, server: &str) -> Folder {
    let folder = Folder::new(&format!("control-{name}"));
    folder.write("rota.toml", server);
    folder.write("zones/lb.test.toml", ZONE);
    folder
}

fn start(folder: &Folder) -> Rota {
    Rota::start(&folder.0, &["--seed", "7"])
}

/// The last octets of the addresses that are answered, in order of numbers.
fn answered(client: &mut Client) -> Vec<u8> {
    let mut found: Vec<u8> =
        client.addresses(NAME).iter().map(|address: &Ipv4Addr| address.octets()[3]).collect();
    found.sort_unstable();
    found
}

/// One raw request over TCP: the response code and the body.
fn http(rota: &Rota, head: &str, headers: &str, body: &str) -> (u16, String) {
    http_by_name(rota, &rota.admin.to_string(), head, headers, body)
}

/// The same, by a name that the client knows the listener by.
fn http_by_name(rota: &Rota, host: &str, head: &str, headers: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(rota.admin).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let len = body.len();
    let request = format!(
        "{head} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {len}\r\n\
         {headers}\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    let code = response.split(' ').nth(1).unwrap_or_default().parse().unwrap_or_default();
    (code, response.split_once("\r\n\r\n").unwrap_or_default().1.to_owned())
}

const JSON: &str = "content-type: application/json\r\n";

#[test]
fn what_is_drained_leaves_the_answers_and_returns() {
    let folder = folder("drain", SERVER);
    let mut rota = start(&folder);
    let mut client = Client::new(rota.dns);
    assert_eq!(answered(&mut client), [1, 2, 3]);

    let said = told(&folder, "drain n1 --reason kernel~update", 0);
    assert_eq!(said, "lb.test/app/n1: drain (1 node), until it is lifted\n");
    assert_eq!(answered(&mut client), [2, 3]);
    let audit = rota.wait_for_log("the audit", |line| {
        (line["message"] == "override given").then(|| line.clone())
    });
    assert_eq!((&audit["author"], &audit["scope"]), (&"ada".into(), &"lb.test/app/n1".into()));
    assert_eq!((&audit["reason"], &audit["says"]), (&"kernel update".into(), &"drain".into()));
    assert!(audit["source"].as_str().unwrap().contains("unix socket, uid "), "{audit}");

    // Both what checks say (nothing) and what holds, with its author.
    let status = status(&folder);
    let address = &status["services"][0]["pools"][0]["nodes"][0]["addresses"][0];
    assert_eq!(
        (&address["real"], &address["effective"]),
        (&"unchecked".into(), &"draining".into())
    );
    assert_eq!(
        (&address["answering"], &status["overrides"][0]["author"]),
        (&false.into(), &"ada".into())
    );
    let board = told(&folder, "status", 0);
    assert!(board.contains("◐ draining (unchecked) #1"), "{board}");
    assert!(board.contains("#1  lb.test/app/n1  drain  by ada"), "{board}");
    assert!(board.contains("kernel update"), "{board}");

    let explained = told(&folder, "explain app.lb.test", 0);
    let why = "dropped: draining: ada said drain (kernel update)";
    assert!(explained.contains(why), "{explained}");

    // All are drained: they are answered rather than nothing, and an operator's down never is.
    told(&folder, "drain app", 0);
    assert_eq!(answered(&mut client), [1, 2, 3]);
    assert!(told(&folder, "status", 1).contains("what is draining answers"));
    told(&folder, "down 192.0.2.2", 0);
    assert_eq!(answered(&mut client), [1, 3]);

    let lifted = told(&folder, "undrain app", 0);
    assert!(lifted.contains("lb.test/app/n1: drain of ada (kernel update) is lifted"), "{lifted}");
    assert_eq!(answered(&mut client), [1, 3]);
    told(&folder, "auto n*", 0);
    assert_eq!(answered(&mut client), [1, 2, 3]);
    assert!(told(&folder, "undrain app", 1).contains("nothing there is drained"));
    assert!(rota.stop().success());
}

#[test]
fn a_narrower_word_holds_and_is_told() {
    let folder = folder("narrow", SERVER);
    let rota = start(&folder);
    let mut client = Client::new(rota.dns);
    told(&folder, "up n1", 0);
    let said = told(&folder, "down app", 0);
    assert!(said.contains("but lb.test/app/n1: up of ada holds still (lb.test/app/n1)"), "{said}");
    assert_eq!(answered(&mut client), [1]);
    assert!(rota.stop().success());
}

#[test]
fn weights_are_changed_and_restored() {
    let folder = folder("weight", SERVER);
    let rota = start(&folder);
    let mut client = Client::new(rota.dns);
    told(&folder, "weight n2 n3 0", 0);
    assert_eq!(answered(&mut client), [1]);
    assert!(told(&folder, "status", 0).contains("1→0"));
    let explained = told(&folder, "explain app.lb.test", 0);
    assert!(explained.contains("weight 0"), "{explained}");
    told(&folder, "auto app", 0);
    assert_eq!(answered(&mut client), [1, 2, 3]);
    assert!(rota.stop().success());
}

#[test]
fn what_was_said_holds_over_a_restart() {
    let folder = folder("restart", SERVER);
    let rota = start(&folder);
    told(&folder, "down n1 --reason broken~disk", 0);
    assert!(rota.stop().success());
    let rota = start(&folder);
    let mut client = Client::new(rota.dns);
    assert_eq!(answered(&mut client), [2, 3]);
    assert!(rota.stop().success());

    // What the configuration has no more is shown as such, and is back with the node.
    folder.write("zones/lb.test.toml", &ZONE.replace("\"n1\"", "\"old1\""));
    let rota = start(&folder);
    let mut client = Client::new(rota.dns);
    assert_eq!(answered(&mut client), [1, 2, 3]);
    assert!(told(&folder, "status", 0).contains("matches nothing"));
    folder.write("zones/lb.test.toml", ZONE);
    assert_eq!(told(&folder, "reload", 0), "reloaded\n");
    assert_eq!(answered(&mut client), [2, 3]);
    told(&folder, "auto n1", 0);
    assert_eq!(answered(&mut client), [1, 2, 3]);
    assert!(rota.stop().success());
}

#[test]
fn a_word_with_a_time_ends() {
    let folder = folder("expiry", SERVER);
    let mut rota = start(&folder);
    let mut client = Client::new(rota.dns);
    told(&folder, "down n1 --for 2s", 0);
    assert_eq!(answered(&mut client), [2, 3]);
    wait_until("the time is over", || answered(&mut client) == [1, 2, 3]);
    rota.wait_for_log("the end", |line| (line["message"] == "override expired").then_some(()));
    wait_until("nothing is said", || status(&folder)["overrides"] == Value::Array(Vec::new()));
    assert!(rota.stop().success());
}

#[test]
fn what_cannot_be_meant_is_refused_with_what_was() {
    let folder = folder("unknown", SERVER);
    let rota = start(&folder);
    for (line, expected) in [
        ("drain aap", "no service, pool or node is called \"aap\"\n      did you mean app?"),
        ("down lb.test/app/n11", "did you mean lb.test/app/n1?"),
        ("drain n1 ap", "did you mean app?"),
        ("drain x*", "no node matches \"x*\""),
        ("shift app eu=90 us=10", "lb.test/app is not split between its pools"),
        ("shift n1 eu=90 us=10", "lb.test/app/n1 is not a service"),
        ("drain n1 --for 2years", "`for_seconds` must be 1 to"),
        ("drain n1 --reason a\nb", "`reason` must be one line"),
        ("drain", "required"),
        ("weight n1 heavy", "invalid value 'heavy'"),
        ("drain n1 --admin 127.0.0.1:1", "no server at 127.0.0.1:1 (Connection refused"),
        ("drain n1 --admin here", "write an address and port"),
    ] {
        let said = told(&folder, line, 2);
        assert!(said.contains(expected), "rota {line}\n{said}");
    }
    // All or nothing: the first name was right.
    assert_eq!(answered(&mut Client::new(rota.dns)), [1, 2, 3]);
    assert!(rota.stop().success());
}

#[test]
fn a_reload_says_what_is_wrong_and_keeps_what_serves() {
    let folder = folder("reload", SERVER);
    let rota = start(&folder);
    let mut client = Client::new(rota.dns);
    folder.write("zones/lb.test.toml", &ZONE.replace("weight", "wieght"));
    let said = told(&folder, "reload", 1);
    assert!(said.contains("did you mean `weight`?"), "{said}");
    assert!(said.contains("lb.test has errors: its old version stays in force"), "{said}");
    assert_eq!(answered(&mut client), [1, 2, 3]);
    folder.write("rota.toml", "listn = 1\n");
    // The configuration cannot tell where the server is any more, but the operator can.
    assert!(told(&folder, "reload", 2).contains("the configuration has errors"));
    let said = told(&folder, "reload --admin state/rota.sock", 1);
    assert!(said.ends_with("refused: the old configuration stays in force\n"), "{said}");
    assert_eq!(answered(&mut client), [1, 2, 3]);
    assert!(rota.stop().success());
}

#[test]
fn without_the_token_nothing_changes() {
    let folder = folder("token", &format!("{SERVER}[admin]\ntoken_file = \"token\"\n"));
    folder.write("token", &format!("{TOKEN}\n"));
    folder.write("wrong", "fedcba9876543210");
    let rota = start(&folder);
    let mut client = Client::new(rota.dns);
    let form = r#"{"scopes": ["n1"], "set": "down"}"#;
    let bearer = |token: &str| format!("{JSON}authorization: Bearer {token}\r\n");
    for (headers, expected) in [
        (JSON.to_owned(), 401),
        (bearer("wrong"), 401),
        (bearer(&TOKEN[1..]), 401),
        (format!("authorization: Bearer {TOKEN}\r\ncontent-type: text/plain\r\n"), 415),
        (format!("{}origin: http://evil.test\r\n", bearer(TOKEN)), 403),
    ] {
        for (head, body) in [("POST /api/v1/overrides", form), ("POST /api/v1/reload", "")] {
            let (code, said) = http(&rota, head, &headers, body);
            assert_eq!(code, expected, "{head} {headers} {said}");
        }
        assert_eq!(answered(&mut client), [1, 2, 3]);
    }
    let at = rota.admin;
    let said = told(&folder, &format!("down n1 --admin {at}"), 2);
    assert!(said.contains("changes need the header authorization"), "{said}");
    told(&folder, &format!("down n1 --admin {at} --token-file wrong"), 2);
    assert_eq!(answered(&mut client), [1, 2, 3]);

    assert_eq!(http(&rota, "POST /api/v1/overrides", &bearer(TOKEN), form).0, 200);
    assert_eq!(answered(&mut client), [2, 3]);
    assert_eq!(http(&rota, "DELETE /api/v1/overrides/1", "", "").0, 401);
    assert_eq!(http(&rota, "DELETE /api/v1/overrides/1", &bearer(TOKEN), "").0, 200);
    assert_eq!(http(&rota, "DELETE /api/v1/overrides/1", &bearer(TOKEN), "").0, 404);
    told(&folder, &format!("down n2 --admin {at} --token-file token"), 0);
    // The socket's file says who may: no token there.
    told(&folder, "down n3", 0);
    assert_eq!(answered(&mut client), [1]);
    // Looking needs none.
    assert_eq!(http(&rota, "GET /api/v1/status", "", "").0, 200);
    let service = http(&rota, "GET /api/v1/services/lb.test/app", "", "");
    assert!(service.0 == 200 && service.1.contains("\"owner\":\"app.lb.test\""), "{service:?}");
    let node = http(&rota, "GET /api/v1/nodes/lb.test/app/n2", "", "");
    assert!(node.0 == 200 && node.1.contains("\"checks\":[]"), "{node:?}");
    assert_eq!(http(&rota, "GET /api/v1/nodes/lb.test/app/n9", "", "").0, 404);
    assert!(rota.stop().success());
}

#[test]
fn a_page_of_another_site_neither_looks_nor_changes() {
    let folder = folder("pages", SERVER);
    let rota = start(&folder);
    let form = r#"{"scopes": ["n1"], "set": "down"}"#;
    // A name that points at this machine now: the browser takes it for the page's own site.
    let rebound = format!("evil.test:{}", rota.admin.port());
    for head in ["GET /api/v1/status", "POST /api/v1/overrides", "GET /api/v1/events"] {
        assert_eq!(http_by_name(&rota, &rebound, head, JSON, form).0, 403, "{head}");
    }
    // A form that is posted here from elsewhere.
    for headers in ["content-type: text/plain\r\n", ""] {
        assert_eq!(http(&rota, "POST /api/v1/overrides", headers, form).0, 415);
    }
    let elsewhere = format!("{JSON}origin: http://evil.test\r\n");
    assert_eq!(http(&rota, "POST /api/v1/overrides", &elsewhere, form).0, 403);
    assert_eq!(answered(&mut Client::new(rota.dns)), [1, 2, 3]);
    // Without a token the machine itself may.
    assert_eq!(http(&rota, "POST /api/v1/overrides", JSON, form).0, 200);
    assert_eq!(answered(&mut Client::new(rota.dns)), [2, 3]);
    assert!(rota.stop().success());
}

#[test]
fn bodies_without_end_and_without_sense_are_refused() {
    let folder = folder("bodies", SERVER);
    let rota = start(&folder);
    let post = |body: &str| http(&rota, "POST /api/v1/overrides", JSON, body);
    for body in
        ["", "{", "[]", "{\"scopes\": [\"n1\"]}", "{\"scopes\": [\"n1\"], \"set\": \"gone\"}"]
    {
        assert_eq!(post(body).0, 400, "{body}");
    }
    let (code, said) = post(r#"{"scopes": ["n1"], "set": "down", "for": 60}"#);
    assert!(code == 400 && said.contains("unknown field `for`"), "{said}");
    assert_eq!(post(r#"{"scopes": [], "set": "down"}"#).0, 400);

    // A gigabyte is announced: nobody waits for it, and it is cut off long before its end.
    let mut stream = TcpStream::connect(rota.admin).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    let admin = rota.admin;
    let head = format!(
        "POST /api/v1/overrides HTTP/1.1\r\nhost: {admin}\r\n{JSON}content-length: {}\r\n\r\n",
        1 << 30
    );
    stream.write_all(head.as_bytes()).unwrap();
    let block = vec![b' '; 64 * 1024];
    let sent = (0..1 << 14).take_while(|_| stream.write_all(&block).is_ok()).count();
    assert!(sent < 1 << 10, "{sent} blocks were taken");
    let mut response = Vec::new();
    // What was sent behind the refusal may have reset the connection.
    drop(stream.read_to_end(&mut response));
    let response = String::from_utf8_lossy(&response);
    assert!(response.is_empty() || response.starts_with("HTTP/1.1 413 "), "{response}");
    assert_eq!(answered(&mut Client::new(rota.dns)), [1, 2, 3]);
    assert!(rota.stop().success());
}

#[test]
fn what_cannot_be_written_down_is_not_done() {
    let folder = folder("full", SERVER);
    let mut rota = start(&folder);
    let mut client = Client::new(rota.dns);
    told(&folder, "down n1", 0);
    // A disk that is full for this file alone.
    std::os::unix::fs::symlink("/dev/full", folder.0.join("state/overrides.json.new")).unwrap();
    let said = told(&folder, "down n2", 2);
    assert!(said.contains("No space left on device"), "{said}");
    assert!(said.contains("nothing is changed"), "{said}");
    assert_eq!(answered(&mut client), [2, 3]);
    rota.wait_for_log("the refusal", |line| {
        (line["message"] == "a change of overrides is refused").then_some(())
    });
    std::fs::remove_file(folder.0.join("state/overrides.json.new")).unwrap();
    told(&folder, "down n2", 0);
    assert_eq!(answered(&mut client), [3]);
    assert!(rota.stop().success());

    // A state folder that is none: what serves serves, what must last is refused.
    std::fs::remove_dir_all(folder.0.join("state")).unwrap();
    folder.write("state", "a file");
    let rota = start(&folder);
    assert_eq!(answered(&mut Client::new(rota.dns)), [1, 2, 3]);
    let said = told(&folder, &format!("down n2 --admin {}", rota.admin), 2);
    assert!(said.contains("nothing is changed"), "{said}");
    assert!(rota.stop().success());
}

#[test]
fn a_state_file_that_is_not_understood_is_kept_and_told() {
    let folder = folder("aside", SERVER);
    std::fs::create_dir_all(folder.0.join("state")).unwrap();
    let newer = "{\"version\": 2, \"orders\": []}";
    for (number, text) in [(1, newer), (2, "{\"version\": 1, \"orders\": [{\"id\"")] {
        folder.write("state/overrides.json", text);
        let mut rota = start(&folder);
        let name = format!("overrides.json.unread-{number}");
        rota.wait_for_log("the name that it is kept under", |line| {
            let message = line["message"].as_str().unwrap_or_default();
            (line["level"] == "ERROR" && message.contains(&name)).then_some(())
        });
        assert_eq!(std::fs::read_to_string(folder.0.join("state").join(&name)).unwrap(), text);
        assert!(told(&folder, "status", 1).contains(&name));
        // The server works, and writes a file of its own.
        told(&folder, "down n1", 0);
        assert_eq!(answered(&mut Client::new(rota.dns)), [2, 3]);
        assert!(rota.stop().success());
    }
}

#[test]
fn whatever_was_acknowledged_holds_after_a_kill() {
    let folder = folder("kill", SERVER);
    let words = ["down n1", "auto n1", "drain n2 --reason xxxxxxxxxxxxxxxxxxxxxxxx", "undrain n2"];
    let mut expected = (false, false);
    for round in 0..8_usize {
        let rota = start(&folder);
        let socket = folder.0.join("state/rota.sock");
        // Changes follow each other as fast as they go, until the process is gone.
        let changes = std::thread::spawn(move || {
            let mut acknowledged = Vec::new();
            for at in 0.. {
                let (scope, set) =
                    [("n1", "down"), ("n1", "auto"), ("n2", "drain"), ("n2", "undrain")][at % 4];
                match change(&socket, scope, set) {
                    Some(()) => acknowledged.push(at % 4),
                    None => return (acknowledged, at % 4),
                }
            }
            unreachable!("the process is killed")
        });
        std::thread::sleep(std::time::Duration::from_millis(40 + 13 * round as u64));
        rota.signal("KILL");
        drop(rota);
        let (acknowledged, last) = changes.join().unwrap();
        let apply = |(down, drained): (bool, bool), at: usize| match at {
            0 => (true, drained),
            1 => (false, drained),
            2 => (down, true),
            _ => (down, false),
        };
        expected = acknowledged.iter().copied().fold(expected, apply);
        // The one that was not acknowledged holds, or does not.
        let either = [expected, apply(expected, last)];
        let rota = start(&folder);
        let overrides = status(&folder)["overrides"].clone();
        let said = |word: &str| overrides.as_array().unwrap().iter().any(|one| one["says"] == word);
        let found = (said("down"), said("drain"));
        assert!(either.contains(&found), "round {round}: {words:?} {acknowledged:?}: {overrides}");
        expected = found;
        rota.signal("KILL");
    }
}

/// One change over the Unix socket; none where it was not acknowledged.
fn change(socket: &Path, scope: &str, set: &str) -> Option<()> {
    let mut stream = UnixStream::connect(socket).ok()?;
    let body = format!("{{\"scopes\": [\"{scope}\"], \"set\": \"{set}\"}}");
    let len = body.len();
    write!(
        stream,
        "POST /api/v1/overrides HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{JSON}\
         content-length: {len}\r\n\r\n{body}"
    )
    .ok()?;
    let mut response = String::new();
    stream.read_to_string(&mut response).ok()?;
    response.starts_with("HTTP/1.1 200 ").then_some(())
}

/// A disk that hangs: the file that is written beside the real one is a pipe that nobody reads yet.
#[test]
fn a_disk_that_hangs_keeps_a_change_waiting_and_nothing_else() {
    let folder = folder("hangs", SERVER);
    let all = nodes(&[[127, 1, 66, 1], [127, 1, 66, 2]]);
    let port = all[0].addr.port();
    folder.write(
        "zones/live.test.toml",
        &format!(
            "[zone]\nns = [\"ns1 127.0.0.1\"]\n[service.\"@\"]\n\
             check = {{ http = \":{port}/ready\", every = \"1s\", fails = 2, passes = 1 }}\n\
             nodes = [\"127.1.66.1\", \"127.1.66.2\"]\n"
        ),
    );
    let rota = start(&folder);
    let mut client = Client::new(rota.dns);
    told(&folder, "down n3", 0);
    let pipe = folder.0.join("state/overrides.json.new");
    let other_end = folder.0.join("state/pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    std::fs::hard_link(&pipe, &other_end).unwrap();

    let say = |line: &'static str| {
        let folder = folder.0.clone();
        std::thread::spawn(move || verb(&folder, line))
    };
    let first = say("down n1");
    // Verdicts, plans, answers, questions and what others report go on meanwhile.
    all[1].set(Mode::Unready);
    wait_until("the dead node leaves", || client.addresses("live.test.").len() == 1);
    told(&folder, "report n2 --from proxy --failed --count 9", 0);
    assert_eq!(answered(&mut client), [1]);
    all[1].set(Mode::Ready);
    wait_until("it returns", || client.addresses("live.test.").len() == 2);
    let second = say("down app");
    assert_eq!(status(&folder)["overrides"].as_array().unwrap().len(), 1);
    assert!(!first.is_finished(), "it is not written, and not acknowledged");

    // The pipe is read: it takes what is written, and cannot be synced. Behind it is a file again.
    std::fs::remove_file(&pipe).unwrap();
    let read = std::fs::read(&other_end);
    assert!(!read.unwrap().is_empty());
    let first = first.join().unwrap();
    let why = String::from_utf8(first.stderr).unwrap();
    assert!(why.contains("overrides.json cannot be written"), "{why}");
    assert_eq!(first.status.code(), Some(2));
    let second = second.join().unwrap();
    assert_eq!(second.status.code(), Some(0));
    assert_eq!(answered(&mut client), [] as [u8; 0]);
    let said = status(&folder)["overrides"].as_array().unwrap().len();
    assert_eq!(said, 2);
    assert!(rota.stop().success());
}

#[test]
fn a_disk_that_hangs_does_not_keep_the_process() {
    let folder = folder("hangs-stop", SERVER);
    let rota = start(&folder);
    wait_until("statuses are kept", || folder.0.join("state/statuses.json").exists());
    let pipe = folder.0.join("state/statuses.json.new");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert!(rota.stop().success());
}

#[test]
fn events_are_told_as_they_happen() {
    let folder = folder("events", SERVER);
    let rota = start(&folder);
    let mut stream = UnixStream::connect(folder.0.join("state/rota.sock")).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"GET /api/v1/events HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut seen = String::new();
    let mut read_until = |wanted: &str| {
        let mut buffer = [0; 4096];
        while !seen.contains(wanted) {
            let len = stream.read(&mut buffer).unwrap();
            assert_ne!(len, 0, "no {wanted:?} in {seen}");
            seen.push_str(&String::from_utf8_lossy(&buffer[..len]));
        }
    };
    read_until("text/event-stream");
    told(&folder, "down app", 0);
    read_until("event: override\ndata: {\"event\":\"override\",\"change\":\"given\"");
    read_until("event: tier\n");
    told(&folder, "reload", 0);
    read_until("event: published\n");
    // A stop does not wait for those who listen.
    assert!(rota.stop().success());
    assert!(!folder.0.join("state/rota.sock").exists());
}

#[test]
fn verbs_describe_themselves_to_shells_and_man() {
    let folder = folder("manual", SERVER);
    for shell in ["bash", "zsh", "fish"] {
        assert!(told(&folder, &format!("completions {shell}"), 0).contains("undrain"), "{shell}");
    }
    told(&folder, "man pages", 0);
    let page = std::fs::read_to_string(folder.0.join("pages/rota-drain.1")).unwrap();
    assert!(page.contains("Take nodes out of the answers"), "{page}");
}
