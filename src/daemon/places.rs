//! Where a change to the configuration would show: folders, and the names in them that count.
//!
//! Folders are watched rather than files, because a file that is saved is often another file: an
//! editor writes a new one and moves it to the old one's name, and a watch on the old one sees
//! nothing any more. Links are followed, and each link on the way counts too. Kubernetes mounts a
//! volume like this, and changes it by putting another `..data` in the place of the old one:
//!
//! ```text
//!   zones/app.test.toml  ──►  ..data/app.test.toml
//!   zones/..data         ──►  ..2026_11_20_17_50/        all of it new, then this link moves
//! ```
//!
//! So do those who keep releases side by side and move a link `current`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::config::{Readings, Server, is_zone_file};

/// As many links on one path as Linux follows.
const LINKS_MAX: usize = 40;

/// Folders, and what counts in each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Places(BTreeMap<PathBuf, Interest>);

/// What counts in a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Interest {
    /// Every name of a zone's file, but for what editors keep beside them. What zones name has
    /// names of its own; so a file of states may change as often as it likes.
    zones: bool,
    names: BTreeSet<OsString>,
}

impl Places {
    /// Where what was read would change: `rota.toml`, the folder of zones, the geo files,
    /// certificates, and what zones name.
    pub(super) fn of(config: &Path, server: &Server, readings: &Readings) -> Self {
        let mut places = Self::default();
        places.file(config);
        places.folder(&server.zones);
        server.geo.iter().for_each(|file| places.file(file));
        for files in &server.tls.certificates {
            places.file(&files.cert);
            places.file(&files.key);
        }
        readings.links().iter().for_each(|file| places.file(file));
        readings.named().for_each(|named| places.file(&server.zones.join(named)));
        places
    }

    /// All folders.
    pub(super) fn folders(&self) -> impl Iterator<Item = &Path> {
        self.0.keys().map(PathBuf::as_path)
    }

    /// Whether something that happened to this name can change what is read.
    pub(super) fn concern(&self, folder: &Path, name: &OsStr) -> bool {
        let of = |interest: &Interest| {
            interest.names.contains(name)
                || interest.zones && is_zone_file(name) && !is_passing(name)
        };
        self.0.get(folder).is_some_and(of)
    }

    fn folder(&mut self, path: &Path) {
        if let Some(folder) = self.follow(path) {
            self.0.entry(folder).or_default().zones = true;
        }
    }

    fn file(&mut self, path: &Path) {
        self.follow(path);
    }

    /// Notes the path's own name and every link on the way to it; gives what it comes to. Where a
    /// folder on the way is missing, its coming is what counts.
    fn follow(&mut self, path: &Path) -> Option<PathBuf> {
        let path = std::path::absolute(path).ok()?;
        let mut links = 0;
        let mut at = PathBuf::new();
        let mut ahead = parts(&path);
        while let Some(part) = ahead.pop_front() {
            let next = at.join(&part);
            if part == ".." {
                at.pop();
            } else if let Ok(target) = fs::read_link(&next) {
                self.note(&at, part);
                links += 1;
                if links > LINKS_MAX {
                    return None;
                }
                for part in parts(&target).into_iter().rev() {
                    ahead.push_front(part);
                }
            } else if ahead.is_empty() || !next.exists() {
                // The root has no name in a folder.
                if next.file_name().is_some() {
                    self.note(&at, part);
                }
                return ahead.is_empty().then_some(next);
            } else {
                at = next;
            }
        }
        Some(at)
    }

    fn note(&mut self, folder: &Path, name: OsString) {
        self.0.entry(folder.to_owned()).or_default().names.insert(name);
    }
}

/// The parts of a path; `join`ing an absolute one's first part begins again at the root.
fn parts(path: &Path) -> VecDeque<OsString> {
    let counts = |part: &Component<'_>| !matches!(part, Component::CurDir);
    path.components().filter(counts).map(|part| part.as_os_str().to_owned()).collect()
}

/// What editors keep beside their files, and is never read.
fn is_passing(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(b".") || name.starts_with(b"#") || name.ends_with(b"~")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// What is noted of paths below a folder that looks like this, from that folder on.
    #[track_caller]
    fn check(name: &str, links: &[(&str, &str)], file: &str, expected: &[&str]) {
        let home = std::env::temp_dir().join(format!("rota-places-{}-{name}", std::process::id()));
        fs::create_dir_all(home.join("real/zones")).unwrap();
        for (target, link) in links {
            symlink(target, home.join(link)).unwrap();
        }
        let mut places = Places::default();
        let root = home.canonicalize().unwrap();
        places.file(&root.join(file));
        let mut noted = Vec::new();
        for (folder, interest) in &places.0 {
            let Ok(folder) = folder.strip_prefix(&root) else { continue };
            noted.extend(interest.names.iter().map(|name| folder.join(name)));
        }
        fs::remove_dir_all(&home).unwrap();
        assert_eq!(noted, expected.iter().map(PathBuf::from).collect::<Vec<_>>(), "{file}");
    }

    #[test]
    fn every_link_on_the_way_counts() {
        check("plain", &[], "rota.toml", &["rota.toml"]);
        check("deep", &[], "real/zones/a.toml", &["real/zones/a.toml"]);
        check("missing", &[], "none/zones/a.toml", &["none"]);
        let mount = [("real", "..data"), ("..data/a.toml", "a.toml")];
        check("mount", &mount, "a.toml", &["..data", "a.toml", "real/a.toml"]);
        let release = [("real", "current")];
        check("release", &release, "current/zones/a", &["current", "real/zones/a"]);
        check("up", &[("../real", "real/up")], "real/up/b", &["real/b", "real/up"]);
        check("round", &[("b", "a"), ("a", "b")], "a", &["a", "b"]);
    }

    #[test]
    fn what_editors_leave_beside_is_no_concern() {
        let mut places = Places::default();
        let folder = Path::new("/zones");
        places.0.insert(folder.to_owned(), Interest { zones: true, names: BTreeSet::new() });
        places.note(folder, OsString::from("..data"));
        for (name, expected) in [
            ("a.toml", true),
            ("b.zone", true),
            ("hosts.txt", false),
            ("eu.states", false),
            ("..data", true),
            (".a.toml.swp", false),
            ("..2026", false),
            ("a.toml~", false),
            ("#a.toml#", false),
        ] {
            assert_eq!(places.concern(folder, OsStr::new(name)), expected, "{name}");
        }
        assert!(!places.concern(Path::new("/elsewhere"), OsStr::new("a.toml")));
    }
}
