//! The rate limit: who is answered, cut short, told or met with silence.

use super::cookie_tests::server_half;
use super::*;

/// A DNAME makes more than 255 octets of it.
const TOO_LONG: &str = "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk.long.example.test";

fn limited(start: Instant, per_second: u32, slip: u8) -> Settings {
    let exempt = ["203.0.113.0/24"].map(|text| Network::parse(text).unwrap()).into();
    let per_second = NonZeroU32::new(per_second).unwrap();
    Settings { rate_limit: Some(RateLimit { per_second, slip, exempt }), ..with_cookies(start) }
}

/// What becomes of one message sent so many times: a letter for each.
fn fate(
    bench: &mut Bench,
    message: &[u8],
    from: &str,
    transport: Transport,
    count: usize,
) -> String {
    let mut one = |_| match bench.send(message, from, transport) {
        None => '-',
        Some(octets) => match show(&octets).as_str() {
            "NOERROR tc 0" => 't',
            text if text.starts_with("BADCOOKIE 0 | v0 1232 10=") => 'b',
            text if text.starts_with("BADCOOKIE") || text.contains(" tc") => '?',
            _ => 'a',
        },
    };
    (0..count).map(&mut one).collect()
}

#[test]
fn answers_beyond_the_limit_are_truncated_badcookie_or_silence() {
    let mut bench = Bench::new(|start| limited(start, 2, 2));
    let query = plain("app.example.test", 1).octets();
    assert_eq!(fate(&mut bench, &query, CLIENT, Transport::Udp, 6), "aa-t-t");
    // The same network and name with cookies: none yet, and a wrong one.
    assert_eq!(fate(&mut bench, &ask(&cookie(b"")).octets(), CLIENT, Transport::Udp, 4), "-b-b");
    let wrong = ask(&cookie(&[1; 16])).octets();
    assert_eq!(fate(&mut bench, &wrong, CLIENT, Transport::Udp, 2), "-b");
    let tally = bench.worker.tally();
    let found = [Outcome::Answered, Outcome::Limited, Outcome::Slipped, Outcome::BadCookie]
        .map(|outcome| tally.outcome(outcome));
    assert_eq!((found, tally.packets(), tally.truncated()), ([2, 5, 2, 3], 12, 2));
    let snapshot = bench.publisher.current().load();
    let (_, zone) = snapshot.zones().next().unwrap();
    let firsts: u64 = zone.services()[1].addresses.iter().map(|&slot| tally.first(slot)).sum();
    assert_eq!(firsts, 2, "what was not sent was first in nothing");
    drop(snapshot);
    bench.later(1);
    assert_eq!(fate(&mut bench, &query, CLIENT, Transport::Udp, 3), "aa-");
}

#[test]
fn tcp_valid_cookies_and_exempt_networks_are_not_limited() {
    let mut bench = Bench::new(|start| limited(start, 1, 0));
    let query = plain("app.example.test", 1).octets();
    let given = bench.send(&ask(&cookie(b"")).octets(), CLIENT, Transport::Udp).unwrap();
    assert_eq!(fate(&mut bench, &query, CLIENT, Transport::Udp, 3), "---");
    assert_eq!(fate(&mut bench, &query, CLIENT, Transport::Tcp, 3), "aaa");
    assert_eq!(fate(&mut bench, &query, "203.0.113.7", Transport::Udp, 3), "aaa");
    let known = ask(&cookie(&server_half(&given))).octets();
    assert_eq!(fate(&mut bench, &known, CLIENT, Transport::Udp, 3), "aaa");
    assert_eq!(fate(&mut bench, &known, "192.0.2.98", Transport::Udp, 3), "---");
    let mut unlimited = Bench::new(with_cookies);
    assert_eq!(fate(&mut unlimited, &query, CLIENT, Transport::Udp, 9), "aaaaaaaaa");
}

/// One answer a second: what each of these gets, asked in turn.
#[track_caller]
fn check_together(questions: &[(&'static str, u16)], expected: &str) {
    let mut bench = Bench::new(|start| limited(start, 1, 0));
    let fates = questions.iter().map(|&(qname, qtype)| {
        fate(&mut bench, &plain(qname, qtype).octets(), CLIENT, Transport::Udp, 1)
    });
    assert_eq!(fates.collect::<String>(), expected, "{questions:?}");
}

#[test]
fn names_that_are_made_up_are_counted_together() {
    // A name, whatever its type and case; another one has its own count.
    check_together(
        &[("app.example.test", 1), ("APP.example.test", 28), ("www.example.test", 1)],
        "a-a",
    );
    // A wildcard for all that it stands in for.
    check_together(&[("a.wild.example.test", 1), ("b.wild.example.test", 1)], "a-");
    // The zone for all names that are not there.
    check_together(&[("x.example.test", 1), ("y.www.example.test", 1)], "a-");
    // The cut for all below it.
    check_together(&[("a.sub.example.test", 1), ("b.c.sub.example.test", 1)], "a-");
    // All errors are one.
    check_together(&[("elsewhere.test", 1), ("other.test", 1), ("www.broken.test", 1)], "a--");
    // An alias is the name that was asked.
    check_together(
        &[("alias.example.test", 1), ("app.example.test", 1), ("gone.example.test", 1)],
        "aaa",
    );
}

#[test]
fn a_name_that_is_too_long_beyond_the_limit_is_truncated_like_any_answer() {
    let mut bench = Bench::new(|start| limited(start, 1, 2));
    let query = plain(TOO_LONG, 1).octets();
    assert_eq!(fate(&mut bench, &query, CLIENT, Transport::Udp, 5), "a-t-t");
}

#[test]
fn errors_beyond_the_limit_slip_as_they_are() {
    let mut bench = Bench::new(|start| limited(start, 1, 2));
    let query = plain("elsewhere.test", 1).octets();
    assert_eq!(fate(&mut bench, &query, CLIENT, Transport::Udp, 5), "a-a-a");
    assert_eq!(bench.worker.tally().outcome(Outcome::Refused), 3);
}
