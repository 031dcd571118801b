//! The place of this floor that touches files: it reads them and looks at their times.
//!
//! ```text
//! rota run -c /etc/rota/rota.toml     zones, state, mmdb files: relative to /etc/rota
//! rota run                            ./rota.toml if there is one, else every default
//! ```

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use std::{fs, io};

use super::grants::{self, Grants};
use super::names;
use super::readings::{Before, Readings};
use super::suggest::nearest;
use super::tls::read_pairs;
use super::{Geo, Loaded, Server, Tls, ZoneFiles, read_server, read_zone_with, sort_by_place};
use crate::geo::{Atlas, File, FileError};
use crate::health::Pem;
use crate::serve::Pair;
use crate::snapshot::Authored;
use crate::wire::Name;
use crate::zone::{Diagnostic, Severity, Source, diagnostic::has_errors};

/// What is looked for in the working folder where no file is named.
pub const FILE_NAME: &str = "rota.toml";
/// The root zone's files are called `root.zone` and `root.toml`: it has no name to call them by.
const ROOT_STEM: &str = "root";
/// Beyond any file that is written by hand; a larger one is something else's.
const FILE_LEN_MAX: u64 = 256 << 20;
/// The largest mmdb file: offsets in it are of 32 bits, and it is held in memory while it is read.
const GEO_LEN_MAX: u64 = 1 << 30;

/// Reads the whole configuration; all problems of all files come back together.
pub fn load(path: Option<&Path>) -> Loaded {
    reload(path, &mut Readings::default())
}

/// Reads it again: where files are as they were, what was made of them is kept.
pub fn reload(path: Option<&Path>, readings: &mut Readings) -> Loaded {
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
    let mut before = readings.take();
    let zones = match list_zones(&folder, readings, &mut diagnostics) {
        Ok(all) => {
            let is_root = runs_as_root(server.as_ref());
            let program = |name: &str| match &server {
                Some(server) => grants::program(&server.checks, is_root, name),
                None => Ok(PathBuf::from(name)),
            };
            let states = server.as_ref().map_or(&*folder, |server| &server.checks.states);
            let around =
                Around { folder: &folder, grants: Grants { program: &program, states }, atlas };
            let read = |found| read_found(found, &around, &mut before, readings, &mut diagnostics);
            all.values().map(read).collect()
        }
        Err(error) => {
            // What cannot be read or was refused may have meant another folder.
            if readable && server.is_some() {
                diagnostics.push(no_zones(&folder, &error));
            }
            Vec::new()
        }
    };
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

/// What the folder holds for one apex.
struct Found {
    files: ZoneFiles,
    /// One of the files could not be taken: the others alone would be half a zone.
    spoiled: bool,
}

/// Reads the files of every apex in a folder, in canonical order of apexes.
fn list_zones(
    folder: &Path,
    readings: &mut Readings,
    out: &mut Vec<Diagnostic>,
) -> io::Result<BTreeMap<Name, Found>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (kind, path) = (entry.file_type()?, entry.path());
        if kind.is_symlink() {
            readings.link(&path);
        }
        // Only of a link it has to be asked what it leads to.
        if !(kind.is_dir() || kind.is_symlink() && path.is_dir()) {
            paths.push(path);
        }
    }
    // Folders list their files in no order, but the same mistakes shall read the same every time.
    paths.sort_unstable_by(|one, other| one.as_os_str().cmp(other.as_os_str()));
    let mut zones: BTreeMap<Name, Found> = BTreeMap::new();
    for path in &paths {
        let Some((apex, kind)) = apex_of(path, out) else { continue };
        let found = zones.entry(apex.clone()).or_insert_with(|| Found {
            files: ZoneFiles { apex, toml: None, master: None, serial: 0 },
            spoiled: false,
        });
        let read = read_dated(path, FILE_LEN_MAX)
            .and_then(|(bytes, time)| Ok((text_of(bytes)?, serial_of(time))));
        let (text, serial) = match read {
            Ok(read) => read,
            Err(error) => {
                out.push(unreadable(path, &error));
                found.spoiled = true;
                continue;
            }
        };
        let source = Arc::new(Source { path: path.display().to_string(), text });
        let slot = match kind {
            Kind::Toml => &mut found.files.toml,
            Kind::Master => &mut found.files.master,
        };
        if let Some(first) = slot {
            let message = format!("{} and {} name the same zone", first.path, source.path);
            out.push(Diagnostic::unplaced(message).help("remove one: case makes no difference"));
            found.spoiled = true;
        }
        *slot = Some(source);
        found.files.serial = found.files.serial.max(serial);
    }
    if zones.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "there is no zone in it"));
    }
    Ok(zones)
}

/// Whether programs would run as root: as whoever reads this, unless another user is named.
fn runs_as_root(server: Option<&Server>) -> bool {
    let user = server.and_then(|server| server.user.as_deref());
    user.map_or_else(|| rustix::process::geteuid().is_root(), |user| user == "root")
}

