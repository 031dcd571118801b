//! Floor 7: start, reload, stop.
//!
//! [`run`] is the life of `rota run` from the first read of the configuration to the last answer.
//! [`server`] is what is started and stopped together; the demo starts the same. [`control`] is the
//! one task that thinks, `reload` what a new configuration may change, `watch` how that is noticed,
//! [`state`], `kept` and `past` what outlives the process, `scribe` how that is written, `orders`
//! what operators say, `leaving` when nobody holds what they took out, `cached` and `view` how all
//! of it is told. `user`, `limits` and `systemd` settle with the system how it runs, `handover`
//! lets another process take its place, and `sampled` is the answer log.

mod books;
mod cached;
pub mod control;
mod estate;
mod explain;
mod handover;
mod keeper;
mod kept;
mod known;
mod leaving;
mod limits;
mod orders;
mod past;
mod places;
mod reload;
mod sampled;
mod scopes;
mod scribe;
pub mod server;
pub mod state;
mod systemd;
mod told;
mod user;
mod view;
mod watch;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use crate::admin::Reloads;
use crate::admin::metrics::Caps;
use crate::config::{self, Geo};
use crate::geo::Atlas;
use crate::health::{Hearing, Suspicion};
use crate::serve::{self, Ended, Keyring};
use crate::snapshot::settings::{Clock, Cookies};
use crate::snapshot::{Authored, Settings};
use crate::wire::cookie::{Secret, Secrets};
use crate::zone::Diagnostic;

pub use estate::{Estate, Heritage};
use handover::Door;
pub use handover::HandoverError;
use reload::{Cause, Reloader};
pub use server::{Server, Setup, StartError};
pub use systemd::PassedError;
use systemd::Supervisor;
pub use user::{Privileges, UserError};

/// Reloads that may wait: each is followed by a whole one.
const RELOADS_MAX: usize = 4;

/// How `rota run` was called.
#[derive(Clone, Debug)]
pub struct Call {
    /// The file of `-c`.
    pub config: Option<PathBuf>,
    /// A broken zone stops the start.
    pub strict: bool,
    /// The running process is replaced.
    pub replace: bool,
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
    /// Who else is heard on how nodes are.
    pub hearing: Hearing,
}

