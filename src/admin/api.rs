//! `/api/v1`: every page of the API.
//!
//! A handler asks the desk and lays nothing out: what it is given is what goes out. Who may ask is
//! judged before ([`super::guard`]). Errors are documents too, with what to do instead.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Bytes, to_bytes};
use axum::extract::{Extension, FromRequest, Path, Request, State};
use axum::http::StatusCode;
use axum::middleware::from_fn;
use axum::response::sse::{KeepAlive, Sse};
use axum::response::{IntoResponse, Response, sse};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use futures_util::stream::{self, Stream};
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::timeout;

use super::desk::{Change, Desk, Refusal, RefusalKind, Wanted};
use super::docs::{
    AnswerDoc, ChangeForm, ChangedDoc, ErrorDoc, LeavingDoc, NodeDetailDoc, OverrideDoc,
    ReloadedDoc, ServiceDoc, StatusDoc, ZoneDoc,
};
use super::events::Event;
use super::guard::{Way, guard};
use super::{explain, openapi, reports};

/// Longest body, in octets: the largest form that is accepted fits many times.
const BODY_LEN_MAX: usize = 64 * 1024;
/// How long a body may take to arrive.
const BODY_PATIENCE: Duration = Duration::from_secs(5);
/// Listeners to events: each holds one of the listener's few connections for as long as it likes.
const LISTENERS_MAX: usize = 16;

/// The pages.
pub(super) fn router(desk: Desk) -> Router {
    let seats = Arc::new(Semaphore::new(LISTENERS_MAX));
    Router::new()
        .route("/status", get(status))
        .route("/zones", get(zones))
        .route("/services", get(services))
        .route("/services/{*id}", get(service))
        .route("/nodes/{*id}", get(node))
        .route("/overrides", get(overrides).post(change))
        .route("/overrides/{id}", delete(lift))
        .route("/overrides/{id}/cached", get(leaving))
        .route("/reports", post(reports::report))
        .route("/explain", get(explain::explain))
        .route("/reload", post(reload))
        .route("/events", get(events).layer(Extension(Arc::clone(&seats))))
        .route("/answers", get(answers).layer(Extension(Arc::clone(&seats))))
        .route("/openapi.json", get(document))
        .layer(from_fn(guard))
        .with_state(desk)
}

/// How everything stands
#[utoipa::path(get, path = "/api/v1/status", responses((status = 200, body = StatusDoc)))]
pub(super) async fn status(State(desk): State<Desk>) -> Response {
    answer(desk.status().await)
}

/// All zones
#[utoipa::path(get, path = "/api/v1/zones", responses((status = 200, body = Vec<ZoneDoc>)))]
pub(super) async fn zones(State(desk): State<Desk>) -> Response {
    answer(desk.status().await.map(|status| status.zones))
}

/// All services of all zones
#[utoipa::path(get, path = "/api/v1/services", responses((status = 200, body = Vec<ServiceDoc>)))]
pub(super) async fn services(State(desk): State<Desk>) -> Response {
    answer(desk.status().await.map(|status| status.services))
}

/// One service; its id has slashes, which stay as they are
#[utoipa::path(
    get,
    path = "/api/v1/services/{id}",
    params(("id" = String, Path, description = "zone/service")),
    responses((status = 200, body = ServiceDoc), (status = 404, body = ErrorDoc))
)]
pub(super) async fn service(State(desk): State<Desk>, Path(id): Path<String>) -> Response {
    found(desk.service(id.clone()).await, "service", &id)
}

/// One node with its checks and their history; its id has slashes, which stay as they are
#[utoipa::path(
    get,
    path = "/api/v1/nodes/{id}",
    params(("id" = String, Path, description = "zone/service/pool/node")),
    responses((status = 200, body = NodeDetailDoc), (status = 404, body = ErrorDoc))
)]
pub(super) async fn node(State(desk): State<Desk>, Path(id): Path<String>) -> Response {
    found(desk.node(id.clone()).await, "node", &id)
}

/// What operators have said, the oldest first
#[utoipa::path(get, path = "/api/v1/overrides", responses((status = 200, body = Vec<OverrideDoc>)))]
pub(super) async fn overrides(State(desk): State<Desk>) -> Response {
    answer(desk.status().await.map(|status| status.overrides))
}

