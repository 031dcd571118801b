//! A new configuration takes the place of the old one, or what is wrong with it does not.
//!
//! | what is wrong               | what happens                                        |
//! |-----------------------------|-----------------------------------------------------|
//! | nothing                     | all zones are put in force in one step              |
//! | a zone that is being served | its old version stays; the others change            |
//! | a zone that is new          | its names get SERVFAIL; the others change           |
//! | `rota.toml`, or no zone     | nothing changes                                     |
//! | a file of `[geo]`           | nothing changes                                     |
//! | the same, and it lacks what | clients are where the old files said, as long as    |
//! | a zone that stays asks for  | that zone is not mended                             |
//!
//! Listeners stay as they are: what `[listen]` says otherwise than before waits for a restart, and
//! the log says so.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::admin::docs::{DiagnosticDoc, ReloadedDoc};
use crate::admin::metrics::Reload;
use crate::config::{self, Config, Geo};
use crate::geo::Atlas;
use crate::snapshot::{Authored, Settings};
use crate::wire::Name;
use crate::wire::cookie::Secret;
use crate::zone::{Diagnostic, Severity};

use super::{Server, Wanted, log_geo, settings, suspicion};

/// Reads the configuration anew and puts in force what can be; tells what came of it.
pub(super) async fn reload(
    server: &Server,
    started_with: &config::Server,
    geo: &mut Geo,
    chance: Option<Secret>,
    path: Option<PathBuf>,
    report: &impl Fn(&[Diagnostic]),
) -> ReloadedDoc {
    let before = geo.clone();
    let load = move || config::reload(path.as_deref(), &before);
    let Ok(loaded) = tokio::task::spawn_blocking(load).await else {
        tracing::error!("reload failed: the configuration could not be read; nothing is changed");
        server.reloaded(Reload::Refused).await;
        return ReloadedDoc { applied: false, kept: Vec::new(), diagnostics: Vec::new() };
    };
    report(&loaded.diagnostics);
    let diagnostic = |one: &Diagnostic| DiagnosticDoc {
        error: one.severity == Severity::Error,
        text: one.to_string(),
    };
    let diagnostics = loaded.diagnostics.iter().map(diagnostic).collect();
    let Some(config) = loaded.into_config() else {
        tracing::error!("reload refused: the old configuration stays in force");
        server.reloaded(Reload::Refused).await;
        return ReloadedDoc { applied: false, kept: Vec::new(), diagnostics };
    };
    // The listeners are those of the start, and so is their idle time.
    let settings =
        Settings { idle: started_with.listen.tcp_idle, ..settings(&config.server, chance) };
    let suspicion = suspicion(&config.server);
    let Config { server: wanted, geo: geo_read, zones } = config;
    if wanted.listen != started_with.listen {
        tracing::warn!("[listen] has changed: that takes a restart");
    }
    if wanted.admin != started_with.admin {
        tracing::warn!("[admin] has changed: that takes a restart");
    }
    let (zones, kept) = keep_what_serves(zones, &server.zones().await);
    for apex in &kept {
        tracing::error!(zone = %apex, "the zone has errors: its old version stays in force");
    }
    let broken = zones.iter().any(|zone| matches!(zone, Authored::Broken(_)));
    let mut how = if broken || !kept.is_empty() { Reload::Partial } else { Reload::Applied };
    if geo_read != *geo && (kept.is_empty() || !knows_less(&geo_read.atlas, &geo.atlas)) {
        log_geo(&wanted, &geo_read);
        *geo = geo_read;
    } else if geo_read != *geo {
        tracing::error!("the geo files know less than before: what they said stays in force");
        how = Reload::Partial;
    }
    let atlas = Arc::clone(&geo.atlas);
    let metrics = wanted.metrics;
    server.reload(Wanted { zones, settings, atlas, suspicion, metrics }).await;
    server.reloaded(how).await;
    tracing::info!(kept = kept.len(), "reloaded");
    let kept = kept.iter().map(|apex| apex.to_string().trim_end_matches('.').to_owned());
    ReloadedDoc { applied: true, kept: kept.collect(), diagnostics }
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
        let model = ZoneModel { records: Records::new(apex(text)), services: Vec::new() };
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
