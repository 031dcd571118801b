use std::time::Duration;

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const IP: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

#[expect(clippy::disallowed_methods, reason = "an Instant to count from")]
fn start() -> Instant {
    Instant::now()
}

fn failed(at: Instant, count: u32) -> Word {
    Word { at, passed: false, count, reason: Some("status 500".to_owned()) }
}

fn passed(at: Instant) -> Word {
    Word { at, passed: true, count: 1, reason: None }
}

fn poll(up: u32, down: u32) -> Poll {
    Poll { up, down, turning: false }
}

#[test]
fn a_report_of_five_failures_is_an_opinion_until_it_lapses() {
    let (mut vantages, start) = (Vantages::default(), start());
    let turn = vantages.handle_report("proxy", "n1", IP, failed(start, 5)).unwrap();
    assert_eq!((turn.before, turn.now, turn.is_status), (Status::Unknown, Status::Down, true));
    assert_eq!(turn.reason.as_deref(), Some("status 500"));
    assert_eq!(vantages.poll("n1", IP), poll(0, 1));
    assert_eq!(vantages.poll("n2", IP), Poll::default());
    assert_eq!(vantages.poll_timeout(), Some(start + 30 * SECOND));

    // Repeated, it lasts.
    assert_eq!(vantages.handle_report("proxy", "n1", IP, failed(start + 20 * SECOND, 1)), None);
    assert_eq!(vantages.lapse(start + 49 * SECOND), []);
    let lapsed = vantages.lapse(start + 50 * SECOND);
    assert_eq!(lapsed.len(), 1);
    assert_eq!((lapsed[0].before, lapsed[0].now), (Status::Down, Status::Unknown));
    assert_eq!(vantages.poll("n1", IP), Poll::default());
    assert_eq!((vantages.poll_timeout(), vantages.count), (None, 0));
}

#[test]
fn each_has_a_voice_of_its_own() {
    let (mut vantages, start) = (Vantages::default(), start());
    vantages.handle_report("a", "n1", IP, failed(start, 5));
    vantages.handle_report("b", "n1", IP, passed(start));
    vantages.handle_report("c", "n1", IP, failed(start, 1));
    assert_eq!(vantages.poll("n1", IP), Poll { up: 1, down: 1, turning: true });
    let told: Vec<_> = vantages.voices().map(|(name, _, counts)| (name, counts)).collect();
    assert_eq!(told, [("a", [0, 1, 0]), ("b", [1, 0, 0]), ("c", [0, 0, 1])]);
    let told: Vec<_> = vantages.opinions_on("n1", IP).map(|(name, _)| name).collect();
    assert_eq!(told, ["a", "b", "c"]);
}

#[test]
fn what_only_begins_to_be_counted_asks_for_plans_too() {
    let (mut vantages, start) = (Vantages::default(), start());
    let turn = vantages.handle_report("a", "n1", IP, failed(start, 1)).unwrap();
    assert!(!turn.is_status);
    assert_eq!(vantages.handle_report("a", "n1", IP, failed(start, 1)), None);
    let lapsed = vantages.lapse(start + 30 * SECOND);
    assert_eq!((lapsed.len(), lapsed[0].is_status), (1, false));
}

#[test]
fn a_reload_keeps_what_was_said_of_those_who_stay() {
    let (mut vantages, start) = (Vantages::default(), start());
    for node in ["n1", "n2"] {
        vantages.handle_report("a", node, IP, failed(start, 5));
    }
    vantages.retain(|node, ip| node == "n2" && ip == IP);
    assert_eq!((vantages.poll("n1", IP), vantages.poll("n2", IP)), (poll(0, 0), poll(0, 1)));
    vantages.retain(|_, ip| ip != IP);
    assert_eq!(vantages.poll("n2", IP), Poll::default());
}

#[test]
fn only_those_who_are_named_are_heard_where_any_are() {
    let (mut vantages, start) = (Vantages::default(), start());
    vantages.handle_report("a", "n1", IP, failed(start, 5));
    vantages.handle_report("b", "n1", IP, failed(start, 5));
    let hearing = Hearing { names: vec!["b".to_owned()], counts: Counts::default() };
    let turns = vantages.configure(hearing.clone());
    assert_eq!((turns.len(), &*turns[0].from, turns[0].now), (1, "a", Status::Unknown));
    assert_eq!(vantages.configure(hearing), []);
    assert_eq!(vantages.poll("n1", IP), poll(0, 1));
    let admits = |name| vantages.admits(name, [("n1", IP)].into_iter());
    assert_eq!((admits("a"), admits("b")), (Err(Unheard::Stranger), Ok(())));
}

#[test]
fn names_are_short_words() {
    let vantages = Vantages::default();
    let longest = "x".repeat(NAME_LEN_MAX);
    for (name, good) in [
        ("haproxy-eu.1", true),
        (&longest, true),
        (&format!("{longest}x"), false),
        ("", false),
        ("two words", false),
        ("a\nb", false),
        ("é", false),
    ] {
        assert_eq!(vantages.admits(name, [].into_iter()).is_ok(), good, "{name:?}");
    }
}

#[test]
fn who_has_nothing_to_say_makes_room() {
    let (mut vantages, start) = (Vantages::default(), start());
    for number in 0..VANTAGES_MAX as u32 {
        let node = format!("n{number}");
        let word = failed(start + number * SECOND, 5);
        vantages.handle_report(&format!("v{number}"), &node, IP, word);
    }
    let admits = |vantages: &Vantages| vantages.admits("new", [("n1", IP)].into_iter());
    assert_eq!(admits(&vantages), Err(Unheard::Vantages));
    assert_eq!(vantages.lapse(start + 31 * SECOND).len(), 2);
    assert_eq!(admits(&vantages), Ok(()));
    vantages.handle_report("new", "n1", IP, passed(start + 31 * SECOND));
    let names: Vec<&str> = vantages.voices().map(|(name, ..)| name).collect();
    assert_eq!((names.len(), names.contains(&"v0"), names.contains(&"v1")), (16, false, true));
}

#[test]
fn opinions_have_a_limit() {
    let (mut vantages, start) = (Vantages::default(), start());
    for number in 0..OPINIONS_MAX {
        vantages.handle_report("a", &number.to_string(), IP, passed(start));
    }
    let admits = |node| vantages.admits("a", [(node, IP)].into_iter());
    assert_eq!((admits("0"), admits("new")), (Ok(()), Err(Unheard::Opinions)));
}