/// Change what operators say: all of the form, or nothing
///
/// What a scope says of one kind (a status, a weight, shares) takes the place of what it said
/// before, so the same form with another reason or time changes just that.
#[utoipa::path(
    post,
    path = "/api/v1/overrides",
    request_body = ChangeForm,
    security((), ("token" = [])),
    responses(
        (status = 200, body = ChangedDoc),
        (status = 400, body = ErrorDoc, description = "It has no meaning here"),
        (status = 401, body = ErrorDoc, description = "The token is missing or wrong"),
        (status = 404, body = ErrorDoc, description = "Nothing has that name"),
        (status = 409, body = ErrorDoc, description = "There are too many overrides"),
        (status = 503, body = ErrorDoc, description = "It could not be kept: nothing is changed"),
    )
)]
pub(super) async fn change(
    State(desk): State<Desk>,
    Extension(way): Extension<Way>,
    Document(form): Document<ChangeForm>,
) -> Response {
    perform(&desk, Wanted::Form(form), &way).await
}

/// Lift one override by its id
#[utoipa::path(
    delete,
    path = "/api/v1/overrides/{id}",
    params(("id" = u64, Path)),
    security((), ("token" = [])),
    responses(
        (status = 200, body = ChangedDoc),
        (status = 401, body = ErrorDoc, description = "The token is missing or wrong"),
        (status = 404, body = ErrorDoc, description = "No override has that id"),
        (status = 503, body = ErrorDoc, description = "It could not be kept: nothing is changed"),
    )
)]
pub(super) async fn lift(
    State(desk): State<Desk>,
    Extension(way): Extension<Way>,
    Path(id): Path<u64>,
) -> Response {
    perform(&desk, Wanted::Lift(id), &way).await
}

/// The nodes that an override keeps out of the answers, and how many resolvers may hold them still
///
/// It covers what this server has answered; each of a zone's name servers tells its own.
#[utoipa::path(
    get,
    path = "/api/v1/overrides/{id}/cached",
    params(("id" = u64, Path)),
    responses(
        (status = 200, body = Vec<LeavingDoc>),
        (status = 404, body = ErrorDoc, description = "No override has that id"),
    )
)]
pub(super) async fn leaving(State(desk): State<Desk>, Path(id): Path<u64>) -> Response {
    found(desk.leaving(id).await, "override", &id.to_string())
}

/// Read the configuration anew, and put in force what can be
#[utoipa::path(
    post,
    path = "/api/v1/reload",
    security((), ("token" = [])),
    responses(
        (status = 200, body = ReloadedDoc),
        (status = 401, body = ErrorDoc, description = "The token is missing or wrong"),
    )
)]
pub(super) async fn reload(State(desk): State<Desk>, Extension(way): Extension<Way>) -> Response {
    tracing::info!(source = %way, "a reload is asked for");
    answer(desk.reload().await)
}

/// What happens from now on, as server-sent events
///
/// A listener that is too slow loses the oldest events and is told so by `lost`.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    responses((status = 200, body = Event, content_type = "text/event-stream"))
)]
pub(super) async fn events(
    State(desk): State<Desk>,
    Extension(seats): Extension<Arc<Semaphore>>,
) -> Response {
    let Ok(seat) = seats.try_acquire_owned() else {
        return crowded("GET /api/v1/status tells as much");
    };
    let stream = stream::unfold((desk.events(), seat), async |(mut events, seat)| {
        let event = match events.recv().await {
            Ok(event) => event,
            Err(RecvError::Lagged(events)) => Event::Lost { events },
            Err(RecvError::Closed) => return None,
        };
        Some((told(event.name(), &event), (events, seat)))
    });
    sse_of(stream)
}

