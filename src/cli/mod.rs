//! Floor 7: the command line. One file per verb.
//!
//! Each verb's arguments stand beside the code that they steer; here is only the tree, what all
//! verbs share, and what an exit code means. This is the one floor that prints to standard output.

pub mod answers;
pub mod ask;
pub mod board;
pub mod check;
pub mod client;
mod delegation;
pub mod demo;
mod demo_secret;
mod dns;
pub mod doctor;
pub mod explain;
pub mod init;
pub mod log;
pub mod manual;
pub mod node;
pub mod order;
mod page;
pub mod ready;
pub mod reload;
pub mod report;
pub mod run;
pub mod schema;
mod screen;
mod show;
pub mod status;
mod status_board;
pub mod traffic;
pub mod vantage;
pub mod wait;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use log::LogFormat;

/// The widest that help is wrapped to, in columns.
const HELP_WIDTH: usize = 100;

/// Above the options that every verb has, which stand behind its own.
const EVERYWHERE: &str = "Options of every verb";

/// A DNS server that balances load: answers with the addresses of healthy nodes
///
/// A zone is delegated to Rota. For each service name in it Rota answers A and AAAA queries with
/// the addresses of the service's nodes, rotated or by weight. It probes every address; one that
/// fails its check leaves the next answer, and returns when it passes again.
#[derive(Parser, Debug)]
#[command(name = "rota", version, max_term_width = HELP_WIDTH, after_help = EXAMPLES)]
pub struct Cli {
    /// The server's configuration [default: rota.toml, if there is one]
    #[arg(short, long, global = true, value_name = "FILE", help_heading = EVERYWHERE)]
    pub config: Option<PathBuf>,

    /// How log lines look; they go to standard error, filtered by ROTA_LOG
    #[arg(long, global = true, value_name = "FORM", value_enum, default_value = "text")]
    #[arg(help_heading = EVERYWHERE)]
    pub log: LogFormat,

    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

const EXAMPLES: &str = "\
Examples:
  rota demo                     four nodes, a zone and a live board; nothing else needed
  rota init                     write a first zone, from answers or from what is there today
  rota check                    read rota.toml and zones/, report every mistake, start nothing
  rota run                      serve zones/ on the addresses of rota.toml
  rota -c /etc/rota/rota.toml run --log json
  rota status --watch           how everything stands
  rota drain eu1 --for 1h       take a node out of the answers, for an hour

Exit codes: 0 good, 1 found something, 2 could not run.";

/// What to do.
#[derive(Subcommand, Debug)]
pub enum Verb {
    /// Serve the zones and probe their nodes, until stopped
    ///
    /// SIGHUP reads the configuration again and keeps the old one where the new one has errors.
    /// SIGTERM and Ctrl-C stop.
    #[command(after_help = RUN_EXAMPLES)]
    Run(run::RunArgs),

    /// Read the configuration, report every mistake with its place, start nothing
    ///
    /// Prints what the configuration comes to (each key with its value, how long a dead node is in
    /// use at most, the records for the parent zone), and then what is wrong with it. Exit code 0
    /// where all is well, 1 where there are errors.
    #[command(after_help = CHECK_EXAMPLES)]
    Check(check::CheckArgs),

    /// Show how everything stands: a board of services, nodes and what operators said of them
    ///
    /// Exit code 0 where all is well, 1 where a service is not answered from healthy pools, a zone
    /// has errors, a certificate ends soon, the prober is suspected, or the server has something to
    /// say of itself.
    #[command(after_help = STATUS_EXAMPLES)]
    Status(status::StatusArgs),

    /// Take nodes out of the answers while others stand
    ///
    /// Clients that know the address may go on; new ones are sent elsewhere. It holds over restarts
    /// until it is lifted or its time is over. With --wait it returns when resolvers have forgotten
    /// the nodes, and fails where they have not in time.
    #[command(after_help = ORDER_EXAMPLES)]
    Drain(order::OutArgs),

