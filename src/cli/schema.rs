//! `rota schema`: what the configuration may hold, for editors and for reading.
//!
//! All of it is made from the descriptions in [`config::tables`](crate::config::tables), by which
//! files are read; so what an editor offers is what this binary takes.

use serde_json::Value;

use crate::config::tables::{SERVER, ZONE_FILE};
use crate::config::{reference, schema};

use super::Exit;

/// Shown below the help.
pub const EXAMPLES: &str = "\
Examples:
  rota schema zone > zone.json      then `#:schema ../zone.json` heads zones/<apex>.toml
  rota schema server > server.json  then `#:schema server.json` heads rota.toml
  rota schema keys                  every key with type, default and meaning, as Markdown";

/// Arguments of `rota schema`.
#[derive(clap::Args, Debug)]
pub struct SchemaArgs {
    /// Of what
    #[arg(value_enum)]
    pub what: What,
}

/// What may be described.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// rota.toml
    Server,
    /// zones/<apex>.toml
    Zone,
    /// Every key of both, as a page of Markdown
    Keys,
}

/// Prints it.
pub fn run(args: &SchemaArgs) -> Exit {
    super::print(text(args.what).trim_end());
    Exit::Good
}

/// The document, with a line feed at its end.
pub fn text(what: What) -> String {
    let pretty = |schema: Value| format!("{schema:#}\n");
    match what {
        What::Server => pretty(schema::schema(&SERVER)),
        What::Zone => pretty(schema::schema(&ZONE_FILE)),
        What::Keys => reference::page(),
    }
}
