//! A file of states, looked at with every probe and read when it has changed.
//!
//! All nodes of a file share what was read. Whether a file changed, its time, its length and its
//! number say; who replaces it by a rename is seen at once. Files are touched on a thread of their
//! own, one at a time for each file: a disk that hangs costs one thread, and no node.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Mutex as Turn;

use super::Course;
use crate::health::ask::{FILE_LEN_MAX, States};
use crate::health::{FileAsk, Outcome, Reason};

/// Files kept; more come only from many reloads, and then all are read again.
const FILES_MAX: usize = 256;

/// Asks once.
pub(super) async fn probe(
    address: IpAddr,
    ask: &FileAsk,
    files: &StateFiles,
    course: &mut Course,
) -> Result<(), Outcome> {
    let shown = ask.path.display();
    course.is_held_up(format!("{shown} cannot be read in time"));
    let local = |why| Outcome::NoVerdict(Reason::Local(format!("{shown}: {why}")));
    let path = ask.path.clone();
    let mut file = files.file(&path).lock_owned().await;
    let reading = tokio::task::spawn_blocking(move || file.read(&path));
    let states = reading.await.map_err(|error| local(error.to_string()))?.map_err(local)?;
    states.judge(&ask.node, address)
}

/// The files of all checks.
#[derive(Debug, Default)]
pub(super) struct StateFiles(Mutex<HashMap<PathBuf, Arc<Turn<Known>>>>);

impl StateFiles {
    fn file(&self, path: &Path) -> Arc<Turn<Known>> {
        // A value is inserted whole or not at all.
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if files.len() == FILES_MAX && !files.contains_key(path) {
            files.clear();
        }
        Arc::clone(files.entry(path.to_owned()).or_default())
    }
}

/// What was read of a file.
#[derive(Debug, Default)]
struct Known {
    stamp: Option<Stamp>,
    states: Arc<States>,
}

/// What tells whether a file is another than before: its time, length and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp(i64, i64, u64, u64);

impl Stamp {
    fn of(about: &Metadata) -> Self {
        Self(about.mtime(), about.mtime_nsec(), about.len(), about.ino())
    }
}

impl Known {
    fn read(&mut self, path: &Path) -> Result<Arc<States>, String> {
        let said = |error: std::io::Error| error.to_string();
        let about = fs::metadata(path).map_err(said)?;
        // A pipe would be waited for, and a device has no end.
        if !about.is_file() {
            return Err("it is not a file".into());
        }
        if about.len() > FILE_LEN_MAX {
            return Err(format!("it has more than {FILE_LEN_MAX} octets"));
        }
        let stamp = Stamp::of(&about);
        if self.stamp != Some(stamp) {
            let text = fs::read(path).map_err(said)?;
            self.states = Arc::new(States::parse(&String::from_utf8_lossy(&text)));
            self.stamp = Some(stamp);
        }
        Ok(Arc::clone(&self.states))
    }
}
