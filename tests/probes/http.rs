//! What HTTP and HTTPS checks say of nodes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rota::health::{
    Ask, BodyTest, Header, HttpAsk, Method, Mismatch, Outcome, Pattern, Reason, Secure, Stage,
    TlsFault, Trust, Verdict, Warning,
};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

use super::node::{Act, node};
use super::tls::{Authority, DAY, Term, since_1970, tls_node};
use super::{MEDIUM, PATIENT, SHORT, deaf, fail};

fn ask(port: u16) -> HttpAsk {
    HttpAsk::get(port, "/ready?deep=1", "app.example.org")
}

async fn probe(ask: HttpAsk, patience: Duration) -> Verdict {
    super::probe(super::check(Ask::Http(ask), patience)).await
}

async fn outcome(ask: HttpAsk) -> Outcome {
    probe(ask, PATIENT).await.outcome
}

async fn check_within(patience: Duration, act: Act, expected: Outcome) {
    let (address, serving) = node(act).await;
    assert_eq!(probe(ask(address.port()), patience).await.outcome, expected, "{act:?}");
    // The prober lets go of the connection, or a node that babbles or stalls would never end.
    serving.await.unwrap();
}

async fn check(act: Act, expected: Outcome) {
    check_within(PATIENT, act, expected).await;
}

#[tokio::test]
async fn the_response_code_decides() {
    use Act::Answer;
    check(Answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), Outcome::Pass).await;
    check(Answer("HTTP/1.0 204 No Content\r\n\r\n"), Outcome::Pass).await;
    check(Answer("HTTP/1.1 404 Not Found\r\n\r\n"), fail(Reason::HttpStatus(404))).await;
    check(Answer("HTTP/1.1 503 Busy\r\n\r\nbusy"), fail(Reason::HttpStatus(503))).await;
    check(Answer("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"), Outcome::Pass).await;
}

#[tokio::test]
async fn redirects_are_answers_and_not_followed() {
    let (elsewhere, followed) = node(Act::Answer("HTTP/1.1 200 OK\r\n\r\n")).await;
    let answer = format!("HTTP/1.1 301 Moved\r\nLocation: http://{elsewhere}/\r\n\r\n").leak();
    check(Act::Answer(answer), fail(Reason::HttpStatus(301))).await;
    assert!(!followed.is_finished());
    followed.abort();
}

#[tokio::test]
async fn expected_codes_pass_even_where_they_say_draining() {
    let (address, _) = node(Act::Answer("HTTP/1.1 503 Busy\r\nRetry-After: 9\r\n\r\n")).await;
    let ask = HttpAsk { expect: vec![200..=204, 503..=503], ..ask(address.port()) };
    assert_eq!(outcome(ask).await, Outcome::Pass);
}

#[tokio::test]
async fn a_503_may_say_draining() {
    use Act::Answer;
    let draining = || fail(Reason::Draining);
    check(Answer("HTTP/1.1 503 Bye\r\nRetry-After: 120\r\n\r\n"), draining()).await;
    check(Answer("HTTP/1.1 503 Bye\r\nContent-Length: 9\r\n\r\nDraining\n"), draining()).await;
    check(Answer("HTTP/1.1 503 Bye\r\n\r\n{\"status\":\"draining\"}"), draining()).await;
    let other_code = "HTTP/1.1 500 Oops\r\nRetry-After: 120\r\n\r\ndraining";
    check(Answer(other_code), fail(Reason::HttpStatus(500))).await;
}

#[tokio::test]
async fn a_body_without_end_is_read_to_its_limit() {
    let ten_gigabytes = "HTTP/1.1 503 Busy\r\nContent-Length: 10737418240\r\n\r\n";
    check(Act::Babble(ten_gigabytes, "x"), fail(Reason::HttpStatus(503))).await;
    check(Act::Babble("HTTP/1.1 200 OK\r\n\r\n", "x"), Outcome::Pass).await;
}

#[tokio::test]
async fn a_body_that_stalls_leaves_the_code() {
    let stalls = Act::Stall("HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n\r\ndrain");
    check_within(MEDIUM, stalls, fail(Reason::HttpStatus(503))).await;
}

