//! Files change in all the ways that files are changed, and nobody tells the server.

use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::symlink;

use super::common::{Client, Folder, Rota, wait_until};
use super::mmdb::{Value, Writer};
use super::{folder, settings, zone};

/// Waits until `app.test` is at this address and no other.
#[track_caller]
fn arrives(client: &mut Client, address: &str) {
    let expected: Ipv4Addr = address.parse().unwrap();
    wait_until(address, || client.addresses("app.test.") == [expected]);
}

#[test]
fn a_saved_zone_is_served_however_editors_save() {
    let folder = folder("editors", &zone(&["192.0.2.1"]));
    let rota = Rota::start(&folder.0, &[]);
    let mut client = Client::new(rota.dns);
    arrives(&mut client, "192.0.2.1");
    // Over the old content.
    folder.write("zones/app.test.toml", &zone(&["192.0.2.2"]));
    arrives(&mut client, "192.0.2.2");
    // Beside it, and moved to its name.
    folder.write("zones/.app.test.toml.tmp", &zone(&["192.0.2.3"]));
    let file = folder.0.join("zones/app.test.toml");
    fs::rename(folder.0.join("zones/.app.test.toml.tmp"), &file).unwrap();
    arrives(&mut client, "192.0.2.3");
    // The old one moved away, as a backup, and another written.
    fs::rename(&file, folder.0.join("zones/app.test.toml~")).unwrap();
    folder.write("zones/app.test.toml", &zone(&["192.0.2.4"]));
    arrives(&mut client, "192.0.2.4");
    // The folder itself replaced.
    fs::create_dir(folder.0.join("zones.new")).unwrap();
    folder.write("zones.new/app.test.toml", &zone(&["192.0.2.5"]));
    fs::rename(folder.0.join("zones"), folder.0.join("zones.old")).unwrap();
    fs::rename(folder.0.join("zones.new"), folder.0.join("zones")).unwrap();
    arrives(&mut client, "192.0.2.5");
    folder.write("zones/app.test.toml", &zone(&["192.0.2.6"]));
    arrives(&mut client, "192.0.2.6");
    assert!(rota.stop().success());
}

#[test]
fn what_is_half_saved_changes_nothing_until_it_is_whole() {
    let folder = folder("half", &zone(&["192.0.2.1"]));
    let mut rota = Rota::start(&folder.0, &[]);
    let mut client = Client::new(rota.dns);
    let whole = zone(&["192.0.2.2"]);
    folder.write("zones/app.test.toml", &whole[..whole.len() - 3]);
    rota.wait_for_log("the mistake", |line| {
        (line["message"] == "the zone has errors: its old version stays in force").then_some(())
    });
    arrives(&mut client, "192.0.2.1");
    folder.write("rota.toml", "[lis");
    rota.wait_for_log("the refusal", |line| {
        (line["message"] == "reload refused: the old configuration stays in force").then_some(())
    });
    arrives(&mut client, "192.0.2.1");
    folder.write("rota.toml", &settings(2, ""));
    folder.write("zones/app.test.toml", &whole);
    arrives(&mut client, "192.0.2.2");
    assert!(rota.stop().success());
}

/// A folder as Kubernetes mounts a volume: every file is a link into `..data`, which is a link to
/// the version that holds.
fn mount(folder: &Folder, version: &str, address: &str) {
    let zones = folder.0.join("zones");
    fs::create_dir(zones.join(version)).unwrap();
    fs::write(zones.join(version).join("app.test.toml"), zone(&[address])).unwrap();
    symlink(version, zones.join("..data_tmp")).unwrap();
    fs::rename(zones.join("..data_tmp"), zones.join("..data")).unwrap();
}

#[test]
fn a_swapped_kubernetes_volume_is_served() {
    let folder = folder("volume", "");
    fs::remove_file(folder.0.join("zones/app.test.toml")).unwrap();
    symlink("..data/app.test.toml", folder.0.join("zones/app.test.toml")).unwrap();
    mount(&folder, "..1", "192.0.2.1");
    let rota = Rota::start(&folder.0, &[]);
    let mut client = Client::new(rota.dns);
    arrives(&mut client, "192.0.2.1");
    for (old, new, address) in [("..1", "..2", "192.0.2.2"), ("..2", "..3", "192.0.2.3")] {
        mount(&folder, new, address);
        fs::remove_dir_all(folder.0.join("zones").join(old)).unwrap();
        arrives(&mut client, address);
    }
    assert!(rota.stop().success());
}

#[test]
fn geo_files_and_what_zones_include_are_watched_too() {
    let folder = folder("beside", "");
    fs::remove_file(folder.0.join("zones/app.test.toml")).unwrap();
    let places = |country: &str| {
        let mut writer = Writer::new(6, 24);
        writer.say("127.0.0.0/8", &Value::Map(vec![("country_code", country.into())]));
        writer.finish()
    };
    fs::create_dir(folder.0.join("geo")).unwrap();
    fs::create_dir(folder.0.join("zones/hosts")).unwrap();
    fs::write(folder.0.join("geo/places.mmdb"), places("DE")).unwrap();
    folder.write("rota.toml", &settings(1, "[geo]\nfiles = [\"geo/places.mmdb\"]\n"));
    folder.write("zones/hosts/www", "www A 192.0.2.1\n");
    folder.write(
        "zones/app.test.zone",
        "$TTL 300\n@ SOA ns1 hostmaster 1 3600 600 86400 60\n@ NS ns1\nns1 A 127.0.0.1\n\
         $INCLUDE hosts/www\n",
    );
    folder.write(
        "zones/app.test.toml",
        "[service.\"@\"]\nsteer = \"geo\"\n\
         [service.\"@\".pool.de]\nplace = [\"DE\"]\nnodes = [\"192.0.2.11\"]\n\
         [service.\"@\".pool.all]\nplace = [\"*\"]\nnodes = [\"192.0.2.12\"]\n",
    );
    let mut rota = Rota::start(&folder.0, &[]);
    let mut client = Client::new(rota.dns);
    arrives(&mut client, "192.0.2.11");
    fs::write(folder.0.join("geo/new"), places("US")).unwrap();
    fs::rename(folder.0.join("geo/new"), folder.0.join("geo/places.mmdb")).unwrap();
    arrives(&mut client, "192.0.2.12");
    folder.write("zones/hosts/www", "www A 192.0.2.2\n");
    wait_until("what is included", || {
        client.addresses("www.app.test.") == [Ipv4Addr::new(192, 0, 2, 2)]
    });
    // One zone of one: what is read is what has changed.
    rota.wait_for_log("the reload", |line| (line["parsed"] == 1).then_some(()));
    assert!(rota.stop().success());
}

#[test]
fn without_watching_a_reload_takes_a_signal() {
    let folder = folder("unwatched", &zone(&["192.0.2.1"]));
    folder.write("rota.toml", &settings(1, "[reload]\nwatch = false\n"));
    let rota = Rota::start(&folder.0, &[]);
    let mut client = Client::new(rota.dns);
    folder.write("zones/app.test.toml", &zone(&["192.0.2.2"]));
    arrives(&mut client, "192.0.2.1");
    rota.signal("HUP");
    arrives(&mut client, "192.0.2.2");
    assert_eq!(rota.logged("reloaded"), 1);
    assert!(rota.stop().success());
}
