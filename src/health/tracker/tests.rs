use std::time::Duration;

use super::*;
use crate::health::{Ask, HISTORY_MAX, HttpAsk};

/// Verdicts by letter: `p`ass, `b`ad, `d`rain, `n`o verdict.
fn verdict(letter: char) -> Verdict {
    let outcome = match letter {
        'p' => Outcome::Pass,
        'b' => Outcome::Fail(Reason::Refused),
        'd' => Outcome::Fail(Reason::Draining),
        'n' => Outcome::NoVerdict(Reason::Local("no descriptor".into())),
        other => panic!("no verdict is written {other}"),
    };
    Verdict::new(outcome, Duration::from_millis(3))
}

fn recipe(fails: u32, passes: u32) -> Check {
    let ask = Ask::Http(HttpAsk::get(80, "/", "app.example.org"));
    Check { fails, passes, ..Check::new(ask) }
}

#[expect(clippy::disallowed_methods, reason = "an Instant to count from; none is compared to now")]
fn start() -> Instant {
    Instant::now()
}

/// One word per verdict: the status, with `!` while it is contradicted.
fn standings(tracker: &mut Tracker, check: &Check, verdicts: &str) -> String {
    let now = start();
    let mut words = Vec::new();
    for letter in verdicts.chars() {
        tracker.handle_verdict(verdict(letter), check, now);
        let Standing { status, contradicted } = tracker.standing();
        words.push(format!("{status}{}", if contradicted { "!" } else { "" }));
    }
    words.join(" ")
}

#[track_caller]
fn check(fails: u32, passes: u32, verdicts: &str, expected: &str) {
    let told = standings(&mut Tracker::new(), &recipe(fails, passes), verdicts);
    assert_eq!(told, expected, "fails = {fails}, passes = {passes}, verdicts {verdicts}");
}

#[test]
fn first_verdict_decides_alone() {
    check(3, 2, "p", "up");
    check(3, 2, "b", "down");
    check(3, 2, "d", "draining");
}

#[test]
fn goes_down_after_as_many_fails_in_a_row() {
    check(3, 2, "pbbb", "up up! up! down");
    check(1, 2, "pb", "up down");
    check(3, 2, "pbbpbbb", "up up! up! up up! up! down");
}

#[test]
fn comes_up_after_as_many_passes_in_a_row() {
    check(3, 2, "bpp", "down down! up");
    check(3, 1, "bp", "down up");
    check(3, 2, "bpbpp", "down down! down down! up");
    check(3, 2, "dpp", "draining draining! up");
}

#[test]
fn draining_counts_towards_fails_and_the_last_verdict_names_the_status() {
    check(3, 2, "pddd", "up up! up! draining");
    check(3, 2, "pbbd", "up up! up! draining");
    check(3, 2, "pdbb", "up up! up! down");
}

#[test]
fn down_and_draining_replace_each_other_after_as_many_of_a_kind() {
    check(2, 2, "bdd", "down down! draining");
    check(2, 2, "dbb", "draining draining! down");
    check(3, 2, "bddbddd", "down down! down! down down! down! draining");
}

#[test]
fn counts_out_of_down_and_draining_are_of_one_kind() {
    check(2, 2, "bdpdp", "down down! down! down! down!");
    check(2, 2, "dbpbb", "draining draining! draining! draining! down");
}

#[test]
fn no_verdict_neither_counts_nor_settles() {
    check(2, 2, "nnp", "unknown unknown up");
    check(2, 2, "pnbnnbn", "up up up! up! up! down down");
    check(2, 2, "bpnp", "down down! down! up");
}

#[test]
fn a_restored_status_needs_the_full_count() {
    let mut tracker = Tracker::new();
    tracker.restore(Status::Up);
    assert_eq!(standings(&mut tracker, &recipe(3, 2), "bbb"), "up! up! down");
    assert!(tracker.since().is_some());
}

#[test]
fn a_verdict_is_better_than_what_was_saved() {
    let mut tracker = Tracker::new();
    assert_eq!(standings(&mut tracker, &recipe(3, 2), "b"), "down");
    tracker.restore(Status::Up);
    assert_eq!(tracker.standing().status, Status::Down);
}

#[test]
fn a_restarted_count_starts_at_nothing() {
    let mut tracker = Tracker::new();
    assert_eq!(standings(&mut tracker, &recipe(3, 2), "pbb"), "up up! up!");
    tracker.restart_count();
    assert_eq!(standings(&mut tracker, &recipe(3, 2), "bbb"), "up! up! down");
}

#[test]
fn history_keeps_the_latest() {
    let mut tracker = Tracker::new();
    standings(&mut tracker, &recipe(3, 2), &format!("b{}", "p".repeat(HISTORY_MAX)));
    assert_eq!(tracker.history().len(), HISTORY_MAX);
    assert!(tracker.history().iter().all(|seen| seen.verdict.outcome == Outcome::Pass));
}

/// Plays one verdict every `step_secs`, in one run; one letter per verdict for what came of it:
/// `u`p, `d`own, d`r`aining.
fn played(tracker: &mut Tracker, check: &Check, step_secs: u64, verdicts: &str) -> String {
    let mut now = tracker.history().last().map_or_else(start, |seen| seen.at);
    let play = |letter| {
        now += Duration::from_secs(step_secs);
        tracker.handle_verdict(verdict(letter), check, now);
        match tracker.standing().status {
            Status::Up => 'u',
            Status::Down => 'd',
            Status::Draining => 'r',
            Status::Unknown => '?',
        }
    };
    verdicts.chars().map(play).collect()
}

#[test]
fn who_falls_too_often_passes_longer_and_drains_meanwhile() {
    let (check, mut tracker) = (recipe(1, 2), Tracker::new());
    // Two falls are forgiven.
    assert_eq!(played(&mut tracker, &check, 5, "pbppbppb"), "uddudduD".to_lowercase());
    // Held from the third on: 20 s of passes, of which the first two already drain.
    assert_eq!(played(&mut tracker, &check, 5, "pppp"), "drrr");
    let hold = tracker.hold(&check, tracker.since().unwrap()).unwrap();
    assert_eq!((hold.falls, hold.lasts.as_secs(), hold.passing_since.is_some()), (3, 20, true));
    assert_eq!(played(&mut tracker, &check, 5, "pp"), "uu");
    assert_eq!(tracker.hold(&check, tracker.since().unwrap()), None);
    // The fourth doubles it, and a break starts it anew.
    assert_eq!(played(&mut tracker, &check, 5, "bppppppb"), "ddrrrrrd");
    assert_eq!(played(&mut tracker, &check, 5, "ppppppppp"), "drrrrrrru");
}

#[test]
fn a_hold_ends_when_the_falls_are_forgotten() {
    let (check, mut tracker) = (recipe(1, 1), Tracker::new());
    assert_eq!(played(&mut tracker, &check, 1, "pbpbpbp"), "udududr");
    assert_eq!(played(&mut tracker, &check, 601, "p"), "u");
    assert_eq!(played(&mut tracker, &check, 1, "bp"), "du");
}
