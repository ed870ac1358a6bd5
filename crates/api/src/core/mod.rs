//! The Core API: `/core/v2`, for the operator.

use axum::Router;

use crate::state::AppState;

/// Its paths, below `/core/v2`.
pub(crate) fn routes() -> Router<AppState> {
    Router::new()
}

/// Its description.
#[derive(utoipa::OpenApi)]
#[openapi()]
pub(crate) struct Api;
