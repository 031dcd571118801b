//! Parse, run, exit code.

use std::process::ExitCode;

use clap::Parser;
use rota::admin::docs::Wish;
use rota::cli::log::{self, Loudness};
use rota::cli::{self, Cli, Exit, Verb};
use rota::cli::{
    answers, ask, check, demo, doctor, explain, init, manual, node, order, ready, reload, run,
    schema, status, vantage,
};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let demo = if let Verb::Demo(args) = &cli.verb { Some(args) } else { None };
    log::start(cli.log, demo.map_or(Loudness::Events, demo::DemoArgs::loudness));
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
        Verb::Demo(args) => demo::run(args),
        Verb::Ready(args) => ready::run(args, config),
        Verb::Doctor(args) => cli::runtime()?.block_on(doctor::run(args, config)),
        Verb::Init(args) => cli::runtime()?.block_on(init::run(args, config)),
        Verb::Schema(args) => Ok(schema::run(args)),
        Verb::Completions(args) => manual::completions(args),
        Verb::Man(args) => manual::man(args),
        Verb::Explain(args) => cli::runtime()?.block_on(explain::run(args, config)),
        Verb::Answers(args) => cli::runtime()?.block_on(answers::run(args, config)),
        Verb::Status(args) => cli::runtime()?.block_on(status::run(args, config)),
        Verb::Drain(args) => cli::runtime()?.block_on(order::take_out(args, Wish::Drain, config)),
        Verb::Undrain(args) => cli::runtime()?.block_on(order::lift(args, Wish::Undrain, config)),
        Verb::Up(args) => cli::runtime()?.block_on(order::order(args, Wish::Up, config)),
        Verb::Down(args) => cli::runtime()?.block_on(order::take_out(args, Wish::Down, config)),
        Verb::Auto(args) => cli::runtime()?.block_on(order::lift(args, Wish::Auto, config)),
        Verb::Weight(args) => cli::runtime()?.block_on(order::weight(args, config)),
        Verb::Shift(args) => cli::runtime()?.block_on(order::shift(args, config)),
        Verb::Report(args) => cli::runtime()?.block_on(vantage::run(args, config)),
        Verb::Reload(args) => cli::runtime()?.block_on(reload::run(args, config)),
        Verb::Ask(args) => cli::runtime()?.block_on(ask::run(args)),
        Verb::Node(args) => {
            cli::runtime()?.block_on(node::run(args))?;
            Ok(Exit::Good)
        }
    }
}
