//! One process takes the place of another, again and again, while clients ask all the time.

use std::fs;
use std::os::unix::net::UnixStream;
use std::process::Command;

use super::common::operator::{status, told};
use super::common::{Client, Folder, Mode, Rota, nodes, wait_until};
use super::load::{Clients, Version};
use super::{folder, settings, zone};

const REPLACEMENTS: usize = 20;

/// Starts another process that replaces the running one, and waits until it has.
fn replace(folder: &Folder, old: Rota) -> Rota {
    let mut new = Rota::start(&folder.0, &["--replace"]);
    let pid = old.pid();
    new.wait_for_log("the word that the old one may go", |line| {
        let took = line["message"] == "took the place of the running process";
        (took && line["pid"] == pid).then_some(())
    });
    assert_eq!((new.dns, new.admin), (old.dns, old.admin), "the same sockets");
    assert!(old.ended().success());
    new
}

#[test]
fn twenty_replacements_lose_no_query_and_keep_statuses() {
    let folder = folder("replace", &Version::Old.zone());
    // Connections that stay are let go after this time.
    folder.write("rota.toml", &settings(2, "idle_time = \"1s\"\n"));
    let nodes = nodes(&[[127, 1, 41, 1], [127, 1, 41, 2]]);
    let port = nodes[0].addr.port();
    nodes[1].set(Mode::Unready);
    folder.write(
        "zones/checked.test.toml",
        &format!(
            "[zone]\nns = [\"ns1 127.0.0.1\"]\n[service.\"@\"]\n\
             check = {{ http = \":{port}/ready\", every = \"1s\", fails = 2, passes = 100 }}\n\
             nodes = [\"127.1.41.1\", \"127.1.41.2\"]\n"
        ),
    );
    let mut rota = Rota::start(&folder.0, &[]);
    wait_until("the node that is unready leaves", || {
        Client::new(rota.dns).addresses("checked.test.").len() == 1
    });
    // A status that did not come over would be decided by the next verdict alone.
    nodes[1].set(Mode::Ready);
    let clients = Clients::start(rota.dns, 4, 2, 2);
    for round in 0..REPLACEMENTS {
        // As many workers as before, then fewer, then more.
        let listen = settings([2, 1, 3][round % 3], "idle_time = \"1s\"\n");
        folder.write("rota.toml", &format!("{listen}[reload]\nwatch = false\n"));
        // What comes over is what the old one knows, not what it has written down.
        drop(fs::remove_file(folder.0.join("state/statuses.json")));
        rota = replace(&folder, rota);
        UnixStream::connect(folder.0.join("state/rota.sock")).expect("the socket is the new one's");
        for _ in 0..8 {
            let found = Client::new(rota.dns).addresses("checked.test.");
            assert_eq!(found.len(), 1, "round {round}: statuses are carried");
        }
    }
    assert!(clients.finish() > 0);
    // The last one stops as any other does, and nobody can be replaced any more.
    assert!(rota.stop().success());
    assert!(!folder.0.join("state/handover.sock").exists());
}

#[test]
fn what_the_old_process_is_told_while_the_new_one_starts_holds() {
    let folder = folder("replace-told", &zone(&["192.0.2.1", "192.0.2.2"]));
    let mut old = Rota::start(&folder.0, &[]);
    told(&folder, "drain 192.0.2.1", 0);
    // The new one has a target that nobody knows yet, and waits for its first verdict.
    let slow = nodes(&[[127, 1, 43, 1]]);
    slow[0].set(Mode::Hang);
    folder.write(
        "zones/slow.test.toml",
        &format!(
            "[zone]\nns = [\"ns1 127.0.0.1\"]\n[service.\"@\"]\n\
             check = {{ http = \":{}/ready\", every = \"9s\", timeout = \"4s\" }}\n\
             nodes = [\"127.1.43.1\"]\n",
            slow[0].addr.port()
        ),
    );
    let starting = {
        let folder = folder.0.clone();
        std::thread::spawn(move || Rota::start(&folder, &["--replace"]))
    };
    old.wait_for_log("the new one's knock", |line| {
        (line["message"] == "handing over to another process").then_some(())
    });
    wait_until("the new one probes", || slow[0].probes() > 0);
    // The socket is the old one's until it goes.
    told(&folder, "down 192.0.2.2 --reason late", 0);
    told(&folder, "undrain 192.0.2.1", 0);
    let mut new = starting.join().unwrap();
    let took_over = "overrides taken over that were given last";
    new.wait_for_log("what was said last", |line| (line["message"] == took_over).then_some(()));
    assert!(old.ended().success());
    let found = Client::new(new.dns).addresses("app.test.");
    assert_eq!(found, [[192, 0, 2, 1]].map(std::net::Ipv4Addr::from));
    assert_eq!(status(&folder)["overrides"].as_array().unwrap().len(), 1);
    told(&folder, "auto 192.0.2.2", 0);
    assert_eq!(Client::new(new.dns).addresses("app.test.").len(), 2);
    assert!(new.stop().success());
}

#[test]
fn without_a_running_process_a_replacement_is_a_start() {
    let folder = folder("replace-none", &zone(&["192.0.2.1"]));
    let mut rota = Rota::start(&folder.0, &["--replace"]);
    rota.wait_for_log("the line that says so", |line| {
        let text = "no process runs with this state folder: starting afresh";
        (line["message"] == text).then_some(())
    });
    assert_eq!(Client::new(rota.dns).addresses("app.test.").len(), 1);
    assert!(rota.stop().success());
}

#[test]
fn a_successor_that_cannot_start_changes_nothing() {
    let folder = folder("replace-broken", &zone(&["192.0.2.1"]));
    let mut old = Rota::start(&folder.0, &[]);
    // Its own address is one that no machine has.
    folder.write(
        "other.toml",
        "[listen]\ndns = [\"127.0.0.1:0\", \"192.0.2.1:53\"]\nadmin = \"127.0.0.1:0\"\n",
    );
    let mut new = Command::new(env!("CARGO_BIN_EXE_rota"));
    let ended = new.args(["-c", "other.toml", "run", "--replace"]).current_dir(&folder.0).output();
    let ended = ended.unwrap();
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(said.contains("this machine has no such address"), "{said}");
    assert_eq!(ended.status.code(), Some(2), "{said}");
    old.wait_for_log("that nobody took over", |line| {
        (line["message"] == "the other process does not serve").then_some(())
    });
    assert_eq!(Client::new(old.dns).addresses("app.test.").len(), 1);
    let new = replace(&folder, old);
    assert!(new.stop().success());
}
