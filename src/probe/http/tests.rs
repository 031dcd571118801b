use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::*;

/// Long enough for any answer that comes at all, on any machine.
const PATIENT: Duration = Duration::from_secs(20);
/// For nodes that never answer: the only thing that ends these probes.
const SHORT: Duration = Duration::from_millis(200);
/// For nodes that answer and then stall: enough for the answer, and what the test then waits.
const MEDIUM: Duration = Duration::from_secs(3);

/// What a node does with a connection, once it has read the request.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// Writes this and closes.
    Answer(&'static str),
    /// Writes this, then the second over and over for as long as somebody takes it.
    Babble(&'static str, &'static str),
    /// Writes this, and then nothing, but stays.
    Stall(&'static str),
    /// Cuts the connection with a reset.
    Reset,
}

impl Act {
    async fn perform(self, stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
        let (first, forever) = match self {
            Self::Answer(text) | Self::Stall(text) => (text, None),
            Self::Babble(text, again) => (text, Some(again)),
            Self::Reset => return,
        };
        // A prober may hang up at any time.
        let mut heard = stream.write_all(first.as_bytes()).await;
        while let (Some(again), Ok(())) = (forever, &heard) {
            heard = stream.write_all(again.as_bytes()).await;
        }
        match self {
            Self::Stall(_) => drop(stream.read_to_end(&mut Vec::new()).await),
            Self::Answer(_) | Self::Babble(..) | Self::Reset => drop(stream.shutdown().await),
        }
    }
}

/// A node that takes one connection, and gives the request that came with it.
async fn node(act: Act) -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = read_request(&mut stream).await;
        if matches!(act, Act::Reset) {
            socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
        }
        act.perform(&mut stream).await;
        request
    });
    (address, serving)
}

async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(octet) => request.push(octet),
            Err(_) => break,
        }
    }
    String::from_utf8(request).unwrap()
}

fn ask(port: u16) -> HttpAsk {
    HttpAsk::get(port, "/ready?deep=1", "app.example.org")
}

async fn probe(http: &Http, ask: &HttpAsk, patience: Duration) -> Outcome {
    http.probe([127, 0, 0, 1].into(), ask, Instant::now() + patience).await
}

async fn check_within(patience: Duration, act: Act, expected: Outcome) {
    let (address, serving) = node(act).await;
    assert_eq!(probe(&Http::new(), &ask(address.port()), patience).await, expected, "{act:?}");
    // The prober lets go of the connection, or a node that babbles or stalls would never end.
    serving.await.unwrap();
}

async fn check(act: Act, expected: Outcome) {
    check_within(PATIENT, act, expected).await;
}

