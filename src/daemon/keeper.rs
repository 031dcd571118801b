//! Saves the statuses when it is time to, so that a restart begins with what was known.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::health::{Monitor, Place, Status};

use super::state;

/// Statuses are saved this often even if none has changed, so that they are fresh after a crash.
const SAVE_EVERY: Duration = Duration::from_secs(20);

/// Saves statuses when it is time to.
#[derive(Debug, Default)]
pub(super) struct Keeper {
    /// None where nothing is kept.
    pub(super) folder: Option<PathBuf>,
    saved: Option<Instant>,
    pub(super) changed: bool,
    failed: bool,
}

impl Keeper {
    /// Keeps statuses in this folder from now on; gives those that are there, if they are fresh.
    pub(super) fn keep_in(&mut self, folder: PathBuf) -> HashMap<Place, Status> {
        let saved = state::load(&folder).unwrap_or_else(|error| {
            let file = state::file_in(&folder);
            tracing::warn!(file = %file.display(), %error, "saved statuses cannot be read");
            HashMap::new()
        });
        if !saved.is_empty() {
            tracing::info!(statuses = saved.len(), "saved statuses taken over");
        }
        self.folder = Some(folder);
        saved
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        let stale = self.saved.is_none_or(|saved| now.duration_since(saved) >= SAVE_EVERY);
        self.folder.is_some() && (self.changed || stale)
    }

    pub(super) async fn save(&mut self, monitor: &Monitor, now: Instant) {
        let Some(folder) = self.folder.clone() else { return };
        self.changed = false;
        self.saved = Some(now);
        let file = state::file_in(&folder);
        let statuses = monitor.statuses();
        let saved = tokio::task::spawn_blocking(move || state::save(&folder, &statuses)).await;
        let error = match saved {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(error) => Some(error.to_string()),
        };
        // Said once, until it works again: a full disk would fill the log too.
        if let (Some(error), false) = (&error, self.failed) {
            tracing::warn!(file = %file.display(), %error, "statuses cannot be saved");
        }
        self.failed = error.is_some();
    }
}
