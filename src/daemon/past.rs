//! The process before this one: nothing is known of its answers but how long they last at most.
//!
//! What a resolver holds outlives the process that gave it. So the longest TTL that is answered is
//! kept in the state folder, and for as long after a start nobody may say that a node is held by
//! none. Without the file, which a first start, an older version and a lost folder look like alike,
//! it is taken that the process before answered as this one does. Without a folder there is none.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::snapshot::Authored;

use super::scopes::services;
use super::scribe::{Scribe, Written};

/// The file's form; what another version has written is as good as none.
const VERSION: u32 = 1;
/// An answer may be on its way for so long, and what runs out is counted in whole seconds.
const ON_THE_WAY: Duration = Duration::from_secs(2);

/// What may be held of the process before, and what the next one is told of this one.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// None where nothing is kept.
    folder: Option<PathBuf>,
    /// The longest TTL of the process before, in seconds; none where it is not known.
    before: Option<u32>,
    /// The longest TTL of this process.
    longest: u32,
    /// From when on nothing is held that was answered before; none before the start.
    over_at: Option<Instant>,
    /// What the file says.
    kept: Option<u32>,
    /// What is being written there.
    writing: Option<u32>,
    failed: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    version: u32,
    longest_ttl: u32,
}

impl Past {
    /// Keeps what the next process is told in this folder, and reads what this one is told.
    pub(super) fn keep_in(&mut self, folder: PathBuf) {
        self.kept = fs::read(file_in(&folder)).ok().and_then(|octets| parse(&octets));
        self.before = self.kept;
        self.folder = Some(folder);
    }

    /// These zones are answered from now on.
    pub(super) fn answer(&mut self, zones: &[Authored]) {
        let ttls = services(zones).into_iter().map(|it| it.ttl.calm.max(it.ttl.alert)).max();
        self.longest = self.longest.max(ttls.unwrap_or(0));
    }

    /// Answers begin; connections of a process that is being replaced may ask it for `idle` on.
    pub(super) fn end(&mut self, now: Instant, idle: Duration) {
        // What keeps nothing, as the demo does, takes the place of nobody.
        if self.folder.is_none() {
            return;
        }
        let longest = self.before.unwrap_or(self.longest);
        self.over_at = Some(now + Duration::from_secs(longest.into()) + ON_THE_WAY + idle);
    }

    /// For how many seconds answers of the process before may be held.
    pub(super) fn lasts(&self, now: Instant) -> u32 {
        let left = self.over_at.map_or(Duration::ZERO, |over| over.saturating_duration_since(now));
        u32::try_from(left.as_millis().div_ceil(1000)).unwrap_or(u32::MAX)
    }

    /// Has written what the next process must know, if that has changed; it is told when it is.
    pub(super) fn keep(&mut self, now: Instant, scribe: &Scribe) {
        let longest = self.news(now);
        let (Some(folder), Some(longest)) = (self.folder.clone(), longest) else { return };
        if self.writing.is_some() {
            return;
        }
        self.writing = Some(longest);
        let save = move || save(&folder, longest).map_err(|error| error.to_string());
        scribe.take(save, |done| Written::Answers(done.flatten()));
    }

    /// What came of the writing.
    pub(super) fn have_kept(&mut self, result: Result<(), String>) {
        let written = self.writing.take();
        // Said once, until it works again.
        if let (Err(error), false, Some(folder)) = (&result, self.failed, &self.folder) {
            let file = file_in(folder);
            tracing::warn!(file = %file.display(), error, "the longest TTL cannot be saved");
        }
        self.failed = result.is_err();
        if result.is_ok() {
            self.kept = written;
        }
    }

    pub(super) fn is_writing(&self) -> bool {
        self.writing.is_some()
    }

    /// The longest TTL that the next process must reckon with, if the file says another.
    fn news(&self, now: Instant) -> Option<u32> {
        // Two restarts in a row leave answers of both.
        let before = if self.lasts(now) > 0 { self.before.unwrap_or(0) } else { 0 };
        Some(self.longest.max(before)).filter(|longest| self.kept != Some(*longest))
    }

    /// Keeps nothing any more: another process does.
    pub(super) fn release(&mut self) {
        self.folder = None;
    }
}

fn file_in(folder: &Path) -> PathBuf {
    folder.join("answers.json")
}

fn parse(octets: &[u8]) -> Option<u32> {
    let kept: Kept = serde_json::from_slice(octets).ok()?;
    (kept.version == VERSION).then_some(kept.longest_ttl)
}

fn save(folder: &Path, longest_ttl: u32) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    let beside = file_in(folder).with_extension("json.new");
    let kept = Kept { version: VERSION, longest_ttl };
    fs::write(&beside, serde_json::to_string(&kept)?)?;
    fs::rename(&beside, file_in(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "an Instant to count from")]
    fn what_the_process_before_may_have_answered_is_waited_for() {
        let folder = std::env::temp_dir().join(format!("rota-past-{}", std::process::id()));
        drop(fs::remove_dir_all(&folder));
        let (start, idle) = (Instant::now(), Duration::from_secs(10));
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let process = |longest| {
            let mut past = Past::default();
            past.keep_in(folder.clone());
            past.longest = longest;
            past
        };
        let keep = |past: &mut Past, now| {
            if let Some(longest) = past.news(now) {
                save(&folder, longest).unwrap();
                past.kept = Some(longest);
            }
        };
        // Of the first nothing is known: it is taken for one like this.
        let mut first = process(60);
        assert_eq!(first.lasts(start), 0, "nothing is answered yet");
        first.end(start, idle);
        assert_eq!([0, 71, 72].map(|seconds| first.lasts(at(seconds))), [72, 1, 0]);
        keep(&mut first, start);
        // The second has shorter TTLs, and goes before the first one's are over.
        let mut second = process(5);
        second.end(at(1), idle);
        assert_eq!(second.lasts(at(1)), 72);
        keep(&mut second, at(1));
        let mut third = process(5);
        third.end(at(2), idle);
        assert_eq!(third.lasts(at(2)), 72);
        keep(&mut third, at(73));
        assert_eq!(process(5).before, Some(60), "it lasts for another second");
        keep(&mut third, at(74));
        assert_eq!(process(5).before, Some(5));
        fs::write(file_in(&folder), "{\"version\": 2}").unwrap();
        assert_eq!(process(5).before, None);
        drop(fs::remove_dir_all(&folder));
    }
}
