//! First steps, as somebody new takes them: `rota init`, `rota check`, `rota run`, a question.

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod common;

use std::process::{Command, Output, Stdio};

use common::{Client, Folder, Mode, Rota, nodes, wait_until};

/// Runs a verb in a folder, with nobody at a terminal.
fn rota(folder: &Folder, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rota"))
        .args(arguments)
        .current_dir(&folder.0)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// Runs a verb that must end with this code, and gives all it said.
fn said(folder: &Folder, arguments: &[&str], code: i32) -> String {
    let output = rota(folder, arguments);
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    text
}

#[test]
fn what_is_written_is_checked_served_and_taken_over() {
    let served = Folder::new("init-served");
    let members = nodes(&[[127, 0, 0, 61], [127, 0, 0, 62]]);
    let port = members[0].addr.port();
    let (check, twice) = (format!(":{port}/ready"), "127.0.0.62 x2");
    let by_flags = ["init", "app.test", "--ns", "ns1 127.0.0.1", "--node", "127.0.0.61"];
    let flags = [&by_flags[..], &["--node", twice, "--check", &check]].concat();
    let told = said(&served, &flags, 0);
    assert!(told.contains("wrote zones/app.test.toml"), "{told}");
    assert!(said(&served, &["check", "--strict"], 0).contains("1 zone, 1 service, 2 nodes"));

    served.write("rota.toml", "[listen]\ndns = [\"127.0.0.1:0\"]\nadmin = \"127.0.0.1:0\"\n");
    members[0].set(Mode::Unready);
    let server = Rota::start(&served.0, &[]);
    let mut client = Client::new(server.dns);
    wait_until("one is down", || client.addresses("app.test").len() == 1);

    // Somebody else takes the name over from what is answered now.
    let taken = Folder::new("init-taken");
    let at = format!("@{}", server.dns);
    let from = ["init", "--from", "dig", "app.test", &at, "--ns", "ns1 127.0.0.1"];
    said(&taken, &[&from[..], &["--check", "none"]].concat(), 0);
    let written = std::fs::read_to_string(taken.0.join("zones/app.test.toml")).unwrap();
    assert!(written.contains("nodes = [\"127.0.0.62\"]"), "{written}");
    said(&taken, &["check", "--strict"], 0);

    for (arguments, why) in [
        (&["init", "--from", "dig", "none.app.test", &at][..], "there is no none.app.test"),
        (&["init", "--from", "dig", "ns1.app.example.org", &at], "it says REFUSED"),
    ] {
        let told = said(&taken, arguments, 2);
        assert!(told.contains(why), "{told}");
    }
}

#[test]
fn nothing_is_written_over_unasked_and_nothing_is_guessed() {
    let folder = Folder::new("init-again");
    let all = ["init", "app.test", "--ns", "ns1 192.0.2.53", "--node", "192.0.2.11", "--check"];
    let all = |check: &'static str| [&all[..], &[check]].concat();
    said(&folder, &all("none"), 0);
    let told = said(&folder, &all(":80/"), 2);
    assert!(told.contains("zones/app.test.toml is there already"), "{told}");
    said(&folder, &[&all(":80/")[..], &["--force"]].concat(), 0);
    let printed = said(&folder, &[&all(":80/")[..], &["--stdout"]].concat(), 0);
    let written = std::fs::read_to_string(folder.0.join("zones/app.test.toml")).unwrap();
    assert_eq!(printed.trim(), written.trim());

    for (arguments, why) in [
        (
            &["init", "b.test"][..],
            "write --ns 'ns1 192.0.2.53' with this server's public address, --node",
        ),
        (&["init", "*.test"], "a wildcard cannot be delegated"),
        (
            &["init", "b.test", "--ns", "ns1", "--node", "192.0.2.1", "--check", "none"],
            "has no address",
        ),
        (&["init", "--from", "zonefile", "none.zone"], "cannot read none.zone"),
        (&["init", "b.test", "@127.0.0.1"], "@SERVER goes with --from dig"),
    ] {
        let told = said(&folder, arguments, 2);
        assert!(told.contains(why), "{told}");
    }
    assert!(!folder.0.join("zones/b.test.toml").exists());
}

#[test]
fn a_name_of_a_master_file_comes_with_what_stands_below_it() {
    let folder = Folder::new("init-file");
    folder.write(
        "example.org.zone",
        "$ORIGIN example.org.\n@ 300 SOA ns1 hostmaster 7 3600 600 86400 60\n@ 300 NS ns1\n@ 300 A 192.0.2.80\n\
         ns1 300 A 192.0.2.1\napp 300 A 192.0.2.11\napp 300 MX 10 mail.app\n\
         mail.app 300 A 192.0.2.25\n",
    );
    let from = ["init", "--from", "zonefile", "example.org.zone", "--check", "none"];
    let named = ["--name", "app.example.org", "--ns", "ns1 192.0.2.53"];
    said(&folder, &[&from[..], &named].concat(), 0);
    let master = std::fs::read_to_string(folder.0.join("zones/app.example.org.zone")).unwrap();
    assert!(master.contains("MX\t10 mail.app.example.org."), "{master}");
    said(&folder, &["check", "--strict"], 0);
    // The whole zone keeps its own SOA and NS.
    said(&folder, &from, 0);
    assert!(said(&folder, &["check", "--strict"], 0).contains("2 zones, 2 services, 2 nodes"));
}
