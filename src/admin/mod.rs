//! Floor 6: what an operator, a supervisor or a load balancer in front may ask the process.
//!
//! ```text
//!   GET /healthz   200 while the process works; 503 where the prober's heart has stopped:
//!                  restart it
//!   GET /readyz    200 while it serves; 503 with the reason before the first verdicts and while
//!                  it stops: send it nothing
//!   GET /metrics   figures for a scraper
//!   /api/v1        the API: how everything stands, what operators say, reload, events;
//!                  GET /api/v1/openapi.json describes it
//!   GET /          the dashboard, for people; /services/… and /explain belong to it
//! ```
//!
//! The two differ on purpose. A server that starts or stops is well and must not be killed for
//! it; a server whose prober is stuck still answers, with the last statuses, and must be replaced.
//!
//! The same is answered on a TCP listener and on a Unix socket. They are for few and friendly
//! clients, and on this machine alone unless the operator says otherwise; `listen` bounds what an
//! unfriendly one can hold, `guard` what it may do.

mod api;
pub mod dashboard;
mod desk;
pub mod docs;
pub mod events;
mod explain;
mod guard;
mod listen;
pub mod metrics;
pub mod openapi;
pub mod reports;
pub mod shares;
mod socket;
mod state;

pub use dashboard::keep_record;
pub use desk::{Change, Desk, Inquiry, Refusal, RefusalKind, Reloads, Request, Wanted};
pub use events::{Event, Events};
pub use guard::Token;
pub use listen::{BindError, Door, adopt, bind, serve};
pub use socket::Socket;
pub use state::{Health, Phase, State};

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

/// What there is, for those who ask for something else.
const CONTENTS: &str = "GET / /explain /healthz /readyz /metrics /api/v1/openapi.json";

/// Everything that the listener answers.
fn router(state: Arc<State>, desk: Desk) -> Router {
    let metrics = Router::new().route("/metrics", get(metrics::metrics)).with_state(desk.clone());
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .with_state(Arc::clone(&state))
        .merge(dashboard::router(state, desk.clone()))
        .merge(metrics)
        .nest("/api/v1", api::router(desk))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
}

async fn healthz(extract::State(state): extract::State<Arc<State>>) -> Response {
    match state.health(now()) {
        Health::Well => "ok\n".into_response(),
        Health::Stalled(silence) => {
            let text = format!("the prober has shown no sign of life for {}s\n", silence.as_secs());
            (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
        }
    }
}

async fn readyz(extract::State(state): extract::State<Arc<State>>) -> Response {
    match state.phase() {
        Phase::Serving => "ready\n".into_response(),
        Phase::Starting => not_ready("starting: waiting for a first verdict of every target\n"),
        Phase::Stopping => not_ready("stopping\n"),
    }
}

fn not_ready(why: &'static str) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, why).into_response()
}

async fn unknown() -> Response {
    (StatusCode::NOT_FOUND, format!("not here; there are {CONTENTS}\n")).into_response()
}

async fn wrong_method() -> Response {
    (StatusCode::METHOD_NOT_ALLOWED, format!("only {CONTENTS}\n")).into_response()
}

/// The one place where this floor asks the clock.
#[expect(clippy::disallowed_methods, reason = "an I/O floor: health is about now")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests;
