//! The Mediator API: `/mediator/v1`, for accounts.

use axum::Router;

use crate::state::AppState;

/// Its paths, below `/mediator/v1`.
pub(crate) fn routes() -> Router<AppState> {
    Router::new()
}

/// Its description.
#[derive(utoipa::OpenApi)]
#[openapi()]
pub(crate) struct Api;
