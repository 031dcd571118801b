//! What a folder of zones says does not depend on how many read it.

use std::fs;

use super::super::crew::Crew;
use super::super::load::reload_by;
use super::super::{Loaded, Readings};
use super::*;

const MASTER: &str = "$TTL 60\n@ SOA ns1 host 1 7200 900 1209600 60\n@ NS ns1\nns1 A 192.0.2.53\n";

/// Many zones, and among them each kind of mistake that is told without a place or with one.
fn files() -> Vec<(String, Vec<u8>)> {
    let mut files = vec![("rota.toml".to_owned(), b"[dns]\nudp_size = 4096\n".to_vec())];
    for at in 0..150 {
        let (name, text) = match at % 10 {
            0 => (format!("z{at}.test.zone"), "@ NS ns1\nns1 A 192.0.2.53\n".to_owned()),
            1 => (format!("z{at}.test.zone"), format!("{MASTER}www A 192.0.2\n")),
            2 => (format!("z{at}.test.toml"), "[zone]\nns = [\"ns1 192.0.2.53\"]\n".to_owned()),
            3 => (format!("z{at}.test.zone"), format!("{MASTER}$INCLUDE no-such-file\n")),
            4 => (format!("z{at}.test.tolm"), String::new()),
            _ => (format!("z{at}.test.zone"), format!("{MASTER}www A 192.0.2.{at}\n")),
        };
        files.push((format!("zones/{name}"), text.into_bytes()));
    }
    files.push(("zones/binary.test.zone".to_owned(), vec![b'\n', 0xff]));
    files.push(("zones/Z5.test.zone".to_owned(), MASTER.into()));
    files
}

fn apex(zone: &Authored) -> Name {
    match zone {
        Authored::Good(model) => model.records.apex.clone(),
        Authored::Broken(apex) => apex.clone(),
    }
}

#[test]
fn what_is_read_does_not_depend_on_how_many_read_it() {
    let home = std::env::temp_dir().join(format!("rota-crew-{}", std::process::id()));
    fs::create_dir_all(home.join("zones")).unwrap();
    for (path, content) in files() {
        fs::write(home.join(path), content).unwrap();
    }
    let config = home.join("rota.toml");
    let load = |crew| -> (Loaded, usize) {
        let mut readings = Readings::default();
        let loaded = reload_by(Crew::of(crew), Some(&config), &mut readings);
        let again = reload_by(Crew::of(crew), Some(&config), &mut readings);
        assert_eq!(loaded, again);
        assert!(!readings.is_news());
        (loaded, readings.parsed())
    };
    let alone = load(1);
    assert_eq!(alone.0.zones.len(), 15 * 9 + 1);
    // Zones are in canonical order, and what is wrong with whole files is in that of their paths.
    assert!(alone.0.zones.is_sorted_by_key(apex));
    let unplaced = alone.0.diagnostics.iter().filter(|one| one.place.is_none());
    let unplaced: Vec<&str> = unplaced.map(|one| one.message.as_str()).collect();
    assert_eq!(unplaced.len(), 15 + 2, "{unplaced:#?}");
    assert!(unplaced[0].ends_with("binary.test.zone: line 2 is not UTF-8"), "{unplaced:#?}");
    assert!(unplaced[16].ends_with("z94.test.tolm is not read"), "{unplaced:#?}");
    for crew in [2, 3, 8] {
        assert_eq!(load(crew), alone, "{crew}");
    }
    fs::remove_dir_all(&home).unwrap();
}
