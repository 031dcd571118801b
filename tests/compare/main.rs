//! The same zones in Rota and in the servers that the field trusts.
//!
//! A seed makes worlds of zones (`generate`, `roles`) and questions about them (`question`). NSD,
//! Knot, BIND and the built `rota` serve each world side by side on loopback (`peers`); every
//! question goes to all four (`ask`), answers are brought into one form (`answer`) and held against
//! one another (`verdict`). A difference is a failure unless the one list of meant differences
//! (`annotations`) has it; what Rota promises by itself is checked on the way (`promises`).
//!
//! ```text
//! apt-get install nsd knot bind9           what it needs besides the build
//! cargo test --test compare                a short run with fixed seeds, below a minute
//! ROTA_COMPARE_SEED=7 ROTA_COMPARE_ZONES=1 cargo test --test compare      one world again
//! ROTA_COMPARE_SEED=$RANDOM ROTA_COMPARE_ZONES=5000 cargo test --test compare
//! ```
//!
//! Plain `cargo test` leaves this target out (`test = false`), and asking for it where a peer is
//! missing fails rather than skips. After a failure the worlds' folder keeps the zones that differ.

#![allow(unreachable_pub, reason = "the modules of a test are seen by nobody else")]

mod annotations;
mod answer;
mod ask;
mod generate;
mod links;
mod name;
mod peers;
mod promises;
mod question;
mod report;
mod roles;
mod verdict;

use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use annotations::Case;
use ask::Asker;
use generate::World;
use peers::{Peers, Voice};
use question::Question;
use report::Report;
use verdict::{Part, Replies, differing};

/// Where the short run begins; a seed that found something is worth a run of its own.
const SEED: u64 = 1034;
/// Zones of the short run.
const ZONES: usize = 60;
/// Worlds that some server did not take before the run is given up: then it is the server.
const UNSERVED_MAX: usize = 5;
/// Questions about one world.
const QUESTIONS: usize = 600;

#[test]
fn answers_are_those_of_the_peers() {
    if let Err(missing) = peers::all_installed() {
        panic!("{missing}");
    }
    let first = number("ROTA_COMPARE_SEED").unwrap_or(SEED);
    let zones = number("ROTA_COMPARE_ZONES").map_or(ZONES, |zones| zones as usize);
    let mut report = Report::default();
    for seed in first.. {
        if report.zones >= zones || report.worlds_unserved >= UNSERVED_MAX {
            break;
        }
        let world = World::new(seed);
        let folder = folder(seed);
        let before = report.differences();
        play(&world, &folder, &mut report);
        if report.differences() == before {
            drop(fs::remove_dir_all(&folder));
        }
    }
    let told = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compare-differences.txt");
    drop(fs::write(&told, report.every_kind()));
    // Past the capture of the test harness: the counts are worth seeing when all is well, too.
    drop(writeln!(std::io::stderr(), "\n{report}"));
    let differences = report.differences();
    assert_eq!(differences, 0, "not explained; one of each kind is in {}", told.display());
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is a number")))
}

/// Where one world lives while it is played; a short path, since Knot's control socket lies there.
fn folder(seed: u64) -> PathBuf {
    let path = env::temp_dir().join(format!("rota-compare-{}-{seed}", std::process::id()));
    drop(fs::remove_dir_all(&path));
    path
}

/// Serves a world everywhere and asks all its questions.
fn play(world: &World, folder: &Path, report: &mut Report) {
    report.worlds += 1;
    report.zones += world.zones.len();
    let peers = match Peers::start(folder, world) {
        Ok(peers) => peers,
        Err(why) => return report.unserved(why),
    };
    let mut asker = Asker::new(peers.addresses());
    for question in question::questions(world, QUESTIONS) {
        report.questions += 1;
        let mut replies = Replies(asker.ask(&question));
        let mut broken = promises::broken(&question, replies.of(Voice::Rota));
        // What fits depends on how well a server compresses: what is meant shows over TCP.
        if !question.tcp && (replies.any_truncated() || differing(&replies) == [Part::Additional]) {
            report.over_tcp += 1;
            let over_tcp = Question { tcp: true, ..question.clone() };
            let whole = Replies(asker.ask(&over_tcp));
            broken.extend(promises::broken(&over_tcp, whole.of(Voice::Rota)));
            let (datagram, stream) = (replies.answer(Voice::Rota), whole.answer(Voice::Rota));
            if let (Some(datagram), Some(stream)) = (datagram, stream) {
                broken.extend(promises::broken_by_truncation(&question, datagram, stream));
            }
            replies = whole;
        }
        for what in broken {
            report.difference(world, &question, &replies, &what);
        }
        report.answered(&replies.of(Voice::Rota).reply);
        compare(world, &question, &replies, &mut asker, report);
    }
}

fn compare(
    world: &World,
    question: &Question,
    replies: &Replies,
    asker: &mut Asker,
    report: &mut Report,
) {
    let mut case = Case { question, replies, asker };
    for part in differing(replies) {
        match case.explained(part) {
            Some(entry) => report.annotated[entry] += 1,
            None => report.difference(world, question, replies, &format!("{part:?} differs")),
        }
    }
}