    /// Drain nodes no more
    Undrain(order::LiftArgs),

    /// Serve nodes whatever their checks say
    Up(order::OrderArgs),

    /// Never serve nodes, not even where all others are down
    Down(order::OutArgs),

    /// Lift all that was said of nodes: checks and configuration decide again
    Auto(order::LiftArgs),

    /// Give nodes another weight
    #[command(after_help = WEIGHT_EXAMPLES)]
    Weight(order::WeightArgs),

    /// Give the pools of a split service other shares of all clients
    ///
    /// Each client keeps its pool unless the shift moves it.
    #[command(after_help = SHIFT_EXAMPLES)]
    Shift(order::ShiftArgs),

    /// Report how requests to a node went, as seen from another place than the server's own probes
    ///
    /// A vantage, such as a proxy, says what it has seen under a name of its own. Its words are
    /// counted like verdicts, and forgotten when it says nothing more. Exit code 0 where the report
    /// was taken, 2 where it was not.
    #[command(after_help = REPORT_EXAMPLES)]
    Report(vantage::ReportArgs),

    /// Have a running server read its configuration anew
    ///
    /// Exit code 1 where the new one has errors; what is served without them stays in force.
    Reload(reload::ReloadArgs),

    /// Say why a client gets the answer that it gets, stage by stage
    ///
    /// Asks the running server, which knows what is up; with --offline reads the configuration and
    /// counts every node as healthy. Exit code 0 where there is an answer, 1 where there is none.
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(explain::ExplainArgs),

    /// Print answers as they are given, of those that the answer log notes, until stopped
    ///
    /// Shows which clients were told which nodes. The configuration says which part of all answers
    /// is noted, and how much of a client's address (`[log] answers`).
    #[command(after_help = answers::EXAMPLES)]
    Answers(answers::AnswersArgs),

    /// Show the main job on this machine: four nodes, a zone, a live board
    ///
    /// Starts four small HTTP nodes on 127.0.0.11 to 127.0.0.14, serves thoughtspot.customer.com
    /// with their addresses, and shows what is up and what is answered. Break a node with curl and
    /// watch. Writes nothing to disk.
    #[command(after_help = DEMO_EXAMPLES)]
    Demo(demo::DemoArgs),

    /// Ask a running server whether it is ready
    ///
    /// Asks GET /readyz of the admin listener that the configuration names. Exit code 0 where it
    /// is ready, 1 where it is not (yet, or any more), 2 where nothing answers.
    Ready(ready::ReadyArgs),

    /// Write a first zones/<name>.toml that `rota check` takes
    ///
    /// From what a server answers now, from a master file, from flags, or from your answers.
    #[command(after_help = init::EXAMPLES)]
    Init(init::InitArgs),

    /// Examine zones from outside in: delegation, name servers, this machine, nodes
    ///
    /// Walks from the root as a resolver does and changes nothing. Exit code 0 where nothing is
    /// bad, 1 where something is, 2 where it could not look.
    #[command(after_help = doctor::EXAMPLES)]
    Doctor(doctor::DoctorArgs),

    /// Print what the configuration may hold, as JSON Schema for editors
    #[command(after_help = schema::EXAMPLES)]
    Schema(schema::SchemaArgs),

    /// Print what a shell reads to complete verbs and options
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions(manual::CompletionsArgs),

    /// Write the man pages to a folder
    #[command(hide = true)]
    Man(manual::ManArgs),

    /// Ask a DNS server for addresses, for machines without dig
    #[command(hide = true)]
    Ask(ask::AskArgs),

