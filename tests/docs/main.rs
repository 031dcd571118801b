//! Whoever copies a configuration out of the documentation gets one that is taken.

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rota::config::{ZoneFiles, read_server, read_zone, render};
use rota::wire::Name;
use rota::zone::{Diagnostic, Source};

/// What a block without a zone of its own is put behind.
const ZONE: &str = "[zone]\nns = [\"ns1 192.0.2.53\"]\n";

/// A block of a page: what it stands for, and its text.
struct Block {
    page: String,
    line: usize,
    text: String,
}

#[test]
fn every_configuration_in_the_documentation_is_taken() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages: Vec<PathBuf> = vec![root.join("README.md")];
    for entry in fs::read_dir(root.join("docs")).unwrap() {
        let path = entry.unwrap().path();
        pages.extend(path.extension().is_some_and(|it| it == "md").then_some(path));
    }
    pages.sort();
    let blocks: Vec<Block> = pages.iter().flat_map(|page| blocks(page)).collect();
    assert!(blocks.len() > 5, "there are blocks");
    let mut wrong = String::new();
    for block in &blocks {
        let mut out = Vec::new();
        read(block, &mut out);
        if !out.is_empty() {
            let told = render(&out, false);
            wrong += &format!("{}, line {}:\n{told}\n", block.page, block.line);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
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

/// A first line `# zones/<apex>.toml` says whose zone it is; what has no services is `rota.toml`.
fn read(block: &Block, out: &mut Vec<Diagnostic>) {
    let source = |text: String| Arc::new(Source { path: block.page.clone(), text });
    if !block.text.contains("[service.") && !block.text.contains("[zone]") {
        read_server(&source(block.text.clone()), Path::new(""), out);
        return;
    }
    let named = block.text.lines().next().unwrap().strip_prefix("# zones/");
    let stem = named.and_then(|name| name.strip_suffix(".toml")).unwrap_or("lb.example.org");
    let mut text = block.text.clone();
    if !text.contains("[zone]") {
        text.insert_str(0, ZONE);
    }
    let apex = Name::from_text(stem).unwrap();
    let files = ZoneFiles { apex, toml: Some(source(text)), master: None, serial: 1 };
    read_zone(&files, out);
}
