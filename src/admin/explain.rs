//! `GET /api/v1/explain`: why a client gets what it gets.

use std::net::{IpAddr, Ipv4Addr};

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::geo::Network;
use crate::respond::explain::Explanation;
use crate::wire::{Name, RecordType};

use super::api::stopping;
use super::desk::{Desk, Inquiry};
use super::docs::ErrorDoc;

/// The query of the URL.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Params {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) rtype: Option<String>,
    pub(super) client: Option<String>,
    pub(super) ecs: Option<String>,
}

impl Params {
    /// What is asked. A field of a form that was left empty is one that is not given.
    pub(super) fn read(&self) -> Result<Inquiry, String> {
        let given = |text: &Option<String>| {
            text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
        };
        if self.name.trim().is_empty() {
            return Err("`name` is missing: the name that a client asks for".to_owned());
        }
        let name = Name::from_text(self.name.trim())
            .map_err(|error| format!("`name` is {:?}: {error}", self.name))?;
        let rtype = given(&self.rtype).unwrap_or_else(|| "A".to_owned());
        let rtype =
            rtype.parse::<RecordType>().map_err(|why| format!("`type` is {rtype:?}: {why}"))?;
        let subnet = given(&self.ecs).map(|text| {
            Network::parse(&text).map_err(|error| format!("`ecs` is {text:?}: {error}"))
        });
        let client = given(&self.client).map(|text| {
            text.parse().map_err(|_| format!("`client` is {text:?}: it is no address"))
        });
        let client = client.transpose()?.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        Ok(Inquiry { name, rtype, client, subnet: subnet.transpose()? })
    }
}

/// Why a client gets what it gets, stage by stage
#[utoipa::path(
    get,
    path = "/api/v1/explain",
    params(
        ("name" = String, Query, description = "The name asked for"),
        ("type" = Option<String>, Query, description = "The record type; A where it is not given"),
        ("client" = Option<String>, Query, description = "The address that the query comes from"),
        ("ecs" = Option<String>, Query, description = "The network that a resolver tells of"),
    ),
    responses((status = 200, body = Explanation), (status = 400, body = ErrorDoc))
)]
pub(super) async fn explain(State(desk): State<Desk>, Query(params): Query<Params>) -> Response {
    let inquiry = match params.read() {
        Ok(inquiry) => inquiry,
        Err(error) => {
            let doc = ErrorDoc { error, help: None };
            return (StatusCode::BAD_REQUEST, Json(doc)).into_response();
        }
    };
    match desk.explain(inquiry).await {
        Some(explanation) => Json(explanation).into_response(),
        None => stopping(),
    }
}
