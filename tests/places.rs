//! Clients are sent where they are, from outside: the built binary, mmdb files that the test writes,
//! and a client on 127.0.0.1, which a file may say is anywhere.

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod common;
#[path = "common/mmdb.rs"]
mod mmdb;

use std::fs;
use std::net::Ipv4Addr;
use std::process::Command;

use common::{Client, Folder, Rota, wait_until};
use mmdb::{Value, Writer};

const EUROPE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const AMERICA: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
const BY_COUNTRY: &str = "country.app.test.";
const BY_NETWORK: &str = "network.app.test.";

/// A file in which all of loopback is in one country.
fn loopback_in(country: &str) -> Vec<u8> {
    let mut writer = Writer::new(6, 24);
    writer.say("127.0.0.0/8", &Value::Map(vec![("country_code", country.into())]));
    writer.finish()
}

/// A file that knows who announces loopback, and no countries.
fn loopback_of(number: u32) -> Vec<u8> {
    let mut writer = Writer::new(6, 24);
    let announced = ("autonomous_system_number", Value::U32(number));
    writer.say("127.0.0.0/8", &Value::Map(vec![announced]));
    writer.finish()
}

/// A service with a pool in Europe, for these places, and one in America, for those.
fn service(name: &str, europe: &str, america: &str) -> String {
    format!(
        "[service.{name}]\nsteer = \"geo\"\n\
         [service.{name}.pool.europe]\nplace = [{europe}]\nnodes = [\"{EUROPE}\"]\n\
         [service.{name}.pool.america]\nplace = [{america}]\nnodes = [\"{AMERICA}\"]\n"
    )
}

/// Two services for clients in `country`, by the file and by the operator's own network.
fn zone(country: &str) -> String {
    let by_country = service("country", &format!("\"{country}\""), "\"*\"");
    let by_network = service("network", "\"DE\"", "\"127.0.0.0/8\", \"*\"");
    format!("[zone]\nns = [\"ns1 127.0.0.1\"]\n{by_country}{by_network}")
}

fn folder(name: &str, file: &[u8]) -> Folder {
    let folder = Folder::new(name);
    let local = "\"127.0.0.1:0\"";
    let listen = format!("[listen]\ndns = [{local}]\nadmin = {local}\nworkers = 1\n");
    folder.write("rota.toml", &format!("{listen}[geo]\nfiles = [\"places.mmdb\"]\n"));
    folder.write("zones/app.test.toml", &zone("DE"));
    put(&folder, file);
    folder
}

fn put(folder: &Folder, file: &[u8]) {
    fs::write(folder.0.join("places.mmdb"), file).unwrap();
}

/// Waits for a line with this text in its message.
fn told(rota: &mut Rota, text: &str) {
    let holds = |line: &serde_json::Value| line["message"].as_str()?.contains(text).then_some(());
    rota.wait_for_log(text, holds);
}

#[test]
fn a_reload_takes_new_geo_files_and_keeps_the_old_where_they_are_broken() {
    let folder = folder("places", &loopback_in("DE"));
    let mut rota = Rota::start(&folder.0, &[]);
    let read = rota.wait_for_log("what was read", |line| {
        (line["message"] == "geo files read").then(|| line["known"].as_str().map(String::from))?
    });
    assert_eq!(read, "continents, countries");
    let mut client = Client::new(rota.dns);
    let mut found = |name| client.addresses(name);
    assert_eq!(found(BY_COUNTRY), [EUROPE]);
    // The operator's network is narrower than any country.
    assert_eq!(found(BY_NETWORK), [AMERICA]);

    put(&folder, &loopback_in("US"));
    rota.signal("HUP");
    wait_until("loopback has moved", || found(BY_COUNTRY) == [AMERICA]);
    assert_eq!(found(BY_NETWORK), [AMERICA]);

    put(&folder, b"no file of places");
    folder.write("zones/app.test.toml", &zone("US"));
    rota.signal("HUP");
    told(&mut rota, "places.mmdb is not an mmdb file");
    told(&mut rota, "reload refused: the old configuration stays in force");
    assert_eq!(found(BY_COUNTRY), [AMERICA]);

    // With a file that is right again the zone of meanwhile is taken too.
    put(&folder, &loopback_in("US"));
    rota.signal("HUP");
    wait_until("the new zone answers", || found(BY_COUNTRY) == [EUROPE]);
    // It says what the file before said: it has not been read as a new one.
    assert_eq!(rota.logged("geo files read"), 2);
    assert!(rota.stop().success());
}

#[test]
fn files_that_lack_what_a_zone_asks_do_not_move_its_clients() {
    let folder = folder("places-less", &loopback_in("US"));
    let mut rota = Rota::start(&folder.0, &[]);
    let mut client = Client::new(rota.dns);
    assert_eq!(client.addresses(BY_COUNTRY), [AMERICA]);
    put(&folder, &loopback_of(64_500));
    rota.signal("HUP");
    told(&mut rota, "know AS numbers, but no countries");
    told(&mut rota, "the geo files know less than before: what they said stays in force");
    // The watch may have seen the file by itself, too.
    wait_until("a reload has ended", || rota.logged("reloaded") > 0);
    assert_eq!(client.addresses(BY_COUNTRY), [AMERICA]);

    // A zone that asks for what there is now is served with it.
    folder.write("zones/app.test.toml", &zone("AS64500").replace("\"DE\"", "\"AS1\""));
    rota.signal("HUP");
    wait_until("the new zone answers", || client.addresses(BY_COUNTRY) == [EUROPE]);
    assert!(rota.stop().success());
}

#[test]
fn a_broken_geo_file_stops_the_start() {
    let folder = folder("places-broken", b"no file of places");
    for (verb, code) in [("check", 1), ("run", 2)] {
        let mut rota = Command::new(env!("CARGO_BIN_EXE_rota"));
        let ended = rota.arg(verb).current_dir(&folder.0).output().unwrap();
        let said = String::from_utf8([ended.stdout, ended.stderr].concat()).unwrap();
        assert!(said.contains("places.mmdb is not an mmdb file"), "{said}");
        assert!(said.contains("help: give a MaxMind DB (.mmdb) file"), "{said}");
        assert_eq!(ended.status.code(), Some(code), "{said}");
    }
}
