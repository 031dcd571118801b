//! The folder of zones: which of its files are whose, and what they say.
//!
//! A zone's files are called by its apex. Which zones there are is known from a listing; their
//! files are read and parsed by all cores, one zone by one of them, and what came of it is put
//! together in the order of the listing: nothing that anybody sees depends on how many there are.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use std::{fs, io};

use super::crew::Crew;
use super::grants::{self, Grants, Refusal};
use super::load::{FILE_LEN_MAX, read_dated, read_text, text_of, unreadable};
use super::names;
use super::readings::{Before, Reading, Readings};
use super::suggest::nearest;
use super::{Server, ZoneFiles, read_zone_with};
use crate::geo::Atlas;
use crate::snapshot::Authored;
use crate::wire::Name;
use crate::zone::masterfile::Includes;
use crate::zone::{Diagnostic, Severity, Source};

/// The root zone's files are called `root.zone` and `root.toml`: it has no name to call them by.
const ROOT_STEM: &str = "root";

/// A file of the folder that is a zone's.
struct Listed {
    apex: Name,
    kind: Kind,
    path: PathBuf,
}

/// What is wrong with a file as a whole.
type Told = (PathBuf, Diagnostic);

/// The files of every apex in a folder, in canonical order of apexes.
fn list_zones(
    folder: &Path,
    readings: &mut Readings,
    out: &mut Vec<Told>,
) -> io::Result<Vec<Listed>> {
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
    let of_zone =
        |path: PathBuf| apex_of(&path, out).map(|(apex, kind)| Listed { apex, kind, path });
    let mut listed: Vec<Listed> = paths.into_iter().filter_map(of_zone).collect();
    // The paths were nearly in this order, which a stable sort makes use of.
    listed.sort_by(|one, other| one.apex.cmp(&other.apex));
    Ok(listed)
}

/// What zones are read beside.
pub(super) struct Around<'a> {
    pub(super) folder: &'a Path,
    /// None where `rota.toml` has errors.
    pub(super) server: Option<&'a Server>,
    /// As whom programs would run.
    pub(super) is_root: bool,
    /// None where that is not known.
    pub(super) atlas: Option<&'a Atlas>,
}

impl Around<'_> {
    /// The program of a name in a check.
    fn program(&self, name: &str) -> Result<PathBuf, Refusal> {
        match self.server {
            Some(server) => grants::program(&server.checks, self.is_root, name),
            None => Ok(PathBuf::from(name)),
        }
    }
}

/// One zone: what is to be read, and what came of it.
struct Task<'l> {
    /// The files of one apex.
    listed: &'l [Listed],
    before: Option<Reading>,
    read: Option<Read>,
}

/// What came of a zone.
enum Read {
    Whole(Reading),
    /// One of its files could not be taken, so it is broken; its problems are told all the same.
    Half(Vec<Told>, Vec<Diagnostic>),
}

/// Reads every zone of a folder, in canonical order of apexes.
pub(super) fn read_folder(
    around: &Around<'_>,
    before: &mut Before,
    readings: &mut Readings,
    crew: Crew,
    out: &mut Vec<Diagnostic>,
) -> io::Result<Vec<Authored>> {
    let mut of_files = Vec::new();
    let listed = list_zones(around.folder, readings, &mut of_files)?;
    let mut tasks: Vec<Task<'_>> = listed
        .chunk_by(|one, next| one.apex == next.apex)
        .map(|listed| Task { listed, before: before.remove(&listed[0].apex), read: None })
        .collect();
    crew.each(&mut tasks, |task| {
        task.read = Some(read_zone_of(task.listed, task.before.take(), around));
    });
    let (mut zones, mut of_zones) = (Vec::with_capacity(tasks.len()), Vec::new());
    readings.make_room(tasks.len());
    for task in tasks {
        let apex = task.listed[0].apex.clone();
        match task.read {
            Some(Read::Whole(reading)) => {
                let (authored, told) = reading.outcome();
                of_zones.extend_from_slice(told);
                zones.push(authored.clone());
                readings.put(apex, reading);
            }
            Some(Read::Half(files, told)) => {
                of_files.extend(files);
                of_zones.extend(told);
                zones.push(Authored::Broken(apex));
            }
            None => zones.push(Authored::Broken(apex)),
        }
    }
    of_files.sort_by(|(one, _), (other, _)| one.as_os_str().cmp(other.as_os_str()));
    out.extend(of_files.into_iter().map(|(_, told)| told));
    out.extend(of_zones);
    match zones.is_empty() {
        true => Err(io::Error::new(io::ErrorKind::NotFound, "there is no zone in it")),
        false => Ok(zones),
    }
}

/// Reads one zone.
fn read_zone_of(listed: &[Listed], before: Option<Reading>, around: &Around<'_>) -> Read {
    let Around { folder, server, atlas, .. } = *around;
    let mut of_files = Vec::new();
    let files = read_files(listed, &mut of_files);
    let program = |name: &str| around.program(name);
    let states = server.map_or(folder, |server| &*server.checks.states);
    let grants = Grants { program: &program, states };
    let mut includes = |path: &str| read_include(folder, path);
    if of_files.is_empty() {
        let parse =
            |includes: &mut Includes<'_>, grants: &Grants<'_>, out: &mut Vec<Diagnostic>| {
                read_zone_with(&files, includes, grants, atlas, out)
            };
        return Read::Whole(Reading::again(before, &files, &mut includes, &grants, parse));
    }
    let mut told = Vec::new();
    if files.toml.is_some() || files.master.is_some() {
        read_zone_with(&files, &mut includes, &grants, atlas, &mut told);
    }
    Read::Half(of_files, told)
}

/// Reads the files of one apex; what is told of them is why they are not all there.
fn read_files(listed: &[Listed], out: &mut Vec<Told>) -> ZoneFiles {
    let apex = listed[0].apex.clone();
    let mut files = ZoneFiles { apex, toml: None, master: None, serial: 0 };
    for Listed { kind, path, .. } in listed {
        let read = read_dated(path, FILE_LEN_MAX)
            .and_then(|(bytes, time)| Ok((text_of(bytes)?, serial_of(time))));
        let (text, serial) = match read {
            Ok(read) => read,
            Err(error) => {
                out.push((path.clone(), unreadable(path, &error)));
                continue;
            }
        };
        let source = Arc::new(Source { path: path.display().to_string(), text });
        let slot = match kind {
            Kind::Toml => &mut files.toml,
            Kind::Master => &mut files.master,
        };
        if let Some(first) = slot {
            let message = format!("{} and {} name the same zone", first.path, source.path);
            let told = Diagnostic::unplaced(message).help("remove one: case makes no difference");
            out.push((path.clone(), told));
        }
        *slot = Some(source);
        files.serial = files.serial.max(serial);
    }
    files
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
fn apex_of(path: &Path, out: &mut Vec<Told>) -> Option<(Name, Kind)> {
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
                let warning = Diagnostic { severity: Severity::Warning, ..warning };
                out.push((path.to_owned(), warning));
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
    out.push((path.to_owned(), Diagnostic::unplaced(message).help(help)));
    None
}

/// A time in seconds, in the arithmetic of serials, which wraps. RFC 1982 §3.
fn serial_of(time: SystemTime) -> u32 {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    (seconds & u64::from(u32::MAX)) as u32
}
