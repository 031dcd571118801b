//! A new configuration takes the place of the old one, or what is wrong with it does not.
//!
//! | what is wrong               | what happens                                        |
//! |-----------------------------|-----------------------------------------------------|
//! | nothing                     | all zones are put in force in one step              |
//! | a zone that is being served | its old version stays; the others change            |
//! | a zone that is new          | its names get SERVFAIL; the others change           |
//! | `rota.toml`, or no zone     | nothing changes                                     |
//! | a file of `[tls]`           | the old certificates stay; the others change        |
//! | a file of `[geo]`           | nothing changes                                     |
//! | the same, and it lacks what | clients are where the old files said, as long as    |
//! | a zone that stays asks for  | that zone is not mended                             |
//!
//! A reload that nobody asked for, because files have changed, says nothing where what they say is
//! the same as before. Listeners stay as they are: what `[listen]` says otherwise than before waits
//! for a restart, and the log says so.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::admin::docs::{DiagnosticDoc, ReloadedDoc};
use crate::admin::metrics::Reload;
use crate::config::{self, Config, Geo, Loaded, Readings};
use crate::geo::Atlas;
use crate::serve::{Keyring, Pair};
use crate::snapshot::{Authored, Settings};
use crate::wire::Name;
use crate::wire::cookie::Secret;
use crate::zone::diagnostic::has_errors;
use crate::zone::{Diagnostic, Severity};

use super::places::Places;
use super::watch::Watcher;
use super::{Server, Wanted, log_geo, settings, suspicion};

/// Reads the configuration, at the start and whenever it may have changed.
#[derive(Debug)]
pub(super) struct Reloader<R> {
    path: Option<PathBuf>,
    report: R,
    /// Makes cookies where the operator gives no secret.
    chance: Option<Secret>,
    readings: Readings,
    keyring: Arc<Keyring>,
    force: Option<Force>,
    /// None where files are not watched.
    watcher: Option<Watcher>,
}

/// What was read last and can be in force.
#[derive(Debug)]
struct Force {
    server: config::Server,
    /// The listeners of the start, which are those of the end.
    listen: config::Listen,
    admin: config::Admin,
    geo: Geo,
    zones: usize,
}

/// Why the configuration is read anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// Somebody asked.
    Asked,
    /// Files have changed.
    Change,
}

impl<R: Fn(&[Diagnostic])> Reloader<R> {
    /// Reads nothing yet. `report` is given whatever is wrong with the configuration, each time.
    pub(super) fn new(path: Option<PathBuf>, chance: Option<Secret>, report: R) -> Self {
        let (readings, keyring) = (Readings::default(), Arc::default());
        Self { path, report, chance, readings, keyring, force: None, watcher: None }
    }

    /// The certificates in force, which a reload may replace.
    pub(super) fn keyring(&self) -> &Arc<Keyring> {
        &self.keyring
    }

    /// The first reading, for a start; none where it cannot be served.
    pub(super) fn load(&mut self) -> (bool, Option<(config::Server, Wanted)>) {
        let watcher = self.watch_early();
        let loaded = config::reload(self.path.as_deref(), &mut self.readings);
        (self.report)(&loaded.diagnostics);
        let sound = !has_errors(&loaded.diagnostics);
        let Some(Config { server, geo, keys: Some(keys), zones }) = loaded.into_config() else {
            return (sound, None);
        };
        log_certificates(&keys);
        self.keyring.replace(keys);
        log_geo(&server, &geo);
        let settings = settings(&server, self.chance);
        let (listen, admin) = (server.listen.clone(), server.admin.clone());
        let (atlas, count) = (Arc::clone(&geo.atlas), zones.len());
        let (suspicion, hearing) = (suspicion(&server), server.reports.clone());
        self.watcher = server.watch.then(|| watcher.unwrap_or_else(Watcher::new));
        self.force = Some(Force { server: server.clone(), listen, admin, geo, zones: count });
        let metrics = server.metrics;
        let wanted = Wanted { zones, settings, atlas, suspicion, hearing, metrics };
        (sound, Some((server, wanted)))
    }

