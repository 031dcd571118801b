//! DNS over HTTPS: what HTTP says of requests, and how long answers are fresh.

use hyper::Request;
use rota::respond::Transport;
use rota::serve::Way;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::engine::query;
use super::world::{AMPLE, HOST, SHARED, World, post, question};

/// RFC 4648 §5, bit by bit.
fn base64url(octets: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits: Vec<u8> =
        octets.iter().flat_map(|octet| (0..8).rev().map(move |at| octet >> at & 1)).collect();
    let value = |six: &[u8]| six.iter().fold(0, |sum, bit| sum << 1 | bit) << (6 - six.len());
    bits.chunks(6).map(|six| char::from(ALPHABET[usize::from(value(six))])).collect()
}

fn get(target: &str) -> Request<()> {
    Request::get(format!("https://{HOST}{target}")).body(()).unwrap()
}

#[tokio::test]
async fn get_and_post_say_the_same() {
    let http = SHARED.h2().await;
    let target = format!("/dns-query?dns={}", base64url(&question()));
    let (by_get, got) = http.send(get(&target), b"").await.unwrap();
    let (by_post, posted) = http.send(post(), &question()).await.unwrap();
    assert_eq!((got, by_get.status()), (posted, by_post.status()));
    for response in [by_get, by_post] {
        assert_eq!(response.headers()["content-type"], "application/dns-message");
        // The zone's $TTL.
        assert_eq!(response.headers()["cache-control"], "private, max-age=300");
    }
}

#[tokio::test]
async fn freshness_is_the_smallest_ttl() {
    let http = SHARED.h2().await;
    for (name, qtype, expected) in [
        ("text.example.test", 16, "private, max-age=300"),
        ("ordered.example.test", 1, "private, max-age=5"),
        // The SOA's minimum.
        ("nothing.example.test", 1, "private, max-age=60"),
        ("text.example.test", 1, "private, max-age=60"),
        ("elsewhere.test", 1, "private, max-age=0"),
    ] {
        let (response, _) = http.send(post(), &query(0, name, qtype, None)).await.unwrap();
        assert_eq!(response.status(), 200, "whatever DNS says");
        assert_eq!(response.headers()["cache-control"], expected, "{name}");
    }
}

#[tokio::test]
async fn what_http_forbids_has_its_status() {
    let world = World::new(AMPLE);
    let http = world.h2().await;
    let check = async |request: Request<()>, body: &[u8], expected: u16| {
        let what = format!("{request:?}");
        let (response, text) = http.send(request, body).await.unwrap();
        assert_eq!(response.status(), expected, "{what}");
        assert!(!text.is_empty() && text.ends_with(b"\n"), "a sentence for people");
        response
    };
    let on = |method: &str, target: &str, kind: &str| {
        let request = Request::builder().method(method).uri(format!("https://{HOST}{target}"));
        request.header("content-type", kind).body(()).unwrap()
    };
    let dns = "application/dns-message";
    check(on("POST", "/", dns), &question(), 404).await;
    check(on("POST", "/dns-query", "text/plain"), &question(), 415).await;
    check(get("/dns-query"), b"", 400).await;
    check(get("/dns-query?dns=%41"), b"", 400).await;
    check(get("/dns-query?dns=AAAA"), b"", 400).await;
    check(post(), b"runt", 400).await;
    let long = vec![0; 65_536];
    check(post(), &long, 413).await;
    let refused = check(on("PUT", "/dns-query", dns), &question(), 405).await;
    assert_eq!(refused.headers()["allow"], "GET, POST");
    // A response is no question, though it is a message.
    let mut response = question();
    response[2] |= 0x80;
    check(post(), &response, 400).await;
    world.eventually(Transport::Https, |it| {
        (it.received, it.silent, it.sent, it.refused_requests) == (2, 2, 0, 7)
    });
}

#[tokio::test]
async fn http_1_1_is_spoken_too() {
    let mut stream = SHARED.tls(Way::Https, b"http/1.1").await;
    let target = format!("/dns-query?dns={}", base64url(&question()));
    for round in 0..3 {
        let close = if round == 2 { "Connection: close\r\n" } else { "" };
        let request = format!("GET {target} HTTP/1.1\r\nHost: {HOST}\r\n{close}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
    }
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    let text = String::from_utf8_lossy(&all);
    assert_eq!(text.matches("HTTP/1.1 200 OK\r\n").count(), 3, "{text}");
    assert_eq!(text.matches("content-type: application/dns-message\r\n").count(), 3, "{text}");
}

#[tokio::test]
async fn a_header_beyond_the_limit_is_refused() {
    let mut stream = SHARED.tls(Way::Https, b"http/1.1").await;
    let long = "x".repeat(20_000);
    let request = format!("GET /dns-query HTTP/1.1\r\nHost: {HOST}\r\nCookie: {long}\r\n\r\n");
    drop(stream.write_all(request.as_bytes()).await);
    let mut all = Vec::new();
    drop(stream.read_to_end(&mut all).await);
    assert!(all.starts_with(b"HTTP/1.1 431 "), "{}", all.escape_ascii());
}

#[tokio::test]
async fn many_questions_at_a_time_are_all_answered() {
    let http = SHARED.h2().await;
    let asked = (0..500).map(|_| {
        let http = http.clone();
        tokio::spawn(async move { http.ask(&question()).await })
    });
    for answer in asked.collect::<Vec<_>>() {
        assert_eq!(answer.await.unwrap()[..2], [0, 0]);
    }
}

/// Without TLS, for whoever is no proxy: nothing is said.
#[tokio::test]
async fn plain_http_is_for_proxies() {
    let mut stream = tokio::net::TcpStream::connect(SHARED.at(Way::Http)).await.unwrap();
    drop(stream.write_all(b"GET /dns-query HTTP/1.1\r\n\r\n").await);
    let mut all = Vec::new();
    drop(stream.read_to_end(&mut all).await);
    assert!(all.is_empty());
}
