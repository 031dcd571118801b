//! Saves the statuses when it is time to, so that a restart begins with what was known.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::health::{Monitor, Place, Status};

use super::scribe::{Scribe, Written};
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
    /// Statuses are being written.
    writing: bool,
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
        self.folder.is_some() && !self.writing && (self.changed || stale)
    }

    /// Has the statuses of now written; it is told when they are.
    pub(super) fn save(&mut self, monitor: &Monitor, now: Instant, scribe: &Scribe) {
        let Some(folder) = self.folder.clone() else { return };
        self.changed = false;
        self.saved = Some(now);
        self.writing = true;
        let statuses = monitor.statuses();
        let save = move || state::save(&folder, &statuses).map_err(|error| error.to_string());
        scribe.take(save, |done| Written::Statuses(done.flatten()));
    }

    /// What came of the writing.
    pub(super) fn have_saved(&mut self, result: Result<(), String>) {
        self.writing = false;
        // Said once, until it works again: a full disk would fill the log too.
        if let (Err(error), false, Some(folder)) = (&result, self.failed, &self.folder) {
            let file = state::file_in(folder);
            tracing::warn!(file = %file.display(), error, "statuses cannot be saved");
        }
        self.failed = result.is_err();
    }

    pub(super) fn is_writing(&self) -> bool {
        self.writing
    }
}