/// Why a run ended otherwise than by being told to.
#[derive(Debug)]
pub enum RunError {
    /// The configuration cannot be served; its diagnostics have been reported.
    Config,
    /// The process cannot run as whom it should.
    User(UserError),
    /// The sockets of the service manager cannot be served.
    Passed(PassedError),
    /// The running process cannot be replaced.
    Handover(HandoverError),
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
            Self::User(error) => error.fmt(f),
            Self::Passed(error) => error.fmt(f),
            Self::Handover(error) => error.fmt(f),
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

/// Serves until SIGTERM or SIGINT; SIGHUP, and changes to its files, have the configuration read
/// anew. `report` is given whatever is wrong with it, at the start and at every reload.
pub async fn run(call: Call, report: impl Fn(&[Diagnostic])) -> Result<(), RunError> {
    let mut signals = Signals::new().map_err(RunError::Signals)?;
    let supervisor = Supervisor::from_environment();
    let privileges = user::enter(call.config.as_deref()).map_err(RunError::User)?;
    let mut reloader = Reloader::new(call.config, random_secret(), report);
    let (sound, loaded) = reloader.load();
    if call.strict && !sound {
        return Err(RunError::Config);
    }
    let (config, wanted) = loaded.ok_or(RunError::Config)?;
    let (reloads, mut asked) = mpsc::channel(RELOADS_MAX);
    let keyring = Arc::clone(reloader.keyring());
    let setup = setup(&config, keyring, call.seed.unwrap_or_else(random_seed), reloads);
    limits::raise(&setup.serve);
    let mut heritage = heritage(call.replace, &config)?;
    let predecessor = heritage.predecessor.take();
    let started = Server::start(setup, wanted, heritage, privileges).await;
    let mut server = started.map_err(RunError::Start)?;
    let mut door = server.take_estate().and_then(|estate| open_door(&config.state, estate));
    if let Some(predecessor) = predecessor {
        // First the socket: once released, the other process removes what it still finds its own.
        server.open_socket(config.admin.socket.as_deref());
        predecessor.release().await;
        server.reread().await;
    }
    supervisor.ready(reloader.zones(), &server.addresses());
    tokio::spawn(supervisor.clone().keep_well(server.health()));
    reloader.catch_up(&server).await;
    loop {
        let taken = async {
            match &mut door {
                Some(door) => door.taken().await,
                None => std::future::pending().await,
            }
        };
        let (cause, asker) = tokio::select! {
            ended = server.ended() => {
                close(door).await;
                server.stop().await;
                return Err(RunError::Ended(ended));
            }
            pid = taken => {
                tracing::info!(pid, "replaced: leaving");
                supervisor.replaced(pid);
                close(door).await;
                server.leave().await;
                tracing::info!("stopped");
                return Ok(());
            }
            () = reloader.changed() => (Cause::Change, None),
            Some(asker) = asked.recv() => (Cause::Asked, Some(asker)),
            told = signals.next() => match told {
                Told::Reload => (Cause::Asked, None),
                Told::Stop(name) => {
                    tracing::info!(signal = name, "stopping");
                    supervisor.stopping();
                    server.announce_stop();
                    last_answers(config.listen.lame_duck, &mut server, &mut signals).await;
                    close(door).await;
                    server.stop().await;
                    tracing::info!("stopped");
                    return Ok(());
                }
            },
        };
        if cause == Cause::Asked {
            supervisor.reloading();
        }
        let told = reloader.reload(&server, cause).await;
        if cause == Cause::Asked {
            supervisor.ready(reloader.zones(), &server.addresses());
        }
        if let (Some(asker), Some(told)) = (asker, told) {
            // Whoever asked may have gone.
            drop(asker.send(told));
        }
    }
}

/// What this process begins with: what the running one hands over, or what the service manager
/// passes, or nothing.
fn heritage(replace: bool, config: &config::Server) -> Result<Heritage, RunError> {
    if replace {
        match handover::take_over(&config.state).map_err(RunError::Handover)? {
            Some(heritage) => return Ok(heritage),
            None => {
                let state = config.state.display();
                tracing::warn!(%state, "no process runs with this state folder: starting afresh");
            }
        }
    }
    let sockets = systemd::passed(&config.listen).map_err(RunError::Passed)?;
    Ok(Heritage { sockets, ..Heritage::default() })
}

/// Lets a successor in; without it all works, but a replacement.
fn open_door(folder: &Path, estate: Estate) -> Option<Door> {
    match Door::open(folder, estate) {
        Ok(door) => Some(door),
        Err(error) => {
            let folder = folder.display();
            tracing::warn!(%folder, %error, "this process cannot be replaced while it runs");
            None
        }
    }
}

async fn close(door: Option<Door>) {
    if let Some(door) = door {
        door.close().await;
    }
}

/// Answers on for the time that others need to send their questions elsewhere; whoever says it
/// twice does not want to wait.
async fn last_answers(lame_duck: Duration, server: &mut Server, signals: &mut Signals) {
    let again = async { while matches!(signals.next().await, Told::Reload) {} };
    tokio::select! {
        () = tokio::time::sleep(lame_duck) => {}
        _ = server.ended() => {}
        () = again => tracing::info!("told again: stopping at once"),
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
fn setup(config: &config::Server, keyring: Arc<Keyring>, seed: u64, reloads: Reloads) -> Setup {
    let listen = &config.listen;
    Setup {
        serve: serve::Options {
            addresses: listen.dns.clone(),
            gates: listen.gates.clone(),
            xdp: listen.xdp.clone(),
            workers: listen.workers,
            limits: listen.limits,
            proxies: listen.proxies.clone(),
            keyring,
            path: listen.path.clone(),
        },
        admin: listen.admin,
        token_file: config.admin.token_file.clone(),
        socket: config.admin.socket.clone(),
        state: Some(config.state.clone()),
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
        sampling: server.sampling.clone(),
        idle: server.listen.limits.idle,
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
