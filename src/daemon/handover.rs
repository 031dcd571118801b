//! One process takes the place of another without a query lost: `rota run --replace`.
//!
//! A socket that the new process binds beside the old one's is another queue, and what waits in the
//! old one is lost when it closes. So the very sockets go over, by a Unix socket in the state
//! folder, and with them the statuses, so that nothing has to be probed before it is answered:
//!
//! ```text
//!   new                                            old
//!    │  reads its configuration                     │  serves
//!    ├── connects to state/handover.sock ─────────►─┤  same user, or root?
//!    │◄─ letter: version, addresses, statuses ──────┤
//!    │◄─ the sockets, SCM_RIGHTS ───────────────────┤  serves on
//!    │  serves, on the same sockets                 │  serves on
//!    ├── "serving" ───────────────────────────────►─┤  takes no changes any more
//!    │◄─ closes ────────────────────────────────────┤
//!    │  reads the state folder again                │  lets its connections end, and ends
//! ```
//!
//! There is no moment at which nobody reads, and until the last line nothing has happened: a new
//! process that fails on the way is as if it had never been. Datagrams that wait are read by
//! either.
//!
//! The letter has a version, and one of another version is refused: then a restart is what is left.

use std::fmt;
use std::fs;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::net::{Shutdown, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use rustix::process::geteuid;
use serde::{Deserialize, Serialize};
use tokio::net::UnixListener;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;

use crate::serve::{Gate, InheritError, Inherited, Way};

use super::estate::{Copies, Estate, Heritage};
use super::state;

/// The form of the letter and of what follows it.
const VERSION: u32 = 1;
/// Descriptors in one message; Linux takes 253.
const DESCRIPTORS_MAX: usize = 64;
/// Longest letter, in octets: a million statuses.
const LETTER_LEN_MAX: usize = 256 << 20;
/// How long either side waits for the other's next word.
const WORD_PATIENCE: Duration = Duration::from_secs(10);
/// How long the old one waits for the new one to serve, which compiles its zones meanwhile.
const SERVING_PATIENCE: Duration = Duration::from_secs(300);
/// The last word of the new one.
const SERVING: &[u8; 8] = b"serving\n";

/// What the old process says of what it hands over.
#[derive(Debug, Serialize, Deserialize)]
struct Letter {
    version: u32,
    /// The old process.
    pid: u32,
    /// One for each socket that follows: the address by which the configuration asks for it.
    dns: Vec<SocketAddr>,
    /// What is spoken at each of them, by the key of `[listen]`. A process that knows no other has
    /// sockets for `dns` alone.
    #[serde(default)]
    ways: Vec<String>,
    /// The same of the admin listener, which follows last.
    admin: SocketAddr,
    /// As in the state folder's file.
    statuses: String,
}

/// The process that is being replaced, waiting for the last word.
#[derive(Debug)]
pub(super) struct Predecessor {
    stream: UnixStream,
    pid: u32,
}

impl Predecessor {
    /// Tells it that it may go, and waits until it keeps nothing in the state folder any more.
    pub(super) async fn release(self) {
        let Self { mut stream, pid } = self;
        let released = spawn_blocking(move || {
            stream.write_all(SERVING)?;
            tracing::info!(pid, "took the place of the running process");
            // It says nothing more, and closes.
            stream.read(&mut [0]).map(drop)
        });
        if let Ok(Err(error)) = released.await {
            tracing::warn!(pid, %error, "the replaced process has gone, or does not let go");
        }
    }
}

/// Why sockets could not be taken over.
#[derive(Debug)]
pub enum HandoverError {
    /// The conversation broke.
    Broken(io::Error),
    /// The letter is of another version.
    Version(u32),
    /// A socket is none that can be served.
    Unfit(InheritError),
}

impl fmt::Display for HandoverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(error) => write!(f, "the running process does not hand over: {error}"),
            Self::Version(version) => write!(
                f,
                "the running process hands over in form {version}, and this one knows {VERSION}: \
                 stop it and start this one without --replace"
            ),
            Self::Unfit(error) => write!(f, "a socket that was handed over: {error}"),
        }
    }
}