fn fail(reason: Reason) -> Outcome {
    Outcome::Fail(reason)
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
    assert_eq!(probe(&Http::new(), &ask, PATIENT).await, Outcome::Pass);
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

#[test]
fn only_a_plain_word_or_the_status_of_an_object_says_draining() {
    for (body, expected) in [
        ("draining", true),
        (" DRAINING\r\n", true),
        (r#"{"node":"eu1","status":"draining"}"#, true),
        ("", false),
        ("not draining", false),
        (r#"{"state":"draining"}"#, false),
        (r#"{"status":["draining"]}"#, false),
        (r#"["draining"]"#, false),
        (r#"{"status":"draining""#, false),
    ] {
        assert_eq!(body_says_draining(body.as_bytes()), expected, "{body}");
    }
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
    check_within(SHORT, Act::Stall(""), fail(Reason::Timeout)).await;
    check_within(SHORT, Act::Stall("HTTP/1.1 200 OK\r\nX-Half"), fail(Reason::Timeout)).await;
}

#[tokio::test]
async fn a_cut_connection_is_a_reset() {
    check(Act::Reset, fail(Reason::Reset)).await;
    check(Act::Answer(""), fail(Reason::Reset)).await;
    check(Act::Answer("HTTP/1.1 200 OK\r\nX-Half"), fail(Reason::Reset)).await;
}

#[tokio::test]
async fn nothing_listening_is_refused() {
    // Bound, so that nobody else takes the port, but not listening.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let port = socket.local_addr().unwrap().port();
    assert_eq!(probe(&Http::new(), &ask(port), PATIENT).await, fail(Reason::Refused));
}

#[tokio::test]
async fn what_is_not_http_is_a_protocol_fault() {
    for act in [
        Act::Answer("SSH-2.0-OpenSSH_9.2\r\n"),
        Act::Answer("HTTP/1.1 2oo OK\r\n\r\n"),
        Act::Babble("HTTP/1.1 200 OK\r\n", "X-More: and more and more and more\r\n"),
    ] {
        let (address, serving) = node(act).await;
        let outcome = probe(&Http::new(), &ask(address.port()), PATIENT).await;
        assert!(matches!(outcome, Outcome::Fail(Reason::Protocol(_))), "{act:?}: {outcome:?}");
        serving.await.unwrap();
    }
}

#[tokio::test]
async fn the_request_is_what_was_configured() {
    let (address, serving) = node(Act::Answer("HTTP/1.1 200 OK\r\n\r\n")).await;
    probe(&Http::new(), &ask(address.port()), PATIENT).await;
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
    let outcome = probe(&Http::new(), &ask, PATIENT).await;
    assert!(matches!(outcome, Outcome::NoVerdict(Reason::Local(_))), "{outcome:?}");
}

/// A TLS node with a certificate of its own making, for a name; and that certificate. The task
/// gives the name that the prober asked for.
async fn tls_node(name: &str) -> (SocketAddr, CertificateDer<'static>, JoinHandle<Option<String>>) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([name.to_owned()]).unwrap().self_signed(&key).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = acceptor.accept(stream).await.ok()?;
        read_request(&mut stream).await;
        Act::Answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").perform(&mut stream).await;
        stream.get_ref().1.server_name().map(str::to_owned)
    });
    (address, certificate.der().clone(), serving)
}

fn trusting(certificate: CertificateDer<'static>) -> Http {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    Http::trusting(roots)
}

fn tls_ask(port: u16, host: &str) -> HttpAsk {
    HttpAsk { tls: true, host: host.into(), ..ask(port) }
}

#[track_caller]
fn assert_tls_fault(outcome: &Outcome) {
    assert!(matches!(outcome, Outcome::Fail(Reason::Tls(_))), "{outcome:?}");
}

#[tokio::test]
async fn https_goes_to_the_address_under_the_hosts_name() {
    let (address, certificate, serving) = tls_node("app.example.org").await;
    let ask = tls_ask(address.port(), "app.example.org");
    assert_eq!(probe(&trusting(certificate), &ask, PATIENT).await, Outcome::Pass);
    assert_eq!(serving.await.unwrap().as_deref(), Some("app.example.org"));
}

#[tokio::test]
async fn https_with_an_address_as_host_is_verified_for_the_address() {
    let (address, certificate, serving) = tls_node("127.0.0.1").await;
    let ask = tls_ask(address.port(), "192.0.2.1");
    assert_eq!(probe(&trusting(certificate), &ask, PATIENT).await, Outcome::Pass);
    assert_eq!(serving.await.unwrap(), None);
}

#[tokio::test]
async fn a_certificate_for_another_name_is_a_tls_fault() {
    let (address, certificate, _) = tls_node("other.example.org").await;
    let ask = tls_ask(address.port(), "app.example.org");
    assert_tls_fault(&probe(&trusting(certificate), &ask, PATIENT).await);
}

#[tokio::test]
async fn a_certificate_that_nobody_signed_is_a_tls_fault() {
    let (address, _, _) = tls_node("app.example.org").await;
    let (_, somebody_else, _) = tls_node("app.example.org").await;
    let ask = tls_ask(address.port(), "app.example.org");
    assert_tls_fault(&probe(&trusting(somebody_else), &ask, PATIENT).await);
}

#[tokio::test]
async fn https_to_a_plain_node_is_a_tls_fault() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        Act::Stall("HTTP/1.1 400 Bad Request\r\n\r\n").perform(&mut stream).await;
    });
    let http = Http::trusting(RootCertStore::empty());
    assert_tls_fault(&probe(&http, &tls_ask(port, "app.example.org"), PATIENT).await);
    serving.await.unwrap();
}

#[tokio::test]
async fn https_that_is_never_answered_is_a_timeout() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let http = Http::trusting(RootCertStore::empty());
    let outcome = probe(&http, &tls_ask(port, "app.example.org"), SHORT).await;
    assert_eq!(outcome, fail(Reason::Timeout));
    let hung_up = tokio::spawn(async move {
        let (mut stream, _): (TcpStream, _) = listener.accept().await.unwrap();
        stream.read_to_end(&mut Vec::new()).await.is_ok()
    });
    assert!(hung_up.await.unwrap());
}
