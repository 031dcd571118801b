//! Parse, run, exit code.

use std::process::ExitCode;

use clap::Parser;
use rota::cli::log::{self, Loudness};
use rota::cli::{self, Cli, Exit, Verb, ask, check, demo, explain, node, ready, run, schema};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let loudness = match &cli.verb {
        Verb::Demo(args) => args.loudness(),
        Verb::Run(_)
        | Verb::Check(_)
        | Verb::Explain(_)
        | Verb::Ready(_)
        | Verb::Schema(_)
        | Verb::Ask(_)
        | Verb::Node(_) => Loudness::Events,
    };
    log::start(cli.log, loudness);
    match perform(&cli) {
        Ok(exit) => exit.into(),
        Err(error) => {
            eprintln!("rota: {error:#}");
            Exit::CouldNotRun.into()
        }
    }
}

fn perform(cli: &Cli) -> anyhow::Result<Exit> {
    let config = cli.config.as_deref();
    match &cli.verb {
        Verb::Run(args) => run::run(args, config, cli.log),
        Verb::Check(args) => check::run(args, config),
        Verb::Explain(args) => cli::runtime()?.block_on(explain::run(args, config)),
        Verb::Demo(args) => demo::run(args),
        Verb::Ready(args) => ready::run(args, config),
        Verb::Schema(args) => Ok(schema::run(args)),
        Verb::Ask(args) => cli::runtime()?.block_on(ask::run(args)),
        Verb::Node(args) => {
            cli::runtime()?.block_on(node::run(args))?;
            Ok(Exit::Good)
        }
    }
}
