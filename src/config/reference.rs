//! The descriptions of [`super::tables`] as a page of the documentation.
//!
//! One section for each kind of table, in their order, each with every key that it has. The page is
//! committed and a test compares it with what is made here, so it cannot say what is not so.

use std::fmt::Write;

use super::keys::{Fallback, Key, Kind, Takes, one_of};
use super::tables::KINDS;

const OPENING: &str = "\
# Every key

What may stand in `rota.toml` and in `zones/<apex>.toml`, made from the descriptions by which Rota
itself reads them. `rota check` shows each setting as it is meant, with defaults; what is unknown or
does not fit is refused with its place and with what to write instead.

An editor that follows JSON Schema completes and explains keys while you type. Write the schemas
somewhere, and name them in the first line of a file:

```console
$ rota schema server > server.json     # for rota.toml
$ rota schema zone > zone.json         # for zones/<apex>.toml
```

```text
#:schema ../zone.json
```

Times are texts with a unit: `\"500ms\"`, `\"5s\"`, `\"1m30s\"`.
";

/// The page, in Markdown.
pub fn page() -> String {
    let mut page = OPENING.to_owned();
    for kind in KINDS {
        let _ = write!(page, "\n## {}\n\n`{}`\n\n", kind.title(), kind.header);
        page.push_str("| key | takes | default | meaning |\n|---|---|---|---|\n");
        for key in kind.keys {
            let _ = writeln!(
                page,
                "| `{}` | {} | {} | {} |",
                key.name,
                cell(&takes(&key.takes)),
                cell(&default(key)),
                cell(key.doc)
            );
        }
    }
    page
}

/// A text that a row of a table can hold.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;")
}

fn default(key: &Key) -> String {
    match key.default {
        Fallback::Value(text) => format!("`{text}`"),
        Fallback::Rule(rule) => rule.to_owned(),
        Fallback::Required => "must be written".to_owned(),
    }
}

/// What fits, in words; tables as links to their sections, and times with their bounds.
fn takes(takes_this: &Takes) -> String {
    match takes_this {
        Takes::Duration { min, max, .. } => {
            let (min, max) = (humantime::format_duration(*min), humantime::format_duration(*max));
            format!("a time, {min} to {max}")
        }
        Takes::List(inner) => format!("a list of: {}", takes(inner)),
        Takes::Table(kind) => format!("a table {}", link(kind)),
        Takes::Named(kind) => format!("tables by name, each {}", link(kind)),
        Takes::Map(inner) => format!("a table of names, each with {}", takes(inner)),
        Takes::Either(all) => one_of(all.iter().map(takes)),
        Takes::Text(_)
        | Takes::Number { .. }
        | Takes::Flag
        | Takes::Share
        | Takes::Words { .. } => takes_this.words(),
    }
}

/// A link to a kind's section.
fn link(kind: &Kind) -> String {
    format!("[{}](#{})", kind.title(), kind.slug())
}