#[tokio::test]
async fn silence_is_a_timeout() {
    let headers = || fail(Reason::Timeout(Stage::Headers));
    check_within(SHORT, Act::Stall(""), headers()).await;
    check_within(SHORT, Act::Stall("HTTP/1.1 200 OK\r\nX-Half"), headers()).await;
}

#[tokio::test]
async fn a_cut_connection_is_a_reset() {
    check(Act::Reset, fail(Reason::Reset)).await;
    check(Act::Answer(""), fail(Reason::Reset)).await;
    check(Act::Answer("HTTP/1.1 200 OK\r\nX-Half"), fail(Reason::Reset)).await;
}

#[tokio::test]
async fn nothing_listening_is_refused() {
    let (_socket, address) = deaf();
    assert_eq!(outcome(ask(address.port())).await, fail(Reason::Refused));
}

#[tokio::test]
async fn what_is_not_http_is_a_protocol_fault() {
    for act in [
        Act::Answer("SSH-2.0-OpenSSH_9.2\r\n"),
        Act::Answer("HTTP/1.1 2oo OK\r\n\r\n"),
        Act::Babble("HTTP/1.1 200 OK\r\n", "X-More: and more and more and more\r\n"),
    ] {
        let (address, serving) = node(act).await;
        let outcome = outcome(ask(address.port())).await;
        assert!(matches!(outcome, Outcome::Fail(Reason::Protocol(_))), "{act:?}: {outcome:?}");
        serving.await.unwrap();
    }
}

#[tokio::test]
async fn the_request_is_what_was_configured() {
    let (address, serving) = node(Act::Answer("HTTP/1.1 200 OK\r\n\r\n")).await;
    assert_eq!(outcome(ask(address.port())).await, Outcome::Pass);
    let request = serving.await.unwrap().to_ascii_lowercase();
    assert!(request.starts_with("get /ready?deep=1 http/1.1\r\n"), "{request}");
    for header in ["host: app.example.org", "connection: close", "user-agent: rota/"] {
        assert_eq!(request.matches(&format!("\r\n{header}")).count(), 1, "{header}: {request}");
    }
    assert!(!request.contains(&address.port().to_string()), "{request}");
}

#[tokio::test]
async fn a_host_that_cannot_be_a_header_is_no_verdict() {
    let ask = HttpAsk { host: "a\nb".into(), ..ask(9) };
    let outcome = outcome(ask).await;
    assert!(matches!(outcome, Outcome::NoVerdict(Reason::Local(_))), "{outcome:?}");
}

#[tokio::test]
async fn methods_headers_and_bodies_are_sent_as_written() {
    let header = |name: &str, value: &str| Header { name: name.into(), value: value.into() };
    let headers = vec![header("Authorization", "Bearer x"), header("user-agent", "mine")];
    for (method, first) in [
        (Method::Head, "head /ready?deep=1 http/1.1\r\n"),
        (Method::Options, "options /ready?deep=1 http/1.1\r\n"),
        (Method::Post("{\"id\":1}\r\n\r\n".into()), "post /ready?deep=1 http/1.1\r\n"),
    ] {
        let (address, serving) = node(Act::Answer("HTTP/1.1 200 OK\r\n\r\n")).await;
        let ask =
            HttpAsk { method: method.clone(), headers: headers.clone(), ..ask(address.port()) };
        assert_eq!(outcome(ask).await, Outcome::Pass, "{method:?}");
        let request = serving.await.unwrap().to_ascii_lowercase();
        assert!(request.starts_with(first), "{request}");
        for line in ["authorization: bearer x", "user-agent: mine"] {
            assert_eq!(request.matches(&format!("\r\n{line}\r\n")).count(), 1, "{request}");
        }
        assert!(!request.contains("rota/"), "{request}");
        let length = matches!(method, Method::Post(_)).then_some("content-length: 12");
        assert_eq!(request.contains("content-length"), length.is_some(), "{request}");
        assert!(length.is_none_or(|line| request.contains(line)), "{request}");
    }
}