/// Answers as they are noted for the answer log, as server-sent events
///
/// Who is too slow loses the oldest.
#[utoipa::path(
    get,
    path = "/api/v1/answers",
    responses(
        (status = 200, body = AnswerDoc, content_type = "text/event-stream"),
        (status = 404, body = ErrorDoc, description = "The configuration has no answer log"),
        (status = 503, body = ErrorDoc, description = "There are too many listeners"),
    )
)]
pub(super) async fn answers(
    State(desk): State<Desk>,
    Extension(seats): Extension<Arc<Semaphore>>,
) -> Response {
    let noted = match desk.noted().await {
        Some(noted) => noted,
        None => return stopping(),
    };
    let (Some(_), Some(answers)) = (noted, desk.answers()) else {
        let help = "write answers = \"1/1000\" under [log] of rota.toml, and reload";
        return refuse(StatusCode::NOT_FOUND, "no answers are noted", help);
    };
    let Ok(seat) = seats.try_acquire_owned() else {
        return crowded("`answers_file` under [log] of rota.toml has them written down");
    };
    let stream = stream::unfold((answers, seat), async |(mut answers, seat)| {
        loop {
            match answers.recv().await {
                Ok(answer) => return Some((told("answer", &*answer), (answers, seat))),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    });
    sse_of(stream)
}

/// Every seat is taken.
fn crowded(help: &str) -> Response {
    let error = format!("{LISTENERS_MAX} listen to events or answers already");
    refuse(StatusCode::SERVICE_UNAVAILABLE, error, help)
}

fn sse_of(stream: impl Stream<Item = Result<sse::Event, Infallible>> + Send + 'static) -> Response {
    Sse::new(stream).keep_alive(KeepAlive::default()).into_response()
}

fn told(name: &str, what: &impl Serialize) -> Result<sse::Event, Infallible> {
    let data = serde_json::to_string(what).expect("text keys and plain values are always JSON");
    Ok(sse::Event::default().event(name).data(data))
}

async fn document() -> Response {
    Json(openapi::document()).into_response()
}

async fn perform(desk: &Desk, wanted: Wanted, way: &Way) -> Response {
    match desk.change(Change { wanted, source: way.to_string() }).await {
        Some(Ok(changed)) => Json(changed).into_response(),
        Some(Err(refusal)) => refused(refusal),
        None => stopping(),
    }
}

/// What the desk would not do.
pub(super) fn refused(refusal: Refusal) -> Response {
    let status = match refusal.kind {
        RefusalKind::Wrong => StatusCode::BAD_REQUEST,
        RefusalKind::Unknown => StatusCode::NOT_FOUND,
        RefusalKind::Full => StatusCode::CONFLICT,
        RefusalKind::Unkept => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(refusal.doc)).into_response()
}

fn answer(doc: Option<impl Serialize>) -> Response {
    doc.map_or_else(stopping, |doc| Json(doc).into_response())
}

fn found(doc: Option<Option<impl Serialize>>, what: &str, id: &str) -> Response {
    match doc {
        Some(Some(doc)) => Json(doc).into_response(),
        Some(None) => {
            let error = format!("no {what} has the id {id:?}");
            refuse(StatusCode::NOT_FOUND, error, "GET /api/v1/status lists them")
        }
        None => stopping(),
    }
}

/// Nobody answers at the desk.
pub(super) fn stopping() -> Response {
    let error = "the server is stopping, or has nothing of the kind";
    refuse(StatusCode::SERVICE_UNAVAILABLE, error, "")
}

fn refuse(status: StatusCode, error: impl Into<String>, help: &str) -> Response {
    let help = Some(help.to_owned()).filter(|help| !help.is_empty());
    (status, Json(ErrorDoc { error: error.into(), help })).into_response()
}

/// A body that is a document, bounded in size and time.
pub(super) struct Document<T>(pub(super) T);

impl<S: Send + Sync, T: serde::de::DeserializeOwned> FromRequest<S> for Document<T> {
    type Rejection = Response;

    async fn from_request(request: Request, _: &S) -> Result<Self, Response> {
        let body = match timeout(BODY_PATIENCE, to_bytes(request.into_body(), BODY_LEN_MAX)).await {
            Ok(Ok(body)) => body,
            // The other reason is a connection that broke, where nobody reads this.
            Ok(Err(_)) => {
                let error = format!("the body has more than {BODY_LEN_MAX} octets");
                return Err(refuse(StatusCode::PAYLOAD_TOO_LARGE, error, ""));
            }
            Err(_) => {
                let error = format!("the body did not arrive within {BODY_PATIENCE:?}");
                return Err(refuse(StatusCode::REQUEST_TIMEOUT, error, ""));
            }
        };
        let read = |body: &Bytes| serde_json::from_slice(body).map(Self);
        read(&body).map_err(|error| {
            refuse(StatusCode::BAD_REQUEST, format!("the body is not as it should be: {error}"), "")
        })
    }
}
