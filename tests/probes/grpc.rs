//! What gRPC checks say of health services, and of nodes that have none.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use h2::server;
use hyper::Response;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use rota::health::{Ask, GrpcAsk, GrpcFault, Outcome, Reason, Stage, TlsFault};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::authority::{Authority, Term, tls_node};
use super::node::{Act, node_after};
use super::{PATIENT, SHORT, deaf, fail};

fn ask(port: u16) -> GrpcAsk {
    GrpcAsk { tls: None, port, host: "app.example.org".into(), service: "acme.Shop".into() }
}

async fn outcome(ask: GrpcAsk, patience: Duration) -> Outcome {
    super::probe(super::check(Ask::Grpc(ask), patience)).await.outcome
}

/// How a node answers a call: code, type, message (again and again, where it is to have no end),
/// and the trailers' `grpc-status`.
#[derive(Clone, Copy, Debug)]
struct Service {
    code: u16,
    kind: &'static str,
    message: &'static [u8],
    again: bool,
    status: Option<&'static str>,
}

const SERVING: Service = Service {
    code: 200,
    kind: "application/grpc+proto",
    message: &[0, 0, 0, 0, 2, 8, 1],
    again: false,
    status: Some("0"),
};

/// A node for one call; gives what it was asked.
async fn node(service: Service) -> (SocketAddr, JoinHandle<(String, Vec<u8>)>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut connection = server::handshake(stream).await.unwrap();
        let (request, respond) = connection.accept().await.unwrap().unwrap();
        let answering = tokio::spawn(answer(service, request, respond));
        // The prober hangs up at the end, or a node that never ends would never end.
        while connection.accept().await.is_some() {}
        answering.await.unwrap()
    });
    (address, serving)
}

async fn answer(
    service: Service,
    mut request: hyper::Request<h2::RecvStream>,
    mut respond: server::SendResponse<Bytes>,
) -> (String, Vec<u8>) {
    let mut question = Vec::new();
    while let Some(data) = request.body_mut().data().await {
        question.extend(data.unwrap());
    }
    let asked = format!("{} {} {:?}", request.method(), request.uri(), request.headers()["te"]);
    let mut response = Response::builder().status(service.code);
    response = response.header(CONTENT_TYPE, service.kind);
    let ends = service.message.is_empty();
    if let (true, Some(status)) = (ends, service.status) {
        response = response.header("grpc-status", status);
    }
    let mut body = respond.send_response(response.body(()).unwrap(), ends).unwrap();
    if ends {
        return (asked, question);
    }
    let message = Bytes::from_static(service.message);
    body.send_data(message.clone(), false).unwrap();
    while service.again && body.send_data(message.clone(), false).is_ok() {
        tokio::task::yield_now().await;
    }
    let Some(status) = service.status else {
        // Stays, and says nothing more.
        std::future::poll_fn(|context| body.poll_reset(context)).await.ok();
        return (asked, question);
    };
    let trailers = HeaderMap::from_iter([("grpc-status".parse().unwrap(), status)].map(
        |(name, value): (hyper::header::HeaderName, &str)| {
            (name, HeaderValue::from_str(value).unwrap())
        },
    ));
    let _ = body.send_trailers(trailers);
    (asked, question)
}

async fn check(service: Service, expected: Outcome) {
    let (address, serving) = node(service).await;
    let patience = if service.status.is_none() && !service.again { SHORT } else { PATIENT };
    assert_eq!(outcome(ask(address.port()), patience).await, expected, "{service:?}");
    let (asked, question) = serving.await.unwrap();
    let uri = "http://app.example.org/grpc.health.v1.Health/Check";
    assert_eq!(asked, format!("POST {uri} \"trailers\""));
    assert_eq!(question, b"\0\0\0\0\x0b\x0a\x09acme.Shop");
}

#[tokio::test]
async fn only_a_node_that_serves_passes() {
    let fault = |fault| fail(Reason::Grpc(fault));
    let says = |message| Service { message, ..SERVING };
    let ends = |status| Service { message: &[], status: Some(status), ..SERVING };
    check(SERVING, Outcome::Pass).await;
    check(says(&[0, 0, 0, 0, 2, 8, 2]), fault(GrpcFault::NotServing)).await;
    check(says(&[0, 0, 0, 0, 0]), fault(GrpcFault::UnknownStatus)).await;
    check(says(&[0, 0, 0, 0, 2, 8, 3]), fault(GrpcFault::UnknownService)).await;
    check(ends("5"), fault(GrpcFault::UnknownService)).await;
    check(ends("12"), fault(GrpcFault::Unimplemented)).await;
    check(ends("14"), fault(GrpcFault::Code(14))).await;
    check(Service { status: Some("13"), ..SERVING }, fault(GrpcFault::Code(13))).await;
    check(Service { kind: "text/html", ..SERVING }, fault(GrpcFault::NoMessage)).await;
    check(Service { code: 503, ..SERVING }, fail(Reason::HttpStatus(503))).await;
}

#[tokio::test]
async fn a_node_that_never_ends_costs_a_bounded_amount() {
    let no_message = fail(Reason::Grpc(GrpcFault::NoMessage));
    check(Service { message: &[0; 1024], again: true, ..SERVING }, no_message).await;
    let stalls = Service { status: None, ..SERVING };
    check(stalls, fail(Reason::Timeout(Stage::Body))).await;
}

#[tokio::test]
async fn what_speaks_no_http_2_says_so() {
    let (_socket, address) = deaf();
    assert_eq!(outcome(ask(address.port()), PATIENT).await, fail(Reason::Refused));
    let (address, serving) =
        node_after("\r\n\r\n", Act::Stall("HTTP/1.1 400 Bad Request\r\n\r\n")).await;
    let told = outcome(ask(address.port()), PATIENT).await;
    assert!(matches!(told, Outcome::Fail(Reason::Protocol(_))), "{told:?}");
    serving.await.unwrap();
    let (address, serving) = node_after("\r\n\r\n", Act::Stall("")).await;
    assert_eq!(outcome(ask(address.port()), SHORT).await, fail(Reason::Timeout(Stage::Headers)));
    serving.await.unwrap();
}

#[tokio::test]
async fn tls_is_under_the_hosts_name_and_judged_first() {
    let [authority, other] = ["one", "other"].map(Authority::new);
    for (signer, expected) in [
        (&authority, fail(Reason::Protocol(String::new()))),
        (&other, fail(Reason::Tls(TlsFault::UnknownCa))),
    ] {
        let (address, serving) = tls_node(signer.sign("app.example.org", Term::Long), None).await;
        let ask = GrpcAsk { tls: Some(Arc::new(authority.trusted())), ..ask(address.port()) };
        let told = outcome(ask, PATIENT).await;
        // That node speaks HTTP/1.1, and the library has its own words for that.
        let protocol = |it: &Outcome| matches!(it, Outcome::Fail(Reason::Protocol(_)));
        assert!(told == expected || (protocol(&told) && protocol(&expected)), "{told:?}");
        serving.await.unwrap();
    }
}
