//! What HTTP checks say of nodes.

use std::time::Duration;

use rota::health::{
    Ask, BodyTest, Check, Header, HttpAsk, LoadAt, LoadFrom, LoadSays, Method, Mismatch, Outcome,
    Pattern, Reason, Share, Stage, Verdict,
};

use super::node::{Act, node};
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
async fn interim_answers_are_not_heard_for_ever() {
    let act = Act::Babble("", "HTTP/1.1 100 Continue\r\n\r\n");
    check(act, fail(Reason::Other("says too much".into()))).await;
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
    let verdict = super::probe(Check { max_latency, ..check }).await;
    assert!(matches!(verdict.outcome, Outcome::Fail(Reason::TooSlow { .. })), "{verdict:?}");
}

#[tokio::test]
async fn a_node_says_how_busy_it_is() {
    let json = "HTTP/1.1 200 OK\r\nX-Rota-Load: 0.25\r\n\r\n{\"load\":0.5}";
    let page = "HTTP/1.1 200 OK\r\n\r\nconns 30\n";
    let at = |at, full| LoadFrom { at, full, says: LoadSays::Load };
    for (answer, load, expected) in [
        (json, at(LoadAt::Header, 1), Some(250)),
        (json, at(LoadAt::Json("/load".into()), 1), Some(500)),
        (page, at(LoadAt::Metric("conns".into()), 100), Some(300)),
        (page, at(LoadAt::Header, 1), None),
        (page, at(LoadAt::Json("/load".into()), 1), None),
        ("HTTP/1.1 500 Oh\r\nX-Rota-Load: 0.25\r\n\r\n", at(LoadAt::Header, 1), None),
    ] {
        let (address, _) = node(Act::Answer(answer)).await;
        let ask = HttpAsk { load: Some(load), ..ask(address.port()) };
        let verdict = probe(ask, PATIENT).await;
        assert_eq!(verdict.load.map(Share::count), expected, "{answer}");
    }
}
