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
#[derive(Debug, Deserialize)]
pub(super) struct Params {
    name: String,
    #[serde(rename = "type")]
    rtype: Option<String>,
    client: Option<IpAddr>,
    ecs: Option<String>,
}

impl Params {
    fn read(&self) -> Result<Inquiry, String> {
        let name = Name::from_text(&self.name)
            .map_err(|error| format!("`name` is {:?}: {error}", self.name))?;
        let rtype = self.rtype.as_deref().unwrap_or("A");
        let rtype =
            rtype.parse::<RecordType>().map_err(|why| format!("`type` is {rtype:?}: {why}"))?;
        let subnet = match &self.ecs {
            Some(text) => {
                Some(Network::parse(text).map_err(|error| format!("`ecs` is {text:?}: {error}"))?)
            }
            None => None,
        };
        let client = self.client.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        Ok(Inquiry { name, rtype, client, subnet })
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
