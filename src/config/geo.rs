//! `[geo]`: which files say where clients are, and what they said when they were read.
//!
//! Files are read anew at every reload, which is cheap; making an atlas of them, and whatever is
//! compiled from it, is not. So a stamp of their content is kept beside the atlas, and the same
//! content is the same atlas, whoever touched or replaced the files meanwhile.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::fields::Fields;
use super::reader::Reader;
use super::readings::Stamp;
use crate::geo::{Atlas, File, FileError};

/// Countries, cities, AS numbers, and what an operator adds; more are a folder of old ones.
const FILES_MAX: usize = 16;

/// What is known of where clients are.
#[derive(Clone, Debug)]
pub struct Geo {
    /// All files laid over each other.
    pub atlas: Arc<Atlas>,
    stamps: Vec<Stamp>,
}

impl Geo {
    /// Makes an atlas of files, the most trusted first, or keeps the one of before where their
    /// content is the same.
    pub fn read(files: &[File<'_>], before: &Self) -> Result<Self, Vec<FileError>> {
        let stamps: Vec<Stamp> = files.iter().map(|file| Stamp::of(file.bytes)).collect();
        if stamps == before.stamps {
            return Ok(before.clone());
        }
        Ok(Self { atlas: Arc::new(Atlas::read(files)?), stamps })
    }
}

impl Default for Geo {
    /// Of no files.
    fn default() -> Self {
        Self { atlas: Arc::new(Atlas::empty()), stamps: Vec::new() }
    }
}

/// Two of the same content know the same.
impl PartialEq for Geo {
    fn eq(&self, other: &Self) -> bool {
        self.stamps == other.stamps
    }
}

impl Eq for Geo {}

/// The files of `[geo]`; those that are not absolute are relative to `base`.
pub(super) fn read_files(
    fields: &Fields<'_>,
    base: &Path,
    reader: &mut Reader<'_>,
) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = Vec::new();
    for text in fields.texts("files", reader) {
        let path = base.join(&text.text);
        if text.text.is_empty() {
            let help = "write its path, relative to rota.toml: \"GeoLite2-Country.mmdb\"";
            reader.refuse(text.span, "a file has a name", help);
        } else if files.contains(&path) {
            reader.refuse(text.span, format!("{} is listed twice", text.text), "remove one");
        } else {
            files.push(path);
        }
    }
    if files.len() > FILES_MAX {
        let message = format!("`files` lists {}, but at most {FILES_MAX}", files.len());
        let help = "one for countries or cities and one for AS numbers is what most need";
        reader.refuse(fields.value_span("files"), message, help);
    }
    files
}