    /// Watches what is about to be read, as far as `rota.toml` alone tells: files that were watched
    /// before they were read need not be read again.
    fn watch_early(&self) -> Option<Watcher> {
        let server = config::load_server(self.path.as_deref()).ok().filter(|it| it.watch)?;
        let mut watcher = Watcher::new();
        watcher.begin(Places::of(self.config(), &server, &self.readings));
        Some(watcher)
    }

    fn config(&self) -> &Path {
        self.path.as_deref().unwrap_or(Path::new(config::FILE_NAME))
    }

    /// How many zones are in force.
    pub(super) fn zones(&self) -> usize {
        self.force.as_ref().map_or(0, |force| force.zones)
    }

    /// Waits until files have changed. May be dropped and called again.
    pub(super) async fn changed(&mut self) {
        match &mut self.watcher {
            Some(watcher) => watcher.changed().await,
            None => std::future::pending().await,
        }
    }

    /// Reads the configuration anew and puts in force what can be; tells what came of it, unless
    /// nobody asked and there is nothing new.
    pub(super) async fn reload(&mut self, server: &Server, cause: Cause) -> Option<ReloadedDoc> {
        let told = self.reload_once(server, cause).await;
        self.catch_up(server).await;
        told
    }

    /// Watches what was read, and reads again what was not watched meanwhile.
    pub(super) async fn catch_up(&mut self, server: &Server) {
        while self.cover() {
            self.reload_once(server, Cause::Change).await;
        }
    }

    fn cover(&mut self) -> bool {
        let Some(force) = &self.force else { return false };
        let places = Places::of(self.config(), &force.server, &self.readings);
        self.watcher.as_mut().is_some_and(|watcher| watcher.cover(places))
    }

    async fn reload_once(&mut self, server: &Server, cause: Cause) -> Option<ReloadedDoc> {
        let mut told = ReloadedDoc { applied: false, kept: Vec::new(), diagnostics: Vec::new() };
        let Some(loaded) = self.read().await else {
            let message = "the configuration could not be read; nothing is changed";
            tracing::error!("reload failed: {message}");
            server.reloaded(Reload::Refused).await;
            return Some(told);
        };
        if cause == Cause::Change && !self.readings.is_news() {
            return None;
        }
        (self.report)(&loaded.diagnostics);
        let diagnostic = |one: &Diagnostic| DiagnosticDoc {
            error: one.severity == Severity::Error,
            text: one.to_string(),
        };
        told.diagnostics = loaded.diagnostics.iter().map(diagnostic).collect();
        let (Some(config), Some(force)) = (loaded.into_config(), &mut self.force) else {
            tracing::error!("reload refused: the old configuration stays in force");
            server.reloaded(Reload::Refused).await;
            return Some(told);
        };
        let Config { server: wanted, geo, keys, zones } = config;
        // The listeners are those of the start, and so is their idle time.
        let settings =
            Settings { idle: force.listen.limits.idle, ..settings(&wanted, self.chance) };
        if wanted.listen != force.listen {
            tracing::warn!("[listen] has changed: that takes a restart");
        }
        if wanted.admin != force.admin {
            tracing::warn!("[admin] has changed: that takes a restart");
        }
        if wanted.watch != self.watcher.is_some() {
            self.watcher = wanted.watch.then(Watcher::new);
        }
        let (zones, kept) = keep_what_serves(zones, &server.zones().await);
        for apex in &kept {
            tracing::error!(zone = %apex, "the zone has errors: its old version stays in force");
        }
        let broken = zones.iter().any(|zone| matches!(zone, Authored::Broken(_)));
        let mut how = if broken || !kept.is_empty() { Reload::Partial } else { Reload::Applied };
        if geo != force.geo && (kept.is_empty() || !knows_less(&geo.atlas, &force.geo.atlas)) {
            log_geo(&wanted, &geo);
            force.geo = geo;
        } else if geo != force.geo {
            tracing::error!("the geo files know less than before: what they said stays in force");
            how = Reload::Partial;
        }
        match keys {
            Some(keys) if keys == *self.keyring.pairs() => {}
            Some(keys) => {
                log_certificates(&keys);
                self.keyring.replace(keys);
            }
            None => {
                tracing::error!("certificates cannot be used: those in force stay");
                how = Reload::Partial;
            }
        }
        let metrics = wanted.metrics;
        let (suspicion, hearing) = (suspicion(&wanted), wanted.reports.clone());
        (force.server, force.zones) = (wanted, zones.len());
        let atlas = Arc::clone(&force.geo.atlas);
        server.reload(Wanted { zones, settings, atlas, suspicion, hearing, metrics }).await;
        server.reloaded(how).await;
        tracing::info!(parsed = self.readings.parsed(), kept = kept.len(), "reloaded");
        let kept = kept.iter().map(|apex| apex.to_string().trim_end_matches('.').to_owned());
        told.kept = kept.collect();
        told.applied = true;
        Some(told)
    }

