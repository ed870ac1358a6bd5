//! Who asks: an account by Basic credentials (RFC 7617), or the operator by a bearer token (RFC 6750).
//!
//! [`Account`] and [`Operator`] are extractors: a handler that names one is open to nobody else. Credentials of the
//! other API are none here: 401 "Unauthorized"; wrong ones are 401 "Bad credentials" and count against the address that
//! they come from.

mod basic;
mod bearer;
mod password;
#[cfg(test)]
mod tests;
mod throttle;

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use mediator_model::UnixMillis;

pub(crate) use basic::Account;
pub(crate) use bearer::{Operator, token_hash};
pub(crate) use password::Passwords;

use crate::fault::Fault;
use crate::state::AppState;
use throttle::Throttle;

/// Who logged in lately, and who failed to.
#[derive(Debug)]
pub(crate) struct Logins {
    pub(crate) passwords: Passwords,
    throttle: Throttle,
}

impl Logins {
    pub(crate) fn new() -> Self {
        Self { passwords: Passwords::new(), throttle: Throttle::new() }
    }

    /// Whether an address may try; 429 where it failed too often.
    pub(crate) fn admit(&self, peer: Peer, now: UnixMillis) -> Result<(), Fault> {
        self.throttle.admit(peer, now)
    }

    /// Notes wrong credentials, and says so to the client.
    pub(crate) fn failed(&self, peer: Peer, now: UnixMillis) -> Fault {
        self.throttle.failed(peer, now);
        Fault::BadCredentials
    }

    /// Notes good credentials.
    pub(crate) fn succeeded(&self, peer: Peer) {
        self.throttle.forget(peer);
    }
}

/// The address that a request comes from; `None` where the server does not say.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Peer(pub(crate) Option<IpAddr>);

impl FromRequestParts<AppState> for Peer {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        _: &AppState,
    ) -> Result<Self, std::convert::Infallible> {
        Ok(Self::of(parts))
    }
}

impl Peer {
    fn of(parts: &Parts) -> Self {
        let known = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Self(known.map(|ConnectInfo(address)| address.ip().to_canonical()))
    }
}

/// The Authorization header's scheme in lower case, and what follows it.
fn authorization(parts: &Parts) -> Option<(String, &str)> {
    let text = parts.headers.get(AUTHORIZATION)?.to_str().ok()?.trim();
    let (scheme, rest) = text.split_once(' ').unwrap_or((text, ""));
    Some((scheme.to_ascii_lowercase(), rest.trim()))
}
