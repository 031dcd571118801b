//! A running server: everything that is started together and stopped together.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};

use crate::admin::docs::StatusDoc;
use crate::admin::metrics::Reload;
use crate::admin::{self, Desk, Door, Health, Phase, Reloads, Socket, Token};
use crate::serve::{self, Ended, Gate, Inherited, Listeners, Running, Way};
use crate::snapshot::Authored;

use super::Wanted;
use super::control::{Command, Control};
use super::estate::{Copies, Estate, Heritage};
use super::sampled::{self, AnswerLog};
use super::user::Privileges;

/// Answers wait for first verdicts no longer than this. DESIGN: better an unchecked address than
/// no answer.
const SETTLE_MAX: Duration = Duration::from_secs(5);
/// A prober without a sign of life for this long is stalled, and `/healthz` says so.
const SILENCE_MAX: Duration = Duration::from_secs(10);
/// Commands that may wait.
const COMMANDS_MAX: usize = 16;

/// What a server is started with.
#[derive(Clone, Debug)]
pub struct Setup {
    /// DNS listeners.
    pub serve: serve::Options,
    /// The admin listener.
    pub admin: SocketAddr,
    /// What changes over it need.
    pub token_file: Option<PathBuf>,
    /// The admin listener's Unix socket; none to have none.
    pub socket: Option<PathBuf>,
    /// Where statuses and overrides are kept; none to keep nothing.
    pub state: Option<PathBuf>,
    /// Where a reload is asked for; none where there is nothing to read anew.
    pub reloads: Option<Reloads>,
    /// The start of all random numbers.
    pub seed: u64,
}

/// A running server. Dropping it does not stop it; [`stop`](Self::stop) does.
#[derive(Debug)]
pub struct Server {
    running: Running,
    commands: mpsc::Sender<Command>,
    desk: Desk,
    control: JoinHandle<()>,
    state: Arc<admin::State>,
    admin: JoinSet<()>,
    stop_admin: watch::Sender<()>,
    estate: Option<Estate>,
}

/// Why a server could not start.
#[derive(Debug)]
pub enum StartError {
    /// A DNS address.
    Dns(serve::BindError),
    /// The admin address.
    Admin(admin::BindError),
    /// The file of the admin token.
    Token(PathBuf, io::Error),
    /// Root's powers could not be given up.
    Privileges(io::Error),
    /// No thread, runtime or descriptor.
    Threads(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(error) => error.fmt(f),
            Self::Admin(error) => error.fmt(f),
            Self::Token(path, error) => {
                write!(f, "the token cannot be read from {}: {error}", path.display())
            }
            Self::Privileges(error) => write!(f, "cannot give up root's powers: {error}"),
            Self::Threads(error) => write!(f, "cannot start a worker: {error}"),
        }
    }
}

impl std::error::Error for StartError {}

