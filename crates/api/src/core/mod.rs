//! The Core API: `/core/v2`, for the operator: endpoints, trunk groups, DIDs, call records, tokens.
//!
//! Objects are bare, without an envelope; a field that cannot be taken is 422, as is a reference to what there is not.

mod change;
mod dead_letters;
mod dids;
mod endpoints;
mod fresh;
mod lists;
mod oauth;
mod partners;
mod reading;
mod records;
mod refusal;
mod request;
mod schema;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod trunk_groups;
mod trunks;

use axum::Router;

use self::schema::Bodies;
use crate::state::AppState;

pub(crate) use self::records::CALL_FIELDS;
pub(crate) use self::request::partner_sid;
pub(crate) use self::schema::MediatorCall;

/// Its paths, below `/core/v2`.
pub(crate) fn routes() -> Router<AppState> {
    Router::new()
        .merge(endpoints::routes())
        .merge(trunk_groups::routes())
        .merge(trunks::routes())
        .merge(dids::routes())
        .merge(records::routes())
        .merge(oauth::routes())
        .merge(partners::routes())
        .merge(dead_letters::routes())
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
    records::calls,
    records::calls_csv,
    records::call,
    records::legs,
    records::legs_csv,
    records::leg,
    oauth::token,
    oauth::list,
    oauth::read,
    oauth::patch,
    oauth::put,
    oauth::revoke,
    oauth::whoami,
    partners::list,
    partners::read,
    partners::patch,
    partners::put,
    dead_letters::list,
    dead_letters::retry,
), modifiers(&Bodies))]
pub(crate) struct Api;
