//! Overrides that outlive the process: `overrides.json` in the state folder.
//!
//! An operator who took a node down must find it down after any crash, so a change is written
//! before it holds: beside the file, synced, moved over it, and the folder synced. A crash at any
//! octet leaves the old file or the new one.
//!
//! A file that cannot be understood (cut, or written by a newer version) holds somebody's orders
//! still. It is never written over: it is moved aside under a name that the log says, and where
//! even that fails every change is refused, rather than the file lost.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::steer::{Order, Overrides};

/// The file's form.
const VERSION: u32 = 1;
/// Files that may be kept aside: by then somebody should have looked.
const ASIDE_MAX: u32 = 1000;

/// The file, open for changes.
#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
    /// Why nothing may be written.
    barred: Option<String>,
}

/// Why a change could not be kept.
#[derive(Debug)]
pub(super) struct Unkept {
    path: PathBuf,
    why: String,
}

impl std::fmt::Display for Unkept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} cannot be written: {}", self.path.display(), self.why)
    }
}

#[derive(Deserialize)]
struct Stamp {
    version: u32,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    version: u32,
    newest: u64,
    orders: Vec<Order>,
}

impl Store {
    /// Reads what was kept. Whatever is wrong with it is told in words, and stops nothing.
    pub(super) fn open(folder: PathBuf) -> (Self, Overrides, Option<String>) {
        let path = path_in(&folder);
        let store = |barred| Self { folder: folder.clone(), barred };
        let why = match fs::read(&path) {
            Ok(octets) => match parse(&octets) {
                Ok(overrides) => return (store(None), overrides, None),
                Err(why) => why,
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return (store(None), Overrides::default(), None);
            }
            Err(error) => error.to_string(),
        };
        let (barred, outcome) = match set_aside(&path) {
            Ok(aside) => (None, format!("it is kept as {}", aside.display())),
            Err(error) => {
                let barred = format!("it could not be read ({why}), nor moved aside ({error})");
                let outcome = format!("it cannot be moved aside ({error}): changes are refused");
                (Some(barred), outcome)
            }
        };
        let notice =
            format!("no override is in force: {} cannot be read: {why}; {outcome}", path.display());
        (store(barred), Overrides::default(), Some(notice))
    }

    /// Where the file is.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes all of them, whole or not at all; they last from then on. Blocks.
    pub(super) fn save(&self, overrides: &Overrides) -> Result<(), Unkept> {
        let path = path_in(&self.folder);
        if let Some(barred) = &self.barred {
            return Err(Unkept { path, why: barred.clone() });
        }
        replace(&self.folder, &path, &render(overrides))
            .map_err(|error| Unkept { path, why: error.to_string() })
    }
}

fn path_in(folder: &Path) -> PathBuf {
    folder.join("overrides.json")
}

fn beside(path: &Path) -> PathBuf {
    path.with_extension("json.new")
}

fn replace(folder: &Path, path: &Path, text: &str) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let new = beside(path);
    let mut file = File::create(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    // From here on the change holds. A folder that cannot be synced may lose it to a power cut,
    // which is worth a line, but no reason to say that nothing was changed.
    if let Err(error) = File::open(folder).and_then(|folder| folder.sync_all()) {
        tracing::warn!(folder = %folder.display(), %error, "the folder cannot be synced");
    }
    Ok(())
}

/// Moves the file to a name that nothing has.
fn set_aside(path: &Path) -> io::Result<PathBuf> {
    for number in 1..=ASIDE_MAX {
        let aside = path.with_extension(format!("json.unread-{number}"));
        if !fs::exists(&aside)? {
            fs::rename(path, &aside)?;
            return Ok(aside);
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "too many files were moved aside before"))
}

fn parse(octets: &[u8]) -> Result<Overrides, String> {
    let stamp: Stamp = serde_json::from_slice(octets).map_err(|error| error.to_string())?;
    if stamp.version != VERSION {
        return Err(format!("it has the form {}, and this version knows {VERSION}", stamp.version));
    }
    let kept: Kept = serde_json::from_slice(octets).map_err(|error| error.to_string())?;
    Ok(Overrides::new(kept.orders, kept.newest))
}