impl Server {
    /// Starts in this order: ports are tried, the admin listener answers, zones are compiled, every
    /// target gets a first verdict (or five seconds pass), and only then DNS is answered.
    ///
    /// What is there already, sockets and statuses, is taken from `heritage`; `privileges` end when
    /// the last port is bound and the last interface taken.
    pub async fn start(
        setup: Setup,
        wanted: Wanted,
        mut heritage: Heritage,
        privileges: Privileges,
    ) -> Result<Self, StartError> {
        // A port that is taken is the first thing to say; it is given back until it can be served.
        let options = available(setup.serve, &heritage.sockets)?;
        let token = |path: PathBuf| Token::read(&path).map_err(|why| StartError::Token(path, why));
        let token = setup.token_file.map(token).transpose()?;
        let listener = match heritage.take_admin(setup.admin) {
            Some(listener) => admin::adopt(listener),
            None => admin::bind(setup.admin).await,
        };
        let listener = listener.map_err(StartError::Admin)?;
        let admin_addr = listener.local_addr().unwrap_or(setup.admin);
        let admin_copy = listener.as_fd().try_clone_to_owned().map_err(StartError::Threads)?;
        let state = Arc::new(admin::State::new(now(), SILENCE_MAX));
        // The socket of a process that is being replaced is its own until it goes.
        let free = setup.socket.as_deref().filter(|_| !heritage.is_handed_over());
        let unix = free.and_then(|path| unix_door(path, Socket::bind));
        let doors = [Some(Door::Tcp(listener, token)), unix];
        let stop_admin = watch::Sender::new(());
        let mut seeds = Rng::with_seed(setup.seed);
        let mut control = Control::new(seeds.fork());
        let (desk, requests) = Desk::new(control.events());
        let (answers, heard) = broadcast::channel(sampled::BEHIND_MAX);
        let desk = desk.with_reloads(setup.reloads).with_answers(heard);
        let mut admin = JoinSet::new();
        for door in doors.into_iter().flatten() {
            admin.spawn(answer(door, &state, &desk, &stop_admin));
        }

        control.begin(wanted, setup.state, heritage.take_statuses());
        control.settle(SETTLE_MAX).await;

        let seed = seeds.u64(..);
        let mut listeners =
            Listeners::adopt(&options, &mut heritage.sockets).map_err(StartError::Dns)?;
        listeners.take_below(seeds.u64(..));
        privileges.give_up().map_err(StartError::Privileges)?;
        let copies = listeners.copies().map_err(StartError::Threads)?;
        let running = serve::start(listeners, Arc::clone(control.current()), seed)
            .map_err(StartError::Threads)?;
        for Gate { way, address } in running.gates() {
            match way {
                Way::Dns => tracing::info!(dns = %address, "listening"),
                Way::Tls => tracing::info!(tls = %address, "listening"),
                Way::Https => tracing::info!(https = %address, "listening"),
                Way::Http => tracing::info!(http = %address, "listening"),
                Way::Quic => tracing::info!(quic = %address, "listening"),
                Way::H3 => tracing::info!(h3 = %address, "listening"),
            }
        }
        tracing::info!(admin = %admin_addr, "listening");
        let (commands, received) = mpsc::channel(COMMANDS_MAX);
        let beat = Arc::clone(&state);
        let tallies = running.tallies().to_vec();
        control.read_from(running.figures());
        let current = Arc::clone(control.current());
        let log = AnswerLog::new(tallies.clone(), Arc::clone(&current), answers);
        admin.spawn(log.run(stop_admin.subscribe()));
        admin.spawn(admin::keep_record(
            desk.clone(),
            tallies.clone(),
            current,
            stopped(&stop_admin),
        ));
        let control =
            tokio::spawn(control.run(received, requests, tallies, move |now| beat.beat(now)));
        state.enter(Phase::Serving);
        let copies = Copies { dns: copies, admin: (setup.admin, admin_copy) };
        let estate = Some(Estate::new(copies, commands.clone()));
        Ok(Self { running, commands, desk, control, state, admin, stop_admin, estate })
    }

    /// Opens the Unix socket in the place of the process that was replaced.
    pub fn open_socket(&mut self, path: Option<&Path>) {
        if let Some(door) = path.and_then(|path| unix_door(path, Socket::take)) {
            self.admin.spawn(answer(door, &self.state, &self.desk, &self.stop_admin));
        }
    }

    /// What a successor needs; there is one of it. The server ends only after it is dropped.
    pub fn take_estate(&mut self) -> Option<Estate> {
        self.estate.take()
    }

    /// Whether the control task has shown a sign of life lately.
    pub fn health(&self) -> impl Fn() -> bool + use<> {
        let state = Arc::clone(&self.state);
        move || state.health(now()) == Health::Well
    }

    /// Where DNS is answered, with real ports.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.running.addresses()
    }

    /// Puts something else in force.
    pub async fn reload(&self, wanted: Wanted) {
        // The control task ends only after this is gone.
        drop(self.commands.send(Command::Reload(Box::new(wanted))).await);
    }

    /// Notes what became of a configuration that was read anew.
    pub async fn reloaded(&self, how: Reload) {
        drop(self.commands.send(Command::Reloaded(how)).await);
    }

    /// Takes over what the process that was replaced was told last.
    pub async fn reread(&self) {
        drop(self.commands.send(Command::Reread).await);
    }

    /// The zones in force.
    pub async fn zones(&self) -> Vec<Authored> {
        let (reply, answer) = oneshot::channel();
        drop(self.commands.send(Command::Zones(reply)).await);
        answer.await.unwrap_or_default()
    }

    /// How everything stands.
    pub async fn status(&self) -> StatusDoc {
        self.desk.status().await.unwrap_or_default()
    }

    /// Waits until a worker or the control task has ended, which neither does by itself.
    pub async fn ended(&mut self) -> Ended {
        tokio::select! {
            ended = self.running.ended() => ended,
            _ = &mut self.control => Ended { thread: String::from("control"), error: None },
        }
    }

    /// Fails `/readyz` from now on, while everything else goes on.
    pub fn announce_stop(&self) {
        self.state.enter(Phase::Stopping);
    }

    /// Stops answering, saves statuses, and ends when all is stopped.
    pub async fn stop(self) {
        self.announce_stop();
        let Self { running, commands, control, admin, stop_admin, estate, .. } = self;
        drop(estate);
        // Threads are joined, which blocks; a panic of theirs has been told by `ended`.
        drop(tokio::task::spawn_blocking(move || running.stop()).await);
        drop(commands);
        if !control.is_finished() {
            drop(control.await);
        }
        drop(stop_admin);
        admin.join_all().await;
    }

    /// Leaves everything to the process that serves on from the same sockets: the admin listener at
    /// once, as the state folder before, and the connections that are open when they end.
    pub async fn leave(self) {
        let Self { running, commands, control, admin, stop_admin, estate, .. } = self;
        drop(estate);
        drop(stop_admin);
        admin.join_all().await;
        drop(tokio::task::spawn_blocking(move || running.leave()).await);
        drop(commands);
        if !control.is_finished() {
            drop(control.await);
        }
    }
}

