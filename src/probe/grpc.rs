//! One call of gRPC's health service, plain or in TLS.
//!
//! gRPC is a `POST` over HTTP/2 whose result stands in trailers, or in the headers where there is
//! nothing else to say. The connection is polled beside the call and ends with it: whatever the
//! node does with it afterwards, nobody is there any more.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::Poll;

use h2::client;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderMap, TE, USER_AGENT};
use hyper::{Request, Response, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::either::Either;

use super::http::PRODUCT;
use super::http1::HEAD_LEN_MAX;
use super::trust::{Keyring, Protocols};
use super::{Course, connect, failure};
use crate::health::ask::{ANSWER_LEN_MAX, judge_grpc, judge_grpc_code};
use crate::health::{GrpcAsk, GrpcFault, Outcome, Reason, Stage};

const HTTP_2: Protocols = &[b"h2"];
/// Where a call's result stands.
const STATUS: &str = "grpc-status";

/// Asks once.
pub(super) async fn probe(
    socket: SocketAddr,
    ask: &GrpcAsk,
    keyring: &Keyring,
    course: &mut Course,
) -> Result<(), Outcome> {
    // The configuration has judged it otherwise.
    let unwritable = |error| format!("the request cannot be written: {error}");
    let request =
        request(ask).map_err(|error| Outcome::NoVerdict(Reason::Local(unwritable(error))))?;
    let secure = ask.tls.as_ref();
    let stream = connect::open(socket, &ask.host, secure, HTTP_2, keyring, course).await?;
    if let Either::Left(line) = &stream {
        // The settings of the connection and the call are packets of their own.
        line.hurry().map_err(|error| failure::outcome(&error, socket))?;
    }
    converse(stream, request, socket, ask, course).await
}

fn request(ask: &GrpcAsk) -> Result<Request<()>, hyper::http::Error> {
    let scheme = if ask.tls.is_some() { "https" } else { "http" };
    Request::post(format!("{scheme}://{}/grpc.health.v1.Health/Check", ask.host))
        .header(CONTENT_TYPE, "application/grpc")
        .header(TE, "trailers")
        .header(USER_AGENT, PRODUCT)
        .body(())
}

/// Makes the call and judges what comes.
async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    request: Request<()>,
    socket: SocketAddr,
    ask: &GrpcAsk,
    course: &mut Course,
) -> Result<(), Outcome> {
    course.enter(Stage::Headers);
    let said = |error: h2::Error| failure::outcome(&error, socket);
    let (sender, mut connection) = client::Builder::new()
        .enable_push(false)
        .max_header_list_size(HEAD_LEN_MAX as u32)
        .handshake::<_, Bytes>(stream)
        .await
        .map_err(said)?;
    let calling = async {
        let mut sender = sender.ready().await.map_err(said)?;
        let (response, mut question) = sender.send_request(request, false).map_err(said)?;
        question.send_data(ask.message().into(), true).map_err(said)?;
        let response = response.await.map_err(said)?;
        course.enter(Stage::Body);
        judge(response).await.map_err(said)?
    };
    let told = beside(&mut connection, calling).await;
    // Says goodbye, if that can be written at once.
    poll_fn(|context| {
        let _ = Pin::new(&mut connection).poll(context);
        Poll::Ready(())
    })
    .await;
    told
}

/// Does the work while the connection moves what it needs.
async fn beside<T>(connection: impl Future, work: impl Future<Output = T>) -> T {
    let (mut connection, mut work) = (pin!(connection), pin!(work));
    let mut open = true;
    poll_fn(|context| {
        if let Poll::Ready(done) = work.as_mut().poll(context) {
            return Poll::Ready(done);
        }
        if open {
            // How the connection ended, the work learns from what it waits for.
            open = connection.as_mut().poll(context).is_pending();
        }
        work.as_mut().poll(context)
    })
    .await
}

/// What an answer says; the outer error is the connection's.
async fn judge(response: Response<h2::RecvStream>) -> Result<Result<(), Outcome>, h2::Error> {
    let fail = |fault| Outcome::Fail(Reason::Grpc(fault));
    if response.status() != StatusCode::OK {
        return Ok(Err(Outcome::Fail(Reason::HttpStatus(response.status().as_u16()))));
    }
    if !is_grpc(response.headers()) {
        return Ok(Err(fail(GrpcFault::NoMessage)));
    }
    if let Err(fault) = code(response.headers()).unwrap_or(Ok(())) {
        return Ok(Err(fail(fault)));
    }
    let mut body = response.into_body();
    let mut answer = Vec::new();
    while let Some(data) = body.data().await.transpose()? {
        if answer.len() + data.len() > ANSWER_LEN_MAX {
            return Ok(Err(fail(GrpcFault::NoMessage)));
        }
        answer.extend_from_slice(&data);
        body.flow_control().release_capacity(data.len())?;
    }
    let code = body.trailers().await?.and_then(|trailers| code(&trailers));
    // A failed call has no message, and an answer without a code is half of one.
    let judged = code.unwrap_or(Err(GrpcFault::NoMessage)).and_then(|()| judge_grpc(&answer));
    Ok(judged.map_err(fail))
}

fn is_grpc(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("application/grpc"))
}

/// What a `grpc-status` says, where there is one.
fn code(headers: &HeaderMap) -> Option<Result<(), GrpcFault>> {
    headers.get(STATUS).map(|code| judge_grpc_code(code.to_str().unwrap_or_default()))
}
