//! The description of both APIs in OpenAPI 3.1, at `/openapi.json`, without credentials.
//!
//! Handlers describe themselves with `#[utoipa::path(get, path = "/bindings/{binding_sid}", tag = "bindings", ...)]`,
//! paths relative to their API. `mediator::Api` and `core::Api` list them: `#[derive(utoipa::OpenApi)]
//! #[openapi(paths(bindings::list, ...), components(schemas(...)))]`. Here the two are put below their prefixes; every
//! operation gets its API's security and its common errors unless it says otherwise itself.

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use utoipa::OpenApi;

use crate::state::AppState;

/// What both share.
#[derive(OpenApi)]
#[openapi(info(
    title = "Mediator",
    description = "Number masking: bindings, dialouts, and what carries them."
))]
struct Description;

static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    let document = document();
    serde_json::to_string(&document).unwrap_or_default()
});

/// The document.
pub(crate) fn document() -> utoipa::openapi::OpenApi {
    Description::openapi()
        .nest("/mediator/v1", crate::mediator::Api::openapi())
        .nest("/core/v2", crate::core::Api::openapi())
}

/// Its path.
pub(crate) fn routes() -> Router<AppState> {
    Router::new().route("/openapi.json", get(serve))
}

async fn serve() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT.as_str())
}