impl std::error::Error for HandoverError {}

/// Asks the running process for what it has; none where nobody runs.
pub(super) fn take_over(folder: &Path) -> Result<Option<Heritage>, HandoverError> {
    let mut stream = match UnixStream::connect(path_in(folder)) {
        Ok(stream) => stream,
        Err(error) => {
            let nobody = [io::ErrorKind::NotFound, io::ErrorKind::ConnectionRefused];
            let broken = HandoverError::Broken;
            return if nobody.contains(&error.kind()) { Ok(None) } else { Err(broken(error)) };
        }
    };
    let (letter, mut descriptors) = receive(&mut stream).map_err(HandoverError::Broken)?;
    if letter.version != VERSION {
        return Err(HandoverError::Version(letter.version));
    }
    let listener = descriptors.pop().map(|descriptor| (letter.admin, descriptor.into()));
    let mut sockets = Inherited::default();
    for (at, (address, descriptor)) in letter.dns.into_iter().zip(descriptors).enumerate() {
        let way = letter.ways.get(at).map_or(Some(Way::Dns), |word| Way::of(word));
        // What is not known here is not asked for either.
        let Some(way) = way else { continue };
        sockets.add(descriptor, Some(Gate { way, address })).map_err(HandoverError::Unfit)?;
    }
    Ok(Some(Heritage {
        sockets,
        admin: listener,
        statuses: Some(letter.statuses),
        predecessor: Some(Predecessor { stream, pid: letter.pid }),
    }))
}

/// Where successors knock, as long as it is kept.
#[derive(Debug)]
pub(super) struct Door {
    path: PathBuf,
    /// The file's number: by then it may be a successor's.
    inode: u64,
    task: JoinHandle<()>,
    taken: mpsc::Receiver<i32>,
}

impl Door {
    /// Opens it, in the place of one that a process before this one has left or still has.
    pub(super) fn open(folder: &Path, estate: Estate) -> io::Result<Self> {
        let path = path_in(folder);
        let beside = path.with_extension("new");
        fs::create_dir_all(folder)?;
        drop(fs::remove_file(&beside));
        let listener = UnixListener::bind(&beside)?;
        fs::set_permissions(&beside, fs::Permissions::from_mode(0o600))?;
        let inode = fs::metadata(&beside)?.ino();
        fs::rename(&beside, &path)?;
        let (tell, taken) = mpsc::channel(1);
        let task = tokio::spawn(keep(listener, estate, tell));
        Ok(Self { path, inode, task, taken })
    }

    /// Waits until a successor serves, and gives its process. May be dropped and called again.
    pub(super) async fn taken(&mut self) -> i32 {
        match self.taken.recv().await {
            Some(pid) => pid,
            None => std::future::pending().await,
        }
    }

    /// Closes it, and lets go of the copies of all sockets.
    pub(super) async fn close(self) {
        if fs::metadata(&self.path).is_ok_and(|about| about.ino() == self.inode) {
            drop(fs::remove_file(&self.path));
        }
        self.task.abort();
        drop(self.task.await);
    }
}

fn path_in(folder: &Path) -> PathBuf {
    folder.join("handover.sock")
}