    /// Be a small HTTP node that can be told to fail
    #[command(hide = true)]
    Node(node::NodeArgs),
}

const RUN_EXAMPLES: &str = "\
Examples:
  rota run                          rota.toml, or zones/ on 127.0.0.1:5300 without it
  rota run --strict --log json      refuse to start with a broken zone; JSON logs
  kill -HUP $(pidof rota)           take changed zones";

const CHECK_EXAMPLES: &str = "\
Examples:
  rota check                        before each reload
  rota check --strict               warnings count as errors
  rota check --json | jq .          for editors and pipelines";

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  rota explain app.lb.customer.com
  rota explain app.lb.customer.com --type AAAA --client 192.0.2.53 --ecs 198.51.100.0/24
  rota explain app.lb.customer.com --offline --json | jq .";

const STATUS_EXAMPLES: &str = "\
Examples:
  rota status --watch               a live board
  rota status app                   services with app in their name
  rota status --json | jq '.services[].pools[].nodes[] | {id, addresses}'

On the board: ● up, ◐ draining, ○ down, ? no verdict yet, · no check; #3 is the override that
decides, with what checks say in brackets where that is something else.";

const ORDER_EXAMPLES: &str = "\
Examples:
  rota drain eu1                            a node, by the end of its id
  rota drain app/eu --for 2h --reason 'kernel update'
  rota drain eu1 --wait && ssh eu1 reboot   when resolvers have forgotten it
  rota drain 192.0.2.11 'eu*'               by address; all nodes whose name begins with eu
  rota undrain eu1";

const WEIGHT_EXAMPLES: &str = "\
Examples:
  rota weight eu1 3
  rota weight 'eu*' 0 --for 10m";

const SHIFT_EXAMPLES: &str = "\
Examples:
  rota shift app blue=90 green=10
  rota shift app green=100 --wait=100       until no resolver holds a node of blue
  rota auto app                             as configured again";

const REPORT_EXAMPLES: &str = "\
Examples:
  rota report eu1 --from haproxy-eu --failed --status 500 --count 5
  rota report 192.0.2.11 --from ada --failed 'logins hang'
  rota report eu1 --from haproxy-eu --passed";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  rota completions bash > /etc/bash_completion.d/rota
  rota completions zsh > \"${fpath[1]}/_rota\"";

const DEMO_EXAMPLES: &str = "\
While it runs, in another terminal:
  dig @127.0.0.1 -p 5300 thoughtspot.customer.com A
  curl -X POST http://127.0.0.11:8080/fail      also /hang and /drain
  curl -X POST http://127.0.0.11:8080/heal
  rota drain node3 --wait
  rota explain thoughtspot.customer.com
and in a browser, the dashboard: http://127.0.0.1:9153/";

/// What the exit code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: all is well.
    Good,
    /// 1: the verb did its work and found something wrong.
    Found,
    /// 2: the verb could not do its work.
    CouldNotRun,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Good => Self::SUCCESS,
            Exit::Found => Self::from(1),
            // The code that clap gives to a command line that it cannot read.
            Exit::CouldNotRun => Self::from(2),
        }
    }
}

/// Prints a line to standard output; a reader that went away (`rota check | head`) ends the verb.
pub(crate) fn print(line: &str) {
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
        std::process::exit(1);
    }
}

/// A runtime for a verb: one thread, which is all that verbs without DNS workers need.
pub fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")
}

/// Ends with the first SIGINT or SIGTERM.
pub fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_tree_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_and_verb_has_help() {
        let root = Cli::command();
        for command in std::iter::once(&root).chain(root.get_subcommands()) {
            assert!(command.get_about().is_some(), "{} says nothing", command.get_name());
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{}: {argument}", command.get_name());
            }
        }
    }

    #[test]
    fn options_of_all_verbs_stand_before_or_after_the_verb() {
        for line in ["rota -c a.toml --log json run", "rota run --log json -c a.toml"] {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            assert_eq!(cli.config, Some(PathBuf::from("a.toml")));
            assert_eq!(cli.log, LogFormat::Json);
        }
    }

    #[test]
    fn a_wrong_line_could_not_run() {
        let error = Cli::try_parse_from(["rota", "serve"]).unwrap_err();
        assert_eq!(ExitCode::from(error.exit_code() as u8), Exit::CouldNotRun.into());
    }
}
