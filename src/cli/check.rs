//! `rota check`: every problem of the configuration with its place, and what it comes to.

use std::io::IsTerminal;
use std::path::Path;

use crate::config;
use crate::zone::diagnostic::has_errors;
use crate::zone::{Diagnostic, Severity};

use super::Exit;
use super::report::report;

/// Arguments of `rota check`.
#[derive(clap::Args, Debug)]
pub struct CheckArgs {
    /// Treat warnings as errors
    #[arg(long)]
    pub strict: bool,

    /// Print the problems as JSON, one object a line
    #[arg(long)]
    pub json: bool,
}

/// Reads the configuration, tells what is wrong with it and what it comes to.
pub fn run(args: &CheckArgs, config: Option<&Path>) -> anyhow::Result<Exit> {
    let loaded = config::load(config);
    if args.json {
        for diagnostic in &loaded.diagnostics {
            super::print(&json(diagnostic).to_string());
        }
    } else {
        super::print(report(&loaded).trim_end());
        // What is wrong stands last, where the eye is when all is printed.
        if !loaded.diagnostics.is_empty() {
            let colours = std::io::stdout().is_terminal();
            super::print("");
            super::print(config::render(&loaded.diagnostics, colours).trim_end());
        }
    }
    Ok(exit(&loaded.diagnostics, args.strict))
}

/// Good where all is good; warnings count where they are asked to.
fn exit(diagnostics: &[Diagnostic], strict: bool) -> Exit {
    if has_errors(diagnostics) || (strict && !diagnostics.is_empty()) {
        Exit::Found
    } else {
        Exit::Good
    }
}

/// One problem for a machine: lines and columns count from 1, and are null without a place.
fn json(diagnostic: &Diagnostic) -> serde_json::Value {
    let place = diagnostic.place.as_ref();
    let at = place.map(|place| place.source.line_column(place.span.start));
    serde_json::json!({
        "severity": match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "file": place.map(|place| &place.source.path),
        "line": at.map(|(line, _)| line),
        "column": at.map(|(_, column)| column),
        "message": diagnostic.message,
        "help": diagnostic.help,
    })
}
