//! Basic credentials of a mediator endpoint (RFC 7617).

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mediator_store::record::{EndpointRecord, EndpointType};

use super::{Peer, authorization};
use crate::fault::Fault;
use crate::state::AppState;

/// The account that asks.
#[derive(Clone, Debug)]
pub(crate) struct Account(pub(crate) Arc<EndpointRecord>);

impl FromRequestParts<AppState> for Account {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Fault> {
        let Some((scheme, encoded)) = authorization(parts) else { return Err(Fault::Unauthorized) };
        if scheme != "basic" {
            return Err(Fault::Unauthorized);
        }
        let peer = Peer::of(parts);
        let now = state.now();
        let attempt = state.logins.begin(peer, encoded, now)?;
        let Some((login, password)) = decoded(encoded) else {
            return Err(state.logins.failed(&attempt, encoded));
        };
        let held = state.backend.catalog.account_by_login(&login);
        let account = held.map(|held| held.record).filter(|r| r.kind == EndpointType::Mediator);
        let kept = account.as_ref().and_then(|account| account.password.clone());
        let is_right = state.logins.passwords.verify(&login, kept.as_ref(), password).await;
        match account {
            Some(account) if is_right => {
                state.logins.succeeded(&attempt, &login)?;
                Ok(Self(account))
            }
            _ => Err(state.logins.failed(&attempt, &login)),
        }
    }
}

/// `base64(login ":" password)`; a password may hold colons, a login may not.
fn decoded(encoded: &str) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (login, password) = text.split_once(':')?;
    Some((login.to_owned(), password.to_owned()))
}
