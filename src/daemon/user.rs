//! As whom the process runs: root is needed for ports below 1024, and for nothing else.
//!
//! Started as root with `user` in `rota.toml`, the process becomes that user before it reads a
//! zone or an octet from the network. Of root's powers it keeps one, to bind low ports, until they
//! are bound: statuses are awaited first, and clients shall be refused meanwhile rather than wait.
//! With `xdp` under `[listen]` it keeps those that taking interfaces needs, until these are taken.
//! Started as root without `user`, it runs on as root and says how not to.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, lchown};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, set_capabilities, set_keep_capabilities,
    set_no_new_privs,
};

use crate::config::{self, Server};
use crate::serve::User;

/// What is left of root's powers, to be given up.
#[derive(Debug)]
pub struct Privileges {
    kept: CapabilitySet,
}

impl Default for Privileges {
    /// None that would be this process's to give up.
    fn default() -> Self {
        Self { kept: CapabilitySet::empty() }
    }
}

impl Privileges {
    /// Gives them up, for this thread and all that it starts from now on.
    pub(super) fn give_up(self) -> io::Result<()> {
        if self.kept.is_empty() {
            return Ok(());
        }
        let none = CapabilitySet::empty();
        let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
        Ok(set_capabilities(None, sets)?)
    }
}

/// Why the process cannot run as it should.
#[derive(Debug)]
pub enum UserError {
    /// The system knows none of this name.
    Nobody(String),
    /// The state folder cannot be given to the user.
    State(PathBuf, io::Error),
    /// The kernel refused.
    Refused(String, io::Error),
}

impl fmt::Display for UserError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody(name) => write!(
                f,
                "there is no user {name}, as `user` in rota.toml says: make one with \
                 `useradd --system {name}`"
            ),
            Self::State(path, error) => {
                write!(f, "cannot give {} to the user: {error}", path.display())
            }
            Self::Refused(name, error) => write!(f, "cannot become the user {name}: {error}"),
        }
    }
}

impl std::error::Error for UserError {}

/// Becomes whom `rota.toml` names. Where the file has mistakes nothing happens: they are told when
/// all of it is read, and nothing starts.
pub(super) fn enter(path: Option<&Path>) -> Result<Privileges, UserError> {
    let Ok(server) = config::load_server(path) else { return Ok(Privileges::default()) };
    let root = geteuid().is_root();
    let Some(name) = &server.user else {
        if root {
            tracing::warn!(
                help = "write `user = \"rota\"` in rota.toml, or start it as that user with \
                        CAP_NET_BIND_SERVICE",
                "running as root"
            );
        }
        return Ok(Privileges::default());
    };
    let refused = |error: io::Error| UserError::Refused(name.clone(), error);
    let user = User::find(name).map_err(refused)?;
    let user = user.ok_or_else(|| UserError::Nobody(name.clone()))?;
    if !root {
        let uid = geteuid().as_raw();
        if uid != user.uid() {
            tracing::warn!(user = name, uid, "only root can become another user: it stays");
        }
        return Ok(Privileges::default());
    }
    own(&server, &user)?;
    let kept = become_it(&user, needed(&server)).map_err(refused)?;
    tracing::info!(user = name, uid = user.uid(), "root is given up");
    Ok(kept)
}

/// What a start needs of root's powers: low ports, and where interfaces are to be taken the
/// program, the sockets below the others, and memory that stays where it is.
fn needed(server: &Server) -> CapabilitySet {
    let taking = CapabilitySet::NET_ADMIN
        | CapabilitySet::BPF
        | CapabilitySet::NET_RAW
        | CapabilitySet::IPC_LOCK;
    let none = server.listen.xdp.is_empty();
    CapabilitySet::NET_BIND_SERVICE | if none { CapabilitySet::empty() } else { taking }
}

/// Becomes the user, with no power but those needed, as far as they were there.
fn become_it(user: &User, needed: CapabilitySet) -> io::Result<Privileges> {
    let kept = needed & capabilities(None)?.permitted;
    set_keep_capabilities(true)?;
    user.become_it()?;
    set_keep_capabilities(false)?;
    let inheritable = CapabilitySet::empty();
    let sets = CapabilitySets { effective: kept, permitted: kept, inheritable };
    set_capabilities(None, sets)?;
    set_no_new_privs(true)?;
    Ok(Privileges { kept })
}

/// Makes the state folder, and gives the user what root has left in it.
fn own(server: &Server, user: &User) -> Result<(), UserError> {
    let folder = &server.state;
    let give = |path: &Path| lchown(path, Some(user.uid()), Some(user.gid()));
    let all = || -> io::Result<()> {
        fs::create_dir_all(folder)?;
        give(folder)?;
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let about = entry.metadata()?;
            // A second name of a file may be that of anybody's.
            if about.uid() == 0 && about.is_file() && about.nlink() == 1 {
                give(&entry.path())?;
            }
        }
        Ok(())
    };
    all().map_err(|error| UserError::State(folder.clone(), error))
}
