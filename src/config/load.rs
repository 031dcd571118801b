//! The place of this floor that touches files: it reads them and looks at their times.
//!
//! ```text
//! rota run -c /etc/rota/rota.toml     zones, state, mmdb files: relative to /etc/rota
//! rota run                            ./rota.toml if there is one, else every default
//! ```

use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::crew::Crew;
use super::folder::{Around, read_folder};
use super::readings::Readings;
use super::tls::read_pairs;
use super::{Geo, Loaded, Server, Tls, read_server, sort_by_place};
use crate::geo::{File, FileError};
use crate::health::Pem;
use crate::serve::Pair;
use crate::zone::{Diagnostic, Source, diagnostic::has_errors};

/// What is looked for in the working folder where no file is named.
pub const FILE_NAME: &str = "rota.toml";
/// Beyond any file that is written by hand; a larger one is something else's.
pub(super) const FILE_LEN_MAX: u64 = 256 << 20;
/// The largest mmdb file: offsets in it are of 32 bits, and it is held in memory while it is read.
const GEO_LEN_MAX: u64 = 1 << 30;

/// Reads the whole configuration; all problems of all files come back together.
pub fn load(path: Option<&Path>) -> Loaded {
    reload(path, &mut Readings::default())
}

/// Reads it again: where files are as they were, what was made of them is kept.
pub fn reload(path: Option<&Path>, readings: &mut Readings) -> Loaded {
    reload_by(Crew::of_all_cores(), path, readings)
}

/// The same, by so many at once: what comes of it is the same.
pub(super) fn reload_by(crew: Crew, path: Option<&Path>, readings: &mut Readings) -> Loaded {
    let mut diagnostics = Vec::new();
    let (source, base) = read_server_file(path, &mut diagnostics);
    let readable = !has_errors(&diagnostics);
    let (folder, server) = read_server(&source, &base, &mut diagnostics);
    // What a refused rota.toml would have named is not known, and so is what zones may ask of it.
    let named = server.as_ref().map(|server| &server.geo);
    let geo = named.and_then(|files| read_geo(files, readings.geo(), &mut diagnostics));
    let keys = server.as_ref().and_then(|server| read_keys(&server.tls, &mut diagnostics));
    let atlas = geo.as_ref().map(|geo| &*geo.atlas);
    let checks = server.as_ref().map(|server| server.checks.clone());
    readings.begin(&source, &folder, geo.as_ref(), &checks);
    readings.keys(keys.as_deref());
    let is_root = runs_as_root(server.as_ref());
    let around = Around { folder: &folder, server: server.as_ref(), is_root, atlas };
    let mut before = readings.take();
    let zones = read_folder(&around, &mut before, readings, crew, &mut diagnostics);
    let zones = zones.unwrap_or_else(|error| {
        // What cannot be read or was refused may have meant another folder.
        if readable && server.is_some() {
            diagnostics.push(no_zones(&folder, &error));
        }
        Vec::new()
    });
    sort_by_place(&mut diagnostics);
    readings.end(before, &diagnostics, geo.is_some());
    Loaded { server: server.filter(|_| readable), geo, keys, zones, diagnostics }
}

/// The files of `[geo]`; none where any of them cannot be used.
fn read_geo(paths: &[PathBuf], before: &Geo, out: &mut Vec<Diagnostic>) -> Option<Geo> {
    let mut contents = Vec::new();
    for path in paths {
        match read_bytes(path, GEO_LEN_MAX) {
            Ok(bytes) => contents.push((path.display().to_string(), bytes)),
            Err(error) => {
                let help = "put it there, or take it out of `files` in [geo] of rota.toml";
                out.push(unreadable(path, &error).help(help));
            }
        }
    }
    let files: Vec<File<'_>> = contents.iter().map(|(name, bytes)| File { name, bytes }).collect();
    match Geo::read(&files, before) {
        Ok(geo) => (files.len() == paths.len()).then_some(geo),
        Err(errors) => {
            let told = |error: FileError| {
                Diagnostic::unplaced(error.to_string()).help(error.problem.help())
            };
            out.extend(errors.into_iter().map(told));
            None
        }
    }
}

