//! Floor 7: `rota.toml` and `zones/` to a validated model.
//!
//! ```text
//!   load.rs    files ─> Source            the only I/O, but for
//!   folder.rs  zones/ ─> Authored         which files are whose
//!   grants.rs  a name ─> a program        what rota.toml lets zones do
//!   readings.rs                           what did not change is not made anew
//!   crew.rs                               many zones, by all cores
//!   syntax.rs  Source ─> spanned TOML     every syntax error
//!   tables.rs  what may be written        each key described once, in the terms of keys.rs
//!   reader.rs  TOML ─> Fields             unknown keys, types, bounds, words, "not yet"
//!   fields.rs  value.rs                   what fits, or else the default; where it stands
//!   server.rs  zone.rs                    Fields ─> Server, Authored: what keys mean together
//!     dns.rs geo.rs delegation.rs check.rs pacing.rs records.rs
//!     service.rs pools.rs nodes.rs steering.rs answers.rs guard.rs needs.rs published.rs
//!   render.rs  Diagnostic ─> text         the line underlined
//!   schema.rs  reference.rs               the tables for editors, and as a page
//! ```
//!
//! Whoever edits a file by hand wants every mistake of it at once, each with its place and what to
//! write instead. So nothing here returns at the first error: each part pushes diagnostics and
//! hands on what it could read, and only at the end is a zone with an error declared broken. All
//! but [`load()`] and [`reload()`] is pure over texts.

mod admin;
mod answers;
mod check;
mod crew;
mod delegation;
mod dns;
mod fields;
mod folder;
mod geo;
mod grants;
mod guard;
pub mod keys;
mod listen;
mod load;
mod log;
mod names;
mod needs;
mod nodes;
mod pacing;
mod pools;
mod published;
mod reader;
mod readings;
mod records;
pub mod reference;
mod render;
pub mod schema;
mod server;
mod service;
mod steering;
mod suggest;
mod syntax;
pub mod tables;
mod tls;
mod value;
mod zone;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::admin::metrics::Caps;
use crate::health::Hearing;
use crate::serve::{Gate, Limits, Pair, Proxies};
use crate::snapshot::Authored;
use crate::snapshot::settings::{EcsFrom, Nsid, RateLimit, Sampling, Version};
use crate::wire::cookie::Secrets;
use crate::zone::Diagnostic;

pub use folder::is_zone_file;
pub use geo::Geo;
pub use grants::{Grants, Refusal};
pub use load::{FILE_NAME, load, load_server, reload};
pub use readings::Readings;
pub use render::{SHOWN_MAX, render, summary};
pub use server::read_server;
pub(crate) use service::relative;
pub(crate) use suggest::nearest;
pub use tls::{CertificateFiles, at};
pub use zone::{ZoneFiles, read_zone, read_zone_with};

/// What the files of a configuration say, with everything that is wrong in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// None where `rota.toml` has errors: then nothing may start.
    pub server: Option<Server>,
    /// None where a file of `[geo]` cannot be used: then nothing may start either.
    pub geo: Option<Geo>,
    /// The certificates; none where a file of them cannot be used.
    pub keys: Option<Vec<Pair>>,
    /// One for each apex found in the zones folder, in canonical order of apexes.
    pub zones: Vec<Authored>,
    /// By file and place; errors and warnings.
    pub diagnostics: Vec<Diagnostic>,
}

impl Loaded {
    /// What can be served; none where `rota.toml` or a file of `[geo]` has errors, or there is no
    /// zone at all.
    pub fn into_config(self) -> Option<Config> {
        let (server, geo) = (self.server?, self.geo?);
        let (zones, keys) = (self.zones, self.keys);
        (!zones.is_empty()).then_some(Config { server, geo, keys, zones })
    }
}

/// By file and place, because keys are judged in another order than they are read in; problems
/// without a place come first, since others may follow from them.
fn sort_by_place(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by_key(|one| {
        one.place.as_ref().map(|place| (place.source.path.clone(), place.span.start))
    });
}

/// Everything an operator wrote, with every default filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// What belongs to the server.
    pub server: Server,
    /// Where clients are.
    pub geo: Geo,
    /// The certificates; none where a file of them cannot be used: then those in force stay, and
    /// nothing may start.
    pub keys: Option<Vec<Pair>>,
    /// One for each apex found in the zones folder, in canonical order of apexes.
    pub zones: Vec<Authored>,
}

/// `rota.toml`: what belongs to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The folder of zones.
    pub zones: PathBuf,
    /// The folder of what must last: overrides, last statuses, keys.
    pub state: PathBuf,
    /// Whom the process becomes when root has started it.
    pub user: Option<String>,
    /// Where to listen.
    pub listen: Listen,
    /// Who this server is, in TLS.
    pub tls: Tls,
    /// Who may change things.
    pub admin: Admin,
    /// Protocol settings.
    pub dns: Dns,
    /// What checks may do with the machine.
    pub checks: Checks,
    /// When the prober is to be doubted.
    pub guard: Doubt,
    /// Who else is heard on how nodes are.
    pub reports: Hearing,
    /// The files that say where clients are, the most trusted first.
    pub geo: Vec<PathBuf>,
    /// How much `/metrics` shows; none where it is switched off.
    pub metrics: Option<Caps>,
    /// Which answers are written down; none for none.
    pub sampling: Option<Sampling>,
    /// Whether changes to the files are noticed.
    pub watch: bool,
}

/// `[checks]`: what checks may do with the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checks {
    /// The folder of the programs that they may run; none where they may run none.
    pub exec: Option<PathBuf>,
    /// Whether they may run them where the server runs as root.
    pub exec_as_root: bool,
    /// The folder of the files of states.
    pub states: PathBuf,
}

/// `[guard]`: when the prober is to be doubted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// What always answers.
    pub control: Vec<SocketAddr>,
    /// The longest that no node goes down for silence.
    pub freeze: Duration,
}

/// `[listen]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// UDP and TCP.
    pub dns: Vec<SocketAddr>,
    /// Where else, and for what.
    pub gates: Vec<Gate>,
    /// Interfaces at whose drivers UDP for `dns` is taken.
    pub xdp: Vec<String>,
    /// The path of DNS over HTTPS.
    pub path: String,
    /// Health, readiness, the API.
    pub admin: SocketAddr,
    /// UDP threads; 0 = one per core of the affinity mask.
    pub workers: usize,
    /// Who speaks for others.
    pub proxies: Proxies,
    /// What the clients of connections may use.
    pub limits: Limits,
    /// How long answers go on after SIGTERM.
    pub lame_duck: Duration,
}

/// `[tls]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The files of each certificate, in the order of preference.
    pub certificates: Vec<CertificateFiles>,
    /// How long before its end a certificate is warned of.
    pub warn_before: Duration,
}

/// `[admin]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// The file of what changes over TCP need; none where they need nothing.
    pub token_file: Option<PathBuf>,
    /// The token may travel over a network as it is.
    pub plain_text: bool,
    /// The Unix socket; none where there is none.
    pub socket: Option<PathBuf>,
}

/// `[dns]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dns {
    /// Largest UDP response, in octets.
    pub udp_size: u16,
    /// Which server of many this is.
    pub nsid: Option<Nsid>,
    /// What `version.bind` says.
    pub version: Option<Version>,
    /// Whether cookies are in use.
    pub cookies: bool,
    /// What cookies are made with; none where chance shall decide.
    pub cookie_secrets: Option<Secrets>,
    /// How often answers may go to one network.
    pub rate_limit: Option<RateLimit>,
    /// Whose client subnets count.
    pub ecs: EcsFrom,
}
