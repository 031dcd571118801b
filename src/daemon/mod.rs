//! Floor 7: start, reload, stop.
//!
//! [`run`] is the life of `rota run` from the first read of the configuration to the last answer.
//! [`server`] is what is started and stopped together; the demo starts the same. [`control`] is the
//! one task that thinks, [`reload`] what a new configuration may change, [`state`] and `kept` what
//! outlives the process, `orders` what operators say, `view` how all of it is told.

mod books;
pub mod control;
mod explain;
mod keeper;
mod kept;
mod known;
mod orders;
pub mod reload;
mod scopes;
pub mod server;
pub mod state;
mod told;
mod view;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use crate::admin::Reloads;
use crate::admin::metrics::Caps;
use crate::config::{self, Config, Geo};
use crate::geo::Atlas;
use crate::health::Suspicion;
use crate::serve::{self, Ended};
use crate::snapshot::settings::{Clock, Cookies};
use crate::snapshot::{Authored, Settings};
use crate::wire::cookie::{Secret, Secrets};
use crate::zone::Diagnostic;
use crate::zone::diagnostic::has_errors;

pub use server::{Server, Setup, StartError};

/// Reloads that may wait: each is followed by a whole one.
const RELOADS_MAX: usize = 4;

/// How `rota run` was called.
#[derive(Clone, Debug)]
pub struct Call {
    /// The file of `-c`.
    pub config: Option<PathBuf>,
    /// A broken zone stops the start.
    pub strict: bool,
    /// The start of all random numbers; by chance where it is not given.
    pub seed: Option<u64>,
}

/// What a configuration says of answers: all of it is put in force in one step.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What is answered.
    pub zones: Vec<Authored>,
    /// How.
    pub settings: Settings,
    /// Where clients are.
    pub atlas: Arc<Atlas>,
    /// How much `/metrics` shows; none to show nothing.
    pub metrics: Option<Caps>,
    /// When the prober is to be doubted.
    pub suspicion: Suspicion,
}

/// Why a run ended otherwise than by being told to.
#[derive(Debug)]
pub enum RunError {
    /// The configuration cannot be served; its diagnostics have been reported.
    Config,
    /// Something could not be started.
    Start(StartError),
    /// Signals cannot be waited for.
    Signals(io::Error),
    /// A thread that must not end has ended.
    Ended(Ended),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config => f.write_str("the configuration cannot be served as it is"),
            Self::Start(error) => error.fmt(f),
            Self::Signals(error) => write!(f, "cannot wait for signals: {error}"),
            Self::Ended(Ended { thread, error: Some(error) }) => {
                write!(f, "the thread {thread} has ended: {error}")
            }
            Self::Ended(Ended { thread, error: None }) => {
                write!(f, "the thread {thread} has ended by a fault; its last words are above")
            }
        }
    }
}

impl std::error::Error for RunError {}

/// Serves until SIGTERM or SIGINT; SIGHUP reads the configuration anew. `report` is given whatever
/// is wrong with it, at the start and at every reload.
pub async fn run(call: Call, report: impl Fn(&[Diagnostic])) -> Result<(), RunError> {
    let mut signals = Signals::new().map_err(RunError::Signals)?;
    let loaded = config::load(call.config.as_deref());
    report(&loaded.diagnostics);
    if call.strict && has_errors(&loaded.diagnostics) {
        return Err(RunError::Config);
    }
    let mut config = loaded.into_config().ok_or(RunError::Config)?;
    let (reloads, mut asked) = mpsc::channel(RELOADS_MAX);
    let setup = setup(&config, call.seed.unwrap_or_else(random_seed), reloads);
    let chance = random_secret();
    log_geo(&config.server, &config.geo);
    let wanted = Wanted {
        zones: std::mem::take(&mut config.zones),
        settings: settings(&config.server, chance),
        atlas: Arc::clone(&config.geo.atlas),
        metrics: config.server.metrics,
        suspicion: suspicion(&config.server),
    };
    let mut server = Server::start(setup, wanted).await.map_err(RunError::Start)?;
    loop {
        let asker = tokio::select! {
            ended = server.ended() => {
                server.stop().await;
                return Err(RunError::Ended(ended));
            }
            Some(asker) = asked.recv() => Some(asker),
            told = signals.next() => match told {
                Told::Reload => None,
                Told::Stop(name) => {
                    tracing::info!(signal = name, "stopping");
                    server.stop().await;
                    tracing::info!("stopped");
                    return Ok(());
                }
            },
        };
        let Config { server: started_with, geo, .. } = &mut config;
        let path = call.config.clone();
        let told = reload::reload(&server, started_with, geo, chance, path, &report).await;
        if let Some(asker) = asker {
            // Whoever asked may have gone.
            drop(asker.send(told));
        }
    }
}

