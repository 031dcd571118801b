//! Cookies (RFC 7873, RFC 9018): given, known again, and what is none.

use super::*;

/// The server's half of the cookie in a response.
pub(super) fn server_half(octets: &[u8]) -> Vec<u8> {
    let message = Message::from_octets(octets).unwrap();
    let options = message.opt().unwrap();
    let mut options = options.opt().iter::<UnknownOptData<_>>().map(Result::unwrap);
    let cookie = options.find(|option| option.code().to_int() == 10).expect("a cookie");
    let (client, server) = cookie.as_slice().split_at(8);
    assert_eq!((client, server.len()), (&b"ABCDEFGH"[..], 16));
    server.to_vec()
}

#[test]
fn a_cookie_is_given_recognised_and_renewed() {
    let mut bench = Bench::new(with_cookies);
    let mut give = |server: &[u8], from: &str| {
        let octets = bench.send(&ask(&cookie(server)).octets(), from, Transport::Udp).unwrap();
        assert!(show(&octets).starts_with("NOERROR aa 2 | v0 1232 10=4142434445464748"));
        server_half(&octets)
    };
    let first = give(b"", CLIENT);
    assert_eq!(first[4..8], UNIX.to_be_bytes());
    assert_eq!(give(&first, CLIENT), first);
    // The same client over a socket for both families.
    assert_eq!(give(&first, "::ffff:192.0.2.99"), first);
    assert_ne!(give(&first, "192.0.2.98"), first);
    assert_eq!(
        (bench.worker.tally().cookies_valid(), bench.worker.tally().cookies_wrong()),
        (2, 1)
    );
    bench.later(1801);
    let octets = bench.send(&ask(&cookie(&first)).octets(), CLIENT, Transport::Tcp).unwrap();
    assert_eq!(server_half(&octets)[4..8], (UNIX + 1801).to_be_bytes());
    assert_eq!(bench.worker.tally().cookies_valid(), 3);
}

#[test]
fn a_cookie_without_a_question_is_answered_where_cookies_are_in_use() {
    let octets = |server: &[u8]| {
        let mut octets = vec![0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        octets.extend(opt(&cookie(server)));
        octets
    };
    let mut bench = Bench::new(with_cookies);
    let given = bench.send(&octets(b""), CLIENT, Transport::Udp).unwrap();
    assert!(show(&given).starts_with("NOERROR 0 | v0 1232 10="));
    let again = bench.show(&octets(&server_half(&given)), Transport::Udp);
    assert!(again.starts_with("NOERROR 0 | v0 1232 10="));
    let wrong = bench.show(&octets(&[1; 16]), Transport::Udp);
    assert!(wrong.starts_with("BADCOOKIE 0 | v0 1232 10="), "{wrong}");
    let tally = bench.worker.tally();
    assert_eq!((tally.outcome(Outcome::CookieGiven), tally.outcome(Outcome::BadCookie)), (2, 1));
    check(&octets(b""), "FORMERR 0 | v0 1232");
}

#[test]
fn cookies_that_are_none_are_an_error_and_those_of_others_are_not() {
    let mut bench = Bench::new(with_cookies);
    for len in [0, 7, 9, 15, 41] {
        let message = ask(&option(10, &vec![1; len])).octets();
        assert_eq!(bench.show(&message, Transport::Udp), "FORMERR 0 | v0 1232", "{len}");
    }
    for len in [8, 16, 24, 40] {
        let found = bench.show(&ask(&option(10, &vec![1; len])).octets(), Transport::Udp);
        assert!(found.starts_with("NOERROR aa 2 | v0 1232 10=0101010101010101"), "{len}: {found}");
    }
    // Not in use: an option like any other that nobody knows.
    check(&ask(&cookie(b"")).octets(), "NOERROR aa 2 | v0 1232");
}
