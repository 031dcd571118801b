//! `/`: the dashboard, for people in front of a browser.
//!
//! ```text
//!   desk ─ StatusDoc ─┐
//!   Record ─ rates ───┼─► a page as plain values ─► template ─► HTML
//!   guard ─ Way ──────┘                                          │
//!   /api/v1/events ─► rota.js: something happened ─► ?part=1 ────┘ the same page, its main part
//! ```
//!
//! Pages are made here as a whole and need no script: without one they are what was true when they
//! were asked for, and ask again by themselves. The script keeps a page up to date by asking for it
//! anew when an event tells that something happened, and puts what differs in place; it knows
//! nothing of nodes. What a button does goes through the API, so there is one way to change things,
//! with one guard before it.
//!
//! Names and reasons come from configurations, from nodes and from other operators, so all text is
//! escaped by the templates; and were one to fail, the policy of the page lets no script run but
//! the one of this listener. Nothing is loaded from elsewhere, and no page of another site can put
//! this one into a frame.

mod alerts;
mod assets;
mod draw;
mod explain;
mod frame;
mod held;
mod overview;
mod record;
mod rows;
mod service;
mod words;

pub use record::{Record, keep_record};

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{self, Extension, Path, Query};
use axum::http::{HeaderName, StatusCode, header};
use axum::middleware::{from_fn, map_response};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use super::explain::Params;
use super::guard::{Way, guard};
use super::{Desk, State};
use explain::{ExplainPage, Told};
use frame::Frame;
use overview::Overview;
use rows::{Filter, Wanted};
use service::ServicePage;

/// What a page may load, and from where: all from here, nothing in line, and no frame around it.
const POLICY: &str =
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

#[derive(Clone, Debug)]
struct Sources {
    state: Arc<State>,
    desk: Desk,
}

/// The query of a page's URL.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Search {
    q: String,
    status: String,
    page: usize,
    part: Option<String>,
}

impl Search {
    fn filter(&self) -> Filter {
        Filter::new(&self.q, Wanted::read(&self.status))
    }
}

/// The pages.
pub(super) fn router(state: Arc<State>, desk: Desk) -> Router {
    Router::new()
        .route("/", get(overview))
        .route("/services/{*id}", get(one_service))
        .route("/explain", get(explained))
        .layer(map_response(kept_by_nobody))
        .route("/assets/{name}", get(assets::asset))
        .layer(map_response(with_policy))
        .layer(from_fn(guard))
        .with_state(Sources { state, desk })
}

async fn with_policy(mut response: Response) -> Response {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in headers {
        response.headers_mut().insert(name, header::HeaderValue::from_static(value));
    }
    response
}

async fn kept_by_nobody(mut response: Response) -> Response {
    let never = header::HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, never);
    response
}

async fn overview(
    extract::State(sources): extract::State<Sources>,
    Extension(way): Extension<Way>,
    Query(search): Query<Search>,
) -> Response {
    let Some(status) = sources.desk.status().await else { return stopping() };
    let frame = Frame::new(&status, &way, search.part.is_some());
    let state = (sources.state.phase(), sources.state.health(super::now()));
    let past = sources.desk.record().past();
    html(&Overview::new(frame, &status, &past, state, search.filter(), search.page))
}

async fn one_service(
    extract::State(sources): extract::State<Sources>,
    Extension(way): Extension<Way>,
    Path(id): Path<String>,
    Query(search): Query<Search>,
) -> Response {
    let Some(status) = sources.desk.status().await else { return stopping() };
    let Some(details) = sources.desk.details(id.clone()).await else { return stopping() };
    let service = status.services.iter().find(|service| service.id == id);
    let (Some(service), Some(details)) = (service, details) else {
        let text = format!("no service has the id {id:?}; / lists them\n");
        return (StatusCode::NOT_FOUND, text).into_response();
    };
    let frame = Frame::new(&status, &way, search.part.is_some());
    let past = sources.desk.record().past();
    let (filter, page) = (search.filter(), search.page);
    html(&ServicePage::new(frame, (&status, service), &details, &past, filter, page))
}

async fn explained(
    extract::State(sources): extract::State<Sources>,
    Extension(way): Extension<Way>,
    Query(params): Query<Params>,
) -> Response {
    let Some(status) = sources.desk.status().await else { return stopping() };
    let frame = Frame::new(&status, &way, false);
    let told = if params.name.trim().is_empty() {
        Told::Nothing
    } else {
        match params.read() {
            Err(error) => Told::Wrong(error),
            Ok(inquiry) => match sources.desk.explain(inquiry).await {
                Some(explanation) => Told::Stages(explanation),
                None => return stopping(),
            },
        }
    };
    html(&ExplainPage { frame, params, told })
}

fn html(page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => Html(text).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page cannot be made");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn stopping() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, "the server is stopping\n").into_response()
}

#[cfg(test)]
mod tests;