async fn check_body(act: Act, test: BodyTest, expected: Result<(), Mismatch>) {
    let (address, serving) = node(act).await;
    let ask = HttpAsk { body: Some(test), ..ask(address.port()) };
    let expected = match expected {
        Ok(()) => Outcome::Pass,
        Err(mismatch) => fail(Reason::Mismatch(mismatch)),
    };
    assert_eq!(outcome(ask).await, expected, "{act:?}");
    serving.await.unwrap();
}

#[tokio::test]
async fn a_body_passes_by_what_it_says() {
    use Act::{Answer, Babble};
    let contains = || BodyTest::Contains("ready".into());
    let matches = || BodyTest::Matches(Pattern::new("^status: (ok|up)$").unwrap());
    let json = || BodyTest::Json { pointer: "/status".into(), is: "ok".into() };
    check_body(Answer("HTTP/1.1 200 OK\r\n\r\nall ready"), contains(), Ok(())).await;
    check_body(Answer("HTTP/1.1 200 OK\r\n\r\nnot yet"), contains(), Err(Mismatch::Text)).await;
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
                   3\r\nrea\r\n2\r\ndy\r\n0\r\n\r\n";
    check_body(Answer(chunked), contains(), Ok(())).await;
    check_body(Answer("HTTP/1.1 200 OK\r\n\r\nstatus: up"), matches(), Ok(())).await;
    let warming = "HTTP/1.1 200 OK\r\n\r\n{\"status\":\"warming\"}";
    check_body(Answer(warming), json(), Err(Mismatch::Value("\"warming\"".into()))).await;
    let ten_gigabytes = "HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n";
    check_body(Babble(ten_gigabytes, "{}"), json(), Err(Mismatch::TooLong)).await;
    check_body(Babble(ten_gigabytes, "ready"), contains(), Ok(())).await;
    check_body(Babble(ten_gigabytes, "x"), matches(), Err(Mismatch::Text)).await;
}

#[tokio::test]
async fn a_code_that_does_not_pass_is_said_before_the_body() {
    let (address, _) = node(Act::Answer("HTTP/1.1 500 Oops\r\n\r\nready")).await;
    let body = Some(BodyTest::Contains("ready".into()));
    let ask = HttpAsk { body, ..ask(address.port()) };
    assert_eq!(outcome(ask).await, fail(Reason::HttpStatus(500)));
}

#[tokio::test]
async fn a_body_that_must_be_read_and_stalls_is_a_timeout() {
    let (address, _) = node(Act::Stall("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nread")).await;
    let ask = HttpAsk { body: Some(BodyTest::Contains("ready".into())), ..ask(address.port()) };
    let told = probe(ask, MEDIUM).await.outcome;
    assert_eq!(told, fail(Reason::Timeout(Stage::Body)));
}

#[tokio::test]
async fn a_good_answer_that_took_too_long_is_too_slow() {
    let (address, _) = node(Act::Answer("HTTP/1.1 200 OK\r\n\r\n")).await;
    let check = super::check(Ask::Http(ask(address.port())), PATIENT);
    // Nothing is as fast as that.
    let max_latency = Some(Duration::from_nanos(1));
    let verdict = super::probe(rota::health::Check { max_latency, ..check }).await;
    assert!(matches!(verdict.outcome, Outcome::Fail(Reason::TooSlow { .. })), "{verdict:?}");
}

const HOST: &str = "app.example.org";

async fn probe_tls(address: SocketAddr, host: &str, tls: Secure) -> Verdict {
    let ask = HttpAsk { tls: Some(Arc::new(tls)), host: host.into(), ..ask(address.port()) };
    probe(ask, PATIENT).await
}

#[tokio::test]
async fn https_goes_to_the_address_under_the_hosts_name() {
    let authority = Authority::new("one");
    let (address, serving) = tls_node(authority.sign(HOST, Term::Long), None).await;
    let verdict = probe_tls(address, HOST, authority.trusted()).await;
    assert_eq!((verdict.outcome, verdict.warning), (Outcome::Pass, None));
    assert_eq!(serving.await.unwrap().as_deref(), Some(HOST));
}

