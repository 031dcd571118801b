//! The API as an OpenAPI document: made from the handlers and the structs that go out.
//!
//! It is committed as `docs/openapi.json`, so that a change of the API shows in a review as what it
//! is to those who use it; a test fails where the two differ.

use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{api, explain, reports};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Rota",
        description = "The admin API of a DNS load balancer. Fields are only ever added."
    ),
    paths(
        api::status,
        api::zones,
        api::services,
        api::service,
        api::node,
        api::overrides,
        api::change,
        api::lift,
        api::leaving,
        reports::report,
        api::reload,
        api::events,
        api::answers,
        explain::explain
    ),
    modifiers(&Token)
)]
struct Api;

/// What changes need where the operator has made one.
struct Token;

impl Modify for Token {
    fn modify(&self, document: &mut Document) {
        let token = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        document.components.get_or_insert_default().add_security_scheme("token", token);
    }
}

/// The document.
pub fn document() -> Document {
    let mut document = Api::openapi();
    // The version of the API; that of the program would make every release a change of it.
    document.info.version = "1".to_owned();
    document
}
