//! Bearer tokens of the operator (RFC 6750). Only a hash of each is kept.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use sha2::{Digest, Sha256};

use super::{OPERATOR, Peer, authorization};
use crate::fault::Fault;
use crate::state::AppState;

/// The operator, by this token.
#[derive(Clone, Debug)]
pub(crate) struct Operator;

/// What is kept of a token, and what it is found by: nothing can be learned from how long the search takes.
pub(crate) fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

impl FromRequestParts<AppState> for Operator {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Fault> {
        let Some((scheme, token)) = authorization(parts) else { return Err(Fault::Unauthorized) };
        if scheme != "bearer" {
            return Err(Fault::Unauthorized);
        }
        let peer = Peer::of(parts);
        let now = state.now();
        let attempt = state.logins.begin(peer, token, now)?;
        let held = state.backend.catalog.token_by_hash(&token_hash(token));
        match held {
            Some(held) if held.record.access_expires > now => {
                state.logins.succeeded(&attempt, OPERATOR)?;
                Ok(Self)
            }
            _ => Err(state.logins.failed(&attempt, OPERATOR)),
        }
    }
}