/// Tells from which files it is known where clients are.
fn log_geo(server: &config::Server, geo: &Geo) {
    let files: Vec<_> = server.geo.iter().map(|path| path.display().to_string()).collect();
    if files.is_empty() {
        return;
    }
    let known: Vec<_> = geo.atlas.facts().iter().map(ToString::to_string).collect();
    let (files, known, octets) = (files.join(", "), known.join(", "), geo.atlas.bytes());
    tracing::info!(files, known, octets, "geo files read");
}

/// What a configuration says of a server.
fn setup(config: &Config, seed: u64, reloads: Reloads) -> Setup {
    let listen = &config.server.listen;
    Setup {
        serve: serve::Options {
            addresses: listen.dns.clone(),
            workers: listen.workers,
            tcp: serve::Limits {
                connections: listen.tcp_connections,
                connections_per_client: listen.tcp_connections_per_client,
                idle: listen.tcp_idle,
            },
        },
        admin: listen.admin,
        token_file: config.server.admin.token_file.clone(),
        socket: config.server.admin.socket.clone(),
        state: Some(config.server.state.clone()),
        reloads: Some(reloads),
        seed,
    }
}

/// What a configuration says of answers beside its zones. `chance` makes cookies where the
/// operator gives no secret, and is the same as long as the process lives; without either there
/// are none.
#[expect(clippy::disallowed_methods, reason = "where the wall clock enters, once a configuration")]
pub fn settings(server: &config::Server, chance: Option<Secret>) -> Settings {
    let dns = &server.dns;
    let by_chance = || chance.map(|making| Secrets { making, also: None });
    let secrets = dns.cookie_secrets.or_else(by_chance).filter(|_| dns.cookies);
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // Cookies have 32 bits for the time, which wrap.
    let clock = Clock { at: Instant::now(), unix: since_1970.as_secs() as u32 };
    Settings {
        udp_size: dns.udp_size,
        nsid: dns.nsid.clone(),
        version: dns.version.clone(),
        cookies: secrets.map(|secrets| Cookies { secrets, clock }),
        rate_limit: dns.rate_limit.clone(),
        ecs: dns.ecs.clone(),
        idle: server.listen.tcp_idle,
    }
}

/// What a configuration says of when the prober is to be doubted.
pub fn suspicion(server: &config::Server) -> Suspicion {
    Suspicion::new(&server.guard.control, server.guard.freeze)
}

/// A secret that nobody can know; none, which the log tells, where the system has no randomness.
pub fn random_secret() -> Option<Secret> {
    let mut octets = [0; 16];
    match rustls::crypto::ring::default_provider().secure_random.fill(&mut octets) {
        Ok(()) => Some(octets.into()),
        Err(error) => {
            tracing::warn!(?error, "no randomness for cookies: they need `cookie_secrets`");
            None
        }
    }
}

/// A seed that nobody can know: rotation starts and weighted draws must not be foreseen.
pub fn random_seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id())
}

/// What the process was told from outside.
enum Told {
    Reload,
    Stop(&'static str),
}

struct Signals {
    hangup: Signal,
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.hangup.recv() => Told::Reload,
            _ = self.interrupt.recv() => Told::Stop("SIGINT"),
            _ = self.terminate.recv() => Told::Stop("SIGTERM"),
        }
    }
}