    /// Reads the files where waiting for them keeps nobody waiting.
    async fn read(&mut self) -> Option<Loaded> {
        let path = self.path.clone();
        // Lost with a panic, and then everything is parsed anew the next time.
        let mut readings = std::mem::take(&mut self.readings);
        let load = move || (config::reload(path.as_deref(), &mut readings), readings);
        let (loaded, readings) = tokio::task::spawn_blocking(load).await.ok()?;
        self.readings = readings;
        Some(loaded)
    }
}

/// Tells which certificates are in force from now on.
fn log_certificates(pairs: &[Pair]) {
    for pair in pairs {
        tracing::info!(file = pair.name, ends = config::at(pair.not_after), "certificate read");
    }
}

/// True where something is known of no client any more: a zone that is kept may ask for it.
fn knows_less(now: &Atlas, before: &Atlas) -> bool {
    before.facts().iter().any(|fact| !now.has(*fact))
}

/// Puts the version that is being served in the place of one with errors; tells for which zones.
fn keep_what_serves(wanted: Vec<Authored>, serving: &[Authored]) -> (Vec<Authored>, Vec<Name>) {
    let good = serving.iter().filter_map(|old| match old {
        Authored::Good(model) => Some((&model.records.apex, old)),
        Authored::Broken(_) => None,
    });
    let good: HashMap<&Name, &Authored> = good.collect();
    let mut kept = Vec::new();
    let keep = |authored| match authored {
        Authored::Good(_) => authored,
        Authored::Broken(apex) => match good.get(&apex) {
            Some(&old) => {
                kept.push(apex);
                old.clone()
            }
            None => Authored::Broken(apex),
        },
    };
    let zones = wanted.into_iter().map(keep).collect();
    (zones, kept)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::snapshot::ZoneModel;
    use crate::zone::Records;

    fn apex(text: &str) -> Name {
        Name::from_text(text).unwrap()
    }

    fn good(text: &str) -> Authored {
        let model = ZoneModel { records: Records::none(apex(text)), services: Vec::new() };
        Authored::Good(Arc::new(model))
    }

    #[test]
    fn a_broken_zone_keeps_the_version_that_serves() {
        let serving = [good("a.test"), Authored::Broken(apex("b.test")), good("c.test")];
        let wanted =
            ["a.test", "b.test", "new.test"].map(|text| Authored::Broken(apex(text))).to_vec();
        let (zones, kept) = keep_what_serves(wanted, &serving);
        let expected =
            [good("a.test"), Authored::Broken(apex("b.test")), Authored::Broken(apex("new.test"))];
        assert_eq!(zones, expected);
        assert_eq!(kept, [apex("a.test")]);
    }
}
