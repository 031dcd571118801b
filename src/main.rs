//! Parse, run, exit code.

use std::process::ExitCode;

use clap::Parser;
use rota::cli::log::{self, Loudness};
use rota::cli::{self, Cli, Exit, Verb, ask, node, ready};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let loudness = match &cli.verb {
        Verb::Demo(args) => args.loudness(),
        Verb::Run(_) | Verb::Check(_) | Verb::Ready(_) | Verb::Ask(_) | Verb::Node(_) => {
            Loudness::Events
        }
    };
    log::start(cli.log, loudness);
    match run(&cli) {
        Ok(exit) => exit.into(),
        Err(error) => {
            eprintln!("rota: {error:#}");
            Exit::CouldNotRun.into()
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<Exit> {
    match &cli.verb {
        Verb::Run(_) | Verb::Check(_) | Verb::Demo(_) => anyhow::bail!("not connected yet"),
        Verb::Ready(args) => ready::run(args, ([127, 0, 0, 1], 9153).into()),
        Verb::Ask(args) => cli::runtime()?.block_on(ask::run(args)),
        Verb::Node(args) => {
            cli::runtime()?.block_on(node::run(args))?;
            Ok(Exit::Good)
        }
    }
}
