//! The Unix socket: a file whose mode says who may connect.
//!
//! It is bound under another name, closed to others, and only then moved to its own, so that there
//! is no moment at which somebody else could come in. A file that is left from a process that died
//! is taken over; one behind which somebody answers is not.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

/// The listener of a Unix socket; its file goes with it.
#[derive(Debug)]
pub struct Socket {
    pub(super) listener: UnixListener,
    path: PathBuf,
    /// Device and inode of the file: what is there later may be somebody else's.
    file: (u64, u64),
}

impl Socket {
    /// Takes a path, for this user alone. Its folder is made where it is missing.
    pub fn bind(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        refuse_others(path)?;
        let beside = path.with_extension("sock.new");
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let listener = UnixListener::bind(&beside)?;
        fs::set_permissions(&beside, fs::Permissions::from_mode(0o600))?;
        let about = fs::metadata(&beside)?;
        fs::rename(&beside, path)?;
        Ok(Self { listener, path: path.to_owned(), file: (about.dev(), about.ino()) })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let ours = fs::metadata(&self.path).map(|about| (about.dev(), about.ino()) == self.file);
        if ours.unwrap_or(false) {
            // Left behind it would be taken over by the next start.
            drop(fs::remove_file(&self.path));
        }
    }
}

/// An error where there is something else than a socket that nobody answers at.
fn refuse_others(path: &Path) -> io::Result<()> {
    let about = match fs::symlink_metadata(path) {
        Ok(about) => about,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !about.file_type().is_socket() {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "a file of another kind is there",
        ));
    }
    match UnixStream::connect(path) {
        Ok(_) => Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            "another process answers there; two servers must not share a state folder",
        )),
        Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: &str) -> PathBuf {
        let folder =
            std::env::temp_dir().join(format!("rota-socket-{}-{name}", std::process::id()));
        drop(fs::remove_dir_all(&folder));
        folder.join("rota.sock")
    }

    #[tokio::test]
    async fn a_dead_socket_is_taken_over_and_a_live_one_is_not() {
        let path = path("takeover");
        let first = Socket::bind(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Socket::bind(&path).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop(first);
        assert!(!path.exists());

        // The file of a process that was killed.
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        let second = Socket::bind(&path).unwrap();
        UnixStream::connect(&path).unwrap();

        // What took the place of a socket is not removed with it.
        fs::remove_file(&path).unwrap();
        fs::write(&path, "something else").unwrap();
        drop(second);
        assert_eq!(fs::read_to_string(&path).unwrap(), "something else");
        assert_eq!(Socket::bind(&path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        drop(fs::remove_dir_all(path.parent().unwrap()));
    }
}