#[tokio::test]
async fn https_with_an_address_as_host_is_verified_for_the_address() {
    let authority = Authority::new("one");
    let (address, serving) = tls_node(authority.sign("127.0.0.1", Term::Long), None).await;
    let verdict = probe_tls(address, "192.0.2.1", authority.trusted()).await;
    assert_eq!(verdict.outcome, Outcome::Pass);
    assert_eq!(serving.await.unwrap(), None);
}

#[tokio::test]
async fn a_certificate_that_is_not_good_says_why() {
    let [authority, anew, other] = ["one", "one", "other"].map(Authority::new);
    let takes_all = || Secure { trust: Trust::Anyone, ..authority.trusted() };
    for (signer, name, term, fault) in [
        (&authority, HOST, Term::Past, TlsFault::Expired),
        (&authority, HOST, Term::Future, TlsFault::NotYetValid),
        (&authority, "other.example.org", Term::Long, TlsFault::WrongName),
        (&other, HOST, Term::Long, TlsFault::UnknownCa),
        (&anew, HOST, Term::Long, TlsFault::UnknownCa),
    ] {
        let certificate = signer.sign(name, term);
        let (address, _) = tls_node(certificate.clone(), None).await;
        let verdict = probe_tls(address, HOST, authority.trusted()).await;
        assert_eq!(verdict.outcome, fail(Reason::Tls(fault)), "{name} {term:?}");
        let (address, _) = tls_node(certificate, None).await;
        let verdict = probe_tls(address, HOST, takes_all()).await;
        assert_eq!((verdict.outcome, verdict.warning), (Outcome::Pass, None), "{name} {term:?}");
    }
}

#[tokio::test]
async fn a_certificate_that_ends_soon_passes_with_a_warning() {
    let authority = Authority::new("one");
    let tls = |warn_before| Secure { warn_before, ..authority.trusted() };
    for (ends, warn_before, warns) in
        [(5 * DAY, 14 * DAY, true), (20 * DAY, 14 * DAY, false), (5 * DAY, Duration::ZERO, false)]
    {
        let certificate = authority.sign(HOST, Term::Ends(ends));
        let latest = (since_1970() + ends).as_secs();
        let (address, _) = tls_node(certificate, None).await;
        let verdict = probe_tls(address, HOST, tls(warn_before)).await;
        assert_eq!(verdict.outcome, Outcome::Pass);
        let Some(Warning::CertificateEnds(end)) = verdict.warning else {
            assert!(!warns, "{ends:?} {warn_before:?}");
            continue;
        };
        assert!(warns && end <= latest && end + DAY.as_secs() > latest, "{end} of {latest}");
    }
}

#[tokio::test]
async fn a_node_may_want_to_know_the_prober() {
    let authority = Authority::new("one");
    for (tls, expected) in [
        (authority.trusted_with_identity(), Outcome::Pass),
        (authority.trusted(), fail(Reason::Tls(TlsFault::ClientRefused))),
    ] {
        let certificate = authority.sign(HOST, Term::Long);
        let (address, _) = tls_node(certificate, Some(&authority)).await;
        assert_eq!(probe_tls(address, HOST, tls).await.outcome, expected);
    }
}

#[tokio::test]
async fn https_to_a_plain_node_is_a_tls_fault() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        Act::Stall("HTTP/1.1 400 Bad Request\r\n\r\n").perform(&mut stream).await;
    });
    let verdict = probe_tls(address, HOST, Authority::new("one").trusted()).await;
    assert!(matches!(verdict.outcome, Outcome::Fail(Reason::Tls(TlsFault::Other(_)))));
    serving.await.unwrap();
}

#[tokio::test]
async fn https_that_is_never_answered_is_a_timeout_of_the_handshake() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let ask = HttpAsk { tls: Some(Arc::new(Authority::new("one").trusted())), ..ask(port) };
    let told = probe(ask, SHORT).await.outcome;
    assert_eq!(told, fail(Reason::Timeout(Stage::Handshake)));
    let hung_up = tokio::spawn(async move {
        let (mut stream, _): (TcpStream, _) = listener.accept().await.unwrap();
        stream.read_to_end(&mut Vec::new()).await.is_ok()
    });
    assert!(hung_up.await.unwrap());
}
