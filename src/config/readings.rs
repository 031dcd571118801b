//! What the files said when they were last read, so that a reload works on what has changed.
//!
//! Files are read anew at every reload, which is cheap; making zones and an atlas of them is not.
//! So what was made of a file is kept beside a stamp of its content, and the same content is the
//! same zone, whoever touched or replaced the file meanwhile. A hundred thousand zones of which one
//! has changed cost one parse, and the other models stay the very same values, which is how the
//! publisher knows them again.
//!
//! A zone is made of more than its own two files: a master file includes others and a check names
//! a certificate or a program. Each is kept by the path that was written, looked at again, and
//! compared too, also where it could not be read: then it must still be missing. Places are judged
//! by what the geo files know, so other geo files are a reason to read every zone anew.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use foldhash::quality::FixedState;

use super::grants::{Grants, Refusal};
use super::{Checks, Geo, ZoneFiles};
use crate::serve::Pair;
use crate::snapshot::Authored;
use crate::wire::Name;
use crate::zone::masterfile::Includes;
use crate::zone::{Diagnostic, Source};

/// A file's content: its length and a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp(usize, u64);

impl Stamp {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self(bytes.len(), FixedState::with_seed(0).hash_one(bytes))
    }
}

/// What the files of a configuration said when they were last read.
#[derive(Clone, Debug, Default)]
pub struct Readings {
    geo: Geo,
    keys: Vec<Pair>,
    server: Option<Stamp>,
    /// What zones may do.
    checks: Option<Checks>,
    folder: PathBuf,
    zones: HashMap<Name, Reading>,
    links: Vec<PathBuf>,
    diagnostics: Vec<Diagnostic>,
    parsed: usize,
    news: bool,
}

/// One zone, and what it was made of.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    toml: Option<Stamp>,
    master: Option<Stamp>,
    /// Files that the zone's own name; no stamp where one could not be read.
    named: Vec<(String, Option<Stamp>)>,
    /// Programs that its checks name, and what each is.
    programs: Vec<(String, Result<PathBuf, Refusal>)>,
    authored: Authored,
    diagnostics: Vec<Diagnostic>,
    /// It was parsed, and is not broken as it was.
    anew: bool,
}

impl Readings {
    /// Whether the latest reading found anything else than the one before.
    pub fn is_news(&self) -> bool {
        self.news
    }

    /// How many zones the latest reading had to parse.
    pub fn parsed(&self) -> usize {
        self.parsed
    }

    /// Files of the folder of zones that are links to elsewhere.
    pub fn links(&self) -> &[PathBuf] {
        &self.links
    }

    /// Files that zones name, by their paths, which are relative to the folder of zones.
    pub fn named(&self) -> impl Iterator<Item = &str> {
        self.zones.values().flat_map(|zone| &zone.named).map(|(path, _)| path.as_str())
    }

    /// What the geo files said.
    pub(super) fn geo(&self) -> &Geo {
        &self.geo
    }

    /// Begins a reading; what was made of zones is forgotten where it can mean something else now.
    pub(super) fn begin(
        &mut self,
        server: &Source,
        folder: &Path,
        geo: Option<&Geo>,
        checks: &Option<Checks>,
    ) {
        let stamp = Some(Stamp::of(server.text.as_bytes()));
        let same = geo == Some(&self.geo) && self.folder == folder && self.checks == *checks;
        self.news = self.server != stamp || !same;
        checks.clone_into(&mut self.checks);
        self.server = stamp;
        folder.clone_into(&mut self.folder);
        self.parsed = 0;
        self.links.clear();
        if !same {
            self.zones.clear();
        }
        if let Some(geo) = geo {
            self.geo = geo.clone();
        }
    }

    /// Notes the certificates, if they can be used.
    pub(super) fn keys(&mut self, keys: Option<&[Pair]>) {
        if let Some(keys) = keys.filter(|keys| *keys != self.keys) {
            self.news = true;
            self.keys = keys.to_vec();
        }
    }

    /// Notes a file of the folder of zones that is a link.
    pub(super) fn link(&mut self, path: &Path) {
        self.links.push(path.to_owned());
    }

    /// What was made of the zones before; each is [`put`](Self::put) back, or is gone.
    pub(super) fn take(&mut self) -> Before {
        Before(mem::take(&mut self.zones))
    }

    /// So many zones will be put.
    pub(super) fn make_room(&mut self, zones: usize) {
        self.zones.reserve(zones);
    }

    /// Notes what was made of a zone.
    pub(super) fn put(&mut self, apex: Name, reading: Reading) {
        self.parsed += usize::from(reading.anew);
        self.zones.insert(apex, reading);
    }

    /// Ends a reading, with everything that was told of it. What was judged without an atlas is
    /// not kept: it may be judged otherwise with one.
    pub(super) fn end(&mut self, gone: Before, diagnostics: &[Diagnostic], judged: bool) {
        self.news |= self.parsed > 0 || !gone.0.is_empty() || self.diagnostics != diagnostics;
        diagnostics.clone_into(&mut self.diagnostics);
        if !judged {
            self.zones.clear();
        }
    }
}

/// The zones of the reading before, as long as they wait for being read again.
pub(super) struct Before(HashMap<Name, Reading>);

impl Before {
    /// What was made of a zone.
    pub(super) fn remove(&mut self, apex: &Name) -> Option<Reading> {
        self.0.remove(apex)
    }
}

impl Reading {
    /// One zone: what was made of the same files before, or else what `parse` makes of them.
    /// `includes` reads what the zone's files name, `grants` says what its checks may run.
    pub(super) fn again(
        before: Option<Self>,
        files: &ZoneFiles,
        includes: &mut Includes<'_>,
        grants: &Grants<'_>,
        parse: impl FnOnce(&mut Includes<'_>, &Grants<'_>, &mut Vec<Diagnostic>) -> Authored,
    ) -> Self {
        let of = |source: &Option<Arc<Source>>| {
            source.as_ref().map(|source| Stamp::of(source.text.as_bytes()))
        };
        let (toml, master) = (of(&files.toml), of(&files.master));
        let known = before.filter(|known| {
            let same = |(path, stamp): &(String, Option<Stamp>)| of(&includes(path).ok()) == *stamp;
            let runs = |(name, program): &(String, _)| (grants.program)(name) == *program;
            (known.toml, known.master) == (toml, master)
                && known.named.iter().all(same)
                && known.programs.iter().all(runs)
        });
        // What broke a zone may be mended beside its files: a program that is there now.
        let (known, broken) = match known {
            Some(it) if matches!(it.authored, Authored::Broken(_)) => (None, Some(it)),
            known => (known, None),
        };
        if let Some(known) = known {
            return Self { anew: false, ..known };
        }
        let mut named = Vec::new();
        let mut noted = |path: &str| {
            let source = includes(path);
            named.push((path.to_owned(), of(&source.clone().ok())));
            source
        };
        let mut diagnostics = Vec::new();
        let programs = RefCell::new(Vec::new());
        let program = |name: &str| {
            let found = (grants.program)(name);
            programs.borrow_mut().push((name.to_owned(), found.clone()));
            found
        };
        let noting = Grants { program: &program, states: grants.states };
        let authored = parse(&mut noted, &noting, &mut diagnostics);
        let programs = programs.take();
        let still = broken.is_some_and(|before| before.diagnostics == diagnostics);
        Self { toml, master, named, programs, authored, diagnostics, anew: !still }
    }

    /// What the zone is, and what was told of it.
    pub(super) fn outcome(&self) -> (&Authored, &[Diagnostic]) {
        (&self.authored, &self.diagnostics)
    }
}
