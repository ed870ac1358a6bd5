//! The description of both APIs in `OpenAPI` 3.1, at `/openapi.json`, without credentials.
//!
//! Handlers describe themselves with `#[utoipa::path(get, path = "/bindings/{binding_sid}", tag = "bindings", ...)]`,
//! paths relative to their API, and `mediator::Api` and `core::Api` list them. Here the two are put below their prefixes,
//! and what is the same everywhere is added, so that no handler has to say it:
//! - the credentials of the API, unless an operation names its own (`security(())` for none);
//! - how errors look, and the errors that every operation may give;
//! - the Mediator API's envelope `{"body": ..., "status": 200}`, around a page where the operation has `limit`;
//! - a description of every response that has none;
//! - that no field is sure to be there where `include_fields` chooses.

mod finish;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use serde_json::Value;
use utoipa::OpenApi;

use crate::state::AppState;

/// What both share.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Mediator",
        description = "Number masking: bindings and dialouts for accounts, and what carries them for the operator."
    ),
    servers((url = "/"))
)]
struct Description;

static DOCUMENT: LazyLock<String> = LazyLock::new(|| document().to_string());

/// The document.
pub(crate) fn document() -> Value {
    let both = Description::openapi()
        .nest("/mediator/v1", crate::mediator::Api::openapi())
        .nest("/core/v2", crate::core::Api::openapi());
    let mut document = serde_json::to_value(&both).unwrap_or_default();
    finish::finish(&mut document);
    document
}

/// Its path.
pub(crate) fn routes() -> Router<AppState> {
    Router::new().route("/openapi.json", get(serve))
}

async fn serve() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT.as_str())
}