/// What zones are read beside.
struct Around<'a> {
    folder: &'a Path,
    grants: Grants<'a>,
    /// None where that is not known.
    atlas: Option<&'a Atlas>,
}

/// Reads one zone; what is only half there is broken, but its problems are told all the same.
fn read_found(
    found: &Found,
    around: &Around<'_>,
    before: &mut Before,
    readings: &mut Readings,
    out: &mut Vec<Diagnostic>,
) -> Authored {
    let Around { folder, grants, atlas } = around;
    let mut includes = |path: &str| read_include(folder, path);
    if !found.spoiled {
        let files = &found.files;
        return before.again(
            files,
            &mut includes,
            grants,
            readings,
            out,
            |includes, grants, out| read_zone_with(files, includes, grants, *atlas, out),
        );
    }
    if found.files.toml.is_some() || found.files.master.is_some() {
        read_zone_with(&found.files, &mut includes, grants, *atlas, out);
    }
    Authored::Broken(found.files.apex.clone())
}

/// A file that a master file includes or a check names: from inside the folder of zones, links
/// followed, and from nowhere else. What a zone's author may write is not what the server may read.
fn read_include(folder: &Path, path: &str) -> Result<Arc<Source>, String> {
    let said = |error: io::Error| error.to_string();
    let root = folder.canonicalize().map_err(said)?;
    let wanted = folder.join(path);
    if !wanted.canonicalize().map_err(said)?.starts_with(&root) {
        return Err(format!("it is outside of the folder {}", folder.display()));
    }
    let text = read_text(&wanted).map_err(said)?;
    Ok(Arc::new(Source { path: wanted.display().to_string(), text }))
}

/// The two kinds of files that make a zone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Toml,
    Master,
}

/// True for what a zone's file is called: other files in the folder are read only where one of them
/// names them.
pub fn is_zone_file(name: &OsStr) -> bool {
    Path::new(name).extension().is_some_and(|it| it == "toml" || it == "zone")
}

/// The apex that a file's name says; none for files that are no zone's.
fn apex_of(path: &Path, out: &mut Vec<Diagnostic>) -> Option<(Name, Kind)> {
    let file = path.file_name().and_then(OsStr::to_str)?;
    // Hidden files, and what editors leave behind.
    if file.starts_with(['.', '#']) || file.ends_with('~') {
        return None;
    }
    let (stem, extension) = file.rsplit_once('.')?;
    let kind = match extension {
        "toml" => Kind::Toml,
        "zone" => Kind::Master,
        other => {
            if let Some(near) = nearest(other, ["toml", "zone"]) {
                let message = format!("{} is not read", path.display());
                let help = format!("did you mean {stem}.{near}?");
                let warning = Diagnostic::unplaced(message).help(help);
                out.push(Diagnostic { severity: Severity::Warning, ..warning });
            }
            return None;
        }
    };
    if stem == ROOT_STEM {
        return Some((Name::root(), kind));
    }
    let told = match names::read(stem, &Name::root()) {
        Ok(apex) if !apex.is_wildcard() => return Some((apex, kind)),
        Ok(_) => "a zone cannot be a wildcard".to_owned(),
        Err((why, _)) => why,
    };
    let message = format!("{} does not name a zone: {told}", path.display());
    let help = "a zone's file is called by the delegated name: app.example.org.toml";
    out.push(Diagnostic::unplaced(message).help(help));
    None
}

fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::unplaced(format!("cannot read {}: {error}", path.display()))
}

fn no_zones(folder: &Path, error: &io::Error) -> Diagnostic {
    let message = format!("no zones to serve from the folder {}: {error}", folder.display());
    let help = "write a first one with: rota init; or see it work first: rota demo";
    Diagnostic::unplaced(message).help(help)
}

fn read_text(path: &Path) -> io::Result<String> {
    text_of(read_bytes(path, FILE_LEN_MAX)?)
}

fn text_of(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..at].iter().filter(|octet| **octet == b'\n').count() + 1;
        io::Error::new(io::ErrorKind::InvalidData, format!("line {line} is not UTF-8"))
    })
}

fn read_bytes(path: &Path, len_max: u64) -> io::Result<Vec<u8>> {
    Ok(read_dated(path, len_max)?.0)
}

/// What a file holds, and when it was written: there are a hundred thousand to be asked.
fn read_dated(path: &Path, len_max: u64) -> io::Result<(Vec<u8>, SystemTime)> {
    let about = fs::metadata(path)?;
    // A pipe would be waited for, and a device has no end.
    if !about.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    let len = about.len();
    if len > len_max {
        let message = format!("it has {len} octets, more than {len_max}");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok((fs::read(path)?, about.modified()?))
}

/// A time in seconds, in the arithmetic of serials, which wraps. RFC 1982 §3.
fn serial_of(time: SystemTime) -> u32 {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    (seconds & u64::from(u32::MAX)) as u32
}
