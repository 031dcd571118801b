//! A reload parses what has changed and nothing else, whatever a zone is made of.

use std::fs;
use std::sync::Arc;

use rota::config::{Loaded, Readings, reload};
use rota::snapshot::{Authored, ZoneModel};

use super::{Folder, SMALL};

const MASTER: &[u8] = b"$TTL 300\n@ SOA ns1 hostmaster 1 3600 600 86400 60\n@ NS ns1\n\
                        ns1 A 192.0.2.53\n$INCLUDE hosts.txt\n";

/// A folder of three zones, one of which includes a file, and what is known of it.
struct Place {
    folder: Folder,
    readings: Readings,
    before: Vec<Arc<ZoneModel>>,
}

impl Place {
    fn new(name: &str) -> Self {
        let files: &[(&str, &[u8])] = &[
            ("rota.toml", b""),
            ("zones/a.test.toml", SMALL),
            ("zones/b.test.toml", SMALL),
            ("zones/c.test.zone", MASTER),
            ("zones/hosts.txt", b"www A 192.0.2.1\n"),
        ];
        let mut place = Self {
            folder: Folder::new(name, files),
            readings: Readings::default(),
            before: Vec::new(),
        };
        place.check(3, &[]);
        place
    }

    fn write(&self, path: &str, text: &[u8]) {
        fs::write(self.folder.0.join(path), text).unwrap();
    }

    fn load(&mut self) -> Loaded {
        reload(Some(&self.folder.0.join("rota.toml")), &mut self.readings)
    }

    /// Reads all again: so many zones are parsed, and these, by their place, are the same values.
    #[track_caller]
    fn check(&mut self, parsed: usize, same: &[usize]) -> Loaded {
        let loaded = self.load();
        assert_eq!(self.readings.parsed(), parsed, "{:#?}", loaded.diagnostics);
        let models = loaded.zones.iter().filter_map(|zone| match zone {
            Authored::Good(model) => Some(Arc::clone(model)),
            Authored::Broken(_) => None,
        });
        let models: Vec<_> = models.collect();
        for &at in same {
            assert!(Arc::ptr_eq(&self.before[at], &models[at]), "zone {at}");
        }
        self.before = models;
        loaded
    }
}

#[test]
fn what_did_not_change_is_not_parsed_again() {
    let mut place = Place::new("readings");
    assert!(place.readings.is_news());
    place.check(0, &[0, 1, 2]);
    assert!(!place.readings.is_news());
    // Written again with the same content.
    place.write("zones/a.test.toml", SMALL);
    place.check(0, &[0, 1, 2]);
    assert!(!place.readings.is_news());
    place.write("zones/b.test.toml", &[SMALL, b"# more\n"].concat());
    place.check(1, &[0, 2]);
    assert!(place.readings.is_news());
    fs::remove_file(place.folder.0.join("zones/c.test.zone")).unwrap();
    place.check(0, &[0, 1]);
    assert!(place.readings.is_news());
}

#[test]
fn a_zone_is_more_than_its_own_files() {
    let mut place = Place::new("readings-includes");
    assert_eq!(place.readings.named().collect::<Vec<_>>(), ["hosts.txt"]);
    place.write("zones/hosts.txt", b"www A 192.0.2.2\n");
    place.check(1, &[0, 1]);
    fs::remove_file(place.folder.0.join("zones/hosts.txt")).unwrap();
    place.check(1, &[0, 1]);
    // It is still missing, and that is told again.
    let told = place.check(0, &[0, 1]).diagnostics;
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(!place.readings.is_news());
    place.write("zones/hosts.txt", b"www A 192.0.2.2\n");
    place.check(1, &[0, 1]);
}

#[test]
fn other_settings_are_news_and_other_places_are_judged_anew() {
    let mut place = Place::new("readings-server");
    place.write("rota.toml", b"[dns]\nudp_size = 4096\n");
    place.check(0, &[0, 1, 2]);
    assert!(place.readings.is_news());
    place.write("rota.toml", b"[dns]\nudp_size = 1\n");
    place.load();
    place.write("rota.toml", b"");
    place.check(3, &[]);
    assert!(place.readings.is_news());
    // A file that is none is told once as news.
    place.write("zones/d..test.toml", b"");
    place.check(0, &[0, 1, 2]);
    assert!(place.readings.is_news());
    place.check(0, &[0, 1, 2]);
    assert!(!place.readings.is_news());
}