/// The certificates; none where any of them cannot be used.
#[expect(clippy::disallowed_methods, reason = "certificates have an end")]
fn read_keys(tls: &Tls, out: &mut Vec<Diagnostic>) -> Option<Vec<Pair>> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let read = |path: &Path| match read_text(path) {
        Ok(text) => Ok(Pem::new(&text)),
        Err(error) => Err(unreadable(path, &error)),
    };
    read_pairs(tls, now, read, out)
}

/// Reads `rota.toml` alone, for those who need no zones.
pub fn load_server(path: Option<&Path>) -> Result<Server, Vec<Diagnostic>> {
    let mut diagnostics = Vec::new();
    let (source, base) = read_server_file(path, &mut diagnostics);
    let (_, server) = read_server(&source, &base, &mut diagnostics);
    match server {
        Some(server) if !has_errors(&diagnostics) => Ok(server),
        Some(_) | None => Err(diagnostics),
    }
}

/// The text of `rota.toml` (empty where there need not be one), and the folder it stands in.
fn read_server_file(path: Option<&Path>, out: &mut Vec<Diagnostic>) -> (Arc<Source>, PathBuf) {
    let wanted = path.unwrap_or(Path::new(FILE_NAME));
    let text = match read_text(wanted) {
        Ok(text) => text,
        Err(error) if path.is_none() && error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => {
            let help = match wanted.is_dir() {
                true => format!("name the file: -c {}", wanted.join(FILE_NAME).display()),
                false => "name the server's configuration, or leave -c out: every key of it has \
                          a default"
                    .to_owned(),
            };
            out.push(unreadable(wanted, &error).help(help));
            String::new()
        }
    };
    let base = wanted.parent().unwrap_or(Path::new("")).to_owned();
    (Arc::new(Source { path: wanted.display().to_string(), text }), base)
}

/// Whether programs would run as root: as whoever reads this, unless another user is named.
fn runs_as_root(server: Option<&Server>) -> bool {
    let user = server.and_then(|server| server.user.as_deref());
    user.map_or_else(|| rustix::process::geteuid().is_root(), |user| user == "root")
}

pub(super) fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::unplaced(format!("cannot read {}: {error}", path.display()))
}

fn no_zones(folder: &Path, error: &io::Error) -> Diagnostic {
    let message = format!("no zones to serve from the folder {}: {error}", folder.display());
    let help = "write a first one with: rota init; or see it work first: rota demo";
    Diagnostic::unplaced(message).help(help)
}

pub(super) fn read_text(path: &Path) -> io::Result<String> {
    text_of(read_bytes(path, FILE_LEN_MAX)?)
}

pub(super) fn text_of(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..at].iter().filter(|octet| **octet == b'\n').count() + 1;
        io::Error::new(io::ErrorKind::InvalidData, format!("line {line} is not UTF-8"))
    })
}

fn read_bytes(path: &Path, len_max: u64) -> io::Result<Vec<u8>> {
    Ok(read_dated(path, len_max)?.0)
}

/// What a file holds, and when it was written: there are a hundred thousand to be asked, so each is
/// looked for once and read once.
pub(super) fn read_dated(path: &Path, len_max: u64) -> io::Result<(Vec<u8>, SystemTime)> {
    let file = open(path)?;
    let about = file.metadata()?;
    if !about.is_file() {
        return Err(no_file());
    }
    let within = |len: u64| {
        if len <= len_max {
            return Ok(());
        }
        let message = format!("it has {len} octets, more than {len_max}");
        Err(io::Error::new(io::ErrorKind::FileTooLarge, message))
    };
    within(about.len())?;
    let mut bytes = Vec::with_capacity(about.len() as usize);
    // It may have grown since, and some file systems do not know how long a file is.
    file.take(len_max + 1).read_to_end(&mut bytes)?;
    within(bytes.len() as u64)?;
    Ok((bytes, about.modified()?))
}

/// Opens what should be a file, without waiting for anybody at the other end of a pipe.
fn open(path: &Path) -> io::Result<fs::File> {
    let quick = fs::OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path);
    match quick {
        // Somebody has a lease on it, and is asked to give it back: open(2), EWOULDBLOCK.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock && path.is_file() => {
            fs::File::open(path)
        }
        // A socket.
        Err(error) if error.raw_os_error() == Some(libc::ENXIO) => Err(no_file()),
        other => other,
    }
}

fn no_file() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "it is not a file")
}
