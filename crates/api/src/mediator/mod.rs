//! The Mediator API: `/mediator/v1`, for accounts.
//!
//! An account is a mediator endpoint; it sees its own objects only, and another's are not there. Everything is answered
//! as `{"body": ..., "status": 200}`.

mod accounts;
mod attributes;
mod bindings;
mod calls;
mod dialouts;
mod dids;
mod explain;
mod ownership;
mod rules;
#[cfg(test)]
mod tests;

use axum::Router;
use mediator_model::Sid;
use serde::Serialize;
use serde_json::Value;

use crate::fault::Fault;
use crate::state::AppState;

pub(crate) use self::bindings::Desk;

/// How often a write that lost a race is tried again.
const ATTEMPTS: usize = 8;

/// Its paths, below `/mediator/v1`.
pub(crate) fn routes() -> Router<AppState> {
    Router::new()
        .merge(accounts::routes())
        .merge(bindings::routes())
        .merge(dialouts::routes())
        .merge(dids::routes())
        .merge(calls::routes())
        .merge(explain::routes())
}

/// Its description.
#[derive(utoipa::OpenApi)]
#[openapi(paths(
    accounts::list,
    accounts::read,
    bindings::list,
    bindings::create,
    bindings::read,
    bindings::patch,
    bindings::put,
    bindings::delete,
    bindings::import::import,
    bindings::export::export,
    dialouts::list,
    dialouts::create,
    dialouts::read,
    dialouts::patch,
    dialouts::put,
    dialouts::delete,
    dialouts::record::record,
    dids::list,
    dids::read,
    calls::list,
    calls::read,
    calls::hang_up,
    explain::explain,
))]
pub(crate) struct Api;

/// An object as JSON.
fn shown(object: &impl Serialize) -> Value {
    // What is shown is made of texts, numbers and maps with texts for keys.
    serde_json::to_value(object).unwrap_or_default()
}

/// A sid that nobody has.
fn fresh_sid() -> Result<Sid, Fault> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).map_err(|error| {
        tracing::error!(%error, "the system gives no randomness");
        Fault::Internal
    })?;
    Ok(Sid::from_random(u128::from_be_bytes(bits)))
}
