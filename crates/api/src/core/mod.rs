//! The Core API: `/core/v2`, for the operator: endpoints, trunk groups, DIDs, call records, tokens.
//!
//! Objects are bare, without an envelope; a field that cannot be taken is 422, as is a reference to what there is not.

mod change;
mod dids;
mod endpoints;
mod fresh;
mod lists;
mod reading;
mod refusal;
mod request;
mod schema;
mod trunk_groups;
mod trunks;

use axum::Router;

use crate::state::AppState;

/// Its paths, below `/core/v2`.
pub(crate) fn routes() -> Router<AppState> {
    endpoints::routes().merge(trunk_groups::routes()).merge(trunks::routes()).merge(dids::routes())
}

/// Its description.
#[derive(utoipa::OpenApi)]
#[openapi(paths(
    endpoints::list,
    endpoints::create,
    endpoints::read,
    endpoints::patch,
    endpoints::put,
    endpoints::remove,
    trunk_groups::list,
    trunk_groups::create,
    trunk_groups::read,
    trunk_groups::patch,
    trunk_groups::put,
    trunk_groups::remove,
    trunks::list,
    trunks::create,
    trunks::read,
    trunks::patch,
    trunks::put,
    trunks::remove,
    dids::list,
    dids::create,
    dids::read,
    dids::patch,
    dids::put,
    dids::remove,
))]
pub(crate) struct Api;