/// Answers at a door until everything admin is told to stop.
fn answer(
    door: Door,
    state: &Arc<admin::State>,
    desk: &Desk,
    stop: &watch::Sender<()>,
) -> impl Future<Output = ()> + use<> {
    admin::serve(door, Arc::clone(state), desk.clone(), stopped(stop))
}

/// Over when everything admin is told to stop.
fn stopped(stop: &watch::Sender<()>) -> impl Future<Output = ()> + use<> {
    let mut stopped = stop.subscribe();
    async move { while stopped.changed().await.is_ok() {} }
}

/// The Unix socket, if it can be had: TCP does what it is for, and answers need neither.
fn unix_door(path: &Path, bind: impl FnOnce(&Path) -> io::Result<Socket>) -> Option<Door> {
    match bind(path) {
        Ok(socket) => {
            tracing::info!(socket = %path.display(), "listening");
            Some(Door::Unix(socket))
        }
        Err(error) => {
            tracing::warn!(socket = %path.display(), %error, "the Unix socket cannot be used");
            None
        }
    }
}

/// The options with what this machine can listen on: where it has no IPv6 at all, `[::1]` and
/// `[::]` are left out with a warning, so that one configuration, and no configuration, works
/// everywhere.
fn available(
    mut options: serve::Options,
    inherited: &Inherited,
) -> Result<serve::Options, StartError> {
    loop {
        // What is bound already need not be tried, and could not.
        let mut tried = options.clone();
        let free = |way, address| !inherited.holds(Gate { way, address });
        tried.addresses.retain(|address| free(Way::Dns, *address));
        tried.gates.retain(|gate| free(gate.way, gate.address));
        match Listeners::bind(&tried) {
            Ok(_) => return Ok(options),
            Err(serve::BindError::Refused { address, error, .. })
                if options.addresses.iter().any(|other| *other != address)
                    && lacks_family(address, &error) =>
            {
                tracing::warn!(%address, "not listened on: this machine has no IPv6");
                options.addresses.retain(|other| *other != address);
                options.gates.retain(|gate| gate.address != address);
            }
            Err(error) => return Err(StartError::Dns(error)),
        }
    }
}

/// True where the kernel refuses an address that every machine with IPv6 has.
fn lacks_family(address: SocketAddr, error: &io::Error) -> bool {
    let everywhere = address.ip().is_loopback() || address.ip().is_unspecified();
    let unknown = error.raw_os_error() == Some(libc::EAFNOSUPPORT);
    address.is_ipv6() && everywhere && (unknown || error.kind() == io::ErrorKind::AddrNotAvailable)
}

#[expect(clippy::disallowed_methods, reason = "the start of the process is its first moment")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_machine_without_ipv6_lacks_its_loopback() {
        let missing = libc::EADDRNOTAVAIL;
        for (address, errno, expected) in [
            ("[::1]:53", missing, true),
            ("[::]:53", missing, true),
            ("[::1]:53", libc::EAFNOSUPPORT, true),
            ("[::1]:53", libc::EADDRINUSE, false),
            ("[2001:db8::1]:53", missing, false),
            ("127.0.0.1:53", missing, false),
        ] {
            let error = io::Error::from_raw_os_error(errno);
            let address: SocketAddr = address.parse().unwrap();
            assert_eq!(lacks_family(address, &error), expected, "{address} {error}");
        }
    }
}