/// Hands over to one after the other, until one of them serves.
async fn keep(listener: UnixListener, estate: Estate, tell: mpsc::Sender<i32>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let peer = match stream.peer_cred() {
            // The file's mode says the same, where the file system keeps modes.
            Ok(peer) if peer.uid() == 0 || peer.uid() == geteuid().as_raw() => peer,
            Ok(_) | Err(_) => continue,
        };
        let pid = peer.pid().unwrap_or_default();
        tracing::info!(pid, "handing over to another process");
        let statuses = state::to_text(&estate.statuses().await);
        let Ok(stream) = stream.into_std() else { continue };
        let Ok(line) = stream.try_clone().map(Line) else { continue };
        let copies = Arc::clone(&estate.copies);
        let handed = spawn_blocking(move || hand_over(stream, &copies, statuses)).await;
        match handed {
            Ok(Ok(())) => {
                if timeout(WORD_PATIENCE, estate.release()).await.is_err() {
                    tracing::warn!("a change is still being written: it may be lost");
                }
                drop(line);
                // Nobody listens any more where the process ends anyway.
                let _ = tell.send(pid).await;
                return;
            }
            Ok(Err(error)) => tracing::warn!(pid, %error, "the other process does not serve"),
            Err(error) => tracing::error!(%error, "handing over failed"),
        }
    }
}

/// A conversation that ends with this, whoever waits in it: this process may be told to stop.
struct Line(UnixStream);

impl Drop for Line {
    fn drop(&mut self) {
        // It has ended by itself.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

/// Sends everything, and waits for the word that it is served.
fn hand_over(mut stream: UnixStream, copies: &Copies, statuses: String) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_write_timeout(Some(WORD_PATIENCE))?;
    stream.set_read_timeout(Some(SERVING_PATIENCE))?;
    let letter = Letter {
        version: VERSION,
        pid: std::process::id(),
        dns: copies.dns.iter().map(|(asked, _)| asked.address).collect(),
        ways: copies.dns.iter().map(|(asked, _)| asked.way.word().to_owned()).collect(),
        admin: copies.admin.0,
        statuses,
    };
    let text = serde_json::to_vec(&letter)?;
    stream.write_all(&(text.len() as u64).to_be_bytes())?;
    stream.write_all(&text)?;
    let dns = copies.dns.iter().map(|(_, it)| it.as_fd());
    let all: Vec<_> = dns.chain([copies.admin.1.as_fd()]).collect();
    for part in all.chunks(DESCRIPTORS_MAX) {
        let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
        let mut control = SendAncillaryBuffer::new(&mut room);
        control.push(SendAncillaryMessage::ScmRights(part));
        // Rights travel with at least one octet.
        let flags = SendFlags::NOSIGNAL;
        sendmsg(&stream, &[IoSlice::new(b"s")], &mut control, flags)?;
    }
    let mut word = [0; SERVING.len()];
    stream.read_exact(&mut word)?;
    if &word == SERVING { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
}

/// The other side of it: the letter, and as many descriptors as it says.
fn receive(stream: &mut UnixStream) -> io::Result<(Letter, Vec<OwnedFd>)> {
    stream.set_read_timeout(Some(WORD_PATIENCE))?;
    stream.set_write_timeout(Some(WORD_PATIENCE))?;
    let mut len = [0; 8];
    stream.read_exact(&mut len)?;
    let len = usize::try_from(u64::from_be_bytes(len)).ok().filter(|len| *len <= LETTER_LEN_MAX);
    let mut text = vec![0; len.ok_or(io::ErrorKind::InvalidData)?];
    stream.read_exact(&mut text)?;
    let letter: Letter = serde_json::from_slice(&text)?;
    let mut descriptors = Vec::new();
    let expected = letter.dns.len() + 1;
    while letter.version == VERSION && descriptors.len() < expected {
        let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
        let mut control = RecvAncillaryBuffer::new(&mut room);
        let mut octet = [0];
        let mut pieces = [IoSliceMut::new(&mut octet)];
        let got = recvmsg(&*stream, &mut pieces, &mut control, RecvFlags::CMSG_CLOEXEC)?;
        let before = descriptors.len();
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(rights) = message {
                descriptors.extend(rights);
            }
        }
        // The end of the stream; or fewer than were sent, for want of room in our own table.
        if got.bytes == 0 || descriptors.len() == before {
            let why = "not all sockets came over: is the limit of descriptors too low?";
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, why));
        }
    }
    Ok((letter, descriptors))
}
