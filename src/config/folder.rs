//! The folder of zones: which of its files are whose, and what they say.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use std::{fs, io};

use super::grants::Grants;
use super::load::{FILE_LEN_MAX, read_dated, read_text, text_of, unreadable};
use super::names;
use super::readings::{Before, Readings};
use super::suggest::nearest;
use super::{ZoneFiles, read_zone_with};
use crate::geo::Atlas;
use crate::snapshot::Authored;
use crate::wire::Name;
use crate::zone::{Diagnostic, Severity, Source};

/// The root zone's files are called `root.zone` and `root.toml`: it has no name to call them by.
const ROOT_STEM: &str = "root";

/// What the folder holds for one apex.
pub(super) struct Found {
    files: ZoneFiles,
    /// One of the files could not be taken: the others alone would be half a zone.
    spoiled: bool,
}

/// Reads the files of every apex in a folder, in canonical order of apexes.
pub(super) fn list_zones(
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

/// What zones are read beside.
pub(super) struct Around<'a> {
    pub(super) folder: &'a Path,
    pub(super) grants: Grants<'a>,
    /// None where that is not known.
    pub(super) atlas: Option<&'a Atlas>,
}

/// Reads one zone; what is only half there is broken, but its problems are told all the same.
pub(super) fn read_found(
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

/// A time in seconds, in the arithmetic of serials, which wraps. RFC 1982 §3.
fn serial_of(time: SystemTime) -> u32 {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    (seconds & u64::from(u32::MAX)) as u32
}
