use std::time::{Duration, Instant};

use super::*;
use crate::health::{Ask, HttpAsk};

const SECOND: Duration = Duration::from_secs(1);

#[expect(clippy::disallowed_methods, reason = "an Instant to count from; none is compared to now")]
fn start() -> Instant {
    Instant::now()
}

fn ids<const N: usize>() -> [TargetId; N] {
    let mut next = TargetId::FIRST;
    std::array::from_fn(|_| {
        let id = next;
        next = next.next();
        id
    })
}

/// Launches everything that is due, each with a second to end in.
fn launch_all(schedule: &mut Schedule, now: Instant) -> Vec<TargetId> {
    let mut launched = Vec::new();
    while let Some((_, id)) = schedule.first_due(now) {
        schedule.launch(id, Flight { started: now, deadline: now + SECOND });
        launched.push(id);
    }
    launched
}

#[test]
fn launches_what_is_due_in_order_of_time() {
    let (now, [a, b, c]) = (start(), ids());
    let mut schedule = Schedule::new(8);
    schedule.add(a, now + SECOND);
    schedule.add(b, now);
    schedule.add(c, now + 2 * SECOND);
    assert_eq!(launch_all(&mut schedule, now + SECOND), [b, a]);
    assert_eq!(schedule.wake_at(), Some(now + 2 * SECOND));
}

#[test]
fn what_is_due_soon_goes_with_what_is_due_now() {
    let (now, [a, b, c, d]) = (start(), ids());
    let mut schedule = Schedule::new(8);
    schedule.add(a, now);
    schedule.add(b, now + GATHER);
    schedule.add(c, now + GATHER + GATHER / 2);
    schedule.add(d, now + 3 * GATHER);
    assert_eq!(launch_all(&mut schedule, now), [a, b]);
    assert_eq!(schedule.wake_at(), Some(now + GATHER + GATHER / 2));
    assert_eq!(launch_all(&mut schedule, now + GATHER), [c]);
}

#[test]
fn a_full_schedule_waits_for_a_verdict_and_not_for_a_time() {
    let (now, [a, b, c]) = (start(), ids());
    let mut schedule = Schedule::new(2);
    for id in [a, b, c] {
        schedule.add(id, now);
    }
    assert_eq!(launch_all(&mut schedule, now), [a, b]);
    assert_eq!(schedule.wake_at(), None);
    assert!(schedule.finish(a).is_some());
    assert_eq!(schedule.wake_at(), Some(now));
    assert_eq!(launch_all(&mut schedule, now), [c]);
}

#[test]
fn a_target_in_flight_is_not_due() {
    let (now, [a]) = (start(), ids());
    let mut schedule = Schedule::new(8);
    schedule.add(a, now);
    assert_eq!(launch_all(&mut schedule, now), [a]);
    schedule.add(a, now);
    assert_eq!(launch_all(&mut schedule, now), []);
}

#[test]
fn a_target_is_due_once_even_if_added_twice() {
    let (now, [a]) = (start(), ids());
    let mut schedule = Schedule::new(8);
    schedule.add(a, now + SECOND);
    schedule.add(a, now);
    assert_eq!(launch_all(&mut schedule, now + SECOND), [a]);
    assert_eq!(schedule.wake_at(), None);
}

#[test]
fn a_forgotten_target_is_due_no_more_but_its_flight_fills_a_seat() {
    let (now, [a, b, c]) = (start(), ids());
    let mut schedule = Schedule::new(1);
    for id in [a, b, c] {
        schedule.add(id, now);
    }
    assert_eq!(launch_all(&mut schedule, now), [a]);
    schedule.forget(a);
    schedule.forget(b);
    assert_eq!(launch_all(&mut schedule, now), []);
    assert!(schedule.finish(a).is_some());
    assert_eq!(launch_all(&mut schedule, now), [c]);
}

#[test]
fn lateness_is_that_of_the_worst_start_or_end() {
    let (now, [a, b]) = (start(), ids());
    let mut schedule = Schedule::new(8);
    assert_eq!(schedule.late_by(now), Duration::ZERO);
    schedule.add(a, now);
    assert_eq!(schedule.late_by(now + 3 * SECOND), 3 * SECOND);
    launch_all(&mut schedule, now + 3 * SECOND);
    assert_eq!(schedule.late_by(now + 3 * SECOND), Duration::ZERO);
    schedule.add(b, now + 10 * SECOND);
    assert_eq!(schedule.late_by(now + 9 * SECOND), 5 * SECOND);
}

#[test]
fn intervals_are_drawn_below_the_pace_and_never_above() {
    let millis = Duration::from_millis;
    for (pace, every, low, high) in [
        (Pace::Steady, millis(5_000), millis(4_500), millis(5_000)),
        (Pace::First, millis(5_000), millis(500), millis(5_000)),
        (Pace::Changing, millis(5_000), millis(2_250), millis(2_500)),
        (Pace::Changing, millis(1_500), millis(900), millis(1_000)),
        (Pace::Changing, millis(200), millis(180), millis(200)),
        (Pace::Idle, millis(5_000), millis(27_000), millis(30_000)),
    ] {
        let ask = Ask::Http(HttpAsk::get(80, "/", "app.example.org"));
        let check = Check { every, idle: Some(6 * every), ..Check::new(ask) };
        let mut rng = fastrand::Rng::with_seed(1);
        let drawn: Vec<_> = (0..1000).map(|_| pace.draw(&check, &mut rng)).collect();
        let (least, most) = (drawn.iter().min().unwrap(), drawn.iter().max().unwrap());
        assert!(*least >= low && *most <= high, "{pace:?} {every:?}: {least:?} to {most:?}");
        // The whole range is used.
        let width = high - low;
        assert!(*least < low + width / 20 && *most > high - width / 20);
    }
}
