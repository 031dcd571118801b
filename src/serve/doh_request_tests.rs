use hyper::header::HeaderName;
use proptest::prelude::*;

use super::*;

fn headers(all: &[(&str, &str)]) -> HeaderMap {
    let pair = |(name, value): &(&str, &str)| {
        (HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap())
    };
    all.iter().map(pair).collect()
}

#[track_caller]
fn check(method: &str, target: &str, kind: Option<&str>, expected: Result<Asked, Refusal>) {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let headers = headers(&kind.map(|kind| ("content-type", kind)).into_iter().collect::<Vec<_>>());
    let found = read_head(&method, &target.parse().unwrap(), &headers, "/dns-query");
    assert_eq!(found, expected, "{method} {target} {kind:?}");
}

#[test]
fn heads_are_taken_or_refused() {
    let dns = Some(MESSAGE_TYPE);
    check("POST", "/dns-query", dns, Ok(Asked::Body));
    check("POST", "https://ns1.test/dns-query", dns, Ok(Asked::Body));
    check("POST", "/dns-query", Some("Application/DNS-Message; charset=utf-8"), Ok(Asked::Body));
    check("POST", "/dns-query", Some("application/dns-json"), Err(Refusal::MediaType));
    check("POST", "/dns-query", None, Err(Refusal::MediaType));
    check("POST", "/", dns, Err(Refusal::Path));
    check("POST", "/dns-query/", dns, Err(Refusal::Path));
    for method in ["PUT", "DELETE", "HEAD", "OPTIONS", "BREW"] {
        check(method, "/dns-query?dns=AAAA", dns, Err(Refusal::Method));
    }
    check("GET", "/dns-query", None, Err(Refusal::Parameter));
    check("GET", "/dns-query?name=example.org", None, Err(Refusal::Parameter));
    check("GET", "/dns-query?dns=", None, Err(Refusal::NoQuestion));
    check("GET", "/dns-query?dns=AAAA", None, Err(Refusal::NoQuestion));
    check("GET", "/dns-query?dns=A", None, Err(Refusal::Encoding));
    check("GET", "/dns-query?dns=AAAAAAAAAAAAAAAA=", None, Err(Refusal::Encoding));
    check("GET", "/dns-query?dns=AAAAAAAAAAAAAAA+", None, Err(Refusal::Encoding));
    let zeros = Ok(Asked::Target(vec![0; 12]));
    check("GET", "/dns-query?dns=AAAAAAAAAAAAAAAA", None, zeros.clone());
    check("GET", "/dns-query?a=b&dns=AAAAAAAAAAAAAAAA&c", None, zeros);
    // The example of RFC 8484 §4.1.1.
    let example = "AAABAAABAAAAAAAAA3d3dwdleGFtcGxlA2NvbQAAAQAB";
    let message = b"\0\0\x01\0\0\x01\0\0\0\0\0\0\x03www\x07example\x03com\0\0\x01\0\x01";
    let target = format!("/dns-query?dns={example}");
    check("GET", &target, None, Ok(Asked::Target(message.to_vec())));
}

#[test]
fn every_refusal_has_its_status_and_a_sentence() {
    for (refusal, status) in [
        (Refusal::Path, 404),
        (Refusal::Method, 405),
        (Refusal::Parameter, 400),
        (Refusal::Encoding, 400),
        (Refusal::MediaType, 415),
        (Refusal::TooLong, 413),
        (Refusal::NoQuestion, 400),
        (Refusal::TooSlow, 408),
    ] {
        assert_eq!(refusal.status().as_u16(), status);
        assert!(refusal.sentence().ends_with('\n'));
    }
}

/// As a stranger would write it: bit by bit.
fn encode(octets: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits: Vec<u8> =
        octets.iter().flat_map(|octet| (0..8).rev().map(move |at| octet >> at & 1)).collect();
    let value = |six: &[u8]| six.iter().fold(0, |sum, bit| sum << 1 | bit) << (6 - six.len());
    bits.chunks(6).map(|six| char::from(ALPHABET[usize::from(value(six))])).collect()
}

proptest! {
    #[test]
    fn what_was_encoded_is_decoded(octets in prop::collection::vec(any::<u8>(), 0..100)) {
        prop_assert_eq!(base64url(&encode(&octets)), Some(octets));
    }

    #[test]
    fn what_is_decoded_has_one_encoding(text in "[-_A-Za-z0-9=+/ ]{0,40}") {
        if let Some(octets) = base64url(&text) {
            prop_assert_eq!(encode(&octets), text);
        }
    }
}

/// The client that headers name, where 10.0.0.0/8 and ::1 are proxies.
#[track_caller]
fn check_behind(all: &[(&str, &str)], expected: Option<&str>) {
    let is_proxy = |ip: IpAddr| ip.to_string().starts_with("10.") || ip.to_string() == "::1";
    let found = client_behind(&headers(all), is_proxy);
    assert_eq!(found.map(|it| it.to_string()).as_deref(), expected, "{all:?}");
}

#[test]
fn the_nearest_that_is_no_proxy_is_the_client() {
    let xff = "X-Forwarded-For";
    check_behind(&[], None);
    check_behind(&[(xff, "192.0.2.7")], Some("192.0.2.7:0"));
    check_behind(&[(xff, "198.51.100.9, 192.0.2.7")], Some("192.0.2.7:0"));
    check_behind(&[(xff, "198.51.100.9, 192.0.2.7, 10.0.0.1")], Some("192.0.2.7:0"));
    check_behind(&[(xff, "198.51.100.9"), (xff, "192.0.2.7,10.0.0.1")], Some("192.0.2.7:0"));
    check_behind(&[(xff, "10.0.0.2, 10.0.0.1")], Some("10.0.0.2:0"));
    check_behind(&[(xff, "192.0.2.7, unknown, 10.0.0.1")], Some("10.0.0.1:0"));
    check_behind(&[(xff, "unknown")], None);
    check_behind(&[(xff, "2001:db8::7")], Some("[2001:db8::7]:0"));
    check_behind(&[(xff, "[2001:db8::7]:4711")], Some("[2001:db8::7]:4711"));
    let forwarded = |text| [("Forwarded", text), (xff, "203.0.113.9")];
    check_behind(&forwarded("for=192.0.2.7"), Some("192.0.2.7:0"));
    check_behind(&forwarded("proto=https;For=\"[2001:db8::7]:4711\""), Some("[2001:db8::7]:4711"));
    check_behind(&forwarded("for=198.51.100.9, for=192.0.2.7;by=10.0.0.1"), Some("192.0.2.7:0"));
    check_behind(&forwarded("for=192.0.2.7, for=_hidden, for=10.0.0.1"), Some("10.0.0.1:0"));
    check_behind(&forwarded("by=10.0.0.1"), None);
}
