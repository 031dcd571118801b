//! Watching the files of the configuration: whoever saves one need tell nobody.
//!
//! The kernel tells what happens in the folders of [`Places`]. What is told comes in bursts: an
//! editor's save is three events, a checkout is thousands. So a change is reported when nothing
//! more has happened for [`QUIET`], and after [`LONGEST`] even if it goes on. What is read too
//! early is half saved: its mistakes are told, nothing changes, and the rest of it is another
//! change.
//!
//! Where the kernel cannot watch (its limits are reached, the system has none) the folders are
//! looked at every [`LOOK_EVERY`], and the log says so. Neither sees what another machine does to a
//! shared file system in all cases: there SIGHUP is the way.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::hash::BuildHasher;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

use foldhash::quality::FixedState;
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;
use tokio::io::unix::AsyncFd;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep};

use super::places::Places;

/// Silence that ends a burst of changes.
const QUIET: Duration = Duration::from_millis(200);
/// A burst is reported after this long even if it goes on.
const LONGEST: Duration = Duration::from_secs(2);
/// Between two looks where the kernel does not watch.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Room for the events of one read; one event has 16 octets and a name of 256 at most.
const EVENTS_LEN: usize = 4096;

/// Watches places, and is asked when something has changed.
#[derive(Debug)]
pub(super) struct Watcher {
    places: Places,
    eyes: Eyes,
    /// When the burst began that has not been reported.
    since: Option<Instant>,
}

#[derive(Debug)]
enum Eyes {
    Kernel(Kernel),
    Clock(Clock),
}

impl Watcher {
    /// Watches nothing yet.
    pub(super) fn new() -> Self {
        let eyes = match Kernel::new() {
            Ok(kernel) => Eyes::Kernel(kernel),
            Err(error) => Eyes::Clock(Clock::instead(&error)),
        };
        Self { places: Places::default(), eyes, since: None }
    }

    /// Watches these places before they are read, so that what is read is not out of date once it
    /// is covered. A clock does not begin: that it has looked once would say nothing.
    pub(super) fn begin(&mut self, places: Places) {
        if let Eyes::Kernel(kernel) = &mut self.eyes {
            match kernel.cover(&places) {
                Ok(_) => self.places = places,
                Err(error) => self.eyes = Eyes::Clock(Clock::instead(&error)),
            }
        }
    }

    /// Watches these places from now on. True where one of them was not watched before: what has
    /// changed there since it was read has been seen by nobody.
    pub(super) fn cover(&mut self, places: Places) -> bool {
        let before = std::mem::replace(&mut self.places, places);
        if let Eyes::Kernel(kernel) = &mut self.eyes {
            match kernel.cover(&self.places) {
                Ok(new) => return new,
                Err(error) => self.eyes = Eyes::Clock(Clock::instead(&error)),
            }
        }
        before != self.places
    }

