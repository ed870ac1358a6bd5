//! The REST APIs over a store: `/mediator/v1` for accounts, `/core/v2` for the operator, and their description.
//!
//! Handlers read a request into checked records, write them with the revision that they read, and answer with what the
//! store took. What steers calls follows the store, so an answer means that the next INVITE goes by it.

mod answer;
mod args;
mod auth;
mod body;
pub mod callbacks;
pub mod catalog;
mod core;
mod etag;
mod fault;
mod fields;
mod filter;
#[doc(hidden)]
pub mod fuzzing;
mod idempotency;
mod layers;
mod mediator;
mod numbers;
mod openapi;
mod page;
mod patch;
mod path;
pub mod ports;
mod select;
mod settings;
mod state;
mod store_calls;
#[cfg(test)]
mod testing;
mod times;
mod turns;

pub use crate::numbers::NumberInfo;
pub use crate::settings::{PublicScheme, Settings};

use axum::Router;

use crate::fault::Flavour;
use crate::ports::Backend;
use crate::state::AppState;

/// Both APIs and their description, ready to be served.
///
/// The server hands over the peer's address as `axum::extract::ConnectInfo<SocketAddr>`; without it failed logins are
/// counted for all clients together.
pub fn router(backend: Backend, settings: Settings) -> Router {
    let state = AppState::new(backend, settings);
    let router = layers::api("/mediator/v1", mediator::routes(), Flavour::Mediator)
        .merge(layers::api("/core/v2", core::routes(), Flavour::Core))
        .merge(openapi::routes())
        .with_state(state);
    layers::outer(router)
}
