//! Whoever copies a configuration out of the documentation gets one that is taken.

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod checker;
mod commands;
mod schema;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rota::config::{ZoneFiles, read_server, read_zone, render};
use rota::wire::Name;
use rota::zone::{Diagnostic, Source};

/// Set, the files are written rather than compared.
const RENEW: &str = "ROTA_RENEW";
/// What a block without a zone of its own is put behind.
const ZONE: &str = "[zone]\nns = [\"ns1 192.0.2.53\"]\n";

/// A block of a page: what it stands for, and its text.
struct Block {
    page: String,
    line: usize,
    text: String,
}

/// Which file a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// `rota.toml`.
    Server,
    /// `zones/<apex>.toml`.
    Zone,
}

impl Block {
    /// What has no services and no name servers is `rota.toml`.
    fn kind(&self) -> Kind {
        let zone = self.text.contains("[service.") || self.text.contains("[zone]");
        if zone { Kind::Zone } else { Kind::Server }
    }

    /// The text as a whole file: a zone without name servers is a part of one that has them.
    fn whole(&self) -> String {
        let head =
            if self.kind() == Kind::Zone && !self.text.contains("[zone]") { ZONE } else { "" };
        format!("{head}{}", self.text)
    }
}

#[test]
fn every_configuration_in_the_documentation_is_taken() {
    let mut wrong = String::new();
    for block in &blocks_of_all_pages() {
        let mut out = Vec::new();
        read(block, &mut out);
        if !out.is_empty() {
            let told = render(&out, false);
            wrong += &format!("{}, line {}:\n{told}\n", block.page, block.line);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Holds a committed file against what this version makes of it, or renews it.
#[track_caller]
fn compare(file: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os(RENEW).is_some() {
        fs::write(&path, made).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    let differs = made.lines().zip(kept.lines()).position(|(made, kept)| made != kept);
    assert!(
        made == kept,
        "{file} is of another version, first at line {}; renew it, and look at what changes: \
         {RENEW}=1 cargo test --test docs",
        differs.unwrap_or(kept.lines().count()) + 1,
    );
}

/// The blocks of the README and of every page of the documentation.
fn blocks_of_all_pages() -> Vec<Block> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages: Vec<PathBuf> = vec![root.join("README.md")];
    for entry in fs::read_dir(root.join("docs")).unwrap() {
        let path = entry.unwrap().path();
        pages.extend(path.extension().is_some_and(|it| it == "md").then_some(path));
    }
    pages.sort();
    let blocks: Vec<Block> = pages.iter().flat_map(|page| blocks(page)).collect();
    assert!(blocks.len() > 5, "there are blocks");
    blocks
}

/// The blocks of a page that are TOML.
fn blocks(page: &Path) -> Vec<Block> {
    let text = fs::read_to_string(page).unwrap();
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = false;
    for (at, line) in text.lines().enumerate() {
        match (inside, line) {
            (false, "```toml") => {
                let page = page.file_name().unwrap().to_string_lossy().into_owned();
                blocks.push(Block { page, line: at + 2, text: String::new() });
                inside = true;
            }
            (true, "```") => inside = false,
            (true, line) => {
                let block = blocks.last_mut().unwrap();
                block.text += line;
                block.text.push('\n');
            }
            (false, _) => {}
        }
    }
    blocks
}

/// A first line `# zones/<apex>.toml` says whose zone it is.
fn read(block: &Block, out: &mut Vec<Diagnostic>) {
    let source = Arc::new(Source { path: block.page.clone(), text: block.whole() });
    if block.kind() == Kind::Server {
        read_server(&source, Path::new(""), out);
        return;
    }
    let named = block.text.lines().next().unwrap().strip_prefix("# zones/");
    let stem = named.and_then(|name| name.strip_suffix(".toml")).unwrap_or("lb.example.org");
    let apex = Name::from_text(stem).unwrap();
    let files = ZoneFiles { apex, toml: Some(source), master: None, serial: 1 };
    read_zone(&files, out);
}
