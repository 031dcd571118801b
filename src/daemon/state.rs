//! Statuses that outlive the process, so that a restart changes no answers.
//!
//! One small JSON file, written beside its place and then moved there, so that a reader finds the
//! old or the new one whole. What is older than [`FRESH_MAX`] is not believed: the first round of
//! probes then decides, as on a first start. Losing the file costs that round and nothing else, so
//! trouble with it is logged and never stops anything.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::health::{Place, Status};

/// Saved statuses are believed for this long. Longer than a restart takes, and short enough that a
/// node which failed meanwhile is not served for longer than its check would need to find out.
pub const FRESH_MAX: Duration = Duration::from_secs(60);

/// The file's form; a reader of another version leaves the file alone.
const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    version: u32,
    /// Seconds since 1970.
    saved_at: u64,
    /// By place.
    statuses: BTreeMap<String, SavedStatus>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SavedStatus {
    Up,
    Down,
    Draining,
}

/// The file in a state folder.
pub fn file_in(folder: &Path) -> PathBuf {
    folder.join("statuses.json")
}

/// The statuses that were saved, if they are fresh; an absent file is none.
pub fn load(folder: &Path) -> io::Result<HashMap<Place, Status>> {
    let text = match std::fs::read_to_string(file_in(folder)) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(HashMap::new()),
        Err(error) => return Err(error),
    };
    parse(&text, unix_now())
}

/// Saves statuses, whole or not at all.
pub fn save(folder: &Path, statuses: &HashMap<Place, Status>) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let path = file_in(folder);
    let beside = path.with_extension("json.new");
    std::fs::write(&beside, render(statuses, unix_now()))?;
    std::fs::rename(&beside, &path)
}

fn parse(text: &str, now: u64) -> io::Result<HashMap<Place, Status>> {
    let saved: Saved = serde_json::from_str(text)?;
    if saved.version != VERSION {
        let why = format!("version {} of the file is not known here", saved.version);
        return Err(io::Error::new(io::ErrorKind::InvalidData, why));
    }
    // A clock that went back makes a file from the future: not believed either.
    if now.checked_sub(saved.saved_at).is_none_or(|age| age > FRESH_MAX.as_secs()) {
        return Ok(HashMap::new());
    }
    let status = |status| match status {
        SavedStatus::Up => Status::Up,
        SavedStatus::Down => Status::Down,
        SavedStatus::Draining => Status::Draining,
    };
    Ok(saved.statuses.into_iter().map(|(place, s)| (Place::from(place), status(s))).collect())
}

fn render(statuses: &HashMap<Place, Status>, now: u64) -> String {
    let saved = |(place, status): (&Place, &Status)| {
        let status = match status {
            Status::Up => SavedStatus::Up,
            Status::Down => SavedStatus::Down,
            Status::Draining => SavedStatus::Draining,
            Status::Unknown => return None,
        };
        Some((place.to_string(), status))
    };
    let statuses = statuses.iter().filter_map(saved).collect();
    let saved = Saved { version: VERSION, saved_at: now, statuses };
    serde_json::to_string_pretty(&saved).expect("text keys and plain values are always JSON")
}

/// Seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "what is saved outlives the monotonic clock")]
pub(super) fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_statuses_come_back_and_stale_ones_do_not() {
        let place = |text: &str| Place::from(String::from(text));
        let statuses = HashMap::from([
            (place("http://192.0.2.1:80/ready app.test"), Status::Up),
            (place("http://192.0.2.2:80/ready app.test"), Status::Down),
            (place("http://192.0.2.3:80/ready app.test"), Status::Unknown),
        ]);
        let text = render(&statuses, 1000);
        let mut known = statuses;
        known.retain(|_, status| *status != Status::Unknown);
        assert_eq!(parse(&text, 1000).unwrap(), known);
        assert_eq!(parse(&text, 1060).unwrap(), known);
        assert_eq!(parse(&text, 1061).unwrap(), HashMap::new());
        assert_eq!(parse(&text, 999).unwrap(), HashMap::new());
    }

    #[test]
    fn cut_and_newer_files_are_errors() {
        let text = render(&HashMap::new(), 1);
        assert!(parse(&text[..text.len() / 2], 1).is_err());
        let newer = text.replace("\"version\": 1", "\"version\": 2");
        assert!(parse(&newer, 1).unwrap_err().to_string().contains("version 2"));
    }
}
