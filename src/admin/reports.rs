//! `POST /api/v1/reports`: what others say who look at nodes.
//!
//! A proxy sees what real requests come to, which no probe does. It says so here, under a name of
//! its own (a *vantage*), and Rota counts its words as it counts verdicts: enough bad ones in a row
//! make an address down to that vantage, until it says better or nothing more for a while. What
//! that is worth beside Rota's own probes is the service's `quorum`. A report changes answers, so
//! who may send one is who may change anything ([`super::guard`]).

use std::net::IpAddr;

use axum::Json;
use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::api::{Document, refused, stopping};
use super::desk::Desk;
use super::docs::{AddressDoc, ErrorDoc, OutcomeWord, Status};
use super::guard::Way;

/// What a vantage has seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportForm {
    /// The vantage's name: letters, digits, dots, dashes and underscores, at most 64.
    pub from: String,
    /// What it has seen, the oldest first; 1 to 100. All of them are taken, or none.
    pub reports: Vec<SeenDoc>,
}

/// What a vantage has seen at one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SeenDoc {
    /// A node: by its id, by the end of it that is unique, or by an address, which means that
    /// address alone.
    pub node: String,
    /// Whether requests passed there.
    pub verdict: Seen,
    /// How often in a row: 5 where five responses in a row were 500.
    #[serde(default = "once")]
    pub count: u32,
    /// The response code, where there was one.
    #[serde(default)]
    pub status: Option<u16>,
    /// What was wrong, in one line of at most 200 characters.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Whether requests passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    /// They did.
    Passed,
    /// They failed.
    Failed,
}

/// What came of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportedDoc {
    /// Every address that was meant.
    pub addresses: Vec<ReportedOnDoc>,
}

/// What came of a report for one address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportedOnDoc {
    /// The node's id.
    pub node: String,
    /// The address.
    #[schema(value_type = String)]
    pub address: IpAddr,
    /// What the vantage says of it now: up, down, or unknown where it has not said enough.
    pub says: Status,
    /// What all who look at it say together, by the service's quorum.
    pub real: Status,
    /// What holds: an operator's word where there is one.
    pub effective: Status,
}

/// What one vantage says of one address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OpinionDoc {
    /// The vantage's name.
    pub from: String,
    /// Up, down, or unknown where it has not said enough.
    pub status: Status,
    /// Words against the status are being counted.
    pub turning: bool,
    /// Since when.
    pub since: u64,
    /// When it is forgotten, if nothing more is said.
    pub until: u64,
    /// What it complained of last.
    pub reason: Option<String>,
    /// Its latest words, oldest first.
    pub words: Vec<WordDoc>,
}

/// One word of a vantage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WordDoc {
    /// How long ago, in milliseconds.
    pub ago_ms: u64,
    /// Whether requests passed.
    pub verdict: Seen,
    /// How often.
    pub count: u32,
    /// What was wrong.
    pub reason: Option<String>,
}

impl AddressDoc {
    /// What others complain of, where it is they who have the address down.
    pub fn reported(&self) -> Option<String> {
        let has_failed = self.last.as_ref().is_some_and(|last| last.outcome != OutcomeWord::Pass);
        let first = self.vantages.iter().find(|one| one.status == Status::Down);
        let first = first.filter(|_| self.real == Status::Down && !has_failed)?;
        let reason = first.reason.as_deref().unwrap_or("it fails");
        Some(format!("{}: {reason}", first.from))
    }
}

fn once() -> u32 {
    1
}

/// Say what a proxy, or another place to look from, has seen of nodes
#[utoipa::path(
    post,
    path = "/api/v1/reports",
    request_body = ReportForm,
    security((), ("token" = [])),
    responses(
        (status = 200, body = ReportedDoc),
        (status = 400, body = ErrorDoc, description = "It has no meaning here"),
        (status = 401, body = ErrorDoc, description = "The token is missing or wrong"),
        (status = 404, body = ErrorDoc, description = "No node has that name"),
        (status = 409, body = ErrorDoc, description = "There is no room for more"),
    )
)]
pub(super) async fn report(
    State(desk): State<Desk>,
    Extension(way): Extension<Way>,
    Document(form): Document<ReportForm>,
) -> Response {
    match desk.report(form, way.to_string()).await {
        Some(Ok(reported)) => Json(reported).into_response(),
        Some(Err(refusal)) => refused(refusal),
        None => stopping(),
    }
}
