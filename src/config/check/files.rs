//! The files that checks name: each is read once, by whoever may touch files, who looks for
//! programs too.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::config::grants::{self, Grants};
use crate::config::reader::Reader;
use crate::config::value::Text;
use crate::health::{FileAsk, Pem};
use crate::zone::masterfile::Includes;

/// Reads files and remembers them by their name.
pub(super) struct Files<'f> {
    read: &'f mut Includes<'f>,
    grants: &'f Grants<'f>,
    known: BTreeMap<String, Result<Pem, String>>,
}

impl<'f> Files<'f> {
    pub(super) fn new(read: &'f mut Includes<'f>, grants: &'f Grants<'f>) -> Self {
        Self { read, grants, known: BTreeMap::new() }
    }

    /// The program of a name; none where it cannot be run, which is reported.
    pub(super) fn program(&self, name: &Text, reader: &mut Reader<'_>) -> Option<PathBuf> {
        match (self.grants.program)(&name.text) {
            Ok(path) => Some(path),
            Err((why, help)) => {
                let message = format!("cannot run \"{}\": {why}", name.text);
                reader.refuse(name.span.clone(), message, help);
                None
            }
        }
    }

    /// The states in the file of a name, which need not be there yet.
    pub(super) fn states(&self, name: &Text, reader: &mut Reader<'_>) -> Option<FileAsk> {
        if !grants::is_below(&name.text) {
            let folder = self.grants.states.display();
            let message = format!("files of states are those of the folder {folder} alone");
            let help = "write the name of a file in it: \"eu.states\"; `states` in [checks] of \
                        rota.toml is the folder";
            reader.refuse(name.span.clone(), message, help);
            return None;
        }
        Some(FileAsk { path: self.grants.states.join(&name.text), node: String::new() })
    }

    /// The file of a name; none where it cannot be read, which is reported at each of its names.
    pub(super) fn pem(&mut self, name: &Text, reader: &mut Reader<'_>) -> Option<Pem> {
        let known = self.known.entry(name.text.clone());
        let read =
            known.or_insert_with(|| (self.read)(&name.text).map(|source| Pem::new(&source.text)));
        match read {
            Ok(pem) => Some(pem.clone()),
            Err(why) => {
                let message = format!("cannot read \"{}\": {why}", name.text);
                let help = "name a file below the zones folder, relative to it";
                reader.refuse(name.span.clone(), message, help);
                None
            }
        }
    }
}
