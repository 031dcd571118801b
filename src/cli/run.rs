//! `rota run`: the server itself, and how it tells what is wrong with its configuration.

use std::io::IsTerminal;
use std::path::Path;

use crate::config::render;
use crate::daemon::{self, Call};
use crate::zone::{Diagnostic, Severity};

use super::Exit;
use super::log::LogFormat;

/// Arguments of `rota run`.
#[derive(clap::Args, Debug)]
pub struct RunArgs {
    /// Refuse to start while any zone has errors; else such a zone is answered with SERVFAIL
    #[arg(long)]
    pub strict: bool,

    /// Take the place of the process that runs with the same state folder, with its sockets and
    /// statuses, so that no query is lost; starts afresh where none runs
    #[arg(long)]
    pub replace: bool,

    /// Begin all random numbers here, so that a run can be repeated
    #[arg(long, value_name = "NUMBER", hide = true)]
    pub seed: Option<u64>,
}

/// Serves until it is told to stop.
pub fn run(args: &RunArgs, config: Option<&Path>, log: LogFormat) -> anyhow::Result<Exit> {
    let RunArgs { strict, replace, seed } = *args;
    let call = Call { config: config.map(Path::to_owned), strict, replace, seed };
    let report = move |diagnostics: &[Diagnostic]| match log {
        LogFormat::Text => show(diagnostics),
        LogFormat::Json => diagnostics.iter().for_each(tell),
    };
    let runtime = super::runtime()?;
    let ended = runtime.block_on(daemon::run(call, report));
    // A disk that hangs keeps a thread, and need not keep the process.
    runtime.shutdown_background();
    ended?;
    Ok(Exit::Good)
}

/// For people: each problem with its line underlined.
#[expect(clippy::print_stderr, reason = "beside the log, which goes there too")]
fn show(diagnostics: &[Diagnostic]) {
    if !diagnostics.is_empty() {
        eprintln!("{}", render(diagnostics, std::io::stderr().is_terminal()));
    }
}

/// For machines: an event for each problem.
fn tell(diagnostic: &Diagnostic) {
    match diagnostic.severity {
        Severity::Error => tracing::error!("{diagnostic}"),
        Severity::Warning => tracing::warn!("{diagnostic}"),
    }
}