    /// Waits for the end of a burst of changes. May be dropped and called again.
    pub(super) async fn changed(&mut self) {
        loop {
            let quiet = self.since.map(|since| {
                let left = (since + LONGEST).saturating_duration_since(Instant::now());
                sleep(left.min(QUIET))
            });
            let over = async {
                match quiet {
                    Some(quiet) => quiet.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = over => {
                    self.since = None;
                    return;
                }
                () = self.eyes.see(&self.places) => {
                    self.since.get_or_insert_with(Instant::now);
                }
            }
        }
    }
}

impl Eyes {
    /// Waits for one thing that concerns the places. May be dropped and called again.
    async fn see(&mut self, places: &Places) {
        match self {
            Self::Kernel(kernel) => {
                if let Err(error) = kernel.see(places).await {
                    *self = Self::Clock(Clock::instead(&error));
                }
            }
            Self::Clock(clock) => clock.see(places).await,
        }
    }
}

/// inotify(7).
#[derive(Debug)]
struct Kernel {
    inotify: AsyncFd<OwnedFd>,
    folders: HashMap<i32, PathBuf>,
}

impl Kernel {
    #[expect(
        deprecated,
        reason = "`new` trusts an owner to keep its descriptor open; OwnedFd does, and what comes \
                  after `new` is unsafe"
    )]
    fn new() -> io::Result<Self> {
        let inotify = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        Ok(Self { inotify: AsyncFd::new(inotify)?, folders: HashMap::new() })
    }

    /// Watches exactly these folders; a watch is the folder's, not its name's, so a folder that
    /// was replaced gets a new one here.
    fn cover(&mut self, places: &Places) -> io::Result<bool> {
        let asked = WatchFlags::CREATE
            | WatchFlags::CLOSE_WRITE
            | WatchFlags::MOVED_TO
            | WatchFlags::MOVED_FROM
            | WatchFlags::DELETE
            | WatchFlags::ATTRIB
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR;
        let mut folders = HashMap::new();
        for folder in places.folders() {
            match inotify::add_watch(self.inotify.get_ref(), folder, asked) {
                Ok(watch) => drop(folders.insert(watch, folder.to_owned())),
                // Its coming shows in the folder above; what may not be read cannot be served.
                Err(Errno::NOENT | Errno::NOTDIR | Errno::ACCESS) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let before = std::mem::replace(&mut self.folders, folders);
        for watch in before.keys().filter(|watch| !self.folders.contains_key(watch)) {
            // It is gone already where its folder is.
            let _ = inotify::remove_watch(self.inotify.get_ref(), *watch);
        }
        Ok(self.folders.keys().any(|watch| !before.contains_key(watch)))
    }

    async fn see(&mut self, places: &Places) -> io::Result<()> {
        loop {
            let mut ready = self.inotify.readable().await?;
            let mut buffer = [MaybeUninit::uninit(); EVENTS_LEN];
            let mut events = inotify::Reader::new(ready.get_inner(), &mut buffer);
            let mut concerned = false;
            let end = loop {
                match events.next() {
                    Ok(event) => {
                        let name = event.file_name().map(|name| OsStr::from_bytes(name.to_bytes()));
                        let folder = self.folders.get(&event.wd());
                        concerned |= match (folder, name) {
                            (Some(folder), Some(name)) => {
                                places.concern(folder, name)
                                    && !(event.events() == ReadFlags::CREATE
                                        && is_beginning(&folder.join(name)))
                            }
                            // The folder itself; or more happened than the kernel could tell.
                            (Some(_), None) => event.events() != ReadFlags::IGNORED,
                            (None, _) => event.events().contains(ReadFlags::QUEUE_OVERFLOW),
                        };
                    }
                    Err(Errno::INTR) => {}
                    Err(error) => break error,
                }
            };
            if end != Errno::WOULDBLOCK {
                return Err(end.into());
            }
            ready.clear_ready();
            if concerned {
                return Ok(());
            }
        }
    }
}

/// A file that is just being made: whoever makes it writes and closes it next. A link is whole at
/// once, and so is a second name of a file.
fn is_beginning(path: &std::path::Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|about| about.is_file() && about.nlink() == 1)
}

/// Looking at the folders now and then.
#[derive(Debug)]
struct Clock {
    ticks: Interval,
    seen: Option<u64>,
}

impl Clock {
    fn instead(error: &io::Error) -> Self {
        let every = humantime::format_duration(LOOK_EVERY);
        let help = "raise fs.inotify.max_user_watches and fs.inotify.max_user_instances";
        let message = format!("files cannot be watched: they are looked at every {every}");
        tracing::warn!(%error, help, "{message}");
        Self::every(LOOK_EVERY)
    }

    fn every(period: Duration) -> Self {
        let mut ticks = interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { ticks, seen: None }
    }

