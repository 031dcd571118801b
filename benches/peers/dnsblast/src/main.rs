//! dnsblast: a DNS load generator with a limit on what is in flight.
//!
//! ```text
//!  questions    lines of a file, as messages ---.
//!  window       what is in flight on a socket --+-- load -- udp | tcp -- sys
//!  pace         when something is due ----------+
//!  stats        what became of it --------------'---> report
//! ```
//!
//! It asks as fast as answers come back, or at a rate. In the first case the server is never
//! offered more than it can hold, so that what is measured is its work and not how it
//! drops packets. An answer counts only if it is one: see `window.rs`.

mod load;
mod pace;
mod questions;
mod report;
mod stats;
mod sys;
mod tcp;
mod udp;
mod window;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;
use std::{env, fs};

use load::Load;
use pace::Idle;
use questions::{Question, Subnets};
use stats::Outcome;
use tcp::Tcp;
use udp::Udp;
use window::SLOTS_MAX;

const HELP: &str = "\
dnsblast -d FILE [OPTIONS]: asks a DNS server as much as it answers

  -s ADDR           the server's address (127.0.0.1)
  -p PORT           its port (53)
  -d FILE           what to ask, in turn: a line is NAME TYPE, # begins a comment
  -l SECS           how long to measure, at most 600 (5)
  -W SECS           how long to warm up before, which does not count (0.5)
  -n SOCKETS        sockets, or connections (16)
  -w WINDOW         questions in flight on each, 1 to 256 (32)
  -r RATE           questions a second, whatever comes back; latencies count from the time
                    at which a question was meant to be asked (0: as fast as answers come)
  --ecs random10    EDNS Client Subnet: 65,536 seeded IPv4 /24 networks inside 10.0.0.0/13
  --tcp             connections that last, with many questions open on each
  --idle spin       try again at once where nothing is to be done
  --idle sleep      sleep 50 us then (what it does by itself)
  --json            the report as one object of JSON
  --help            this

What is not answered within 1 s is lost. Ends with 1 if nothing was answered, with 2 if
something is wrong with the arguments, the file or the connections.
";

const SECS_MAX: f64 = 600.0;

#[derive(Clone, Debug, PartialEq)]
struct Options {
    server: SocketAddr,
    file: String,
    subnets: Subnets,
    tcp: bool,
    json: bool,
    load: Load,
}

fn main() -> ExitCode {
    let arguments = env::args_os().skip(1).map(|it| it.to_string_lossy().into_owned());
    blast(arguments).unwrap_or_else(|problem| {
        eprintln!("dnsblast: {problem}");
        ExitCode::from(2)
    })
}

fn blast(arguments: impl Iterator<Item = String>) -> Result<ExitCode, String> {
    let Some(options) = parse(arguments)? else {
        print!("{HELP}");
        return Ok(ExitCode::SUCCESS);
    };
    let outcome = run(&options)?;
    let tell = if options.json { report::json } else { report::text };
    println!("{}", tell(&outcome, options.load.measured.as_secs_f64()));
    Ok(ExitCode::from(u8::from(outcome.measured.answered == 0)))
}

fn run(options: &Options) -> Result<Outcome, String> {
    let Options { server, file, load, .. } = options;
    let text = fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    let questions: Vec<Question> =
        questions::parse(&text, options.subnets).map_err(|problem| format!("{file}: {problem}"))?;
    let outcome = if options.tcp {
        Tcp::connect(*server, load.sockets)
            .and_then(|mut tcp| load::run(load, &questions, &mut tcp))
    } else {
        Udp::connect(*server, load.sockets)
            .and_then(|mut udp| load::run(load, &questions, &mut udp))
    };
    outcome.map_err(|error| format!("{server}: {error}"))
}

/// The options that the arguments say; None where they ask for help.
fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let (mut address, mut port) = (IpAddr::from(Ipv4Addr::LOCALHOST), 53);
    let (mut file, mut subnets, mut tcp, mut json) = (None, Subnets::Untold, false, false);
    let mut load = Load {
        sockets: 16,
        window: 32,
        warm_up: Duration::from_millis(500),
        measured: Duration::from_secs(5),
        rate: 0.0,
        idle: Idle::Sleep,
    };
    while let Some(option) = arguments.next() {
        let mut argument =
            || arguments.next().ok_or_else(|| format!("{option} lacks what is to follow it"));
        match option.as_str() {
            "-s" => address = value(&option, &argument()?, |_| true)?,
            "-p" => port = value(&option, &argument()?, |_| true)?,
            "-d" => file = Some(argument()?),
            "-l" => {
                let secs = value(&option, &argument()?, |&secs| secs > 0.0 && secs <= SECS_MAX)?;
                load.measured = Duration::from_secs_f64(secs);
            }
            "-W" => {
                let secs = value(&option, &argument()?, |secs| (0.0..=SECS_MAX).contains(secs))?;
                load.warm_up = Duration::from_secs_f64(secs);
            }
            "-n" => load.sockets = value(&option, &argument()?, |&count| count > 0)?,
            "-w" => load.window = value(&option, &argument()?, |at| (1..=SLOTS_MAX).contains(at))?,
            "-r" => load.rate = value(&option, &argument()?, |rate| (0.0..1e9).contains(rate))?,
            "--ecs" => match argument()?.as_str() {
                "random10" => subnets = Subnets::Random10,
                other => return Err(format!("--ecs knows random10, not {other}")),
            },
            "--idle" => match argument()?.as_str() {
                "spin" => load.idle = Idle::Spin,
                "sleep" => load.idle = Idle::Sleep,
                other => return Err(format!("--idle knows spin and sleep, not {other}")),
            },
            "--tcp" => tcp = true,
            "--json" => json = true,
            "--help" => return Ok(None),
            _ => return Err(format!("there is no option {option}; see --help")),
        }
    }
    let file = file.ok_or("-d FILE is needed; see --help")?;
    let server = SocketAddr::new(address, port);
    Ok(Some(Options { server, file, subnets, tcp, json, load }))
}

fn value<T: FromStr>(option: &str, text: &str, fits: impl Fn(&T) -> bool) -> Result<T, String> {
    let value = text.parse().ok().filter(fits);
    value.ok_or_else(|| format!("{option} does not take {text}; see --help"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &str) -> Result<Option<Options>, String> {
        parse(arguments.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_have_their_places() {
        let default = parsed("-d x").unwrap().unwrap();
        assert_eq!((default.server, default.file), ("127.0.0.1:53".parse().unwrap(), "x".into()));
        let all = "-s ::1 -p 5300 -d x -l 2.5 -W 0 -n 8 -w 256 -r 1000 --ecs random10 --tcp \
            --idle spin --json";
        let load = Load {
            sockets: 8,
            window: 256,
            warm_up: Duration::ZERO,
            measured: Duration::from_millis(2_500),
            rate: 1_000.0,
            idle: Idle::Spin,
        };
        let server = "[::1]:5300".parse().unwrap();
        let (file, subnets) = ("x".to_owned(), Subnets::Random10);
        let expected = Options { server, file, subnets, tcp: true, json: true, load };
        assert_eq!(parsed(all), Ok(Some(expected)));
        assert_eq!(parsed("--tcp --help"), Ok(None));
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        for wrong in [
            "",
            "-d",
            "-d x -q",
            "-d x -s a",
            "-d x -p 65536",
            "-d x -l 0",
            "-d x -l 601",
            "-d x -l NaN",
            "-d x -W -1",
            "-d x -n 0",
            "-d x -w 0",
            "-d x -w 257",
            "-d x -r -1",
            "-d x --ecs all",
            "-d x --idle epoll",
        ] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }
}
