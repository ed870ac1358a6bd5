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

    /// Lets an attempt be made; 429 where its address failed too often, unless these very credentials were good from there
    /// lately: a client that works is not shut out by another behind its address, and nothing can be guessed by that.
    pub(crate) fn begin(
        &self,
        peer: Peer,
        credentials: &str,
        now: UnixMillis,
    ) -> Result<Attempt, Fault> {
        let proof = self.passwords.proof(peer, credentials);
        let is_known = self.throttle.knows(&proof, now);
        if !is_known {
            self.throttle.admit(peer, now)?;
        }
        Ok(Attempt { peer, proof, is_known, now })
    }

    /// Notes wrong credentials of a login, and says so to the client.
    pub(crate) fn failed(&self, attempt: &Attempt, login: &str) -> Fault {
        self.throttle.unlearn(&attempt.proof);
        self.throttle.failed(attempt.peer, self.passwords.of_login(login), attempt.now);
        Fault::BadCredentials
    }

    /// Notes good credentials of a login; 429 where too many others failed while they were looked at, so that guesses made at
    /// the same time count one after the other.
    pub(crate) fn succeeded(&self, attempt: &Attempt, login: &str) -> Result<(), Fault> {
        if !attempt.is_known {
            self.throttle.admit(attempt.peer, attempt.now)?;
            self.throttle.forget(attempt.peer, self.passwords.of_login(login));
        }
        self.throttle.learn(attempt.proof, attempt.now);
        Ok(())
    }
}

/// Credentials that are being looked at.
#[derive(Debug)]
pub(crate) struct Attempt {
    peer: Peer,
    /// Of the credentials and where they come from.
    proof: [u8; 32],
    /// They were good lately.
    is_known: bool,
    now: UnixMillis,
}

/// The login of whoever has the operator's rights: tokens and the password for them count together.
pub(crate) const OPERATOR: &str = "";

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
