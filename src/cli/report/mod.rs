//! What a configuration comes to, before anything serves it: the text of `rota check`.
//!
//! Every setting with its value, and whether that is the default; how long a dead node can live on
//! in caches, with the arithmetic; and the lines that the owner of the parent zone must add.
//! Problems are not told here: they are rendered by [`config::render`](crate::config::render).

mod checks;
mod guards;
mod page;
mod parent;
mod pools;
mod recipes;
mod server;
mod service;

use std::fmt::{Display, Write};
use std::time::Duration;

use page::Page;

use crate::config::{Loaded, summary};
use crate::snapshot::{Authored, ZoneModel};
use crate::wire::Name;

/// What the configuration comes to, for reading.
pub fn report(loaded: &Loaded) -> String {
    let mut page = Page::default();
    if let Some(server) = &loaded.server {
        page.server(server, loaded.geo.as_ref(), loaded.keys.as_deref().unwrap_or_default());
    }
    for zone in &loaded.zones {
        match zone {
            Authored::Good(model) => page.zone(model),
            Authored::Broken(apex) => {
                page.line(0, format_args!("zone {}", bare(apex)));
                page.line(1, "has errors: its names get SERVFAIL until they are mended");
                page.blank();
            }
        }
    }
    page.line(0, totals(loaded));
    page.text
}

impl Page {
    fn zone(&mut self, zone: &ZoneModel) {
        let apex = &zone.records.apex;
        self.line(0, format_args!("zone {}", bare(apex)));
        for service in &zone.services {
            self.blank();
            self.service(service, &zone.records);
        }
        self.blank();
        self.parent(zone);
        self.blank();
    }
}

fn totals(loaded: &Loaded) -> String {
    let good = || {
        loaded.zones.iter().filter_map(|zone| match zone {
            Authored::Good(model) => Some(model),
            Authored::Broken(_) => None,
        })
    };
    let services = || good().flat_map(|zone| &zone.services);
    let nodes: usize = services().map(|service| service.nodes().count()).sum();
    let count =
        |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    let mut text =
        [count(good().count(), "zone"), count(services().count(), "service"), count(nodes, "node")]
            .join(", ");
    let verdict = summary(&loaded.diagnostics).unwrap_or_else(|| "all good".to_owned());
    let _ = write!(text, ": {verdict}");
    text
}

fn quoted(all: impl IntoIterator<Item = impl Display>) -> String {
    all.into_iter().map(|one| format!("\"{one}\"")).collect::<Vec<_>>().join(", ")
}

/// A name without its final dot, as people write it.
pub(super) fn bare(name: &Name) -> String {
    let text = name.to_string();
    text.strip_suffix('.').filter(|stem| !stem.is_empty()).unwrap_or(".").to_owned()
}

fn time(duration: Duration) -> String {
    humantime::format_duration(duration).to_string()
}

fn seconds(seconds: u32) -> String {
    time(Duration::from_secs(u64::from(seconds)))
}
