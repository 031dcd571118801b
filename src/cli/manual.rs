//! `rota completions` and `rota man`: the tree of verbs, in the forms of shells and of man.
//!
//! Both are made from the help itself, so there is nothing to keep in step.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, Exit};

/// Arguments of `rota completions`.
#[derive(clap::Args, Debug)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: Shell,
}

/// Arguments of `rota man`.
#[derive(clap::Args, Debug)]
pub struct ManArgs {
    /// The folder that the pages are written to
    pub folder: PathBuf,
}

/// Prints what a shell reads to complete verbs and options.
pub fn completions(args: &CompletionsArgs) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "rota", &mut script);
    super::print(String::from_utf8(script).context("a script is text")?.trim_end());
    Ok(Exit::Good)
}

/// Writes a page for `rota` and for each of its verbs.
pub fn man(args: &ManArgs) -> anyhow::Result<Exit> {
    let folder: &Path = &args.folder;
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
        .with_context(|| format!("cannot write to {}", folder.display()))?;
    Ok(Exit::Good)
}