    async fn see(&mut self, places: &Places) {
        loop {
            self.ticks.tick().await;
            let places = places.clone();
            let look = tokio::task::spawn_blocking(move || look_at(&places));
            let Ok(found) = look.await else { continue };
            let before = self.seen.replace(found);
            if before.is_some_and(|before| before != found) {
                return;
            }
        }
    }
}

/// A hash of what a listing of the places shows: which files there are, how long and how old.
fn look_at(places: &Places) -> u64 {
    let mut found = Vec::new();
    for folder in places.folders() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            if let (true, Ok(about)) = (places.concern(folder, &name), entry.metadata()) {
                let time = (about.mtime(), about.mtime_nsec(), about.ctime(), about.ctime_nsec());
                // A folder changes with whatever happens in it.
                let content = about.is_file().then_some((about.len(), time));
                found.push((folder, name, about.ino(), content));
            }
        }
    }
    found.sort_unstable();
    FixedState::with_seed(0).hash_one(found)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::config::{Readings, load};

    /// A folder with a zone, and where changes to it would show.
    fn home(name: &str) -> (PathBuf, Places) {
        let home = std::env::temp_dir().join(format!("rota-watch-{}-{name}", std::process::id()));
        fs::create_dir_all(home.join("zones")).unwrap();
        fs::write(home.join("zones/a.test.toml"), "[zone]\nns = [\"ns1 192.0.2.53\"]\n").unwrap();
        let config = home.join("rota.toml");
        fs::write(&config, "").unwrap();
        let server = load(Some(&config)).server.unwrap();
        let places = Places::of(Path::new(&config), &server, &Readings::default());
        (home, places)
    }

    /// A change is seen by these eyes, and what does not concern the places is not.
    async fn check(name: &str, eyes: impl FnOnce() -> Eyes) {
        let (home, places) = home(name);
        let config = home.join("rota.toml");
        let mut watcher = Watcher { places: Places::default(), eyes: eyes(), since: None };
        assert!(watcher.cover(places.clone()));
        assert!(!watcher.cover(places), "all of it is watched already");
        // The first look of a clock is what later ones are compared with.
        if let Eyes::Clock(clock) = &mut watcher.eyes {
            clock.seen = Some(look_at(&watcher.places));
        }
        fs::write(home.join("other"), "").unwrap();
        fs::write(home.join("zones/.a.swp"), "").unwrap();
        let seen = tokio::time::timeout(QUIET * 3, watcher.changed()).await;
        assert!(seen.is_err(), "nothing of it is read");
        fs::write(home.join("zones/b.test.toml"), "").unwrap();
        watcher.changed().await;
        fs::rename(home.join("other"), &config).unwrap();
        watcher.changed().await;
        fs::remove_dir_all(&home).unwrap();
    }

    #[tokio::test]
    async fn what_changes_while_it_is_read_is_seen_and_nothing_is_read_twice_for_that() {
        let (home, places) = home("begin");
        let eyes = Eyes::Kernel(Kernel::new().unwrap());
        let mut watcher = Watcher { places: Places::default(), eyes, since: None };
        watcher.begin(places.clone());
        fs::write(home.join("zones/b.test.toml"), "").unwrap();
        assert!(!watcher.cover(places.clone()), "all of it was watched when it was read");
        watcher.changed().await;
        let eyes = Eyes::Clock(Clock::every(LOOK_EVERY));
        let mut watcher = Watcher { places: Places::default(), eyes, since: None };
        watcher.begin(places.clone());
        assert!(watcher.cover(places), "nobody has looked yet");
        fs::remove_dir_all(&home).unwrap();
    }

    #[tokio::test]
    async fn the_kernel_tells_what_changes() {
        check("kernel", || Eyes::Kernel(Kernel::new().unwrap())).await;
    }

    #[tokio::test]
    async fn looking_now_and_then_finds_what_changes() {
        check("clock", || Eyes::Clock(Clock::every(Duration::from_millis(20)))).await;
    }
}