fn render(overrides: &Overrides) -> String {
    let kept =
        Kept { version: VERSION, newest: overrides.newest(), orders: overrides.orders().to_vec() };
    serde_json::to_string_pretty(&kept).expect("text keys and plain values are always JSON")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steer::Override;
    use crate::steer::overrides::{Scope, What};

    /// A folder that goes when the test ends.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path =
                std::env::temp_dir().join(format!("rota-kept-{}-{name}", std::process::id()));
            drop(fs::remove_dir_all(&path));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    fn down(node: &str) -> Order {
        let (scope, what) = (Scope::Named(node.to_owned()), What::Force(Override::Down));
        let (reason, author) = (Some("a \"reason\"\n".to_owned()), "ada".to_owned());
        Order { id: 0, scope, what, reason, author, since: 100, until: Some(u64::MAX) }
    }

    fn downs(nodes: &[&str]) -> Overrides {
        let mut overrides = Overrides::default();
        for node in nodes {
            overrides.give(down(node)).unwrap();
        }
        overrides
    }

    #[test]
    fn a_crash_at_any_octet_leaves_the_old_or_the_new() {
        let folder = Folder::new("crash");
        let (store, none, notice) = Store::open(folder.0.clone());
        assert_eq!((none, notice), (Overrides::default(), None));
        let (old, new) = (downs(&["a/b/c"]), downs(&["a/b/c", "a/b/d"]));
        store.save(&old).unwrap();
        let text = render(&new);
        for cut in 0..=text.len() {
            fs::write(beside(&path_in(&folder.0)), &text[..cut]).unwrap();
            let (store, found, notice) = Store::open(folder.0.clone());
            assert_eq!((found, notice), (old.clone(), None), "cut at {cut}");
            if cut % 50 == 0 {
                // What a crash left beside the file is in nobody's way.
                store.save(&old).unwrap();
            }
        }
        store.save(&new).unwrap();
        assert_eq!(Store::open(folder.0.clone()).1, new);
    }

    #[test]
    fn what_cannot_be_understood_is_kept_aside() {
        let text = render(&downs(&["a/b/c"]));
        let newer = text.replace("\"version\": 1", "\"version\": 2");
        let cuts = (0..text.len()).map(|cut| text[..cut].to_owned());
        let folder = Folder::new("aside");
        for (at, text) in cuts.chain([newer]).enumerate() {
            fs::write(path_in(&folder.0), &text).unwrap();
            let (store, found, notice) = Store::open(folder.0.clone());
            let name = format!("overrides.json.unread-{}", at + 1);
            assert_eq!(found, Overrides::default());
            assert!(notice.is_some_and(|notice| notice.contains(&name)), "{name}");
            store.save(&downs(&["new/one"])).unwrap();
            assert_eq!(fs::read_to_string(folder.0.join(name)).unwrap(), text);
        }
    }

    #[test]
    fn what_cannot_be_moved_aside_is_not_written_over() {
        let folder = Folder::new("barred");
        fs::write(path_in(&folder.0), "{").unwrap();
        for number in 1..=ASIDE_MAX {
            fs::write(folder.0.join(format!("overrides.json.unread-{number}")), "").unwrap();
        }
        let (store, _, notice) = Store::open(folder.0.clone());
        assert!(notice.is_some_and(|notice| notice.contains("changes are refused")));
        assert!(store.save(&Overrides::default()).is_err());
        assert_eq!(fs::read_to_string(path_in(&folder.0)).unwrap(), "{");
    }

    #[test]
    fn a_full_disk_and_a_folder_that_is_none_are_errors() {
        let folder = Folder::new("full");
        let (store, ..) = Store::open(folder.0.clone());
        store.save(&downs(&["a/b/c"])).unwrap();
        std::os::unix::fs::symlink("/dev/full", beside(&path_in(&folder.0))).unwrap();
        let error = store.save(&downs(&["a/b/d"])).unwrap_err().to_string();
        assert!(error.contains("No space left"), "{error}");
        assert_eq!(Store::open(folder.0.clone()).1, downs(&["a/b/c"]));

        let (store, ..) = Store::open(folder.0.join("overrides.json/state"));
        assert!(store.save(&downs(&["a/b/d"])).is_err());
    }
}
